"""The meter of one connection: shared by every process where the engine gives a shared one."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from crmsync.model.metering import Admission, Admitted, Spending, place_of, set_back, slot_of
from crmsync.model.schema import Quota


class Meter(Protocol):
    """The books of one connection's calls. Every method is one transaction."""

    def admit(self, ask: Admission) -> Admitted:
        """Book a call and give it its place, or say why not."""
        ...

    def give_back(self, price: int, at: datetime) -> None:
        """A call booked at that moment was not charged after all."""
        ...

    def spending(self, since: datetime) -> Sequence[Spending]:
        """What was spent from then on, in order."""
        ...

    def hold(self, until: datetime, lane: str = "") -> None:
        """Let nobody go before that moment (the CRM said so); without *lane*, on any lane."""
        ...

    def told(self, quota: Quota, at: datetime) -> None:
        """Keep what is known of the quota, for whoever asks without a call."""
        ...


class OwnMeter:
    """A meter for one process alone, in memory; thread-safe."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._taken: dict[str, deque[float]] = {}
        self._not_before: dict[str, datetime] = {}
        self._spent: dict[datetime, int] = defaultdict(int)

    def admit(self, ask: Admission) -> Admitted:
        """Book a call and give it its place, or say why not."""
        with self._guard:
            taken = self._taken.setdefault(ask.lane, deque())
            if ask.window and set_back(taken, ask.now.timestamp(), ask.window):
                taken.clear()
                self._not_before.clear()
            told = [self._not_before.get(lane, ask.now) for lane in ("", ask.lane)]
            place = place_of(ask, taken, told)
            if not place.taken:
                return place.answer
            if ask.ceiling is not None and ask.since is not None:
                used = sum(used for slot, used in self._spent.items() if slot >= slot_of(ask.since))
                if used + ask.price > ask.ceiling:
                    return Admitted(spent_up=True)
            if ask.calls is not None:
                taken.append(place.start)
                while len(taken) > ask.calls:
                    taken.popleft()
            if ask.price:
                self._spent[slot_of(ask.now)] += ask.price
            return place.answer

    def give_back(self, price: int, at: datetime) -> None:
        """A call booked at that moment was not charged after all."""
        with self._guard:
            self._spent[slot_of(at)] -= price

    def spending(self, since: datetime) -> Sequence[Spending]:
        """What was spent from then on, in order."""
        with self._guard:
            first = slot_of(since)
            for old in [slot for slot in self._spent if slot < first]:
                del self._spent[old]
            return [Spending(slot, used) for slot, used in sorted(self._spent.items())]

    def hold(self, until: datetime, lane: str = "") -> None:
        """Let nobody go before that moment."""
        with self._guard:
            self._not_before[lane] = max(until, self._not_before.get(lane, until))

    def told(self, quota: Quota, at: datetime) -> None:
        """Nobody else would ask."""
