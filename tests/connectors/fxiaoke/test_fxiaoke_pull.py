"""A whole practice company goes into the mirror, and afterwards only what changed."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from tests.connectors.fxiaoke.fxiaoke_open import opened

from crmsync.ingest import PullOptions, pull
from crmsync.model.schema import ObjectWant
from crmsync.store.mirror import open_mirror
from crmsync.testing import PracticeCustomer, PracticeOrder, RequestKind, SandboxClock
from crmsync_fxiaoke.connector import FxiaokeConnector
from crmsync_fxiaoke.sandbox import FxiaokeSandbox

CUSTOMERS = [
    PracticeCustomer(key=f"c{n}", name=f"示例客户{n}", owner=f"销售{n % 5}", potential="Low")
    for n in range(230)
]
ORDERS = [
    PracticeOrder(
        key=f"o{n}",
        customer=f"c{n % 230}",
        placed_on=date(2026, 1, 1) + timedelta(days=n % 300),
        amount=Decimal(n) / 4,
        won=n % 7 != 0,
    )
    for n in range(1200)
]


def wants(connector: FxiaokeConnector) -> list[ObjectWant]:
    accounts, orders = connector.describe("AccountObj"), connector.describe("SalesOrderObj")
    (potential,) = accounts.labelled("需求潜力")
    own = [accounts.field(name) for name in ("name", "owner", "last_deal_closed_time")]
    other = [
        orders.field(name) for name in ("account_id", "order_time", "order_amount", "life_status")
    ]
    return [
        ObjectWant("AccountObj", (*(f for f in own if f), potential)),
        ObjectWant("SalesOrderObj", tuple(f for f in other if f)),
    ]


def test_a_company_is_pulled_whole_and_then_by_what_changed(
    sandbox: FxiaokeSandbox, clock: SandboxClock, tmp_path: Path
) -> None:
    report = sandbox.load_over_http(CUSTOMERS, ORDERS)
    assert report.calls == 4
    clock.advance(timedelta(hours=1))
    connector = opened(sandbox)
    wanted, mirror = wants(connector), tmp_path / "fxk.duckdb"
    options = PullOptions(now=clock.now)
    with sandbox.read_only():
        pull(connector, wanted, mirror, options=options)
    assert sandbox.recorder.count(kind=RequestKind.READ) == 3 + 13
    with open_mirror(mirror) as db:
        count = db.execute('SELECT count(*) FROM "SalesOrderObj"').fetchone()
        total = db.execute(
            "SELECT sum(order_amount) FROM \"SalesOrderObj\" WHERE life_status = 'normal'"
        ).fetchone()
    assert count == (1200,)
    assert total == (sum(order.amount for order in ORDERS if order.won),)

    clock.advance(timedelta(hours=1))
    moved = report.customers["c7"]
    sandbox.edit_as_person("AccountObj", moved, {"name": "改名客户"})
    sandbox.recorder.clear()
    pull(connector, wanted, mirror, options=options)
    assert sandbox.recorder.count(kind=RequestKind.READ) == 2
    with open_mirror(mirror) as db:
        name = db.execute('SELECT name FROM "AccountObj" WHERE id = ?', [moved]).fetchone()
    assert name == ("改名客户",)

    gone = report.customers["c8"]
    sandbox.edit_as_person("AccountObj", gone, {"life_status": "invalid"})
    pull(connector, wanted, mirror, options=PullOptions(now=clock.now, full=True))
    connector.close()
    with open_mirror(mirror) as db:
        rows = db.execute('SELECT count(*) FROM "AccountObj"').fetchone()
    assert rows == (229,)
