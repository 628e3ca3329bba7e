"""Merges drawn by chance over shipped rules: what must hold whichever customers become one."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from tests.bench.world import AS_OF, NOW
from tests.unit.project.two_days import CONNECTION, World

from crmsync.apply.register import Registering, new_ops, observations
from crmsync.evaluate import episode_key
from crmsync.model.merge import Merge, MergedOverrides, MergedTasks, MergeRules
from crmsync.model.override import Override, OverrideKind
from crmsync.model.plan import PlanLine, RecordChange, Takeover, TaskClose, TaskCreate
from crmsync.model.record import RecordRef
from crmsync.model.ruleset import Ruleset
from crmsync.model.run import OpState
from crmsync.model.state import Episode, StoredState
from crmsync.plan import build
from crmsync.store import RunStart, Settled
from crmsync.store.effects import Ground
from crmsync.store.mirror import purge_mirror

CUSTOMERS = 30


def ref(id: str) -> RecordRef:
    return RecordRef("Accounts", id)


class Merging(World):
    """A world whose plans are carried out by the journal itself."""

    def carry_out(self, day: date, *, filtered: bool = True) -> tuple[PlanLine, ...]:
        """Plan *day*, confirm every line, and give the lines."""
        with self.opened(day) as opened:
            inputs = self.inputs(day)
            items = opened.changing(inputs.policy.write_score_from, filtered=filtered)
            with build(inputs, items) as draft:
                header, lines = draft.header, tuple(draft.lines())
        store = self.store
        store.states.observe(*self.scope, observations(lines), ruleset_digest=header.ruleset_digest)
        run = store.runs.create(header, RunStart("apply", "t", NOW, 1))
        ground = Ground(*self.scope, run, day, "Tasks")
        books = Registering(header, ground, store.states, store.merges)
        store.journal.plan(run, ground, new_ops(books, lines))
        settled = [
            Settled(op, OpState.DONE, crm_id=f"T{run}-{op.seq}") for op in store.journal.each(run)
        ]
        store.journal.settle(ground, settled)
        self._write(lines)
        return lines

    def _write(self, lines: Sequence[PlanLine]) -> None:
        with duckdb.connect(str(self.mirror)) as plain:
            for line in lines:
                for delta in line.fields if isinstance(line, RecordChange) else ():
                    plain.execute(
                        f'UPDATE "Accounts" SET "{delta.field}" = ? WHERE id = ?',
                        [None if delta.after is None else str(delta.after), line.ref.id],
                    )

    def merge(self, lost: str, survivor: str, *, by_crm: bool) -> None:
        """The CRM merges two customers; a person tells, or the CRM does."""
        self.disturb(f"DELETE FROM \"Accounts\" WHERE id = '{lost}'")
        self.disturb(
            f'UPDATE "Deals" SET "Account_Name" = \'{survivor}\' WHERE "Account_Name" = \'{lost}\''
        )
        if by_crm:
            self.disturb(
                f"INSERT INTO _merges VALUES ('Accounts', '{lost}', '{survivor}', "
                "TIMESTAMP '2026-04-01')"
            )
        else:
            self.store.merges.add(CONNECTION, Merge(ref(lost), ref(survivor), "li", NOW))

    def stored(self, id: str) -> StoredState | None:
        return self.store.states.stored(*self.scope, [ref(id)]).get(ref(id))

    def open_tasks(self, id: str) -> tuple[Episode, ...]:
        return self.store.episodes.open_for(*self.scope, [ref(id)]).get(ref(id), ())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Merging]:
    made = Merging(tmp_path, customers=CUSTOMERS, orders=700)
    yield made
    made.close()


def rank(world: World, tier: str | None) -> int:
    assert world.rules.tier is not None
    ranks = {level.id: place for place, level in enumerate(world.rules.tier.ranked)}
    return ranks.get(tier or "", len(ranks))


@pytest.mark.parametrize("seed", range(2))
def test_whoever_becomes_one_nothing_is_lost_and_nothing_done_twice(
    tmp_path: Path, seed: int
) -> None:
    """Never two open tasks of one rule, tier never below the higher of both right after the merge,
    an empty plan after an apply, the same plan with and without the filter."""
    world, chance = Merging(tmp_path, customers=CUSTOMERS, orders=700), random.Random(seed)
    living = [f"{number:06}" for number in range(CUSTOMERS)]
    day, made = AS_OF, Counter[str]()
    made.update(line.key for line in world.carry_out(day) if isinstance(line, TaskCreate))
    for step in range(3):
        day += timedelta(days=chance.choice((1, 20, 61, 95)))
        if chance.random() < 0.4:  # a day's plan before the merge is the day's opening
            lines = world.carry_out(day)
            made.update(line.key for line in lines if isinstance(line, TaskCreate))
        before: dict[str, list[StoredState | None]] = {}
        chance.shuffle(living)
        for _ in range(chance.randint(1, 5)):
            lost, survivor = living.pop(), living[0]
            if chance.random() < 0.5:
                survivor = chance.choice(living)
            kept = before.pop(lost, [world.stored(lost)])
            before.setdefault(survivor, [world.stored(survivor)]).extend(kept)
            world.merge(lost, survivor, by_crm=bool(step % 2))
        plain, _ = world.plan(day)
        assert plain.same == world.plan(day, filtered=False)[0].same
        lines = world.carry_out(day)
        over = {line.ref.id: line for line in lines if isinstance(line, Takeover)}
        assert over.keys() == before.keys()
        for survivor, states in before.items():
            known = [state.present.standing for state in states if state is not None]
            best = min(rank(world, standing.tier) for standing in known)
            opened = over[survivor].after.states[0].present.standing
            own = known[0].tier
            if own is None or rank(world, own) < rank(world, None):
                assert rank(world, opened.tier) == best
            days = [item.tier_since for item in known if rank(world, item.tier) < 5]
            if own is not None and rank(world, own) < rank(world, None):
                assert opened.tier_since == min(filter(None, days))
            unpaired(world, lines, over[survivor])
        made.update(line.key for line in lines if isinstance(line, TaskCreate))
        assert set(made.values()) <= {1}
        again, rest = world.plan(day)
        assert again.raw == b"", rest[:3]
    world.close()


def unpaired(world: Merging, lines: Sequence[PlanLine], over: Takeover) -> None:
    """Of every rule the open tasks that stood before the plan come from one record alone."""
    new = {line.key for line in lines if isinstance(line, TaskCreate)}
    whose: dict[str, set[bool]] = {}
    for task in world.open_tasks(over.ref.id):
        if task.key not in new:
            whose.setdefault(task.task_id, set()).add(task.key in over.after.episodes)
    assert all(len(sides) == 1 for sides in whose.values()), whose


def test_a_task_made_for_either_is_not_made_again(world: Merging) -> None:
    """Once per quarter, and the one that vanished had it this quarter."""
    world.carry_out(AS_OF)
    task = next(item for item in world.rules.tasks if item.id == "welcome-vip")
    lost, survivor = "000001", "000002"
    key = episode_key(world.rules.id, task, ref(lost), "2026Q2")
    episode = Episode(key, task.id, ref(lost), AS_OF, closed_on=AS_OF)
    world.store.episodes.put(*world.scope, [episode], task_object="Tasks")
    world.merge(lost, survivor, by_crm=False)
    day = AS_OF + timedelta(days=1)
    world.carry_out(day)
    (kept,) = world.store.episodes.known(*world.scope, [key]).values()
    assert kept.ref == ref(survivor)
    # everything it could want, and a rise with it
    world.disturb(
        'UPDATE "Deals" SET "Account_Name" = \'000002\', "Closing_Date" = DATE \'2026-03-20\', '
        '"Amount" = 900000, "Stage" = \'Closed Won\' WHERE CAST(id AS INTEGER) % 5 = 0'
    )
    world.disturb(
        'UPDATE "Accounts" SET "Demand_Potential" = \'High\', "Max_Overdue_Days" = 0, '
        "\"Margin_12M\" = 44 WHERE id = '000002'"
    )
    lines = world.carry_out(day + timedelta(days=1))
    rises = [i for i in lines if isinstance(i, RecordChange) and i.ref.id == survivor]
    assert [item.tier_after for item in rises] == ["vip"]
    assert not [
        i
        for i in lines
        if isinstance(i, TaskCreate) and i.task_id == "welcome-vip" and i.about.id == survivor
    ]


def doubled(world: Merging) -> tuple[Episode, Episode]:
    """The same rule's task is open for both; the one of the record that vanishes is older."""
    world.carry_out(AS_OF)
    older = Episode("k-old", "regular-visit", ref("000001"), AS_OF - timedelta(days=9), "T1")
    newer = Episode("k-new", "regular-visit", ref("000002"), AS_OF, "T2")
    world.store.episodes.put(*world.scope, [newer, older], task_object="Tasks")
    world.merge("000001", "000002", by_crm=False)
    return older, newer


def test_of_two_open_tasks_of_one_rule_the_older_stays(world: Merging) -> None:
    older, newer = doubled(world)
    lines = world.carry_out(AS_OF + timedelta(days=1))
    closings = [line for line in lines if isinstance(line, TaskClose)]
    mine = [line for line in closings if line.about.id == "000002"]
    assert [(line.key, line.ref.id) for line in mine] == [(newer.key, "T2")]
    assert older.key in {task.key for task in world.open_tasks("000002")}


def test_where_the_rules_say_so_both_tasks_stay(world: Merging) -> None:
    world.rules = replace_merging(world, MergeRules(tasks=MergedTasks.KEEP))
    older, newer = doubled(world)
    world.carry_out(AS_OF + timedelta(days=1))
    assert {older.key, newer.key} <= {task.key for task in world.open_tasks("000002")}


def replace_merging(world: World, merging: MergeRules) -> Ruleset:
    return replace(world.rules, on_merge=merging)


@pytest.mark.parametrize("policy", list(MergedOverrides))
def test_a_person_s_word_goes_over_or_ends(world: Merging, policy: MergedOverrides) -> None:
    world.rules = replace_merging(world, MergeRules(overrides=policy))
    world.carry_out(AS_OF)
    word = Override(ref("000001"), OverrideKind.PIN, "vip", "li", "board's wish", AS_OF)
    number = world.store.overrides.add(*world.scope, word)
    world.merge("000001", "000002", by_crm=True)
    day = AS_OF + timedelta(days=1)
    lines = world.carry_out(day)
    assert world.plan(day)[0].raw == b""
    (stored,) = world.store.overrides.everything(*world.scope)
    assert stored.id == number
    state = world.stored("000002")
    assert state is not None
    if policy is MergedOverrides.KEEP:
        assert stored.override.ref == ref("000002")
        assert stored.lifted_at is None
        assert state.present.standing.tier == "vip"
    else:
        assert stored.override.ref == ref("000001")
        assert stored.lifted_by == "merge"
    assert any(isinstance(line, Takeover) for line in lines)
    told = world.store.merges.told(CONNECTION)
    assert [(item.lost.id, item.survivor.id, item.by) for item in told] == [
        ("000001", "000002", "crm")
    ]


@pytest.mark.parametrize("gone", ["000001", "000002"])
def test_a_purge_of_either_leaves_no_word_of_it(world: Merging, gone: str) -> None:
    world.carry_out(AS_OF)
    world.merge("000001", "000002", by_crm=True)
    world.carry_out(AS_OF + timedelta(days=1))
    assert any(name.startswith("attempt") for name in world.store.mentions(gone))
    world.store.purge(CONNECTION, ref(gone), at=NOW, who="li")
    assert world.store.mentions(gone) == {}
    purge_mirror(world.mirror, [("Accounts", gone)])
    assert world.store.merges.told(CONNECTION) == ()
    with duckdb.connect(str(world.mirror), read_only=True) as plain:
        assert plain.execute("SELECT count(*) FROM _merges").fetchall() == [(0,)]


def test_a_record_the_crm_still_holds_hands_nothing_over(world: Merging) -> None:
    world.carry_out(AS_OF)
    at = datetime(2026, 4, 1, tzinfo=UTC)
    world.store.merges.add(CONNECTION, Merge(ref("000001"), ref("000002"), "li", at))
    day = AS_OF + timedelta(days=1)
    assert not [i for i in world.carry_out(day) if isinstance(i, Takeover)]
    assert world.stored("000001") is not None
    with world.opened(day) as opened:
        (note,) = opened.merged.notes
        assert note.en.startswith("1 noted as merged")
        assert note in opened.notes


def test_a_merge_nobody_can_follow_hands_nothing_over(world: Merging) -> None:
    """Told in a circle by the CRM, or into a record that is not there."""
    world.carry_out(AS_OF)
    world.merge("000001", "000002", by_crm=True)
    world.merge("000002", "000001", by_crm=True)
    world.merge("000003", "999999", by_crm=True)
    day = AS_OF + timedelta(days=1)
    assert not [i for i in world.carry_out(day) if isinstance(i, Takeover)]
    assert world.stored("000003") is not None
    with world.opened(day) as opened:
        (note,) = opened.merged.notes
        assert note.en.startswith("1 that should take over")
