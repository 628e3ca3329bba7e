"""Connectors that tell a record's history wrongly, each in one way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from crmsync.model.history import FieldChange, HistoryEntry
from crmsync.model.record import RecordRef
from crmsync.testing.mutant import Wrapped


class _Telling(Wrapped):
    """Changes what the honest history tells."""

    def history(
        self, ref: RecordRef, fields: Sequence[str], *, since: datetime
    ) -> Iterator[HistoryEntry]:
        yield from self.told(list(super().history(ref, fields, since=since)))

    def told(self, entries: list[HistoryEntry]) -> list[HistoryEntry]:
        return entries


class TellsOldestFirst(_Telling):
    """Turns the order round."""

    def told(self, entries: list[HistoryEntry]) -> list[HistoryEntry]:
        return entries[::-1]


class HidesPeoplesSaves(_Telling):
    """Tells our own saves only."""

    def told(self, entries: list[HistoryEntry]) -> list[HistoryEntry]:
        return [entry for entry in entries if entry.ours]


class TakesEverySaveForOurs(_Telling):
    """Does not look at who saved."""

    def told(self, entries: list[HistoryEntry]) -> list[HistoryEntry]:
        return [replace(entry, ours=True) for entry in entries]


class SwapsOldAndNew(_Telling):
    """Takes the old value for the new one."""

    def told(self, entries: list[HistoryEntry]) -> list[HistoryEntry]:
        return [
            replace(
                entry,
                changes={
                    name: FieldChange(change.after, change.before)
                    for name, change in entry.changes.items()
                },
            )
            for entry in entries
        ]


class GuessesValues(_Telling):
    """Passes on what stands there as text, whatever it is."""

    def told(self, entries: list[HistoryEntry]) -> list[HistoryEntry]:
        return [
            replace(
                entry,
                changes={
                    name: FieldChange(str(change.before), str(change.after))
                    for name, change in entry.changes.items()
                },
            )
            for entry in entries
        ]


class StopsAfterOnePage(_Telling):
    """Forgets that there is more."""

    def told(self, entries: list[HistoryEntry]) -> list[HistoryEntry]:
        return entries[:1]


class TellsOfEverything(Wrapped):
    """Tells every field, whatever was asked for."""

    def history(
        self, ref: RecordRef, fields: Sequence[str], *, since: datetime
    ) -> Iterator[HistoryEntry]:
        for entry in super().history(ref, fields, since=since):
            yield replace(entry, unread=entry.unread | {"Something_Else"})


HISTORY_MUTANTS = (
    TellsOldestFirst,
    HidesPeoplesSaves,
    TakesEverySaveForOurs,
    SwapsOldAndNew,
    GuessesValues,
    StopsAfterOnePage,
    TellsOfEverything,
)
