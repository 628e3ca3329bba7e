"""The contract harness of any sandbox: a vendor adds names, samples and its own refusals."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

from crmsync.connector.contract import Connector, WriteOptions
from crmsync.connector.spec import ConnectorSpec
from crmsync.model.change import Change, ChangeResult, SetFields
from crmsync.model.record import RecordRef, Value
from crmsync.testing.clock import SandboxClock
from crmsync.testing.context import MemoryTokenShelf
from crmsync.testing.contract.harness import ContractHarness
from crmsync.testing.faults import CommitLate, Drop, Fault, Reply, throttled
from crmsync.testing.memory_crm import Trouble
from crmsync.testing.recorder import RequestKind
from crmsync.testing.rows import Origin
from crmsync.testing.sandbox import Sandbox

START = datetime(2026, 11, 20, 8, tzinfo=UTC)


class SandboxHarness(ContractHarness):
    """Starts a sandbox with a standing clock and opens connectors through the connector's SPEC.

    A vendor MUST set ``object``, ``text_field`` and give ``spec``, ``sandbox_class``, ``record``,
    ``samples``, ``bad_value`` and ``across_pages``; MAY override ``fault`` where its refusals look
    different, ``new_record`` and ``automation_runs``.
    """

    sign_in_attempts = 2
    """How many requests must be refused until the connector gives up (one new token is tried)."""

    def __init__(self) -> None:
        self.sandbox = self.sandbox_class()(SandboxClock(START))
        self._shelf = MemoryTokenShelf()
        self._asked: set[tuple[str, str]] = set()

    @abstractmethod
    def spec(self) -> ConnectorSpec:
        """The connector's declaration."""

    @abstractmethod
    def sandbox_class(self) -> type[Sandbox]:
        """The vendor's sandbox."""

    @abstractmethod
    def record(self, number: int) -> Mapping[str, Value]:
        """The values of an invented record, as the sandbox's store holds them."""

    def fault(self, kind: Trouble) -> Fault | None:
        """How this vendor shows a trouble; ``None`` if it cannot."""
        match kind:
            case Trouble.THROTTLED:
                return throttled(1)
            case Trouble.SIGN_IN:
                return Reply(401, body={"message": "no"})
            case Trouble.LOST_BEFORE_COMMIT:
                return Drop(commit=False)
            case Trouble.LOST_AFTER_COMMIT:
                return Drop(commit=True)
            case Trouble.ERROR_AFTER_COMMIT:
                return Reply(500, body={"message": "tired"}, commit=True)
            case Trouble.COMMITTED_LATE:
                return CommitLate(60)
        return None

    def __enter__(self) -> Self:
        self.sandbox.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.sandbox.stop()
        if problem is None:
            self.check_fields()

    def watched(self, connector: Connector) -> Connector:
        """*connector*, with note taken of every field its changes name: when the harness closes,
        no other field may have arrived at the CRM."""
        write = connector.write

        def noting(changes: Sequence[Change], options: WriteOptions) -> Sequence[ChangeResult]:
            for change in changes:
                if isinstance(change, SetFields):
                    self._asked.update((change.ref.object, name) for name in change.after)
                else:
                    self._asked.update((change.object, name) for name in change.values)
            return write(changes, options)

        setattr(connector, "write", noting)  # noqa: B010 - mypy forbids the plain assignment
        return connector

    def check_fields(self) -> None:
        """Raise AssertionError if a field arrived at the CRM that no change named."""
        written = {(item.object, item.field) for item in self.sandbox.field_writes()}
        foreign = sorted(written - self._asked)
        assert not foreign, f"the connector wrote fields nobody asked for: {foreign}"

    def open(self) -> Connector:
        """A connector opened as the engine opens it."""
        settings = (
            self.spec()
            .load("settings")
            .model_validate(
                {
                    name: value
                    for name, value in self.sandbox.connection_settings().keys.items()
                    if name not in {"connector", "allow_private"}
                }
            )
        )
        context = self.sandbox.context(connection="practice", shelf=self._shelf)
        connector = self.spec().load("open")(settings, context)
        assert isinstance(connector, Connector)
        return self.watched(connector)

    def secrets(self) -> Sequence[str]:
        """The sandbox's secrets, and the token on the shelf."""
        return tuple(self.sandbox.connection_settings().secrets.values())

    def seed(self, count: int) -> Sequence[RecordRef]:
        """Invented records."""
        rows = self.sandbox.seed(self.object, [self.record(number) for number in range(count)])
        return tuple(RecordRef(self.object, row.id) for row in rows)

    def stored(self, ref: RecordRef) -> Mapping[str, Value]:
        """What the sandbox holds."""
        return self.sandbox.store.get(ref.object, ref.id).values

    def edit(self, ref: RecordRef, values: Mapping[str, Value]) -> None:
        """Somebody edits, late enough for the modified time to move."""
        self.sandbox.clock.advance(self.sandbox.resolution + timedelta(seconds=1))
        self.sandbox.edit_as_person(ref.object, ref.id, values)
        self.sandbox.clock.advance(self.sandbox.resolution + timedelta(seconds=1))

    def remove(self, ref: RecordRef) -> None:
        """Somebody deletes."""
        self.sandbox.delete_as_person(ref.object, ref.id)

    def merge(self, lost: RecordRef, survivor: RecordRef) -> None:
        """Somebody merges."""
        self.sandbox.merge_as_person(lost.object, lost.id, survivor.id)

    def requests(self) -> int:
        """All requests but those for tokens."""
        recorder = self.sandbox.recorder
        return recorder.count() - recorder.count(kind=RequestKind.AUTH)

    def writes(self) -> int:
        """Write requests."""
        return self.sandbox.recorder.count(kind=RequestKind.WRITE)

    def automation_runs(self) -> int:
        """Fields the CRM's workflows have written."""
        return len(self.sandbox.field_writes(origin=Origin.AUTOMATION))

    def trouble(self, kind: Trouble) -> bool:
        """Strike the next write request."""
        self.sandbox.faults.clear()
        fault = self.fault(kind)
        if fault is None:
            return False
        times = self.sign_in_attempts if kind is Trouble.SIGN_IN else 1
        self.sandbox.faults.next_of(RequestKind.WRITE, fault, times=times)
        return True

    def count_key(self, object: str, field: str, key: str) -> int:
        """Records with that key."""
        return sum(row.get(field) == key for row in self.sandbox.store.rows(object))
