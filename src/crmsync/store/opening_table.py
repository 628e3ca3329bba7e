"""The states of a whole population as one DuckDB table, for the statement that evaluates it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from typing import Any, TypeAlias

import duckdb
import sqlalchemy as sa
from sqlglot import exp

from crmsync.model.relation import OPENING_COLUMNS, OPENING_TABLE
from crmsync.model.state import Snapshot, Standing
from crmsync.store.engine import Database
from crmsync.store.tables import episode, override_, state

PIECE = 10_000
"""Rows carried at once: memory stays flat however many customers there are."""

_STORED = "stored_state"
_READ = "read_state"
_TAKEN = "taken_apart"
RUNNING = ("first_seen", "evaluated", "pending", "segments", "held")
"""The clocks a row may have and still be one on which nothing can change."""

_STANDING = """{
    "tier": "VARCHAR", "tier_since": "DATE", "lifecycle": "VARCHAR", "lifecycle_since": "DATE"
}"""
_CLOCKS = """{
    "first_seen": "DATE", "evaluated": "DATE", "pending": "MAP(VARCHAR, DATE)",
    "segments": ["VARCHAR"], "held": "MAP(VARCHAR, BOOLEAN)"
}"""
"""What DuckDB takes out of a stored snapshot."""

Current: TypeAlias = Callable[[str, str, str], bool]


def _never(id: str, task: str, key: str) -> bool:
    return False


def fill_opening(
    database: Database,
    mirror: duckdb.DuckDBPyConnection,
    *,
    scope: tuple[str, str],
    object: str,
    day: date,
    current: Current = _never,
) -> None:
    """Make `OPENING_TABLE` in *mirror*'s temporary catalogue, anew each time.

    *scope* is the connection and the ruleset. Rows travel as text in column lists; what they say is
    taken apart by DuckDB. *current* tells, by record id, task id and key, whether an open episode
    is the one today's evaluation would open.
    """
    Openings(database, mirror).fill(scope=scope, object=object, day=day, current=current)


class Openings:
    """`fill_opening` for several rulesets in turn: what the store holds is carried over once while
    the words stay the same. A *current* is taken for the same when it is equal."""

    def __init__(self, database: Database, mirror: duckdb.DuckDBPyConnection) -> None:
        self._database = database
        self._mirror = mirror
        self._carried: tuple[object, ...] = ()

    def fill(
        self,
        *,
        scope: tuple[str, str],
        object: str,
        day: date,
        current: Current = _never,
        moving: frozenset[str] = frozenset(),
    ) -> None:
        """As `fill_opening`. *moving* are the ids of customers that take something over from
        others: what is stored is not what they open with."""
        mirror, key = self._mirror, (scope, object, day, current, moving)
        if self._carried == key:
            return
        if self._carried[:3] != key[:3]:
            self._carry_states(scope, object, day)
        self._carried = key
        mirror.execute(
            "CREATE OR REPLACE TEMP TABLE open_task (id VARCHAR, task VARCHAR, now VARCHAR)"
        )
        mirror.execute("CREATE OR REPLACE TEMP TABLE overridden (id VARCHAR)")
        open_now = sa.select(episode.c.record_id, episode.c.task_id, episode.c.key)
        open_now = open_now.where(*_of(episode, scope, object), episode.c.closed_on.is_(None))

        def told(row: Sequence[Any]) -> Sequence[Any]:
            id, task, episode_key = row
            return id, task, task if current(id, task, episode_key) else None

        self._carry(open_now, "open_task", told=told)
        held = sa.select(override_.c.record_id)
        held = held.where(*_of(override_, scope, object), override_.c.lifted_at.is_(None))
        self._carry(held, "overridden")
        if moving:
            mirror.execute("INSERT INTO overridden SELECT unnest(?::VARCHAR[])", [sorted(moving)])
        mirror.execute(f"CREATE OR REPLACE TEMP TABLE {OPENING_TABLE} AS {_opening()}")
        for table in ("open_task", "overridden"):
            mirror.execute(f"DROP TABLE {table}")

    def _carry_states(self, scope: tuple[str, str], object: str, day: date) -> None:
        """The snapshot in which the day opens; beside it the present one where both are kept."""
        again = state.c.evaluated == day
        rows = sa.select(
            state.c.record_id,
            sa.case((again, state.c.opening), else_=state.c.present).label("snap"),
            sa.case((again, state.c.present)).label("present"),
        ).where(*_of(state, scope, object))
        mirror, first = self._mirror, 0
        mirror.execute(f"CREATE OR REPLACE TEMP TABLE {_READ} (id VARCHAR, text BIGINT)")
        mirror.execute(
            f"CREATE OR REPLACE TEMP TABLE {_STORED} (text BIGINT, snap VARCHAR, present VARCHAR)"
        )
        for piece in self._pieces(rows):
            texts: dict[tuple[str, str | None], int] = {}
            places = []
            for row in piece:
                now = row.present and _undigested(row.present)
                places.append(texts.setdefault((_undigested(row.snap), now), len(texts)))
            mirror.execute(
                f"INSERT INTO {_READ} SELECT unnest(?::VARCHAR[]), ? + unnest(?::BIGINT[])",
                [[row.record_id for row in piece], first, places],
            )
            mirror.execute(
                f"INSERT INTO {_STORED} SELECT ? + unnest(range(?)), unnest(?::VARCHAR[]), "
                "unnest(?::VARCHAR[])",
                [first, len(texts), [snap for snap, _ in texts], [now for _, now in texts]],
            )
            first += len(texts)
        mirror.execute(f"CREATE OR REPLACE TEMP TABLE {_TAKEN} AS {_apart(day)}")
        mirror.execute(f"DROP TABLE {_STORED}")

    def _carry(
        self,
        query: sa.Select[Any],
        table: str,
        *,
        told: Callable[[Sequence[Any]], Sequence[Any]] = tuple,
    ) -> None:
        """The rows of *query* into *table*, in pieces."""
        for piece in self._pieces(query):
            columns = [list(column) for column in zip(*map(told, piece), strict=True)]
            values = ", ".join("unnest(?::VARCHAR[])" for _ in columns)
            self._mirror.execute(f"INSERT INTO {table} SELECT {values}", columns)

    def _pieces(self, query: sa.Select[Any]) -> Iterator[Sequence[sa.Row[Any]]]:
        with self._database.read() as db:
            yield from db.execution_options(yield_per=PIECE).execute(query).partitions(PIECE)


def _undigested(snapshot: str) -> str:
    """A stored snapshot without the digest of its facts, by which alone most customers differ."""
    head, found, digest = snapshot.rpartition(',"facts_digest":"')
    plain = found and digest.endswith('"}') and digest[:-2].isalnum()
    return head + "}" if plain else snapshot


def _of(table: sa.Table, scope: tuple[str, str], object: str) -> tuple[sa.ColumnElement[bool], ...]:
    connection, ruleset = scope
    where = table.c.connection == connection, table.c.ruleset == ruleset
    return (*where, table.c.object == object)


def _apart(day: date) -> str:
    """The SELECT that takes stored texts apart; *day* and field names go in as literal nodes."""
    today = exp.Literal.string(day.isoformat()).sql("duckdb")
    snapshot, standing = (_names(_fields(kind)) for kind in (Snapshot, Standing))
    return f"""
        WITH texts AS (
            SELECT text, json_keys(snap) AS keys, present IS NOT NULL AS today,
                json_extract(snap, ['$.standing', '$.clocks', '$.known'])::VARCHAR[] AS snap,
                json_extract(present, ['$.standing', '$.clocks'])::VARCHAR[] AS now
            FROM {_STORED}
        ), apart AS (
            SELECT text, keys, today, snap[1] AS standing, snap[2] AS clocks,
                now[1] AS standing_now, now[2] AS clocks_now,
                json_transform(snap[1], '{_STANDING}') AS stood,
                json_transform(snap[2], '{_CLOCKS}') AS clock,
                from_json(snap[3], '["VARCHAR"]') AS facts
            FROM texts
        )
        SELECT *,
            clock.first_seen IS NOT NULL
            AND clock.evaluated IS NOT NULL
            AND list_has_all({_names(RUNNING)}, json_keys(clocks))
            AND list_has_all({snapshot}, keys)
            AND list_has_all({standing}, json_keys(standing))
            AND (
                NOT today
                OR (
                    standing_now = standing
                    AND clocks_now = replace(
                        clocks,
                        '"evaluated":"' || (clocks ->> '$.evaluated') || '"',
                        '"evaluated":"' || {today} || '"'
                    )
                )
            ) AS plain
        FROM apart
    """


def _opening() -> str:
    """The SELECT of the opening table: everybody with a state, an open task or an override."""
    columns = ", ".join(OPENING_COLUMNS)
    return f"""
        WITH tasks AS (
            SELECT id, list(DISTINCT task) AS open, list(now) FILTER (now IS NOT NULL) AS asked
            FROM open_task GROUP BY id
        ), everybody AS (
            SELECT id FROM {_READ} UNION SELECT id FROM tasks UNION SELECT id FROM overridden
        ), listed AS (
            SELECT everybody.id AS o_id,
                stood.tier AS o_tier,
                stood.tier_since AS o_tier_since,
                stood.lifecycle AS o_lifecycle,
                stood.lifecycle_since AS o_lifecycle_since,
                clock.first_seen AS o_first_seen,
                clock.evaluated AS o_evaluated,
                t.standing AS o_standing,
                t.clocks AS o_clocks,
                COALESCE(clock.pending, MAP {{}}) AS o_pending,
                COALESCE(clock.segments, []) AS o_segments,
                COALESCE(clock.held, MAP {{}}) AS o_held,
                COALESCE(t.facts, []) AS o_known,
                COALESCE(tasks.open, []) AS o_open,
                COALESCE(tasks.asked, []) AS o_asked,
                COALESCE(t.today, FALSE) AS o_today,
                held IS NOT NULL AS o_override,
                COALESCE(plain AND held IS NULL, FALSE) AS o_plain
            FROM everybody
            LEFT JOIN {_READ} USING (id)
            LEFT JOIN {_TAKEN} t USING (text)
            LEFT JOIN tasks USING (id)
            LEFT JOIN (SELECT DISTINCT id, TRUE AS held FROM overridden) USING (id)
        )
        SELECT {columns} FROM listed
    """


def _fields(kind: type) -> list[str]:
    return [field.name for field in dataclasses.fields(kind)]


def _names(names: Iterable[str]) -> str:
    """*names* as an SQL list."""
    return "[" + ", ".join(exp.Literal.string(name).sql("duckdb") for name in names) + "]"
