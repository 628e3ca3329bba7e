"""Evidence of a criterion: what a judge should look at, by kind of customer."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from tests.unit.cli import made
from tests.unit.rules.writing import codes, load_text, only, sound, typed

from crmsync.cli.sheet_view import rows
from crmsync.cli.why_view import explanation
from crmsync.evaluate import Engine, EvaluationContext, explain, row_from_facts
from crmsync.model.decision import Explanation
from crmsync.model.fact import FactValue
from crmsync.model.record import RecordRef
from crmsync.model.ruleset import Ruleset
from crmsync.model.state import CustomerState
from crmsync.project.explaining import Explained
from crmsync.rules.lint_facts import read_by_rules

TODAY = date(2026, 11, 22)
JUDGED = "    of: judged\n    max: 40\n"
BY_KIND = (
    f"{JUDGED}    evidence:\n"
    "      by: potential\n"
    "      高: 成交额 {revenue} 与规模 | Revenue {成交额} and size\n"
    "      in 中, 低: 只看订单 | Orders only\n"
)


def rules(folder: Path, written: str = BY_KIND) -> Ruleset:
    return typed(folder, (JUDGED, written))


def shown(ruleset: Ruleset, **facts: FactValue) -> Explanation:
    engine = Engine(ruleset)
    ref = RecordRef("a", "1")
    row = row_from_facts(engine, ref, facts, TODAY)
    return explain(engine, row, CustomerState(ref), EvaluationContext(TODAY))


def test_the_first_line_that_fits_is_shown_with_its_values(tmp_path: Path) -> None:
    ruleset = rules(tmp_path)
    high = shown(ruleset, potential="高", revenue=120_000)
    assert set(high.evidence) == {"judged"}
    assert high.evidence["judged"].zh == "成交额 12万 与规模"
    assert high.evidence["judged"].en == "Revenue 120,000 and size"
    assert shown(ruleset, potential="低").evidence["judged"].en == "Orders only"


def test_an_unknown_kind_sends_nobody_to_the_wrong_evidence(tmp_path: Path) -> None:
    more = f"{BY_KIND}      otherwise: 其他 | Anything\n"
    assert shown(rules(tmp_path, more)).evidence == {}
    one = f"{JUDGED}    evidence: 看合同 | The contract of {{name}}\n"
    assert shown(rules(tmp_path, one)).evidence["judged"].en == "The contract of 1"


def test_the_task_for_a_missing_score_tells_the_judge(tmp_path: Path) -> None:
    decision = shown(rules(tmp_path), potential="低", orders_12m=20).decision
    (ask,) = [item for item in decision.opens if item.task_id == "ask"]
    assert ask.note is not None
    assert ask.note.zh == "judged：只看订单"
    plain = shown(typed(tmp_path), potential="低", orders_12m=20).decision
    assert [item.note for item in plain.opens if item.task_id == "ask"] == [None]


def test_it_stands_in_the_explanation_and_on_the_score_sheet(tmp_path: Path) -> None:
    ruleset = rules(tmp_path)
    found = Explained(shown(ruleset, potential="中"), ruleset, {}, ())
    (line,) = [
        row for row in rows(found) if "Orders only" in row.remark or "只看订单" in row.remark
    ]
    assert line.criterion == "judged"
    page = "\n".join(explanation(found, full=False))
    assert "Orders only" in page or "只看订单" in page
    criteria = found.as_document()["score"]["criteria"]
    assert [item["evidence"] is not None for item in criteria] == [False, False, False, True]
    assert made.explained(*made.WAITING).explanation.evidence == {}


def test_facts_named_only_in_evidence_are_read(tmp_path: Path) -> None:
    text = f"{JUDGED}    evidence: 看 {{days}} | Look at {{days}}\n"
    no_task = ("{days} 天 | [Quiet] {name}: {days} days", "天 | [Quiet] {name}")
    assert "days" in read_by_rules(typed(tmp_path, (JUDGED, text), no_task))


def test_another_evidence_is_another_digest(tmp_path: Path) -> None:
    """It is written into tasks."""
    digests = {
        rules(tmp_path).digest,
        typed(tmp_path).digest,
        rules(tmp_path, BY_KIND.replace("Orders only", "Contracts")).digest,
    }
    assert len(digests) == 3


WRONG = [
    ("evidence: [a, b]", "RULE003"),
    ("evidence: 看 {revenu} | Look at {revenu}", "RULE112"),
    ('evidence: {by: potential, 高: "看 { | Look"}', "RULE112"),
    ("evidence: {by: potential}", "RULE002"),
    ("evidence: {高: 看合同 | The contract}", "RULE002"),
    ("evidence: {by: potentail, 高: 看合同 | The contract}", "RULE101"),
    ("evidence: {by: potential, 很高: 看合同 | The contract}", "RULE103"),
]


@pytest.mark.parametrize(("written", "code"), WRONG, ids=[item[0] for item in WRONG])
def test_a_mistake_is_named(tmp_path: Path, written: str, code: str) -> None:
    _, findings = load_text(tmp_path, sound((JUDGED, f"{JUDGED}    {written}\n")))
    assert set(codes(findings)) == {code}


def test_parts_of_a_criterion_have_none(tmp_path: Path) -> None:
    parts = (
        "    of: revenue\n    max: 20\n    scale: {0: 0, 10万: 10, 50万: 20}\n",
        "    max: 20\n    sum_of: [{of: revenue, max: 20, scale: {0: 0, 1: 20}, evidence: a}]\n",
    )
    _, findings = load_text(tmp_path, sound(parts))
    only(findings, "RULE001")
