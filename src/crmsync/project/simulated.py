"""What a simulation counts: who moves, who stands near a line, what is to do, which guards trip."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

import duckdb

from crmsync.evaluate import opened_tasks
from crmsync.model.guard import GuardLimit
from crmsync.model.ruleset import Ruleset

EXAMPLES = 3
NEAREST = 10
NONE = "–"
ACCOUNT_OWNER = "account owner"
OLD, NEW = "placed_old", "placed_new"
"""The temporary tables in which both versions place everybody."""
PEOPLE_OF = {OLD: "people_old", NEW: "people_new"}
"""Beside them how many people tasks for each person are for (`People.count`)."""


class NearLine(NamedTuple):
    """A customer close to a line: how many points are missing to rise, or left before it falls."""

    points: Decimal
    way: str
    id: str
    name: str
    tier: str
    target: str
    score: Decimal


@dataclass(frozen=True, slots=True)
class GuardFigure:
    """A limit of the edited rules with what the edit comes to."""

    limit: GuardLimit
    figure: Decimal

    @property
    def over(self) -> bool:
        """Whether a plan like this would be held."""
        return self.figure > self.limit.limit


@dataclass(frozen=True, slots=True)
class SimulateReport:
    """Who moves under the edited rules. ``matrix`` counts (tier under the other, tier now);
    ``stage_matrix`` the same of stages. A customer in the scope of one version only counts there
    and as none in the other. ``owners``: task id and owner → tasks before and after."""

    before: Ruleset
    after: Ruleset
    against: str
    customers: int
    matrix: Mapping[tuple[str, str], int]
    stage_matrix: Mapping[tuple[str, str], int]
    tasks: Mapping[str, int]
    """Task id → how many more (or fewer) would be opened."""
    owners: Mapping[str, tuple[int, int]]
    near: tuple[NearLine, ...]
    guards: tuple[GuardFigure, ...]
    examples: tuple[tuple[str, str, str, str, Decimal | None], ...]
    """id, name, tier under the other, tier now, score now."""
    changed_lines: tuple[tuple[int, str, str], ...]

    @property
    def moved(self) -> int:
        """Customers whose tier differs."""
        return sum(count for (old, new), count in self.matrix.items() if old != new)

    @property
    def stages(self) -> dict[tuple[str, str], int]:
        """The moves between stages alone."""
        return {pair: n for pair, n in self.stage_matrix.items() if pair[0] != pair[1]}

    def as_document(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "ruleset": self.after.id,
            "against": self.against,
            "customers": self.customers,
            "moved": self.moved,
            "tiers": _pairs(self.matrix),
            "tier_counts": _counts(self.matrix),
            "stages": _pairs(self.stages),
            "stage_counts": _counts(self.stage_matrix),
            "tasks": dict(self.tasks),
            "owners": [
                {"owner": owner, "before": old, "after": new}
                for owner, (old, new) in self.owners.items()
            ],
            "near": [item._asdict() for item in self.near],
            "guards": [
                {
                    "name": item.limit.name,
                    "limit": item.limit.limit,
                    "share": item.limit.share,
                    "figure": item.figure,
                    "over": item.over,
                }
                for item in self.guards
            ],
        }


def _pairs(matrix: Mapping[tuple[str, str], int]) -> list[dict[str, Any]]:
    return [
        {"before": old, "after": new, "customers": count} for (old, new), count in matrix.items()
    ]


def _counts(matrix: Mapping[tuple[str, str], int]) -> list[dict[str, Any]]:
    return [
        {"id": id, "before": before, "after": after}
        for id, (before, after) in sides(matrix).items()
    ]


def sides(matrix: Mapping[tuple[str, str], int]) -> dict[str, tuple[int, int]]:
    """How many stand at each place before and after."""
    found: dict[str, tuple[int, int]] = {}
    for (old, new), count in matrix.items():
        found[old] = (found.get(old, (0, 0))[0] + count, found.get(old, (0, 0))[1])
        found[new] = (found.get(new, (0, 0))[0], found.get(new, (0, 0))[1] + count)
    return found


_BOTH = f"""(
    SELECT id, n.id IS NOT NULL AS inside, n.name, n.score,
        coalesce(o.tier, '{NONE}') AS tier_before, coalesce(n.tier, '{NONE}') AS tier_after,
        coalesce(o.stage, '{NONE}') AS stage_before, coalesce(n.stage, '{NONE}') AS stage_after
    FROM {OLD} AS o FULL JOIN {NEW} AS n USING (id)
)"""
"""Everybody under both versions; at no tier and stage where a version leaves somebody out."""


class Tally:
    """What two placings of everybody (`Placing.place`) come to, counted inside DuckDB: memory does
    not grow with the population. ``rules`` are the edited ones; ``each`` names, for both tables,
    the tasks for each person."""

    def __init__(
        self,
        rules: Ruleset,
        mirror: duckdb.DuckDBPyConnection,
        each: Mapping[str, Sequence[str]],
    ) -> None:
        self._rules, self._each = rules, each
        self._mirror = mirror
        tier = rules.tier
        self._ranks = {} if tier is None else {it.id: n for n, it in enumerate(tier.ranked)}
        self.matrix = self._pairs("tier")
        self.stages = self._pairs("stage")
        self.customers = sum(self.matrix.values())
        before, after = self._opened(OLD), self._opened(NEW)
        self._owners = before[1], after[1]
        self.tasks = {
            task: after[0][task] - before[0][task]
            for task in sorted(before[0].keys() | after[0].keys())
        }

    def _pairs(self, what: str) -> dict[tuple[str, str], int]:
        query = (
            f"SELECT {what}_before, {what}_after, count(*) FROM {_BOTH} GROUP BY 1, 2 "
            "ORDER BY min(id)"
        )
        return {(old, new): count for old, new, count in self._all(query)}

    def _opened(self, side: str) -> tuple[Counter[str], Counter[str]]:
        """Tasks by rule, and by owner: the record's owner by id, or the word for somebody. A task
        for each person counts once for each of them."""
        rules, owners = Counter[str](), Counter[str]()
        people, each = PEOPLE_OF[side], self._each[side]
        sums = "".join(f", coalesce(sum(p{n}.people), 0)" for n in range(len(each)))
        joins = "".join(
            f" LEFT JOIN {people} AS p{n} ON p{n}.customer = s.id AND p{n}.task = ?"
            for n in range(len(each))
        )
        query = (
            f"SELECT opens, owner, count(*){sums} FROM {side} AS s{joins} "
            "WHERE opens IS NOT NULL GROUP BY opens, owner"
        )
        for opens, record_owner, customers, *counts in self._all(query, *each):
            for task, first in opened_tasks(opens):
                count = int(counts[each.index(task)]) if task in each else customers
                rules[task] += count
                owners[(record_owner if first == ACCOUNT_OWNER else first) or NONE] += count
        return rules, owners

    def _all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self._mirror.execute(query, values).fetchall()

    @property
    def examples(self) -> tuple[tuple[str, str, str, str, Decimal | None], ...]:
        """The first of those whose tier differs: id, name, both tiers, score now."""
        query = (
            f"SELECT id, coalesce(name, ''), tier_before, tier_after, score FROM {_BOTH} "
            f"WHERE inside AND tier_before <> tier_after ORDER BY id LIMIT {EXAMPLES}"
        )
        return tuple((*row[:4], _points(row[4])) for row in self._all(query))

    @property
    def owners(self) -> dict[str, tuple[int, int]]:
        """Owner → tasks before and after, the busiest first."""
        before, after = self._owners
        names = sorted(before.keys() | after.keys(), key=lambda n: (-after[n], -before[n], n))
        return {name: (before[name], after[name]) for name in names}

    @property
    def near(self) -> tuple[NearLine, ...]:
        """Those nearest to a line, nearest first; of those as near, the first by id."""
        groups = f"SELECT tier, score, count(*) FROM {NEW} WHERE score IS NOT NULL GROUP BY 1, 2"
        places = [
            (line, tier, tenths, count)
            for tier, tenths, count in self._all(groups)
            for line in self._lines(tier, tenths)
        ]
        found: list[NearLine] = []
        places.sort(key=lambda it: it[0].points)
        for _, same in itertools.groupby(places, key=lambda it: it[0].points):
            as_near = [
                line._replace(id=id, name=name)
                for line, tier, tenths, _ in same
                for id, name in self._of_place(tier, tenths)
            ]
            found += sorted(as_near, key=lambda it: (it.id, it.way))
            if len(found) >= NEAREST:
                break
        return tuple(found[:NEAREST])

    def _of_place(self, tier: str, tenths: int) -> list[tuple[str, str]]:
        query = (
            f"SELECT id, coalesce(name, '') FROM {NEW} WHERE tier = ? AND score = ? "
            f"ORDER BY id LIMIT {NEAREST}"
        )
        return [(id, name) for id, name in self._all(query, tier, tenths)]

    def _lines(self, tier: str | None, tenths: int) -> Iterator[NearLine]:
        """The lines beside a score at a tier, for nobody yet."""
        rank, rules = self._ranks.get(tier or NONE), self._rules.tier
        if rank is None or rules is None:
            return
        levels, score = rules.ranked, Decimal(tenths).scaleb(-1)
        who = ("", "", levels[rank].id)
        if rank and (line := levels[rank - 1].enter) is not None and score < line:
            yield NearLine(line - score, "up", *who, levels[rank - 1].id, score)
        keep = levels[rank].keep
        if keep is not None and score >= keep and rank + 1 < len(levels):
            yield NearLine(score - keep, "down", *who, levels[rank + 1].id, score)

    def guards(self) -> tuple[GuardFigure, ...]:
        """The limits of the edited rules that an edit can be measured by."""
        ranks = self._ranks
        moved = sum(n for (old, new), n in self.matrix.items() if old != new)
        falls = {
            pair: n
            for pair, n in self.matrix.items()
            if pair[0] in ranks and pair[1] in ranks and ranks[pair[1]] > ranks[pair[0]]
        }
        after = self._owners[1]
        figures = {
            "tier_changes": moved,
            "rule_edit": moved,
            "demotions": sum(falls.values()),
            "demotions_by_pair": max(falls.values(), default=0),
            "new_tasks": sum(after.values()),
            "tasks_per_owner": max(after.values(), default=0),
        }
        return tuple(self._figure(limit, figures) for limit in self._known(figures))

    def _known(self, figures: Iterable[str]) -> Iterator[GuardLimit]:
        known = set(figures)
        return (it for it in self._rules.guards if it.name in known and not it.place)

    def _figure(self, limit: GuardLimit, figures: Mapping[str, int]) -> GuardFigure:
        count = Decimal(figures[limit.name])
        if limit.share:
            count = count / self.customers if self.customers else Decimal(0)
        return GuardFigure(limit, count)


def _points(tenths: int | None) -> Decimal | None:
    return None if tenths is None else Decimal(tenths).scaleb(-1)
