"""What editors know of tiers, stages, segments, services, tasks and guards."""

from __future__ import annotations

from crmsync.model.task import Priority
from crmsync.model.tier import ExceptionAction
from crmsync.rules.events import EXAMPLES
from crmsync.rules.guards import COUNT_OR_SHARE, DAYS, PAIRS, SHARE_ONLY
from crmsync.rules.json_schema.models import table_keys
from crmsync.rules.json_schema.parts import (
    DATE,
    DURATION,
    SCALAR,
    TEXT,
    WHOLE,
    WORDS,
    YES_NO,
    Schema,
    block,
    every,
    hover,
    items,
    mapping,
    one_of,
    ref,
    suggested,
)
from crmsync.rules.json_schema.scoring import ID, LABEL, WHEN
from crmsync.rules.service import COLUMNS
from crmsync.rules.tasks import ONCE_PER

LINE: Schema = {"type": ["number", "string"]}
_ACTIONS = {
    ExceptionAction.SET: ("直接定为", "The tier it sets; nothing else counts then."),
    ExceptionAction.AT_LEAST: ("保底", "The tier it lifts to at least."),
    ExceptionAction.AT_MOST: ("封顶", "The tier it caps at."),
}
_REASSIGNS = (
    "建任务时把客户的负责人改成任务的负责人；不写就绝不改",
    "With the task the customer goes to the task's owner; without it, never.",
)
_GUARDS = {
    "records_changed": ("改动的客户", "customers changed"),
    "tier_changes": ("等级变动", "changes of tier"),
    "demotions": ("降级", "demotions"),
    "demotions_by_pair": ("每一对等级之间的降级", "demotions of each pair of tiers"),
    "first_assignments": ("首次定级", "first assignments"),
    "new_tasks": ("新任务", "new tasks"),
    "tasks_per_owner": ("每位负责人的新任务", "new tasks of one owner"),
    "population_shrink": ("客户总数减少", "fewer customers than before"),
    "missing_rise": ("缺失数据增多", "more missing facts than before"),
    "rule_edit": ("规则改动的影响", "what an edit of the rules changes"),
    "tier_shift": ("某一等级的增减", "what one tier gains or loses"),
    "source_age": ("数据来源的天数", "the age of a source in days"),
}


def tiers() -> dict[str, Schema]:
    """Levels, their change, and exceptions."""
    days = "days"
    down = {
        "demote_after": hover(
            DURATION,
            "低于保级线多久才降级，默认 30 days",
            "How long below the keep line before a fall; 30 days by default.",
        ),
        "hold": hover(DURATION, "变动后保持多久", f"How many {days} a change is held."),
        "grace": hover(
            DURATION,
            "首次定级后多久不降级",
            "How long after the first assignment nobody falls.",
        ),
        "max_step": hover(WHOLE, "一次最多几级", "The most levels at once."),
        "when": hover(
            one_of(["any time", "at review"]),
            "随时，或只在放行复核时降级",
            "Falls at any time, or only at a released review.",
        ),
        "notice": hover(DURATION, "提前多久预告降级", "How long before a fall it is announced."),
    }
    up = {key: down[key] for key in ("hold", "max_step")}
    return {
        "level": block(
            {
                "id": ID,
                "label": LABEL,
                "enter": hover(LINE, "升级线：达到即升入", "The line to enter it."),
                "keep": hover(
                    LINE,
                    "保级线：不低于它就不降，通常比升级线低几分",
                    "The line to keep it, a few points below enter.",
                ),
                "by_exception_only": hover(
                    YES_NO, "只由例外设定，没有高低", "Set by exceptions only; it has no rank."
                ),
            },
            required=["id"],
        ),
        "change": block(
            {
                **down,
                "up": hover(block(up), "升级的节奏", "How tiers rise."),
                "down": hover(block(down), "降级的节奏", "How tiers fall."),
            }
        ),
        **_blocks(),
    }


def _blocks() -> dict[str, Schema]:
    return {
        "exception": block(
            {
                "id": ID,
                "reason": hover(TEXT, "写进 CRM 的理由", "The reason written to the CRM."),
                "when": WHEN,
                **{action.value: hover(TEXT, *_ACTIONS[action]) for action in ExceptionAction},
            },
            required=["id", "when"],
        ),
        "tier": block(
            {
                "levels": hover(
                    items(ref("level")), "等级，从高到低", "The levels, the best one first."
                ),
                **table_keys(),
                "of": hover(
                    SCALAR, "按哪个事实定级，代替评分", "The fact tiers go by, instead of points."
                ),
                "change": hover(ref("change"), "升降的节奏", "How fast tiers change."),
                "exceptions": hover(
                    items(ref("exception")), "例外，如黑名单", "Exceptions, such as a blacklist."
                ),
            },
            required=["levels"],
        ),
    }


def stages() -> dict[str, Schema]:
    """The lifecycle and segments."""
    return {
        "move": block(
            {
                "id": ID,
                "from": hover(WORDS, "从哪些阶段", "The stages it leads from."),
                "to": hover(TEXT, "到哪个阶段", "The stage it leads to."),
                "when": WHEN,
                "lasting": hover(
                    DURATION, "条件要持续多久", "How long the condition must have held."
                ),
            },
            required=["from", "to", "when"],
        ),
        "lifecycle": block(
            {
                "start": hover(TEXT, "新客户的阶段", "The stage of a new customer."),
                "stages": hover(
                    mapping(TEXT), "阶段，写成“名称: 中文 | English”", "“name: 中文 | English”."
                ),
                "moves": hover(
                    items(ref("move")),
                    "合法的移动；第一条成立的生效",
                    "Every legal move; the first that fits is made.",
                ),
            },
            required=["start", "stages"],
        ),
        "segment": block({"id": ID, "label": LABEL, "when": WHEN}, required=["id", "when"]),
    }


def services() -> dict[str, Schema]:
    """What a tier is entitled to; columns of the ruleset's own are free."""
    known = {
        name: hover(
            SCALAR if column.words is None else suggested(column.words),
            column.label.zh,
            f"{column.label.en[:1].upper()}{column.label.en[1:]}.",
        )
        for name, column in COLUMNS.items()
    }
    entitled = {"type": "object", "properties": known, "additionalProperties": SCALAR}
    columns = mapping({"anyOf": [TEXT, items(SCALAR)]})
    return {
        "entitlement": entitled,
        "service": {
            "type": "object",
            "properties": {
                "columns": hover(columns, "自定义的服务项", "Entitlements of your own."),
                **table_keys(),
            },
            "additionalProperties": hover(
                ref("entitlement"), "这一等级的服务标准", "What this tier is entitled to."
            ),
        },
    }


def tasks() -> dict[str, Schema]:
    """Task rules, and what stands around them."""
    start = hover(DATE, "这一天之前不建任务", "No task before this day.")
    capacity = hover(
        {"type": "integer", "minimum": 1},
        "每位负责人每天最多几个，其余顺延",
        "The most tasks of one owner for one day; the rest is dated later.",
    )
    rule = {
        "id": ID,
        "was": hover(TEXT, "改名前的名称", "What the task was called before."),
        "title": hover(
            TEXT,
            "标题，可用 {name}、{tier} 和事实",
            "The title; it may name {name}, {tier} and facts.",
        ),
        "event": hover(suggested(EXAMPLES), "何时发生", "What makes it happen."),
        "when": WHEN,
        "owner": hover(WORDS, "负责人，第一位在职的人得到", "Who gets it: the first active one."),
        "fallback_owner": hover(TEXT, "都不在时给谁", "Who gets it when none of them is there."),
        "due": hover(DURATION, "期限，如 2 workdays", "When it is due, such as 2 workdays."),
        "priority": hover(one_of(p.value for p in Priority), "优先级", "How urgent it is."),
        "once_per": hover(
            {"anyOf": [suggested(ONCE_PER), items(one_of(ONCE_PER))]},
            "什么算同一次，只建一个",
            "What counts as one occasion, with one task.",
        ),
        "close_when": hover(
            ref("condition"), "何时由 crmsync 关闭", "When crmsync closes it by itself."
        ),
        "counts_as_done": hover(
            ref("condition"),
            "何时算已做过，不再建",
            "What counts as done already, so that none is made.",
        ),
        "via": hover(TEXT, "渠道", "The channel."),
        "result": _result(),
        "may_reassign_owner": hover(YES_NO, *_REASSIGNS),
        "for_each": _for_each(),
        "start": start,
        "capacity": capacity,
    }
    whole = {
        "start": start,
        "capacity": capacity,
        "rules": hover({"anyOf": [items(ref("task")), ref("task")]}, "任务规则", "The task rules."),
    }
    return {
        "task": {
            **block({**rule, **table_keys()}),
            "anyOf": [
                {"required": ["table"]},
                {"required": ["id", "title", "event", "owner", "due"]},
            ],
        },
        "tasks": {"anyOf": [items(ref("task")), block(whole, required=["rules"]), ref("task")]},
    }


def _for_each() -> Schema:
    return hover(
        block(
            {
                "related": hover(TEXT, "映射里的关联", "A relation of the mapping."),
                "where": hover(ref("condition"), "只为哪些人", "For which of them."),
            },
            required=["related"],
        ),
        "为客户名下的每个人各建一个任务，标题可用 {person}",
        "A task for each person below the customer; its title may name {person}.",
    )


def _result() -> Schema:
    return hover(
        block(
            {
                "field": hover(TEXT, "结果填进哪个事实", "The fact the result fills in."),
                "choices": hover(WORDS, "可选的结果", "The possible results."),
                "required": hover(YES_NO, "必须有结果才能关闭", "No closing without one."),
            },
            required=["field"],
        ),
        "任务要查明的结果",
        "What the task is to find out.",
    )


def guards() -> dict[str, Schema]:
    """Limits; every one the reader knows."""
    declared = (*COUNT_OR_SHARE, *SHARE_ONLY, *DAYS, PAIRS)
    known = {
        name: hover(
            {"anyOf": [SCALAR, mapping(SCALAR)]} if name == PAIRS else SCALAR,
            f"上限：{zh}",
            f"Limit: {en}.",
        )
        for name, (zh, en) in _GUARDS.items()
    }
    return {"guards": block(every(declared, known))}
