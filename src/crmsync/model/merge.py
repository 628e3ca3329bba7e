"""Two records that are one customer: which vanished into which, and what becomes of our books."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from crmsync.model.record import RecordRef
from crmsync.model.state import StoredState


class MergedTier(StrEnum):
    """Whose tier the survivor opens with. SURVIVOR: its own; the other's only where it has none."""

    HIGHER = "higher"
    SURVIVOR = "survivor"


class MergedSince(StrEnum):
    """From when the tier counts. EARLIER: from the earlier of both days; SURVIVOR: from the day
    that goes with the tier."""

    EARLIER = "earlier"
    SURVIVOR = "survivor"


class MergedOverrides(StrEnum):
    """What becomes of a person's word on the record that vanished."""

    KEEP = "keep"
    DROP = "drop"


class MergedTasks(StrEnum):
    """What becomes of open tasks of one rule on both records."""

    CLOSE_DOUBLES = "close doubles"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class MergeRules:
    """What the survivor of a merge takes over; the defaults hold where a ruleset says nothing."""

    tier: MergedTier = MergedTier.HIGHER
    since: MergedSince = MergedSince.EARLIER
    overrides: MergedOverrides = MergedOverrides.KEEP
    tasks: MergedTasks = MergedTasks.CLOSE_DOUBLES


@dataclass(frozen=True, slots=True)
class Merge:
    """One record that vanished into another, as a person or the CRM told it."""

    lost: RecordRef
    survivor: RecordRef
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class HeldOverride:
    """An override by number, and for whom it stands; ``ended``: it went with the record."""

    number: int
    ref: RecordRef
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Keeping:
    """What we keep of some records: their rows, whose each task is, and whose each override."""

    states: tuple[StoredState, ...] = ()
    episodes: Mapping[str, RecordRef] = field(default_factory=dict)
    overrides: tuple[HeldOverride, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.states or self.episodes or self.overrides)


def survivors(merges: Iterable[Merge]) -> dict[RecordRef, RecordRef]:
    """Who stands for each record that vanished in the end: A into B and B into C make it C.

    Those that lead round in a circle stand for nobody and are left out.
    """
    into = {item.lost: item.survivor for item in merges}
    found = {lost: survivor_of(lost, into) for lost in sorted(into, key=str)}
    return {lost: survivor for lost, survivor in found.items() if survivor is not None}


def survivor_of(lost: RecordRef, into: Mapping[RecordRef, RecordRef]) -> RecordRef | None:
    """Who stands for one record by *into*; ``None`` where it leads round in a circle."""
    seen, at = {lost}, into[lost]
    while at in into and at not in seen:
        seen.add(at)
        at = into[at]
    return None if at in into else at
