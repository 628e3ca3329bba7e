"""The schema of mappings and of ``crmsync.yaml``: keys as their readers declare them."""

from __future__ import annotations

from crmsync.config import jobs, mapping_file, mapping_sources, mapping_terms, project_file
from crmsync.model.mapping import WRITE_ROLES
from crmsync.rules.json_schema.parts import (
    CONDITION,
    DURATION,
    NUMBER,
    SCALAR,
    TEXT,
    WHOLE,
    WORDS,
    YES_NO,
    Schema,
    block,
    document,
    every,
    hover,
    mapping,
    one_of,
    ref,
)
from crmsync.rules.shape import LANGUAGES

_ROLES = {
    "tier": ("等级", "the tier"),
    "tier_since": ("等级起始日", "the day the tier began"),
    "score": ("得分", "the score"),
    "lifecycle": ("生命周期阶段", "the stage"),
    "lifecycle_since": ("阶段起始日", "the day the stage began"),
    "service": ("服务标准", "the service level"),
    "segments": ("客户群（多选）", "the segments, a multi-select"),
    "reason": ("一句话说明为什么", "why, in a sentence"),
    "rules_version": ("规则版本", "the version of the rules"),
    "run": ("运行编号", "the number of the run"),
    "evaluated_on": ("评估日", "the day of the evaluation"),
}
_AGGREGATES = {
    "count": ("计数", "How many."),
    "sum": ("求和", "The sum of a field."),
    "avg": ("平均", "The mean of a field."),
    "average": ("平均", "The mean of a field."),
    "min": ("最小", "The least."),
    "max": ("最大", "The greatest."),
    "first": ("最早一条的值", "The value of the earliest."),
    "last": ("最近一条的值", "The value of the latest."),
    "distinct": ("不同值的个数", "How many different ones."),
    "gap": ("间隔天数：median 或 mean", "Days between them: median or mean."),
}
_WHERE = hover(ref("condition"), "只看哪些记录", "Which records count.")
_RELATED = {
    "object": hover(TEXT, "关联对象", "The related object."),
    "via": hover(TEXT, "指向客户的字段", "Its field that points at the customer."),
    "date": hover(
        TEXT, "业务日期字段，不是创建时间", "Its business date, never the time of creation."
    ),
    "where": _WHERE,
    "called": hover(ref("field"), "联系人姓名的字段", "Of people: the field of the name."),
    "do_not_contact": hover(
        ref("field"),
        "勾选后不再为此人建任务",
        "A tick there: no task for this person.",
    ),
    "fields": hover(
        mapping(ref("field")),
        "规则里对这些字段的叫法",
        "What the rules call its fields.",
    ),
}
_TASKS = {
    "object": ("任务对象", "The task object."),
    "key": ("存放唯一键的字段", "The field that holds the key that makes a task exist once."),
    "subject": ("主题字段", "The subject field."),
    "due": ("期限字段", "The field of the due date."),
    "owner": ("负责人字段", "The owner field."),
    "about": ("指向客户的字段", "The field that points at the customer."),
    "status": ("状态字段", "The status field."),
    "open": ("“未完成”的值", "The value for open."),
    "closed": ("“已完成”的值", "The value for closed."),
    "priority": ("优先级字段", "The priority field."),
    "priorities": ("优先级的值", "The values of the priorities."),
    "via": ("渠道字段", "The channel field."),
    "channels": ("渠道的值", "The values of the channels."),
    "note": ("备注字段", "The field for a note."),
    "person": ("指向联系人的字段", "The field that points at the person it is about."),
}


def mapping_schema() -> Schema:
    """Everything a mapping may say."""
    pick = {
        "field": hover(TEXT, "字段的 API 名", "The field's API name."),
        "label": hover(TEXT, "界面上的字段名", "What people see."),
        "values": hover(
            mapping(SCALAR), "CRM 的值 → 规则的选项", "The CRM's values → the rules' options."
        ),
    }
    aggregate = {
        "related": hover(
            {"anyOf": [TEXT, ref("relation")]}, "哪个关联", "A relation, by name or in full."
        ),
        "where": _WHERE,
        "within": hover(TEXT, "时段，如 12 months", "The window, such as 12 months."),
        "on": hover(TEXT, "改用另一个日期字段", "Another date field for the window."),
        "per": hover(TEXT, "按月、季、年平均", "The mean per month, quarter or year."),
        **_currency(),
        **{
            key: hover(SCALAR, *text)
            for key, text in every(mapping_sources.AGGREGATES, _AGGREGATES).items()
        },
    }
    write = {
        role: hover(ref("target"), f"写入{zh}的字段", f"The field for {en}.")
        for role, (zh, en) in every(WRITE_ROLES, _ROLES).items()
    }
    tables = {"priorities", "channels"}
    tasks = {
        key: hover(mapping(SCALAR) if key in tables else SCALAR, *text)
        for key, text in every(mapping_file.TASKS, _TASKS).items()
    }
    terms = {
        "fresh_within": hover(DURATION, "几天内算新", "How old it may be."),
        "whole_from": hover(
            SCALAR, "读到多少才算完整", "From which share of the usual count it is whole."
        ),
    }
    definitions = {
        "condition": CONDITION,
        "field": {"anyOf": [TEXT, block(every(mapping_sources.FIELD_KEYS, pick))]},
        "source": {
            "anyOf": [
                TEXT,
                block(every(mapping_sources.SOURCE_KEYS, pick | _judged() | _currency())),
            ]
        },
        "target": {"anyOf": [TEXT, block(pick)]},
        "aggregate": block(aggregate, required=["related"]),
        "relation": block(
            every(mapping_file.RELATED, _RELATED), required=["object", "via", "date"]
        ),
    }
    known = _mapping_keys(write, tasks, terms)
    top = block(every(mapping_file.TOP, known), required=["connector", "object", "identity"])
    return document("crmsync mapping", top, definitions)


def _currency() -> dict[str, Schema]:
    return {
        "currency": hover(
            ref("field"),
            "存放货币的字段；金额按 rates 换算",
            "The field of the currency; amounts are converted by rates.",
        )
    }


def _money() -> dict[str, Schema]:
    rate = {"anyOf": [NUMBER, mapping(NUMBER)]}
    return {
        "currency": hover(
            TEXT,
            "没有货币字段的金额是哪种货币，如 CNY",
            "The currency of amounts beside which no field says one, such as CNY.",
        ),
        "currencies": hover(
            mapping(TEXT), "CRM 的叫法 → 货币代码", "The CRM's words → currency codes."
        ),
        "rates": hover(
            mapping(rate),
            "一个单位值多少规则的货币，可按日期写：{USD: {2026-01-01: 7.05}}",
            "What one unit is worth in the rules' currency, by date if need be: {USD: "
            "{2026-01-01: 7.05}}.",
        ),
    }


def _judged() -> dict[str, Schema]:
    return {
        "author": hover(ref("field"), "存放评分人的字段", "The field of who judged."),
        "date": hover(ref("field"), "存放评分日期的字段", "The field of the day it was judged."),
        "remark": hover(ref("field"), "存放备注的字段", "The field of the remark."),
        "valid_for": hover(
            DURATION,
            "在这个 CRM 里评分多久有效；优先于规则里的",
            "How long a judgement counts in this CRM; stands above the rules' own.",
        ),
    }


def _mapping_keys(
    write: dict[str, Schema], tasks: dict[str, Schema], terms: dict[str, Schema]
) -> dict[str, Schema]:
    return {
        "connector": hover(TEXT, "连接器，与文件同名", "The connector; the file is named for it."),
        "object": hover(TEXT, "客户对象", "The object of customers."),
        "applies_to": hover(ref("condition"), "规则管哪些客户", "The customers the rules are for."),
        "identity": hover(
            block(
                {
                    "name": hover(ref("field"), "客户名称", "The customer's name."),
                    "owner": hover(ref("field"), "负责人", "Its owner."),
                },
                required=["name"],
            ),
            "名称与负责人字段",
            "The fields of name and owner.",
        ),
        "related": hover(mapping(ref("relation")), "关联对象", "Related objects."),
        "read": hover(
            mapping({"anyOf": [ref("source"), ref("aggregate")]}),
            "每个事实从哪里来",
            "Where each fact comes from.",
        ),
        "write": hover(block(write), "只写这些字段", "The only fields that are written."),
        "lock_field": hover(ref("field"), "勾选后不再改动", "A tick there means hands off."),
        "tasks": hover(
            block(tasks, required=mapping_file.NEEDED), "任务写到哪里", "Where tasks go."
        ),
        **_money(),
        "users": hover(
            mapping(SCALAR),
            "规则里的负责人 → 这个 CRM 的用户（编号或姓名）",
            "Owners as rules name them → users of this CRM, by id or name.",
        ),
        "sources": hover(
            mapping(block(every(mapping_terms.KEYS, terms))),
            "何时算新、算完整",
            "When each object counts as fresh and whole.",
        ),
    }


def project_schema() -> Schema:
    """Everything a ``crmsync.yaml`` may say; a connector's own keys are free."""
    zone = hover(TEXT, "时区", "The time zone.")
    job = {
        "ruleset": hover(TEXT, "规则集文件夹", "The ruleset's folder."),
        "connection": hover(TEXT, "连接", "The connection."),
        "at": hover(TEXT, '每天几点，如 "02:00"', 'The hour of every day, such as "02:00".'),
        "cron": hover(TEXT, "五段 cron", "Five cron fields."),
        "time_zone": zone,
        "catch_up": hover(one_of(jobs.CATCH_UP), "错过的怎么补", "What becomes of missed slots."),
        "allow": hover(
            mapping(SCALAR), "长期许可，各带上限", "Standing consents, each with its value."
        ),
    }
    pilot = {
        "owners": hover(WORDS, "只写这些负责人的客户", "Only customers of these owners."),
        "ids": hover(WORDS, "只写这些客户", "Only these customers."),
    }
    keep = {
        "values": hover(WHOLE, "旧值保留天数", "Days old values stay."),
        "decisions": hover(WHOLE, "解释保留天数", "Days explanations stay."),
        "backups": hover(WHOLE, "保留几份备份", "How many backups stay."),
    }
    known = {
        "version": hover({"enum": [1]}, "格式版本", "The version of the format."),
        "language": hover(one_of(LANGUAGES), "语言", "The language."),
        "time_zone": zone,
        "state": hover(TEXT, "状态文件夹，默认 var", "The folder of the state; var by default."),
        "store": hover(TEXT, "状态库地址", "The address of the state store."),
        "human_edits": hover(
            one_of(["conflict", "adopt"]),
            "人改了我们的字段：列为冲突，或采纳",
            "A person's value in our field: listed as a conflict, or adopted.",
        ),
        "pilot": hover(block(pilot), "先试点", "A group to begin with."),
        "people": hover(
            mapping(SCALAR), "角色 → CRM 用户", "Who stands behind the roles that tasks name."
        ),
        "keep": hover(block(every(project_file.KEEP, keep)), "保留多久", "How long things stay."),
        "memory": hover(
            TEXT,
            "读取和评估时最多用多少内存，默认 1 GB；放不下的写到磁盘",
            "The most memory reading and evaluating take, 1 GB by default; the rest goes to disk.",
        ),
        "connections": hover(mapping(_connection()), "连接", "The connections."),
        "jobs": hover(
            mapping(block(every(jobs.JOB, job), required=["ruleset", "connection"])),
            "定时任务",
            "The scheduled jobs.",
        ),
    }
    return document("crmsync.yaml", block(every(project_file.TOP, known)), {})


def _connection() -> Schema:
    own = {
        "connector": hover(TEXT, "连接器", "The connector."),
        "allow_private": hover(YES_NO, "允许内网地址", "Whether a private address is allowed."),
        "write_mode": hover(
            one_of(["batch", "strict"]),
            "成批写，或逐条带条件写",
            "In batches, or each record alone with compare-and-set.",
        ),
        "look_back": hover(
            SCALAR,
            "写完后回看多少行的修改历史，默认 1000；all 全部，off 不看；每行一次调用",
            "For how many written rows the CRM's history is asked whose edit they replaced, 1000 by"
            " default; all, or off; one call a row.",
        ),
        "approval": hover(
            one_of(["optional", "required"]), "是否必须批准", "Whether plans need approval."
        ),
        "accept_duplicate_tasks": hover(
            YES_NO,
            "CRM 不能保证任务只建一次时，仍然建任务",
            "Create tasks even where the CRM cannot create one only once.",
        ),
        "expires": hover(
            TEXT,
            "凭证到期日，如 2027-03-31；到期前 14、7、1 天提醒",
            "The day the credentials end, such as 2027-03-31; told 14, 7 and 1 days ahead.",
        ),
    }
    return {
        "type": "object",
        "properties": every(sorted(project_file.OWN), own),
        "required": ["connector"],
        "additionalProperties": SCALAR,
    }
