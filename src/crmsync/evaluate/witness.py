"""Customers that swing: facts within one wobble whose points differ as much as can be found.

Criteria that share facts stand in one group. Each group is tried at the values its rules speak of,
with every wobbling fact at the ends and in the middle of its window; the real score sheet counts
the points. What is found is true of these very facts; what is not found may still exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice, product

from crmsync.condition import names
from crmsync.condition.tracing import verdict
from crmsync.evaluate.compiled import Answers
from crmsync.evaluate.curves import centres
from crmsync.evaluate.engine import Engine
from crmsync.evaluate.matching import match_compiled
from crmsync.evaluate.places import thresholds
from crmsync.evaluate.rows import row_from_facts
from crmsync.evaluate.scoring import ZERO
from crmsync.evaluate.swings import TEN, Wobbling
from crmsync.model.condition import Condition
from crmsync.model.decision import Verdict
from crmsync.model.fact import FactType, FactValue
from crmsync.model.flapping import Claim
from crmsync.model.record import RecordRef
from crmsync.model.ruleset import FactDefinition
from crmsync.model.scorecard import Criterion, Scorecard

Facts = Mapping[str, FactValue]
NOBODY = RecordRef("", "customer")
_CANDIDATES = 240
"""Centres tried per group."""
TRIED = 12
"""Pairs of customers played for each pair of conditions."""
_USUAL = tuple(Decimal(n) for n in (0, 1, 10, 100, 1000, 100_000))


@dataclass(frozen=True, slots=True)
class Pair:
    """Two sets of facts within one wobble, and their points in tenths."""

    low: int
    high: int
    low_facts: Facts
    high_facts: Facts

    def plus(self, other: Pair) -> Pair:
        """Both groups together."""
        return Pair(
            self.low + other.low,
            self.high + other.high,
            {**self.low_facts, **other.low_facts},
            {**self.high_facts, **other.high_facts},
        )


class Search:
    """What a look for customers that flap begins with: the rules, what is claimed, and the day."""

    def __init__(self, engine: Engine, claim: Claim, as_of: date) -> None:
        self.engine = engine
        self.stay = claim.stay
        self.as_of = as_of
        self.wobbling = Wobbling(engine.ruleset, claim)
        self.tries = Tries(engine, self.wobbling, as_of)


class Tries:
    """Values worth trying for the facts of a ruleset, and what is seen around them."""

    def __init__(self, engine: Engine, wobbling: Wobbling, as_of: date) -> None:
        self._engine = engine
        self._wobbling = wobbling
        self._as_of = as_of
        self._marks = thresholds(engine)

    def around(self, facts: Sequence[FactDefinition]) -> Iterator[tuple[Facts, ...]]:
        """For each centre tried: the sets of values seen around it."""
        lists = [self._centres(fact) for fact in facts]
        for combination in _spread(lists, _CANDIDATES):
            seen = [self._seen(fact, value) for fact, value in zip(facts, combination, strict=True)]
            ids = [fact.id for fact in facts]
            if sum(len(values) > 1 for values in seen) > 3:
                ends = zip(*((v[0], v[len(v) // 2], v[-1]) for v in seen), strict=True)
                yield tuple(dict(zip(ids, values, strict=True)) for values in ends)
            else:
                yield tuple(dict(zip(ids, values, strict=True)) for values in product(*seen))

    def _centres(self, fact: FactDefinition) -> list[FactValue]:
        if fact.type is FactType.CHOICE:
            return list(fact.choices)
        if fact.type is FactType.YES_NO:
            return [True, False]
        marks = self._marks.get(fact.id, frozenset())
        if fact.type is FactType.DATE:
            days = {int(m) + s for m in marks if isinstance(m, Decimal) for s in (-1, 0, 1)}
            days = {day for day in days if 0 <= day < 4000} | {0, 400}
            return [self._as_of - timedelta(days=day) for day in sorted(days)]
        if not fact.type.numeric:
            return [None]
        edges = sorted({mark for mark in marks if isinstance(mark, Decimal)})
        values = [*centres(edges or [ZERO], self._wobbling.of_fact(fact))]
        if fact.between is not None:
            low, high = fact.between
            values = [v for v in values if low <= v <= high] + [low, high]
        else:
            values += [v for v in _USUAL if v not in values]
        return list(values)

    def _seen(self, fact: FactDefinition, centre: FactValue) -> list[FactValue]:
        """The ends and the middle of the window around *centre*, and what lies just inside."""
        if not fact.type.numeric or not isinstance(centre, Decimal):
            return [centre]
        low, high = self._wobbling.of_fact(fact).window(centre)
        if fact.between is not None:
            low, high = max(low, fact.between[0]), min(high, fact.between[1])
        marks = [m for m in self._marks.get(fact.id, ()) if isinstance(m, Decimal)]
        inside = sorted({low, high, centre, *(m for m in marks if low < m < high)})
        typed = [_typed(value, fact.type, low, high) for value in inside]
        return list(dict.fromkeys(value for value in typed if value is not None)) or [None]


def facing(
    engine: Engine, tries: Tries, sides: tuple[Condition, Condition], as_of: date
) -> Iterator[tuple[Facts, Facts]]:
    """Facts within one wobble of each other that do not rule out the one side and the other."""
    return ((first, second) for first, second in together(engine, tries, sides, as_of))


def together(
    engine: Engine, tries: Tries, sides: Sequence[Condition], as_of: date
) -> Iterator[tuple[Facts, ...]]:
    """For each side facts that do not rule it out, all within one wobble, not all the same."""
    read = engine.inputs(frozenset().union(*(names(side) for side in sides)))
    facts = [fact for fact in engine.ruleset.facts if fact.id in read and fact.formula is None]

    def may(condition: Condition, values: Facts) -> bool:
        row = row_from_facts(engine, NOBODY, values, as_of)
        return verdict(condition, row.facts, as_of) is not Verdict.FALSE  # state is still to come

    for seen in tries.around(facts):
        able = [[values for values in seen if may(side, values)] for side in sides]
        differing = (found for found in product(*able) if any(one != found[0] for one in found))
        yield from islice(differing, 1)


class Witnesses:
    """Pairs of customers for one scorecard."""

    def __init__(self, engine: Engine, wobbling: Wobbling, as_of: date) -> None:
        self._engine = engine
        self._as_of = as_of
        self._tries = Tries(engine, wobbling, as_of)
        self._facts = {fact.id: fact for fact in engine.ruleset.facts}

    def pairs(self, card: Scorecard) -> dict[int, Pair]:
        """For high ends of the total, in tenths: the pair with the least low end found."""
        total = {0: Pair(0, 0, {}, {})}
        for group in self._groups(card):
            found = _best(self._of_group(card, group))
            joined = (one.plus(other) for one in total.values() for other in found)
            total = {}
            for pair in joined:
                if pair.high not in total or pair.low < total[pair.high].low:
                    total[pair.high] = pair
        return total

    def _groups(self, card: Scorecard) -> list[tuple[frozenset[str], list[str]]]:
        """Criteria by the facts they share: the facts of each group and the criteria's ids."""
        groups: list[tuple[frozenset[str], list[str]]] = []
        for criterion in card.criteria:
            read = self._base(criterion)
            ids = [criterion.id]
            apart = []
            for facts, members in groups:
                if facts & read:
                    read, ids = read | facts, members + ids
                else:
                    apart.append((facts, members))
            groups = [*apart, (read, ids)]
        return groups

    def _base(self, criterion: Criterion) -> frozenset[str]:
        read = self._engine.inputs(
            {name for way in criterion.ways for of in way.operands for name in names(of)}
        )
        return frozenset(name for name in read if self._facts[name].formula is None)

    def _of_group(self, card: Scorecard, group: tuple[frozenset[str], list[str]]) -> Iterator[Pair]:
        facts = [fact for fact in self._engine.ruleset.facts if fact.id in group[0]]
        for seen in self._tries.around(facts):
            scored = [(self._points(card, group[1], values), values) for values in seen]
            known = [(points, values) for points, values in scored if points is not None]
            if known:
                low, high = (pick(known, key=lambda item: item[0]) for pick in (min, max))
                yield Pair(low[0], high[0], low[1], high[1])

    def _points(self, card: Scorecard, ids: Sequence[str], facts: Facts) -> int | None:
        row = row_from_facts(self._engine, NOBODY, facts, self._as_of)
        (matched,) = match_compiled([row], self._engine, self._as_of)
        scored = self._engine.policy.sheet.by(card.id, Answers(self._engine, matched, self._as_of))
        if scored.result is None:
            return None
        lines = [line for line in scored.result.criteria if line.id in ids]
        if any(line.low != line.high for line in lines):
            return None
        return int(sum((line.low for line in lines), ZERO) * TEN)


def _best(pairs: Iterable[Pair]) -> list[Pair]:
    best: list[Pair] = []
    for pair in sorted(pairs, key=lambda item: (-item.high, item.low)):
        if not best or pair.low < best[-1].low:
            best.append(pair)
    return best


def _spread(lists: Sequence[Sequence[FactValue]], most: int) -> Iterator[tuple[FactValue, ...]]:
    """At most about *most* combinations, evenly spread over all of them."""
    count = 1
    for values in lists:
        count *= len(values)
    step = max(1, count // most)
    step += step > 1 and step % 2 == 0  # an even stride would meet the same values again and again
    for place in range(0, count, step):
        combination = []
        for values in lists:
            place, at = divmod(place, len(values))
            combination.append(values[at])
        yield tuple(combination)


def _typed(value: Decimal, type: FactType, low: Decimal, high: Decimal) -> FactValue:
    if type is FactType.INTEGER:
        near = value.to_integral_value(rounding="ROUND_CEILING" if value == low else "ROUND_FLOOR")
        return int(near) if low <= near <= high else None
    if type is FactType.MONEY:
        near = value.quantize(
            Decimal("0.01"), rounding="ROUND_CEILING" if value == low else "ROUND_FLOOR"
        )
        return near if low <= near <= high else value
    return float(value)
