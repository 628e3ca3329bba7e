"""Several rulesets on one CRM: no field of one customer may be written by two of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import duckdb

from crmsync.config.project_file import ConnectionConfig
from crmsync.errors import ConfigError, PlanRefused
from crmsync.facts import relation
from crmsync.model.diagnostic import Diagnostic, Label
from crmsync.model.mapping import CrmMapping, WriteTarget
from crmsync.model.position import Span
from crmsync.model.relation import FactRelation
from crmsync.model.ruleset import Ruleset
from crmsync.model.text import Text
from crmsync.project.loading import load_mapping, load_rules, resolved
from crmsync.project.opening import Project
from crmsync.project.schemas import load_schemas
from crmsync.source import error, read_file
from crmsync.store.mirror import read_meta

NAMED = 5


@dataclass(frozen=True, slots=True)
class Written:
    """One ruleset with one of its mappings."""

    rules: Ruleset
    mapping: CrmMapping


def namesakes(found: Mapping[Path, Ruleset]) -> Iterator[Diagnostic]:
    """A finding for every ruleset whose name another one of the project has: what is kept of a
    customer is kept by that name, so the two would take each other's tiers for their own."""
    first: dict[str, Path] = {}
    for file, rules in found.items():
        other = first.setdefault(rules.id, file)
        if other != file:
            yield error(
                "RULE270",
                _name_in(file, rules),
                Text(
                    zh=f"两个规则集都叫“{rules.id}”：它们会共用一份等级和任务的记录",
                    en=f"two rulesets are called “{rules.id}”: they would share what is kept of "
                    "tiers and tasks",
                ),
                Text(zh="改掉其中一个的 ruleset", en="Rename one of them under ruleset."),
                labels=(
                    Label(
                        _name_in(other, found[other]), Text(zh="另一个在这里", en="the other one")
                    ),
                ),
            )


def _name_in(file: Path, rules: Ruleset) -> Span:
    """Where the file says its ruleset's name."""
    node = read_file(file, name=rules.file).node
    name = None if node is None else node.get("ruleset")
    return Span(rules.file, 1, 1, 1, 1) if name is None else name.span


def clashes(found: Sequence[Written]) -> Iterator[Diagnostic]:
    """A finding for every field two rulesets write on customers that both may decide for.

    Rulesets of different business lines do not clash: their ``scope`` reads the same CRM field and
    asks for different values of it.
    """
    for one, other in combinations(found, 2):
        first, second = one.mapping, other.mapping
        same = (first.connector, first.object) == (second.connector, second.object)
        if one.rules.id == other.rules.id or not same or _apart(one, other):
            continue
        for target, taken in _shared(first, second):
            field = target.field
            yield error(
                "RULE269",
                taken.field.span,
                Text(
                    zh=f"“{one.rules.id}”和“{other.rules.id}”都写 {field}，而客户没有分开",
                    en=f"“{one.rules.id}” and “{other.rules.id}” both write {field}, and nothing "
                    "keeps their customers apart",
                ),
                Text(
                    zh="给两个规则集写不同的 scope，或写不同的字段",
                    en="Give both a scope of its own, or let them write different fields.",
                ),
                labels=(Label(field.span, Text(zh="这里也写", en="written here as well")),),
            )


def _shared(one: CrmMapping, other: CrmMapping) -> Iterator[tuple[WriteTarget, WriteTarget]]:
    theirs = {str(target.field): target for target in other.write.values()}
    for target in one.write.values():
        if str(target.field) in theirs:
            yield target, theirs[str(target.field)]


def _apart(one: Written, other: Written) -> bool:
    """Whether no customer can be in both business lines."""
    return any(
        mine.value != theirs.value
        and mine.fact in one.mapping.read
        and one.mapping.read[mine.fact] == other.mapping.read.get(theirs.fact)
        for mine in one.rules.scope
        for theirs in other.rules.scope
    )


def refuse_shared_customers(
    project: Project,
    connection: ConnectionConfig,
    ours: Written,
    population: tuple[duckdb.DuckDBPyConnection, FactRelation],
) -> None:
    """Raise PlanRefused when another ruleset of the project writes a field of ours on a customer
    that is in both populations today.

    A ruleset whose facts are not in the mirror has not been planned on it and is passed over.
    """
    mirror, relation_ = population
    for folder in project.config.rulesets:
        other = _other(project, folder, connection, ours)
        if other is None:
            continue
        shared = [str(target.field) for target, _ in _shared(ours.mapping, other.mapping)]
        both = _both(mirror, relation_, other, project) if shared else ()
        if both:
            raise _shared_customers(ours, other, shared, both)


def _other(
    project: Project, folder: Path, connection: ConnectionConfig, ours: Written
) -> Written | None:
    if not (folder / "mapping" / f"{connection.connector}.yaml").is_file():
        return None
    try:
        rules = load_rules(folder)
        if rules.id == ours.rules.id:
            _refuse_namesake(ours.rules, rules)
            return None
        mapping = load_mapping(folder, connection.connector, rules)
        return Written(rules, resolved(mapping, load_schemas(project.schemas_path(connection))))
    except ConfigError:
        return None


def _refuse_namesake(ours: Ruleset, other: Ruleset) -> None:
    if Path(ours.file).resolve() == Path(other.file).resolve():
        return
    raise PlanRefused(
        Text(
            zh=f"两个规则集都叫“{ours.id}”：{ours.file} 和 {other.file}；"
            "它们会共用一份等级和任务的记录",
            en=f"two rulesets are called “{ours.id}”: {ours.file} and {other.file}; they would "
            "share what is kept of tiers and tasks",
        ),
        mend=Text(zh="改掉其中一个的 ruleset", en="rename one of them under ruleset"),
    )


def _both(
    mirror: duckdb.DuckDBPyConnection, ours: FactRelation, other: Written, project: Project
) -> tuple[tuple[str, str], ...]:
    """``(id, name)`` of customers in both populations, a few of them."""
    if ours.object != other.mapping.object:
        return ()
    schemas = read_meta(mirror).schemas()
    try:
        theirs = relation(other.rules, other.mapping, schemas, project.as_of(other.rules))
        query = (
            f"SELECT id, name FROM ({ours.select.sql('duckdb')}) AS ours WHERE id IN "
            f"(SELECT id FROM ({theirs.select.sql('duckdb')}) AS theirs) ORDER BY id LIMIT ?"
        )
        rows = mirror.execute(query, [NAMED]).fetchall()
    except (ConfigError, duckdb.CatalogException):  # facts this mirror does not hold
        return ()
    return tuple((str(id), str(name)) for id, name in rows)


def _shared_customers(
    ours: Written, other: Written, fields: Sequence[str], both: Sequence[tuple[str, str]]
) -> PlanRefused:
    listed = ", ".join(f"{name} ({id})" for id, name in both)
    named = ", ".join(fields)
    return PlanRefused(
        Text(
            zh=f"规则集“{other.rules.id}”也写 {named}，而这些客户同时在两个规则集里：{listed}",
            en=f"the ruleset “{other.rules.id}” writes {named} as well, and these customers are in "
            f"both: {listed}",
        ),
        mend=Text(
            zh=f"给“{ours.rules.id}”和“{other.rules.id}”写不同的 scope 或 applies_to",
            en=f"give “{ours.rules.id}” and “{other.rules.id}” a scope or applies_to of their own",
        ),
    )
