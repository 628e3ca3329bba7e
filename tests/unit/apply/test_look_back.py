"""A person's edit between our look and our write is overwritten, and told by the CRM's history."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from tests.unit.apply.bench import HERE, Bench, fake_crm
from tests.unit.apply.fake import FakeCrm, commits_late, lost_after_commit
from tests.unit.apply.test_apply_crashes import Countdown, Crash
from tests.unit.plan.builders import ref

from crmsync.errors import AccessDenied, QuotaExhausted, UnexpectedReply
from crmsync.model.history import LookedBack, Overwritten
from crmsync.model.plan import FieldDelta, PlanLine, RecordChange
from crmsync.model.run import OpState, RunState
from crmsync.model.text import Text

FREE = ("records_changed=100%", "tasks_per_owner=1000")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    made.seed(3)
    return made


def by_hand(*numbers: int, field: str = "Reason") -> object:
    """Somebody saves as our write is on its way."""
    left = list(numbers)

    def edit(crm: FakeCrm) -> None:
        for n in left:
            crm.put(ref(n), **{field: f"by hand {n}"})
        left.clear()

    return edit


def plan(bench: Bench) -> object:
    return bench.plan(bench.item(n) for n in (1, 2, 3))


def fields_of(line: PlanLine, n: int) -> tuple[FieldDelta, ...]:
    return line.fields if isinstance(line, RecordChange) and line.ref == ref(n) else ()


def test_an_overwritten_edit_is_told_with_both_values_and_who(bench: Bench) -> None:
    bench.crm.before_write = by_hand(2)
    report = bench.apply(plan(bench), *FREE)
    looked = report.looked_back
    assert (looked.rows, looked.clear, looked.overwritten, looked.left) == (3, 2, 1, 0)
    (row,) = looked.found
    ours = bench.crm.get(ref(2))["Reason"]
    assert (row.ref, row.state, row.look_back) == (ref(2), OpState.DONE, LookedBack.OVERWRITTEN)
    assert row.overwritten == (
        Overwritten("Reason", "by hand 2", ours, "colleague", bench.crm.history[ref(2)][-2].at),
    )
    assert report.run.counts["overwritten"] == 1
    bench.restart()
    assert bench.store.look_backs.overwritten(report.run.id) == (row,)
    assert bench.store.check_seals().altered == ()


def test_nothing_is_told_of_edits_we_saw(bench: Bench) -> None:
    made = plan(bench)
    bench.crm.put(ref(2), Reason="seen in time")
    report = bench.apply(made, *FREE)
    assert report.outcomes[OpState.CONFLICT] == 1
    assert (report.looked_back.rows, report.looked_back.overwritten) == (2, 0)


@pytest.mark.parametrize("crash", range(2, 14))
def test_a_resumed_run_looks_at_the_rows_written_before_the_crash(bench: Bench, crash: int) -> None:
    made = plan(bench)
    bench.crm.before_write = by_hand(1, 3)
    try:
        run = bench.apply(made, *FREE, checkpoint=Countdown(crash)).run.id
    except Crash:
        bench.restart()
        stored = bench.store.plans.get("p1")
        if stored is None or stored.run_id is None:
            return
        run = stored.run_id
    report = bench.resume(run)
    lost = {place for place, told in bench.crm.history.items() if _was_lost(told)}
    assert {row.ref for row in report.looked_back.found} == lost
    assert report.looked_back.left == 0


def _was_lost(saves: list) -> bool:
    return any(
        save.ours and str(change.before).startswith("by hand")
        for save in saves
        for change in save.changes.values()
    )


def test_a_lost_reply_hides_no_overwritten_edit(bench: Bench) -> None:
    bench.crm.before_write = by_hand(1)
    bench.crm.faults = [lost_after_commit]
    report = bench.apply(plan(bench), *FREE)
    assert [row.ref for row in report.looked_back.found] == [ref(1)]


def test_a_late_write_that_replaces_the_edit_its_row_was_given_up_for(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.seed(1)
    bench.crm.faults = [commits_late]
    bench.crm.before_write = lambda crm: None
    made = bench.plan([bench.item(1)])
    late = iter([True])

    def edit(name: str) -> None:
        if name == "outcome noted" and next(late, False):
            bench.crm.put(ref(1), Reason="by hand")

    report = bench.apply(made, *FREE, checkpoint=edit)
    assert bench.crm.get(ref(1))["Reason"] != "by hand"
    assert [row.overwritten[0].theirs for row in report.looked_back.found] == ["by hand"]


def test_the_setting_caps_the_looks_and_says_so(bench: Bench) -> None:
    report = bench.apply(plan(bench), *FREE, look_back=2)
    assert (report.looked_back.left, bench.crm.histories) == (1, 2)
    assert report.looked_back.why is not None
    assert "look_back is 2" in report.looked_back.why.en
    assert report.run.state is RunState.DONE
    assert bench.resume(report.run.id, look_back=3).looked_back.left == 0


def test_off_makes_no_call_and_is_said(bench: Bench) -> None:
    bench.crm.before_write = by_hand(2)
    report = bench.apply(plan(bench), *FREE, look_back=0)
    assert bench.crm.histories == 0
    assert (report.looked_back.left, report.looked_back.overwritten) == (3, 0)
    assert report.looked_back.why is not None
    assert "off" in report.looked_back.why.en


def test_looks_are_given_up_first_when_the_budget_is_short(bench: Bench) -> None:
    bench.crm.history_faults = [None, QuotaExhausted(Text.same("only the reserve is left"))]
    report = bench.apply(plan(bench), *FREE)
    assert (report.written, report.stopped, report.run.state) == (3, None, RunState.DONE)
    assert (report.looked_back.clear, report.looked_back.left) == (1, 2)
    assert report.looked_back.why is not None
    assert "budget" in report.looked_back.why.en
    assert report.run.counts["not_looked_back"] == 2


def test_a_history_that_is_closed_or_unreadable_is_said(bench: Bench) -> None:
    bench.crm.history_faults = [AccessDenied(Text.same("no scope"))]
    report = bench.apply(plan(bench), *FREE)
    assert (report.looked_back.left, str(report.looked_back.why.en)) == (3, "no scope")
    bench.crm.history_faults = [UnexpectedReply(Text.same("what is this"))]
    report = bench.resume(report.run.id)
    assert (report.looked_back.unread, report.looked_back.clear) == (1, 2)


def test_a_history_that_lags_is_asked_once_more(tmp_path: Path) -> None:
    bench = Bench(tmp_path, crm=fake_crm(history_lag=timedelta(seconds=5)))
    bench.seed(2)
    report = bench.apply(bench.plan(bench.item(n) for n in (1, 2)), *FREE)
    assert (report.looked_back.clear, bench.crm.histories) == (2, 4)


def test_what_was_overwritten_goes_with_the_other_values(bench: Bench) -> None:
    bench.crm.before_write = by_hand(2)
    run = bench.apply(plan(bench), *FREE).run
    bench.store.purge(HERE[0], ref(2), at=bench.clock.now(), who="test")
    assert not any(bench.store.mentions(word) for word in ("by hand 2", "colleague"))
    assert bench.store.check_seals().altered == ()
    bench.store.journal.forget_values(ended_before=run.ended_at + timedelta(days=1))
    assert bench.store.check_seals().altered == ()


def test_undo_gives_the_person_s_value_back_and_counts_it_as_theirs(bench: Bench) -> None:
    bench.crm.before_write = by_hand(2)
    run = bench.apply(plan(bench), *FREE).run.id
    other = bench.crm.history[ref(3)][-1].changes["Reason"]
    undo = bench.undo(run)
    deltas = {d.field: d for line in undo.lines() for d in fields_of(line, 2)}
    assert (deltas["Reason"].after, deltas["Reason"].theirs) == ("by hand 2", True)
    assert not deltas["Tier"].theirs
    bench.apply(undo, *FREE, "demotions=100%", "tier_changes=100%")
    assert bench.crm.get(ref(2))["Reason"] == "by hand 2"
    assert bench.crm.get(ref(3))["Reason"] == other.before


def test_a_value_given_back_is_left_alone_by_the_next_plan(bench: Bench) -> None:
    bench.apply(plan(bench), *FREE)
    bench.crm.before_write = by_hand(2, field="Tier")
    moved = bench.plan(bench.item(n, "vip") for n in (1, 2, 3))
    run = bench.apply(moved, *FREE, "tier_changes=100%").run.id
    assert len(bench.store.look_backs.overwritten(run)) == 1
    bench.apply(bench.undo(run), *FREE, "demotions=100%", "tier_changes=100%")
    assert bench.crm.get(ref(2))["Tier"] == "by hand 2"
    again = bench.plan(bench.item(n, "vip") for n in (1, 2, 3))
    fields = {d.field for line in again.lines() for d in fields_of(line, 2)}
    assert "Tier" not in fields
    assert [item.ref for item in again.header.withheld if item.field == "Tier"] == [ref(2)]


def test_undo_gives_back_what_a_row_replaced_before_it_was_given_up(bench: Bench) -> None:
    bench.crm.before_write = by_hand(1)
    bench.crm.faults = [lost_after_commit]

    def edit(name: str) -> None:
        if name == "outcome noted" and bench.crm.calls and len(bench.crm.history[ref(1)]) == 3:
            bench.crm.put(ref(1), Tier="somebody's own")

    report = bench.apply(plan(bench), *FREE, checkpoint=edit)
    assert [(row.ref, row.state) for row in report.looked_back.found] == [
        (ref(1), OpState.CONFLICT)
    ]
    undo = bench.undo(report.run.id)
    bench.apply(undo, *FREE, "demotions=100%", "tier_changes=100%")
    assert bench.crm.get(ref(1))["Reason"] == "by hand 1"
    assert bench.crm.get(ref(1))["Tier"] == "somebody's own"


def test_strict_leaves_a_record_alone_that_is_edited_all_the_time(tmp_path: Path) -> None:
    grain = timedelta(seconds=1)
    bench = Bench(tmp_path, crm=fake_crm(conditional_write=True, version_resolution=grain))
    bench.seed(1)
    made, clock, edits = bench.plan([bench.item(1)]), bench.clock, iter(range(1000))

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        bench.crm.put(ref(1), Phone=str(next(edits)))

    bench.crm.put(ref(1), Phone="now")
    report = bench.apply(made, *FREE, strict=True, sleep=sleep)
    (row,) = (row for row in report.problems if row.kind == "field_update")
    assert (row.state, row.restless) == (OpState.CONFLICT, True)
    assert bench.crm.calls == []
    assert bench.resume(report.run.id, strict=True).looked_back.rows == 0
