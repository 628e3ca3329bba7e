"""The meter that every process using a connection shares: rates, pauses and spending."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from crmsync.model.metering import Admission, Admitted, Spending, place_of, set_back, slot_of
from crmsync.model.schema import Quota
from crmsync.store.engine import Database
from crmsync.store.reviews import Quotas
from crmsync.store.tables import lane, spending
from crmsync.store.upsert import upsert

KEPT = timedelta(days=3)


class StoreMeter:
    """The books of one connection in the state database; each call is one transaction."""

    def __init__(self, database: Database, connection: str) -> None:
        self._database = database
        self._connection = connection

    def admit(self, ask: Admission) -> Admitted:
        """Book a call and give it its place, or say why not."""
        with self._database.write() as db:
            taken, own = self._lane(db, ask.lane)
            everywhere = self._lane(db, "")[1] if ask.lane else own
            if ask.window and set_back(taken, ask.now.timestamp(), ask.window):
                taken, own, everywhere = [], None, None
                db.execute(
                    sa.update(lane)
                    .where(lane.c.connection == self._connection)
                    .values(not_before=None)
                )
            told = [moment for moment in (own, everywhere) if moment is not None]
            place = place_of(ask, taken, told)
            if not place.taken:
                return place.answer
            if not self._affordable(db, ask):
                return Admitted(spent_up=True)
            if ask.calls is not None:
                self._put_lane(db, ask.lane, [*taken, place.start][-ask.calls :], own)
            if ask.price:
                self._spend(db, ask.price, ask.now)
            return place.answer

    def give_back(self, price: int, at: datetime) -> None:
        """A call booked at that moment was not charged after all."""
        with self._database.write() as db:
            self._spend(db, -price, at)

    def spending(self, since: datetime) -> Sequence[Spending]:
        """What was spent from then on, in order."""
        query = (
            sa.select(spending.c.slot, spending.c.used)
            .where(spending.c.connection == self._connection, spending.c.slot >= slot_of(since))
            .order_by(spending.c.slot)
        )
        with self._database.read() as db:
            return [Spending(row.slot, row.used) for row in db.execute(query)]

    def hold(self, until: datetime, lane: str = "") -> None:
        """Let nobody go before that moment."""
        with self._database.write() as db:
            taken, before = self._lane(db, lane)
            self._put_lane(db, lane, taken, until if before is None else max(until, before))

    def told(self, quota: Quota, at: datetime) -> None:
        """Keep what is known of the quota."""
        Quotas(self._database).put(self._connection, quota, at=at)

    def _lane(self, db: Connection, name: str) -> tuple[list[float], datetime | None]:
        query = sa.select(lane.c.taken, lane.c.not_before).where(
            lane.c.connection == self._connection, lane.c.lane == name
        )
        row = db.execute(query).first()
        return ([], None) if row is None else (json.loads(row.taken), row.not_before)

    def _put_lane(
        self, db: Connection, name: str, taken: Sequence[float], not_before: datetime | None
    ) -> None:
        row = {
            "connection": self._connection,
            "lane": name,
            "taken": json.dumps([round(moment, 3) for moment in taken]),
            "not_before": not_before,
        }
        upsert(db, lane, [row])

    def _affordable(self, db: Connection, ask: Admission) -> bool:
        if ask.ceiling is None or ask.since is None:
            return True
        query = sa.select(sa.func.coalesce(sa.func.sum(spending.c.used), 0)).where(
            spending.c.connection == self._connection, spending.c.slot >= slot_of(ask.since)
        )
        return int(db.execute(query).scalar_one()) + ask.price <= ask.ceiling

    def _spend(self, db: Connection, price: int, at: datetime) -> None:
        slot = slot_of(at)
        here = (spending.c.connection == self._connection) & (spending.c.slot == slot)
        changed = db.execute(
            sa.update(spending).where(here).values(used=spending.c.used + price)
        ).rowcount
        if not changed:
            row = {"connection": self._connection, "slot": slot, "used": price}
            db.execute(sa.insert(spending).values(row))
            db.execute(
                sa.delete(spending).where(
                    spending.c.connection == self._connection, spending.c.slot < slot - KEPT
                )
            )
