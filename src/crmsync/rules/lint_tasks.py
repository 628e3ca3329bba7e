"""Lints of tasks: spells that never end, events that never happen."""

from __future__ import annotations

from collections.abc import Iterator

from crmsync.model.condition import Compare, Comparison, Literal, Name
from crmsync.model.diagnostic import Diagnostic
from crmsync.model.ruleset import Ruleset
from crmsync.model.scorecard import Criterion, MissingPoints
from crmsync.model.task import (
    ACCOUNT_OWNER,
    EntersStage,
    EveryPeriod,
    FactDay,
    LeavesStage,
    OnDay,
    ScoreMissing,
    TaskRule,
    TierFalls,
    TierRises,
)
from crmsync.model.text import Text
from crmsync.rules.lint_lifecycle import reachable
from crmsync.source import warning


def lint_tasks(ruleset: Ruleset) -> Iterator[Diagnostic]:
    """Everything that is odd in the tasks."""
    asking = [item for card in ruleset.scorecards for item in card.criteria if _asks(item)]
    for task in ruleset.tasks:
        yield from _never_ends(task, ruleset)
        yield from _closes_at_once(task)
        reason = _never_happens(task, ruleset, asking)
        if reason is not None:
            yield warning(
                "RULE221",
                task.span,
                reason,
                Text(
                    zh="改 event，或补上它要等的规则",
                    en="Change the event, or add the rule it waits for.",
                ),
            )
        others = {*task.owner, task.fallback_owner} - {ACCOUNT_OWNER, None}
        if task.may_reassign_owner and not others:
            yield warning(
                "RULE223",
                task.span,
                Text(
                    zh=f"任务“{task.id}”写了 may_reassign_owner，但负责人就是客户现在的负责人",
                    en=f"the task “{task.id}” may reassign the owner, but its owner is the one the "
                    "customer has",
                ),
                Text(
                    zh="在 owner 写要接手的人或角色，或去掉 may_reassign_owner",
                    en="Name who takes over under owner, or remove may_reassign_owner.",
                ),
            )
        if "judge" in task.owner and not any(fact.judged_by for fact in ruleset.facts):
            yield warning(
                "RULE221",
                task.span,
                Text(
                    zh="负责人写了 judge，但没有哪个事实写了 judged_by",
                    en="the owner is judge, but no fact says judged_by",
                ),
                Text(
                    zh="换一个负责人，或给由人评分的事实写 judged_by",
                    en="Name another owner, or write judged_by at the fact people judge.",
                ),
            )
    if not any(isinstance(task.event, ScoreMissing) for task in ruleset.tasks):
        for criterion in asking:
            yield warning(
                "RULE221",
                criterion.span,
                Text(
                    zh=f"“{criterion.id}”缺分时要请人补评，但没有 event: score missing 的任务",
                    en=f"“{criterion.id}” asks for missing scores, but no task has "
                    "event: score missing",
                ),
                Text(
                    zh="加一个 event: score missing 的任务，或写 missing: hold",
                    en="Add a task with event: score missing, or write missing: hold.",
                ),
            )


def _asks(criterion: Criterion) -> bool:
    return criterion.missing is MissingPoints.ASK


def _never_ends(task: TaskRule, ruleset: Ruleset) -> Iterator[Diagnostic]:
    """One spell that swallows all later ones."""
    if isinstance(task.event, EveryPeriod) and "ever" in task.once_per:
        yield warning(
            "RULE212",
            task.span,
            Text(
                zh=f"任务“{task.id}”按周期发生，却只建一次（ever）：之后永不再建",
                en=f"the task “{task.id}” happens every period but is created once ever",
            ),
            Text(zh="写 once_per: customer, period", en="Write once_per: customer, period"),
        )
    if _yearly(task) and "ever" in task.once_per:
        yield warning(
            "RULE212",
            task.span,
            Text(
                zh=f"任务“{task.id}”每年都有，却只建一次（ever）：之后永不再建",
                en=f"the task “{task.id}” comes every year but is created once ever",
            ),
            Text(zh="去掉 ever：默认每个日子一次", en="Leave ever out: once for each such day."),
        )
    if task.result is not None and task.result.required and task.close_when is None:
        yield warning(
            "RULE221",
            task.span,
            Text(
                zh=f"任务“{task.id}”的结果必填，但没有 close_when：不会由 crmsync 关闭",
                en=f"the result of “{task.id}” is required, but without close_when crmsync never "
                "closes the task",
            ),
            Text(zh="加上 close_when", en="Add close_when."),
        )
    lacking = {"lifecycle spell": ruleset.lifecycle, "tier change": ruleset.tier}
    for spell, block in lacking.items():
        if spell in task.once_per and block is None:
            yield warning(
                "RULE212",
                task.span,
                Text(
                    zh=f"任务“{task.id}”按 {spell} 计次，但规则集里没有这一块：只会建一次",
                    en=f"the task “{task.id}” counts by {spell}, which this ruleset does not have: "
                    "it is created once ever",
                ),
                Text(
                    zh="改写 once_per: customer, ever，或加上这一块",
                    en="Write once_per: customer, ever, or add that block.",
                ),
            )


def _yearly(task: TaskRule) -> bool:
    return isinstance(task.event, OnDay) and not isinstance(task.event.of, FactDay)


def _closes_at_once(task: TaskRule) -> Iterator[Diagnostic]:
    match task.close_when:
        case Compare(comparison=Comparison.EQ, left=Name(id="lifecycle"), right=Literal() as stage):
            if isinstance(task.event, EntersStage) and task.event.stage == stage.value:
                yield warning(
                    "RULE212",
                    task.span,
                    Text(
                        zh=f"任务“{task.id}”一建立就满足 close_when，会立即关闭",
                        en=f"the task “{task.id}” meets close_when the moment it is created",
                    ),
                    Text(
                        zh=f"是不是 lifecycle is not {stage.value}？",
                        en=f"Is lifecycle is not {stage.value} meant?",
                    ),
                )


def _never_happens(task: TaskRule, ruleset: Ruleset, asking: list[Criterion]) -> Text | None:
    ranked = () if ruleset.tier is None else tuple(level.id for level in ruleset.tier.ranked)
    match task.event:
        case ScoreMissing() if not asking:
            return Text(
                zh="没有评分项写了 missing: ask，这个事件不会发生",
                en="no criterion says missing: ask, so this event never happens",
            )
        case EntersStage(stage=stage) | LeavesStage(stage=stage):
            if ruleset.lifecycle is not None and stage not in reachable(ruleset.lifecycle):
                return Text(
                    zh=f"阶段“{stage}”到不了，这个事件不会发生",
                    en=f"the stage “{stage}” is never reached, so this event never happens",
                )
        case TierRises(to=target) if target is not None and ranked and target == ranked[-1]:
            return Text(
                zh=f"“{target}”是最低一级，不会升到这里",
                en=f"“{target}” is the lowest level: nobody rises to it",
            )
        case TierFalls(to=target) if target is not None and ranked and target == ranked[0]:
            return Text(
                zh=f"“{target}”是最高一级，不会降到这里",
                en=f"“{target}” is the best level: nobody falls to it",
            )
    return None
