"""Cases: what a ruleset must decide for customers somebody thought of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from crmsync.model.fact import FactValue, Judgement
from crmsync.model.position import NOWHERE, Span
from crmsync.model.rfm import CutPoints
from crmsync.model.state import CustomerState
from crmsync.model.text import Text


@dataclass(frozen=True, slots=True)
class CaseEpisode:
    """A task that is already open as the case begins; its key is the engine's business."""

    task_id: str
    opened_on: date


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a case expects; what it does not name is not looked at.

    ``score`` is a range whose ends are equal for one number. ``tier``, ``service`` and ``notice``
    (the tier a demotion to come is announced for) are tier ids or ``""`` for none; ``tasks`` the
    exact set of task ids opened, ``closes`` of those closed, ``segments`` of those it is in.
    ``spans`` says where each expected value is written.
    """

    score: tuple[Decimal, Decimal] | None = None
    tier: str | None = None
    tier_because: str | None = None
    lifecycle: str | None = None
    tasks: frozenset[str] | None = None
    closes: frozenset[str] | None = None
    service: str | None = None
    notice: str | None = None
    segments: frozenset[str] | None = None
    applies: bool | None = None
    spans: Mapping[str, Span] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Case:
    """One customer: facts, where it stood before, and what must come out.

    ``facts`` holds only what was given; counts and sums left out take their value for missing.
    ``judged`` tells when people gave values, where that matters. ``before.standing`` is empty for a
    customer never seen. ``released``: a review was released, so demotions that wait for one may
    happen.
    """

    name: str
    today: date
    facts: Mapping[str, FactValue]
    before: CustomerState
    episodes: tuple[CaseEpisode, ...]
    expect: Expectation
    span: Span = field(default=NOWHERE, compare=False)
    judged: Mapping[str, Judgement] = field(default_factory=dict)
    released: bool = False
    parent_tier: str | None = None
    """The tier of the parent (of the group's head), where the rules have groups."""
    cut_lines: Mapping[str, Decimal] = field(default_factory=dict)
    """Where the lines drawn across the population lie, by name: ``vip.enter``."""
    cut_points: CutPoints | None = None
    """Cut points of the rfm block for this case; ``None``: the fixed ones, or classes as given."""


@dataclass(frozen=True, slots=True)
class CaseFile:
    """One ``rules.test.yaml``."""

    ruleset: str
    cases: tuple[Case, ...]
    file: str = ""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One expectation that did not come true: where it is written, what came out, and why."""

    key: str
    expected: str
    got: str
    why: Text | None = None
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class RulePlace:
    """A part of a ruleset that cases can touch, such as ``tier.exceptions.strategic``."""

    id: str
    span: Span = field(default=NOWHERE, compare=False)
