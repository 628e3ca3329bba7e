"""Lines frozen per review period: drawn once, kept in every version, never changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa

from crmsync.model import canonical
from crmsync.model.frozen import FrozenLines
from crmsync.store.engine import Database
from crmsync.store.tables import frozen
from crmsync.store.upsert import insert_new

_Lines = Mapping[str, tuple[Decimal, ...]]


class Frozen:
    """Frozen lines by connection, ruleset, name, period and version.

    Only ``apply`` and ``sync`` keep lines, before their first write; everything else reads.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(
        self, connection: str, ruleset: str, drawn: Iterable[FrozenLines], *, at: datetime
    ) -> None:
        """Keep lines as they were drawn; a version that is there already stays as it is."""
        with self._database.write() as db:
            for item in drawn:
                row = {
                    "connection": connection,
                    "ruleset": ruleset,
                    "name": item.name,
                    "version": item.version,
                    "period": item.period,
                    "basis": item.basis,
                    "drawn_on": item.drawn_on,
                    "customers": item.customers,
                    "kept_at": at,
                    "lines": canonical.dumps(item.lines, _Lines),
                }
                insert_new(db, frozen, row)

    def find(
        self, connection: str, ruleset: str, name: str, *, period: str, basis: str
    ) -> FrozenLines | None:
        """The latest lines of that period drawn for that question, or ``None``."""
        asked = frozen.c.period == period, frozen.c.basis == basis
        return next(iter(self._select(connection, ruleset, name, *asked)), None)

    def history(self, connection: str, ruleset: str, name: str) -> tuple[FrozenLines, ...]:
        """Every version of the lines of that name, newest first."""
        return tuple(self._select(connection, ruleset, name))

    def next_version(self, connection: str, ruleset: str, name: str) -> int:
        """The version that lines drawn now would have."""
        newest = next(iter(self._select(connection, ruleset, name)), None)
        return 1 if newest is None else newest.version + 1

    def _select(
        self, connection: str, ruleset: str, name: str, *asked: sa.ColumnElement[bool]
    ) -> list[FrozenLines]:
        query = (
            sa.select(frozen)
            .where(
                frozen.c.connection == connection,
                frozen.c.ruleset == ruleset,
                frozen.c.name == name,
                *asked,
            )
            .order_by(frozen.c.version.desc())
        )
        with self._database.read() as db:
            return [
                FrozenLines(
                    name=row.name,
                    period=row.period,
                    version=row.version,
                    basis=row.basis,
                    drawn_on=row.drawn_on,
                    customers=row.customers,
                    lines=canonical.loads(row.lines, _Lines),  # type: ignore[type-abstract]
                )
                for row in db.execute(query)
            ]
