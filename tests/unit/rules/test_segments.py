"""Segments: read, decided beside the tier, held by cases, mutated, explained."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

from tests.unit.rules.writing import cases_text, codes, load_text, sound, typed

from crmsync.evaluate import (
    Engine,
    EvaluationContext,
    decide,
    explain,
    match_compiled,
    row_from_facts,
)
from crmsync.model.decision import Decision, Verdict
from crmsync.model.record import RecordRef
from crmsync.model.ruleset import Ruleset
from crmsync.model.state import Clocks, CustomerState
from crmsync.project.deciding import decide_case
from crmsync.rules import case_text, compare, expectation_of, rule_places, touched
from crmsync.rules.mutants import mutants

SEGMENTS = """\
segments:
  - {id: busy, label: 常客 | Frequent, when: orders_12m ≥ 6}
  - {id: rich, label: 大客户 | Big spender, when: [revenue ≥ 10万, potential is 高]}
  - {id: best, label: 顶级 | Top, when: tier is vip}

tasks:
"""
DAY = date(2026, 11, 22)
REF = RecordRef("Accounts", "A1")


def rules(folder: Path, *changes: tuple[str, str]) -> Ruleset:
    text = sound(("tasks:\n", SEGMENTS))
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    ruleset, findings = load_text(folder, text)
    assert ruleset is not None, [str(item) for item in findings]
    assert not findings
    return ruleset


def decided(ruleset: Ruleset, facts: dict[str, object], before: tuple[str, ...] = ()) -> Decision:
    engine = Engine(ruleset)
    row = row_from_facts(engine, REF, facts, DAY)  # type: ignore[arg-type]
    (matched,) = match_compiled((row,), engine, DAY)
    state = CustomerState(REF, clocks=Clocks(segments=before))
    return decide(engine, matched, state, EvaluationContext(as_of=DAY))


FACTS = {"orders_12m": 12, "revenue": 500_000, "potential": "高", "judged": 40.0}


def test_a_customer_is_in_every_segment_that_fits(tmp_path: Path) -> None:
    decision = decided(rules(tmp_path), FACTS)
    assert decision.segments is not None
    assert decision.segments.after == ("busy", "rich", "best")
    assert decision.clocks.segments == ("busy", "rich", "best")


def test_an_unknown_condition_keeps_who_was_in_and_lets_nobody_in(tmp_path: Path) -> None:
    unknown = {**FACTS, "potential": None}
    was_in, was_out = (decided(rules(tmp_path), unknown, before) for before in (("rich",), ()))
    assert was_in.segments is not None
    assert "rich" in was_in.segments.after
    assert was_out.segments is not None
    assert "rich" not in was_out.segments.after
    assert any(item.place == "segment rich" for item in was_out.unknown)


def test_segments_are_part_of_the_digest(tmp_path: Path) -> None:
    one, other = rules(tmp_path), rules(tmp_path, ("orders_12m ≥ 6}", "orders_12m ≥ 7}"))
    assert one.digest != other.digest != typed(tmp_path).digest


def test_a_case_expects_segments_and_is_written_back(tmp_path: Path) -> None:
    ruleset = rules(tmp_path)
    text = """\
today: 2026-11-22
cases:
  - name: one
    facts: {orders_12m: 12, revenue: 10万}
    before: {segments: [大客户]}
    expect: {segments: [常客, rich]}
"""
    file, findings = cases_text(tmp_path, ruleset, text)
    assert file is not None
    assert not findings
    (case,) = file.cases
    assert case.expect.segments == {"busy", "rich"}
    decision = decide_case(Engine(ruleset), case)
    assert compare(case, decision) == ()
    wrong = replace(case, expect=replace(case.expect, segments=frozenset({"busy"})))
    assert [item.key for item in compare(wrong, decision)] == ["segments"]
    whole = replace(case, expect=expectation_of(decision))
    again, findings = cases_text(
        tmp_path, ruleset, f"today: 2026-11-22\ncases:\n{case_text(whole, ruleset, today=DAY)}"
    )
    assert again is not None
    assert not findings
    assert again.cases[0].expect.segments == {"busy", "rich"}
    assert again.cases[0].before.clocks.segments == ("rich",)


def test_coverage_and_mutants_know_segments(tmp_path: Path) -> None:
    ruleset = rules(tmp_path)
    assert "segments.rich" in {place.id for place in rule_places(ruleset)}
    assert "segments.busy" in touched(ruleset, decided(ruleset, FACTS))
    changed = [item for item in mutants(ruleset) if item.place.startswith("segments.")]
    assert {item.place for item in changed} == {"segments.busy", "segments.rich", "segments.best"}
    assert all(item.ruleset.segments != ruleset.segments for item in changed)


def test_an_explanation_traces_every_segment(tmp_path: Path) -> None:
    engine = Engine(rules(tmp_path))
    row = row_from_facts(engine, REF, {**FACTS, "revenue": 1}, DAY)  # type: ignore[arg-type]
    shown = explain(engine, row, CustomerState(REF), EvaluationContext(as_of=DAY))
    verdicts = {name: trace.verdict for name, trace in shown.segments}
    assert verdicts["busy"] is Verdict.TRUE
    assert verdicts["rich"] is Verdict.FALSE


def test_mistakes_in_segments_are_found(tmp_path: Path) -> None:
    twice = sound(("tasks:\n", SEGMENTS.replace("id: rich", "id: busy")))
    assert "RULE007" in codes(load_text(tmp_path, twice)[1])
    unknown = sound(("tasks:\n", SEGMENTS.replace("orders_12m ≥ 6", "order ≥ 6")))
    assert codes(load_text(tmp_path, unknown)[1])
