"""A mapping is held against the CRM's own fields before anything is read or written."""

# ruff: noqa: E501 - tables of mistakes read best in one line
from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from tests.unit.config.rules_in_small import MAPPING, RULES, SCHEMAS, field, good, read

from crmsync.condition import Scope, parse_condition, to_text
from crmsync.config import resolve
from crmsync.errors import ConfigError
from crmsync.model.mapping import AggregateSource, FieldSource
from crmsync.model.position import NOWHERE
from crmsync.model.ruleset import Ruleset
from crmsync.model.schema import ObjectSchema
from crmsync.model.task import Due, EntersStage, ForEach, TaskRule
from crmsync.model.text import Text


def test_labels_become_api_names(tmp_path: Path) -> None:
    mapping = resolve(good(MAPPING, tmp_path), SCHEMAS)
    potential = mapping.read["potential"]
    assert isinstance(potential, FieldSource)
    assert potential.field.name == "Potential"
    assert mapping.write["tier_since"].field.name == "C_Since"
    assert mapping.digest == good(MAPPING, tmp_path).digest


JUDGED = (
    "strength: {field: Strength, author: Strength_By, date: Strength_On, remark: {label: 评分说明}}"
)


def test_the_fields_beside_a_judgement_are_found(tmp_path: Path) -> None:
    mapping = resolve(
        good(MAPPING.replace("blacklisted:   Blacklisted", JUDGED), tmp_path), SCHEMAS
    )
    source = mapping.read["strength"]
    assert isinstance(source, FieldSource)
    assert source.judged is not None
    assert [pick.name for pick in source.judged.picks()] == [
        "Strength_By",
        "Strength_On",
        "Strength_Why",
    ]


def test_conditions_may_name_fields_and_options_as_people_see_them(tmp_path: Path) -> None:
    text = MAPPING.replace("Account_Type is Customer", "客户类型 is 终端客户")
    mapping = resolve(good(text, tmp_path), SCHEMAS)
    assert mapping.applies_to is not None
    assert to_text(mapping.applies_to) == "Account_Type is “Customer”"


def for_people(where: str) -> Ruleset:
    """The rules with a task for each of the mapping's people."""
    condition, found = parse_condition(where, NOWHERE, Scope(open_names=True))
    assert condition is not None, found
    title = Text.same("Call {person}")
    task = TaskRule("call", title, EntersStage("first"), ("account owner",), Due(2))
    each = ForEach("people", condition)
    return dataclasses.replace(RULES, tasks=(dataclasses.replace(task, for_each=each),))


PEOPLE = (
    "related:\n  people: {object: Deals, via: Account_Name, date: Closing_Date, called: Stage, "
    "fields: {state: Stage, budget: {label: Amount}}}\n"
)


def test_rules_name_the_fields_of_people_as_the_mapping_does(tmp_path: Path) -> None:
    rules = for_people("all(state is Lost, budget ≥ 5, Closing_Date is known)")
    read_once = good(MAPPING.replace("related:\n", PEOPLE, 1), tmp_path, rules)
    mapping = resolve(read_once, SCHEMAS)
    where = mapping.people["call"].where
    assert where is not None
    assert to_text(where) == "all(Stage is “Lost”, Amount ≥ 5, Closing_Date is known)"
    assert resolve(mapping, SCHEMAS) == mapping


@pytest.mark.parametrize(("where", "code"), [("state is Won", "MAP054"), ("rank is 3", "MAP052")])
def test_a_condition_on_people_is_held_against_the_crm(
    tmp_path: Path, where: str, code: str
) -> None:
    mapping = good(MAPPING.replace("related:\n", PEOPLE, 1), tmp_path, for_people(where))
    with pytest.raises(ConfigError) as told:
        resolve(mapping, SCHEMAS)
    assert code in [item.code for item in told.value.diagnostics]


def test_people_of_no_relation_are_refused(tmp_path: Path) -> None:
    _, found = read(MAPPING, tmp_path, rules=for_people("Stage is Lost"))
    assert [item.code for item in found] == ["MAP013"]


def test_a_resolved_mapping_resolves_to_itself(tmp_path: Path) -> None:
    once = resolve(good(MAPPING, tmp_path), SCHEMAS)
    assert resolve(once, SCHEMAS) == once


def test_the_record_id_needs_no_description(tmp_path: Path) -> None:
    text = MAPPING.replace("via: Account_Name, date", "via: Account_Name, date").replace(
        "blacklisted:   Blacklisted", "blacklisted:   Id"
    )
    resolve(good(text, tmp_path), SCHEMAS)


CASES = [
    ("object: Accounts", "object: Acounts", "MAP051", 1, "没有对象“Acounts”", "no object “Acounts”", "“Accounts”"),
    ("blacklisted:   Blacklisted", JUDGED.replace("date: Strength_On", "date: Strength"), "MAP053", 13, "是 decimal", "is decimal", "Choose another"),
    ("blacklisted:   Blacklisted", JUDGED.replace("Strength_By", "Strength_Bi"), "MAP052", 13, "没有字段“Strength_Bi”", "no field “Strength_Bi”", "“Strength_By”"),
    ("object: Deals", "object: Deal", "MAP051", 6, "没有对象“Deal”", "no object “Deal”", "“Deals”"),
    ("{name: Account_Name,", "{name: Acount_Name,", "MAP052", 4, "没有字段“Acount_Name”", "no field “Acount_Name” in Accounts", "“Account_Name”"),
    ("Account_Type is", "Acount_Type is", "MAP052", 3, "没有字段", "no field “Acount_Type”", "“Account_Type”"),
    ("sum: Amount", "sum: Amuont", "MAP052", 10, "没有字段“Amuont”", "no field “Amuont” in Deals", "“Amount”"),
    ("sum: Amount", "sum: Stage", "MAP053", 10, "是 picklist", "is picklist", "Choose another"),
    ("date: Closing_Date", "date: Amount", "MAP053", 6, "是 currency", "is currency", "Choose another"),
    ("via: Account_Name", "via: Contact", "MAP053", 6, "指向 Contacts", "points to Contacts", None),
    ("Stage is Closed Won", "Stage is Closed Wun", "MAP054", 6, "“Closed Wun”不是字段“Stage”的值", "not a value of the field “Stage”", "“Closed Won”"),
    ("[Amount > 0]", "[Amount is high]", "MAP057", 10, "“Amount”是 currency", "“Amount” is currency", "can hold"),
    ("[Amount > 0]", "['Closing_Date in 3, 4']", "MAP057", 10, "是 date", "is date", "can hold"),
    ("Account_Type is Customer", "Owner is yes", "MAP057", 3, "是 user", "is user", "quotes"),
    ("{label: 需求潜力", "{label: 需求潜能", "MAP052", 12, "没有字段“需求潜能”", "no field “需求潜能”", "“需求潜力”"),
    ("{label: 需求潜力", "{label: 同名", "MAP056", 12, "有 2 个名为“同名”的字段", "2 fields labelled “同名”: Formula, Note", "API name"),
    ("tier_since: {label: 等级起始日}", "score: Formula", "MAP055", 16, "只读", "read-only", None),
    ("tier_since: {label: 等级起始日}", "tier_since: Note", "MAP053", 16, "是 long_text", "is long_text", None),
    ("{vip: VIP}", "{vip: Gold}", "MAP054", 15, "“Gold”不是字段“C_Tier”的值", "“Gold” is not a value", None),
    ("values: {High: 高", "values: {Hihg: 高", "MAP054", 12, "“Hihg”不是字段“Potential”的值", "“Hihg” is not a value", "“High”"),
    ("lock_field: C_Lock", "lock_field: Note", "MAP053", 17, "是 long_text", "is long_text", None),
    ("key: C_Key", "key: D_Key", "MAP052", 18, "Tasks 没有字段“D_Key”", "no field “D_Key” in Tasks", "“C_Key”"),
    ("closed: Completed", "closed: Finished", "MAP054", 19, "“Finished”", "“Finished”", None),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[f"{case[2]} {case[1][:30]}" for case in CASES])
def test_what_does_not_fit(
    case: tuple[str, str, str, int, str, str, str | None], tmp_path: Path
) -> None:
    old, new, code, line, zh, en, mend = case
    mapping = good(MAPPING.replace(old, new, 1), tmp_path)
    with pytest.raises(ConfigError) as caught:
        resolve(mapping, SCHEMAS)
    found = caught.value.diagnostics[0]
    assert {item.code for item in caught.value.diagnostics} == {code}
    assert (found.span.file, found.span.line) == ("mapping/zett.yaml", line)
    assert zh in found.message.zh
    assert en in found.message.en
    if mend is not None:
        assert found.mend is not None
        assert mend in found.mend.en


def test_every_problem_comes_at_once(tmp_path: Path) -> None:
    mapping = good(
        MAPPING.replace("sum: Amount", "sum: X")
        .replace("Blacklisted\n", "Y\n")
        .replace("C_Lock", "Z"),
        tmp_path,
    )
    with pytest.raises(ConfigError) as caught:
        resolve(mapping, SCHEMAS)
    assert [item.code for item in caught.value.diagnostics] == ["MAP052"] * 3
    assert "3 problems" in caught.value.message.en
    assert "3 处" in caught.value.message.zh


def test_a_missing_related_object_is_told_once(tmp_path: Path) -> None:
    schemas = {name: item for name, item in SCHEMAS.items() if name != "Deals"}
    with pytest.raises(ConfigError) as caught:
        resolve(good(MAPPING, tmp_path), schemas)
    assert [item.code for item in caught.value.diagnostics] == ["MAP051"]


def test_a_picklist_without_known_values_accepts_any(tmp_path: Path) -> None:
    deals = SCHEMAS["Deals"]
    fields = tuple(
        field("Stage", "picklist") if one.name == "Stage" else one for one in deals.fields
    )
    schemas = SCHEMAS | {"Deals": ObjectSchema("Deals", "商机", fields)}
    resolve(good(MAPPING, tmp_path), schemas)


def test_where_of_a_single_source_is_looked_up_too(tmp_path: Path) -> None:
    mapping = resolve(good(MAPPING, tmp_path), SCHEMAS)
    revenue = mapping.read["revenue_12m"]
    assert isinstance(revenue, AggregateSource)
    broken = dataclasses.replace(
        good(MAPPING.replace("[Amount > 0]", "[Amuont > 0]"), tmp_path), write={}
    )
    with pytest.raises(ConfigError):
        resolve(broken, SCHEMAS)


@pytest.mark.parametrize(
    ("written", "meaning"),
    [
        ("Grade is 3", "Grade is “3”"),
        ("Grade in 3, A", "Grade in “3”, “A”"),
        ("Active is yes", "Active is “Yes”"),
        ("Active is not 否", "Active is not “No”"),
        ("Blacklisted is no", "Blacklisted is no"),
        ("Blacklisted", "Blacklisted"),
        ("Credit > 3万", "Credit > 30000"),
        ("any(Grade is missing, Active in (Yes, No))", None),
    ],
)
def test_values_are_taken_as_the_field_holds_them(
    written: str, meaning: str | None, tmp_path: Path
) -> None:
    accounts = SCHEMAS["Accounts"]
    more = (
        field("Grade", "picklist", "3", "A"),
        field("Active", "picklist", "Yes", "No"),
        field("Credit", "currency"),
    )
    schemas = SCHEMAS | {"Accounts": ObjectSchema("Accounts", "客户", (*accounts.fields, *more))}
    text = MAPPING.replace("[Account_Type is Customer]", f"['{written}']")
    mapping = resolve(good(text, tmp_path), schemas)
    assert mapping.applies_to is not None
    if meaning is not None:
        assert to_text(mapping.applies_to) == meaning
