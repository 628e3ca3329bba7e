"""Facts of a whole population as one SQL statement: what ``facts`` hands to ``evaluate``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crmsync.model.fact import FactType, Judgement

if TYPE_CHECKING:
    from sqlglot import exp

IDENTITY_COLUMNS = ("id", "name", "owner", "version", "modified_at", "locked", "rejected")
"""The first columns of every relation: text, except ``modified_at`` (TIMESTAMP in UTC), ``locked``
(BOOLEAN, never NULL) and ``rejected`` (VARCHAR[] of fact ids, never NULL)."""

SQL_TYPES: Mapping[FactType, str] = {
    FactType.DATE: "DATE",
    FactType.DATETIME: "TIMESTAMP",
    FactType.INTEGER: "BIGINT",
    FactType.NUMBER: "DOUBLE",
    FactType.MONEY: "DECIMAL(28, 6)",
    FactType.PERCENT: "DOUBLE",
    FactType.TEXT: "VARCHAR",
    FactType.CHOICE: "VARCHAR",
    FactType.YES_NO: "BOOLEAN",
}
"""The DuckDB type of a fact's column. Doubles are finite: NaN and infinities arrive as NULL.
Moments are TIMESTAMP in UTC: fetched they are naive and get their zone back from the reader (DuckDB
hands TIMESTAMPTZ to Python only by way of pytz)."""


@dataclass(frozen=True, slots=True)
class FactRelation:
    """One DuckDB SELECT over the mirror, ordered by ``id``, only records in scope.

    Columns in this order: `IDENTITY_COLUMNS`; one per fact of ``facts`` (``f0`` … in the order of
    ``ruleset.facts``, formulas included, typed by `SQL_TYPES`); one per role of ``owned``
    (``w_tier`` …, the canonical value now standing in the field crmsync writes); one per fact of
    ``judged`` (``j3`` for the fact of ``f3``: a STRUCT of author, on, remark and expired, as in
    `Judgement`, NULL where nothing is told). NULL is unknown. A reader may wrap the statement as a
    subquery; it must not change it in place.
    """

    object: str
    select: exp.Select
    facts: tuple[str, ...]
    types: tuple[FactType, ...]
    owned: tuple[str, ...] = ()
    judged: tuple[str, ...] = ()

    def column(self, fact: str) -> str:
        """The column that holds *fact*; raises ValueError when there is no such fact."""
        return f"f{self.facts.index(fact)}"

    @staticmethod
    def owned_column(role: str) -> str:
        """The column that holds what stands in the field written for *role*."""
        return f"w_{role}"

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column name, in order."""
        facts = tuple(f"f{number}" for number in range(len(self.facts)))
        owned = tuple(self.owned_column(role) for role in self.owned)
        return IDENTITY_COLUMNS + facts + owned + tuple(map(self.judged_column, self.judged))

    def judged_column(self, fact: str) -> str:
        """The column that tells who judged *fact*."""
        return f"j{self.facts.index(fact)}"

    def judgements(self, values: Sequence[Any]) -> dict[str, Judgement]:
        """The judgements out of the values of the ``judged`` columns, by fact."""
        return {
            fact: Judgement(**told)
            for fact, told in zip(self.judged, values, strict=True)
            if told is not None
        }


OPENING_TABLE = "opening_state"
"""The temporary table with the state in which the day opens, one row per customer of whom the store
knows anything."""

OPENING_COLUMNS: Mapping[str, str] = {
    "o_id": "VARCHAR",
    "o_tier": "VARCHAR",
    "o_tier_since": "DATE",
    "o_lifecycle": "VARCHAR",
    "o_lifecycle_since": "DATE",
    "o_first_seen": "DATE",
    "o_evaluated": "DATE",
    "o_standing": "VARCHAR",
    "o_clocks": "VARCHAR",
    "o_pending": "MAP(VARCHAR, DATE)",
    "o_segments": "VARCHAR[]",
    "o_held": "MAP(VARCHAR, BOOLEAN)",
    "o_known": "VARCHAR[]",
    "o_open": "VARCHAR[]",
    "o_asked": "VARCHAR[]",
    "o_plain": "BOOLEAN",
    "o_override": "BOOLEAN",
    "o_today": "BOOLEAN",
}
"""The columns of `OPENING_TABLE`. ``o_evaluated`` is the last day before this one; ``o_standing``
and ``o_clocks`` are canonical JSON; ``o_open`` the rules of the open tasks, ``o_asked`` those whose
open episode is the one of today. ``o_plain`` is TRUE when nothing else bears on the customer: no
other clock runs, no override, no write since the day opened, nothing this version cannot read.
``o_override``: an override is in force or to come, or the customer takes over from another.
``o_today``: this day was observed already. Without a stored state ``o_standing`` is NULL. No
`FactRelation` has a column of such a name."""
