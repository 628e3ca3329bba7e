"""Runs as they were: the list, one run with every row, both as documents for programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crmsync.model.canonical import encode_value
from crmsync.model.history import Overwritten
from crmsync.model.run import LookBackReport, OpRecord, OpState, Run
from crmsync.project.opening import Project


@dataclass(frozen=True, slots=True)
class RunDetails:
    """One run with its journal rows."""

    run: Run
    ops: tuple[OpRecord, ...]
    owned: Mapping[str, str]
    """Role → field of the fields the run could write."""
    echoes: Mapping[str, int] = field(default_factory=dict)
    """How its writes came back: ``sent`` (not read yet), ``echo``, ``near_miss``."""

    @property
    def problems(self) -> tuple[OpRecord, ...]:
        """Rows that are not done."""
        return tuple(op for op in self.ops if op.state is not OpState.DONE)

    @property
    def overwritten(self) -> tuple[OpRecord, ...]:
        """Rows that replaced somebody's edit."""
        return tuple(op for op in self.ops if op.overwritten)

    @property
    def outcomes(self) -> Mapping[str, int]:
        """How many rows ended how."""
        counts: dict[str, int] = {}
        for op in self.ops:
            counts[op.state.value] = counts.get(op.state.value, 0) + 1
        return counts

    def as_document(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "run": run_document(self.run),
            "outcomes": dict(self.outcomes),
            "echoes": dict(self.echoes),
            "rows": [op_document(op) for op in self.ops],
        }


def run_document(run: Run) -> dict[str, Any]:
    """One run for ``--json``."""
    return {
        "id": run.id,
        "kind": run.kind,
        "state": run.state.value,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "connection": run.connection,
        "ruleset": run.ruleset,
        "ruleset_version": run.ruleset_version,
        "plan": run.plan_id,
        "by": run.by,
        "reason": run.reason,
        "counts": dict(run.counts),
        "note": run.note,
    }


def op_document(op: OpRecord) -> dict[str, Any]:
    """One journal row for ``--json``."""
    return {
        "key": op.op_key,
        "kind": op.kind,
        "object": op.ref.object,
        "id": op.ref.id,
        "name": op.name,
        "state": op.state.value,
        "before": {name: encode_value(value) for name, value in op.base.items()},
        "after": {name: encode_value(value) for name, value in op.want.items()},
        "actual": {name: encode_value(value) for name, value in op.actual.items()},
        "error": {"code": op.error.code, "message": op.error.message, "field": op.error.field}
        if op.error
        else None,
        "attempts": op.attempt,
        "look_back": None if op.look_back is None else op.look_back.value,
        "overwritten": [overwritten_document(item) for item in op.overwritten],
    }


def overwritten_document(item: Overwritten) -> dict[str, Any]:
    """One edit that was overwritten, for ``--json``."""
    return {
        "field": item.field,
        "theirs": encode_value(item.theirs),
        "ours": encode_value(item.ours),
        "by": item.by,
        "at": item.at,
    }


def looked_back_document(report: LookBackReport) -> dict[str, Any]:
    """What the looks into the CRM's history showed, for ``--json``."""
    return {
        "rows": report.rows,
        "clear": report.clear,
        "overwritten": report.overwritten,
        "unread": report.unread,
        "not_shown": report.not_shown,
        "left": report.left,
        "why_left": report.why,
        "found": [op_document(op) for op in report.found],
    }


def latest_runs(project: Project, limit: int) -> tuple[Run, ...]:
    """The latest runs, newest first."""
    with project.store() as store:
        return store.runs.latest(limit)


def run_details(project: Project, run_id: int) -> RunDetails:
    """One run with every row; raises UsageError when there is no such run."""
    with project.store() as store:
        run = store.runs.get(run_id)
        ops = tuple(op.record for op in store.journal.each(run_id))
        owned = store.runs.header(run_id).owned
        echoes = {state.value: count for state, count in store.echoes.counts(run_id).items()}
    return RunDetails(run, ops, owned, echoes)
