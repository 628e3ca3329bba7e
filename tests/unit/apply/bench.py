"""One project on disk and one fake CRM: makes plans, applies them, restarts programs."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from tests.unit.apply.fake import Clock, FakeConnector, FakeCrm
from tests.unit.plan.builders import DAY, FIELDS, customer, inputs, ref

from crmsync.apply import Applier, ApplyOrder, Surroundings
from crmsync.connector import Capabilities, CreateOnce
from crmsync.model.consent import Consent
from crmsync.model.record import Value
from crmsync.model.run import ApplyReport
from crmsync.model.state import CustomerState
from crmsync.plan import (
    Evaluated,
    PlanFile,
    PlanStamp,
    UndoAsk,
    build,
    read_plan,
    undo,
    write_plan,
)
from crmsync.store import Lock, Store, open_store

KEY = b"k" * 32
HERE = ("crm", "b2b")
ALLOWED = {
    "Accounts": frozenset(FIELDS.values()),
    "Tasks": frozenset({"Key", "Subject", "Due", "Owner", "What", "Status"}),
}
CAPABILITIES = Capabilities(field_history=True, write_batch=4, create_once=CreateOnce.B)


def fake_crm(**capabilities: Any) -> FakeCrm:
    return FakeCrm(Clock(), replace(CAPABILITIES, **capabilities))


@dataclass
class Bench:
    folder: Path
    crm: FakeCrm = field(default_factory=fake_crm)
    store: Store = field(init=False)
    plans: int = 0
    keeps: bool = False
    """Whether the state's connections outlive a restart, as cheap trials by the hundred want it:
    what the program held in memory is gone all the same."""

    def __post_init__(self) -> None:
        self.store = open_store(self.folder / "crmsync.db", key=KEY)

    @property
    def clock(self) -> Clock:
        return self.crm.clock

    def restart(self) -> None:
        if self.keeps:
            self.store = Store(self.store.database)
            return
        self.store.close()
        self.store = open_store(self.folder / "crmsync.db", key=KEY)

    def anew(self, crm: FakeCrm | None = None) -> None:
        """The next trial in the same file: not a row is left, and another CRM beside it."""
        self.crm, self.plans = crm or fake_crm(), 0
        with self.store.database.write() as db:
            db.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
            for table in sa.inspect(db).get_table_names():
                if table != "alembic_version":
                    db.exec_driver_sql(f'DELETE FROM "{table}"')
            db.exec_driver_sql("DELETE FROM sqlite_sequence")
        self.store = Store(self.store.database)

    def seed(self, count: int, **fields: Value) -> None:
        for n in range(1, count + 1):
            self.crm.put(ref(n), Name=f"客户{n}", **fields)

    def item(self, n: int, tier: str = "key", stage: str = "repeat", **more: Any) -> Evaluated:
        """A decision on customer *n*, made from what the CRM and the store hold now."""
        states = self.store.states.opening(*HERE, [ref(n)], day=DAY)
        record = self.crm.objects["Accounts"][ref(n).id]
        owned = {role: record.fields.get(name) for role, name in FIELDS.items()}
        more.setdefault("state", states.get(ref(n)) or CustomerState(ref(n)))
        return customer(n, tier, stage, owned=owned, version=str(record.version), **more)

    def plan(self, items: Iterable[Evaluated], **changes: Any) -> PlanFile:
        self.plans += 1
        now = self.clock.now()
        stamp = PlanStamp(
            plan_id=f"p{self.plans}",
            created_at=now,
            expires_at=now + timedelta(hours=24),
            tool_version="0.1.0",
        )

        def episodes(keys: Iterable[str]) -> Any:
            return self.store.episodes.known(*HERE, keys)

        path = self.folder / f"{stamp.plan_id}.json"
        known = {"stamp": stamp, "episodes": episodes, **changes}
        with build(inputs(**known), items) as draft:
            digest = write_plan(path, draft, KEY)
            self.store.plans.register(draft.header, digest=digest, path=str(path))
        return read_plan(path, KEY)

    @contextmanager
    def applier(self, **world: Any) -> Any:
        surroundings = Surroundings(
            **{
                "now": self.clock.now,
                "sleep": self.clock.sleep,
                "allowed": ALLOWED,
                "chance": lambda: 1.0,
                **world,
            }
        )
        with self.store.connection_lock(
            self.folder / "locks", "crm", by="test", now=self.clock.now
        ) as lock:
            yield Applier(self.store, FakeConnector(self.crm), surroundings), lock

    def order(self, lock: Lock, kind: str = "apply", *allow: str) -> ApplyOrder:
        consents = tuple(Consent.parse(item) for item in allow)
        return ApplyOrder(kind=kind, by="zhang.min", lock=lock, consents=consents)

    def apply(
        self,
        plan: Any,
        *allow: str,
        kind: str = "apply",
        firsts: str = "first_assignments=100%",
        **world: Any,
    ) -> ApplyReport:
        """Apply it; first assignments are agreed to unless *firsts* says otherwise."""
        with self.applier(**world) as (applier, lock):
            report: ApplyReport = applier.run(plan, self.order(lock, kind, firsts, *allow))
            return report

    def resume(self, run_id: int, **world: Any) -> ApplyReport:
        with self.applier(**world) as (applier, lock):
            report: ApplyReport = applier.resume(run_id, self.order(lock))
            return report

    def undo(self, run_id: int, **changes: Any) -> PlanFile:
        """The plan that takes a run back, written and registered as any other."""
        self.plans += 1
        now = self.clock.now()
        stamp = PlanStamp(
            plan_id=f"p{self.plans}",
            created_at=now,
            expires_at=now + timedelta(hours=24),
            tool_version="0.1.0",
        )
        path = self.folder / f"{stamp.plan_id}.json"
        ask = UndoAsk(self.store, FakeConnector(self.crm), run_id)
        with undo(inputs(stamp=stamp, **changes), ask) as draft:
            digest = write_plan(path, draft, KEY)
            self.store.plans.register(draft.header, digest=digest, path=str(path))
        return read_plan(path, KEY)

    def tiers(self, count: int) -> list[Value]:
        return [self.crm.get(ref(n)).get("Tier") for n in range(1, count + 1)]
