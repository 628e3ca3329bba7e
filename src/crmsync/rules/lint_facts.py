"""Lints across blocks and files: facts nobody reads, facts no mapping provides, feedback."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from crmsync.condition import names
from crmsync.condition.binding import model_inputs
from crmsync.model.condition import Condition, Expression
from crmsync.model.diagnostic import Diagnostic, Label
from crmsync.model.fact import FactType
from crmsync.model.mapping import Aggregate, AggregateSource, CrmMapping, FieldSource
from crmsync.model.position import NOWHERE, Span
from crmsync.model.ruleset import FactDefinition, Ruleset
from crmsync.model.scorecard import Criterion, PointsMatrix, PointsTable
from crmsync.model.text import Text
from crmsync.source import error, warning

_COUNTED = frozenset({Aggregate.COUNT, Aggregate.SUM, Aggregate.DISTINCT})
_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


def read_by_rules(ruleset: Ruleset) -> frozenset[str]:
    """Every fact some rule reads, directly or through a formula."""
    found: set[str] = set()
    for condition in _conditions(ruleset):
        found |= names(condition)
    for expression in _expressions(ruleset):
        found |= names(expression)
    for task in ruleset.tasks:
        found |= set(task.reads())
        for words in task.title.all():
            found |= set(_PLACEHOLDER.findall(words))
    for card in ruleset.scorecards:
        for line in (line for item in card.criteria for line in item.evidence):
            for words in line.text.all():
                found |= set(_PLACEHOLDER.findall(words))
    if ruleset.tier is not None and ruleset.tier.of is not None:
        found.add(ruleset.tier.of)
    if ruleset.group is not None:
        found.add(ruleset.group.by)
    known = {fact.id: fact for fact in ruleset.facts}
    todo = list(found)
    while todo:
        fact = known.get(todo.pop())
        fresh = frozenset[str]() if fact is None else _inputs(ruleset, fact) - found
        found |= fresh
        todo.extend(fresh)
    return frozenset(found)


def _inputs(ruleset: Ruleset, fact: FactDefinition) -> frozenset[str]:
    """What a derived fact is made of; a model fact without lines yet reads what its model reads."""
    if fact.formula is not None:
        return names(fact.formula)
    return model_inputs(ruleset, fact.model) if fact.model else frozenset()


def _conditions(ruleset: Ruleset) -> Iterator[Condition]:
    for card in ruleset.scorecards:
        if card.when is not None:
            yield card.when
        for criterion in card.criteria:
            yield from _lines(criterion)
    if ruleset.tier is not None and ruleset.tier.table is not None:
        yield from ruleset.tier.table.conditions
    yield from (item.when for item in ruleset.departures)
    if ruleset.newcomer is not None:
        yield ruleset.newcomer.when
    if ruleset.population is not None:
        yield ruleset.population
    if ruleset.lifecycle is not None:
        yield from (move.when for move in ruleset.lifecycle.moves)
    yield from (segment.when for segment in ruleset.segments)
    for task in ruleset.tasks:
        yield from task.conditions()


def _expressions(ruleset: Ruleset) -> Iterator[Expression]:
    for card in ruleset.scorecards:
        for criterion in card.criteria:
            yield from _operands(criterion)


def _lines(criterion: Criterion) -> Iterator[Condition]:
    yield from (line.when for line in criterion.evidence if line.when is not None)
    for part in criterion.ways:
        if isinstance(part, PointsTable | PointsMatrix):
            yield from (line.when for line in part.lines if line.when is not None)


def _operands(criterion: Criterion) -> Iterator[Expression]:
    yield from (of for part in criterion.ways for of in part.operands)


def lint_facts(ruleset: Ruleset) -> Iterator[Diagnostic]:
    """Facts that are declared and never read."""
    used = read_by_rules(ruleset)
    for fact in ruleset.facts:
        if fact.id not in used and not fact.model:
            yield warning(
                "RULE213",
                fact.span,
                Text(zh=f"没有规则使用事实“{fact.id}”", en=f"no rule reads the fact “{fact.id}”"),
                Text(zh="去掉它，或在规则中使用", en="Remove it, or use it in a rule."),
            )


def lint_mappings(ruleset: Ruleset, mappings: Sequence[CrmMapping]) -> Iterator[Diagnostic]:
    """Where a mapping and the rules do not fit together."""
    used = read_by_rules(ruleset)
    for mapping in mappings:
        whole = Span(mapping.file, 1, 1, 1, 1) if mapping.file else NOWHERE
        for fact in ruleset.facts:
            if fact.formula is None and not fact.model and fact.id not in mapping.read:
                yield _without_source(fact, mapping, whole, read=fact.id in used)
            yield from _missing_value(fact, mapping)
        yield from _feedback(mapping)
        yield from _unwritten(ruleset, mapping, whole)


def _without_source(
    fact: FactDefinition, mapping: CrmMapping, whole: Span, *, read: bool
) -> Diagnostic:
    if read:
        return warning(
            "MAP001",
            whole,
            Text(
                zh=f"事实“{fact.id}”在 {mapping.connector} 中没有来源，会一直未知",
                en=f"the fact “{fact.id}” has no source in {mapping.connector}: it stays unknown",
            ),
            Text(zh=f"在 read 下加 {fact.id}: …", en=f"Add {fact.id}: … under read."),
            labels=(Label(fact.span, Text(zh="在这里声明", en="declared here")),),
        )
    return warning(
        "MAP002",
        whole,
        Text(
            zh=f"事实“{fact.id}”在 {mapping.connector} 中没有来源，也没有规则使用它",
            en=f"the fact “{fact.id}” has no source in {mapping.connector}, and no rule reads it",
        ),
        Text(
            zh="在 read 里给它来源，或从规则里去掉",
            en="Give it a source under read, or drop it from the rules.",
        ),
    )


def _missing_value(fact: FactDefinition, mapping: CrmMapping) -> Iterator[Diagnostic]:
    """A value for missing data may only stand on what was counted or summed."""
    source = mapping.read.get(fact.id)
    if fact.missing is None or source is None or fact.type is FactType.YES_NO:
        return
    if isinstance(source, AggregateSource) and source.aggregate in _COUNTED:
        return
    place = source.field.span if isinstance(source, FieldSource) else source.span
    yield error(
        "RULE214",
        fact.span,
        Text(
            zh=f"“{fact.id}”不能写 missing：在 {mapping.connector} 中它不是计数或求和，"
            "没有值不等于这个数",
            en=f"“{fact.id}” may not say missing: in {mapping.connector} it is neither a count nor "
            "a sum, and no value is not that value",
        ),
        Text(
            zh="去掉 missing；缺失的事实保持未知，不会导致降级",
            en="Remove missing; an unknown fact never demotes anybody.",
        ),
        labels=() if place == NOWHERE else (Label(place, Text(zh="来源", en="its source")),),
    )


def _feedback(mapping: CrmMapping) -> Iterator[Diagnostic]:
    written = {str(target.field): target for target in mapping.write.values()}
    for name, source in mapping.read.items():
        if isinstance(source, FieldSource) and str(source.field) in written:
            target = written[str(source.field)]
            yield error(
                "RULE216",
                source.field.span,
                Text(
                    zh=f"事实“{name}”读的正是 crmsync 写的字段（{target.role}），"
                    f"会被自己的结果影响",
                    en=f"the fact “{name}” reads the field crmsync writes ({target.role}): it "
                    f"would "
                    "feed on its own result",
                ),
                Text(
                    zh="换一个字段；规则里可以直接用 tier、lifecycle",
                    en="Read another field; rules may name tier and lifecycle directly.",
                ),
                labels=(Label(target.field.span, Text(zh="在这里写入", en="written here")),),
            )


def _unwritten(ruleset: Ruleset, mapping: CrmMapping, whole: Span) -> Iterator[Diagnostic]:
    wanted = {
        "tier": ruleset.tier is not None,
        "lifecycle": ruleset.lifecycle is not None,
        "segments": bool(ruleset.segments),
    }
    for role, decided in wanted.items():
        if decided and role not in mapping.write:
            yield warning(
                "MAP003",
                whole,
                Text(
                    zh=f"规则会决定 {role}，但 {mapping.connector} 没有写入它的字段",
                    en=f"the rules decide {role}, but {mapping.connector} has no field to write it",
                ),
                Text(zh=f"在 write 下加 {role}: …", en=f"Add {role}: … under write."),
            )
    for role in ("tier", "tier_since", "lifecycle", "lifecycle_since", "segments", "score"):
        decided = wanted.get(role.removesuffix("_since"), bool(ruleset.scorecards))
        if role in mapping.write and not decided:
            yield warning(
                "MAP003",
                mapping.write[role].field.span,
                Text(
                    zh=f"write 里有 {role}，但规则不决定它",
                    en=f"write names {role}, but the rules do not decide it",
                ),
                Text(
                    zh="去掉这一行，或在规则里决定它",
                    en="Drop the line, or let the rules decide it.",
                ),
            )
    yield from _without_a_place(ruleset, mapping, whole)


def _without_a_place(ruleset: Ruleset, mapping: CrmMapping, whole: Span) -> Iterator[Diagnostic]:
    """What the rules do with tasks and owners, and the mapping has no field for."""
    spoken = next((task for task in ruleset.tasks if task.via is not None), None)
    if spoken is not None and mapping.tasks is not None and mapping.tasks.via is None:
        yield warning(
            "MAP003",
            whole,
            Text(
                zh=f"任务“{spoken.id}”写了 via，但 {mapping.connector} 的 tasks 没有写 via 字段",
                en=f"the task “{spoken.id}” says via, but tasks of {mapping.connector} names no "
                "field for it",
            ),
            Text(zh="在 tasks 下加 via: 字段名", en="Add via: FIELD under tasks."),
        )
    each = next((task for task in ruleset.tasks if task.for_each is not None), None)
    if each is not None and mapping.tasks is not None and mapping.tasks.person is None:
        yield warning(
            "MAP003",
            whole,
            Text(
                zh=f"任务“{each.id}”为每位联系人各建一个，但 {mapping.connector} 的 tasks 没有写"
                " person 字段",
                en=f"the task “{each.id}” is for each person, but tasks of {mapping.connector} "
                "names no field for the person",
            ),
            Text(zh="在 tasks 下加 person: 字段名", en="Add person: FIELD under tasks."),
        )
    if ruleset.reassigns and mapping.identity_owner is None:
        yield warning(
            "MAP003",
            whole,
            Text(
                zh=f"规则会改客户的负责人，但 {mapping.connector} 没有写 identity.owner",
                en=f"the rules may reassign owners, but {mapping.connector} names no "
                "identity.owner",
            ),
            Text(zh="在 identity 下加 owner: 字段名", en="Add owner: FIELD under identity."),
        )
    if ruleset.tasks and mapping.tasks is None:
        yield warning(
            "MAP003",
            whole,
            Text(
                zh=f"规则有任务，但 {mapping.connector} 没有写 tasks",
                en=f"the rules have tasks, but {mapping.connector} says nothing of tasks",
            ),
            Text(
                zh="写上 tasks: {object: …, key: …}，否则不会建任务",
                en="Write tasks: {object: …, key: …}; without it no task is created.",
            ),
        )
