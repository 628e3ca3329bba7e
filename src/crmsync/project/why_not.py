"""Why not: what keeps one customer from a tier, a stage or a task that somebody expected."""

from __future__ import annotations

from collections.abc import Iterator

from crmsync.errors import UsageError
from crmsync.evaluate.wording import points
from crmsync.model.decision import Because, CriterionResult, Trace, Verdict
from crmsync.model.lifecycle import LifecycleRules
from crmsync.model.task import TaskRule
from crmsync.model.text import Text
from crmsync.model.tier import Level, TierRules
from crmsync.project.explaining import Explained

LOST = 3
"""Criteria named: those that lost the most points."""


def why_not(found: Explained, wanted: str) -> tuple[Text, ...]:
    """Reasons against the tier, stage or task of that id or label; raises UsageError.

    An answer for what the customer has already says so.
    """
    rules = found.ruleset
    tier, cycle = rules.tier, rules.lifecycle
    for level in () if tier is None else tier.levels:
        if wanted in (level.id, *level.label.all()) and tier is not None:
            return tuple(_tier(found, tier, level))
    for stage in () if cycle is None else cycle.stages:
        if wanted in (stage.id, *stage.label.all()) and cycle is not None:
            return tuple(_stage(found, cycle, stage.id))
    for task in rules.tasks:
        if wanted == task.id:
            return tuple(_task(found, task))
    known = [
        *(level.id for level in (() if tier is None else tier.levels)),
        *(stage.id for stage in (() if cycle is None else cycle.stages)),
        *(task.id for task in rules.tasks),
    ]
    raise UsageError(
        Text(
            zh=f"没有等级、阶段或任务“{wanted}”", en=f"no tier, stage or task is called “{wanted}”"
        ),
        mend=Text(zh="可选：" + "、".join(known), en="There are: " + ", ".join(known)),
    )


# ── tier ───────────────────────────────────────────────────────────────────────────────────────


def _tier(found: Explained, rules: TierRules, level: Level) -> Iterator[Text]:
    decision = found.explanation.decision
    result = decision.tier
    if result is None or result.after == level.id:
        yield Text(zh=f"已经是{level.label.zh}", en=f"it is {level.label.en} already")
        return
    if level.by_exception_only:
        yield from _by_exception(found, rules, level)
        return
    score = decision.score
    if score is not None and level.enter is not None and score.high < level.enter:
        short = points(level.enter - score.high)
        yield Text(
            zh=f"{points(score.high)} 分 < 升级线 {points(level.enter)}，还差 {short} 分",
            en=f"{points(score.high)} points < enter line {points(level.enter)}: {short} short",
        )
        yield from (_lost(line) for line in _most_lost(score.criteria))
    elif rules.table is not None or result.because != Because.ENTER_LINE:
        yield result.text
        yield from _rows(found, rules, level)
    yield from (
        Text(
            zh=f"例外“{item.reason.zh}”：{item.action} {rules.level(item.level).label.zh}",
            en=f"the exception “{item.reason.en}”: "
            f"{item.action} {rules.level(item.level).label.en}",
        )
        for item in rules.exceptions
        if item.id in decision.exceptions
    )
    ranks = {it.id: rank for rank, it in enumerate(rules.ranked)}
    yield from (
        item.text
        for item in found.explanation.what_if
        if ranks.get(item.tier, len(ranks)) <= ranks[level.id] and item.tier != result.after
    )


def _rows(found: Explained, rules: TierRules, level: Level) -> Iterator[Text]:
    """The nearest rows of a table that give the tier or a better one, with what they lack."""
    ranks = {it.id: rank for rank, it in enumerate(rules.ranked)}
    traces = dict(found.explanation.rows)
    crossed = [
        (row, list(_crossed(found, traces[row.number])))
        for row in (() if rules.table is None else rules.table.rows)
        if ranks[row.level] <= ranks[level.id] and row.number in traces
    ]
    nearest = sorted(
        (item for item in crossed if item[1]), key=lambda it: (-ranks[it[0].level], len(it[1]))
    )
    for row, lacking in nearest[:LOST]:
        zh, en = "；".join(it.zh for it in lacking), "; ".join(it.en for it in lacking)
        yield Text(
            zh=f"{row.span.short} 第 {row.number} 行（{row.text}）：{zh}",
            en=f"{row.span.short} row {row.number} ({row.text}): {en}",
        )


def _most_lost(lines: tuple[CriterionResult, ...]) -> list[CriterionResult]:
    losing = [line for line in lines if line.low < line.maximum]
    return sorted(losing, key=lambda line: line.low - line.maximum)[:LOST]


def _lost(line: CriterionResult) -> Text:
    got, most = points(line.low), points(line.maximum)
    hit = "" if line.missing else f" ({line.hit})"
    return Text(
        zh=f"{line.label.zh} 只得 {got}/{most}{'（缺数据）' if line.missing else hit}",
        en=f"{line.label.en} gives only {got} of {most}{' (no data)' if line.missing else hit}",
    )


def _by_exception(found: Explained, rules: TierRules, level: Level) -> Iterator[Text]:
    traces = dict(found.explanation.exceptions)
    for item in rules.exceptions:
        if item.level == level.id and item.id in traces:
            yield from _crossed(found, traces[item.id])


# ── stage and task ─────────────────────────────────────────────────────────────────────────────


def _stage(found: Explained, rules: LifecycleRules, stage: str) -> Iterator[Text]:
    result = found.explanation.decision.lifecycle
    label = rules.stage(stage).label
    if result is None or result.after == stage:
        yield Text(zh=f"已经在{label.zh}", en=f"it is in {label.en} already")
        return
    here = rules.stage(result.before or rules.start)
    moves = [move for move in rules.moves if move.to == stage and here.id in move.sources]
    if not moves:
        ways = [
            rules.stage(s).label for move in rules.moves if move.to == stage for s in move.sources
        ]
        zh, en = "、".join(way.zh for way in ways), ", ".join(way.en for way in ways)
        yield Text(
            zh=f"从{here.label.zh}不能直接到{label.zh}，只能从：{zh}",
            en=f"no move leads from {here.label.en} to {label.en}; it is reached from: {en}",
        )
        return
    traces = dict(found.explanation.moves)
    for move in moves:
        if stage in result.waiting:
            due = result.waiting[stage]
            yield Text(zh=f"要持续 {move.lasting} 天，{due} 到期", en=f"it must last until {due}")
        elif move.id in traces:
            yield from _crossed(found, traces[move.id])


def _task(found: Explained, task: TaskRule) -> Iterator[Text]:
    decision = found.explanation.decision
    if any(item.task_id == task.id for item in decision.opens):
        yield Text(zh="今天就会新建", en="it opens today")
        return
    trace = dict(found.explanation.tasks).get(task.id)
    crossed = [] if trace is None else list(_crossed(found, trace))
    yield from crossed
    if not crossed:
        yield Text(
            zh="它的事件今天没有发生，或这一次已经建过",
            en="its event does not happen today, or it was created for this occasion already",
        )


def _crossed(found: Explained, trace: Trace) -> Iterator[Text]:
    """The leaves of a condition that do not hold, with the values they were decided on."""
    if trace.verdict is Verdict.TRUE:
        return
    if trace.parts:
        for part in trace.parts:
            yield from _crossed(found, part)
        return
    words = found.words(trace)
    mark = "？" if trace.verdict is Verdict.UNKNOWN else "✗"
    yield Text(zh=f"{mark} {words.zh}", en=f"{mark if mark == '✗' else '?'} {words.en}")
