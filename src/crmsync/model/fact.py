"""Facts: the typed values rules may look at, one row per customer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from crmsync.model.period import Period
from crmsync.model.record import RecordRef, Value

FactValue: TypeAlias = bool | int | float | Decimal | str | date | datetime | None
"""The value of a fact; ``None`` means *unknown* and nothing else.

By type: yes_no ``bool``; integer ``int``; number and percent ``float`` (percent is a ratio: 20 %
is 0.2); money ``Decimal`` in major units of the ruleset's currency; text and choice ``str``; date
``date``; datetime aware ``datetime``. Comparisons of numeric facts are IEEE doubles everywhere, so
the matchers agree.
"""


class FactType(StrEnum):
    """The type a rule file declares for a fact."""

    DATE = "date"
    DATETIME = "datetime"
    INTEGER = "integer"
    NUMBER = "number"
    MONEY = "money"
    PERCENT = "percent"
    TEXT = "text"
    CHOICE = "choice"
    YES_NO = "yes_no"

    @property
    def numeric(self) -> bool:
        """Whether values are compared as numbers."""
        return self in _NUMERIC


_NUMERIC = frozenset({FactType.INTEGER, FactType.NUMBER, FactType.MONEY, FactType.PERCENT})


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a CRM says beside a value that a person typed in; ``None`` where it says nothing.

    ``on`` is the day of the judgement. ``expired`` is the value that stands there and no longer
    counts, so that a reader may see it; the fact itself is then missing.
    """

    author: str | None = None
    on: date | None = None
    remark: str | None = None
    expired: FactValue = None

    def counts(self, valid_for: Period | None, as_of: date) -> bool:
        """Whether it is young enough on that day: it was given ``within`` *valid_for*.

        As in every window a day of the future never fits; a judgement without a day has no known
        age and does not count where an age is asked for.
        """
        if valid_for is None:
            return True
        return self.on is not None and valid_for.before(as_of) < self.on <= as_of


@dataclass(frozen=True, slots=True)
class FactRow:
    """Everything known of one customer before rules look at it.

    ``facts`` holds every declared fact by id, formulas included; ``owned`` the canonical values
    now standing in the fields crmsync writes, by role (``tier``, ``score`` …); ``locked`` is the
    hands-off tick. ``rejected`` names facts whose stored value did not fit its type, range or
    choices and therefore counts as unknown.
    """

    ref: RecordRef
    name: str
    owner: str | None
    facts: Mapping[str, FactValue]
    owned: Mapping[str, Value] = field(default_factory=dict)
    version: str | None = None
    modified_at: datetime | None = None
    locked: bool = False
    rejected: tuple[str, ...] = ()
    judged: Mapping[str, Judgement] = field(default_factory=dict)
    """Who judged, when and why, by fact; only facts of which something is told."""


@dataclass(frozen=True, slots=True)
class MatchedRow:
    """A fact row with the verdicts of one matcher.

    Bit *n* of ``true`` is set when condition *n* of the compiled ruleset holds; bit *n* of
    ``unknown`` when it is neither true nor false.
    """

    row: FactRow
    true: int
    unknown: int
