"""What a connector author fills in so that the checks can look at both sides of the wire."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from crmsync.connector.contract import Connector
from crmsync.model.change import CreateRecord
from crmsync.model.record import RecordRef, Value
from crmsync.testing.memory_crm import Trouble


@dataclass(frozen=True, slots=True)
class Sample:
    """A value to write and read back. ``reads_as`` differs only where the CRM cannot keep it (an
    empty text is read as ``None``)."""

    field: str
    value: Value
    same: bool = True
    reads_as: Value = None

    @property
    def expected(self) -> Value:
        """What reading back must give."""
        return self.value if self.same else self.reads_as


class ContractHarness(ABC):
    """One CRM, fresh for every check, seen from the connector's side and from behind.

    "Behind" is the CRM itself: its store, its request log, its people. A check never takes the
    connector's word for what it did.
    """

    object: str
    """An object whose records may be read and written."""
    text_field: str
    """A writable text field of it; the checks write short invented texts."""

    def __enter__(self) -> Self:
        return self

    def __exit__(  # noqa: B027 - a CRM in memory has nothing to stop
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop what was started."""

    # The connector's side

    @abstractmethod
    def open(self) -> Connector:
        """A new connector on the CRM; whoever asked closes it."""

    @abstractmethod
    def samples(self) -> Sequence[Sample]:
        """At least one value per kind of field the connector can write, edges included."""

    @abstractmethod
    def bad_value(self) -> tuple[str, Value]:
        """A field and a value that the CRM refuses for one record. A text MUST hold `CANARY`."""

    def new_record(self, key: str) -> CreateRecord | None:
        """A record to create, carrying *key* in its key field; ``None`` if nothing is created."""
        return None

    def secrets(self) -> Sequence[str]:
        """Every credential in play; none may appear anywhere."""
        return ()

    # The CRM's side

    @abstractmethod
    def seed(self, count: int) -> Sequence[RecordRef]:
        """Put *count* records there, past the API; each text field holds an invented name."""

    @property
    @abstractmethod
    def across_pages(self) -> int:
        """How many records make a read cross at least two page borders."""

    @abstractmethod
    def stored(self, ref: RecordRef) -> Mapping[str, Value]:
        """The record's values as they stand in the CRM."""

    @abstractmethod
    def edit(self, ref: RecordRef, values: Mapping[str, Value]) -> None:
        """A person changes the record, late enough for its version to move."""

    @abstractmethod
    def remove(self, ref: RecordRef) -> None:
        """A person deletes the record."""

    @abstractmethod
    def merge(self, lost: RecordRef, survivor: RecordRef) -> None:
        """A person merges *lost* into *survivor*: what hangs on it moves over, it is deleted."""

    @abstractmethod
    def requests(self) -> int:
        """How many requests have arrived so far, of any kind."""

    @abstractmethod
    def writes(self) -> int:
        """How many write requests have arrived so far."""

    @abstractmethod
    def automation_runs(self) -> int:
        """How often the CRM's own automation has run."""

    @abstractmethod
    def trouble(self, kind: Trouble) -> bool:
        """Let this befall the next write; False if this CRM cannot show it."""

    def count_key(self, object: str, field: str, key: str) -> int:
        """How many records carry *key*."""
        raise NotImplementedError


CANARY = "Canary Person 7351"
"""Stands for a customer's data: it may be in fields, never in an error, a log or a repr."""
