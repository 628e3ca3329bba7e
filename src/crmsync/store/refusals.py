"""What the CRM keeps refusing: changes and tasks that were rejected run after run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from crmsync.model.canonical import loads
from crmsync.model.change import RemoteError
from crmsync.model.record import RecordRef, Value
from crmsync.model.run import OpState
from crmsync.model.text import Text
from crmsync.store.batching import batched
from crmsync.store.engine import Database
from crmsync.store.journal_rows import OpKind
from crmsync.store.tables import attempt, run

_Values = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A change the CRM refused in ``runs`` runs since it last took one of the same record.

    ``ref`` is the customer; for a task it is the task's object with its key. ``want`` is what the
    latest of them wanted to write, ``error`` the CRM's own words about it.
    """

    ref: RecordRef
    runs: int
    want: Mapping[str, Value]
    error: RemoteError | None

    @property
    def text(self) -> Text:
        """What a plan says of it."""
        error = self.error
        told = (error.code, error.field, error.message) if error else ("–",)
        words = " ".join(" ".join(filter(None, told)).split())
        return Text(
            zh=f"CRM 已在 {self.runs} 次运行中拒绝，不再重试：{words}",
            en=f"refused by the CRM in {self.runs} runs, not sent again: {words}",
        )


class Refusals:
    """Read from the journal; nothing is kept beside it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def standing(
        self, connection: str, ruleset: str, *, from_runs: int
    ) -> dict[RecordRef, Refusal]:
        """Customers and tasks that were refused in at least so many runs since one was written."""
        here = (
            run.c.connection == connection,
            run.c.ruleset == ruleset,
            attempt.c.kind.in_((OpKind.FIELDS.value, OpKind.TASK.value)),
        )
        columns = (attempt.c.object, attempt.c.record_id, attempt.c.run_id)
        joined = attempt.join(run, run.c.id == attempt.c.run_id)
        refused = (
            sa.select(*columns, attempt.c.want, attempt.c.error)
            .select_from(joined)
            .where(*here, attempt.c.state == OpState.REJECTED.value)
            .order_by(attempt.c.run_id)
        )
        with self._database.read() as db:
            rows: dict[RecordRef, list[Any]] = {}
            for row in db.execute(refused):
                rows.setdefault(RecordRef(row.object, row.record_id), []).append(row)
            often = {ref: found for ref, found in rows.items() if len(found) >= from_runs}
            written: dict[RecordRef, int] = {}
            for piece in batched(often):
                latest = (
                    sa.select(*columns[:2], sa.func.max(attempt.c.run_id).label("at"))
                    .select_from(joined)
                    .where(*here, attempt.c.state == OpState.DONE.value)
                    .where(attempt.c.record_id.in_([ref.id for ref in piece]))
                    .group_by(*columns[:2])
                )
                for done in db.execute(latest):
                    written[RecordRef(done.object, done.record_id)] = done.at
        since = {
            ref: [row for row in found if row.run_id > written.get(ref, 0)]
            for ref, found in often.items()
        }
        return {ref: _told(ref, found) for ref, found in since.items() if len(found) >= from_runs}


def _told(ref: RecordRef, rows: list[Any]) -> Refusal:
    last = rows[-1]
    want = {} if last.want is None else loads(last.want, _Values)  # type: ignore[type-abstract]
    error = None if last.error is None else loads(last.error, RemoteError)
    return Refusal(ref, len({row.run_id for row in rows}), want, error)
