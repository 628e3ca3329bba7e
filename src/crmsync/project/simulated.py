"""What a simulation counts: who moves, who stands near a line, what is to do, which guards trip."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple, TypeAlias

from crmsync.evaluate import SteadyRow
from crmsync.model.decision import Decision, TaskOpening
from crmsync.model.guard import GuardLimit
from crmsync.model.ruleset import Ruleset

EXAMPLES = 3
NEAREST = 10
NONE = "–"
ACCOUNT_OWNER = "account owner"
Placed: TypeAlias = Decision | SteadyRow
"""A customer under one version: decided, or standing where it stood."""


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


def side_by_side(
    old: Iterator[Placed], new: Iterator[Placed]
) -> Iterator[tuple[Placed | None, Placed | None]]:
    """Both streams, ordered by record id, joined on it."""
    left, right = next(old, None), next(new, None)
    while left is not None or right is not None:
        if right is None or (left is not None and _id(left) < _id(right)):
            yield left, None
            left = next(old, None)
        elif left is None or _id(right) < _id(left):
            yield None, right
            right = next(new, None)
        else:
            yield left, right
            left, right = next(old, None), next(new, None)


class Tally:
    """Counts while the decisions go by; memory does not grow with the population."""

    def __init__(self, rules: Ruleset) -> None:
        self.customers = 0
        self.matrix: Counter[tuple[str, str]] = Counter()
        self.stages: Counter[tuple[str, str]] = Counter()
        self.tasks: Counter[str] = Counter()
        self.examples: list[tuple[str, str, str, str, Decimal | None]] = []
        self._owners: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
        self._near: list[tuple[Decimal, str, NearLine]] = []
        self._rules = rules
        tier = rules.tier
        self._ranks = {} if tier is None else {it.id: n for n, it in enumerate(tier.ranked)}

    def add(self, old: Placed | None, new: Placed | None) -> None:
        """One customer under both; ``None`` where it is out of scope."""
        self.customers += 1
        tiers = _tier(old), _tier(new)
        self.matrix[tiers] += 1
        if new is not None and tiers[0] != tiers[1] and len(self.examples) < EXAMPLES:
            self.examples.append((_id(new), _name(old, new), *tiers, _score(new)))
        self.stages[_stage(old), _stage(new)] += 1
        for side, decision, sign in ((0, old, -1), (1, new, 1)):
            if not isinstance(decision, Decision):
                continue
            for task in decision.opens:
                self.tasks[task.task_id] += sign
                self._owners[side][_owner(task, decision)] += 1
        if new is not None:
            for item in self._lines(old, new):
                self._keep(item)

    @property
    def owners(self) -> dict[str, tuple[int, int]]:
        """Owner → tasks before and after, the busiest first."""
        before, after = self._owners
        names = sorted(before.keys() | after.keys(), key=lambda n: (-after[n], -before[n], n))
        return {name: (before[name], after[name]) for name in names}

    @property
    def near(self) -> tuple[NearLine, ...]:
        """Those nearest to a line, nearest first."""
        return tuple(sorted((it for _, _, it in self._near), key=lambda it: (it.points, it.id)))

    def _keep(self, item: NearLine) -> None:
        entry = (-item.points, item.id, item)
        if len(self._near) < NEAREST:
            heapq.heappush(self._near, entry)
        elif entry[0] > self._near[0][0]:
            heapq.heapreplace(self._near, entry)

    def _lines(self, old: Placed | None, new: Placed) -> Iterator[NearLine]:
        score = _score(new)
        rank = self._ranks.get(_tier(new))
        rules = self._rules.tier
        if score is None or rank is None or rules is None:
            return
        levels = rules.ranked
        who = (_id(new), _name(old, new), levels[rank].id)
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


def _id(placed: Placed) -> str:
    return placed.id if isinstance(placed, SteadyRow) else placed.ref.id


def _name(*placed: Placed | None) -> str:
    """The name of a customer decided under one version at least; empty for a steady one."""
    return next((item.name for item in placed if isinstance(item, Decision)), "")


def _score(placed: Placed) -> Decimal | None:
    if isinstance(placed, SteadyRow):
        return placed.score
    return placed.score.total if placed.score is not None else None


def _tier(placed: Placed | None) -> str:
    if isinstance(placed, SteadyRow):
        return placed.tier or NONE
    return (placed.tier.after if placed and placed.tier else None) or NONE


def _stage(placed: Placed | None) -> str:
    if isinstance(placed, SteadyRow):
        return placed.stage or NONE
    return placed.lifecycle.after if placed and placed.lifecycle else NONE


def _owner(task: TaskOpening, decision: Decision) -> str:
    """Who gets it: the record's owner by id, or the word that stands for somebody."""
    first = task.owner[0] if task.owner else NONE
    return (decision.owner or NONE) if first == ACCOUNT_OWNER else first
