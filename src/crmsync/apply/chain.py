"""Reads one record's history backwards: which values of people did our write replace?

Everything is told by the values themselves. Our save is the one that put in what we wrote; what it
replaced is compared with what we had seen just before. The walk ends where every field stands
again as we had seen it: whatever lies before that, we knew. Only where a row was sent more than
once it goes on, to the saves that came after our first look. What is older than the look is known
by what it left, and by the record's modified time as the look showed it: both are the CRM's own
clock, and no clock of ours is compared with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from crmsync.model.equality import same_value
from crmsync.model.history import FieldChange, HistoryEntry, LookedBack, Overwritten
from crmsync.model.record import Value
from crmsync.model.run import OpRecord, OpState

GRAIN = timedelta(seconds=1)
"""How far a CRM's history and its modified times may be apart."""
LONG_BEFORE = timedelta(minutes=1)
"""A save older than this before the last change we saw was surely seen."""


def judge(
    row: OpRecord, entries: Iterable[HistoryEntry]
) -> tuple[LookedBack, tuple[Overwritten, ...]]:
    """What the *entries* of a record, newest first, tell of one row that was sent."""
    walk = _Walk(row)
    for entry in entries:
        walk.take(entry)
        if walk.ended:
            break
    return walk.verdict()


@dataclass(slots=True)
class _Walk:
    """Going back from now to the moment we looked."""

    row: OpRecord
    own: int = 0
    """Saves of ours met so far."""
    unread: bool = False
    before: dict[str, Value] = field(default_factory=dict)
    """What stood in each field before the saves met so far."""
    replaced: dict[str, FieldChange] = field(default_factory=dict)
    """By field: the latest change met, where a save of ours made it."""
    found: list[Overwritten] = field(default_factory=list)
    set_by_others: set[str] = field(default_factory=set)
    """Fields in which somebody else's save was the latest to put in what we wanted."""
    back: bool = False
    """Everything stands as we had seen it."""
    ended: bool = False

    def seen(self, name: str) -> Value:
        """What our look showed."""
        look, row = self.row.seen, self.row
        held = look is not None and name in look.held
        return row.want.get(name) if held else row.base.get(name)

    def take(self, entry: HistoryEntry) -> None:
        """One save further back."""
        if self.back and not self._surely_since(entry):
            self.ended = True
            return
        changes = {
            name: change
            for name, change in entry.changes.items()
            if name in self.row.want and not same_value(change.before, change.after)
        }
        if changes and self._lies_before_the_look(entry, changes):
            self.ended = True
            return
        self._attribute(entry, changes)
        unread = entry.unread & self.row.want.keys()
        if entry.ours is not False and not changes and unread and not self.own:
            # it may be our own save, and nobody can tell what it replaced
            self.unread = self.ended = True
            return
        if self._is_ours(entry, changes):
            self.own += 1
            self.unread = self.unread or bool(unread)
            self._ours(changes)
        else:
            self._theirs(entry, changes)
        self.before.update({name: change.before for name, change in changes.items()})
        self.back = self.own > 0 and self._as_seen()
        self.ended = self.back and self.row.attempt <= 1

    def verdict(self) -> tuple[LookedBack, tuple[Overwritten, ...]]:
        """What the walk showed."""
        if self.found:
            return LookedBack.OVERWRITTEN, tuple(self.found)
        if self.unread:
            return LookedBack.UNREAD, ()
        if self.own or self.row.state is not OpState.DONE:
            return LookedBack.CLEAR, ()
        moved = {name for name in self.row.want if not self._already(name)}
        return (LookedBack.CLEAR if moved <= self.set_by_others else LookedBack.NOT_SHOWN), ()

    def _already(self, name: str) -> bool:
        return same_value(self.seen(name), self.row.want.get(name))

    def _is_ours(self, entry: HistoryEntry, changes: Mapping[str, FieldChange]) -> bool:
        if entry.ours is False or not changes or self.own >= max(self.row.attempt, 1):
            return False
        as_wanted = [same_value(c.after, self.row.want.get(n)) for n, c in changes.items()]
        # a CRM may store a value in its own way (rounded, trimmed): one that fits is enough where
        # it tells that the save was ours
        return any(as_wanted) if entry.ours else all(as_wanted)

    def _ours(self, changes: Mapping[str, FieldChange]) -> None:
        for name, change in changes.items():
            self.replaced[name] = change
            if not same_value(change.before, self.seen(name)):
                ours = self.row.want.get(name)
                self.found.append(Overwritten(name, change.before, ours))

    def _theirs(self, entry: HistoryEntry, changes: Mapping[str, FieldChange]) -> None:
        for name, change in changes.items():
            want, ours = self.row.want.get(name), self.replaced.pop(name, None)
            if name not in self.before and same_value(change.after, want):
                self.set_by_others.add(name)
            put_back = same_value(change.before, want) and same_value(change.after, self.seen(name))
            if ours is not None and put_back and self._surely_since(entry):
                # our first sending arrived, somebody put the old value back, and we wrote again
                told = Overwritten(name, change.after, want, entry.by, entry.at)
                self.found.append(told)

    def _attribute(self, entry: HistoryEntry, changes: Mapping[str, FieldChange]) -> None:
        """Say who put in a value that was found replaced, and when."""
        for place, item in enumerate(self.found):
            change = changes.get(item.field)
            untold = item.by is None and item.at is None
            if untold and change is not None and same_value(change.after, item.theirs):
                self.found[place] = replace(item, by=entry.by, at=entry.at)

    def _surely_since(self, entry: HistoryEntry) -> bool:
        """Whether a save came after our look, by the CRM's own two clocks."""
        look = self.row.seen
        return look is not None and entry.at is not None and entry.at > look.modified_at

    def _lies_before_the_look(
        self, entry: HistoryEntry, changes: Mapping[str, FieldChange]
    ) -> bool:
        """Whether a save is the last one we had seen the result of, or older.

        The last change before a look left what the look showed, and is no later than the record's
        modified time. Both are the CRM's own clock.
        """
        look = self.row.seen
        if look is None or entry.at is None or entry.at > look.modified_at + GRAIN:
            return False
        left = all(same_value(c.after, self.seen(name)) for name, c in changes.items())
        return left or entry.at < look.modified_at - LONG_BEFORE

    def _as_seen(self) -> bool:
        return all(same_value(value, self.seen(name)) for name, value in self.before.items())
