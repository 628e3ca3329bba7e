"""What our own state becomes when a change is confirmed, and what undo gives back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from crmsync.model.merge import Keeping, Merge
from crmsync.model.record import RecordRef, Value
from crmsync.model.state import Clocks, Episode, Snapshot, Standing, StoredState
from crmsync.store.episodes import Episodes
from crmsync.store.merges import Merges
from crmsync.store.states import States


@dataclass(frozen=True, slots=True)
class HandOver:
    """What we keep of the records of a merge, before and after; ``lost`` are those that vanished
    and ``told`` the merges themselves, noted with it where only the CRM told of them."""

    lost: tuple[RecordRef, ...]
    before: Keeping
    after: Keeping
    at: datetime
    told: tuple[Merge, ...] = ()
    left: Standing | None = None
    """Where the customer's own change of the same run leaves it; ``None``: there is none."""


@dataclass(frozen=True, slots=True)
class Effect:
    """The consequences of one confirmed change.

    ``standing`` and ``written`` (role → value) become true; with ``clocks`` (undo) the clocks go
    back as well; ``drop_state`` forgets the customer. ``opened`` is the episode of a created task,
    ``closed`` and ``reopened`` are episode keys. ``before`` is what undo gives back. ``handed`` is
    what went over in a merge.
    """

    about: RecordRef
    standing: Standing | None = None
    written: Mapping[str, Value] = field(default_factory=dict)
    clocks: Clocks | None = None
    known: frozenset[str] = frozenset()
    drop_state: bool = False
    opened: Episode | None = None
    closed: str | None = None
    reopened: str | None = None
    before: Snapshot | None = None
    handed: HandOver | None = None


@dataclass(frozen=True, slots=True)
class Confirmed:
    """An effect that came true, with the id the CRM gave a created task."""

    effect: Effect
    crm_id: str | None = None


@dataclass(frozen=True, slots=True)
class Ground:
    """Where effects happen: connection, ruleset, run and its day, and the object of tasks."""

    connection: str
    ruleset: str
    run_id: int
    day: date
    task_object: str | None


def confirm(
    states: States, episodes: Episodes, ground: Ground, confirmed: Sequence[Confirmed]
) -> None:
    """Make confirmed effects true, inside the transaction that notes the outcome."""
    _standings(states, ground, [item.effect for item in confirmed])
    where = ground.connection, ground.ruleset
    opened = [
        replace(item.effect.opened, crm_id=item.crm_id)
        for item in confirmed
        if item.effect.opened is not None
    ]
    known = episodes.known(*where, [item.key for item in opened])
    # a task another run made meanwhile keeps its own story
    fresh = [item for item in opened if item.key not in known]
    episodes.put(*where, fresh, task_object=ground.task_object or "")
    closed = [item.effect.closed for item in confirmed if item.effect.closed is not None]
    episodes.close(*where, closed, on=ground.day)
    reopened = [item.effect.reopened for item in confirmed if item.effect.reopened is not None]
    episodes.close(*where, reopened, on=None)


def hand_over(merges: Merges, ground: Ground, effects: Sequence[Effect]) -> None:
    """Make the merges among *effects* true in our books; comes before `confirm`."""
    for effect in effects:
        handed = effect.handed
        if handed is None:
            continue
        for merge in handed.told:
            merges.add(ground.connection, merge)
        refs = (effect.about, *handed.lost)
        where = ground.connection, ground.ruleset
        merges.put(*where, refs, handed.after, run_id=ground.run_id, at=handed.at)


def _standings(states: States, ground: Ground, effects: Sequence[Effect]) -> None:
    where = ground.connection, ground.ruleset
    touching = [item for item in effects if item.standing is not None or item.drop_state]
    states.forget(*where, [item.about for item in touching if item.drop_state])
    kept = [item for item in touching if not item.drop_state]
    known = states.stored(*where, [item.about for item in kept])
    rows = [_after(known.get(item.about) or StoredState(item.about), item) for item in kept]
    states.put(*where, rows, run_id=ground.run_id)


def _after(row: StoredState, effect: Effect) -> StoredState:
    assert effect.standing is not None
    written = {**row.written, **effect.written}
    present = replace(row.present, standing=effect.standing)
    if effect.clocks is None:
        return replace(row, present=present, written=written)
    present = replace(present, clocks=effect.clocks, known=effect.known)
    # an evaluation later on this day starts from what was given back
    return replace(row, present=present, opening=present, written=written)
