"""The report of a run, made from the journal and never from counters in memory."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from crmsync.errors import CrmSyncError
from crmsync.model.history import LookedBack
from crmsync.model.plan import PlanCounts
from crmsync.model.run import ApplyReport, OpState, RunState
from crmsync.store import OpKind, Store

MOST_LISTED = 1000
NOT_DONE = tuple(state for state in OpState if state is not OpState.DONE)
_OPEN = (OpState.PLANNED, OpState.INTENT, OpState.IN_DOUBT)


def run_state(outcomes: Mapping[OpState, int]) -> RunState:
    """DONE: every row; PARTIAL: every row has its outcome; STOPPED: the rest can be resumed."""
    if any(outcomes.get(state) for state in _OPEN):
        return RunState.STOPPED
    return RunState.PARTIAL if any(outcomes.get(s) for s in NOT_DONE) else RunState.DONE


def run_counts(store: Store, run_id: int, planned: PlanCounts, *, api_calls: int) -> dict[str, int]:
    """The figures ``crmsync runs`` shows."""
    outcomes = store.journal.outcomes(run_id)
    done = store.journal.done_by_kind(run_id)
    looked = store.look_backs.counts(run_id)
    return {
        "read": planned.evaluated,
        "rises": planned.rises,
        "falls": planned.falls,
        "firsts": planned.firsts,
        "stages": planned.stage_only,
        "changes": sum(outcomes.values()),
        "written": done.get(OpKind.FIELDS, 0),
        "tasks": done.get(OpKind.TASK, 0),
        "tasks_closed": done.get(OpKind.CLOSE, 0),
        "skipped": outcomes.get(OpState.CONFLICT, 0) + outcomes.get(OpState.CANCELLED, 0),
        "refused": outcomes.get(OpState.REJECTED, 0),
        "withheld": outcomes.get(OpState.WITHHELD, 0),
        "in_doubt": outcomes.get(OpState.IN_DOUBT, 0) + outcomes.get(OpState.INTENT, 0),
        "left": outcomes.get(OpState.PLANNED, 0),
        "overwritten": looked.get(LookedBack.OVERWRITTEN, 0),
        "not_looked_back": looked.get(None, 0),
        "api_calls": api_calls,
    }


def report(
    store: Store,
    run_id: int,
    *,
    since: datetime | None = None,
    stopped: CrmSyncError | None = None,
    interrupted: bool = False,
) -> ApplyReport:
    """What a run did so far; ``since`` is when this part of it began.

    ``problems`` lists the first thousand rows that are not done; ``outcomes`` counts them all.
    """
    run = store.runs.get(run_id)
    done = store.journal.done_by_kind(run_id)
    problems = store.journal.rows(run_id, states=NOT_DONE, limit=MOST_LISTED)
    began = since or run.started_at
    return ApplyReport(
        run=run,
        outcomes=store.journal.outcomes(run_id),
        written=done.get(OpKind.FIELDS, 0),
        tasks_created=done.get(OpKind.TASK, 0),
        tasks_closed=done.get(OpKind.CLOSE, 0),
        problems=tuple(op.record for op in problems),
        api_calls=run.counts.get("api_calls", 0),
        withheld=_withheld(store, run_id),
        seconds=((run.ended_at or began) - began).total_seconds(),
        stopped=stopped,
        interrupted=interrupted,
    )


def _withheld(store: Store, run_id: int) -> int:
    """Rows the approval caps off, and those the plan itself held back for a source."""
    beyond = store.journal.outcomes(run_id).get(OpState.WITHHELD, 0)
    waiting = store.runs.header(run_id).counts.withheld_by_kind.get("stale_source", 0)
    return beyond + waiting
