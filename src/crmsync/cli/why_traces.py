"""Conditions of an explanation, ticked, crossed or unknown, and the rows of a table of tiers."""

from __future__ import annotations

from collections.abc import Iterator

from crmsync.cli.language import LANG, say
from crmsync.cli.layout import clean
from crmsync.model.condition import All, AnyOf, Not
from crmsync.model.decision import Trace, Verdict
from crmsync.model.position import Span
from crmsync.project.explaining import Explained

TICKS = {Verdict.TRUE: "✓", Verdict.FALSE: "✗", Verdict.UNKNOWN: "?"}


def at(span: Span) -> str:
    """Where something is written, in brackets; nothing where nobody knows."""
    return f"  ({span.short})" if span.line else ""


def trace_lines(trace: Trace, found: Explained, *, depth: int) -> Iterator[str]:
    """A condition with its parts below it, each ticked, crossed or unknown, with what was read.

    The parts of *all* follow one another; those of *any* and *none* stand below a line that says
    so, since their ticks alone would be read the wrong way round.
    """
    indent = "  " * depth
    match trace.condition:
        case All():
            for part in trace.parts:
                yield from trace_lines(part, found, depth=depth)
        case AnyOf():
            yield f"{indent}{TICKS[trace.verdict]} {say('任一成立：', 'any of:')}"
            for part in trace.parts:
                yield from trace_lines(part, found, depth=depth + 1)
        case Not(item=AnyOf()):
            yield f"{indent}{TICKS[trace.verdict]} {say('都不成立：', 'none of:')}"
            for part in trace.parts[0].parts:
                yield from trace_lines(part, found, depth=depth + 1)
        case Not(item=All() | Not()):
            yield f"{indent}{TICKS[trace.verdict]} {say('不能同时成立：', 'not all of:')}"
            yield from trace_lines(trace.parts[0], found, depth=depth + 1)
        case _:
            yield f"{indent}{TICKS[trace.verdict]} {clean(found.words(trace).to(LANG))}"


def tier_rows(found: Explained) -> Iterator[str]:
    """The table the tier comes from: the rows that count or might, each with its conditions; those
    above that do not fit in one line."""
    rules, rows = found.ruleset.tier, found.explanation.rows
    if rules is None or rules.table is None:
        return
    given = {row.number: rules.level(row.level).label.to(LANG) for row in rules.table.rows}
    yield ""
    yield f"  {say('等级表', 'table of tiers')} {rules.table.file}"
    crossed: list[str] = []
    for number, trace in rows:
        if trace.verdict is Verdict.FALSE:
            crossed.append(str(number))
            continue
        if crossed:
            yield _crossed_rows(crossed)
            crossed = []
        name = say(f"第 {number} 行", f"row {number}")
        yield f"    {TICKS[trace.verdict]} {name} → {given[number]}{at(trace.span)}"
        yield from trace_lines(trace, found, depth=3)
        if trace.verdict is Verdict.TRUE:
            return
    if crossed:
        yield _crossed_rows(crossed)


def _crossed_rows(numbers: list[str]) -> str:
    row = "row" if len(numbers) == 1 else "rows"
    return say(f"    ✗ 第 {'、'.join(numbers)} 行", f"    ✗ {row} {', '.join(numbers)}")
