"""``plan``: pull, evaluate everybody, write the plan file; nothing is written to the CRM."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from crmsync import __version__
from crmsync.config.project_file import ConnectionConfig
from crmsync.errors import StoreError
from crmsync.evaluate.calendar import WorkCalendar
from crmsync.model.fact import FactRow
from crmsync.model.metering import PlanCost
from crmsync.model.plan import (
    PlanCounts,
    PlanHeader,
    PlanLine,
)
from crmsync.model.ruleset import Ruleset
from crmsync.model.text import Lang, Text
from crmsync.plan import (
    HumanEdits,
    PlanFile,
    PlanInputs,
    PlanStamp,
    WritePolicy,
    build,
    read_plan,
    write_plan,
)
from crmsync.project.budgeting import cost_of
from crmsync.project.business_lines import Written, refuse_shared_customers
from crmsync.project.evaluating import OpenPopulation, Population
from crmsync.project.expiring import expiry_finding
from crmsync.project.freshness import remembered
from crmsync.project.ground import Ground, stand
from crmsync.project.loading import load_rules
from crmsync.project.opening import Project
from crmsync.project.options import require_options
from crmsync.project.people import Staff, owner_resolver, staff_of
from crmsync.project.pulling import pull_rules
from crmsync.store import Store

VALID_FOR = timedelta(hours=24)
GIVE_UP = 5
"""Runs in which the CRM may refuse one and the same change before it is not sent any more."""
Progress = Callable[[int, int | None], None]


def silent(done: int, total: int | None) -> None:
    """No progress shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanAsk:
    """What ``plan`` was asked for."""

    folder: Path
    connection: ConnectionConfig
    out: Path
    only: tuple[str, ...] = ()
    pull: bool = True
    retry_refused: bool = False
    """Also send what the CRM refused again and again."""
    release: int = 0
    """Up to so many falls and moves that wait for a source may happen in this plan."""


@dataclass(frozen=True, slots=True)
class PlanMade:
    """A plan file with the ruleset it was made from."""

    file: PlanFile
    path: Path
    ruleset: Ruleset | None

    @property
    def header(self) -> PlanHeader:
        """Its provenance and figures."""
        return self.file.header

    @property
    def digest(self) -> str:
        """The checksum approvals name."""
        return self.file.digest

    def lines(self) -> Iterator[PlanLine]:
        """Its lines, streamed."""
        return self.file.lines()

    def tier_names(self, lang: Lang) -> dict[str, str]:
        """Tier ids to labels, best first."""
        if self.ruleset is None or self.ruleset.tier is None:
            return {}
        return {level.id: level.label.to(lang) for level in self.ruleset.tier.levels}


def make_plan(project: Project, ask: PlanAsk, *, progress: Progress = silent) -> PlanMade:
    """Read, evaluate, save. The reader given to planning cannot write."""
    connection = ask.connection
    ending = expiry_finding(connection, project.now().date())
    if ending is not None:
        project.notice(ending.text)
    with project.reader(connection) as reader:
        ground = stand(reader, ask.folder, connection)
        require_options(ground.rules, ground.mapping, ground.schemas)
        if ask.pull:
            pull_rules(project, connection, reader, (ground,), progress=progress)
        strict = connection.write_mode == "strict"

        staff = staff_of(reader, project.config.people, ground.rules, ground.mapping)

        def priced(counts: PlanCounts) -> PlanCost | None:
            return cost_of(reader, counts, strict=strict, look_back=connection.look_back)

        with project.store() as store:
            return plan_from_mirror(project, ask, ground, store, priced=priced, staff=staff)


def unpriced(counts: PlanCounts) -> PlanCost | None:
    """Nobody knows the price."""
    return None


def plan_from_mirror(
    project: Project,
    ask: PlanAsk,
    ground: Ground,
    store: Store,
    *,
    priced: Callable[[PlanCounts], PlanCost | None] = unpriced,
    staff: Staff | None = None,
) -> PlanMade:
    """Evaluate the published mirror and save the plan, with its price.

    Without *staff*, owners are who the files say, whether or not they are still there.
    """
    staff = staff or Staff(project.config.people, ground.mapping.users)
    where = ground.rules, ground.mapping, ask.connection.name
    population = Population(project, store, *where, project.as_of(ground.rules))
    if ask.release and 0 < _waiting(population) <= ask.release:
        population = replace(population, released=True)
    with population.open() as opened:
        if opened.account_id != ground.organization.id:
            raise StoreError(
                Text(
                    zh="镜像属于另一个 CRM 账户",
                    en="the mirror was read from another CRM account",
                ),
                mend=Text(zh="crmsync pull --full", en="run crmsync pull --full"),
            )
        ours = Written(ground.rules, ground.mapping)
        refuse_shared_customers(project, ask.connection, ours, opened.mirrored)
        inputs = _inputs(project, ask, ground, opened, staff)
        changing = opened.changing(inputs.policy.write_score_from)
        return _save(project, store, ask, inputs, (changing, priced))


def _inputs(
    project: Project, ask: PlanAsk, ground: Ground, opened: OpenPopulation, staff: Staff
) -> PlanInputs:
    now, as_of, store = project.now(), project.as_of(ground.rules), opened.store
    where = ask.connection.name, ground.rules.id
    calendar = WorkCalendar(ground.rules.workdays)
    held = {item.object: item for item in opened.unfresh if not item.released}
    return PlanInputs(
        ruleset=opened.rules,
        mapping=ground.mapping,
        origin=ground.origin(ask.connection.name, opened.pulled_at),
        stamp=PlanStamp(
            plan_id=uuid.uuid4().hex,
            created_at=now,
            expires_at=now + VALID_FOR,
            tool_version=__version__,
        ),
        as_of=as_of,
        policy=_policy(project, ask, ground),
        excluded=opened.excluded,
        owner=owner_resolver(staff),
        booked=store.episodes.booked(*where, since=as_of),
        next_workday=lambda day: calendar.after(day, 1),
        people=opened.people.of,
        episodes=lambda keys: store.episodes.known(*where, keys),
        overridden=opened.merged.holders(store.overrides.holders(*where, day=as_of)),
        previous=opened.previous,
        source_ages={name: item.age(as_of) for name, item in opened.sources.items()},
        source_rows=remembered(opened.sources, held, opened.previous),
        unfresh=opened.unfresh,
        frozen=opened.rules.frozen,
        notes=(*opened.notes, *staff.notes()),
        refused={} if ask.retry_refused else store.refusals.standing(*where, from_runs=GIVE_UP),
    )


def _waiting(population: Population) -> int:
    """How many falls and moves wait for a source."""
    with population.open() as opened:
        if not opened.unfresh:
            return 0
        return sum(len(item.decision.unfresh) for item in opened.evaluated())


def _save(
    project: Project,
    store: Store,
    ask: PlanAsk,
    inputs: PlanInputs,
    made_of: tuple[Iterator[Any], Callable[[PlanCounts], PlanCost | None]],
) -> PlanMade:
    evaluated, priced = made_of
    plan_id, connection = inputs.stamp.plan_id, ask.connection.name
    kept = _Keeper(store, plan_id, connection, inputs.ruleset.id)
    with build(replace(inputs, keep=kept.add), evaluated) as draft:
        draft.header = replace(draft.header, cost=priced(draft.header.counts))
        ask.out.parent.mkdir(parents=True, exist_ok=True)
        digest = write_plan(ask.out, draft, project.key())
        kept.flush()
        store.plans.register(draft.header, digest=digest, path=str(ask.out))
    return PlanMade(read_plan(ask.out, project.key()), ask.out, inputs.ruleset)


class _Keeper:
    """Stores decisions in pieces while a plan is made."""

    def __init__(self, store: Store, plan_id: str, connection: str, ruleset: str) -> None:
        self._store = store
        self._where = {"plan_id": plan_id, "connection": connection, "ruleset": ruleset}
        self._waiting: list[Any] = []

    def add(self, decision: object) -> None:
        self._waiting.append(decision)
        if len(self._waiting) >= 500:
            self.flush()

    def flush(self) -> None:
        if self._waiting:
            self._store.decisions.add(self._waiting, **self._where)
            self._waiting = []


def _policy(project: Project, ask: PlanAsk, ground: Ground) -> WritePolicy:
    only, pilot = frozenset(ask.only), project.config.pilot

    def chosen(row: FactRow) -> bool:
        return (not only or row.ref.id in only) and pilot.admits(row.ref.id, row.owner)

    common = WritePolicy(
        human_edits=HumanEdits(project.config.human_edits),
        in_scope=chosen,
        create_tasks=ground.creates_tasks,
    )
    ours = ground.rules.human_edits
    if ours is None:
        return common
    policy = HumanEdits.ADOPT if ours.adopt else HumanEdits.CONFLICT
    return replace(common, human_edits=policy, adopt_days=ours.days)


def load_plan(project: Project, path: Path) -> PlanMade:
    """A saved plan, verified; its ruleset when the project still holds it."""
    file = read_plan(path, project.key())
    rules = load_rules(project.folder_of(file.header.ruleset))
    return PlanMade(file, path, rules)
