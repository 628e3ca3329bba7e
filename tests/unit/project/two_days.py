"""A population planned on one day and again on later ones, after its writes were confirmed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
from tests.bench.world import ACCOUNTS, AS_OF, NOW, SCHEMAS, TASKS, fill, mapping, rules

from crmsync.model.canonical import dumps
from crmsync.model.plan import Observation, PlanCounts, PlanLine, RecordChange, TaskCreate, Withheld
from crmsync.model.ruleset import Ruleset
from crmsync.model.state import Episode
from crmsync.plan import Origin, PlanInputs, PlanStamp, build
from crmsync.project.evaluating import OpenPopulation, Population
from crmsync.store import Store, open_store

CONNECTION = "crm"


@dataclass(frozen=True)
class Made:
    """A plan as bytes, with what was counted."""

    raw: bytes
    counts: str
    withheld: tuple[Withheld, ...]
    dropped: int

    @property
    def same(self) -> tuple[object, ...]:
        """What must not depend on the way it was made."""
        return self.raw, self.counts, self.withheld


class World:
    """Shipped rules, a mirror of made-up deals, a store."""

    def __init__(self, folder: Path, *, customers: int = 0, orders: int = 0) -> None:
        mirrors = folder / "mirrors"
        mirrors.mkdir(exist_ok=True)
        self.mirror = mirrors / f"{CONNECTION}.duckdb"
        if customers:
            fill(self.mirror, customers, orders)
        self.rules = rules()
        self.mapping = mapping(self.rules)
        self.store: Store = open_store(folder / "state.db")
        self.project: Any = SimpleNamespace(config=SimpleNamespace(state=folder, memory="1 GB"))

    @property
    def scope(self) -> tuple[str, str]:
        """The connection and the ruleset, as the store knows them."""
        return CONNECTION, self.rules.id

    def close(self) -> None:
        self.store.close()

    def plan(self, day: date, *, filtered: bool = True) -> tuple[Made, tuple[PlanLine, ...]]:
        """The plan of *day*."""
        with self.opened(day) as opened:
            inputs = self.inputs(day)
            items = opened.changing(inputs.policy.write_score_from, filtered=filtered)
            with build(inputs, items) as draft:
                raw = b"".join(draft.raw())
                head = draft.header
                made = Made(raw, dumps(head.counts, PlanCounts), head.withheld, opened.dropped)
                return made, tuple(draft.lines())

    @contextmanager
    def opened(self, day: date) -> Iterator[OpenPopulation]:
        with self.people(day).open() as opened:
            yield opened

    def people(self, day: date, rules: Ruleset | None = None) -> Population:
        """Everybody on *day*, by the shipped rules or others."""
        rules = rules or self.rules
        return Population(self.project, self.store, rules, self.mapping, CONNECTION, day, SCHEMAS)

    def inputs(self, day: date) -> PlanInputs:
        where = CONNECTION, self.rules.id
        return PlanInputs(
            ruleset=self.rules,
            mapping=self.mapping,
            origin=Origin(
                connection=CONNECTION,
                account_id="a",
                environment="production",
                pulled_at=NOW,
                schema=ACCOUNTS,
                task_schema=TASKS,
            ),
            stamp=PlanStamp(
                plan_id="p", created_at=NOW, expires_at=NOW + timedelta(days=1), tool_version="0"
            ),
            as_of=day,
            episodes=lambda keys: self.store.episodes.known(*where, keys),
            owner=lambda opening, owner: owner or "u0",
        )

    def apply(self, lines: tuple[PlanLine, ...], day: date) -> None:
        """Everything written and confirmed."""
        where = CONNECTION, self.rules.id
        seen = (line for line in lines if isinstance(line, Observation))
        self.store.states.observe(*where, seen, ruleset_digest=self.rules.digest)
        changes = [line for line in lines if isinstance(line, RecordChange)]
        stored = self.store.states.stored(*where, [line.ref for line in changes])
        with duckdb.connect(str(self.mirror)) as plain:
            for line in changes:
                row = stored[line.ref]
                written = {delta.role: delta.after for delta in line.fields}
                stored[line.ref] = replace(
                    row,
                    present=replace(row.present, standing=line.standing),
                    written={**row.written, **written},
                )
            fields = {delta.field for line in changes for delta in line.fields}
            for field in sorted(fields):
                wanted = [
                    (line.ref.id, None if delta.after is None else str(delta.after))
                    for line in changes
                    for delta in line.fields
                    if delta.field == field
                ]
                ids, values = zip(*wanted, strict=True)
                plain.execute(
                    f'UPDATE "Accounts" SET "{field}" = written.value FROM '
                    "(SELECT unnest(?::VARCHAR[]) AS key, unnest(?::VARCHAR[]) AS value) "
                    'AS written WHERE "Accounts".id = written.key',
                    [list(ids), list(values)],
                )
        self.store.states.put(*where, list(stored.values()), run_id=1)
        opened = [
            Episode(line.key, line.task_id, line.about, day)
            for line in lines
            if isinstance(line, TaskCreate)
        ]
        self.store.episodes.put(*where, opened, task_object="Tasks")

    def disturb(self, query: str) -> None:
        """Change the mirror by hand."""
        with duckdb.connect(str(self.mirror)) as plain:
            plain.execute(query)


DAYS = tuple(AS_OF + timedelta(days=days) for days in (1, 2, 30, 31, 62))
