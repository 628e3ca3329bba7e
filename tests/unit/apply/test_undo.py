"""Undo: what we wrote goes back, what people did since stays, and it is a plan like any other."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.unit.apply.bench import ALLOWED, HERE, Bench
from tests.unit.apply.fake import lost_before_commit
from tests.unit.plan.builders import DAY, FIELDS, closing, mapping, opening, ref

from crmsync.errors import GuardRefused, PlanRefused
from crmsync.model.decision import Cause
from crmsync.model.plan import Observation, PlanKind, RecordChange, TaskClose
from crmsync.model.record import Value
from crmsync.model.run import OpState, RunState
from crmsync.model.state import Clocks, Standing
from crmsync.plan import PlanFile

ALL = ("records_changed=100%", "tasks_per_owner=100", "new_tasks=1000")


def accounts(bench: Bench) -> dict[str, dict[str, Value]]:
    return {id_: deepcopy(stored.fields) for id_, stored in bench.crm.objects["Accounts"].items()}


def same(one: dict[str, dict[str, Value]], other: dict[str, dict[str, Value]]) -> bool:
    return all(
        (fields.get(name) or None) == (other[id_].get(name) or None)
        for id_, fields in one.items()
        for name in FIELDS.values()
    )


def changes(plan: PlanFile) -> list[RecordChange]:
    return [line for line in plan.lines() if isinstance(line, RecordChange)]


def assigned(bench: Bench, count: int, tier: str = "standard") -> None:
    bench.seed(count)
    bench.apply(bench.plan([bench.item(n, tier) for n in range(1, count + 1)]))


def state(bench: Bench, n: int) -> Standing | None:
    found = bench.store.states.stored(*HERE, [ref(n)]).get(ref(n))
    return found.present.standing if found else None


def test_a_run_is_taken_back_whole(bench: Bench) -> None:
    assigned(bench, 5)
    before, standing = accounts(bench), state(bench, 1)
    run = bench.apply(bench.plan([bench.item(n, "vip") for n in range(1, 6)]), *ALL).run.id
    assert not same(before, accounts(bench))
    plan = bench.undo(run)
    assert (plan.header.kind, plan.header.undoes) == (PlanKind.UNDO, run)
    assert plan.header.counts.by_cause == {Cause.UNDO: 5}
    assert plan.header.counts.falls == 5
    report = bench.apply(plan, *ALL)
    assert report.complete
    assert report.run.kind == "undo"
    assert same(before, accounts(bench))
    assert state(bench, 1) == standing


def test_an_owner_goes_back_unless_somebody_changed_it_since(bench: Bench) -> None:
    handing = {"mapping": mapping().owning(), "owner": lambda task, owner: "u9"}
    owned = {**ALLOWED, "Accounts": ALLOWED["Accounts"] | {"Owner"}}
    bench.seed(2, Owner="u1")
    bench.apply(bench.plan([bench.item(n) for n in (1, 2)]), *ALL)
    items = [bench.item(n, opens=(replace(opening(n), hands_over=True),)) for n in (1, 2)]
    for item in items:
        item.row.owned["owner"] = "u1"  # type: ignore[index]
    run = bench.apply(bench.plan(items, **handing), *ALL, allowed=owned).run.id
    assert [bench.crm.get(ref(n))["Owner"] for n in (1, 2)] == ["u9", "u9"]
    bench.crm.put(ref(2), Owner="u5")
    plan = bench.undo(run, mapping=handing["mapping"])
    assert [item.field for item in plan.header.withheld if item.ref == ref(2)] == ["Owner"]
    bench.apply(plan, *ALL, allowed=owned)
    assert [bench.crm.get(ref(n))["Owner"] for n in (1, 2)] == ["u1", "u5"]


def test_making_an_undo_writes_nothing(bench: Bench) -> None:
    assigned(bench, 2)
    calls = len(bench.crm.calls)
    bench.undo(1)
    assert len(bench.crm.calls) == calls


def test_a_value_changed_since_is_kept_and_listed(bench: Bench) -> None:
    assigned(bench, 3)
    run = bench.apply(bench.plan([bench.item(n, "vip") for n in range(1, 4)]), *ALL).run.id
    bench.crm.put(ref(2), Tier="黑名单")
    bench.crm.put(ref(3), Phone="123")
    plan = bench.undo(run)
    assert [(held.ref, held.field) for held in plan.header.withheld] == [(ref(2), "Tier")]
    bench.apply(plan, *ALL)
    assert bench.tiers(3) == ["普通客户", "黑名单", "普通客户"]
    assert bench.crm.get(ref(3))["Phone"] == "123"
    second, third = state(bench, 2), state(bench, 3)
    assert second is not None
    assert third is not None
    assert (second.tier, third.tier) == ("vip", "standard")


def test_a_person_who_put_it_back_leaves_nothing_to_write(bench: Bench) -> None:
    assigned(bench, 1)
    before = accounts(bench)
    run = bench.apply(bench.plan([bench.item(1, "vip")]), *ALL).run.id
    bench.crm.put(ref(1), **before[ref(1).id])
    plan = bench.undo(run)
    assert [line.fields for line in changes(plan)] == [()]
    calls = len(bench.crm.calls)
    bench.apply(plan, *ALL)
    assert len(bench.crm.calls) == calls
    standing = state(bench, 1)
    assert standing is not None
    assert standing.tier == "standard"


def test_undoing_a_first_assignment_forgets_the_customer(bench: Bench) -> None:
    bench.seed(2)
    before = accounts(bench)
    run = bench.apply(bench.plan([bench.item(n) for n in (1, 2)])).run.id
    plan = bench.undo(run)
    assert all(line.drop_state for line in plan.lines() if isinstance(line, Observation))
    bench.apply(plan, *ALL)
    assert same(before, accounts(bench))
    assert state(bench, 1) is None
    again = bench.plan([bench.item(n) for n in (1, 2)])
    assert again.header.counts.firsts == 2


def test_the_undone_run_s_clocks_go_back(bench: Bench) -> None:
    assigned(bench, 1)
    later = Clocks(first_seen=DAY, evaluated=DAY, below_keep_since=DAY)
    run = bench.apply(bench.plan([bench.item(1, "vip", clocks=later)]), *ALL).run.id
    bench.apply(bench.undo(run), *ALL)
    for day in (DAY, DAY + timedelta(days=1)):
        found = bench.store.states.opening(*HERE, [ref(1)], day=day)[ref(1)]
        assert found.clocks.below_keep_since is None
        assert found.standing.tier == "standard"


def test_created_tasks_are_closed_unless_somebody_worked_on_them(bench: Bench) -> None:
    bench.seed(3)
    run = bench.apply(bench.plan([bench.item(n, opens=(opening(n),)) for n in (1, 2, 3)])).run.id
    tasks = bench.crm.objects["Tasks"]
    tasks["T2"].fields["Due"] = DAY
    tasks["T3"].fields["Status"] = "Completed"
    plan = bench.undo(run)
    assert [line.ref.id for line in plan.lines() if isinstance(line, TaskClose)] == ["T1"]
    assert len(plan.header.withheld) == 1
    bench.apply(plan, *ALL)
    assert [tasks[t].fields["Status"] for t in ("T1", "T2", "T3")] == [
        "Completed",
        "Not Started",
        "Completed",
    ]
    assert bench.store.episodes.known(*HERE, [opening(1).key])[opening(1).key].closed_on == DAY


def test_closed_tasks_are_opened_again(bench: Bench) -> None:
    bench.seed(1)
    bench.apply(bench.plan([bench.item(1, opens=(opening(1),))]))
    run = bench.apply(bench.plan([bench.item(1, closes=(closing(1),))])).run.id
    bench.apply(bench.undo(run), *ALL)
    assert bench.crm.tasks()["T1"]["Status"] == "Not Started"
    known = bench.store.episodes.known(*HERE, [opening(1).key])
    assert known[opening(1).key].closed_on is None


def test_an_undo_can_be_undone(bench: Bench) -> None:
    bench.seed(3)
    items = [bench.item(n, opens=(opening(n),)) for n in (1, 2, 3)]
    run = bench.apply(bench.plan(items)).run.id
    after, standing = accounts(bench), state(bench, 1)
    undone = bench.apply(bench.undo(run), *ALL).run.id
    bench.apply(bench.undo(undone), *ALL)
    assert same(after, accounts(bench))
    assert state(bench, 1) == standing
    assert {fields["Status"] for fields in bench.crm.tasks().values()} == {"Not Started"}
    open_ = bench.store.episodes.open_for(*HERE, [ref(n) for n in (1, 2, 3)])
    assert len(open_) == 3


def test_an_applied_undo_pauses_the_ruleset_until_a_person_writes(bench: Bench) -> None:
    assigned(bench, 2)
    bench.apply(bench.undo(1), *ALL)
    pause = bench.store.holds.active(*HERE)
    assert pause is not None
    assert pause.run_id == 2
    calls = len(bench.crm.calls)
    plan = bench.plan([bench.item(n) for n in (1, 2)])
    with pytest.raises(GuardRefused, match="paused"):
        bench.apply(plan, kind="sync")
    assert len(bench.crm.calls) == calls
    assert bench.store.runs.latest()[0].state is RunState.HELD
    assert bench.apply(plan, kind="apply").complete
    assert bench.store.holds.active(*HERE) is None


def test_undoing_a_stopped_run_keeps_its_rest_from_being_sent(bench: Bench) -> None:
    bench.seed(10)
    before = accounts(bench)
    plan = bench.plan([bench.item(n) for n in range(1, 11)])
    run = bench.apply(plan, stop=lambda: len(bench.crm.calls) >= 1).run.id
    undone = bench.undo(run)
    assert len(changes(undone)) == 4
    bench.apply(undone, *ALL)
    assert same(before, accounts(bench))
    assert bench.store.journal.outcomes(run) == {OpState.DONE: 4, OpState.CANCELLED: 6}
    assert bench.store.runs.unfinished("crm") == ()
    with pytest.raises(PlanRefused):
        bench.resume(run)
    assert same(before, accounts(bench))


def test_a_row_in_doubt_is_taken_back_if_it_came_through(bench: Bench) -> None:
    bench.seed(8)
    before = accounts(bench)
    plan = bench.plan([bench.item(n) for n in range(1, 9)])
    bench.crm.faults = [lost_before_commit]
    run = bench.apply(plan, stop=lambda: len(bench.crm.calls) >= 2).run.id
    assert bench.store.journal.outcomes(run) == {OpState.IN_DOUBT: 4, OpState.DONE: 4}
    for op in bench.store.journal.rows(run, states=[OpState.IN_DOUBT])[:2]:
        bench.crm.put(op.record.ref, **op.record.want)
    bench.apply(bench.undo(run), *ALL)
    assert same(before, accounts(bench))


def test_purged_values_and_foreign_runs_cannot_be_undone(bench: Bench) -> None:
    assigned(bench, 2)
    assert bench.store.journal.forget_values(ended_before=bench.clock.now()) == 0
    bench.clock.sleep(10)
    assert bench.store.journal.forget_values(ended_before=bench.clock.now()) == 2
    with pytest.raises(PlanRefused, match="purged"):
        bench.undo(1)


@given(
    first=st.lists(st.sampled_from(["vip", "key", "standard"]), min_size=4, max_size=4),
    second=st.lists(st.sampled_from(["vip", "key", "standard"]), min_size=4, max_size=4),
    edits=st.dictionaries(
        st.integers(1, 4),
        st.dictionaries(
            st.sampled_from(["Tier", "Reason", "Phone"]),
            st.sampled_from(["人工", "VIP客户", None]),
            max_size=2,
        ),
        max_size=3,
    ),
    tasks=st.sets(st.integers(1, 4)),
)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_apply_then_undo_keeps_every_edit_and_restores_the_rest(
    tmp_path_factory: pytest.TempPathFactory,
    first: list[str],
    second: list[str],
    edits: dict[int, dict[str, Value]],
    tasks: set[int],
) -> None:
    assume(first != second or tasks)
    folder: Path = tmp_path_factory.mktemp("undo")
    bench = Bench(folder)
    bench.seed(4, Phone="0")
    bench.apply(bench.plan([bench.item(n, tier) for n, tier in enumerate(first, 1)]), *ALL)
    before = accounts(bench)
    items = [
        bench.item(n, tier, opens=(opening(n),) if n in tasks else ())
        for n, tier in enumerate(second, 1)
    ]
    run = bench.apply(bench.plan(items), "demotions=100%", *ALL).run.id
    ours = accounts(bench)
    for n, fields in edits.items():
        bench.crm.put(ref(n), **fields)
    edited = accounts(bench)
    bench.apply(bench.undo(run), *ALL)
    after = accounts(bench)
    for id_, fields in after.items():
        for name in [*FIELDS.values(), "Phone"]:
            touched = edited[id_].get(name) != ours[id_].get(name)
            expected = edited if touched else before
            assert fields.get(name) == expected[id_].get(name)
    assert all(f["Status"] == "Completed" for f in bench.crm.tasks().values())
    bench.store.close()


def applied(bench: Bench, count: int) -> int:
    assigned(bench, count)
    return bench.apply(bench.plan([bench.item(n, "vip") for n in range(1, count + 1)]), *ALL).run.id


def test_an_undo_looks_again_at_what_it_wrote(bench: Bench) -> None:
    run = applied(bench, 3)
    report = bench.apply(bench.undo(run), "records_changed=100%")
    looked = report.read_back
    assert looked is not None
    assert looked.checked == looked.same > 0
    assert looked.differing == ()


def test_a_field_that_does_not_hold_what_was_written_is_listed(bench: Bench) -> None:
    run = applied(bench, 3)
    bench.crm.after_write = lambda crm: crm.put(ref(2), Tier="重要客户")
    report = bench.apply(bench.undo(run), "records_changed=100%")
    assert report.read_back is not None
    ((row, fields),) = report.read_back.differing
    assert (row.ref, fields) == (ref(2), ("Tier",))
    assert report.read_back.checked - report.read_back.same == 1


def test_an_ordinary_run_is_not_read_back(bench: Bench) -> None:
    bench.seed(1)
    assert bench.apply(bench.plan([bench.item(1)]), "first_assignments=1").read_back is None


def test_a_run_that_wrote_nothing_cannot_be_taken_back(bench: Bench) -> None:
    """Its undo would pause the ruleset for nothing."""
    bench.seed(20)
    with pytest.raises(GuardRefused):
        bench.apply(bench.plan([bench.item(n) for n in range(1, 21)]), firsts="new_tasks=0")
    with pytest.raises(PlanRefused, match="wrote nothing"):
        bench.undo(1)
    bench.apply(bench.plan([]))
    with pytest.raises(PlanRefused, match="wrote nothing"):
        bench.undo(2)


def test_a_paused_job_is_told_of_the_pause_and_not_of_a_guard_s_consent(bench: Bench) -> None:
    """The consent would write again what was taken back."""
    bench.seed(20)
    everybody = [bench.item(n) for n in range(1, 21)]
    bench.apply(bench.plan(everybody))
    bench.apply(bench.undo(1), "records_changed=100%", kind="undo")
    with pytest.raises(GuardRefused, match="paused") as caught:
        bench.apply(bench.plan(everybody), firsts="new_tasks=0", kind="sync")
    assert caught.value.mend is not None
    assert "--allow" not in caught.value.mend.en
    note = bench.store.runs.get(3).note
    assert note is not None
    assert "已暂停" in note.zh
