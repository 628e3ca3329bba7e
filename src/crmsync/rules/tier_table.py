"""Tiers straight from a decision table: each row gives a tier, and may say which one it keeps."""

from __future__ import annotations

from collections.abc import Sequence

from crmsync.condition import ScopeName
from crmsync.model.diagnostic import Severity
from crmsync.model.ruleset import STATE_NAMES
from crmsync.model.table import SINGLE, HitPolicy
from crmsync.model.text import Text
from crmsync.model.tier import Level, TierRow, TierTable
from crmsync.rules.hits import ordered
from crmsync.rules.language import STATE_LABELS, Language
from crmsync.rules.level_names import Levels
from crmsync.rules.shape import Block, Findings
from crmsync.rules.table_columns import Output
from crmsync.rules.table_lints import lint_table
from crmsync.rules.tables import DecisionTable, Row, Wanted, read_table
from crmsync.source import Scalar

_TIER = Output(
    "tier", Text(zh="等级", en="tier"), required=True, also=("客户等级", "客户级别", "level")
)
_KEEP = Output("keep", Text(zh="保级", en="keep"), also=("可保等级", "保留等级", "keeps"))
_EXTREMES = frozenset({HitPolicy.COLLECT_MAX, HitPolicy.COLLECT_MIN})
_WANTED = Wanted(
    of=Text(zh="等级", en="the tier"),
    outputs=(_TIER, _KEEP),
    policies=tuple(item for item in HitPolicy if item in SINGLE | _EXTREMES),
    why_not=Text(
        zh="客户只有一个等级，等级不能相加，也不能成列",
        en="a customer has one tier; tiers neither add up nor make a list",
    ),
)


def read_tier_table(
    block: Block, levels: tuple[Level, ...], language: Language, *, scored: bool
) -> TierTable | None:
    """The ``table:`` of the tier block; ``None`` with findings when it cannot be used.

    Its inputs are facts and, where customers are *scored*, the score. The best of several rows is
    had with ``priority`` or ``collect max``, the worst with ``collect min``. A row keeps the tier
    it gives, or the better one of its column ``keep``.
    """
    findings = language.findings
    scope = language.scope
    if scored:
        scope = scope.plus([ScopeName("score", STATE_NAMES["score"], STATE_LABELS["score"])])
    table = read_table(block, language.within(scope), _WANTED)
    if block.take("of") is not None:
        findings.add(
            "RULE205",
            block.place("of"),
            Text(
                zh="等级由表格决定，of 不起作用", en="the table decides the tier: of does nothing"
            ),
            Text(zh="去掉 of 或 table", en="Remove of, or the table."),
        )
    if table is None:
        return None
    names = Levels(levels)
    rows = [_row(row, names, findings) for row in table.rows]
    known = [row for row in rows if row is not None]
    if len(known) < len(rows):
        return None
    ranks = {level.id: rank for rank, level in enumerate(_ranked(levels))}
    order = _order(table, [ranks[row.level] for row in known])
    findings.extend(lint_table(table, language.within(scope), gaps=Severity.WARNING, order=order))
    if any(_keeps_less(row, ranks, findings) for row in known):
        return None
    # the name the rules give it: reasons are written to the CRM, and no folder belongs there
    written = block.scalar("table")
    file = table.file if written is None else written.text
    return TierTable(file, table.hit, tuple(known[n] for n in order), table.span)


def _ranked(levels: Sequence[Level]) -> list[Level]:
    return [level for level in levels if not level.by_exception_only]


def _order(table: DecisionTable, ranks: Sequence[int]) -> tuple[int, ...]:
    """The rows in the order in which the first that fits decides."""
    if table.hit is HitPolicy.COLLECT_MAX:
        return ordered(HitPolicy.PRIORITY, len(ranks), lambda row: ranks[row])
    if table.hit is HitPolicy.COLLECT_MIN:
        return ordered(HitPolicy.PRIORITY, len(ranks), lambda row: -ranks[row])
    return ordered(table.hit, len(ranks), lambda row: ranks[row])


def _row(row: Row, names: Levels, findings: Findings) -> TierRow | None:
    given = _level(row.outputs.get("tier"), names, findings)
    keep = row.outputs.get("keep")
    kept = given if keep is None else _level(keep, names, findings)
    if given is None or kept is None:
        return None
    when = None if row.anything else row.when
    return TierRow(when, given.id, kept.id, row.number, row.text, row.span)


def _level(found: Scalar | None, names: Levels, findings: Findings) -> Level | None:
    """A tier a row may give: one with a rank."""
    level = None if found is None else names.find(found, findings)
    if found is None or level is None or not level.by_exception_only:
        return level
    findings.add(
        "TABLE015",
        found.span,
        Text(
            zh=f"“{level.id}”只由例外设定，表格里的行不能给出它",
            en=f"“{level.id}” is set by exceptions only: no row can give it",
        ),
        Text(zh=f"写一个 set: {level.id} 的例外", en=f"Write an exception with set: {level.id}"),
    )
    return None


def _keeps_less(row: TierRow, ranks: dict[str, int], findings: Findings) -> bool:
    less = ranks[row.keep] > ranks[row.level]
    if less:
        findings.add(
            "TABLE015",
            row.span,
            Text(
                zh=f"第 {row.number} 行给出“{row.level}”，却只保住更低的“{row.keep}”",
                en=f"row {row.number} gives “{row.level}” and keeps only “{row.keep}” below it",
            ),
            Text(
                zh="“保级”列写不低于“等级”列的等级，或留空",
                en="Write a tier no worse than the one it gives under keep, or leave it empty.",
            ),
        )
    return less
