"""The tier block, typed: levels, change up and down, exceptions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum

from crmsync.model.condition import Condition
from crmsync.model.cut import Cut
from crmsync.model.frozen import Freeze, FrozenLines
from crmsync.model.position import NOWHERE, Span
from crmsync.model.table import HitPolicy
from crmsync.model.text import Text


@dataclass(frozen=True, slots=True)
class Level:
    """One tier; ``enter`` and ``keep`` are lines of points, or of the fact the tier looks at.

    The lowest ranked level has neither. A line with a cut is drawn across the population: its
    number is ``None`` until then (`TierRules.drawn_by`).
    """

    id: str
    label: Text
    enter: Decimal | None = None
    keep: Decimal | None = None
    by_exception_only: bool = False
    enter_cut: Cut | None = None
    keep_cut: Cut | None = None
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
class TierRow:
    """One row of a table of tiers: whom it fits (``None``: everybody) and the tier it gives.

    ``keep`` is the best tier it lets a customer keep who has it already; never a worse one than
    ``level``. ``number`` is the row as a spreadsheet counts it, ``text`` what its inputs say.
    """

    when: Condition | None
    level: str
    keep: str
    number: int
    text: str
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class TierTable:
    """Tiers straight from a decision table, its rows in the order in which the first that fits
    decides. Where no row fits, the table says nothing."""

    file: str
    hit: HitPolicy
    rows: tuple[TierRow, ...]
    span: Span = field(default=NOWHERE, compare=False)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What its rows ask."""
        return tuple(row.when for row in self.rows if row.when is not None)


@dataclass(frozen=True, slots=True)
class TierRules:
    """Levels best first (levels ``by_exception_only`` have no rank), changes and exceptions.

    ``of`` is the fact the lines are held against, ``None`` for the score; with a ``table`` no level
    has a line. ``freeze`` is how long lines drawn across the population stay; ``drawn`` are those
    lines, once there are any.
    """

    levels: tuple[Level, ...]
    up: UpChange
    down: DownChange
    exceptions: tuple[TierException, ...] = ()
    of: str | None = None
    freeze: Freeze = Freeze.QUARTER
    drawn: FrozenLines | None = None
    table: TierTable | None = None
    span: Span = field(default=NOWHERE, compare=False)

    @property
    def ranked(self) -> tuple[Level, ...]:
        """The levels a score can reach, best first."""
        return tuple(level for level in self.levels if not level.by_exception_only)

    @property
    def cuts(self) -> Mapping[str, Cut]:
        """Every line drawn across the population, by name: ``vip.enter``, ``vip.keep``."""
        return {
            f"{level.id}.{key}": cut
            for level in self.levels
            for key, cut in (("enter", level.enter_cut), ("keep", level.keep_cut))
            if cut is not None
        }

    @property
    def undrawn(self) -> Mapping[str, str]:
        """Names of cuts without a line, with what they are drawn at."""
        lines = {} if self.drawn is None else self.drawn.lines
        return {name: cut.text for name, cut in self.cuts.items() if name not in lines}

    def drawn_by(self, lines: FrozenLines) -> TierRules:
        """The same rules with their cuts drawn; a keep line never lies above its enter line."""
        return replace(
            self, levels=tuple(_drawn(level, lines) for level in self.levels), drawn=lines
        )

    def level(self, id: str) -> Level:
        """The level of that id; raises KeyError when there is none."""
        for level in self.levels:
            if level.id == id:
                return level
        raise KeyError(id)


def _drawn(level: Level, frozen: FrozenLines) -> Level:
    enter = _line(frozen, f"{level.id}.enter") if level.enter_cut else level.enter
    keep = _line(frozen, f"{level.id}.keep") if level.keep_cut else level.keep
    if enter is not None and keep is not None:
        keep = min(enter, keep)
    return replace(level, enter=enter, keep=keep)


def _line(frozen: FrozenLines, name: str) -> Decimal | None:
    return frozen.lines[name][0] if name in frozen.lines else None
