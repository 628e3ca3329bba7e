"""Seals over the journal: a run's rows give one code, with or without their old and new values.

Values go after a while (retention) and leave a code of their own behind, so the seal made when the
run ended still fits; a value edited by hand no longer does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from crmsync.model.canonical import loads
from crmsync.model.run import OpState, RunState
from crmsync.store.batching import batched
from crmsync.store.sealing import Sealer
from crmsync.store.tables import attempt, audit, run

_Detail = Mapping[str, str]
VALUES = ("base", "want", "actual", "effect", "name", "overwritten")
"""What is forgotten: everything that may tell something of a person."""
_BLANK = dict.fromkeys(VALUES) | {"name": ""}
_SEALED = sorted(column.name for column in attempt.c if column.name not in {*VALUES, "values_code"})
_OPEN_RUNS = (RunState.RUNNING.value, RunState.STOPPED.value)
_OPEN_ROWS = (OpState.PLANNED.value, OpState.INTENT.value, OpState.IN_DOUBT.value)
SEAL = "journal"
"""The key of a seal in an audit entry's detail."""


@dataclass(frozen=True, slots=True)
class SealCheck:
    """Which ended runs no longer match their last seal, and which have none."""

    checked: int
    altered: tuple[int, ...]
    unsealed: tuple[int, ...]


def seal_of_run(db: Connection, sealer: Sealer, run_id: int) -> str:
    """The seal over a run's rows as they stand. Columns without a value do not count, so a later
    schema with more columns gives the same seal."""
    total = hashlib.sha256()
    for row in db.execute(_rows().where(attempt.c.run_id == run_id)).mappings():
        known = [f"{name}={row[name]!r}" for name in _SEALED if row[name] is not None]
        total.update("\x1f".join([*known, _values_code(sealer, row) or ""]).encode() + b"\n")
    return sealer.seal("run", str(run_id), total.hexdigest())


def forget_values(db: Connection, sealer: Sealer, *, ended_before: datetime) -> int:
    """Put a code in the place of values of runs that ended before a moment; says how many rows."""
    ended = sa.select(run.c.id).where(run.c.ended_at < ended_before, run.c.state.not_in(_OPEN_RUNS))
    doomed = _rows().where(
        attempt.c.run_id.in_(ended),
        attempt.c.base.is_not(None),
        attempt.c.state.not_in(_OPEN_ROWS),
    )
    forget = (
        sa.update(attempt)
        .where(attempt.c.run_id == sa.bindparam("in_run"), attempt.c.seq == sa.bindparam("at_seq"))
        .values(values_code=sa.bindparam("code"), **_BLANK)
    )
    count = 0
    for piece in batched(db.execute(doomed).mappings().all()):
        rows = [
            {"in_run": row["run_id"], "at_seq": row["seq"], "code": _values_code(sealer, row)}
            for row in piece
        ]
        db.execute(forget, rows)
        count += len(rows)
    return count


def check_seals(db: Connection, sealer: Sealer) -> SealCheck:
    """Compare every ended run that has rows with the last seal the audit log holds for it.

    Seals made with another key or before there was one are passed over.
    """
    seals: dict[int, tuple[str, str | None]] = {}
    for detail, key_id in db.execute(
        sa.select(audit.c.detail, audit.c.key_id).order_by(audit.c.seq)
    ):
        found = _sealed_run(detail)
        if found is not None:
            seals[found[0]] = found[1], key_id
    with_rows = sa.select(attempt.c.run_id).distinct()
    ended = sa.select(run.c.id).where(run.c.state.not_in(_OPEN_RUNS), run.c.id.in_(with_rows))
    altered, unsealed, checked = [], [], 0
    for run_id in db.execute(ended.order_by(run.c.id)).scalars():
        if run_id not in seals:
            unsealed.append(run_id)
            continue
        seal, key_id = seals[run_id]
        if key_id != sealer.id:
            continue
        checked += 1
        if seal_of_run(db, sealer, run_id) != seal:
            altered.append(run_id)
    return SealCheck(checked, tuple(altered), tuple(unsealed))


def _sealed_run(detail: str) -> tuple[int, str] | None:
    """Run and seal of an audit entry that holds one."""
    known = loads(detail, _Detail)  # type: ignore[type-abstract]
    if SEAL not in known or "run" not in known:
        return None
    return int(known["run"]), known[SEAL]


def _values_code(sealer: Sealer, row: sa.RowMapping) -> str | None:
    """The code of a row's values: made from them, or kept from when they were forgotten."""
    if row["base"] is None:
        code: str | None = row["values_code"]
        return code
    known = [f"{name}={row[name]}" for name in VALUES if row[name] is not None]
    return sealer.seal("values", str(row["run_id"]), str(row["seq"]), *known)


def _rows() -> sa.Select[Any]:
    return sa.select(attempt).order_by(attempt.c.run_id, attempt.c.seq)
