"""Where the values of a fact are worth trying: at what the rules speak of, and at growing steps."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from crmsync.condition import names
from crmsync.condition.shape import parts_of
from crmsync.evaluate.engine import Engine
from crmsync.model.condition import All, AnyOf, Condition, Expression, Literal, Not, Within
from crmsync.model.fact import FactType, FactValue
from crmsync.model.period import RollingWindow
from crmsync.model.ruleset import FactDefinition
from crmsync.model.scorecard import Scale

_STEPS = 40
_OLDEST = 3650


@dataclass(frozen=True, slots=True)
class Line:
    """The values of one fact as whole numbers of its unit, from where it stands."""

    start: int
    low: int
    high: int
    marks: tuple[int, ...]
    value: Callable[[int], FactValue]
    weight: float
    """How far one unit is, so that changes of different facts can be compared."""

    def places(self, way: int) -> list[int]:
        """The places to try in one direction, nearest first."""
        steps = {self.start + way * 2**power for power in range(_STEPS)}
        near = {mark + shift for mark in self.marks for shift in (-1, 0, 1)}
        ahead = [
            place
            for place in steps | near
            if (place - self.start) * way > 0 and self.low <= place <= self.high
        ]
        return sorted(ahead, reverse=way < 0)


def line_of(
    fact: FactDefinition, current: FactValue, as_of: date, marks: frozenset[Decimal | date]
) -> Line | None:
    """The line of a date or numeric fact; ``None`` for choices, words and truth values."""
    if fact.type is FactType.DATE:
        days = {(as_of - mark).days for mark in marks if isinstance(mark, date)}
        days |= {int(mark) for mark in marks if isinstance(mark, Decimal) and abs(mark) < _OLDEST}
        start = (as_of - current).days if isinstance(current, date) else 0
        return Line(
            start=start,
            low=0,
            high=max(_OLDEST, start),
            marks=tuple(sorted(days | {0})),
            value=lambda place: as_of - timedelta(days=place),
            weight=1 / 30,
        )
    if not fact.type.numeric:
        return None
    unit = _unit(fact.type, current)
    exact = _number(current)
    numbers = [mark for mark in marks if isinstance(mark, Decimal)]
    places = {math.floor(mark / unit) for mark in numbers} | {
        math.ceil(mark / unit) for mark in numbers
    }
    furthest = max([abs(place) for place in places] + [abs(int(exact / unit)), 1]) * 4
    low = 0 if exact >= 0 else -furthest
    high = furthest
    if fact.between is not None:
        low, high = math.ceil(fact.between[0] / unit), math.floor(fact.between[1] / unit)
    scale = max(abs(exact), unit * 10)
    return Line(
        start=math.floor(exact / unit),
        low=low,
        high=high,
        marks=tuple(sorted(places)),
        value=lambda place: _typed(place * unit, fact.type),
        weight=float(unit / scale),
    )


def _number(value: FactValue) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return Decimal(0)
    return value if isinstance(value, Decimal) else Decimal(repr(value))


def _unit(type: FactType, current: FactValue) -> Decimal:
    if type is FactType.PERCENT:
        return Decimal("0.001")
    if type is FactType.NUMBER:
        return Decimal(1) if abs(_number(current)) >= 100 else Decimal("0.1")
    return Decimal(1)


def _typed(value: Decimal, type: FactType) -> FactValue:
    if type is FactType.INTEGER:
        return int(value)
    return value if type is FactType.MONEY else float(value)


def thresholds(engine: Engine) -> dict[str, frozenset[Decimal | date]]:
    """For each fact some condition or scale reads: the constants the rules compare it with.

    Constants compared with a formula count for every fact the formula reads.
    """
    found: dict[str, set[Decimal | date]] = {}
    rules = engine.ruleset
    read: list[tuple[frozenset[str], set[Decimal | date]]] = []
    for condition in engine.every:
        read += [(names(leaf), _constants(leaf)) for leaf in _leaves(condition)]
    for card in rules.scorecards:
        for criterion in card.criteria:
            for part in criterion.ways:
                anchors = {at for at, _ in part.anchors} if isinstance(part, Scale) else set()
                read += [(names(of), set(anchors)) for of in part.operands]
    if rules.tier is not None and rules.tier.of is not None:
        lines = {line for level in rules.tier.levels for line in (level.enter, level.keep)}
        read.append((frozenset({rules.tier.of}), {line for line in lines if line is not None}))
    for facts, constants in read:
        for fact in engine.inputs(facts):
            found.setdefault(fact, set()).update(constants)
    return {fact: frozenset(constants) for fact, constants in found.items()}


def _leaves(node: Condition) -> Iterable[Condition]:
    if isinstance(node, All | AnyOf):
        for item in node.items:
            yield from _leaves(item)
    elif isinstance(node, Not):
        yield from _leaves(node.item)
    else:
        yield node


def _constants(node: Condition | Expression) -> set[Decimal | date]:
    if isinstance(node, Literal):
        value = node.value
        if isinstance(value, date):
            return {value}
        number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
        return {_number(value)} if number else set()
    found: set[Decimal | date] = set()
    if isinstance(node, Within) and isinstance(node.window, RollingWindow):
        length = node.window.length
        found.add(Decimal(length.months * 30 + length.days))
    for part in parts_of(node):
        found |= _constants(part)
    return found
