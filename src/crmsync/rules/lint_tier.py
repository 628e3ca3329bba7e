"""Lints of tiers: lines no score reaches, exceptions that cancel each other, missing service."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from decimal import Decimal
from itertools import combinations

from crmsync.model.diagnostic import Diagnostic, Label
from crmsync.model.ruleset import Ruleset
from crmsync.model.text import Text
from crmsync.model.tier import ExceptionAction, Level, TierException, TierRules, TierTable
from crmsync.source import error, warning


def lint_tier(ruleset: Ruleset) -> Iterator[Diagnostic]:
    """Everything that is odd in the tier block and its service levels."""
    tier = ruleset.tier
    if tier is None:
        return
    yield from _reachable(ruleset, tier)
    yield from _change(tier)
    yield from _exceptions(tier, ruleset.departures)
    served = {level.tier for level in ruleset.service.values()}
    for level in tier.levels:
        if level.id not in served:
            yield warning(
                "RULE207",
                level.span,
                Text(
                    zh=f"等级“{level.id}”没有服务标准",
                    en=f"the tier “{level.id}” has no service level",
                ),
                Text(
                    zh=f"在 service 下加一行 {level.id}: {{…}}；没有配套服务的等级没有用处",
                    en=f"Add {level.id}: {{…}} under service; a tier nothing follows from is idle.",
                ),
            )


def _reachable(ruleset: Ruleset, tier: TierRules) -> Iterator[Diagnostic]:
    totals = [
        sum((criterion.maximum for criterion in card.criteria), Decimal(0))
        for card in ruleset.scorecards
    ]
    total = max(totals, default=Decimal(0))
    if tier.of is None and tier.cuts and not totals:
        yield error(
            "RULE264",
            tier.span,
            Text(
                zh="没有评分卡，也没有 of：不知道按什么排名",
                en="there is neither a scorecard nor of: nothing to rank customers by",
            ),
            Text(zh="写 of: 事实，或写评分卡", en="Write of: and a fact, or a scorecard."),
        )
    lifted = {
        item.level
        for item in ruleset.departures
        if item.action in {ExceptionAction.SET, ExceptionAction.AT_LEAST}
    }
    for level in tier.levels:
        if level.by_exception_only:
            if level.id not in {
                item.level for item in tier.exceptions if item.action is ExceptionAction.SET
            }:
                yield warning(
                    "RULE206",
                    level.span,
                    Text(
                        zh=f"等级“{level.id}”只由例外设定，但没有例外设定它",
                        en=f"“{level.id}” is set by exceptions only, and no exception sets it",
                    ),
                    Text(zh=f"写一个 set: {level.id} 的例外", en=f"Write one with set: {level.id}"),
                )
        elif tier.table is not None:
            yield from _in_table(level, tier.table, lifted)
        elif (
            tier.of is None
            and level.enter is not None
            and level.enter > total
            and level.id not in lifted
        ):
            yield error(
                "RULE206",
                level.span,
                Text(
                    zh=f"等级“{level.id}”达不到：升级线 {level.enter} 高于满分 {total}",
                    en=f"“{level.id}” can never be reached: its enter line {level.enter} is above "
                    f"the full score {total}",
                ),
                Text(zh="降低升级线", en="Lower the enter line."),
            )


def _in_table(level: Level, table: TierTable, lifted: AbstractSet[str]) -> Iterator[Diagnostic]:
    if level.id in lifted or any(row.level == level.id for row in table.rows):
        return
    yield error(
        "RULE206",
        level.span,
        Text(
            zh=f"等级“{level.id}”达不到：{table.file} 没有一行给出它",
            en=f"“{level.id}” can never be reached: no row of {table.file} gives it",
        ),
        Text(zh="加一行，或去掉这个等级", en="Add a row, or remove the level."),
    )


def _change(tier: TierRules) -> Iterator[Diagnostic]:
    patience = tier.down.demote_after
    if patience.evaluations is not None:
        yield warning(
            "RULE217",
            tier.down.span,
            Text(
                zh=f"demote_after 按评估次数（{patience.evaluations} 次）计：每天运行就是每天一次",
                en=f"demote_after counts evaluations ({patience.evaluations}): a daily job makes "
                "one a day",
            ),
            Text(zh="通常应写天数，例如 30 days", en="Days are usually meant, such as 30 days."),
        )
    if 0 < tier.down.grace <= tier.down.hold:
        yield warning(
            "RULE222",
            tier.down.span,
            Text(
                zh=f"grace {tier.down.grace} 天不起作用：hold {tier.down.hold} 天更长",
                en=f"grace of {tier.down.grace} days does nothing: hold ({tier.down.hold} days) "
                "is as long or longer",
            ),
            Text(zh="把 grace 设得比 hold 长，或去掉它", en="Make grace longer, or remove it."),
        )
    calm = patience.days or patience.evaluations or tier.down.hold or tier.down.at_review
    table = tier.table
    if table is not None and not calm and all(row.keep == row.level for row in table.rows):
        yield warning(
            "RULE218",
            table.span,
            Text(
                zh=f"{table.file} 没有可保住的等级，又不等待：数据稍有波动就会来回变",
                en=f"{table.file} keeps nothing and waits for nothing: a fact that wobbles makes "
                "tiers flap",
            ),
            Text(
                zh="加一列“保级”（keep），或写 demote_after",
                en="Add a column “keep”, or write demote_after.",
            ),
        )
    for level in tier.ranked:
        if level.enter is not None and level.enter == level.keep and not calm:
            yield warning(
                "RULE218",
                level.span,
                Text(
                    zh=f"“{level.id}”的保级线等于升级线，又不等待：分数稍有波动就会来回变",
                    en=f"“{level.id}” keeps at its enter line and waits for nothing: a score that "
                    "wobbles makes it flap",
                ),
                Text(
                    zh="把 keep 设低几分，或写 demote_after",
                    en="Set keep a few points lower, or write demote_after.",
                ),
            )


def _exceptions(tier: TierRules, exceptions: tuple[TierException, ...]) -> Iterator[Diagnostic]:
    ranks = {level.id: place for place, level in enumerate(tier.ranked)}
    lowest = len(ranks) - 1
    for item in exceptions:
        rank = ranks.get(item.level)
        if (item.action is ExceptionAction.AT_MOST and rank == 0) or (
            item.action is ExceptionAction.AT_LEAST and rank == lowest
        ):
            yield warning(
                "RULE211",
                item.span,
                Text(
                    zh=f"例外“{item.id}”不起作用：{item.action} {item.level} 什么也不限制",
                    en=f"the exception “{item.id}” changes nothing: {item.action} {item.level} "
                    "limits nothing",
                ),
                Text(
                    zh="换一个等级，或去掉这条例外",
                    en="Name another tier, or remove the exception.",
                ),
            )
    for first, second in combinations(exceptions, 2):
        if first.when == second.when:
            yield from _same_condition(first, second, ranks)


def _same_condition(
    first: TierException, second: TierException, ranks: dict[str, int]
) -> Iterator[Diagnostic]:
    actions = {first.action, second.action}
    if ExceptionAction.SET in actions:
        if first.action is second.action and first.level == second.level:
            return
        zh, en = "只有 set 起作用", "only the set one counts"
        if first.action is second.action:
            zh, en = "只有前一个起作用", "only the first counts"
    elif len(actions) == 2:
        low = first if first.action is ExceptionAction.AT_LEAST else second
        cap = second if low is first else first
        if ranks.get(low.level, 0) >= ranks.get(cap.level, 0):
            return
        zh, en = "封顶低于保底，以封顶为准", "the cap is below the floor, and the cap wins"
    else:
        return
    yield error(
        "RULE211",
        second.span,
        Text(
            zh=f"例外“{first.id}”和“{second.id}”条件相同而互相矛盾：{zh}",
            en=f"the exceptions “{first.id}” and “{second.id}” have the same condition and "
            f"contradict each other: {en}",
        ),
        Text(zh="去掉一个，或改条件", en="Remove one, or change its condition."),
        labels=(Label(first.span, Text(zh="另一个例外", en="the other exception")),),
    )
