"""Where everybody stands under one ruleset, with the policy asked about few.

Steady customers stand where they stood. Of those who are alike one speaks for all; only who is
alone is asked about as well. The answers join the evaluated table inside DuckDB, so memory is a
setting here too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from duckdb import DuckDBPyConnection

from crmsync.evaluate.matching import BATCH, reader
from crmsync.evaluate.population import TABLE, EvaluatedPopulation, words
from crmsync.model.decision import Decision
from crmsync.model.fact import MatchedRow

_ALIKE, _WANTED, _ANSWERS = "alike", "wanted", "answers"


class Placing:
    """The placing of one evaluated population into a temporary table of its connection.

    Ask the policy about `wanted`, give every decision to `answer`, then `place`.
    """

    def __init__(self, population: EvaluatedPopulation) -> None:
        self._population = population
        self._mirror: DuckDBPyConnection = population.mirror
        shared = population.shared
        self._alike = bool(shared)
        some = f"{TABLE}.alone"
        if shared:
            self._mirror.execute(
                f"CREATE OR REPLACE TEMP TABLE {_ALIKE} AS SELECT {', '.join(shared)}, "
                f"min(id) AS speaker FROM {TABLE} WHERE NOT steady AND NOT alone GROUP BY ALL"
            )
            some += f" OR {TABLE}.id IN (SELECT speaker FROM {_ALIKE})"
        self._mirror.execute(
            f"CREATE OR REPLACE TEMP TABLE {_WANTED} AS "
            f"SELECT row_number() OVER (ORDER BY id) AS place, * FROM {TABLE} "
            f"WHERE NOT steady AND ({some}) ORDER BY place"
        )
        self._mirror.execute(
            f"CREATE OR REPLACE TEMP TABLE {_ANSWERS} "
            "(id VARCHAR, tier VARCHAR, stage VARCHAR, score BIGINT, opens VARCHAR)"
        )

    def wanted(self) -> Iterator[list[MatchedRow]]:
        """Whom to ask about, in pieces by id; answers may be given between them."""
        population = self._population
        read = reader(population.relation, population.conditions)
        last = len(population.relation.columns) + 2 * words(population.conditions)
        place = 0
        while True:
            query = (
                f"SELECT * EXCLUDE (place) FROM {_WANTED} "
                f"WHERE place > {place} AND place <= {place + BATCH} ORDER BY place"
            )
            rows = self._mirror.execute(query).fetchall()
            if not rows:
                return
            yield [read(values[: last + 1]) for values in rows]
            place += BATCH

    def answer(self, decisions: Iterable[Decision]) -> None:
        """What the policy said."""
        told = [_told(decision) for decision in decisions]
        if told:
            columns = [list(column) for column in zip(*told, strict=True)]
            values = ", ".join(f"unnest(?::{kind}[])" for kind in _KINDS)
            self._mirror.execute(f"INSERT INTO {_ANSWERS} SELECT {values}", columns)

    def place(self, table: str) -> None:
        """Make *table*, temporary: id, name, owner, tier, stage, score and ``opens`` of everybody.

        ``score`` is in tenths, NULL where it is no single number; ``opens`` is text for
        `opened_tasks`, NULL for none.
        """
        speaker = "NULL"
        joined = ""
        if self._alike:
            same = [f"e.{name} IS NOT DISTINCT FROM k.{name}" for name in self._population.shared]
            joined = (
                f"LEFT JOIN {_ALIKE} k ON NOT e.steady AND NOT e.alone AND {' AND '.join(same)} "
            )
            speaker = "k.speaker"
        rules = self._population.rules
        stood = {
            "tier": "NULL" if rules.tier is None else "e.o_tier",
            "stage": "NULL" if rules.lifecycle is None else "e.o_lifecycle",
        }
        known = "CASE WHEN e.s_low = e.s_high THEN e.s_low END"
        self._mirror.execute(
            f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT e.id, e.name, e.owner, "
            f"CASE WHEN e.steady THEN {stood['tier']} ELSE a.tier END AS tier, "
            f"CASE WHEN e.steady THEN {stood['stage']} ELSE a.stage END AS stage, "
            f"CASE WHEN {speaker} IS NULL AND NOT e.steady THEN a.score ELSE {known} END AS score, "
            f"a.opens FROM {TABLE} e {joined}"
            f"LEFT JOIN {_ANSWERS} a ON a.id = coalesce({speaker}, e.id)"
        )


_KINDS = ("VARCHAR", "VARCHAR", "VARCHAR", "BIGINT", "VARCHAR")


def _told(decision: Decision) -> tuple[object, ...]:
    tier, stage, score = decision.tier, decision.lifecycle, decision.score
    total = None if score is None or score.total is None else int(score.total.scaleb(1))
    opens = [(task.task_id, task.owner[0] if task.owner else None) for task in decision.opens]
    return (
        decision.ref.id,
        None if tier is None else tier.after,
        None if stage is None else stage.after,
        total,
        json.dumps(opens) if opens else None,
    )


def opened_tasks(opens: str) -> list[tuple[str, str | None]]:
    """The tasks that ``opens`` tells of: each one's rule, and its first owner (an id, or a word for
    one)."""
    return [(task, owner) for task, owner in json.loads(opens)]
