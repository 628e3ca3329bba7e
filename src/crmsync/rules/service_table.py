"""Service from a table: one row for a tier, or for a tier in a stage.

Tiers and stages are few, so the table is asked for every one of them when it is read: what the hit
policy makes of it is settled then, and nothing is left to decide for a customer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from crmsync.condition import verdict
from crmsync.model.decision import Verdict
from crmsync.model.table import SINGLE, HitPolicy
from crmsync.model.text import Text
from crmsync.rules.hits import HitConflict, counting
from crmsync.rules.language import Language
from crmsync.rules.shape import Block
from crmsync.rules.table_atoms import Absence
from crmsync.rules.table_columns import Output
from crmsync.rules.table_lints import lint_table
from crmsync.rules.tables import DecisionTable, Row, Wanted, read_table
from crmsync.source import Mapping as MappingNode
from crmsync.source import Scalar, Style, warning

_ALSO: Mapping[str, tuple[str, ...]] = {
    "manager": ("专属经理", "服务经理"),
    "queue": ("排队优先级", "排队次序"),
    "answer_within": ("接通秒数", "接通时限"),
    "answer_target": ("接通率目标",),
    "callback_within": ("回拨时间", "回访时限"),
    "visit_every": ("拜访周期", "走访周期"),
}
"""What people head these columns with, besides their own labels."""

_INPUTS = ("tier", "lifecycle")
_ABSENCE = Absence(never=frozenset({"tier"}))
"""Every tier is asked for, and each once without a stage."""
_ANY_DAY = date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class ServiceRows:
    """The rows as the blocks they stand for, and for which tier and stage each counts."""

    rows: Mapping[int, MappingNode] = field(default_factory=dict)
    places: tuple[tuple[str, str | None, int], ...] = ()


def service_rows(
    block: Block, language: Language, columns: Mapping[str, tuple[Text, Mapping[str, Text] | None]]
) -> ServiceRows:
    """Read the ``table:`` of the service block. *columns*: label and words of each entitlement."""
    outputs = tuple(_output(name, label, words) for name, (label, words) in columns.items())
    wanted = Wanted(
        of=Text(zh="服务标准", en="service"),
        outputs=outputs,
        policies=tuple(item for item in HitPolicy if item in SINGLE),
        why_not=Text(zh="一个等级只有一份服务", en="a tier has one service level"),
    )
    table = read_table(block, language, wanted)
    if table is None or not _inputs_fit(table, language):
        return ServiceRows()
    ranks = _ranks(table, columns)
    found = lint_table(table, language, gaps=None, order=table.deciding(ranks), absence=_ABSENCE)
    language.findings.extend(found)
    rows = {number: _entry(row) for number, row in enumerate(table.rows)}
    return ServiceRows(rows, tuple(_places(table, language, ranks)))


def _output(key: str, label: Text, words: Mapping[str, Text] | None) -> Output:
    def written(text: str) -> str:
        if key == "answer_within" and text.strip().isascii() and text.strip().isdigit():
            return f"{text.strip()} s"
        known = {word for word in (words or {}) if text.strip() in (words or {})[word].all()}
        return min(known) if known and text.strip() not in (words or {}) else text

    return Output(key, label, also=_ALSO.get(key, ()), written=written)


def _inputs_fit(table: DecisionTable, language: Language) -> bool:
    fit = True
    for name, heading in zip(table.inputs, table.headings, strict=True):
        if name.id not in _INPUTS:
            fit = False
            language.findings.add(
                "TABLE014",
                heading,
                Text(
                    zh=f"服务标准不能按“{name.id}”变化",
                    en=f"service cannot go by “{name.id}”",
                ),
                Text(zh="输入列只能是等级和生命周期", en="Its inputs are tier and lifecycle."),
            )
    return fit


def _ranks(
    table: DecisionTable, columns: Mapping[str, tuple[Text, Mapping[str, Text] | None]]
) -> list[int]:
    """The place of each row's first entitlement of fixed words, in the order of those words."""
    chosen = next(
        (
            (name, list(words))
            for name, (_, words) in columns.items()
            if words and any(name in row.outputs for row in table.rows)
        ),
        ("", []),
    )
    name, words = chosen
    return [
        words.index(row.outputs[name].text)
        if name in row.outputs and row.outputs[name].text in words
        else len(words)
        for row in table.rows
    ]


def _entry(row: Row) -> MappingNode:
    return MappingNode(
        tuple(
            (Scalar(key, key, Style.PLAIN, value.span, value.span), value)
            for key, value in row.outputs.items()
        ),
        row.span,
    )


def _places(
    table: DecisionTable, language: Language, ranks: Sequence[int]
) -> Iterable[tuple[str, str | None, int]]:
    """Which row holds for each tier, and for each stage in which it is another one."""
    tiers, stages = (_options(language, name) for name in _INPUTS)
    for tier in tiers:
        base = _row(table, (tier, None), language, ranks)
        found = [(stage, _row(table, (tier, stage), language, ranks)) for stage in stages]
        numbers = {number for _, number in found}
        if base is None and len(numbers) == 1 and None not in numbers:
            base = numbers.pop()
        if base is not None:
            yield tier, None, base
        for stage, number in found:
            if number is not None and number != base:
                yield tier, stage, number
        lacking = [stage for stage, number in found if number is None]
        if base is None and lacking and len(lacking) < len(stages):
            _warn(table, tier, lacking, language)


def _warn(table: DecisionTable, tier: str, lacking: Sequence[str], language: Language) -> None:
    language.findings.extend(
        [
            warning(
                "TABLE011",
                table.headings[0],
                Text(
                    zh=f"等级“{tier}”在这些阶段没有服务标准：{'、'.join(lacking)}",
                    en=f"the tier “{tier}” has no service level in: {', '.join(lacking)}",
                ),
                Text(zh="补上一行，阶段写“-”", en="Add a row with “-” for the stage."),
            )
        ]
    )


def _options(language: Language, name: str) -> list[str]:
    found = language.scope.find(name)
    return [] if found is None else [choice.value for choice in found.choices]


def _row(
    table: DecisionTable,
    place: tuple[str, str | None],
    language: Language,
    ranks: Sequence[int],
) -> int | None:
    values = dict(zip(_INPUTS, place, strict=True))
    fitting = [n for n, row in enumerate(table.rows) if _fits(row, table, values)]
    try:
        counted = counting(table.hit, fitting, rank=lambda n: ranks[n], same=table.said)
    except HitConflict:
        return None  # said already, by the lint of overlaps
    return counted[0] if counted else None


def _fits(row: Row, table: DecisionTable, values: Mapping[str, str | None]) -> bool:
    return all(
        test is None or verdict(test, {name.id: values[name.id]}, _ANY_DAY) is Verdict.TRUE
        for name, test in zip(table.inputs, row.tests, strict=True)
    )
