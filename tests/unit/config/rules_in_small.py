"""A small ruleset and CRM for mapping tests."""

from __future__ import annotations

from pathlib import Path

from crmsync.config import read_mapping
from crmsync.model.condition import Name
from crmsync.model.diagnostic import Diagnostic
from crmsync.model.fact import FactType
from crmsync.model.lifecycle import LifecycleRules, Stage
from crmsync.model.mapping import CrmMapping
from crmsync.model.ruleset import FactDefinition, Ruleset
from crmsync.model.schema import Choice, FieldSchema, FieldType, ObjectSchema
from crmsync.model.text import Text
from crmsync.model.tier import DownChange, Level, TierRules, UpChange


def fact(id: str, type: str, *choices: str) -> FactDefinition:
    return FactDefinition(id, Text.same(id), FactType(type), choices)


RULES = Ruleset(
    id="small",
    version=1,
    title=Text.same("small"),
    record="account",
    languages=("zh", "en"),
    time_zone="Asia/Shanghai",
    currency="CNY",
    workdays="CN",
    facts=(
        fact("last_order_on", "date"),
        fact("orders_12m", "integer"),
        fact("revenue_12m", "money"),
        fact("usual_gap", "number"),
        fact("potential", "choice", "高", "中", "低"),
        fact("blacklisted", "yes_no"),
        FactDefinition("strength", Text.same("strength"), FactType.NUMBER, judged_by="judge"),
        FactDefinition(
            "double",
            Text.same("double"),
            FactType.NUMBER,
            formula=Name("usual_gap", FactType.NUMBER),
        ),
    ),
    scorecards=(),
    tier=TierRules(
        (Level("vip", Text("贵宾", "VIP")), Level("basic", Text("普通", "Basic"))),
        UpChange(),
        DownChange(),
    ),
    lifecycle=LifecycleRules("first", (Stage("first", Text.same("first")),), ()),
    service={},
    tasks=(),
    guards=(),
    digest="0" * 64,
)

MAPPING = """\
connector: zett
object: Accounts
applies_to: [Account_Type is Customer]
identity: {name: Account_Name, owner: Owner}
related:
  orders: {object: Deals, via: Account_Name, date: Closing_Date, where: Stage is Closed Won}
read:
  last_order_on: {related: orders, max: Closing_Date}
  orders_12m:    {related: orders, count: all, within: 12 months}
  revenue_12m:   {related: orders, sum: Amount, within: 12 months, where: [Amount > 0]}
  usual_gap:     {related: orders, gap: median}
  potential:     {label: 需求潜力, values: {High: 高, Low: 低}}
  blacklisted:   Blacklisted
write:
  tier:       {field: C_Tier, values: {vip: VIP}}
  tier_since: {label: 等级起始日}
lock_field: C_Lock
tasks: {object: Tasks, key: C_Key, subject: Subject, due: Due_Date, owner: Owner, about: What_Id,
        status: Status, open: Not Started, closed: Completed}
"""


def field(name: str, type: str, *choices: str, **more: object) -> FieldSchema:
    options = tuple(
        Choice(*choice.split("=")) if "=" in choice else Choice(choice, choice)
        for choice in choices
    )
    label = str(more.pop("label", name))
    return FieldSchema(name, label, FieldType(type), options, **more)  # type: ignore[arg-type]


SCHEMAS = {
    "Accounts": ObjectSchema(
        "Accounts",
        "客户",
        (
            field("Account_Name", "text", label="客户名称"),
            field("Account_Type", "picklist", "Customer=终端客户", "Supplier", label="客户类型"),
            field("Owner", "user"),
            field("Potential", "picklist", "High", "Low", label="需求潜力"),
            field("Blacklisted", "boolean"),
            field("C_Tier", "picklist", "VIP", "普通"),
            field("C_Since", "date", label="等级起始日"),
            field("C_Lock", "boolean"),
            field("Strength", "decimal"),
            field("Strength_By", "user"),
            field("Strength_On", "date"),
            field("Strength_Why", "long_text", label="评分说明"),
            field("Formula", "decimal", read_only=True, label="同名"),
            field("Note", "long_text", label="同名"),
        ),
    ),
    "Deals": ObjectSchema(
        "Deals",
        "商机",
        (
            field("Account_Name", "lookup", target="Accounts"),
            field("Contact", "lookup", target="Contacts"),
            field("Closing_Date", "date"),
            field("Amount", "currency"),
            field("Stage", "picklist", "Closed Won", "Lost"),
        ),
    ),
    "Tasks": ObjectSchema(
        "Tasks",
        "任务",
        (
            field("C_Key", "text"),
            field("Subject", "text"),
            field("Due_Date", "date"),
            field("Owner", "user"),
            field("What_Id", "lookup"),
            field("Status", "picklist", "Not Started", "Completed"),
        ),
    ),
}


def read(
    text: str, folder: Path, name: str = "zett", rules: Ruleset = RULES
) -> tuple[CrmMapping | None, list[Diagnostic]]:
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return read_mapping(path, rules, name=f"mapping/{name}.yaml")


def good(text: str, folder: Path, rules: Ruleset = RULES) -> CrmMapping:
    mapping, found = read(text, folder, rules=rules)
    assert found == [], [(item.code, item.message.en) for item in found]
    assert mapping is not None
    return mapping
