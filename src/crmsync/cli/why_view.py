"""An explanation as a person reads it: tier, score sheet, conditions ticked, history, what if."""

from __future__ import annotations

from collections.abc import Iterator

from crmsync.cli.judgement_view import told
from crmsync.cli.language import LANG, say
from crmsync.cli.layout import cells, clean, fact_text, pad, table
from crmsync.cli.look_back_view import overwritten
from crmsync.cli.score_view import evidence, plain, score_sheet, total
from crmsync.model.condition import All, AnyOf, Not
from crmsync.model.decision import (
    Decision,
    Explanation,
    StageResult,
    TierResult,
    Trace,
    UnknownCondition,
    Verdict,
)
from crmsync.model.frozen import FrozenLines
from crmsync.model.position import Span
from crmsync.model.ruleset import FactDefinition, Ruleset
from crmsync.model.service import ServiceValue
from crmsync.model.text import Text
from crmsync.project.explaining import Explained
from crmsync.project.frozen_view import lines_text
from crmsync.project.merging import NotedMerge

_PLACES = {
    "exception": Text(zh="例外", en="exception"),
    "task": Text(zh="任务", en="task"),
    "segment": Text(zh="分群", en="segment"),
    "tier": Text(zh="等级表", en="table of tiers"),
}
TICKS = {Verdict.TRUE: "✓", Verdict.FALSE: "✗", Verdict.UNKNOWN: "?"}


def explanation(found: Explained, *, full: bool) -> Iterator[str]:
    """The whole page for one customer; ``full`` adds the conditions of every task."""
    shown, rules = found.explanation, found.ruleset
    decision = shown.decision
    yield (
        f"{clean(decision.name)}  {decision.ref}   "
        + say(f"规则 {rules.id} v{rules.version}", f"rules {rules.id} v{rules.version}")
        + f"   {decision.as_of}"
    )
    yield ""
    yield from _standing(shown, rules)
    yield from map(_merge, found.merges)
    yield from _to_do(decision)
    if decision.score is not None:
        yield ""
        yield from score_sheet(decision.score, rules)
        yield from evidence(shown, rules)
    yield from _tier_rows(found)
    yield from _exceptions(found)
    yield from _segments(found)
    yield from _conditions(found, full=full)
    yield from _facts(found)
    yield from _open_points(decision, rules)
    if found.history:
        yield ""
        yield say("历史", "History")
        yield from (f"  {clean(past.to(LANG))}" for past in found.history)
    if found.overwritten:
        yield ""
        yield say("写入时覆盖过的修改", "Edits our writes replaced")
        yield from overwritten(found.overwritten, every=True)
    if shown.what_if:
        yield ""
        yield say("还差多少？", "What would it take?")
        yield from (f"  {clean(change.text.to(LANG))}" for change in shown.what_if)


def _standing(shown: Explanation, rules: Ruleset) -> Iterator[str]:
    decision = shown.decision
    names = (say("等级", "tier"), say("生命周期", "lifecycle"), say("服务", "service"))
    width = max(cells(name) for name in names) + 2
    if decision.tier is not None and rules.tier is not None:
        yield pad(names[0], width) + _tier(decision.tier, rules)
        yield from (f"  {line}" for line in _why(shown, decision.tier, rules))
    if decision.lifecycle is not None and rules.lifecycle is not None:
        yield pad(names[1], width) + _stage(decision.lifecycle, rules)
        for move in decision.lifecycle.moves:
            yield f"  {clean(move.text.to(LANG))}{_place(move.span)}"
        for to, day in decision.lifecycle.waiting.items():
            label = rules.lifecycle.stage(to).label.to(LANG)
            yield say(f"  若持续，{day} 进入{label}", f"  if it lasts: {label} on {day}")
    level = rules.service.get(decision.service or "")
    if level is not None:
        yield pad(names[2], width) + " · ".join(map(_promise, level.values))


def _merge(item: NotedMerge) -> str:
    """A record that was merged into the customer, and whether what was kept of it went over."""
    lost, by = item.merge.lost.id, clean(item.merge.by)
    when = f"{item.merge.at:%Y-%m-%d}"
    runs = ", ".join(map(str, item.runs))
    zh = f"运行 {runs} 接管" if runs else "尚未接管"
    en = f"taken over in run {runs}" if runs else "not taken over yet"
    return say(
        f"  ⇐ {lost} 已并入这个客户（{by}，{when}）：{zh}",
        f"  ⇐ {lost} was merged into this customer ({by}, {when}): {en}",
    )


def _promise(value: ServiceValue) -> str:
    label = f"{value.label.to(LANG)} " if value.label is not None else ""
    return label + value.text.to(LANG)


def _measured(shown: Explanation, fact: FactDefinition) -> tuple[str, str]:
    """The fact the tier looks at, with its lines."""
    value = fact_text(shown.decision.facts.get(fact.id), fact.type)
    lines = (
        (say("升级线", "enter line"), shown.enter_line),
        (say("保级线", "keep line"), shown.keep_line),
    )
    known = "   ".join(
        f"{word} {fact_text(line, fact.type)}" for word, line in lines if line is not None
    )
    return fact.label.to(LANG), f"{value}   {known}".rstrip()


def _why(shown: Explanation, tier: TierResult, rules: Ruleset) -> list[str]:
    """Two columns: the score with its lines, the reason, the day a waiting change may come."""
    rows = []
    score = shown.decision.score
    of = None if rules.tier is None else rules.tier.of
    if of is not None:
        rows.append(_measured(shown, rules.fact(of)))
    elif score is not None:
        lines = (
            (say("升级线", "enter line"), shown.enter_line),
            (
                say("保级线", "keep line"),
                shown.keep_line,
            ),
        )
        known = "   ".join(f"{word} {plain(line)}" for word, line in lines if line is not None)
        rows.append((say("得分", "score"), f"{total(score)}   {known}".rstrip()))
    rows.append((say("为什么", "why"), clean(tier.text.to(LANG)) + _place(tier.span)))
    if tier.due_on is not None and str(tier.due_on) not in tier.text.en:
        day = say(f"{tier.due_on} 变动", f"change on {tier.due_on}")
        rows.append((say("最早", "earliest"), day))
    if shown.parent is not None:
        labels = (
            {level.id: level.label.to(LANG) for level in rules.tier.levels} if rules.tier else {}
        )
        up = f"{clean(shown.parent.name)}  {labels.get(shown.parent.tier, shown.parent.tier)}"
        rows.append((say("上级公司", "parent"), up))
    if shown.drawn is not None:
        rows.append((say("划线", "cut lines"), drawn_text(shown.drawn)))
    if tier.notice is not None:
        rows.append((say("预告", "notice"), clean(tier.notice.text.to(LANG))))
    return table(rows, align="ll")


def drawn_text(drawn: FrozenLines) -> str:
    """The period, the day and the number of customers lines across the population stand on."""
    return say(
        f"{drawn.period} 第 {drawn.version} 版，{drawn.drawn_on} 按 {drawn.customers} 个客户划定",
        f"{drawn.period}, version {drawn.version}, drawn on {drawn.drawn_on} "
        f"across {drawn.customers} customers",
    )


def _tier(tier: TierResult, rules: Ruleset) -> str:
    def name(id: str | None) -> str:
        return rules.tier.level(id).label.to(LANG) if rules.tier and id else say("无", "none")

    if tier.before == tier.after:
        return name(tier.after) + say("（不变）", " (unchanged)")
    return f"{name(tier.before)} → {name(tier.after)}"


def _stage(stage: StageResult, rules: Ruleset) -> str:
    assert rules.lifecycle is not None
    after = rules.lifecycle.stage(stage.after).label.to(LANG)
    if stage.before is None:
        return after
    if stage.before == stage.after:
        return after + say("（不变）", " (unchanged)")
    return f"{rules.lifecycle.stage(stage.before).label.to(LANG)} → {after}"


def _to_do(decision: Decision) -> Iterator[str]:
    for task in decision.opens:
        each = say("（每位联系人）", " (each person)") if task.for_each else ""
        title = clean(task.title.to(LANG)) + each
        zh, en = ("；客户转给任务负责人", "; the customer goes to its owner")
        more = say(zh, en) if task.hands_over else ""
        said = say(f"  + 任务  {title}   {task.due} 到期", f"  + task  {title}   due {task.due}")
        yield said + more
    for closing in decision.closes:
        text = clean(closing.text.to(LANG))
        yield say(f"  - 关闭任务  {text}", f"  - close task  {text}")


def _place(span: Span) -> str:
    return f"  ({span.short})" if span.line else ""


def _tier_rows(found: Explained) -> Iterator[str]:
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
        yield f"    {TICKS[trace.verdict]} {name} → {given[number]}{_place(trace.span)}"
        yield from trace_lines(trace, found, depth=3)
        if trace.verdict is Verdict.TRUE:
            return
    if crossed:
        yield _crossed_rows(crossed)


def _crossed_rows(numbers: list[str]) -> str:
    row = "row" if len(numbers) == 1 else "rows"
    return say(f"    ✗ 第 {'、'.join(numbers)} 行", f"    ✗ {row} {', '.join(numbers)}")


def _exceptions(found: Explained) -> Iterator[str]:
    """Every exception with its verdict; one that holds says where it stands."""
    traces = found.explanation.exceptions
    if not traces:
        return
    yield ""
    yield f"  {say('例外', 'exceptions')}"
    for _, trace in traces:
        place = _place(trace.span) if trace.verdict is Verdict.TRUE else ""
        yield f"    {TICKS[trace.verdict]} {clean(found.words(trace).to(LANG))}{place}"


def _segments(found: Explained) -> Iterator[str]:
    """Every segment, ticked where the customer is in it, with its condition below."""
    result = found.explanation.decision.segments
    if result is None:
        return
    labels = {item.id: item.label.to(LANG) for item in found.ruleset.segments}
    yield ""
    yield f"  {say('分群', 'segments')}"
    for name, trace in found.explanation.segments:
        tick = TICKS[trace.verdict]
        yield f"    {tick} {labels.get(name, name)}{_place(trace.span)}"
        yield from trace_lines(trace, found, depth=3)


def _conditions(found: Explained, *, full: bool) -> Iterator[str]:
    """The moves out of the stage the day opened with and, when asked, the tasks."""
    shown = found.explanation
    if shown.moves:
        yield ""
        yield say("  从这个阶段出发", "  moves from this stage")
    for name, trace in shown.moves:
        yield f"    {TICKS[trace.verdict]} {_move(name, found.ruleset)}{_place(trace.span)}"
        yield from trace_lines(trace, found, depth=3)
    if shown.tasks and full:
        yield ""
        yield say("  任务的条件", "  conditions of tasks")
        for name, trace in shown.tasks:
            yield f"    {TICKS[trace.verdict]} {name}{_place(trace.span)}"
            yield from trace_lines(trace, found, depth=3)


def _move(id: str, rules: Ruleset) -> str:
    graph = rules.lifecycle
    for move in graph.moves if graph else ():
        if move.id == id and graph is not None:
            sources = say("、", ", ").join(graph.stage(s).label.to(LANG) for s in move.sources)
            return f"{sources} → {graph.stage(move.to).label.to(LANG)}"
    return id


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


def _facts(found: Explained) -> Iterator[str]:
    yield ""
    yield f"  {say('事实', 'facts')}"
    rows = []
    for fact in found.ruleset.facts:
        value = found.explanation.decision.facts.get(fact.id)
        shown = say("缺失", "missing") if value is None else fact_text(value, fact.type)
        if fact.choice_labels and value in fact.choices:
            shown = fact.choice_labels[fact.choices.index(str(value))].to(LANG)
        source = found.sources.get(fact.id, "")
        if fact.model:
            source = say(f"{fact.model} 块 ", f"{fact.model} block ") + fact.span.short
        elif fact.formula is not None:
            source = say("公式 ", "formula ") + (fact.span.short if fact.span.line else "")
        source = f"← {clean(source)}" if source else ""
        judged = found.explanation.decision.judged.get(fact.id)
        if judged is not None:
            source = f"{source}   {told(judged, fact.type)}".strip()
        rows.append((f"    {fact.label.to(LANG)}", shown, source))
    yield from table(rows, align="lrl") if rows else ()
    if found.notes:
        yield ""
        yield from (f"  ! {clean(note.to(LANG))}" for note in found.notes)
    models = list(lines_text(found.ruleset))
    if models:
        yield ""
        yield f"  {say('模型', 'models')}"
        yield from (f"    {clean(line.to(LANG))}" for line in models)


def _open_points(decision: Decision, rules: Ruleset) -> Iterator[str]:
    told = decision.tier.text if decision.tier is not None else None
    withheld = [row for row in (*decision.unfresh, *decision.withheld) if row != told]
    if withheld or decision.unknown:
        yield ""
    for row in withheld:
        yield f"  ! {clean(row.to(LANG))}"
    yield from (_unknown(unknown, rules) for unknown in decision.unknown)


def _unknown(unknown: UnknownCondition, rules: Ruleset) -> str:
    labels = {fact.id: fact.label.to(LANG) for fact in rules.facts}
    facts = say("、", ", ").join(labels.get(fact, fact) for fact in unknown.facts)
    kind, _, id = unknown.place.partition(" ")
    id = f" {id}" if id else ""
    place = (
        _move(id.strip(), rules)
        if kind == "move"
        else f"{_PLACES.get(kind, Text.same(kind)).to(LANG)}{id}"
    )
    return say(
        f"  ? {place}：缺少{facts}，无法判断", f"  ? {place}: cannot be told without {facts}"
    ) + _place(unknown.span)
