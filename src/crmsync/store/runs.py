"""Runs: what was applied, when, by whom, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from crmsync.errors import UsageError
from crmsync.model.canonical import dumps, loads
from crmsync.model.plan import PlanCounts, PlanHeader
from crmsync.model.run import Run, RunState
from crmsync.model.text import Text
from crmsync.store.engine import Database
from crmsync.store.plans import pack_header
from crmsync.store.tables import run

_Counts = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class RunStart:
    """Who starts a run and why; ``kind`` is ``apply``, ``sync``, ``undo`` or ``adopt``."""

    kind: str
    by: str
    started_at: datetime
    fence: int
    reason: str | None = None


class Runs:
    """Runs by number; numbers are never used twice."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self, header: PlanHeader, start: RunStart, *, state: RunState = RunState.RUNNING
    ) -> int:
        """Note that a run begins and give its number; joins the caller's transaction."""
        statement = (
            sa.insert(run)
            .values(
                kind=start.kind,
                state=state.value,
                connection=header.connection,
                ruleset=header.ruleset,
                ruleset_version=header.ruleset_version,
                ruleset_digest=header.ruleset_digest,
                plan_id=header.plan_id,
                as_of=header.as_of,
                account_id=header.account_id,
                started_at=start.started_at,
                by=start.by,
                reason=start.reason,
                header=pack_header(header),
                fence=start.fence,
            )
            .returning(run.c.id)
        )
        with self._database.write() as db:
            return int(db.execute(statement).scalar_one())

    def end(
        self,
        run_id: int,
        state: RunState,
        *,
        at: datetime,
        counts: Mapping[str, int],
        note: Text | None = None,
    ) -> None:
        """Note how a run ended (a resumed run ends again)."""
        with self._database.write() as db:
            db.execute(
                sa.update(run)
                .where(run.c.id == run_id)
                .values(
                    state=state.value,
                    ended_at=at,
                    counts=dumps(counts, _Counts),
                    note=None if note is None else dumps(note, Text),
                )
            )

    def reopen(self, run_id: int, *, fence: int) -> None:
        """Note that a run goes on."""
        with self._database.write() as db:
            values = {"state": RunState.RUNNING.value, "ended_at": None, "fence": fence}
            db.execute(sa.update(run).where(run.c.id == run_id).values(**values))

    def mark_undone(self, run_id: int, *, by: int) -> None:
        """Note that the run numbered *by* takes this one back."""
        with self._database.write() as db:
            db.execute(sa.update(run).where(run.c.id == run_id).values(undone_by=by))

    def undone_by(self, run_id: int) -> int | None:
        """The run that took this one back, if any: it is never resumed then."""
        with self._database.read() as db:
            query = sa.select(run.c.undone_by).where(run.c.id == run_id)
            found: int | None = db.execute(query).scalar_one_or_none()
        return found

    def get(self, run_id: int) -> Run:
        """One run; raises UsageError when there is none of that number."""
        found = self._select(run.c.id == run_id)
        if not found:
            raise _no_run(run_id)
        return found[0]

    def header(self, run_id: int) -> PlanHeader:
        """The header of the plan a run applied, without its withheld rows; raises UsageError."""
        query = sa.select(run.c.header).where(run.c.id == run_id)
        with self._database.read() as db:
            header: str | None = db.execute(query).scalar_one_or_none()
        if header is None:
            raise _no_run(run_id)
        return loads(header, PlanHeader)

    def latest(self, limit: int = 20, *, connection: str | None = None) -> tuple[Run, ...]:
        """The newest runs first."""
        where = [] if connection is None else [run.c.connection == connection]
        return self._select(*where, limit=limit)

    def unfinished(self, connection: str) -> tuple[Run, ...]:
        """Runs of a connection that `resume` would go on with, newest first."""
        open_states = (RunState.RUNNING.value, RunState.STOPPED.value)
        return self._select(run.c.connection == connection, run.c.state.in_(open_states))

    def scopes(self) -> tuple[tuple[str, str], ...]:
        """Every connection and ruleset that any run was about."""
        query = (
            sa.select(run.c.connection, run.c.ruleset)
            .distinct()
            .order_by(run.c.connection, run.c.ruleset)
        )
        with self._database.read() as db:
            return tuple((row.connection, row.ruleset) for row in db.execute(query))

    def highest(self) -> int:
        """The highest number given to a run so far."""
        with self._database.read() as db:
            return int(
                db.execute(sa.select(sa.func.coalesce(sa.func.max(run.c.id), 0))).scalar_one()
            )

    def never_below(self, number: int) -> None:
        """From now on give numbers above *number*: an older state was put back, and CRM records
        hold the numbers given since."""
        with self._database.write() as db:
            if self._database.postgres:
                highest = max(number, self.highest(), 1)
                db.execute(sa.select(sa.func.setval("run_id_seq", highest)))
                return
            where = "WHERE name = 'run'"
            if db.exec_driver_sql(f"SELECT 1 FROM sqlite_sequence {where}").first() is None:
                db.exec_driver_sql("INSERT INTO sqlite_sequence VALUES ('run', 0)")
            db.exec_driver_sql(f"UPDATE sqlite_sequence SET seq = max(seq, ?) {where}", (number,))

    def since(self, header: PlanHeader) -> int | None:
        """The latest run of the same ruleset and connection that began to write after the plan
        was made, but not by it: the plan is stale then."""
        query = sa.select(sa.func.max(run.c.id)).where(
            run.c.connection == header.connection,
            run.c.ruleset == header.ruleset,
            run.c.started_at > header.created_at,
            run.c.plan_id != header.plan_id,
            run.c.state != RunState.HELD.value,
        )
        with self._database.read() as db:
            latest: int | None = db.execute(query).scalar_one()
        return latest

    def last_figures(self, connection: str, ruleset: str) -> PlanCounts | None:
        """The figures of the latest plan by rules that was applied, for guards that compare.

        A held plan is no measure: what tripped a guard last night would be normal tonight.
        """
        query = (
            sa.select(run.c.header)
            .where(
                run.c.connection == connection,
                run.c.ruleset == ruleset,
                run.c.kind.in_(("apply", "sync")),
                run.c.state != RunState.HELD.value,
            )
            .order_by(run.c.id.desc())
            .limit(1)
        )
        with self._database.read() as db:
            header = db.execute(query).scalar_one_or_none()
        return None if header is None else loads(header, PlanHeader).counts

    def ever_applied(self, connection: str, account_id: str) -> bool:
        """Whether any run was carried out on this account: the first one is by hand."""
        query = sa.select(sa.func.count()).where(
            run.c.connection == connection,
            run.c.account_id == account_id,
            run.c.kind != "adopt",
            run.c.state.in_((RunState.DONE.value, RunState.PARTIAL.value)),
        )
        with self._database.read() as db:
            return bool(db.execute(query).scalar_one())

    def _select(self, *where: sa.ColumnElement[bool], limit: int | None = None) -> tuple[Run, ...]:
        query = sa.select(run).where(*where).order_by(run.c.id.desc()).limit(limit)
        with self._database.read() as db:
            return tuple(_run(row) for row in db.execute(query))


def _no_run(run_id: int) -> UsageError:
    return UsageError(
        Text(zh=f"没有第 {run_id} 次运行", en=f"there is no run {run_id}"),
        mend=Text(zh="用 crmsync runs 查看。", en="See crmsync runs."),
    )


def _run(row: sa.Row[Any]) -> Run:
    return Run(
        id=row.id,
        kind=row.kind,
        started_at=row.started_at,
        ended_at=row.ended_at,
        connection=row.connection,
        ruleset=row.ruleset,
        ruleset_version=row.ruleset_version,
        plan_id=row.plan_id,
        state=RunState(row.state),
        by=row.by,
        reason=row.reason,
        counts=loads(row.counts, _Counts),  # type: ignore[type-abstract]
        note=_note(row.note),
    )


def _note(kept: str | None) -> Text | None:
    """Notes of runs before both languages were kept are English alone."""
    if kept is None:
        return None
    return loads(kept, Text) if kept.startswith('{"en":') else Text.same(kept)
