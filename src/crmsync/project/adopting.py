"""``adopt``: the tier a company already keeps becomes the state before the first run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from crmsync.config.project_file import ConnectionConfig
from crmsync.connector import Everything, ReadQuery
from crmsync.errors import UsageError
from crmsync.evaluate import decide, match
from crmsync.model.record import RecordRef, Value
from crmsync.model.ruleset import Ruleset
from crmsync.model.state import CustomerState, Snapshot, Standing, StoredState
from crmsync.model.text import Text
from crmsync.model.tier import TierRules
from crmsync.project.evaluating import OpenPopulation, Population
from crmsync.project.ground import stand
from crmsync.project.opening import Project
from crmsync.project.pulling import pull_rules
from crmsync.source import nearest

PIECE = 500
Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class AdoptReport:
    """How many customers stand as the CRM says, and how far the rules agree.

    ``matrix`` counts (tier kept, tier by the rules); ``unread`` stored values that mean no tier.
    """

    adopted: int
    agree: int
    matrix: Mapping[tuple[str, str], int]
    unread: Mapping[str, int]

    def as_document(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "adopted": self.adopted,
            "agree": self.agree,
            "matrix": [
                {"now": now, "rules": rules, "customers": count}
                for (now, rules), count in self.matrix.items()
            ],
            "unread": dict(self.unread),
        }


def adopt(
    project: Project,
    folder: Path,
    connection: ConnectionConfig,
    *,
    field: str,
    values: Mapping[str, str],
    progress: Progress,
) -> AdoptReport:
    """Place every customer in scope by *field*; *values* maps stored values to tier ids.

    A value not in *values* is matched to a level's id or label. Customers already placed by
    crmsync keep their standing. Nothing is written to the CRM.
    """
    with project.reader(connection) as crm:
        ground = stand(crm, folder, connection)
        tiers = _tiers(ground.rules)
        schema = ground.schemas[ground.mapping.object]
        if schema.field(field) is None:
            near = nearest(field, [item.name for item in schema.fields])
            raise UsageError(
                Text(
                    zh=f"{schema.object} 没有字段 {field}",
                    en=f"{schema.object} has no field {field}",
                ),
                mend=Text(zh=f"是不是 {near}？", en=f"Did you mean {near}?") if near else None,
            )
        pull_rules(project, connection, crm, (ground,), progress=progress)
        stored: dict[str, Value] = {}
        for page in crm.read(ReadQuery(schema.object, (field,), Everything())):
            stored.update({item.ref.id: item.fields.get(field) for item in page.records})
            progress(len(stored), None)
    reading = _Reading(tiers, values)
    with project.store() as store:
        as_of = project.as_of(ground.rules)
        people = Population(project, store, ground.rules, ground.mapping, connection.name, as_of)
        with people.open() as opened:
            placed = _place(opened, people, stored, reading)
        store.states.put(connection.name, ground.rules.id, placed.rows, run_id=0)
    return AdoptReport(
        adopted=len(placed.rows),
        agree=sum(count for (now, by), count in placed.matrix.items() if now == by),
        matrix=dict(sorted(placed.matrix.items())),
        unread=dict(reading.unread),
    )


def _tiers(rules: Ruleset) -> TierRules:
    if rules.tier is None:
        raise UsageError(
            Text(zh="这套规则没有等级", en="this ruleset has no tiers"),
            mend=Text(zh="adopt 只用于有 tier 的规则集", en="adopt is for rulesets with a tier"),
        )
    return rules.tier


class _Reading:
    """Stored values to tier ids, with a count of those that mean none."""

    def __init__(self, tiers: TierRules, given: Mapping[str, str]) -> None:
        self.unread: Counter[str] = Counter()
        self._tiers = {level.id: level.id for level in tiers.levels}
        for level in tiers.levels:
            for label in level.label.all():
                self._tiers.setdefault(label, level.id)
        for stored, tier in given.items():
            if tier not in self._tiers:
                raise UsageError(
                    Text(zh=f"没有等级“{tier}”", en=f"there is no tier “{tier}”"),
                    mend=Text.same(", ".join(level.id for level in tiers.levels)),
                )
            self._tiers[stored] = self._tiers[tier]

    def tier(self, value: Value) -> str | None:
        """The tier a stored value means."""
        if value is None:
            return None
        found = self._tiers.get(str(value))
        if found is None:
            self.unread[str(value)] += 1
        return found


@dataclass(slots=True)
class _Placed:
    rows: list[StoredState]
    matrix: Counter[tuple[str, str]]


def _place(
    opened: OpenPopulation, people: Population, stored: Mapping[str, Value], reading: _Reading
) -> _Placed:
    placed = _Placed([], Counter())
    for item in opened.evaluated():
        ref: RecordRef = item.row.ref
        tier = reading.tier(stored.get(ref.id))
        if tier is None or item.state.standing.tier is not None:
            continue
        context = replace(opened.context([ref]), placing=True)
        (matched,) = match((item.row,), opened.engine, people.as_of)
        by_rules = decide(opened.engine, matched, CustomerState(ref), context)
        computed = by_rules.tier.after if by_rules.tier is not None else None
        placed.matrix[(tier, computed or "–")] += 1
        standing = Standing(
            tier=tier,
            tier_since=people.as_of,
            tier_first=people.as_of,
            lifecycle=by_rules.standing.lifecycle,
            lifecycle_since=by_rules.standing.lifecycle_since,
        )
        present = Snapshot(standing=standing)
        placed.rows.append(StoredState(ref=ref, present=present, opening=present))
    return placed
