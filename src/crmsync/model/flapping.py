"""Flapping: what is claimed when facts wobble, and what was proved or shown of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from crmsync.model.fact import FactValue
from crmsync.model.position import NOWHERE, Span
from crmsync.model.wobble import Wobble


@dataclass(frozen=True, slots=True)
class Claim:
    """What is to be proved: no change is taken back within ``stay`` days by wobbling alone.

    A customer whose facts stay within their wobble of one set of values does not change its tier
    (or stage) and change it back in fewer than ``stay`` days. ``wobble`` holds the facts that do,
    ``everywhere`` what every other numeric fact does that no person judges and no formula gives.
    """

    wobble: Mapping[str, Wobble] = field(default_factory=dict)
    everywhere: Wobble = field(default_factory=Wobble)
    stay: int = 30


class Proof(StrEnum):
    """How a line or a pair of moves fared."""

    APART = "apart"
    """No wobble reaches from one side to the other."""
    SLOW = "slow"
    """It can swing, but the clocks keep the changes ``stay`` days apart."""
    FLAPS = "flaps"
    """It flaps, and the steps show it."""
    OPEN = "open"
    """Neither proved nor shown."""


@dataclass(frozen=True, slots=True)
class FlapStep:
    """One day of a sequence that flaps: the wobbling facts, the points, the tier or stage after."""

    on: date
    facts: Mapping[str, FactValue]
    score: Decimal | None
    place: str


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings that stop a flap; ``None`` where nothing need change. Days but for ``keep``."""

    keep: Decimal | None = None
    demote_after: int | None = None
    hold_up: int | None = None
    lasting: int | None = None


@dataclass(frozen=True, slots=True)
class FlapFinding:
    """The outcome for one level (or exception, pair of moves, or circle of stages).

    ``place`` is the level, exception or move id, or the stages of a circle joined by ``>``. With
    FLAPS: ``steps`` are the days on which something changes, ``facts`` what each side holds of
    every fact as the sequence begins (dates move on with the days), ``gap`` the days between the
    change and its return. ``by_line`` and ``by_clock`` each stop it alone, in the smallest way
    there is; the clock of a circle is one that every move of it waits.
    """

    place: str
    kind: str
    proof: Proof
    span: Span = field(default=NOWHERE, compare=False)
    steps: tuple[FlapStep, ...] = ()
    facts: tuple[Mapping[str, FactValue], ...] = ()
    gap: int | None = None
    by_line: Settings | None = None
    by_clock: Settings | None = None
