"""Merges as an evaluation sees them: who stands for whom, and what is still to be taken over."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import duckdb

from crmsync.evaluate import united
from crmsync.model.equality import same_value
from crmsync.model.fact import FactRow
from crmsync.model.merge import Keeping, Merge, MergedOverrides, survivors
from crmsync.model.override import Override
from crmsync.model.record import RecordRef, Value
from crmsync.model.ruleset import Ruleset
from crmsync.model.state import Episode, Standing, StoredState
from crmsync.model.state import Snapshot as Kept
from crmsync.model.text import Text
from crmsync.plan import Inheritance
from crmsync.store import Store
from crmsync.store.mirror import merges_in
from crmsync.store.mirror_columns import quoted


@dataclass(frozen=True, slots=True)
class Waiting:
    """What one survivor has yet to take over."""

    lost: tuple[RecordRef, ...]
    kept: Keeping
    told: tuple[Merge, ...] = ()


@dataclass(frozen=True, slots=True)
class NotedMerge:
    """A merge as noted: who stands for the record in the end, the runs in which what we kept of it
    went over, whether the CRM still holds it (then nothing goes over) and whether it is new."""

    merge: Merge
    stands: RecordRef | None
    runs: tuple[int, ...] = ()
    still_there: bool = False
    fresh: bool = False


def noted(
    store: Store,
    connection: str,
    mirror: duckdb.DuckDBPyConnection | None = None,
    *,
    only: Collection[RecordRef] | None = None,
) -> tuple[NotedMerge, ...]:
    """Every merge noted on a connection, by the record that vanished, or those of *only* some
    records; with a *mirror* also those that the CRM has told of and that wait for a plan."""
    told = store.merges.told(connection)
    if mirror is not None:
        known = {merge.lost for merge in told}
        told = (*told, *(merge for merge in merges_in(mirror) if merge.lost not in known))
    stands = survivors(told)
    return tuple(
        NotedMerge(merge, stands.get(merge.lost), store.merges.handed_over(connection, merge.lost))
        for merge in told
        if only is None or merge.lost in only
    )


class Merged:
    """The merges of a connection, for one ruleset and the records of one object.

    ``former``: every record ever merged into a customer. ``waiting``: customers that have yet to
    take over what we keep of one; a record that the CRM still holds hands nothing over.
    """

    def __init__(
        self,
        store: Store,
        scope: tuple[str, Ruleset, str],
        mirror: duckdb.DuckDBPyConnection,
        as_of: date,
    ) -> None:
        self._store, self._as_of = store, as_of
        self._connection, self._rules, object = scope
        noted = store.merges.told(self._connection)
        known = {merge.lost for merge in noted}
        fresh = [merge for merge in merges_in(mirror) if merge.lost not in known]
        found = survivors([*noted, *fresh])
        stands = {lost: ref for lost, ref in found.items() if lost.object == object}
        self.former = _grouped(stands)
        self.waiting: dict[RecordRef, Waiting] = {}
        there = still_there(mirror, object, [ref.id for ref in stands])
        self.notes: tuple[Text, ...] = ()
        """What of the merges cannot take effect yet; no ids, for plans outlive a purge."""
        gone = {lost: ref for lost, ref in stands.items() if lost.id not in there}
        if not gone:
            self.notes = _notes(len(there), 0)
            return
        kept = store.merges.keeping(self._connection, self._rules.id, gone)
        for ref, lost in _grouped(gone).items():
            theirs = _of(kept, lost)
            if theirs:
                told = tuple(merge for merge in fresh if found.get(merge.lost) == ref)
                self.waiting[ref] = Waiting(lost, theirs, told)
        present = still_there(mirror, object, [ref.id for ref in self.waiting])
        self.notes = _notes(len(there), len(self.waiting) - len(present))

    def united(self, row: FactRow, standing: Standing) -> StoredState:
        """The state of a customer that waits, with what it takes over in it; *standing* is where
        it stands by the CRM, in case we know nothing of it."""
        waiting, where = self.waiting[row.ref], (self._connection, self._rules.id)
        own = self._store.states.stored(*where, [row.ref]).get(row.ref)
        own = own or StoredState(row.ref, present=Kept(standing=standing))
        made = united(self._rules, own, waiting.kept.states, self._as_of)
        written = _written(row, own, waiting.kept.states)
        return replace(made, written=written)

    def overrides(
        self, found: Mapping[RecordRef, tuple[Override, ...]]
    ) -> dict[RecordRef, tuple[Override, ...]]:
        """Those in force with the ones that go over, by whom they will stand for."""
        mine = dict(found)
        for ref, waiting in self.waiting.items():
            theirs = [item for lost in waiting.lost for item in mine.pop(lost, ())]
            if theirs and self._rules.merging.overrides is MergedOverrides.KEEP:
                both = [*mine.get(ref, ()), *(replace(item, ref=ref) for item in theirs)]
                mine[ref] = tuple(sorted(both, key=lambda item: item.start))
        return mine

    def holders(self, found: frozenset[RecordRef]) -> frozenset[RecordRef]:
        """Who has an override in force, or will have one that goes over."""
        keep = self._rules.merging.overrides is MergedOverrides.KEEP
        over = {
            ref
            for ref, waiting in self.waiting.items()
            if keep and not found.isdisjoint(waiting.lost)
        }
        return found | over

    def tasks(
        self, found: Mapping[RecordRef, tuple[Episode, ...]]
    ) -> dict[RecordRef, tuple[Episode, ...]]:
        """Open tasks with the ones that go over, by whom they will be about."""
        mine = dict(found)
        for ref, waiting in self.waiting.items():
            theirs = [item for lost in waiting.lost for item in mine.pop(lost, ())]
            if theirs:
                mine[ref] = (*mine.get(ref, ()), *(replace(item, ref=ref) for item in theirs))
        return mine

    def with_lost(self, refs: Iterable[RecordRef]) -> list[RecordRef]:
        """*refs* and the records that hand over to one of them."""
        mine = list(refs)
        for ref in tuple(mine):
            mine += self.waiting[ref].lost if ref in self.waiting else ()
        return mine

    def inheritance(self, ref: RecordRef, row: StoredState | None) -> Inheritance | None:
        """What goes over to a customer whose united state is *row*."""
        waiting = self.waiting.get(ref)
        if waiting is None or row is None:
            return None
        where = self._connection, self._rules.id
        tasks = self._store.episodes.open_for(*where, [ref, *waiting.lost])
        return Inheritance(
            lost=waiting.lost,
            row=row,
            kept=waiting.kept,
            own_tasks=tasks.get(ref, ()),
            their_tasks=tuple(item for lost in waiting.lost for item in tasks.get(lost, ())),
            told=waiting.told,
        )


def _notes(there: int, nowhere: int) -> tuple[Text, ...]:
    """How many records noted as merged the CRM still holds, and how many survivors it does not."""
    found = []
    if there:
        found.append(
            Text(
                f"登记为已合并的客户有 {there} 个还在 CRM 里，暂不接管（crmsync merged --list）",
                f"{there} noted as merged and still in the CRM: nothing goes over (see crmsync "
                "merged --list)",
            )
        )
    if nowhere:
        found.append(
            Text(
                f"有 {nowhere} 个接管合并的客户不在 CRM 里，它们的接管先等着",
                f"{nowhere} that should take over after a merge not in the CRM: it waits",
            )
        )
    return tuple(found)


def _written(row: FactRow, own: StoredState, others: Sequence[StoredState]) -> dict[str, Value]:
    """What we last wrote: where the CRM kept the other record's value, what we wrote there."""
    written = dict(own.written)
    for other in others:
        for role, value in other.written.items():
            stands = row.owned.get(role)
            mine = role in written and same_value(written[role], stands)
            if role in row.owned and not mine and same_value(value, stands):
                written[role] = value
    return written


def _of(kept: Keeping, lost: Sequence[RecordRef]) -> Keeping:
    mine = set(lost)
    return Keeping(
        states=tuple(row for row in kept.states if row.ref in mine),
        episodes={key: ref for key, ref in kept.episodes.items() if ref in mine},
        overrides=tuple(held for held in kept.overrides if held.ref in mine),
    )


def _grouped(stands: Mapping[RecordRef, RecordRef]) -> dict[RecordRef, tuple[RecordRef, ...]]:
    """Survivor → the records it stands for, in order."""
    found: dict[RecordRef, list[RecordRef]] = {}
    for lost in sorted(stands, key=str):
        found.setdefault(stands[lost], []).append(lost)
    return {ref: tuple(lost) for ref, lost in found.items()}


def still_there(mirror: duckdb.DuckDBPyConnection, object: str, ids: list[str]) -> set[str]:
    """Those of *ids* that the mirror holds."""
    if not ids:
        return set()
    table = f"mirror.main.{quoted(object)}"
    query = f"SELECT id FROM {table} WHERE id IN (SELECT unnest(?::VARCHAR[]))"
    return {row[0] for row in mirror.execute(query, [ids]).fetchall()}
