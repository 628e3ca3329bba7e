"""An explanation as a person reads it: tier, score sheet, conditions ticked, what if."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from crmsync.cli.language import LANG, say
from crmsync.cli.layout import cells, clean, pad, right, table, value_text
from crmsync.model.decision import (
    CriterionResult,
    Decision,
    Explanation,
    ScoreResult,
    StageResult,
    TierResult,
    Trace,
    Verdict,
)
from crmsync.model.ruleset import Ruleset

TICKS = {Verdict.TRUE: "✓", Verdict.FALSE: "✗", Verdict.UNKNOWN: "?"}


def explanation(
    shown: Explanation, rules: Ruleset, sources: Mapping[str, str], *, full: bool
) -> Iterator[str]:
    """The whole page for one customer; ``full`` adds every condition of every move and task."""
    decision = shown.decision
    yield (
        f"{clean(decision.name)}  {decision.ref}   "
        + say(f"规则 {rules.id} v{rules.version}", f"rules {rules.id} v{rules.version}")
        + f"   {decision.as_of}"
    )
    yield ""
    yield from _standing(shown, rules)
    if decision.score is not None:
        yield ""
        yield from score_sheet(decision.score)
    if shown.exceptions:
        yield ""
        marks = "   ".join(f"{TICKS[trace.verdict]} {trace.text}" for _, trace in shown.exceptions)
        yield f"  {say('例外', 'exceptions')}    {marks}"
    yield from _conditions(shown, full=full)
    yield from _facts(decision, rules, sources)
    yield from _open_points(decision)
    if shown.what_if:
        yield ""
        yield say("还差多少？", "What would it take?")
        for change in shown.what_if:
            yield f"  {change.text.to(LANG)}"


def _standing(shown: Explanation, rules: Ruleset) -> Iterator[str]:
    decision = shown.decision
    names = (say("等级", "tier"), say("生命周期", "lifecycle"), say("服务", "service"))
    width = max(cells(name) for name in names) + 2
    if decision.tier is not None and rules.tier is not None:
        yield pad(names[0], width) + _tier(decision.tier, rules)
        yield " " * width + _lines(shown)
        yield (
            " " * width
            + f"{say('为什么', 'why')}  {decision.tier.text.to(LANG)}"
            + _place(decision.tier.span.short if decision.tier.span.line else "")
        )
        if decision.tier.due_on is not None:
            yield " " * width + say(
                f"最早 {decision.tier.due_on} 变动", f"earliest change on {decision.tier.due_on}"
            )
        if decision.tier.notice is not None:
            told = decision.tier.notice.text.to(LANG)
            yield " " * width + say(f"预告  {told}", f"notice  {told}")
    if decision.lifecycle is not None and rules.lifecycle is not None:
        yield pad(names[1], width) + _stage(decision.lifecycle, rules)
        for move in decision.lifecycle.moves:
            yield " " * width + move.text.to(LANG) + _place(move.span.short)
        for to, day in decision.lifecycle.waiting.items():
            label = rules.lifecycle.stage(to).label.to(LANG)
            yield " " * width + say(f"若持续，{day} 进入{label}", f"if it lasts: {label} on {day}")
    level = rules.service.get(decision.service or "")
    if level is not None:
        texts = " · ".join(value.text.to(LANG) for value in level.values)
        yield pad(names[2], width) + texts


def _tier(tier: TierResult, rules: Ruleset) -> str:
    assert rules.tier is not None

    def name(id: str | None) -> str:
        return rules.tier.level(id).label.to(LANG) if rules.tier and id else say("无", "none")

    if tier.before == tier.after:
        return name(tier.after) + say("（不变）", " (unchanged)")
    return f"{name(tier.before)} → {name(tier.after)}"


def _lines(shown: Explanation) -> str:
    score = shown.decision.score
    if score is None:
        return ""
    total = f"{score.total}" if score.total is not None else f"{score.low}–{score.high}"
    enter = say("升级线", "enter line"), shown.enter_line
    keep = say("保级线", "keep line"), shown.keep_line
    lines = "   ".join(f"{word} {line}" for word, line in (enter, keep) if line is not None)
    return f"{say('得分', 'score')}    {total}      {lines}"


def _stage(stage: StageResult, rules: Ruleset) -> str:
    assert rules.lifecycle is not None
    after = rules.lifecycle.stage(stage.after).label.to(LANG)
    if stage.before == stage.after or stage.before is None:
        return after + ("" if stage.before is None else say("（不变）", " (unchanged)"))
    return f"{rules.lifecycle.stage(stage.before).label.to(LANG)} → {after}"


def _place(short: str) -> str:
    return f"  ({short})" if short else ""


def score_sheet(score: ScoreResult) -> list[str]:
    """Criterion, value, the line it hit, points of the maximum, and where the rule stands."""
    head = (
        say("  评分项", "  criterion"),
        say("取值", "value"),
        say("命中", "hit"),
        say("得分", "points"),
        say("规则", "rule"),
    )
    rows = [head, *(_criterion(item) for item in score.criteria)]
    total = f"{score.total}" if score.total is not None else f"{score.low}–{score.high}"
    most = sum((item.maximum for item in score.criteria), Decimal(0))
    rows.append((say("  合计", "  total"), "", "", f"{total}/{_plain(most)}", ""))
    return table(rows, align="lrlrl")


def _criterion(item: CriterionResult) -> tuple[str, ...]:
    points = f"{item.low}" if item.low == item.high else f"{item.low}–{item.high}"
    value = say("缺失", "missing") if item.missing else value_text(item.value)
    hit = item.hit if item.weight == 1 else f"{item.hit} ×{item.weight:.3f}"
    return (
        f"  {item.label.to(LANG)}",
        value,
        hit,
        f"{points}/{_plain(item.maximum)}",
        item.span.short if item.span.line else "",
    )


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _conditions(shown: Explanation, *, full: bool) -> Iterator[str]:
    for title, traces in (
        (say("生命周期的出路", "ways out of this stage"), shown.moves),
        (say("任务", "tasks"), shown.tasks),
    ):
        if not traces or not (full or title.startswith(("生", "w"))):
            continue
        yield ""
        yield f"  {title}"
        for name, trace in traces:
            yield f"    {TICKS[trace.verdict]} {name}{_place(trace.span.short)}"
            yield from trace_lines(trace, depth=3)


def trace_lines(trace: Trace, *, depth: int) -> Iterator[str]:
    """A condition with its parts below it, each ticked, crossed or unknown, with what was read."""
    indent = "  " * depth
    if trace.parts:
        for part in trace.parts:
            yield from trace_lines(part, depth=depth + (1 if part.parts else 0))
        return
    read = ", ".join(f"{name} = {value_text(value)}" for name, value in trace.values.items())
    yield f"{indent}{TICKS[trace.verdict]} {trace.text}" + (f"   ({read})" if read else "")


def _facts(decision: Decision, rules: Ruleset, sources: Mapping[str, str]) -> Iterator[str]:
    yield ""
    yield f"  {say('事实', 'facts')}"
    rows = []
    for fact in rules.facts:
        value = decision.facts.get(fact.id)
        shown = value_text(value) if value is not None else say("缺失", "missing")
        rows.append((f"    {fact.label.to(LANG)}", shown, f"← {sources.get(fact.id, '')}"))
    width = max((cells(row[0]) for row in rows), default=0)
    size = max((cells(row[1]) for row in rows), default=0)
    for label, text, source in rows:
        yield f"{pad(label, width)}  {right(text, size)}  {source}".rstrip()


def _open_points(decision: Decision) -> Iterator[str]:
    for row in decision.withheld:
        yield f"  ! {row.to(LANG)}"
    for unknown in decision.unknown:
        facts = ", ".join(unknown.facts)
        yield say(
            f"  ? {unknown.place}：缺少 {facts}，既不成立也不算不成立",
            f"  ? {unknown.place}: {facts} missing, neither true nor false",
        ) + _place(unknown.span.short if unknown.span.line else "")
    for task in decision.opens:
        yield f"  + {task.title.to(LANG)}  {task.due}"
    for closing in decision.closes:
        yield f"  - {closing.text.to(LANG)}"
