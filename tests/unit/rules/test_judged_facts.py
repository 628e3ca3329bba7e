"""Facts judged by people in rule files, cases and mutants: how long a judgement counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from tests.unit.rules.writing import cases_text, codes, load_text, only, sound, typed

from crmsync.evaluate import (
    Engine,
    EvaluationContext,
    decide,
    explain,
    match_compiled,
    row_from_facts,
)
from crmsync.model.case import Case
from crmsync.model.fact import Judgement
from crmsync.model.period import Period
from crmsync.model.record import RecordRef
from crmsync.model.ruleset import Ruleset
from crmsync.model.scorecard import MissingPoints
from crmsync.model.state import Clocks, CustomerState, Standing
from crmsync.project.boundaries import boundary_cases
from crmsync.project.deciding import decide_case, fails
from crmsync.rules import case_text, mutants

JUDGED = "judged_by: account owner"
YEAR = (JUDGED, f"{JUDGED}, valid_for: 12 months")
TODAY = date(2026, 11, 22)
YEAR_AGO = date(2025, 11, 22)
CASES = """\
ruleset: small
today: 2026-11-22
cases:
  - name: first day
    facts: {judged: {value: 30, author: 王某, date: 2025-11-23, remark: “稳” | 好}}
    expect: {score: 30..50}
  - name: the day before
    facts: {judged: {value: 30, date: 2025-11-22}}
    expect: {score: 0..60}
  - name: of today
    facts: {judged: 30}
    expect: {score: 30..50}
"""


@pytest.fixture
def rules(tmp_path: Path) -> Ruleset:
    return typed(tmp_path, YEAR)


def cases(folder: Path, rules: Ruleset, text: str = CASES) -> tuple[Case, ...]:
    file, findings = cases_text(folder, rules, text)
    assert file is not None, findings
    return file.cases


def test_the_age_is_read(rules: Ruleset) -> None:
    assert rules.fact("judged").valid_for == Period(months=12)


WRONG = [
    (JUDGED, "valid_for: 1 year", "RULE020", "valid_for 只用于", "facts that say judged_by"),
    (JUDGED, f"{JUDGED}, valid_for: 3 hours", "RULE057", "日历上的时段", "calendar period"),
    (JUDGED, f"{JUDGED}, valid_for: 3 monts", "RULE057", "不认识单位", "is not a unit"),
    (JUDGED, f"{JUDGED}, author: Judge", "RULE001", "没有“author”这个键", "no key “author”"),
]


@pytest.mark.parametrize("wrong", WRONG, ids=[item[1][-20:] for item in WRONG])
def test_a_mistake_is_named(tmp_path: Path, wrong: tuple[str, str, str, str, str]) -> None:
    old, new, code, zh, en = wrong
    _, findings = load_text(tmp_path, sound((old, new)))
    found = [item for item in findings if item.code == code]
    assert len(found) == 1, codes(findings)
    assert zh in found[0].message.zh
    assert en in found[0].message.en


def test_a_case_says_who_judged_and_when(tmp_path: Path, rules: Ruleset) -> None:
    first, before, today = cases(tmp_path, rules)
    assert first.facts["judged"] == before.facts["judged"] == 30
    assert first.judged["judged"] == Judgement("王某", date(2025, 11, 23), "“稳” | 好")
    assert today.judged == {}
    known = [decide_case(Engine(rules), case).facts["judged"] for case in (first, before, today)]
    assert known == [30.0, None, 30.0]


def test_a_case_is_written_as_it_was_read(tmp_path: Path, rules: Ruleset) -> None:
    first = cases(tmp_path, rules)[0]
    text = f"ruleset: small\ntoday: 2026-11-22\ncases:\n{case_text(first, rules, today=TODAY)}"
    again = cases(tmp_path, rules, text)[0]
    assert (again.facts, again.judged) == (first.facts, first.judged)


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ("judged: {value: 30, dated: 2026-01-01}", "TEST001"),
        ("judged: {date: 2026-01-01}", "TEST002"),
        ("orders_12m: {value: 30, date: 2026-01-01}", "TEST003"),
        ("juged: 3", "TEST010"),
        ("days: 3", "TEST011"),
    ],
)
def test_a_mistake_in_a_case_is_named(
    tmp_path: Path, rules: Ruleset, facts: str, code: str
) -> None:
    case = f"{{name: a, facts: {{{facts}}}, expect: {{}}}}"
    text = f"ruleset: small\ntoday: 2026-11-22\ncases:\n  - {case}\n"
    _, findings = cases_text(tmp_path, rules, text)
    only(findings, code)


def test_changes_of_the_age_are_noticed_by_cases_at_its_border(
    tmp_path: Path, rules: Ruleset
) -> None:
    bases = [case for case in cases(tmp_path, rules) if not case.judged]
    aged = [item for item in mutants(rules) if "valid_for" in item.change.before]
    assert [item.change.after for item in aged] == ["", "valid_for: 13 months"]
    made = list(boundary_cases(Engine(rules), bases, deep=False))
    for mutant in aged:
        assert any(fails(Engine(mutant.ruleset), item.case) for item in made), mutant.change
        assert not any(fails(Engine(mutant.ruleset), case) for case in bases)


def test_a_judgement_that_grows_old_demotes_nobody_and_asks_again(rules: Ruleset) -> None:
    """The score becomes a range; the tier stays; whoever judges gets the task."""
    ref = RecordRef("a", "1")
    stood = Standing("vip", TODAY - timedelta(days=900), TODAY - timedelta(days=900))
    state = CustomerState(ref, stood, Clocks(evaluated=TODAY - timedelta(days=1)))
    state = replace(state, known_facts=frozenset({"judged", "revenue", "orders_12m", "potential"}))
    engine = Engine(rules)
    facts = {"orders_12m": 12, "revenue": 500_000, "potential": "高", "judged": 40}
    told = {"judged": Judgement(on=YEAR_AGO)}
    row = row_from_facts(engine, ref, facts, TODAY, told)
    shown = explain(engine, row, state, EvaluationContext(TODAY))
    decision = shown.decision
    assert decision.tier is not None
    assert decision.tier.after == "vip"
    assert decision.score is not None
    assert (decision.score.low, decision.score.high) == (60, 100)
    assert [item.task_id for item in decision.opens if item.task_id == "ask"] == ["ask"]
    assert decision.judged["judged"].expired == 40.0


def test_what_time_alone_does_counts_with_judgements_growing_old(rules: Ruleset) -> None:
    """A poor judgement expires: on the day the explanation names, and not the day before."""
    (card,) = rules.scorecards
    *others, last = card.criteria
    last = replace(last, missing=MissingPoints.GIVEN, missing_points=Decimal(40))
    card = replace(card, criteria=(*others, last))
    engine = Engine(replace(rules, scorecards=(card,)))
    ref, told = RecordRef("a", "1"), Judgement(on=date(2026, 1, 26))
    facts = {"orders_12m": 12, "revenue": 500_000, "potential": "高", "judged": 0}
    state = CustomerState(ref, Standing("key", TODAY, TODAY), Clocks(evaluated=TODAY))

    def tier_on(day: date) -> str | None:
        row = row_from_facts(engine, ref, facts, day, {"judged": told})
        (matched,) = match_compiled([row], engine, day)
        decision = decide(engine, matched, state, EvaluationContext(day))
        assert decision.tier is not None
        return decision.tier.after

    row = row_from_facts(engine, ref, facts, TODAY, {"judged": told})
    shown = explain(engine, row, state, EvaluationContext(TODAY))
    (said,) = [item for item in shown.what_if if item.fact is None]
    assert (said.tier, said.on) == ("vip", date(2027, 1, 26))
    assert tier_on(date(2027, 1, 26)) == "vip"
    assert tier_on(date(2027, 1, 25)) == "key"
