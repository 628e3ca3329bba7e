"""The states of a whole population as one DuckDB table, for the statement that evaluates it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any, TypeAlias

import duckdb
import sqlalchemy as sa
from sqlglot import exp

from crmsync.model.relation import OPENING_COLUMNS, OPENING_TABLE
from crmsync.model.state import Standing
from crmsync.store.engine import Database
from crmsync.store.states import Snapshot
from crmsync.store.tables import episode, override_, state

PIECE = 10_000
"""Rows carried at once: memory stays flat however many customers there are."""

_STORED = "stored_state"
RUNNING = ("first_seen", "evaluated", "pending", "segments", "held")
"""The clocks a row may have and still be one on which nothing can change."""


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
    columns = ", ".join(f"{name} VARCHAR" for name in ("id", "evaluated", "present", "opening"))
    mirror.execute(f"CREATE OR REPLACE TEMP TABLE {_STORED} ({columns})")
    mirror.execute("CREATE OR REPLACE TEMP TABLE open_task (id VARCHAR, task VARCHAR, now VARCHAR)")
    mirror.execute("CREATE OR REPLACE TEMP TABLE overridden (id VARCHAR)")
    connection, ruleset = scope

    def of(table: sa.Table) -> tuple[sa.ColumnElement[bool], ...]:
        where = table.c.connection == connection, table.c.ruleset == ruleset
        return (*where, table.c.object == object)

    rows = sa.select(
        state.c.record_id,
        sa.cast(state.c.evaluated, sa.String).label("evaluated"),
        state.c.present,
        state.c.opening,
    )
    _carry(database, rows.where(*of(state)), mirror, _STORED)
    open_now = sa.select(episode.c.record_id, episode.c.task_id, episode.c.key)
    open_now = open_now.where(*of(episode), episode.c.closed_on.is_(None))

    def told(row: Sequence[Any]) -> Sequence[Any]:
        id, task, key = row
        return id, task, task if current(id, task, key) else None

    _carry(database, open_now, mirror, "open_task", told=told)
    held = sa.select(override_.c.record_id).where(*of(override_), override_.c.lifted_at.is_(None))
    _carry(database, held, mirror, "overridden")
    mirror.execute(f"CREATE OR REPLACE TEMP TABLE {OPENING_TABLE} AS {_opening(day)}")
    for table in (_STORED, "open_task", "overridden"):
        mirror.execute(f"DROP TABLE {table}")


def _carry(
    database: Database,
    query: sa.Select[Any],
    mirror: duckdb.DuckDBPyConnection,
    table: str,
    *,
    told: Callable[[Sequence[Any]], Sequence[Any]] = tuple,
) -> None:
    """The rows of *query* into *table*, in pieces."""
    with database.read() as db:
        result = db.execution_options(yield_per=PIECE).execute(query)
        for rows in result.partitions(PIECE):
            columns = [list(column) for column in zip(*map(told, rows), strict=True)]
            values = ", ".join("unnest(?::VARCHAR[])" for _ in columns)
            mirror.execute(f"INSERT INTO {table} SELECT {values}", columns)


def _opening(day: date) -> str:
    """The SELECT that takes the stored rows apart; *day* and field names go in as literal nodes."""
    today = exp.Literal.string(day.isoformat()).sql("duckdb")
    snapshot, standing = (_names(_fields(kind)) for kind in (Snapshot, Standing))
    columns = ", ".join(OPENING_COLUMNS)
    return f"""
        WITH chosen AS (
            SELECT id, evaluated, present::JSON AS present, opening::JSON AS opening,
                (CASE WHEN evaluated = {today} THEN opening ELSE present END)::JSON AS snap
            FROM {_STORED}
        ), apart AS (
            SELECT *, snap -> '$.standing' AS standing, snap -> '$.clocks' AS clocks,
                (present -> '$.standing')::VARCHAR AS present_standing,
                (present -> '$.clocks')::VARCHAR AS present_clocks
            FROM chosen
        ), tasks AS (
            SELECT id, list(DISTINCT task) AS open, list(now) FILTER (now IS NOT NULL) AS asked
            FROM open_task GROUP BY id
        ), read AS (
            SELECT id AS o_id,
                standing ->> '$.tier' AS o_tier,
                (standing ->> '$.tier_since')::DATE AS o_tier_since,
                standing ->> '$.lifecycle' AS o_lifecycle,
                (standing ->> '$.lifecycle_since')::DATE AS o_lifecycle_since,
                (clocks ->> '$.first_seen')::DATE AS o_first_seen,
                (clocks ->> '$.evaluated')::DATE AS o_evaluated,
                standing::VARCHAR AS o_standing,
                clocks::VARCHAR AS o_clocks,
                COALESCE((clocks -> '$.pending')::MAP(VARCHAR, DATE), MAP {{}}) AS o_pending,
                COALESCE(clocks ->> '$.segments[*]', []) AS o_segments,
                COALESCE((clocks -> '$.held')::MAP(VARCHAR, BOOLEAN), MAP {{}}) AS o_held,
                COALESCE(snap ->> '$.known[*]', []) AS o_known,
                COALESCE(tasks.open, []) AS o_open,
                COALESCE(tasks.asked, []) AS o_asked,
                COALESCE(evaluated = {today}, FALSE) AS o_today,
                COALESCE(
                    (clocks ->> '$.first_seen') IS NOT NULL
                    AND (clocks ->> '$.evaluated') IS NOT NULL
                    AND list_has_all({_names(RUNNING)}, json_keys(clocks))
                    AND list_has_all({snapshot}, json_keys(snap))
                    AND list_has_all({standing}, json_keys(standing))
                    AND (
                        evaluated IS DISTINCT FROM {today}
                        OR (
                            present_standing = standing::VARCHAR
                            AND present_clocks = replace(
                                clocks::VARCHAR,
                                '"evaluated":"' || (clocks ->> '$.evaluated') || '"',
                                '"evaluated":"' || {today} || '"'
                            )
                        )
                    )
                    AND id NOT IN (SELECT id FROM overridden),
                    FALSE
                ) AS o_plain
            FROM apart LEFT JOIN tasks USING (id)
        )
        SELECT {columns} FROM read
    """


def _fields(kind: type) -> list[str]:
    return [field.name for field in dataclasses.fields(kind)]


def _names(names: Iterable[str]) -> str:
    """*names* as an SQL list."""
    return "[" + ", ".join(exp.Literal.string(name).sql("duckdb") for name in names) + "]"
