"""An explanation as a person reads it: tier, score sheet, conditions ticked, history, what if."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from crmsync.cli.judgement_view import told
from crmsync.cli.language import LANG, say
from crmsync.cli.layout import cells, clean, fact_text, pad, table
from crmsync.cli.why_traces import TICKS, at, tier_rows, trace_lines
from crmsync.model.decision import (
    CriterionResult,
    Decision,
    Explanation,
    ScoreResult,
    StageResult,
    TierResult,
    UnknownCondition,
    Verdict,
)
from crmsync.model.fact import FactType
from crmsync.model.frozen import FrozenLines
from crmsync.model.ruleset import FactDefinition, Ruleset
from crmsync.model.scorecard import Criterion
from crmsync.model.service import ServiceValue
from crmsync.model.text import Text
from crmsync.project.explaining import Explained
from crmsync.project.frozen_view import lines_text

# Signs the score sheet uses where no line of a table was hit.
_HITS = {
    "otherwise": Text(zh="其余", en="otherwise"),
    "=": Text(zh="按评分", en="as given"),
}
_PLACES = {
    "exception": Text(zh="例外", en="exception"),
    "task": Text(zh="任务", en="task"),
    "segment": Text(zh="分群", en="segment"),
    "tier": Text(zh="等级表", en="table of tiers"),
}


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
    yield from _to_do(decision)
    if decision.score is not None:
        yield ""
        yield from score_sheet(decision.score, rules)
    yield from tier_rows(found)
    yield from _exceptions(found)
    yield from _segments(found)
    yield from _conditions(found, full=full)
    yield from _facts(found)
    yield from _open_points(decision, rules)
    if found.history:
        yield ""
        yield say("历史", "History")
        yield from (f"  {clean(past.to(LANG))}" for past in found.history)
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
            yield f"  {clean(move.text.to(LANG))}{at(move.span)}"
        for to, day in decision.lifecycle.waiting.items():
            label = rules.lifecycle.stage(to).label.to(LANG)
            yield say(f"  若持续，{day} 进入{label}", f"  if it lasts: {label} on {day}")
    level = rules.service.get(decision.service or "")
    if level is not None:
        yield pad(names[2], width) + " · ".join(map(_promise, level.values))


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
        known = "   ".join(f"{word} {_plain(line)}" for word, line in lines if line is not None)
        rows.append((say("得分", "score"), f"{_total(score)}   {known}".rstrip()))
    rows.append((say("为什么", "why"), clean(tier.text.to(LANG)) + at(tier.span)))
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


def score_sheet(score: ScoreResult, rules: Ruleset) -> list[str]:
    """Criterion, value, the line it hit, points of the maximum, and where the rule stands."""
    head = (
        say("  评分项", "  criterion"),
        say("取值", "value"),
        say("命中", "hit"),
        say("得分", "points"),
        say("规则", "rule"),
    )
    known = {item.id: item for card in rules.scorecards for item in card.criteria}
    rows = [head, *(_criterion(item, known.get(item.id)) for item in score.criteria)]
    most = sum((item.maximum for item in score.criteria), Decimal(0))
    rows.append((say("  合计", "  total"), "", "", f"{_total(score)}/{_plain(most)}", ""))
    return table(rows, align="lrlrl")


def _total(score: ScoreResult) -> str:
    return f"{score.low}" if score.low == score.high else f"{score.low}–{score.high}"


def _criterion(item: CriterionResult, rule: Criterion | None) -> tuple[str, ...]:
    points = f"{item.low}" if item.low == item.high else f"{item.low}–{item.high}"
    if item.maximum:
        points += f"/{_plain(item.maximum)}"
    value = say("缺失", "missing") if item.missing else ""
    if item.value is not None and not item.missing:
        value = fact_text(item.value, _type(rule))
    hit = (
        say("不计入", "left out")
        if not item.weight
        else _HITS.get(item.hit, Text.same(item.hit)).to(LANG)
    )
    band = rule.band(item.low) if rule is not None and item.low == item.high else None
    if band is not None and item.weight:
        hit += say(f"（{band.name}）", f" ({band.name})")
    place = item.span.short if item.span.line else ""
    return f"  {item.label.to(LANG)}", value, clean(hit), points, place


def _type(rule: Criterion | None) -> FactType | None:
    operands = () if rule is None else [of for way in rule.ways for of in way.operands]
    return operands[0].type if len(operands) == 1 else None


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _exceptions(found: Explained) -> Iterator[str]:
    """Every exception with its verdict; one that holds says where it stands."""
    traces = found.explanation.exceptions
    if not traces:
        return
    yield ""
    yield f"  {say('例外', 'exceptions')}"
    for _, trace in traces:
        place = at(trace.span) if trace.verdict is Verdict.TRUE else ""
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
        yield f"    {tick} {labels.get(name, name)}{at(trace.span)}"
        yield from trace_lines(trace, found, depth=3)


def _conditions(found: Explained, *, full: bool) -> Iterator[str]:
    """The moves out of the stage the day opened with and, when asked, the tasks."""
    shown = found.explanation
    if shown.moves:
        yield ""
        yield say("  从这个阶段出发", "  moves from this stage")
    for name, trace in shown.moves:
        yield f"    {TICKS[trace.verdict]} {_move(name, found.ruleset)}{at(trace.span)}"
        yield from trace_lines(trace, found, depth=3)
    if shown.tasks and full:
        yield ""
        yield say("  任务的条件", "  conditions of tasks")
        for name, trace in shown.tasks:
            yield f"    {TICKS[trace.verdict]} {name}{at(trace.span)}"
            yield from trace_lines(trace, found, depth=3)


def _move(id: str, rules: Ruleset) -> str:
    graph = rules.lifecycle
    for move in graph.moves if graph else ():
        if move.id == id and graph is not None:
            sources = say("、", ", ").join(graph.stage(s).label.to(LANG) for s in move.sources)
            return f"{sources} → {graph.stage(move.to).label.to(LANG)}"
    return id


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
    models = [*found.notes, *lines_text(found.ruleset)]
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
    ) + at(unknown.span)
