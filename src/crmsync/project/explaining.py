"""``explain``: one customer's decision with its whole trace, today's or a past run's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from crmsync.condition import names
from crmsync.config.project_file import ConnectionConfig
from crmsync.errors import UsageError
from crmsync.evaluate import Wording, explain
from crmsync.model.decision import Decision, Explanation, Trace
from crmsync.model.fact import Judgement
from crmsync.model.mapping import AggregateSource, CrmMapping, FieldSource, Source
from crmsync.model.record import RecordRef
from crmsync.model.ruleset import FactDefinition, Ruleset
from crmsync.model.run import OpRecord
from crmsync.model.text import Text
from crmsync.project.evaluating import OpenPopulation, Population
from crmsync.project.explained import (
    explanation_document,
    merge_document,
    override_document,
)
from crmsync.project.frozen_view import lines_document
from crmsync.project.history import overwritten_document
from crmsync.project.loading import load_mapping, load_rules, resolved
from crmsync.project.merging import NotedMerge, noted
from crmsync.project.opening import Project
from crmsync.project.renaming import decision_renamed
from crmsync.project.schemas import load_schemas
from crmsync.store import Store, StoredOverride

PAST = 10


@dataclass(frozen=True, slots=True)
class Explained:
    """An explanation with the rules it speaks of, where facts come from, and the past."""

    explanation: Explanation
    ruleset: Ruleset
    sources: Mapping[str, str]
    history: tuple[Text, ...]
    overrides: tuple[StoredOverride, ...] = ()
    notes: tuple[Text, ...] = ()
    """Models whose lines could not be drawn, and why."""
    merges: tuple[NotedMerge, ...] = ()
    """Records that were merged into the customer."""
    overwritten: tuple[OpRecord, ...] = ()
    """Writes to this customer that replaced an edit of a person, newest first."""

    def words(self, trace: Trace) -> Text:
        """A condition with labels and the values it was decided on: ``Orders 2 ≥ 2``."""
        if trace.condition is None:
            return Text.same(trace.text)
        as_of = self.explanation.decision.as_of
        return Wording(self.ruleset).because_of(trace.condition, trace.values, as_of)

    def judgements(self, criterion: str) -> list[tuple[FactDefinition, Judgement]]:
        """Who gave the values a criterion hangs on, formulas included, by fact."""
        rules = self.ruleset
        cards = (item for card in rules.scorecards for item in card.criteria)
        ways = [way for item in cards if item.id == criterion for way in item.ways]
        todo = {name for way in ways for of in way.operands for name in names(of)}
        read: set[str] = set()
        while todo:
            read |= todo
            made = [rules.fact(name).formula for name in todo]
            todo = {name for of in made if of is not None for name in names(of)} - read
        judged = self.explanation.decision.judged
        return [(fact, judged[fact.id]) for fact in rules.facts if fact.id in judged.keys() & read]

    def as_document(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            **explanation_document(self.explanation, self.ruleset, self.words),
            "sources": dict(self.sources),
            "history": list(self.history),
            "overrides": [override_document(item) for item in self.overrides],
            "merges": [merge_document(item) for item in self.merges],
            "models": [lines_document(item) for item in self.ruleset.frozen],
            "notes": list(self.notes),
            "overwritten": [
                {"run": row.run_id, **overwritten_document(item)}
                for row in self.overwritten
                for item in row.overwritten
            ],
        }


def explain_record(
    project: Project,
    folder: Path,
    connection: ConnectionConfig,
    wanted: str,
    *,
    run: int | None,
) -> Explained:
    """Explain the customer of that id or exact name, from the mirror; writes nothing.

    With *run*, the decision is the one stored with that run, traced by today's rules.
    """
    rules = load_rules(folder)
    mapping = mirrored_mapping(project, folder, connection, rules)
    with project.store() as store:
        people = Population(project, store, rules, mapping, connection.name, project.as_of(rules))
        with people.open() as opened:
            merges = noted(store, connection.name, opened.mirrored[0])
            _merged_away(opened, merges, RecordRef(mapping.object, wanted))
            id = find_record(opened, wanted)
            row = opened.row(id)
            assert row is not None
            state = opened.states([row])[row.ref]
            shown = explain(opened.engine, row, state, opened.context([row.ref]))
            bound, notes = opened.rules, opened.notes
        if run is not None:
            past = decision_renamed(_past(store, run, row.ref), rules)
            shown = replace(shown, decision=past)
        given = tuple(
            item
            for item in store.overrides.everything(connection.name, rules.id)
            if item.override.ref == row.ref and item.holds(project.as_of(rules))
        )
        into = tuple(item for item in merges if item.stands == row.ref)
        history = _history(store, connection.name, rules, row.ref)
        lost = store.look_backs.of_record(connection.name, row.ref)
    return Explained(shown, bound, source_texts(mapping), history, given, notes, into, lost)


def _merged_away(opened: OpenPopulation, merges: Sequence[NotedMerge], ref: RecordRef) -> None:
    """Raise UsageError for a record that was merged into another: it says where it went."""
    found = next((item for item in merges if item.merge.lost == ref), None)
    if found is None or opened.holds(ref.id):
        return
    into, when = found.stands or found.merge.survivor, f"{found.merge.at:%Y-%m-%d}"
    raise UsageError(
        Text(
            zh=f"{ref.id} 已并入 {into.id}（{when} 由 {found.merge.by} 登记）",
            en=f"{ref.id} was merged into {into.id} (noted by {found.merge.by} on {when})",
        ),
        mend=Text.same(f"crmsync explain {into.id}"),
    )


def mirrored_mapping(
    project: Project, folder: Path, connection: ConnectionConfig, rules: Ruleset
) -> CrmMapping:
    """The mapping resolved against what the mirror holds: the CRM is not asked."""
    mapping = load_mapping(folder, connection.connector, rules)
    return resolved(mapping, load_schemas(project.schemas_path(connection)))


def find_record(opened: OpenPopulation, wanted: str) -> str:
    """The id of the customer of that id or exact name; raises UsageError."""
    if opened.row(wanted) is not None:
        return wanted
    found = opened.named(wanted)
    if len(found) == 1:
        return found[0]
    if found:
        listed = ", ".join(found)
        raise UsageError(
            Text(
                zh=f"有 {len(found)} 个客户叫这个名字",
                en=f"{len(found)} customers have this name",
            ),
            mend=Text(zh=f"用编号：{listed}", en=f"use an id: {listed}"),
        )
    raise UsageError(
        Text(zh=f"镜像里没有客户“{wanted}”", en=f"no customer “{wanted}” in the mirror"),
        mend=Text(
            zh="用 CRM 的记录编号或完整名称；新客户先运行 crmsync pull；"
            "不在 applies_to 范围内的不评估",
            en="use the CRM's record id or the whole name; for a new customer run crmsync pull;"
            " customers outside applies_to are not evaluated",
        ),
    )


def _past(store: Store, run: int, ref: RecordRef) -> Decision:
    decision = store.decisions.of_run(run, ref)
    if decision is None:
        raise UsageError(
            Text(
                zh=f"运行 {run} 没有改动这个客户",
                en=f"run {run} changed nothing of this customer",
            ),
            mend=Text(zh="用 crmsync runs 查看运行", en="see crmsync runs"),
        )
    return decision


def _history(store: Store, connection: str, rules: Ruleset, ref: RecordRef) -> tuple[Text, ...]:
    return tuple(
        _past_line(past, rules)
        for past in store.decisions.history(connection, rules.id, ref)[:PAST]
    )


def _past_line(past: Decision, rules: Ruleset) -> Text:
    """Day, score, tier and stage of a past decision, by the labels they have today."""
    levels = rules.tier.levels if rules.tier is not None else ()
    stages = rules.lifecycle.stages if rules.lifecycle is not None else ()
    labels = {level.id: level.label for level in levels}
    labels |= {stage.id: stage.label for stage in stages}
    score = past.score.total if past.score is not None else None
    zh = [str(past.as_of), "–" if score is None else str(score)]
    en = list(zh)
    moves = []
    if past.tier is not None:
        moves.append((past.tier.before, past.tier.after))
    if past.lifecycle is not None and past.lifecycle.before != past.lifecycle.after:
        moves.append((past.lifecycle.before, past.lifecycle.after))
    for pair in moves:
        texts = [labels.get(id or "", Text.same(id or "–")) for id in dict.fromkeys(pair)]
        zh.append(" → ".join(text.zh for text in texts))
        en.append(" → ".join(text.en for text in texts))
    return Text(zh="  ".join(zh), en="  ".join(en))


def source_texts(mapping: CrmMapping) -> dict[str, str]:
    """Where each fact comes from, in the CRM's own names."""
    texts: dict[str, str] = {}
    for fact, source in mapping.read.items():
        if isinstance(source, FieldSource):
            texts[fact] = f"{mapping.object}.{source.field.name or source.field}"
            texts[fact] += _rated(mapping, source)
        elif isinstance(source, AggregateSource):
            related = mapping.related[source.related]
            of = source.of.name if source.of is not None else related.date
            what = source.aggregate.value
            texts[fact] = f"{related.object} {what}({of})" if of else f"{related.object} {what}"
            texts[fact] += _rated(mapping, source)
    return texts


def _rated(mapping: CrmMapping, source: Source) -> str:
    """What an amount's rate hangs on: the field of its currency, else the currency of all."""
    if source.currency is not None:
        return f" × rate({source.currency.name or source.currency})"
    return ""
