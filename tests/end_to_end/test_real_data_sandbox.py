"""Real invoices in a practice CRM, through its own API and the shipped mapping, to facts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from tests.end_to_end.test_real_data_facts import AS_OF, Order, World, by_hand, read_rows, sample

from crmsync.config import read_mapping, resolve
from crmsync.connector import Connector
from crmsync.facts import excluded_count, relation, wants
from crmsync.ingest import PullOptions, PullReport, pull
from crmsync.model.mapping import CrmMapping
from crmsync.model.ruleset import Ruleset
from crmsync.model.schema import FieldSchema, FieldType, ObjectSchema
from crmsync.project.sample import LAST_DAY
from crmsync.project.shipped import shipped_ruleset
from crmsync.rules import load
from crmsync.store.mirror import ReadKind, open_mirror
from crmsync.testing import LoadReport, PracticeCustomer, PracticeOrder, Sandbox, SandboxClock
from crmsync_fxiaoke import SPEC

NOW = datetime.combine(LAST_DAY, time(20), UTC)
OBJECTS = ("AccountObj", "SalesOrderObj", "crmsync_task__c")
WRITTEN = {
    "客户等级(crmsync)": FieldType.TEXT,
    "等级起始日": FieldType.DATE,
    "客户评分": FieldType.DECIMAL,
    "生命周期": FieldType.TEXT,
    "生命周期起始日": FieldType.DATE,
    "服务标准": FieldType.TEXT,
    "等级说明": FieldType.LONG_TEXT,
    "规则版本": FieldType.TEXT,
    "锁定等级": FieldType.BOOLEAN,
}


class Practice:
    """A practice CRM filled with the sample, and everything a pull needs."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox = sandbox
        self.world: World = sample()
        self.loaded: LoadReport = self._load()
        fields = [FieldSchema(label, label, kind) for label, kind in WRITTEN.items()]
        sandbox.make_fields_by_hand("AccountObj", fields)
        settings = {
            key: value
            for key, value in sandbox.connection_settings().keys.items()
            if key not in {"connector", "allow_private"}
        }
        self.connector: Connector = SPEC.load("open")(
            SPEC.load("settings").model_validate(settings), sandbox.context()
        )
        self.schemas: dict[str, ObjectSchema] = {
            name: self.connector.describe(name) for name in OBJECTS
        }
        found, findings = load(shipped_ruleset("retail-rfm"))
        assert found is not None, findings
        self.ruleset: Ruleset = found
        file = shipped_ruleset("retail-rfm") / "mapping" / "fxiaoke.yaml"
        mapped, findings = read_mapping(file, found)
        assert mapped is not None, findings
        self.mapping: CrmMapping = resolve(mapped, self.schemas)
        self.mirror = folder / "practice.duckdb"

    def _load(self) -> LoadReport:
        customers = [
            PracticeCustomer(key=key, name=f"Customer {key}", country=country)
            for key, country in self.world.customers.items()
        ]
        orders = [
            PracticeOrder(
                key=order.id,
                customer=order.customer,
                placed_on=order.ordered_on,
                amount=order.amount,
            )
            for order in self.world.orders
        ]
        return self.sandbox.load_over_http(customers, orders)

    def pull(self) -> PullReport:
        asked = wants(self.ruleset, self.mapping, self.schemas)
        options = PullOptions(now=self.sandbox.clock.now)
        return pull(self.connector, asked, self.mirror, options=options)


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[Practice]:
    with SPEC.load("sandbox")(SandboxClock(NOW)) as sandbox:
        practice = Practice(sandbox, tmp_path)
        yield practice
        practice.connector.close()


def test_facts_out_of_a_crm_are_what_the_invoices_say(practice: Practice) -> None:
    report = practice.pull()
    assert [item.kind for item in report.objects] == [ReadKind.FULL, ReadKind.FULL]
    assert [item.rows for item in report.objects] == [
        len(practice.world.customers),
        len(practice.world.orders),
    ]
    own: dict[str, list[Order]] = defaultdict(list)
    for order in practice.world.orders:
        own[order.customer].append(order)
    keys = {made: key for key, made in practice.loaded.customers.items()}
    built = relation(practice.ruleset, practice.mapping, practice.schemas, AS_OF)
    rows = read_rows(practice.mirror, built)
    assert {keys[row.ref.id] for row in rows} == set(practice.world.customers)
    for row in rows:
        key = keys[row.ref.id]
        assert row.facts == by_hand(practice.world.customers[key], own[key]), key
        assert row.rejected == ()
        assert row.name == f"Customer {key}"


def test_the_next_pull_brings_what_people_did(practice: Practice) -> None:
    practice.pull()
    sandbox = practice.sandbox
    sandbox.clock.advance(timedelta(hours=1))
    order = practice.world.orders[0]
    made = practice.loaded.orders[order.id]
    sandbox.edit_as_person("SalesOrderObj", made, {"order_amount": Decimal("123456.78")})
    sandbox.clock.advance(timedelta(minutes=10))
    report = practice.pull()
    changed = {item.object: (item.kind, item.changed) for item in report.objects}
    assert changed["SalesOrderObj"] == (ReadKind.INCREMENTAL, 1)
    connection = open_mirror(practice.mirror)
    try:
        found = connection.execute(
            'SELECT order_amount FROM "SalesOrderObj" WHERE id = ?', [made]
        ).fetchall()
        left_out = excluded_count(
            connection, practice.ruleset, practice.mapping, practice.schemas, AS_OF
        )
    finally:
        connection.close()
    assert found == [(Decimal("123456.78"),)]
    assert left_out == 0
