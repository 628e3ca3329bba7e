"""A renamed fact keeps what is remembered of it: digests, state, mappings, cases, history."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from tests.bench.world import AS_OF, SCHEMAS
from tests.unit.project.two_days import DAYS, World
from tests.unit.rules.writing import RULESETS, cases_text, load_text, only, sound, typed

from crmsync.config import read_mapping, resolve
from crmsync.evaluate import Engine, EvaluationContext, decide, match_compiled, row_from_facts
from crmsync.model.decision import Because, Decision
from crmsync.model.plan import PlanCounts
from crmsync.model.record import RecordRef
from crmsync.model.ruleset import Ruleset
from crmsync.model.scorecard import MissingPoints
from crmsync.model.state import CustomerState, Standing
from crmsync.project.renaming import decision_renamed, figures_renamed
from crmsync.rules import load

LINE = re.compile(r"^  ([a-z][a-z0-9_]*): +\{type", re.MULTILINE)


def rename_all(folder: Path, target: Path) -> Path:
    """A copy of a shipped ruleset in which every fact with a plain name has another one."""
    shutil.copytree(folder, target)
    for path in (target / "rules.yaml", *target.glob("tables/*.csv")):
        text = path.read_text(encoding="utf-8")
        if path.name == "rules.yaml":
            names = LINE.findall(text)
            assert len(names) > 5
        for name in names:
            # later names must not come in the order of the former ones
            text = re.sub(rf"(?<![\w.])(?<!id: ){name}(?![\w:])", f"z{name[::-1]}", text)
            said = rf"  z{name[::-1]}:\1{{was: {name}, "
            text = re.sub(rf"^  {name}:( +)\{{", said, text, flags=re.MULTILINE)
        path.write_text(text, encoding="utf-8")
    return target


@pytest.mark.parametrize("name", ["b2b-standard", "retail-rfm"])
def test_the_rules_and_mappings_keep_their_digests(name: str, tmp_path: Path) -> None:
    before, _ = load(RULESETS / name)
    folder = rename_all(RULESETS / name, tmp_path / name)
    after, findings = load(folder)
    assert before is not None
    assert after is not None, findings
    assert not {fact.id for fact in after.facts if fact.was} & {fact.id for fact in before.facts}
    assert after.digest == before.digest
    for crm in ("zoho", "fxiaoke"):
        kept, found = read_mapping(folder / "mapping" / f"{crm}.yaml", after)
        old, _ = read_mapping(RULESETS / name / "mapping" / f"{crm}.yaml", before)
        assert found == []
        assert kept is not None
        assert old is not None
        assert kept.digest == old.digest
        assert set(kept.read) <= {fact.id for fact in after.facts}


def test_without_was_it_is_another_fact(tmp_path: Path) -> None:
    before, _ = load(RULESETS / "b2b-standard")
    folder = rename_all(RULESETS / "b2b-standard", tmp_path / "other")
    path = folder / "rules.yaml"
    text = re.sub(r"was: \w+, ", "", path.read_text(encoding="utf-8"))
    path.write_text(text, encoding="utf-8")
    after, _ = load(folder)
    assert before is not None
    assert after is not None
    assert after.digest != before.digest


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, customers=60, orders=400)
    yield made
    made.close()


def test_the_next_plan_is_the_one_there_would_have_been(world: World, tmp_path: Path) -> None:
    """By the policy and by the statement over everybody alike; the state takes the new names."""
    _, lines = world.plan(AS_OF)
    world.apply(lines, AS_OF)
    world.disturb('UPDATE "Accounts" SET "Max_Overdue_Days" = 99 WHERE CAST(id AS INTEGER) % 9 = 0')
    plain, _ = world.plan(DAYS[0])

    folder = rename_all(RULESETS / "b2b-standard", tmp_path / "b2b-standard")
    rules, _ = load(folder)
    assert rules is not None
    mapping, _ = read_mapping(folder / "mapping" / "zoho.yaml", rules)
    assert mapping is not None
    world.rules, world.mapping = rules, resolve(mapping, SCHEMAS)
    made, _ = world.plan(DAYS[0])
    whole, _ = world.plan(DAYS[0], filtered=False)

    assert made.same == whole.same
    assert made.dropped == plain.dropped > 0
    assert _told(made.raw) == _told(plain.raw)
    known = set(re.findall(r'"known_facts":\[([^\]]*)\]', made.raw.decode()))
    assert known
    assert not any(f'"{was}"' in listed for was in rules.renamed for listed in known)


def _told(raw: bytes) -> set[str]:
    """The lines without the names of known facts."""
    return {re.sub(r'"known_facts":\[[^\]]*\]', "", line) for line in raw.decode().splitlines()}


def renamed(folder: Path) -> Ruleset:
    """The small rules with ``potential`` called ``promise``."""
    return typed(
        folder,
        ("  potential: {type", "  promise: {was: potential, type"),
        ("    of: potential\n", "    of: promise\n"),
    )


def test_a_fact_known_under_its_former_name_is_lost_when_it_is_missing(tmp_path: Path) -> None:
    rules = renamed(tmp_path)
    (card,) = rules.scorecards
    given = {"missing": MissingPoints.GIVEN, "missing_points": Decimal(0)}
    card = replace(card, criteria=tuple(replace(item, **given) for item in card.criteria))
    engine, day = Engine(replace(rules, scorecards=(card,))), date(2026, 11, 22)
    facts = {"orders_12m": 12, "revenue": 500_000, "judged": 12}
    row = row_from_facts(engine, RecordRef("a", "1"), facts, day)
    (matched,) = match_compiled([row], engine, day)

    def decided(*known: str) -> Decision:
        standing = Standing("vip", date(2020, 1, 1), date(2020, 1, 1))
        state = CustomerState(row.ref, standing, known_facts=frozenset(known))
        return decide(engine, matched, state, EvaluationContext(day))

    lost, never = decided("potential"), decided()
    assert lost.tier is not None
    assert never.tier is not None
    assert (lost.tier.because, never.tier.because) == (Because.FACT_LOST, Because.PATIENCE)
    assert "promise" in lost.known_facts - never.known_facts
    assert "potential" not in lost.known_facts


def test_cases_may_say_either_name_but_only_one(tmp_path: Path) -> None:
    rules = renamed(tmp_path)
    head = "ruleset: small\ntoday: 2026-11-22\ncases:\n"
    once = f"{head}  - {{name: a, facts: {{potential: 高}}, expect: {{}}}}\n"
    file, _ = cases_text(tmp_path, rules, once)
    assert file is not None
    assert file.cases[0].facts == {"promise": "高"}
    twice = f"{head}  - {{name: a, facts: {{potential: 高, promise: 低}}, expect: {{}}}}\n"
    _, findings = cases_text(tmp_path, rules, twice)
    only(findings, "TEST007")


def test_a_mapping_may_say_either_name_but_only_one(tmp_path: Path) -> None:
    rules = renamed(tmp_path)
    text = "connector: zett\nobject: A\nidentity: {name: N}\nread:\n  potential: P\n"
    path = tmp_path / "zett.yaml"
    path.write_text(text, encoding="utf-8")
    mapping, findings = read_mapping(path, rules)
    assert findings == []
    assert mapping is not None
    assert set(mapping.read) == {"promise"}
    path.write_text(f"{text}  promise: P\n", encoding="utf-8")
    assert only(read_mapping(path, rules)[1], "MAP021").span.line == 6


def test_what_was_stored_is_told_in_the_names_of_today(tmp_path: Path) -> None:
    rules = renamed(tmp_path)
    engine, day = Engine(rules), date(2026, 11, 22)
    row = row_from_facts(engine, RecordRef("a", "1"), {"promise": "高"}, day)
    (matched,) = match_compiled([row], engine, day)
    decision = decide(engine, matched, CustomerState(row.ref), EvaluationContext(day))
    stored = replace(decision, facts={"potential": "高"}, known_facts=frozenset({"potential"}))
    told = decision_renamed(stored, rules)
    assert (told.facts, told.known_facts) == ({"promise": "高"}, {"promise"})
    counts = PlanCounts(evaluated=1, unchanged=1, missing_facts={"potential": 3, "days": 1})
    assert figures_renamed(counts, rules).missing_facts == {"promise": 3, "days": 1}


WRONG = [
    ("was: revenue", "仍是一个事实的名称", "still names a fact"),
    ("was: Potential", "仍是一个事实的名称", "still names a fact"),
    ("was: old", "也说自己原名", "says as well that it was"),
]


@pytest.mark.parametrize("wrong", WRONG, ids=[item[0] for item in WRONG])
def test_a_former_name_stands_for_one_fact_alone(
    tmp_path: Path, wrong: tuple[str, str, str]
) -> None:
    was, zh, en = wrong
    text = sound(
        ("  judged: {type", f"  judged: {{{was}, type"),
        ("  orders_12m: {type", "  orders_12m: {was: old, type"),
    )
    _, findings = load_text(tmp_path, text)
    found = only(findings, "RULE007")
    assert zh in found.message.zh
    assert en in found.message.en
