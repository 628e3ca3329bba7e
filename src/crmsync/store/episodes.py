"""Task episodes: which tasks exist, so that each is created once and closed when its time comes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from crmsync.model.record import RecordRef
from crmsync.model.state import Episode
from crmsync.store.batching import batched
from crmsync.store.engine import Database
from crmsync.store.tables import episode
from crmsync.store.upsert import upsert


class Episodes:
    """Episodes by connection, ruleset and key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def known(self, connection: str, ruleset: str, keys: Iterable[str]) -> dict[str, Episode]:
        """Those of *keys* that were ever opened, closed ones too."""
        found: dict[str, Episode] = {}
        for piece in batched(keys):
            query = sa.select(episode).where(*_in(connection, ruleset), episode.c.key.in_(piece))
            with self._database.read() as db:
                found.update((row.key, _episode(row)) for row in db.execute(query))
        return found

    def open_for(
        self, connection: str, ruleset: str, refs: Iterable[RecordRef]
    ) -> dict[RecordRef, tuple[Episode, ...]]:
        """The open episodes of each of *refs* that has any, oldest first."""
        found: dict[RecordRef, tuple[Episode, ...]] = {}
        for piece in batched(refs):
            query = (
                sa.select(episode)
                .where(
                    *_in(connection, ruleset),
                    episode.c.record_id.in_([ref.id for ref in piece]),
                    episode.c.closed_on.is_(None),
                )
                .order_by(episode.c.opened_on, episode.c.key)
            )
            with self._database.read() as db:
                for row in db.execute(query):
                    ref = RecordRef(row.object, row.record_id)
                    if ref in piece:
                        found[ref] = (*found.get(ref, ()), _episode(row))
        return found

    def booked(
        self, connection: str, ruleset: str, *, since: date
    ) -> dict[tuple[str, str, date], int]:
        """How many open tasks each owner has of each rule for each day from *since* on."""
        columns = (episode.c.task_id, episode.c.owner, episode.c.due)
        query = (
            sa.select(*columns, sa.func.count())
            .where(
                *_in(connection, ruleset),
                episode.c.closed_on.is_(None),
                episode.c.owner.is_not(None),
                episode.c.due >= since,
            )
            .group_by(*columns)
        )
        with self._database.read() as db:
            return {(task, owner, due): count for task, owner, due, count in db.execute(query)}

    def put(
        self, connection: str, ruleset: str, episodes: Sequence[Episode], *, task_object: str
    ) -> None:
        """Open episodes, or replace what is known of them."""
        with self._database.write() as db:
            rows = [_row(connection, ruleset, item, task_object) for item in episodes]
            upsert(db, episode, rows)

    def close(self, connection: str, ruleset: str, keys: Iterable[str], *, on: date | None) -> None:
        """Mark episodes closed on a day; ``on=None`` opens them again."""
        for piece in batched(keys):
            with self._database.write() as db:
                db.execute(
                    sa.update(episode)
                    .where(*_in(connection, ruleset), episode.c.key.in_(piece))
                    .values(closed_on=on)
                )


def _in(connection: str, ruleset: str) -> tuple[sa.ColumnElement[bool], ...]:
    return episode.c.connection == connection, episode.c.ruleset == ruleset


def _episode(row: sa.Row[Any]) -> Episode:
    return Episode(
        key=row.key,
        task_id=row.task_id,
        ref=RecordRef(row.object, row.record_id),
        opened_on=row.opened_on,
        crm_id=row.crm_id,
        closed_on=row.closed_on,
        owner=row.owner,
        due=row.due,
    )


def _row(connection: str, ruleset: str, item: Episode, task_object: str) -> dict[str, Any]:
    return {
        "connection": connection,
        "ruleset": ruleset,
        "key": item.key,
        "object": item.ref.object,
        "record_id": item.ref.id,
        "task_id": item.task_id,
        "task_object": task_object,
        "opened_on": item.opened_on,
        "crm_id": item.crm_id,
        "closed_on": item.closed_on,
        "owner": item.owner,
        "due": item.due,
    }
