"""Tiers of parents, decided before those of the companies below them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby

import duckdb
from sqlglot import exp

from crmsync.errors import ConfigError
from crmsync.evaluate import Engine, EvaluationContext, Mirrored, decide, match
from crmsync.facts import circles, group_links
from crmsync.model.fact import FactRow, MatchedRow
from crmsync.model.group import Group, GroupTier, ParentTier
from crmsync.model.record import RecordRef
from crmsync.model.relation import FactRelation
from crmsync.model.state import CustomerState
from crmsync.model.text import Text

States = Callable[[Sequence[FactRow]], Mapping[RecordRef, CustomerState]]
Contexts = Callable[[Sequence[RecordRef]], EvaluationContext]


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A population with its group block, and how states and contexts of customers are found.

    ``context`` MUST be the one without tiers of parents.
    """

    group: Group
    engine: Engine
    relation: FactRelation
    mirror: duckdb.DuckDBPyConnection
    as_of: date
    states: States
    context: Contexts


def refuse_circles(
    mirror: duckdb.DuckDBPyConnection, relation: FactRelation, group: Group | None
) -> None:
    """Raise ConfigError naming the records whose parents go in a circle."""
    if group is None:
        return
    found = circles(mirror, relation, group.by)
    if not found:
        return
    listed = ", ".join(f"{name} ({id})" for id, name in found)
    raise ConfigError(
        Text(
            zh=f"上级公司互相循环：{listed}",
            en=f"the parents of these customers go in a circle: {listed}",
        ),
        mend=Text(
            zh="在 CRM 里改正其中一个的上级，再运行 crmsync pull",
            en="mend the parent of one of them in the CRM, then run crmsync pull",
        ),
    )


def parent_tiers(company: Company) -> dict[str, ParentTier]:
    """For every record below another whose tier hangs on it: that parent's (or head's) tier.

    Parents are decided from the top of each group down, so that a floor reaches everybody below;
    where tiers are shared, only heads are decided.
    """
    group = company.group
    if group.tier is GroupTier.OWN:
        return {}
    links = list(group_links(company.mirror, company.relation, group.by))
    shared = group.tier is GroupTier.SHARED
    above = {id: head if shared else parent for id, parent, head, _ in links}
    depths = {id: depth for id, _, _, depth in links}
    wanted = sorted(set(above.values()), key=lambda up: (depths.get(up, 0), up))
    rows = _rows(company, wanted)
    decided: dict[str, ParentTier] = {}
    for _, ids in groupby(wanted, key=lambda up: depths.get(up, 0)):
        layer = [rows[id] for id in ids if id in rows]
        for id, tier in _decided(company, layer, above, decided):
            decided[id] = tier
    return {id: decided[up] for id, up in above.items() if up in decided}


def _rows(company: Company, ids: Sequence[str]) -> dict[str, MatchedRow]:
    """The facts and verdicts of these records alone."""
    found: dict[str, MatchedRow] = {}
    column = exp.column("id", quoted=True)
    for start in range(0, len(ids), 1000):
        listed = [exp.Literal.string(id) for id in ids[start : start + 1000]]
        select = exp.select("*", copy=False).from_(
            company.relation.select.copy().subquery("everybody", copy=False), copy=False
        )
        narrowed = replace(
            company.relation,
            select=select.where(exp.In(this=column, expressions=listed), copy=False),
        )
        rows = match(Mirrored(company.mirror, narrowed), company.engine, company.as_of)
        found |= {matched.row.ref.id: matched for matched in rows}
    return found


def _decided(
    company: Company,
    layer: Sequence[MatchedRow],
    above: Mapping[str, str],
    decided: Mapping[str, ParentTier],
) -> Iterable[tuple[str, ParentTier]]:
    refs = [matched.row.ref for matched in layer]
    states = company.states([matched.row for matched in layer])
    tiers = {
        ref: decided[above[ref.id]]
        for ref in refs
        if company.group.tier is GroupTier.AT_LEAST_PARENT and above.get(ref.id) in decided
    }
    context = replace(company.context(refs), parents=tiers)
    for matched in layer:
        ref = matched.row.ref
        decision = decide(company.engine, matched, states[ref], context)
        if decision.tier is not None and decision.tier.after is not None:
            yield ref.id, ParentTier(decision.name, decision.tier.after)
