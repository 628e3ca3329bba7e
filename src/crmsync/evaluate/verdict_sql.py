"""Three-valued verdicts in SQL as two BOOLEANs that are never NULL: *true* and *possible*.

A condition is true, may still be true, or is neither; what is possible and not true is unknown.
With ``Not`` at the leaves both sides are plain and/or over leaves, which DuckDB computes several
times faster than over NULLs. A leaf is told once per statement: over columns in which a stand-in
takes the place of an unknown value, and the leaf's verdict on the stand-in says which of its two
sides that already is. The other side, and leaves whose value may be unknown though every fact is
known (a division), are made of it and of which facts are known.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from functools import reduce
from typing import NamedTuple, TypeAlias

from sqlglot import exp

from crmsync.condition import compile_matcher, normal_form
from crmsync.condition import values as reading
from crmsync.condition.sql import SqlWriter, fact_value, literal
from crmsync.evaluate.compiled import Test
from crmsync.evaluate.decided import decided
from crmsync.model.condition import (
    All,
    AnyOf,
    Between,
    Compare,
    Comparison,
    Condition,
    Known,
    Literal,
    Missing,
    Name,
)
from crmsync.model.fact import FactType, FactValue
from crmsync.model.position import NOWHERE

WORD = 60
"""Conditions per mask column: 60 bits fit a BIGINT with room for its sign."""
_PIECE = 20
"""Bits that a FLOAT holds exactly, with four to spare: DuckDB multiplies and adds floats without a
look at overflow, and four bytes at a time."""

Layer: TypeAlias = list[exp.Expr]
"""Columns of one SELECT, which read those of the SELECT below."""


class SqlVerdict(NamedTuple):
    """Two nodes, never NULL: whether a condition is true, and whether it is true or unknown."""

    true: exp.Expr
    possible: exp.Expr

    @property
    def unknown(self) -> exp.Expr:
        """Whether it is left undecided."""
        certain = exp.Not(this=self.true.copy())
        return exp.paren(exp.and_(self.possible.copy(), certain, copy=False), copy=False)

    @property
    def false(self) -> exp.Expr:
        """Whether it is false."""
        return exp.Not(this=self.possible.copy())


Place: TypeAlias = Callable[[Test], SqlVerdict]
"""The columns of a condition's verdict."""


def column(name: str) -> exp.Column:
    """A column of ours."""
    return exp.column(name, quoted=True)


def named(value: exp.Expr, name: str) -> exp.Expr:
    """*value* as the column *name*."""
    return exp.Alias(this=value, alias=exp.to_identifier(name, quoted=True))


def of_nullable(value: exp.Expr) -> SqlVerdict:
    """The verdict that a nullable BOOLEAN tells: NULL is unknown."""
    false = exp.Is(this=value.copy(), expression=exp.false())
    return SqlVerdict(
        exp.paren(exp.Is(this=value, expression=exp.true()), copy=False),
        exp.paren(exp.Not(this=exp.paren(false, copy=False)), copy=False),
    )


class PreparedWriter(SqlWriter):
    """Reads prepared columns: `fact_value` has been applied once per fact already."""

    def name(self, name: Name) -> exp.Expr:
        """The column as it is."""
        return self._column(name)


class _Leaf(NamedTuple):
    """A part of conditions without and/or: its number, its node, and the facts the node reads.

    It is *plain* where the node reads stand-ins and is never NULL: known facts decide it.
    """

    number: int
    written: exp.Expr
    plain: bool
    read: tuple[int, ...]

    @property
    def is_column(self) -> bool:
        """Whether it is a yes/no fact as it stands, which needs no column of its own."""
        return isinstance(self.written, exp.Column)


class VerdictColumns:
    """The verdicts of *conditions*, numbered as they come, in three layers over columns of facts.

    *facts* gives the column and type of each fact, NULL where it is unknown. Layers, lowest first:
    `prepared`, `leaves`, `verdicts`; then `words` and `verdict` read what they made. Names of
    columns made: ``n0`` … (a fact as conditions read it), ``v`` and ``k`` (with its stand-in, and
    whether it is known), ``a`` (leaves), ``y`` and ``m`` (true, possible).
    """

    def __init__(
        self,
        conditions: Sequence[Condition],
        facts: Mapping[str, tuple[exp.Expr, FactType]],
        as_of: date,
        writer: type[PreparedWriter] = PreparedWriter,
    ) -> None:
        self._facts = facts
        self._kinds = [kind for _, kind in facts.values()]
        self._places = {fact: number for number, fact in enumerate(facts)}
        self._conditions = [_apart(normal_form(condition)) for condition in conditions]
        nullable, certain = writer(self.name, as_of), writer(self._stood_in, as_of)
        each = dict.fromkeys(leaf for item in self._conditions for leaf in _leaves(item))
        self._leaves: dict[Condition, _Leaf] = {}
        for number, leaf in enumerate(each):
            plain = decided(leaf) and not isinstance(leaf, Known | Missing)
            written = (certain if plain else nullable).condition(leaf)
            read = dict.fromkeys(int(found.name[1:]) for found in written.find_all(exp.Column))
            self._leaves[leaf] = _Leaf(number, written, plain, tuple(read))
        self._met = self._met_by_stand_ins(as_of)

    def name(self, name: Name) -> exp.Expr:
        """The column of a fact as conditions read it, NULL where it is unknown."""
        return column(f"n{self._places[name.id]}")

    def prepared(self) -> list[Layer]:
        """Each fact as conditions read it; then without NULLs, and whether it is known."""
        return [
            [
                named(fact_value(value, kind), f"n{number}")
                for number, (value, kind) in enumerate(self._facts.values())
            ],
            [made for number in self._deciding() for made in self._without_nulls(number)],
        ]

    def _deciding(self) -> list[int]:
        """The facts that decide a leaf by being known."""
        plain = (leaf for leaf in self._leaves.values() if leaf.plain)
        return list(dict.fromkeys(number for leaf in plain for number in leaf.read))

    def _without_nulls(self, number: int) -> Layer:
        stand_in = _stand_in(self._kinds[number])
        value = exp.Coalesce(this=column(f"n{number}"), expressions=[stand_in])
        return [named(value, f"v{number}"), named(_known(column(f"n{number}")), f"k{number}")]

    def leaves(self) -> Layer:
        """Each leaf once: never NULL where it is decided by known facts."""
        return [
            named(leaf.written, f"a{leaf.number}")
            for leaf in self._leaves.values()
            if not leaf.is_column
        ]

    def verdicts(self) -> Layer:
        """Both sides of every condition."""
        made: Layer = []
        for number, condition in enumerate(self._conditions):
            made += [
                named(self._side(condition, possible=False), f"y{number}"),
                named(self._side(condition, possible=True), f"m{number}"),
            ]
        return made

    @staticmethod
    def verdict(number: int) -> SqlVerdict:
        """The verdict of one condition, over the columns of `verdicts`."""
        return SqlVerdict(column(f"y{number}"), column(f"m{number}"))

    def masks(self) -> tuple[Layer, Layer]:
        """Two layers more, of which the second reads the first: the words ``t0`` … for true, and
        of it also ``u0`` … for unknown."""
        count = len(self._conditions)
        true, possible = packed([self.verdict(number) for number in range(count)])
        first = [named(word, f"t{number}") for number, word in enumerate(true)]
        first += [named(word, f"p{number}") for number, word in enumerate(possible)]
        second: Layer = [column(f"t{number}") for number in range(len(true))]
        for number in range(len(true)):
            unknown = exp.Sub(this=column(f"p{number}"), expression=column(f"t{number}"))
            second.append(named(unknown, f"u{number}"))
        return first, second

    def _side(self, condition: Condition, *, possible: bool) -> exp.Expr:
        match condition:
            case All(items=items):
                return _joined(exp.And, self._sides(items, possible=possible), exp.true())
            case AnyOf(items=items):
                return _joined(exp.Or, self._sides(items, possible=possible), exp.false())
            case _:
                return self._leaf(condition, possible=possible)

    def _sides(self, items: Iterable[Condition], *, possible: bool) -> Iterator[exp.Expr]:
        return (self._side(item, possible=possible) for item in items)

    def _leaf(self, leaf: Condition, *, possible: bool) -> exp.Expr:
        number, written, plain, read = made = self._leaves[leaf]
        told = written.copy() if made.is_column else column(f"a{number}")
        if isinstance(leaf, Known | Missing):
            return told
        if not plain:
            verdict = of_nullable(told)
            return verdict.possible if possible else verdict.true
        if self._met.get(leaf) is possible:
            return told
        known = [column(f"k{place}") for place in read]
        if possible:
            return _joined(exp.Or, [told, *map(_not, known)], exp.false())
        return _joined(exp.And, [told, *known], exp.true())

    def _stood_in(self, name: Name) -> exp.Expr:
        return column(f"v{self._places[name.id]}")

    def _met_by_stand_ins(self, as_of: date) -> dict[Condition, bool]:
        """Whether a leaf over one fact is true of the stand-in: then it is true or unknown of
        whoever meets it, else true."""
        alone = [leaf for leaf, made in self._leaves.items() if made.plain and len(made.read) == 1]
        values = [_STAND_INS[kind] for kind in self._kinds]
        mask = compile_matcher(alone, list(self._facts))(values, as_of)
        return {leaf: bool(mask >> bit & 1) for bit, leaf in enumerate(alone)}


def masks_over(verdicts: VerdictColumns, facts: exp.Select, kept: Sequence[str]) -> exp.Select:
    """One statement over *facts*: the columns *kept*, then the words of `VerdictColumns.masks`."""
    first, second = verdicts.masks()
    below = facts
    for layer in (*verdicts.prepared(), verdicts.leaves(), verdicts.verdicts(), first):
        below = exp.select("*", *layer, copy=False).from_(
            below.subquery("below", copy=False), copy=False
        )
    outer = exp.select(*map(column, kept), *second, copy=False)
    return outer.from_(below.subquery("masks", copy=False), copy=False)


def mask_of(words: Sequence[object]) -> int:
    """The bits of one kind, out of their words."""
    mask = 0
    for number, word in enumerate(words):
        mask |= int(word) << (number * WORD)  # type: ignore[call-overload]
    return mask


_STAND_INS: Mapping[FactType, FactValue] = {
    FactType.DATE: reading.LAST_DAY,
    FactType.DATETIME: datetime.combine(reading.LAST_DAY, time.max, UTC),
    FactType.INTEGER: reading.LARGEST_INTEGER,
    FactType.NUMBER: sys.float_info.max,
    FactType.MONEY: sys.float_info.max,
    FactType.PERCENT: sys.float_info.max,
    FactType.TEXT: "",
    FactType.CHOICE: "",
    FactType.YES_NO: False,
}


def _stand_in(kind: FactType) -> exp.Expr:
    return literal(Literal(_STAND_INS[kind], kind, NOWHERE))


def packed(verdicts: Sequence[SqlVerdict]) -> tuple[list[exp.Expr], list[exp.Expr]]:
    """Verdicts as words of `WORD` bits: what is true, then what is possible."""
    pieces = range(0, len(verdicts), WORD)
    true = [_word([verdict.true for verdict in verdicts[at : at + WORD]]) for at in pieces]
    possible = [_word([verdict.possible for verdict in verdicts[at : at + WORD]]) for at in pieces]
    return true, possible


def _word(bits: Sequence[exp.Expr]) -> exp.Expr:
    terms: list[exp.Expr] = []
    for at in range(0, len(bits), _PIECE):
        whole = exp.cast(_piece(bits[at : at + _PIECE]), "INT", copy=False)
        term: exp.Expr = exp.cast(whole, "BIGINT", copy=False)
        if at:
            term = exp.Mul(this=term, expression=exp.Literal.number(1 << at))
        terms.append(term)
    return reduce(lambda left, right: exp.Add(this=left, expression=right), terms)


def _piece(bits: Sequence[exp.Expr]) -> exp.Expr:
    terms: list[exp.Expr] = []
    for place, bit in enumerate(bits):
        term: exp.Expr = exp.cast(bit, "FLOAT", copy=False)
        if place:
            term = exp.Mul(this=term, expression=exp.Literal.number(1 << place))
        terms.append(term)
    return reduce(lambda left, right: exp.Add(this=left, expression=right), terms)


def _apart(condition: Condition) -> Condition:
    """*condition* with both halves of a range apart where they read different facts: one of them
    may be false though the other is unknown."""
    match condition:
        case All(items=items):
            return All(tuple(map(_apart, items)))
        case AnyOf(items=items):
            return AnyOf(tuple(map(_apart, items)))
        case Between(operand=operand, low=low, high=high):
            if isinstance(low, Literal) and isinstance(high, Literal):
                return condition
            above = Compare(Comparison.GE, operand, low)
            return All((above, Compare(Comparison.LE, operand, high)))
        case _:
            return condition


def _leaves(condition: Condition) -> Iterator[Condition]:
    if isinstance(condition, All | AnyOf):
        for item in condition.items:
            yield from _leaves(item)
    else:
        yield condition


def _joined(kind: type[exp.Connector], parts: Iterable[exp.Expr], empty: exp.Expr) -> exp.Expr:
    wrapped: list[exp.Expr] = [
        part if isinstance(part, exp.Column | exp.Paren) else exp.paren(part, copy=False)
        for part in parts
    ]
    return reduce(lambda left, right: kind(this=left, expression=right), wrapped or [empty])


def _known(value: exp.Expr) -> exp.Expr:
    return _not(exp.Is(this=value, expression=exp.null()))


def _not(value: exp.Expr) -> exp.Expr:
    plain = value if isinstance(value, exp.Column) else exp.paren(value, copy=False)
    return exp.Not(this=plain)
