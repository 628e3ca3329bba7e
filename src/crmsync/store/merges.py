"""Merges: which record vanished into which, and the handing over of what we keep of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from crmsync.model.canonical import dumps, loads
from crmsync.model.merge import HeldOverride, Keeping, Merge
from crmsync.model.override import Override
from crmsync.model.record import RecordRef
from crmsync.model.run import OpState
from crmsync.store.batching import batched
from crmsync.store.engine import Database
from crmsync.store.states import States
from crmsync.store.tables import attempt, decision, episode, merge_, override_, run, state
from crmsync.store.upsert import insert_new

HANDOVER = "hand_over"
"""The kind of the journal rows by which something went over."""


class Merges:
    """Merges by connection and record; what they hand over goes by ruleset as well."""

    def __init__(self, database: Database, states: States) -> None:
        self._database = database
        self._states = states

    def told(self, connection: str) -> tuple[Merge, ...]:
        """Every merge we were told of, by the record that vanished."""
        query = sa.select(merge_).where(merge_.c.connection == connection)
        with self._database.read() as db:
            rows = db.execute(query.order_by(merge_.c.object, merge_.c.record_id)).all()
        return tuple(
            Merge(
                RecordRef(row.object, row.record_id),
                RecordRef(row.object, row.survivor),
                row.by,
                row.at,
            )
            for row in rows
        )

    def add(self, connection: str, merge: Merge) -> bool:
        """Note a merge; one that is noted of the same record stays. Says whether it is new."""
        with self._database.write() as db:
            return insert_new(db, merge_, _row(connection, merge))

    def remove(self, connection: str, lost: RecordRef) -> bool:
        """Forget the merge of a record; says whether there was one."""
        with self._database.write() as db:
            done = db.execute(
                sa.delete(merge_).where(
                    merge_.c.connection == connection,
                    merge_.c.object == lost.object,
                    merge_.c.record_id == lost.id,
                )
            )
            return done.rowcount == 1

    def known(self, connection: str, ref: RecordRef) -> bool:
        """Whether any ruleset keeps, or kept, anything of a record."""
        tables = (state, episode, override_, decision, merge_)
        with self._database.read() as db:
            return any(
                db.execute(
                    sa.select(sa.literal(1))
                    .where(
                        table.c.connection == connection,
                        table.c.object == ref.object,
                        table.c.record_id == ref.id,
                    )
                    .limit(1)
                ).first()
                for table in tables
            )

    def handed_over(self, connection: str, lost: RecordRef) -> tuple[int, ...]:
        """The runs in which what was kept of a record went over and stayed, oldest first."""
        query = (
            sa.select(attempt.c.run_id, attempt.c.effect)
            .join(run, run.c.id == attempt.c.run_id)
            .where(
                run.c.connection == connection,
                run.c.kind != "undo",
                run.c.undone_by.is_(None),
                attempt.c.kind == HANDOVER,
                attempt.c.state == OpState.DONE.value,
                attempt.c.object == lost.object,
                attempt.c.effect.contains(lost.id, autoescape=True),
            )
            .order_by(attempt.c.run_id)
        )
        with self._database.read() as db:
            rows = db.execute(query).all()
        return tuple(row.run_id for row in rows if lost.id in _lost_in(row.effect))

    def keeping(self, connection: str, ruleset: str, refs: Iterable[RecordRef]) -> Keeping:
        """What we keep of some records by one ruleset: rows, tasks open or over, and overrides
        nobody has lifted."""
        states, episodes, overrides = [], {}, []
        for piece in batched(sorted(set(refs), key=str)):
            found = self._states.stored(connection, ruleset, piece)
            states += [found[ref] for ref in piece if ref in found]
            with self._database.read() as db:
                for row in db.execute(
                    sa.select(episode.c.key, episode.c.object, episode.c.record_id)
                    .where(*_of(episode, connection, ruleset, piece))
                    .order_by(episode.c.key)
                ):
                    episodes[row.key] = RecordRef(row.object, row.record_id)
                for row in db.execute(
                    sa.select(override_.c.id, override_.c.object, override_.c.record_id)
                    .where(
                        *_of(override_, connection, ruleset, piece),
                        override_.c.lifted_at.is_(None),
                    )
                    .order_by(override_.c.id)
                ):
                    ref = RecordRef(row.object, row.record_id)
                    overrides.append(HeldOverride(row.id, ref))
        return Keeping(tuple(states), episodes, tuple(overrides))

    def put(
        self,
        connection: str,
        ruleset: str,
        refs: Sequence[RecordRef],
        kept: Keeping,
        *,
        run_id: int,
        at: datetime,
    ) -> None:
        """Make *kept* true: of *refs* nothing stays but the rows in it; tasks and overrides go to
        the records it names."""
        with self._database.write() as db:
            gone = set(refs) - {row.ref for row in kept.states}
            self._states.forget(connection, ruleset, sorted(gone, key=str))
            self._states.put(connection, ruleset, kept.states, run_id=run_id)
            for ref in sorted(set(kept.episodes.values()), key=str):
                keys = [key for key, whose in kept.episodes.items() if whose == ref]
                for piece in batched(keys):
                    db.execute(
                        sa.update(episode)
                        .where(
                            episode.c.connection == connection,
                            episode.c.ruleset == ruleset,
                            episode.c.key.in_(piece),
                        )
                        .values(object=ref.object, record_id=ref.id)
                    )
            for held in kept.overrides:
                _hand(db, held, at)


def _hand(db: Connection, held: HeldOverride, at: datetime) -> None:
    here = override_.c.id == held.number
    found = db.execute(sa.select(override_.c.content).where(here)).scalar_one_or_none()
    if found is None:
        return
    content = replace(loads(found, Override), ref=held.ref)
    db.execute(
        sa.update(override_)
        .where(here)
        .values(
            object=held.ref.object,
            record_id=held.ref.id,
            content=dumps(content, Override),
            lifted_at=at if held.ended else None,
            lifted_by=MERGED if held.ended else None,
        )
    )


def _lost_in(effect: str) -> set[str]:
    """The ids of the records that handed over, out of a stored effect."""
    lost = json.loads(effect).get("handed", {}).get("lost", [])
    return {item["id"] for item in lost}


MERGED = "merge"
"""Who ended an override that went with its record."""


def _row(connection: str, merge: Merge) -> dict[str, object]:
    return {
        "connection": connection,
        "object": merge.lost.object,
        "record_id": merge.lost.id,
        "survivor": merge.survivor.id,
        "by": merge.by,
        "at": merge.at,
    }


def _of(
    table: sa.Table, connection: str, ruleset: str, refs: Sequence[RecordRef]
) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        table.c.connection == connection,
        table.c.ruleset == ruleset,
        table.c.object.in_({ref.object for ref in refs}),
        table.c.record_id.in_([ref.id for ref in refs]),
    )
