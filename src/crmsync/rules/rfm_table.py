"""RFM segments from a table: rows over the classes R, F and M, or over codes, each naming one.

Several rows may name one segment. There are at most 729 codes, so what the rows take is tried out
on every one of them instead of being reasoned about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product

from crmsync.condition import verdict
from crmsync.model.condition import All, AnyOf, Condition, Not
from crmsync.model.decision import Verdict
from crmsync.model.diagnostic import Diagnostic, Label
from crmsync.model.position import Span
from crmsync.model.rfm import Part, RfmRules, RfmSegment
from crmsync.model.table import HitPolicy
from crmsync.model.text import Text
from crmsync.rules.language import Language
from crmsync.rules.shape import Block, Findings, bilingual, identifier
from crmsync.rules.table_cells import handles_missing
from crmsync.rules.table_columns import Output
from crmsync.rules.tables import KEYS, Row, Wanted, read_table
from crmsync.source import Mapping as MappingNode
from crmsync.source import Scalar, error

Codes = Callable[[Scalar, Findings], Condition | None]

_ID = Output("id", Text(zh="分群", en="segment"), required=True)
_LABEL = Output("label", Text(zh="名称", en="label"))
_CODES = Output("codes", Text(zh="代码", en="codes"), also=("RFM 代码", "rfm_code", "code"))
_WANTED = Wanted(
    of=Text(zh="RFM 分群", en="an RFM segment"),
    outputs=(_ID, _LABEL, _CODES),
    policies=(HitPolicy.UNIQUE, HitPolicy.FIRST, HitPolicy.ANY),
    why_not=Text(
        zh="客户只在一个 RFM 分群里，分群之间没有高低",
        en="a customer is in one RFM segment, and segments have no rank",
    ),
    inputs_needed=False,
)
_ANY_DAY = date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class _Line:
    """A row: the segment it names, whom it takes (``None``: everybody) and its place."""

    id: str
    when: Condition | None
    number: int
    text: str
    span: Span
    tried: bool


def segments_of_table(
    node: MappingNode, language: Language, rules: RfmRules | None, codes_of: Codes
) -> tuple[RfmSegment, ...]:
    """The segments of ``{table: …}``, in the order in which the table names them first.

    *language* reads the names of the classes. Without *rules* only the names are wanted, and
    nothing is looked for but what keeps the table from being read. *codes_of* reads patterns.
    """
    findings = language.findings
    block = Block(node, findings, languages=language.languages)
    table = read_table(block, language, _WANTED)
    for key in KEYS:
        block.take(key)
    block.finish()
    if table is None:
        return ()
    lines: list[_Line] = []
    labels: dict[str, Text] = {}
    for row in table.rows:
        line = _line(row, codes_of, findings)
        if line is None:
            return ()
        lines.append(line)
        label = row.outputs.get("label")
        if label is not None and line.id not in labels:
            labels[line.id] = bilingual(label, language.languages, findings)
    if rules is not None:
        findings.extend(_tried(lines, table.hit, rules))
    found = []
    for id in dict.fromkeys(line.id for line in lines):
        own = next(line for line in lines if line.id == id)
        named = labels.get(id, Text.same(id))
        found.append(RfmSegment(id, named, _taken(id, lines), own.span))
    return tuple(found)


def _line(row: Row, codes_of: Codes, findings: Findings) -> _Line | None:
    name, codes = row.outputs["id"], row.outputs.get("codes")
    identifier(name, findings)
    pattern = None if codes is None else codes_of(codes, findings)
    if codes is not None and pattern is None:
        return None
    own = None if row.anything else row.when
    parts = [part for part in (own, pattern) if part is not None]
    when = None if not parts else parts[0] if len(parts) == 1 else All(tuple(parts), row.span)
    text = (
        row.text if codes is None else " · ".join(part for part in (row.text, codes.text) if part)
    )
    tried = not any(handles_missing(test) for test in row.tests)
    return _Line(name.text, when, row.number, text, row.span, tried)


def _taken(id: str, lines: Sequence[_Line]) -> Condition | None:
    """Whom a segment takes of those the segments named before it leave.

    Where a row of another segment stands between its own rows, what that row takes is left out.
    """
    ways: list[Condition] = []
    between: list[Condition] = []
    begun = False
    for line in lines:
        if line.id != id:
            if begun and line.when is not None:
                between.append(line.when)
            if begun and line.when is None:
                break
            continue
        begun = True
        if line.when is None and not between:
            return None
        own = () if line.when is None else (line.when,)
        others = () if not between else (Not(AnyOf(tuple(between), line.span), line.span),)
        both = (*own, *others)
        ways.append(both[0] if len(both) == 1 else All(both, line.span))
    return ways[0] if len(ways) == 1 else AnyOf(tuple(ways), ways[0].span)


# ── every code tried ───────────────────────────────────────────────────────────────────────────


def _tried(lines: Sequence[_Line], hit: HitPolicy, rules: RfmRules) -> Iterator[Diagnostic]:
    """Rows that take nobody, and rows that may not both fit but do."""
    reached: set[int] = set()
    clashes: dict[tuple[int, int], str] = {}
    for classes in product(*(range(1, rules.most(part) + 1) for part in Part)):
        values = {part.fact: number for part, number in zip(Part, classes, strict=True)}
        fitting = [
            number
            for number, line in enumerate(lines)
            if line.when is None or verdict(line.when, values, _ANY_DAY) is Verdict.TRUE
        ]
        reached.update(fitting[:1] if hit is HitPolicy.FIRST else fitting)
        for other in fitting[1:]:
            same = lines[other].id == lines[fitting[0]].id
            if hit is HitPolicy.UNIQUE or (hit is HitPolicy.ANY and not same):
                clashes.setdefault((fitting[0], other), "".join(map(str, classes)))
    for number, line in enumerate(lines):
        if line.tried and number not in reached:
            yield _idle(line)
    for (first, second), code in clashes.items():
        yield _clash(lines[first], lines[second], code)


def _idle(line: _Line) -> Diagnostic:
    return error(
        "TABLE012",
        line.span,
        Text(
            zh=f"第 {line.number} 行（{line.text}）取不到任何 RFM 代码",
            en=f"row {line.number} ({line.text}) takes no RFM code",
        ),
        Text(
            zh="前面的行已包含它，或没有这样的档；调整次序或条件",
            en="The rows before it take them all, or no such class exists: change one of them.",
        ),
    )


def _clash(one: _Line, other: _Line, code: str) -> Diagnostic:
    return error(
        "TABLE010",
        other.span,
        Text(
            zh=f"第 {one.number} 行和第 {other.number} 行可能同时命中，例如 {code}",
            en=f"rows {one.number} and {other.number} may both fit, such as {code}",
        ),
        Text(
            zh="改一行的条件，或写 hit: first（最上面的一行起作用）",
            en="Change one of them, or write hit: first (the topmost row counts).",
        ),
        labels=(Label(one.span, Text(zh="另一行", en="the other row")),),
    )
