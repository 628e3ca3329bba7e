"""What is wrong with a table as a whole: overlaps, gaps, rows never reached, rows written twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from crmsync.condition import Scope, to_text
from crmsync.model.condition import Compare, Comparison, Condition, Literal, Missing, Name
from crmsync.model.diagnostic import Diagnostic, Label, Severity
from crmsync.model.fact import FactValue
from crmsync.model.table import HitPolicy
from crmsync.model.text import Text
from crmsync.rules.language import Language
from crmsync.rules.table_atoms import OTHER, Absence, bits
from crmsync.rules.table_space import MOST_STEPS, Space, space_of
from crmsync.rules.tables import DecisionTable
from crmsync.source import error

_MOST_SHOWN = 10
_MOST_COVERED = 50
"""Rows named as never reached: whoever has more has one mistake in all of them."""
_ABSENCE = Absence()
_ONE_ROW = frozenset({HitPolicy.FIRST, HitPolicy.PRIORITY})


def lint_table(
    table: DecisionTable,
    language: Language,
    *,
    gaps: Severity | None,
    order: Sequence[int] = (),
    absence: Absence = _ABSENCE,
) -> list[Diagnostic]:
    """Every overlap, gap, unreachable and doubled row, each with the cell.

    *gaps*: how bad it is when no row fits some customer (``None``: as it should be). *order*: the
    rows in the order in which they decide, where that is not the order of the file. *absence*: what
    a missing value does in this block. Findings of overlap are errors: where two rows may fit,
    ``unique`` and ``any`` would not know what to say.
    """
    space = space_of(table, {fact.id: fact for fact in language.facts}, absence)
    lint = _Lint(table, space, language.scope, tuple(order) or tuple(range(len(table.rows))))
    found = [*lint.impossible(), *lint.doubles(), *lint.overlaps(), *lint.unreachable()]
    if gaps is not None:
        found += lint.gap(gaps)
    return found


def gap_of(table: DecisionTable, language: Language) -> dict[str, FactValue] | None:
    """Values of the inputs that no row fits (``…`` for any other text), if there are some."""
    space = space_of(table, {fact.id: fact for fact in language.facts}, _ABSENCE)
    return space.gap((1 << len(table.rows)) - 1)[0]


class _Lint:
    def __init__(
        self, table: DecisionTable, space: Space, scope: Scope, order: tuple[int, ...]
    ) -> None:
        self._table = table
        self._space = space
        self._scope = scope
        self._order = order
        self._said: set[int] = set()

    def impossible(self) -> Iterator[Diagnostic]:
        """Rows no value can fit."""
        for number, row in enumerate(self._table.rows):
            if not self._space.possible(number):
                self._said.add(number)
                yield error(
                    "TABLE012",
                    row.span,
                    Text(
                        zh=f"第 {row.number} 行（{row.text}）永远不会命中：没有这样的值",
                        en=f"row {row.number} ({row.text}) can never fit: no such value occurs",
                    ),
                    Text(
                        zh="检查这一行的值，或事实的 between 与 choices",
                        en="Check its values, or the fact's between and choices.",
                    ),
                )

    def doubles(self) -> Iterator[Diagnostic]:
        """Rows with the very inputs of an earlier one."""
        first: dict[tuple[Condition | None, ...], int] = {}
        for number, row in enumerate(self._table.rows):
            before = first.setdefault(row.tests, number)
            if before == number:
                continue
            self._said.add(number)
            other = self._table.rows[before]
            yield Diagnostic(
                "TABLE013",
                Severity.ERROR if self._table.hit.single else Severity.WARNING,
                row.span,
                Text(
                    zh=f"第 {row.number} 行与第 {other.number} 行的输入相同（{row.text}）",
                    en=f"row {row.number} has the inputs of row {other.number} ({row.text})",
                ),
                Text(zh="删掉其中一行", en="Remove one of them."),
                (Label(other.span, Text(zh="第一次出现在这里", en="first written here")),),
            )

    def overlaps(self) -> Iterator[Diagnostic]:
        """Two rows that fit the same customer, where the hit policy forbids it."""
        policy = self._table.hit
        if policy not in {HitPolicy.UNIQUE, HitPolicy.ANY}:
            return
        for first, second in islice(self._pairs(policy), _MOST_SHOWN):
            example = self._space.common(first, second)
            if example is not None:
                yield self._overlap(first, second, example)

    def _pairs(self, policy: HitPolicy) -> Iterator[tuple[int, int]]:
        """Rows that may both fit somebody, and say different things where that counts."""
        left = (1 << len(self._table.rows)) - 1
        for number in self._said:
            left &= ~(1 << number)
        for first in bits(left):
            left &= ~(1 << first)
            for second in bits(self._space.meeting(first) & left):
                if policy is HitPolicy.UNIQUE or not self._table.said(first, second):
                    yield first, second

    def _overlap(self, first: int, second: int, example: Mapping[str, FactValue]) -> Diagnostic:
        one, other = self._table.rows[first], self._table.rows[second]
        value = self.told(example)
        differ = self._table.hit is HitPolicy.ANY
        zh = "而结果不同" if differ else ""
        en = " and say different things" if differ else ""
        return error(
            "TABLE010",
            other.span,
            Text(
                zh=f"第 {one.number} 行和第 {other.number} 行可能同时命中{zh}，例如 {value.zh}",
                en=f"rows {one.number} and {other.number} may both fit{en}, such as {value.en}",
            ),
            Text(
                zh="改一行的条件，或写 hit: first（最上面的一行起作用）",
                en="Change one of them, or write hit: first (the topmost row counts).",
            ),
            labels=(Label(one.span, Text(zh="另一行", en="the other row")),),
        )

    def unreachable(self) -> Iterator[Diagnostic]:
        """Rows whose every value an earlier row takes."""
        if self._table.hit not in _ONE_ROW:
            return
        for number in islice(self._covered(), _MOST_COVERED):
            row = self._table.rows[number]
            yield error(
                "TABLE012",
                row.span,
                Text(
                    zh=f"第 {row.number} 行（{row.text}）永远不会命中：前面的行已包含它",
                    en=f"row {row.number} ({row.text}) is never reached: the rows before it "
                    "already fit",
                ),
                Text(
                    zh="把更窄的条件放在前面，或删掉这一行",
                    en="Put the narrower row first, or remove this one.",
                ),
            )

    def _covered(self) -> Iterator[int]:
        """Rows that one earlier row covers, or, as far as can be searched, several together."""
        left, before = MOST_STEPS, 0
        for place, number in enumerate(self._order):
            if number not in self._said and place:
                if self._space.covering(number) & before:
                    yield number
                else:
                    steps = max(1, left // (len(self._order) - place))
                    found, exact, taken = self._space.gap(before, number, steps=steps)
                    left -= taken
                    if found is None and exact:
                        yield number
            before |= 1 << number

    def gap(self, severity: Severity) -> Iterator[Diagnostic]:
        """Values for which the table says nothing."""
        example = self._space.gap((1 << len(self._table.rows)) - 1)[0]
        if example is None:
            return
        value = self.told(example)
        yield Diagnostic(
            "TABLE011",
            severity,
            self._table.headings[0] if self._table.headings else self._table.span,
            Text(zh=f"没有一行适用于 {value.zh}", en=f"no row fits {value.en}"),
            Text(
                zh="补上一行；最后一行全写“-”可接住其余的情况",
                en="Add a row; a last row of “-” takes all that is left.",
            ),
        )

    def told(self, example: Mapping[str, FactValue]) -> Text:
        """Values of the inputs, as conditions people can read."""
        parts = [self._equals(name, value) for name, value in example.items()]
        return Text(
            zh="，".join(part.zh for part in parts), en=", ".join(part.en for part in parts)
        )

    def _equals(self, id: str, value: FactValue) -> Text:
        name = next(item for item in self._table.inputs if item.id == id)
        operand = Name(id, name.type)
        if value == OTHER:
            label = name.label or Text.same(id)
            return Text(zh=f"{label.zh} 是其他文字", en=f"{label.en} is any other text")
        condition: Condition = (
            Missing(operand)
            if value is None
            else Compare(Comparison.EQ, operand, Literal(value, name.type))
        )
        return Text(
            zh=to_text(condition, self._scope, spelling="zh"),
            en=to_text(condition, self._scope, spelling="en"),
        )
