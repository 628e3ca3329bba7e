"""The schema of ``rules.yaml`` and of ``rules.test.yaml``."""

from __future__ import annotations

from crmsync.model.decision import Because
from crmsync.rules.header import RECORDS
from crmsync.rules.json_schema import deciding
from crmsync.rules.json_schema.models import cut_points, models, table_keys
from crmsync.rules.json_schema.parts import (
    CONDITION,
    DATE,
    SCALAR,
    TEXT,
    WORDS,
    YES_NO,
    Schema,
    block,
    document,
    hover,
    items,
    mapping,
    one_of,
    ref,
    suggested,
)
from crmsync.rules.json_schema.scoring import facts, scores
from crmsync.rules.json_schema.smaller import smaller
from crmsync.rules.shape import LANGUAGES


def rules_schema() -> Schema:
    """Everything a ``rules.yaml`` may say."""
    top = {
        "ruleset": hover(TEXT, "规则集的名称", "The name of the ruleset."),
        "version": hover(
            {"type": "integer", "minimum": 1}, "版本号", "Its version; raise it with every edit."
        ),
        "title": hover(TEXT, "标题", "Its title."),
        "record": hover(one_of(RECORDS), "CRM 里的对象", "The object in the CRM."),
        "languages": hover(
            {"anyOf": [one_of(LANGUAGES), items(one_of(LANGUAGES))]},
            "双语文字的次序",
            "The order of texts in two languages.",
        ),
        "time_zone": hover(TEXT, "时区，如 Asia/Shanghai", "The time zone, such as Asia/Shanghai."),
        "currency": hover(TEXT, "货币，如 CNY", "The currency, such as CNY."),
        "workdays": hover(
            TEXT, "工作日历的国家，如 CN", "The country of the work calendar, such as CN."
        ),
        "year_starts": hover(
            SCALAR, "一年从几月开始，如 4月", "The month a year begins in, such as April."
        ),
        "facts": hover(mapping(ref("fact")), "规则可以看的事实", "What rules may look at."),
        "score": hover(items(ref("criterion")), "评分卡", "The scorecard."),
        "scorecards": hover(
            items(ref("scorecard")), "几张评分卡，按条件选用", "Scorecards chosen by condition."
        ),
        "rfm": hover(
            ref("rfm"), "RFM：给出 rfm_ 开头的事实", "RFM: gives the facts that begin with rfm_."
        ),
        "clv": hover(
            ref("clv"), "客户终身价值：给出 clv 事实", "Lifetime value: gives the facts of clv."
        ),
        "tier": hover(ref("tier"), "客户等级", "The tiers of customers."),
        "lifecycle": hover(ref("lifecycle"), "生命周期", "The stages of a customer's life."),
        **smaller(),
        "segments": hover(
            items(ref("segment")), "客户群，可同时属于几个", "Groups; a customer may be in several."
        ),
        "service": hover(ref("service"), "各等级的服务标准", "What each tier is entitled to."),
        "tasks": hover(ref("tasks"), "要建的任务", "The tasks to create."),
        "guards": hover(
            ref("guards"), "变动上限，超过就停下", "Limits beyond which a plan is held."
        ),
    }
    definitions = {
        "condition": CONDITION,
        **facts(),
        **scores(table_keys()),
        **models(),
        **deciding.tiers(),
        **deciding.stages(),
        **deciding.services(),
        **deciding.tasks(),
        **deciding.guards(),
    }
    needed = ("ruleset", "version", "record", "time_zone", "workdays", "facts")
    return document("crmsync rules.yaml", block(top, required=needed), definitions)


def cases_schema() -> Schema:
    """Everything a ``rules.test.yaml`` may say."""
    judged = {
        "value": hover(SCALAR, "评分", "What was given."),
        "author": hover(TEXT, "谁评的", "Who gave it."),
        "date": hover(DATE, "哪天评的", "The day it was given."),
        "remark": hover(TEXT, "备注", "The remark."),
    }
    known = mapping({"anyOf": [SCALAR, {"type": "null"}, block(judged, required=["value"])]})
    day = hover(DATE, "日期", "A day.")
    cuts = hover(
        mapping({"anyOf": [SCALAR, mapping(SCALAR)]}),
        "按人群划的等级线在这里是多少",
        "Where the lines drawn across the population lie.",
    )
    case = block(
        {
            "name": hover(TEXT, "用例的名字", "The name of the case."),
            "today": day,
            "facts": hover(known, "这位客户的事实", "What is known of the customer."),
            "before": hover(block(_before(day)), "评估前的状态", "Where it stood before."),
            "cut_points": hover(
                cut_points(), "只用于本例的切点", "Cut points for this case alone."
            ),
            "cut_lines": cuts,
            "parent_tier": hover(TEXT, "上级客户的等级", "The tier of the parent."),
            "review": hover(one_of(["released"]), "已放行复核", "A review was released."),
            "expect": hover(block(_expect()), "应得的结果", "What must come out."),
        },
        required=["name", "facts", "expect"],
    )
    top = {
        "cut_lines": cuts,
        "ruleset": hover(TEXT, "属于哪个规则集", "The ruleset these cases are of."),
        "today": day,
        "cases": hover(items(ref("case")), "用例", "The cases."),
    }
    return document("crmsync rules.test.yaml", block(top, required=["cases"]), {"case": case})


def _before(day: Schema) -> dict[str, Schema]:
    return {
        "tier": hover(TEXT, "原等级", "The tier before."),
        "tier_since": day,
        "lifecycle": hover(TEXT, "原阶段", "The stage before."),
        "lifecycle_since": day,
        "below_keep_since": hover(
            DATE, "自何日起低于保级线", "Since when it is below the keep line."
        ),
        "lifecycle_pending": hover(
            mapping(DATE), "等待中的移动", "Moves that wait, and since when."
        ),
        "evaluated": hover(DATE, "上次评估日", "The day it was last evaluated."),
        "episodes": hover(
            {"anyOf": [mapping(DATE), *WORDS["anyOf"]]},
            "已开着的任务，可写开始日",
            "Tasks already open, and since when.",
        ),
        "segments": hover(WORDS, "原有的客户群", "The segments before."),
        "held": hover(mapping(SCALAR), "上次条件是否成立", "Which conditions held last time."),
    }


def _expect() -> dict[str, Schema]:
    return {
        "score": hover(SCALAR, "得分，或如 60..70 的区间", "The score, or a range such as 60..70."),
        "tier": hover(TEXT, "应得的等级", "The tier it must get."),
        "tier_because": hover(
            suggested(item.value for item in Because), "为什么", "Why the tier is so."
        ),
        "lifecycle": hover(TEXT, "应在的阶段", "The stage it must be in."),
        "segments": hover(WORDS, "应属的客户群", "The segments it must be in."),
        "tasks": hover(WORDS, "恰好新建的任务", "Exactly the tasks that open."),
        "closes": hover(WORDS, "关闭的任务", "The tasks that close."),
        "service": hover(TEXT, "服务标准所属等级", "The tier whose service it gets."),
        "applies": hover(YES_NO, "是否在规则的范围内", "Whether the rules are for it at all."),
        "notice": hover(TEXT, "预告将降到的等级", "The tier a fall is announced to."),
    }
