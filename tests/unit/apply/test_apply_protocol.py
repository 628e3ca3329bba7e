"""The write protocol against a CRM that loses replies, throttles, refuses, and is edited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.apply.bench import HERE, Bench, fake_crm
from tests.unit.apply.fake import (
    FakeCrm,
    Fault,
    commits_late,
    half_committed,
    lost_after_commit,
    lost_before_commit,
    quota_gone,
    signed_out,
    throttled,
    unavailable,
)
from tests.unit.plan.builders import DAY, closing, opening, ref, ruleset

from crmsync.apply import Limits
from crmsync.connector import CreateOnce, FieldIn
from crmsync.errors import (
    AuthError,
    GuardRefused,
    LockHeld,
    PlanRefused,
    QuotaExhausted,
    Throttled,
    Unavailable,
)
from crmsync.model.change import Change, CreateRecord, SetFields
from crmsync.model.plan import RecordChange
from crmsync.model.run import ApplyReport, OpState, RunState
from crmsync.model.state import Clocks
from crmsync.model.text import Text
from crmsync.plan import check_plan
from crmsync.store import uptime


def firsts(bench: Bench, count: int) -> list[object]:
    bench.seed(count)
    return [bench.item(n) for n in range(1, count + 1)]


def outcomes(report: ApplyReport) -> dict[str, int]:
    return {state.value: count for state, count in report.outcomes.items()}


def test_everything_is_written_once_and_the_next_plan_is_empty(bench: Bench) -> None:
    bench.seed(10)
    items = [bench.item(n, opens=(opening(n),) if n < 3 else ()) for n in range(1, 11)]
    report = bench.apply(bench.plan(items))
    assert outcomes(report) == {"done": 12}
    assert (report.written, report.tasks_created, report.complete) == (10, 2, True)
    assert report.run.state is RunState.DONE
    assert bench.tiers(10) == ["重要客户"] * 10
    assert set(bench.crm.sets.values()) == {1}
    again = bench.plan([bench.item(n, opens=(opening(n),) if n < 3 else ()) for n in range(1, 11)])
    counts = again.header.counts
    assert (counts.unchanged, counts.new_tasks, counts.withheld) == (10, 0, 0)
    calls = len(bench.crm.calls)
    assert bench.apply(again).outcomes == {}
    assert len(bench.crm.calls) == calls


def test_standing_becomes_true_only_by_a_confirmed_write(bench: Bench) -> None:
    plan = bench.plan(firsts(bench, 2))  # type: ignore[arg-type]
    change = next(line for line in plan.lines() if isinstance(line, RecordChange))
    bench.crm.put(change.ref, Tier="VIP客户")
    report = bench.apply(plan)
    assert outcomes(report) == {"done": 1, "conflict": 1}
    states = bench.store.states.opening(*HERE, [ref(1), ref(2)], day=DAY + timedelta(days=1))
    assert states[ref(1)].standing.tier is None
    assert states[ref(2)].standing.tier == "key"
    assert states[ref(1)].clocks.evaluated == DAY


def test_a_person_s_edit_of_an_owned_field_is_left_alone_and_shown(bench: Bench) -> None:
    plan = bench.plan(firsts(bench, 3))  # type: ignore[arg-type]
    bench.crm.put(ref(2), Tier="VIP客户")
    bench.crm.put(ref(3), Phone="123")
    report = bench.apply(plan)
    (problem,) = report.problems
    assert (problem.ref, problem.state) == (ref(2), OpState.CONFLICT)
    assert problem.actual == {"Tier": "VIP客户"}
    assert bench.tiers(3) == ["重要客户", "VIP客户", "重要客户"]
    assert report.run.state is RunState.PARTIAL


def test_a_deleted_record_is_a_conflict(bench: Bench) -> None:
    plan = bench.plan(firsts(bench, 2))  # type: ignore[arg-type]
    bench.crm.delete(ref(1))
    report = bench.apply(plan)
    assert [(p.ref, p.error and p.error.code) for p in report.problems] == [(ref(1), "GONE")]


def test_a_value_that_is_there_already_needs_no_call(bench: Bench) -> None:
    plan = bench.plan(firsts(bench, 1))  # type: ignore[arg-type]
    (change,) = [line for line in plan.lines() if isinstance(line, RecordChange)]
    bench.crm.put(ref(1), **{delta.field: delta.after for delta in change.fields})
    assert outcomes(bench.apply(plan)) == {"done": 1}
    assert bench.crm.calls == []


def test_refused_rows_keep_the_crm_s_words_and_do_not_block_others(bench: Bench) -> None:
    plan = bench.plan(firsts(bench, 9))  # type: ignore[arg-type]
    refuse_customer(bench, 5)
    report = bench.apply(plan)
    assert outcomes(report) == {"done": 8, "rejected": 1}
    (problem,) = report.problems
    assert problem.ref == ref(5)
    assert problem.error is not None
    assert (problem.error.code, problem.error.field) == ("INVALID_DATA", "Tier")


def refuse_customer(bench: Bench, n: int) -> None:
    def mark(crm: FakeCrm) -> None:
        for op in bench.store.journal.rows(1):
            if op.effect.about == ref(n):
                crm.refused.add(op.record.op_key)

    bench.crm.before_write = mark


def test_one_bad_record_of_an_atomic_batch_is_found_by_halving(bench: Bench) -> None:
    bench.crm = fake_crm(atomic_batch=True, write_batch=100)
    plan = bench.plan(firsts(bench, 64))  # type: ignore[arg-type]
    refuse_customer(bench, 23)
    report = bench.apply(plan)
    assert outcomes(report) == {"done": 63, "rejected": 1}
    assert len(bench.crm.calls) <= 1 + 2 * 6
    assert set(bench.crm.sets.values()) == {1}


def test_a_uniform_batch_holds_one_set_of_values(bench: Bench) -> None:
    bench.crm = fake_crm(uniform_batch=True, write_batch=100)
    bench.seed(30)
    tiers = ("vip", "key", "standard")
    items = [bench.item(n, tiers[n % 3]) for n in range(1, 31)]
    assert outcomes(bench.apply(bench.plan(items))) == {"done": 30}
    assert len(bench.crm.calls) == 3


@pytest.mark.parametrize("fault", [lost_after_commit, lost_before_commit, half_committed])
def test_a_lost_reply_is_looked_up_before_anything_is_repeated(bench: Bench, fault: Fault) -> None:
    plan = bench.plan(firsts(bench, 6))  # type: ignore[arg-type]
    bench.crm.faults = [fault]
    report = bench.apply(plan)
    assert outcomes(report) == {"done": 6}
    assert set(bench.crm.sets.values()) == {1}


@pytest.mark.parametrize("rung", [CreateOnce.A, CreateOnce.B, CreateOnce.C])
@pytest.mark.parametrize(
    "fault", [lost_after_commit, lost_before_commit, half_committed, commits_late]
)
def test_a_task_exists_once_whatever_became_of_the_reply(
    bench: Bench, rung: CreateOnce, fault: Fault
) -> None:
    lag = timedelta(seconds=60) if rung is CreateOnce.C else timedelta()
    bench.crm = fake_crm(create_once=rung, index_lag=lag)
    bench.seed(5)
    items = [bench.item(n, opens=(opening(n),)) for n in range(1, 6)]
    plan = bench.plan(items)
    bench.crm.faults = [None, None, fault]
    report = bench.apply(plan)
    bench.clock.sleep(1000)
    bench.crm.settle()
    assert outcomes(report) == {"done": 10}
    keys = [fields["Key"] for fields in bench.crm.tasks().values()]
    assert sorted(keys) == sorted(opening(n).key for n in range(1, 6))  # type: ignore[type-var]
    known = bench.store.episodes.known(*HERE, [opening(n).key for n in range(1, 6)])
    assert {episode.crm_id for episode in known.values()} == set(bench.crm.tasks())


def test_a_commit_later_than_promised_makes_a_duplicate_that_the_scan_finds(bench: Bench) -> None:
    bench.crm = fake_crm(late_commit=timedelta(0))
    bench.seed(1)
    plan = bench.plan([bench.item(1, opens=(opening(1),))])
    bench.crm.faults = [None, commits_late]
    run = bench.apply(plan).run.id
    bench.clock.sleep(1000)
    bench.crm.settle()
    assert len(bench.crm.tasks()) == 2
    with bench.applier() as (applier, lock):
        ((row, ids),) = applier.duplicates(run, lock)
    assert (row.ref.id, ids) == (opening(1).key, ("T1", "T2"))


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(minutes=-40), timedelta(hours=-9)])
def test_a_clock_set_in_the_middle_of_a_run_makes_no_duplicate(
    bench: Bench, jump: timedelta
) -> None:
    """The reply is lost, the CRM commits 100 s later, and meanwhile our clock is set."""
    bench.crm = fake_crm()
    bench.seed(2)
    plan = bench.plan(bench.item(n, opens=(opening(n),)) for n in (1, 2))
    off = [timedelta()]

    def lost(crm: FakeCrm, changes: Sequence[Change]) -> None:
        off[0] = jump
        commits_late(crm, changes)

    world = {"now": lambda: bench.clock.now() + off[0], "ticks": lambda: bench.clock.slept}
    bench.crm.faults = [None, lost]
    report = bench.apply(plan, **world)
    while report.resumable:
        bench.clock.sleep(timedelta(hours=10).total_seconds())
        report = bench.resume(report.run.id, **world)
    bench.clock.sleep(1000)
    bench.crm.settle()
    assert outcomes(report) == {"done": 4}
    keys = sorted(str(fields["Key"]) for fields in bench.crm.tasks().values())
    assert keys == sorted(opening(n).key for n in (1, 2))


@pytest.mark.parametrize("boots", [("one", "one"), ("one", "two"), (None, None)])
def test_a_clock_set_between_two_processes_makes_no_duplicate(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, boots: tuple[str | None, str | None]
) -> None:
    """The reply is lost and the CRM commits 100 s later; the run ends at once, and the program is
    started again, by a clock an hour ahead: after the same boot, another one, or nobody knows."""
    monkeypatch.setattr(uptime, "boot", lambda: boots[0])
    bench.crm = fake_crm()
    bench.seed(1)
    plan = bench.plan([bench.item(1, opens=(opening(1),))])
    bench.crm.faults = [None, commits_late]
    ticks: dict[str, Any] = {"ticks": lambda: bench.clock.slept}
    report = bench.apply(plan, limits=Limits(settle_within=timedelta()), **ticks)
    assert outcomes(report) == {"done": 1, "in_doubt": 1}
    bench.clock.sleep(30)
    bench.restart()
    monkeypatch.setattr(uptime, "boot", lambda: boots[1])
    ahead = {"now": lambda: bench.clock.now() + timedelta(hours=1)}
    report = bench.resume(report.run.id, **ahead, **ticks)
    bench.crm.settle()
    assert outcomes(report) == {"done": 2}
    assert len(bench.crm.tasks()) == 1
    waited = bench.clock.slept - 30
    assert waited == (105 if boots == ("one", "one") else 135)


def test_found_rows_do_not_wait_for_the_quarantine(bench: Bench) -> None:
    plan = bench.plan(firsts(bench, 2))  # type: ignore[arg-type]
    bench.crm.faults = [lost_after_commit]
    bench.apply(plan)
    assert bench.clock.slept == 0


def test_rows_not_in_doubt_never_wait_for_those_that_are(bench: Bench) -> None:
    plan = bench.plan(firsts(bench, 8))  # type: ignore[arg-type]
    bench.crm.faults = [lost_before_commit]
    moments = []
    bench.crm.before_write = lambda crm: moments.append(crm.clock.slept)
    bench.apply(plan)
    assert moments[:2] == [0, 0]
    assert moments[2] >= 120


def test_without_a_way_to_create_once_no_task_is_created_unless_asked(bench: Bench) -> None:
    bench.crm = fake_crm(create_once=CreateOnce.D)
    bench.seed(1)
    report = bench.apply(bench.plan([bench.item(1, opens=(opening(1),))]))
    assert outcomes(report) == {"done": 1, "cancelled": 1}
    assert bench.crm.tasks() == {}
    plan = bench.plan([bench.item(1, opens=(opening(1),))])
    assert outcomes(bench.apply(plan, accept_duplicates=True)) == {"done": 1}


def test_in_doubt_without_a_way_to_look_stays_in_doubt(bench: Bench) -> None:
    bench.crm = fake_crm(create_once=CreateOnce.D)
    bench.seed(1)
    plan = bench.plan([bench.item(1, opens=(opening(1),))])
    bench.crm.faults = [None, lost_after_commit]
    report = bench.apply(plan, accept_duplicates=True)
    assert outcomes(report) == {"done": 1, "in_doubt": 1}
    assert report.run.state is RunState.STOPPED
    assert len(bench.crm.tasks()) == 1


def test_a_task_waits_for_its_own_customer_s_change(bench: Bench) -> None:
    bench.seed(2)
    plan = bench.plan([bench.item(n, opens=(opening(n),)) for n in (1, 2)])
    bench.crm.put(ref(1), Tier="VIP客户")
    report = bench.apply(plan)
    assert outcomes(report) == {"done": 2, "conflict": 1, "cancelled": 1}
    assert [fields["What"] for fields in bench.crm.tasks().values()] == [ref(2).id]


def open_task(bench: Bench, n: int) -> str:
    """A customer with one open task of ours; gives the task's id."""
    bench.apply(bench.plan([bench.item(n, opens=(opening(n),))]))
    (task,) = (i for i, fields in bench.crm.tasks().items() if fields["What"] == ref(n).id)
    return task


def close_plan(bench: Bench, n: int) -> ApplyReport:
    return bench.apply(bench.plan([bench.item(n, closes=(closing(n),))]))


def test_a_task_is_closed_and_not_planned_again(bench: Bench) -> None:
    bench.seed(1)
    task = open_task(bench, 1)
    assert close_plan(bench, 1).tasks_closed == 1
    assert bench.crm.tasks()[task]["Status"] == "Completed"
    assert bench.plan([bench.item(1, closes=(closing(1),))]).header.counts.closed_tasks == 0


@pytest.mark.parametrize(
    ("status", "expected"), [("Completed", {"done": 1}), ("In Progress", {"conflict": 1})]
)
def test_a_task_in_a_person_s_hands_stays_theirs(
    bench: Bench, status: str, expected: dict[str, int]
) -> None:
    bench.seed(1)
    task = open_task(bench, 1)
    calls = len(bench.crm.calls)
    bench.crm.objects["Tasks"][task].fields["Status"] = status
    assert outcomes(close_plan(bench, 1)) == expected
    assert len(bench.crm.calls) == calls
    assert bench.plan([bench.item(1, closes=(closing(1),))]).header.counts.closed_tasks == 0


def test_a_task_a_person_deleted_stays_deleted(bench: Bench) -> None:
    bench.seed(1)
    task = open_task(bench, 1)
    del bench.crm.objects["Tasks"][task]
    assert outcomes(close_plan(bench, 1)) == {"done": 1}
    plan = bench.plan([bench.item(1, opens=(opening(1),))])
    assert plan.header.counts.new_tasks == 0


def test_throttling_waits_as_told(bench: Bench) -> None:
    plan = bench.plan(firsts(bench, 3))  # type: ignore[arg-type]
    bench.crm.faults = [throttled(30), throttled(None), unavailable]
    report = bench.apply(plan)
    assert outcomes(report) == {"done": 3}
    assert bench.clock.slept == pytest.approx(30 + 2 + 4)


def test_reads_are_patient_too(bench: Bench) -> None:
    plan = bench.plan(firsts(bench, 3))  # type: ignore[arg-type]
    bench.crm.read_faults = [Throttled(Text.same("x"), retry_after=7), Unavailable(Text.same("y"))]
    assert outcomes(bench.apply(plan)) == {"done": 3}
    assert bench.clock.slept == pytest.approx(7 + 2)


@pytest.mark.parametrize(
    ("faults", "kind", "exit"),
    [
        ([throttled(301)], Throttled, 9),
        ([unavailable] * 6, Unavailable, 9),
        ([signed_out], AuthError, 4),
        ([quota_gone], QuotaExhausted, 9),
    ],
)
def test_what_waiting_does_not_mend_stops_the_run_cleanly(
    bench: Bench, faults: list[Fault | None], kind: type, exit: int
) -> None:
    plan = bench.plan(firsts(bench, 10))  # type: ignore[arg-type]
    bench.crm.faults = [None, *faults]
    report = bench.apply(plan)
    assert isinstance(report.stopped, kind)
    assert report.stopped is not None
    assert report.stopped.exit == exit
    assert outcomes(report) == {"done": 4, "planned": 6}
    assert report.run.state is RunState.STOPPED
    assert report.resumable
    final = bench.resume(report.run.id)
    assert outcomes(final) == {"done": 10}
    assert set(bench.crm.sets.values()) == {1}


def test_stop_finishes_the_batch_and_leaves_the_rest(bench: Bench) -> None:
    plan = bench.plan(firsts(bench, 10))  # type: ignore[arg-type]
    report = bench.apply(plan, stop=lambda: len(bench.crm.calls) >= 1)
    assert report.interrupted
    assert not report.complete
    assert outcomes(report) == {"done": 4, "planned": 6}
    assert outcomes(bench.resume(report.run.id)) == {"done": 10}


def test_stop_is_heard_while_waiting(bench: Bench) -> None:
    plan = bench.plan(firsts(bench, 2))  # type: ignore[arg-type]
    bench.crm.faults = [throttled(200)]
    report = bench.apply(plan, stop=lambda: bench.clock.slept >= 5)
    assert report.interrupted
    assert bench.clock.slept <= 6


def test_refused_rows_are_tried_again_by_resume(bench: Bench) -> None:
    bench.seed(2)
    plan = bench.plan([bench.item(n, opens=(opening(n),)) for n in (1, 2)])
    refuse_customer(bench, 1)
    report = bench.apply(plan)
    assert outcomes(report) == {"done": 2, "rejected": 1, "cancelled": 1}
    bench.crm.before_write = lambda crm: None
    bench.crm.refused.clear()
    assert outcomes(bench.resume(report.run.id)) == {"done": 4}
    assert len(bench.crm.tasks()) == 2


def test_a_moved_record_is_sent_once_more_when_its_owned_fields_stand(bench: Bench) -> None:
    bench.crm = fake_crm(conditional_write=True)
    plan = bench.plan(firsts(bench, 3))  # type: ignore[arg-type]
    bench.crm.put(ref(1), Phone="1")
    bench.crm.put(ref(2), Tier="VIP客户")
    report = bench.apply(plan, strict=True)
    assert outcomes(report) == {"done": 2, "conflict": 1}
    assert bench.tiers(3) == ["重要客户", "VIP客户", "重要客户"]
    assert all(len(call) == 1 for call in bench.crm.calls)
    assert all(options.strict for options in bench.crm.options)
    (problem,) = report.problems
    assert problem.actual == {"Tier": "VIP客户"}


def test_a_record_that_keeps_moving_ends_as_a_conflict(bench: Bench) -> None:
    bench.crm = fake_crm(conditional_write=True)
    plan = bench.plan(firsts(bench, 1))  # type: ignore[arg-type]
    bench.crm.before_write = lambda crm: crm.put(ref(1), Phone=str(len(crm.calls)))
    report = bench.apply(plan, strict=True)
    assert outcomes(report) == {"conflict": 1}
    assert len(bench.crm.calls) == 2


def test_an_edit_within_the_grain_of_the_version_is_not_overwritten(bench: Bench) -> None:
    bench.crm = fake_crm(conditional_write=True, version_resolution=timedelta(seconds=1))
    plan = bench.plan(firsts(bench, 2))  # type: ignore[arg-type]
    bench.crm.put(ref(1), Phone="1")  # so the version says this second
    edits = iter([None])

    def edit(crm: FakeCrm) -> None:
        for _ in edits:
            crm.put(ref(1), Tier="VIP客户")

    bench.crm.before_write = edit
    report = bench.apply(plan, strict=True)
    assert outcomes(report) == {"done": 1, "conflict": 1}
    assert bench.tiers(2) == ["VIP客户", "重要客户"]


def test_strict_writes_look_at_a_whole_batch_with_one_read(bench: Bench) -> None:
    bench.crm = fake_crm(conditional_write=True)
    plan = bench.plan(firsts(bench, 4))  # type: ignore[arg-type]
    assert outcomes(bench.apply(plan, strict=True)) == {"done": 4}
    assert (len(bench.crm.reads), len(bench.crm.calls)) == (1, 4)


def test_batches_are_not_conditional_and_reread_just_before(bench: Bench) -> None:
    plan = bench.plan(firsts(bench, 4))  # type: ignore[arg-type]
    bench.apply(plan)
    (call,) = bench.crm.calls
    assert all(isinstance(change, SetFields) and change.version is None for change in call)
    (read,) = bench.crm.reads
    assert isinstance(read.where, FieldIn)
    assert (read.where.field, len(read.where.values)) == ("id", 4)


def test_a_field_that_is_not_ours_is_refused_at_the_last_door(bench: Bench) -> None:
    plan = bench.plan(firsts(bench, 1))  # type: ignore[arg-type]
    with pytest.raises(PlanRefused, match="Tier"):
        bench.apply(plan, allowed={"Accounts": frozenset({"Score"})})
    assert bench.crm.calls == []


def test_a_tripped_guard_stops_everything_but_the_observations(bench: Bench) -> None:
    firsts(bench, 20)
    bench.apply(bench.plan([bench.item(n) for n in range(1, 21)]))
    calls = len(bench.crm.calls)
    plan = bench.plan([bench.item(n, "standard") for n in range(1, 21)])
    with pytest.raises(GuardRefused) as caught:
        bench.apply(plan)
    assert caught.value.exit == 6
    assert len(bench.crm.calls) == calls
    held = bench.store.runs.get(2)
    assert held.state is RunState.HELD
    with pytest.raises(GuardRefused):
        bench.apply(plan, "records_changed=99%", "demotions=100%", "tier_shift=100%")
    report = bench.apply(plan, "records_changed=100%", "tier_shift=100%", firsts="new_tasks=0")
    assert outcomes(report) == {"done": 20}
    assert [entry.what for entry in bench.store.audit.entries(limit=2)] == ["run ended", "apply"]
    assert bench.store.audit.entries(limit=2)[1].detail["allow"] == (
        "new_tasks=0 records_changed=100% tier_shift=100%"
    )


def test_a_held_edit_of_the_rules_is_still_one_the_next_day(bench: Bench) -> None:
    firsts(bench, 20)
    bench.apply(bench.plan([bench.item(n) for n in range(1, 21)]))
    one = ref(1)
    before = bench.store.states.stored(*HERE, [one])[one].present
    edited = replace(ruleset(), digest="edited")
    next_day = Clocks(first_seen=DAY, evaluated=DAY + timedelta(days=1))
    items = [bench.item(n, "standard", clocks=next_day) for n in range(1, 21)]
    plan = bench.plan(items, ruleset=edited)

    with pytest.raises(GuardRefused):
        bench.apply(plan)
    held = bench.store.states.stored(*HERE, [one])[one].present
    bench.apply(plan, "records_changed=100%", "tier_shift=100%")
    done = bench.store.states.stored(*HERE, [one])[one].present

    assert before.ruleset_digest not in {None, "edited"}
    assert held.ruleset_digest == before.ruleset_digest
    assert held.clocks == next_day
    assert done.ruleset_digest == "edited"


def test_a_plan_is_applied_once(bench: Bench) -> None:
    plan = bench.plan(firsts(bench, 2))  # type: ignore[arg-type]
    report = bench.apply(plan)
    calls = len(bench.crm.calls)
    with pytest.raises(PlanRefused):
        bench.apply(plan)
    assert len(bench.crm.calls) == calls
    assert len(bench.store.runs.latest()) == 1
    stored = bench.store.plans.get(plan.header.plan_id)
    assert stored is not None
    assert (stored.run_id, stored.ended) == (report.run.id, True)
    assert check_plan(plan, None, stored) == report.run.id  # type: ignore[arg-type]


def test_a_lost_lock_stops_before_the_call(bench: Bench) -> None:
    plan = bench.plan(firsts(bench, 2))  # type: ignore[arg-type]
    with bench.applier() as (applier, lock), pytest.raises(LockHeld):
        applier.run(plan, bench.order(replace(lock, fence=lock.fence - 1)))
    assert bench.crm.calls == []


def test_an_ordinary_run_has_no_duplicates(bench: Bench) -> None:
    bench.seed(3)
    plan = bench.plan([bench.item(n, opens=(opening(n),)) for n in (1, 2, 3)])
    bench.crm.faults = [None, lost_before_commit]
    run = bench.apply(plan).run.id
    with bench.applier() as (applier, lock):
        assert applier.duplicates(run, lock) == ()


def test_the_report_accounts_for_every_row_and_its_counts_are_kept(bench: Bench) -> None:
    bench.seed(12)
    plan = bench.plan([bench.item(n, opens=(opening(n),)) for n in range(1, 13)])
    bench.crm.put(ref(1), Tier="VIP客户")
    bench.crm.delete(ref(2))
    bench.crm.faults = [half_committed, throttled(1), None, lost_after_commit]
    seen = []
    report = bench.apply(plan, "tasks_per_owner=12", progress=seen.append)
    assert sum(report.outcomes.values()) == 24
    counts = bench.store.runs.get(report.run.id).counts
    assert (counts["written"], counts["tasks"], counts["skipped"]) == (10, 10, 4)
    assert counts["api_calls"] == len(bench.crm.calls) + len(bench.crm.reads)
    assert seen[-1].settled == seen[-1].total == 24
    assert [p.settled for p in seen] == sorted(p.settled for p in seen)


def test_automation_stays_quiet_unless_the_plan_says_so(bench: Bench) -> None:
    bench.apply(bench.plan(firsts(bench, 1)))  # type: ignore[arg-type]
    assert [options.run_automation for options in bench.crm.options] == [False]


def test_an_old_in_doubt_task_is_looked_up_by_the_next_run(bench: Bench) -> None:
    bench.seed(1)
    plan = bench.plan([bench.item(1, opens=(opening(1),))])
    bench.crm.faults = [None, lost_after_commit]
    stop = {"now": False}

    def checkpoint(name: str) -> None:
        stop["now"] = stop["now"] or len(bench.crm.calls) == 2

    report = bench.apply(plan, checkpoint=checkpoint, stop=lambda: stop["now"])
    if report.outcomes.get(OpState.IN_DOUBT):
        bench.clock.sleep(1)
    again = bench.plan([bench.item(1, opens=(opening(1),))])
    bench.apply(again)
    assert len(bench.crm.tasks()) == 1


def test_creations_carry_key_parent_and_nothing_foreign(bench: Bench) -> None:
    bench.seed(1)
    bench.apply(bench.plan([bench.item(1, opens=(opening(1),))]))
    creation = bench.crm.calls[-1][0]
    assert isinstance(creation, CreateRecord)
    assert (creation.key_field, creation.about) == ("Key", ref(1))
    assert creation.values["Key"] == opening(1).key
