"""The contract harness of the CRM in memory, in any shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from crmsync.connector.contract import Connector, CreateOnce
from crmsync.model.change import CreateRecord
from crmsync.model.record import RecordRef, Value
from crmsync.model.schema import Choice, FieldSchema, FieldType, ObjectSchema
from crmsync.testing.canaries import canary
from crmsync.testing.clock import SandboxClock
from crmsync.testing.contract.harness import CANARY, ContractHarness, Sample
from crmsync.testing.memory import MemoryConnector
from crmsync.testing.memory_crm import MemoryCrm, Quirks, Trouble

_CHOICES = (Choice("high", "高 High"), Choice("low", "低 Low"))
COMPANY = ObjectSchema(
    "Company",
    "Company",
    (
        FieldSchema("name", "Name", FieldType.TEXT, max_length=40),
        FieldSchema("notes", "Notes", FieldType.LONG_TEXT),
        FieldSchema("potential", "Potential", FieldType.PICKLIST, _CHOICES),
        FieldSchema("channels", "Channels", FieldType.MULTI_PICKLIST, _CHOICES),
        FieldSchema("strategic", "Strategic", FieldType.BOOLEAN),
        FieldSchema("staff", "Staff", FieldType.INTEGER),
        FieldSchema("score", "Score", FieldType.DECIMAL),
        FieldSchema("revenue", "Revenue", FieldType.CURRENCY),
        FieldSchema("tier_since", "Tier since", FieldType.DATE),
        FieldSchema("seen_at", "Seen at", FieldType.DATETIME),
        FieldSchema("touched", "Touched", FieldType.TEXT),
    ),
)
TODO = ObjectSchema(
    "Todo",
    "Todo",
    (
        FieldSchema("subject", "Subject", FieldType.TEXT, required=True),
        FieldSchema("key", "Key", FieldType.TEXT),
        FieldSchema("about", "About", FieldType.LOOKUP, target="Company"),
        FieldSchema("status", "Status", FieldType.TEXT),
    ),
)


class MemoryHarness(ContractHarness):
    """Runs the checks against `MemoryConnector` in the shape of *quirks*."""

    object = "Company"
    text_field = "name"

    def __init__(self, quirks: Quirks | None = None) -> None:
        self.quirks = quirks or Quirks()
        self._secret = canary()
        start = datetime(2026, 11, 20, 8, tzinfo=UTC)
        self.crm = MemoryCrm(SandboxClock(start), self.quirks, workflow_field="touched")
        self.crm.add_object(COMPANY)
        self.crm.add_object(TODO)

    def open(self) -> Connector:
        """A connector."""
        return MemoryConnector(self.crm)

    def secrets(self) -> Sequence[str]:
        """What a connector would sign in with, were there a door."""
        return (self._secret,)

    def samples(self) -> Sequence[Sample]:
        """One and more per field type."""
        return (
            Sample("name", "示例 Ltd"),
            Sample("name", "", same=False, reads_as=None),
            Sample("notes", "two\nlines, “quoted” 🙂"),
            Sample("potential", "high"),
            Sample("potential", None),
            Sample("channels", ("high", "low")),
            Sample("strategic", value=True),
            Sample("strategic", value=False),
            Sample("staff", 0),
            Sample("staff", 2**53 + 1),
            Sample("score", Decimal("77.5")),
            Sample("revenue", Decimal("1234567890.12")),
            Sample("tier_since", date(2026, 2, 28)),
            Sample("seen_at", datetime(2026, 11, 20, 16, 30, tzinfo=UTC)),
        )

    def bad_value(self) -> tuple[str, Value]:
        """No choice of that picklist."""
        return "potential", CANARY

    def new_record(self, key: str) -> CreateRecord:
        """A todo."""
        values = {"subject": "Call back", "key": key, "status": "open"}
        return CreateRecord(f"create {key}", "Todo", values, "key")

    def seed(self, count: int) -> Sequence[RecordRef]:
        """Invented companies."""
        return self.crm.seed("Company", [{"name": f"Invented {n}"} for n in range(count)])

    @property
    def across_pages(self) -> int:
        """Two borders, and one record more."""
        return 2 * self.quirks.page + 1

    def stored(self, ref: RecordRef) -> Mapping[str, Value]:
        """What the CRM holds."""
        return self.crm.store.get(ref.object, ref.id).values

    def edit(self, ref: RecordRef, values: Mapping[str, Value]) -> None:
        """Somebody edits, one grain of the version later."""
        self.crm.clock.advance(self.quirks.version_resolution + timedelta(seconds=1))
        self.crm.edit_as_person(ref, values)

    def remove(self, ref: RecordRef) -> None:
        """Somebody deletes."""
        self.crm.delete_as_person(ref)

    def merge(self, lost: RecordRef, survivor: RecordRef) -> None:
        """Somebody merges."""
        self.crm.merge_as_person(lost, survivor)

    def requests(self) -> int:
        """All calls."""
        return len(self.crm.calls)

    def writes(self) -> int:
        """Write calls."""
        return self.crm.count("write")

    def automation_runs(self) -> int:
        """Workflow runs."""
        return self.crm.automation

    def trouble(self, kind: Trouble) -> bool:
        """Every trouble can be shown."""
        self.crm.trouble(kind)
        return True

    def count_key(self, object: str, field: str, key: str) -> int:
        """Records with that key."""
        return sum(row.get(field) == key for row in self.crm.store.rows(object))


SHAPES: Mapping[str, Quirks] = {
    "plain": Quirks(),
    "single writes": Quirks(write_batch=1, sees_deletes=True),
    "conditional": Quirks(conditional_write=True, version_resolution=timedelta(seconds=1)),
    "uniform and atomic": Quirks(uniform_batch=True, atomic_batch=True, page=2),
    "atomic": Quirks(atomic_batch=True, create_once=CreateOnce.A),
    "telling": Quirks(sees_deletes=True, sees_merges=True),
    "loud": Quirks(can_silence_automation=False, create_once=CreateOnce.D),
}
"""Shapes of platforms the engine must cope with."""
