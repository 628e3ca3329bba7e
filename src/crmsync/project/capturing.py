"""``test capture``: a case made of a real decision, with numbers kept and names masked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path

from crmsync.condition.binding import bind
from crmsync.config.project_file import ConnectionConfig
from crmsync.errors import UsageError
from crmsync.evaluate import Engine, EvaluationContext, explain
from crmsync.model.case import Case, CaseEpisode
from crmsync.model.fact import FactRow, FactType, FactValue, Judgement
from crmsync.model.record import RecordRef
from crmsync.model.ruleset import Ruleset
from crmsync.model.state import CustomerState
from crmsync.model.text import Text
from crmsync.project.boundaries import words_compared
from crmsync.project.cases import cases_of
from crmsync.project.deciding import decide_case
from crmsync.project.evaluating import Population
from crmsync.project.explaining import find_record, mirrored_mapping
from crmsync.project.loading import load_rules
from crmsync.project.opening import Project
from crmsync.rules import CASE_OBJECT, case_text, expectation_of
from crmsync.rules.case_state import opening_of


@dataclass(frozen=True, slots=True)
class Captured:
    """A case as text to put under ``cases:``."""

    ruleset: Ruleset
    text: str
    today: date


def capture(project: Project, folder: Path, connection: ConnectionConfig, wanted: str) -> Captured:
    """The case of the customer of that id or exact name, from the mirror; writes nothing.

    The record's id and name, its owner and words no rule compares with do not appear. Raises
    UsageError for a decision that hangs on what a case cannot say, such as an override.
    """
    rules = load_rules(folder)
    mapping = mirrored_mapping(project, folder, connection, rules)
    with project.store() as store:
        people = Population(project, store, rules, mapping, connection.name, project.as_of(rules))
        with people.open() as opened:
            row = opened.row(find_record(opened, wanted))
            assert row is not None
            state = opened.states([row])[row.ref]
            case = masked(opened.engine, row, state, opened.context([row.ref]))
    file = cases_of(folder, rules)
    days = {item.today for item in file.cases}
    common = days.pop() if len(days) == 1 else None
    names = {item.name for item in file.cases}
    text = case_text(replace(case, name=_name(case.today, names)), rules, today=common)
    return Captured(rules, text, case.today)


def masked(engine: Engine, row: FactRow, state: CustomerState, context: EvaluationContext) -> Case:
    """The decision of one customer as a case without a name in it; see `capture`."""
    decision = explain(engine, row, state, context).decision
    if engine.ruleset.frozen:
        # a case knows no frozen lines: what they gave is written down in their place
        engine = Engine(bind(engine.ruleset))
    ref = RecordRef(CASE_OBJECT, "1")
    episodes = tuple(
        CaseEpisode(item.task_id, item.opened_on) for item in context.open_episodes.get(row.ref, ())
    )
    case = Case(
        name="",
        today=context.as_of,
        facts=_facts(engine, row),
        judged=_ages(engine, row),
        before=opening_of(state).state(ref, context.as_of),
        episodes=episodes,
        expect=expectation_of(decision),
        released=context.released,
        cut_lines=_cut_lines(engine),
        parent_tier=context.parents[row.ref].tier if row.ref in context.parents else None,
    )
    if expectation_of(decide_case(engine, case)) != case.expect:
        raise UsageError(
            Text(
                zh="这个决定取决于用例写不出的东西（人工指定、曾经有过又缺失的事实，或更早的历史）",
                en="this decision hangs on what a case cannot say: an override, a fact that was "
                "known and is lost, or an older history",
            ),
            mend=Text(
                zh="用 crmsync explain 查看原因，另选一个客户",
                en="see crmsync explain for the reason, and capture another customer",
            ),
        )
    return case


def _cut_lines(engine: Engine) -> dict[str, Decimal]:
    tier = engine.ruleset.tier
    if tier is None or tier.drawn is None:
        return {}
    return {name: line for name, (line,) in tier.drawn.lines.items()}


def _ages(engine: Engine, row: FactRow) -> dict[str, Judgement]:
    """The days of judgements that grow old; authors and remarks stay out of a case."""
    return {
        fact.id: Judgement(on=row.judged[fact.id].on)
        for fact in engine.ruleset.facts
        if fact.valid_for is not None and fact.id in row.judged
    }


def _facts(engine: Engine, row: FactRow) -> dict[str, FactValue]:
    compared = words_compared(engine)
    found: dict[str, FactValue] = {}
    for fact in engine.ruleset.facts:
        value = row.facts.get(fact.id)
        if value is None and fact.id in row.judged:
            value = row.judged[fact.id].expired
        if fact.formula is not None or value is None:
            continue
        if fact.type is FactType.TEXT and value not in compared.get(fact.id, ()):
            value = "Example"
        found[fact.id] = value
    return found


def _name(day: date, taken: set[str]) -> str:
    name = f"真实决定 {day} / a real decision of {day}"
    number = 2
    while name in taken:
        name = f"真实决定 {day}（{number}） / a real decision of {day} ({number})"
        number += 1
    return name
