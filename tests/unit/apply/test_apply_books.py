"""Our own books after a run: purging a person, the audit seal, PostgreSQL in place of SQLite."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.unit.apply.bench import HERE, Bench
from tests.unit.apply.fake import half_committed, lost_after_commit
from tests.unit.plan.builders import opening, ref

from crmsync.model.run import OpState
from crmsync.plan import PlanFile
from crmsync.store import open_store
from crmsync.store.backups import copy_rows, current_copy


def test_a_purged_person_is_in_no_file_any_more(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.seed(3)
    items = [bench.item(n, opens=(opening(n),)) for n in (1, 2, 3)]
    plan = bench.plan(items)
    bench.store.decisions.add(
        [item.decision for item in items], plan_id="p1", connection="crm", ruleset="b2b"
    )
    bench.apply(plan)
    purged = bench.store.purge("crm", ref(2), at=bench.clock.now(), who="zhang.min")
    assert purged.removed == {
        "state": 1,
        "decision": 1,
        "echo": 6,
        "episode": 1,
        "override_": 0,
        "merge_": 0,
        "attempt": 2,
        "op": 1,
        "header": 0,
        "audit": 0,
    }
    assert purged.clean
    assert bench.store.mentions(ref(2).id) == {}
    for path in tmp_path.glob("crmsync.db*"):
        assert "客户2".encode() not in path.read_bytes()
        assert "客户3".encode() in path.read_bytes() or path.name != "crmsync.db"
    assert bench.store.journal.outcomes(1) == {OpState.DONE: 6}
    assert bench.store.states.stored(*HERE, [ref(2), ref(3)]).keys() == {ref(3)}
    bench.store.close()


VALUES = ("base", "want", "effect", "name")


def sealed_run(folder: Path) -> Bench:
    """A finished run of two customers, sealed with a key."""
    bench = Bench(folder)
    bench.seed(2)
    bench.apply(bench.plan([bench.item(n) for n in (1, 2)]))
    check = bench.store.check_seals()
    assert (check.checked, check.altered, check.unsealed) == (1, (), ())
    return bench


@pytest.mark.parametrize(
    "change",
    [
        "state = 'rejected'",
        "base = replace(base, 'null', '\"gold\"')",
        "want = '{}'",
        "name = 'somebody'",
        "crm_id = 'X1'",
        "record_id = 'A000099'",
        "base = NULL, want = NULL, effect = NULL, name = ''",
    ],
)
def test_a_journal_edited_by_hand_no_longer_matches_its_seal(tmp_path: Path, change: str) -> None:
    bench = sealed_run(tmp_path)
    with bench.store.database.write() as db:
        before = db.execute(sa.text("SELECT * FROM attempt ORDER BY seq")).all()
        db.execute(sa.text(f"UPDATE attempt SET {change} WHERE seq = 1"))
        assert db.execute(sa.text("SELECT * FROM attempt ORDER BY seq")).all() != before
    assert bench.store.check_seals().altered == (1,)
    bench.store.close()


def test_an_audit_log_cut_at_its_end_leaves_a_run_without_a_seal(tmp_path: Path) -> None:
    bench = sealed_run(tmp_path)
    with bench.store.database.write() as db:
        db.execute(sa.text("DELETE FROM audit WHERE what = 'run ended'"))
    assert bench.store.audit.broken_at() is None
    assert bench.store.check_seals().unsealed == (1,)
    bench.store.close()


def test_forgetting_values_keeps_the_seal_and_leaves_only_codes(tmp_path: Path) -> None:
    bench = sealed_run(tmp_path)
    bench.clock.sleep(1)
    assert bench.store.journal.forget_values(ended_before=bench.clock.now()) == 2
    assert bench.store.journal.forget_values(ended_before=bench.clock.now()) == 0
    check = bench.store.check_seals()
    assert (check.checked, check.altered) == (1, ())
    with bench.store.database.read() as db:
        rows = db.execute(sa.text("SELECT * FROM attempt")).mappings().all()
    assert all(row[name] in {None, ""} for row in rows for name in VALUES)
    assert all(len(row["values_code"]) == 64 for row in rows)
    with bench.store.database.write() as db:
        db.execute(sa.text("UPDATE attempt SET values_code = replace(values_code, 'a', 'b')"))
    assert bench.store.check_seals().altered == (1,)
    bench.store.close()


def test_what_is_not_settled_keeps_its_values(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.seed(6)
    plan = bench.plan([bench.item(n) for n in range(1, 7)])
    stopped = bench.apply(plan, stop=lambda: len(bench.crm.calls) >= 1)
    assert not stopped.complete
    bench.clock.sleep(1)
    assert bench.store.journal.forget_values(ended_before=bench.clock.now()) == 0
    assert bench.resume(stopped.run.id).outcomes == {OpState.DONE: 6}
    bench.store.close()


def test_a_purge_seals_its_runs_anew(tmp_path: Path) -> None:
    bench = sealed_run(tmp_path)
    bench.store.purge("crm", ref(1), at=bench.clock.now(), who="zhang.min")
    check = bench.store.check_seals()
    assert (check.checked, check.altered) == (1, ())
    assert bench.store.audit.broken_at() is None
    bench.store.close()


def test_after_a_restore_tasks_are_looked_up_before_they_are_made(tmp_path: Path) -> None:
    """The books forgot a run that created tasks: the next one adopts them and makes the rest."""
    bench = Bench(tmp_path)
    bench.seed(4)
    made = bench.store.backup(tmp_path / "copy.db", now=bench.clock.now())

    def two_of(*numbers: int) -> PlanFile:
        return bench.plan([bench.item(n, opens=(opening(n),)) for n in numbers])

    bench.apply(two_of(1, 2), "tasks_per_owner=100")
    assert len(bench.crm.tasks()) == 2
    marks = bench.store.marks()
    with current_copy(tmp_path / "copy.db", tmp_path) as copy:
        copy_rows(copy, bench.store.database)
    bench.store.restored(made, marks, at=bench.clock.now(), by="zhang.min")
    report = bench.apply(two_of(1, 2, 3), "tasks_per_owner=100")
    assert report.run.id == 2
    assert len(bench.crm.tasks()) == 3
    assert len({task["Key"] for task in bench.crm.tasks().values()}) == 3
    assert bench.store.check_seals().altered == ()
    bench.store.close()


@pytest.mark.parametrize("stop_after", [1, 2, 99])
def test_the_same_protocol_runs_on_postgres(
    tmp_path: Path, empty_postgres: str, stop_after: int
) -> None:
    bench = Bench(tmp_path)
    bench.store.close()
    bench.store = open_store(empty_postgres)
    bench.seed(6)
    plan = bench.plan([bench.item(n, opens=(opening(n),) if n < 4 else ()) for n in range(1, 7)])
    bench.crm.faults = [half_committed, None, lost_after_commit]
    report = bench.apply(plan, stop=lambda: len(bench.crm.calls) >= stop_after)
    if not report.complete:
        report = bench.resume(report.run.id)
    assert report.outcomes == {OpState.DONE: 9}
    assert set(bench.crm.sets.values()) == {1}
    assert len(bench.crm.tasks()) == 3
    bench.apply(bench.undo(1), "records_changed=100%")
    assert bench.tiers(6) == [None] * 6
    assert bench.store.audit.broken_at() is None
    bench.store.close()
