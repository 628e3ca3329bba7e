"""The ids of tasks whose creation the CRM confirmed without telling one, noted when they show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from crmsync.store.batching import batched
from crmsync.store.effects import Ground
from crmsync.store.journal_rows import Op, OpKind
from crmsync.store.tables import attempt, episode, op


@dataclass(frozen=True, slots=True)
class Named:
    """A task row of the run being carried out, the task's key and the id it was found by."""

    op: Op
    key: str
    crm_id: str


def note_ids(db: Connection, where: Ground, named: Sequence[Named]) -> None:
    """Note ids in the rows themselves and in the episodes. Rows of earlier runs stay as they
    were sealed."""
    for item in named:
        created = item.op.kind is OpKind.TASK
        mine = {"crm_id": item.crm_id} if created else {"record_id": item.crm_id}
        db.execute(
            sa.update(attempt)
            .where(attempt.c.run_id == where.run_id, attempt.c.seq == item.op.seq)
            .values(**mine)
        )
        db.execute(sa.update(op).where(op.c.op_key == item.op.record.op_key).values(**mine))
        db.execute(
            sa.update(episode)
            .where(
                episode.c.connection == where.connection,
                episode.c.ruleset == where.ruleset,
                episode.c.key == item.key,
            )
            .values(crm_id=item.crm_id)
        )


def trust_of(db: Connection, connection: str, keys: Iterable[str]) -> dict[str, datetime]:
    """Task key → until when its absence proves nothing, for those created from here."""
    found: dict[str, datetime] = {}
    for piece in batched(keys):
        query = sa.select(op.c.record_id, op.c.trust_after).where(
            op.c.connection == connection,
            op.c.kind == OpKind.TASK.value,
            op.c.record_id.in_(piece),
            op.c.trust_after.is_not(None),
        )
        found.update((row.record_id, row.trust_after) for row in db.execute(query))
    return found
