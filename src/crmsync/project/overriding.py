"""``override``: a person pins, lifts or caps a customer's tier, with a reason and an end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeAlias

from crmsync.config.project_file import ConnectionConfig
from crmsync.errors import UsageError
from crmsync.model.override import Override, OverrideKind
from crmsync.model.ruleset import Ruleset
from crmsync.model.text import Text
from crmsync.model.tier import Level
from crmsync.project.evaluating import Population
from crmsync.project.explaining import find_record, mirrored_mapping
from crmsync.project.loading import load_rules
from crmsync.project.opening import Project
from crmsync.store import Store, StoredOverride

Where: TypeAlias = tuple[Project, Path, ConnectionConfig]
"""The project, the ruleset's folder and the connection."""
KeptOverride: TypeAlias = StoredOverride
"""An override with its number, and who lifted it when."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideAsk:
    """What a person wants of one customer's tier, up to and including ``until``."""

    record: str
    kind: OverrideKind
    tier: str
    reason: str
    until: date | None = None


@dataclass(frozen=True, slots=True)
class OverrideGiven:
    """The override as stored, the tier it names, and those it took the place of."""

    stored: StoredOverride
    level: Level
    replaced: tuple[int, ...] = ()


def give_override(
    project: Project, folder: Path, connection: ConnectionConfig, ask: OverrideAsk, *, by: str
) -> OverrideGiven:
    """Store the override; it takes effect with the next plan.

    One of the same kind that is in force for the customer gives way. Raises UsageError for an
    unknown customer or tier, and for an end that is past.
    """
    rules = load_rules(folder)
    level = _level(rules, ask)
    today = project.as_of(rules)
    if ask.until is not None and ask.until < today:
        raise UsageError(
            Text(zh=f"{ask.until} 已经过去", en=f"{ask.until} is past"),
            mend=Text(zh=f"今天是 {today}", en=f"today is {today}"),
        )
    if not ask.reason.strip():
        raise UsageError(
            Text(zh="要写明原因", en="a reason is needed"),
            mend=Text(
                zh='例如 --reason "签了框架协议"', en='such as --reason "signed a framework"'
            ),
        )
    mapping = mirrored_mapping(project, folder, connection, rules)
    with project.store() as store:
        people = Population(project, store, rules, mapping, connection.name, today)
        with people.open() as opened:
            row = opened.row(find_record(opened, ask.record))
        assert row is not None
        override = Override(row.ref, ask.kind, level.id, by, ask.reason.strip(), today, ask.until)
        where = connection.name, rules.id
        replaced = _replaced(store, where, override)
        for number in replaced:
            store.overrides.lift(number, by=by, at=project.now())
        number = store.overrides.add(*where, override)
        _note(project, store, ("override", by), where, _detail(number, override))
    return OverrideGiven(StoredOverride(number, override), level, replaced)


def lift_override(
    project: Project,
    folder: Path,
    connection: ConnectionConfig,
    number: int,
    *,
    by: str,
    reason: str | None = None,
) -> StoredOverride:
    """End an override now; raises UsageError when there is none of that number in force."""
    rules = load_rules(folder)
    where = connection.name, rules.id
    with project.store() as store:
        known = {item.id: item for item in store.overrides.everything(*where)}
        found = known.get(number)
        if found is None or not store.overrides.lift(number, by=by, at=project.now()):
            raise UsageError(
                Text(
                    zh=f"没有生效中的人工指定 {number}",
                    en=f"there is no override {number} in force",
                ),
                mend=Text(zh="crmsync override --list", en="see crmsync override --list"),
            )
        detail = {**_detail(number, found.override), "reason": reason or ""}
        _note(project, store, ("override lifted", by), where, detail)
    return found


def standing_overrides(
    project: Project, folder: Path, connection: ConnectionConfig, *, every: bool = False
) -> tuple[Ruleset, tuple[StoredOverride, ...]]:
    """The overrides in force today, oldest first; with *every*, those that ended as well."""
    rules = load_rules(folder)
    today = project.as_of(rules)
    with project.store() as store:
        found = store.overrides.everything(connection.name, rules.id)
    return rules, tuple(item for item in found if every or item.holds(today))


def _level(rules: Ruleset, ask: OverrideAsk) -> Level:
    levels = () if rules.tier is None else rules.tier.levels
    level = next((i for i in levels if ask.tier in {i.id, *i.label.all()}), None)
    if level is None:
        raise UsageError(
            Text(zh=f"没有等级“{ask.tier}”", en=f"there is no tier “{ask.tier}”"),
            mend=Text.same(", ".join(item.id for item in levels)) if levels else None,
        )
    if level.by_exception_only and ask.kind is not OverrideKind.PIN:
        raise UsageError(
            Text(
                zh=f"“{level.id}”没有高低之分，只能用 --tier",
                en=f"“{level.id}” has no rank: only --tier can name it",
            )
        )
    return level


def _replaced(store: Store, where: tuple[str, str], override: Override) -> tuple[int, ...]:
    return tuple(
        item.id
        for item in store.overrides.everything(*where)
        if item.override.ref == override.ref
        and item.override.kind is override.kind
        and item.holds(override.start)
    )


def _detail(number: int, override: Override) -> dict[str, str]:
    return {
        "number": str(number),
        "record": str(override.ref),
        "kind": override.kind.value,
        "tier": override.level,
        "until": "" if override.until is None else override.until.isoformat(),
        "reason": override.reason,
    }


def _note(
    project: Project,
    store: Store,
    deed: tuple[str, str],
    where: tuple[str, str],
    detail: dict[str, str],
) -> None:
    connection, ruleset = where
    what, who = deed
    store.audit.add(
        at=project.now(),
        who=who,
        what=what,
        detail={"connection": connection, "ruleset": ruleset, **detail},
    )
