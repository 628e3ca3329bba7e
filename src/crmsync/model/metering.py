"""The books of one connection's calls: who may go when, what was spent, what a plan will cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

# Places further ahead than so many windows and the longest pause that is waited out, twice, can
# only come from a clock that was set back.
_CLOCK_SET_BACK, _PAUSES = 10, 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """One call that wants to be made.

    ``price`` is booked unless more than ``ceiling`` would then be spent since ``since``. ``lane``
    takes at most ``calls`` in any ``window`` seconds (``None``: as many as come). A place further
    away than ``longest`` seconds is not taken, nor one behind a pause of the CRM's that lasts more
    than ``longest_hold``.
    """

    now: datetime
    price: int = 0
    since: datetime | None = None
    ceiling: int | None = None
    lane: str = ""
    calls: int | None = None
    window: float = 0.0
    longest: float = float("inf")
    longest_hold: float = float("inf")


@dataclass(frozen=True, slots=True)
class Admitted:
    """The answer: ``wait`` seconds until the call's place; ``held`` when that is the CRM's own
    pause. Nothing was booked when ``spent_up`` is true or the place is too far away."""

    wait: float = 0.0
    held: bool = False
    spent_up: bool = False


@dataclass(frozen=True, slots=True)
class Spending:
    """What was spent from ``slot`` on, for one minute."""

    slot: datetime
    used: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What a plan asks of a connector; ``strict``: one record a call; ``look_backs``: records whose
    history is asked for afterwards."""

    updates: int = 0
    creations: int = 0
    closings: int = 0
    strict: bool = False
    look_backs: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCost:
    """What applying a plan will take, in the vendor's ``unit``, with what stood there when it was
    made. ``look_back`` is what looking into the CRM's history takes on top, at most; it is given up
    first. ``limit`` and ``free`` are ``None`` while nobody knows them; ``kept`` is the reserve left
    to people and other programs, and not part of ``free``."""

    unit: str
    price: int
    limit: int | None = None
    free: int | None = None
    kept: int = 0
    look_back: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a call would go: ``start`` is a POSIX time; ``answer`` is the wait until then, and the
    refusal when ``taken`` is false: nothing may be booked."""

    start: float
    answer: Admitted
    taken: bool


SLOT = timedelta(minutes=1)
"""The grain in which spending is kept."""


def slot_of(moment: datetime) -> datetime:
    """The minute a moment belongs to."""
    seconds = int(moment.timestamp())
    return datetime.fromtimestamp(seconds - seconds % int(SLOT.total_seconds()), UTC)


def next_place(taken: Sequence[float], now: float, calls: int, window: float) -> float:
    """The moment of the next free place, when the last *calls* places are *taken*.

    Keeping the times themselves (and no bucket of tokens) means that a burst after a pause cannot
    exceed the limit either. Places far ahead, which only a clock set back leaves behind, are
    passed over.
    """
    if set_back(taken, now, window) or len(taken) < calls:
        return now
    return max(now, taken[-calls] + window)


def place_of(ask: Admission, taken: Sequence[float], told: Iterable[datetime]) -> Place:
    """A call's place in a lane, behind the last places *taken* and the pauses it was *told*."""
    now = ask.now.timestamp()
    start = max([now, *(moment.timestamp() for moment in told)])
    held = start > now
    patient = start - now <= ask.longest_hold
    if patient and ask.calls is not None:
        start = next_place(taken, start, ask.calls, ask.window)
    wait = start - now
    return Place(start, Admitted(wait, held), patient and wait <= ask.longest)


def set_back(taken: Sequence[float], now: float, window: float) -> bool:
    """Whether the clock was set back since the last place was taken."""
    return bool(taken) and taken[-1] > now + _CLOCK_SET_BACK * window + _PAUSES


def room_again(spent: Iterable[Spending], over: int) -> datetime | None:
    """The slot with which *over* units will have left a rolling window; ``None`` if never."""
    gone = 0
    for item in sorted(spent, key=lambda item: item.slot):
        gone += item.used
        if gone >= over:
            return item.slot
    return None
