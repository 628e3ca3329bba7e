"""The tier block, typed: levels, change up and down, exceptions."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from crmsync.model.condition import Condition
from crmsync.model.position import NOWHERE, Span
from crmsync.model.text import Text


@dataclass(frozen=True, slots=True)
class Level:
    """One tier; ``enter`` and ``keep`` are score lines. The lowest ranked level has neither."""

    id: str
    label: Text
    enter: Decimal | None = None
    keep: Decimal | None = None
    by_exception_only: bool = False
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a score must stay below the keep line: days, or a number of evaluations."""

    days: int | None = None
    evaluations: int | None = None


@dataclass(frozen=True, slots=True)
class UpChange:
    """Promotion: ``hold`` days since the last change, at most ``max_step`` levels a day."""

    hold: int = 0
    max_step: int | None = None
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class DownChange:
    """Demotion; days throughout. ``at_review`` waits for a released review; a waiting demotion is
    announced ``notice`` days before it is due (0: never)."""

    demote_after: Patience = Patience(days=30)
    hold: int = 0
    grace: int = 0
    max_step: int | None = None
    at_review: bool = False
    notice: int = 0
    span: Span = field(default=NOWHERE, compare=False)


class ExceptionAction(StrEnum):
    """SET wins; then the strictest AT_MOST caps; then AT_LEAST lifts inside that cap."""

    SET = "set"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"


@dataclass(frozen=True, slots=True)
class TierException:
    """A named departure from the score; ignores hold, demote_after, max_step and review."""

    id: str
    reason: Text
    when: Condition
    action: ExceptionAction
    level: str
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class TierRules:
    """Levels best first (levels ``by_exception_only`` have no rank), changes and exceptions."""

    levels: tuple[Level, ...]
    up: UpChange
    down: DownChange
    exceptions: tuple[TierException, ...] = ()
    span: Span = field(default=NOWHERE, compare=False)

    @property
    def ranked(self) -> tuple[Level, ...]:
        """The levels a score can reach, best first."""
        return tuple(level for level in self.levels if not level.by_exception_only)

    def level(self, id: str) -> Level:
        """The level of that id; raises KeyError when there is none."""
        for level in self.levels:
            if level.id == id:
                return level
        raise KeyError(id)
