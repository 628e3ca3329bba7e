"""Who the rules are for: applies_to and business lines, read, matched alike, held by cases."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from tests.unit.rules.writing import cases_text, codes, load_text, sound

from crmsync.evaluate import Engine
from crmsync.model.mapping import CrmMapping, FieldPick, FieldSource, WriteTarget
from crmsync.model.ruleset import Ruleset
from crmsync.project.business_lines import Written, clashes
from crmsync.project.deciding import decide_case
from crmsync.rules import case_text, compare, read_by_rules, rule_places, touched
from crmsync.rules.mutants import mutants

DAY = date(2026, 11, 22)
FACTS = (
    "  line: {type: choice, label: 产品线 | Line, choices: [工业, 消费]}\n"
    "  kind: {type: text, label: 类型 | Kind}\n  blacklisted:"
)


def rules(folder: Path, block: str, *, id: str = "small") -> Ruleset:
    text = sound(("  blacklisted:", FACTS), ("tasks:\n", f"{block}\ntasks:\n"))
    found, findings = load_text(folder, text.replace("ruleset: small", f"ruleset: {id}"))
    assert found is not None, [f"{item.code} {item.message.en}" for item in findings]
    return found


CASES = """\
today: 2026-11-22
cases:
  - {name: inside, facts: {产品线: 工业, kind: customer}, expect: {applies: yes}}
  - {name: other line, facts: {产品线: 消费, kind: customer}, expect: {applies: no}}
  - {name: no customer, facts: {产品线: 工业, kind: supplier}, expect: {applies: no}}
  - {name: unknown, facts: {产品线: 工业}, expect: {applies: no}}
"""


def test_cases_tell_who_the_rules_are_for(tmp_path: Path) -> None:
    ours = rules(tmp_path, "scope: {产品线: 工业}\napplies_to: kind is customer")
    file, findings = cases_text(tmp_path, ours, CASES)
    assert file is not None, [str(item) for item in findings]
    engine = Engine(ours)
    for case in file.cases:
        assert compare(case, decide_case(engine, case)) == (), case.name
    written = "today: 2026-11-22\ncases:\n" + case_text(file.cases[1], ours, today=DAY)
    again, _ = cases_text(tmp_path, ours, written)
    assert again is not None
    assert again.cases[0].expect.applies is False
    assert "applies_to" in {place.id for place in rule_places(ours)}
    assert "applies_to" in touched(ours, decide_case(engine, file.cases[1]))
    assert {"line", "kind"} <= read_by_rules(ours)
    assert any(item.place == "applies_to" for item in mutants(ours))


def test_the_digest_covers_the_population(tmp_path: Path) -> None:
    blocks = ("scope: {产品线: 工业}", "scope: {产品线: 消费}", "applies_to: kind is customer")
    assert len({rules(tmp_path, block).digest for block in blocks}) == 3


@pytest.mark.parametrize(
    ("block", "code"),
    [
        ("scope: {nothing: 1}", "RULE101"),
        ("scope: {revenue: 5}", "RULE268"),
        ("scope: 工业", "RULE003"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, block: str, code: str) -> None:
    text = sound(("  blacklisted:", FACTS), ("tasks:\n", f"{block}\ntasks:\n"))
    found, findings = load_text(tmp_path, text)
    assert found is None
    assert code in codes(findings)


# ── two rulesets on one CRM ────────────────────────────────────────────────────────────────────


def written(ours: Ruleset, field: str = "Line", target: str = "Tier") -> Written:
    mapping = CrmMapping(
        connector="zoho",
        object="Accounts",
        applies_to=None,
        identity_name=FieldPick("Account_Name"),
        identity_owner=None,
        related={},
        read={"line": FieldSource(FieldPick(field))},
        write={"tier": WriteTarget("tier", FieldPick(target))},
        lock_field=None,
        tasks=None,
        digest="",
    )
    return Written(ours, mapping)


def test_business_lines_with_their_own_values_do_not_clash(tmp_path: Path) -> None:
    one = rules(tmp_path, "scope: {产品线: 工业}", id="one")
    two = rules(tmp_path, "scope: {产品线: 消费}", id="two")
    assert list(clashes([written(one), written(two)])) == []


def test_rulesets_that_share_customers_and_a_field_clash(tmp_path: Path) -> None:
    one = rules(tmp_path, "scope: {产品线: 工业}", id="one")
    same = rules(tmp_path, "scope: {产品线: 工业}", id="same")
    two = rules(tmp_path, "scope: {产品线: 消费}", id="two")
    none = rules(tmp_path, "applies_to: kind is customer", id="none")
    for other in (written(same), written(none), written(two, field="Other_Line")):
        assert [item.code for item in clashes([written(one), other])] == ["RULE269"]
    assert list(clashes([written(one), written(none, target="Other_Tier")])) == []
