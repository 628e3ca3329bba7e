"""What an evaluation is told besides facts and state; one value for a whole run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from crmsync.model.group import ParentTier
from crmsync.model.override import Override
from crmsync.model.record import RecordRef
from crmsync.model.state import Episode


@dataclass(frozen=True, slots=True)
class EvaluationContext:
    """The day and what people and sources say of it.

    ``released``: a review was released, so demotions waiting for it may happen. ``stale``: ids of
    facts whose source is not fresh; falls and moves that depend on one are withheld. ``placing``:
    customers are placed as `adopt` does it, without hold, patience, step, events or tasks.
    """

    as_of: date
    released: bool = False
    overrides: Mapping[RecordRef, tuple[Override, ...]] = field(default_factory=dict)
    stale: frozenset[str] = frozenset()
    open_episodes: Mapping[RecordRef, tuple[Episode, ...]] = field(default_factory=dict)
    placing: bool = False
    parents: Mapping[RecordRef, ParentTier] = field(default_factory=dict)
    """The tier of the parent (of the group's head) of those whose own hangs on it."""
    former: Mapping[RecordRef, tuple[RecordRef, ...]] = field(default_factory=dict)
    """The records that were merged into a customer: what was opened for them is open for it."""
