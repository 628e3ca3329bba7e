"""What a mutant is: an honest connector, wrapped so that one promise is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crmsync.connector.contract import (
    Capabilities,
    Connector,
    FieldHistory,
    Page,
    ReadQuery,
    WriteOptions,
)
from crmsync.model.change import Change, ChangeResult
from crmsync.model.history import HistoryEntry
from crmsync.model.record import RecordRef
from crmsync.model.schema import ObjectSchema, Organization
from crmsync.testing.contract.harness import ContractHarness


class MutantHarness:
    """A harness whose connectors are all broken in one way; everything else is the inner one's."""

    def __init__(self, inner: ContractHarness, mutant: Mutant) -> None:
        self._inner = inner
        self._mutant = mutant

    def open(self) -> Connector:
        """A broken connector."""
        return self._mutant.wrap(self._inner.open(), self._inner)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - stands in for the inner harness
        return getattr(self._inner, name)


class Wrapped:
    """Passes everything through; a mutant overrides what it breaks."""

    def __init__(self, inner: Connector, harness: ContractHarness) -> None:
        self.inner = inner
        self.harness = harness

    @property
    def capabilities(self) -> Capabilities:
        return self.inner.capabilities

    def check(self) -> Organization:
        return self.inner.check()

    def describe(self, object: str) -> ObjectSchema:
        return self.inner.describe(object)

    def read(self, query: ReadQuery, *, resume: str | None = None) -> Iterator[Page]:
        return self.inner.read(query, resume=resume)

    def write(self, changes: Sequence[Change], options: WriteOptions) -> Sequence[ChangeResult]:
        return self.inner.write(changes, options)

    def history(
        self, ref: RecordRef, fields: Sequence[str], *, since: datetime
    ) -> Iterator[HistoryEntry]:
        assert isinstance(self.inner, FieldHistory)
        return self.inner.history(ref, fields, since=since)

    def close(self) -> None:
        self.inner.close()


@dataclass(frozen=True, slots=True)
class Mutant:
    """A way to break promise ``number``."""

    number: int
    name: str
    wrap: Callable[[Connector, ContractHarness], Connector]
    needs: Callable[[Capabilities], bool] = lambda _: True
    """Whether a connector of these capabilities can be broken this way."""
