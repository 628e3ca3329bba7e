"""Our own books after a run: purging a person, the audit seal, PostgreSQL in place of SQLite."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.unit.apply.bench import HERE, Bench
from tests.unit.apply.fake import half_committed, lost_after_commit
from tests.unit.plan.builders import opening, ref
from tests.unit.store.conftest import empty_postgres, postgres_url

from crmsync.model.run import OpState
from crmsync.store import open_store

__all__ = ["empty_postgres", "postgres_url"]


def test_a_purged_person_is_in_no_file_any_more(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.seed(3)
    items = [bench.item(n, opens=(opening(n),)) for n in (1, 2, 3)]
    plan = bench.plan(items)
    bench.store.decisions.add(
        [item.decision for item in items], plan_id="p1", connection="crm", ruleset="b2b"
    )
    bench.apply(plan)
    removed = bench.store.purge("crm", ref(2))
    assert removed == {"state": 1, "decision": 1, "episode": 1, "override_": 0, "attempt": 2}
    for path in tmp_path.glob("crmsync.db*"):
        assert "客户2".encode() not in path.read_bytes()
        assert "客户3".encode() in path.read_bytes() or path.name != "crmsync.db"
    assert bench.store.journal.outcomes(1) == {OpState.DONE: 6}
    assert bench.store.states.stored(*HERE, [ref(2), ref(3)]).keys() == {ref(3)}
    bench.store.close()


def test_a_journal_edited_by_hand_no_longer_matches_its_seal(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.seed(2)
    bench.apply(bench.plan([bench.item(n) for n in (1, 2)]))
    (ended,) = [e for e in bench.store.audit.entries() if e.what == "run ended"]
    assert ended.detail["journal"] == bench.store.journal.digest(1)
    with bench.store.database.write() as db:
        db.execute(sa.text("UPDATE attempt SET state = 'rejected' WHERE seq = 1"))
    assert ended.detail["journal"] != bench.store.journal.digest(1)
    bench.store.close()


def test_forgetting_values_keeps_the_seal(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.seed(2)
    bench.apply(bench.plan([bench.item(n) for n in (1, 2)]))
    seal = bench.store.journal.digest(1)
    bench.store.purge("crm", ref(1))
    assert bench.store.journal.digest(1) == seal
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
