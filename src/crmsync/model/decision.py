"""What the rules decided for one customer, with everything needed to say why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from crmsync.model.condition import Condition
from crmsync.model.fact import FactValue, Judgement
from crmsync.model.frozen import FrozenLines
from crmsync.model.group import ParentTier
from crmsync.model.position import NOWHERE, Span
from crmsync.model.record import RecordRef
from crmsync.model.state import Clocks, Standing
from crmsync.model.text import Text


@dataclass(frozen=True, slots=True)
class CriterionResult:
    """One line of the score sheet. ``low == high`` unless the fact is unknown."""

    id: str
    label: Text
    value: FactValue
    hit: str
    low: Decimal
    high: Decimal
    maximum: Decimal
    missing: bool
    span: Span = field(default=NOWHERE, compare=False)
    weight: Decimal = Decimal(1)
    """Re-weighting by ``missing: skip``: shown as a line of its own, 1 when none."""


@dataclass(frozen=True, slots=True)
class ScoreResult:
    """Points in tenths as ``Decimal``; ``total`` is ``None`` while the score is a range."""

    criteria: tuple[CriterionResult, ...]
    low: Decimal
    high: Decimal
    missing: tuple[str, ...] = ()

    @property
    def total(self) -> Decimal | None:
        """The score, when it is one number."""
        return self.low if self.low == self.high else None


class Because(StrEnum):
    """Why the tier is what it is; an exception is named by its own id instead."""

    ENTER_LINE = "enter line"
    KEEP_LINE = "keep line"
    HOLD = "hold"
    PATIENCE = "demote_after"
    GRACE = "grace"
    NEWCOMER = "newcomer"
    GROUP = "group"
    STEP = "step"
    REVIEW = "review"
    OVERRIDE = "override"
    SCORE_RANGE = "score range"
    FACT_LOST = "fact lost"
    STALE_SOURCE = "stale source"
    NO_TIER = "no tier"
    NO_LINE = "no cut line"
    UNPLACED = "unplaced"


@dataclass(frozen=True, slots=True)
class Notice:
    """Notice of a demotion that waits and is due soon: what happens unless the score recovers.

    ``due_on`` is the first day it may happen; ``missing`` what lacks, in points or in the fact's
    own unit, up to the keep line of the tier the customer has (``None``: no amount, for the tier
    comes from a table).
    """

    tier: str
    due_on: date
    missing: Decimal | None
    text: Text


@dataclass(frozen=True, slots=True)
class TierResult:
    """The tier before and after; ``computed`` is what the score alone says.

    ``because`` is a `Because` value or the id of the exception that decided. ``due_on`` is the
    first day a waiting demotion could happen if nothing else moves. ``row``: the row of a table of
    tiers that counts for the customer, as a spreadsheet counts it.
    """

    before: str | None
    after: str | None
    computed: str | None
    because: str
    text: Text
    since: date | None
    due_on: date | None = None
    span: Span = field(default=NOWHERE, compare=False)
    notice: Notice | None = None
    row: int | None = None


@dataclass(frozen=True, slots=True)
class MoveTaken:
    """One edge of the lifecycle that was taken."""

    id: str
    source: str
    to: str
    text: Text
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class StageResult:
    """The stage before and after; ``waiting`` maps a move's target to the day it becomes due."""

    before: str | None
    after: str
    since: date | None
    moves: tuple[MoveTaken, ...] = ()
    waiting: Mapping[str, date] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SegmentResult:
    """The segments before and after, in the order of the rules."""

    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TaskOpening:
    """A task that should exist; ``key`` makes it exist once."""

    key: str
    task_id: str
    title: Text
    owner: tuple[str, ...]
    due: date
    priority: str
    span: Span = field(default=NOWHERE, compare=False)
    via: str | None = None
    note: Text | None = None
    """What the task is to find out, and what may be answered."""
    hands_over: bool = False
    """Whether the customer goes to the task's owner with it."""
    for_each: bool = False
    """Whether it stands for a task for every person below the customer, whom planning looks up."""
    person: str | None = None
    """The record of the person it is about."""
    also: tuple[str, ...] = ()
    """The keys the same episode has of records that were merged into the customer."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Every key under which the task may exist already."""
        return (self.key, *self.also)


@dataclass(frozen=True, slots=True)
class TaskClosing:
    """An open episode whose ``close_when`` holds."""

    key: str
    task_id: str
    text: Text


@dataclass(frozen=True, slots=True)
class UnknownCondition:
    """A condition that could be neither confirmed nor denied, and the facts it lacked."""

    place: str
    facts: tuple[str, ...]
    span: Span = field(default=NOWHERE, compare=False)


class Cause(StrEnum):
    """Why a customer changes: plans group by it."""

    FIRST = "first assignment"
    DATA = "data changed"
    RULE = "rule changed"
    TIME = "time passed"
    MERGED = "merged"
    UNDO = "run undone"


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome of one evaluation of one customer on one local day.

    ``standing`` and ``clocks`` are what holds after the decision: the clocks are observations, the
    standing becomes true only by a confirmed write. ``reason`` is the sentence written to the CRM.
    ``withheld`` says what would have happened but for missing data, ``unfresh`` what would have but
    for a source that is stale or not whole.
    """

    ref: RecordRef
    name: str
    owner: str | None
    as_of: date
    first: bool
    facts: Mapping[str, FactValue]
    score: ScoreResult | None
    tier: TierResult | None
    lifecycle: StageResult | None
    service: str | None
    opens: tuple[TaskOpening, ...]
    closes: tuple[TaskClosing, ...]
    standing: Standing
    clocks: Clocks
    reason: Text
    unknown: tuple[UnknownCondition, ...] = ()
    withheld: tuple[Text, ...] = ()
    unfresh: tuple[Text, ...] = ()
    exceptions: tuple[str, ...] = ()
    """Ids of the exceptions that hold."""
    known_facts: frozenset[str] = frozenset()
    """Facts known now or at any evaluation before: what the next one opens with. A fact once known
    stays in it, so a fall by a lost fact is withheld until the fact is back."""
    segments: SegmentResult | None = None
    """``None``: the rules have no segments."""
    unplaced: Text | None = None
    """Why nothing is measured of this customer, so that it has no place on the ladder: no scorecard
    applies, or no row of the table fits."""
    judged: Mapping[str, Judgement] = field(default_factory=dict)
    """Who judged, when and why, by fact."""
    applies: bool = True
    """Whether the rules are for this customer at all; no plan is made of one they are not for."""


class Verdict(StrEnum):
    """Three-valued truth in a trace."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Trace:
    """One condition of an explanation, ticked, crossed or unknown, with its parts."""

    text: str
    verdict: Verdict
    condition: Condition | None = None
    parts: tuple[Trace, ...] = ()
    values: Mapping[str, FactValue] = field(default_factory=dict)
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The smallest single change that moves the tier, true when fed back.

    Either ``fact`` takes ``value``, or time alone does it on ``on``; with both, the fact takes the
    value today and the tier moves on that day if nothing else changes.
    """

    tier: str
    text: Text
    fact: str | None = None
    value: FactValue = None
    on: date | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision with its whole trace."""

    decision: Decision
    exceptions: tuple[tuple[str, Trace], ...]
    moves: tuple[tuple[str, Trace], ...]
    tasks: tuple[tuple[str, Trace], ...]
    enter_line: Decimal | None
    keep_line: Decimal | None
    what_if: tuple[WhatIf, ...]
    segments: tuple[tuple[str, Trace], ...] = ()
    parent: ParentTier | None = None
    """The tier of the parent this decision was held against."""
    drawn: FrozenLines | None = None
    """The lines across the population this decision was held against."""
    evidence: Mapping[str, Text] = field(default_factory=dict)
    """What a judge should look at for this customer, by criterion of the scorecard that applied."""
    rows: tuple[tuple[int, Trace], ...] = ()
    """The rows of a table of tiers by number, in the order in which they decide."""
