"""What editors know of the smaller blocks: newcomers, the season, groups, people's edits."""

from __future__ import annotations

from crmsync.model.group import GroupTier
from crmsync.model.merge import MergedOverrides, MergedSince, MergedTasks, MergedTier
from crmsync.rules.json_schema.parts import (
    DURATION,
    SCALAR,
    TEXT,
    WORDS,
    YES_NO,
    Schema,
    block,
    hover,
    mapping,
    one_of,
    ref,
)


def smaller() -> dict[str, Schema]:
    """Top-level key → its schema."""
    newcomer = {
        "for": hover(
            TEXT,
            "多久算新客户，如 90 days after first_order_on",
            "Who counts as new, such as 90 days after first_order_on.",
        ),
        "at_least": hover(TEXT, "保底等级", "The tier it has at least."),
        "no_demotion": hover(YES_NO, "不降级", "It never falls."),
    }
    group = {
        "by": hover(TEXT, "存放上级编号的事实", "The fact that holds the parent's id."),
        "sum": hover(WORDS, "全集团相加的事实", "Facts added up over the group."),
        "tier": hover(
            one_of(item.value for item in GroupTier), "集团内的等级", "Whose tier members have."
        ),
    }
    edits = {
        "human_edits": hover(
            one_of(["conflict", "adopt"]), "人工改动：冲突或采纳", "A conflict, or adopted."
        ),
        "adopt_for": hover(DURATION, "采纳多久", "How long an edit stays adopted."),
    }
    return {
        "applies_to": hover(ref("condition"), "规则管哪些客户", "The customers the rules are for."),
        "scope": hover(
            mapping(SCALAR),
            "业务线，如 {产品线: 工业}；两套规则不写同一客户的同一字段",
            "A business line, such as {line: industry}; no two rulesets write one field of one "
            "customer.",
        ),
        "newcomer": hover(block(newcomer, required=["for"]), "新客户", "New customers."),
        "active_months": hover(
            SCALAR,
            "旺季月份，如 3..9；其余时间钟表停走",
            "The months of trade, such as 3..9; clocks stop outside them.",
        ),
        "group": hover(block(group, required=["by"]), "集团客户", "Groups of companies."),
        "overrides": hover(block(edits), "人工改动", "Edits people make in the CRM."),
        "on_merge": hover(
            block(_merge()),
            "CRM 里两个客户合并后，crmsync 的记录怎么归到保留的客户",
            "What goes to the survivor when two customers were merged in the CRM.",
        ),
    }


def _merge() -> dict[str, Schema]:
    return {
        "tier": hover(
            one_of(MergedTier),
            "合并后的等级：higher 取两者中较高的（默认），survivor 取保留记录自己的",
            "The tier afterwards: the higher of both (default), or the survivor's own.",
        ),
        "since": hover(
            one_of(MergedSince),
            "等级从哪天算起：earlier 取两者中较早的（默认），survivor 随等级来自的那条记录",
            "From when the tier counts: the earlier of both days (default), or the day that goes "
            "with the tier.",
        ),
        "overrides": hover(
            one_of(MergedOverrides),
            "被并掉的客户上的人工指定：keep 转给保留的客户（默认），drop 随之结束",
            "Overrides on the record that vanished: they go to the survivor (default), or end.",
        ),
        "tasks": hover(
            one_of(MergedTasks),
            "两边都开着的同一规则的任务：close doubles 留较早的，关掉其余（默认），keep 都留着",
            "Open tasks of one rule on both: close the newer ones (default), or keep all.",
        ),
    }
