"""What the survivor of a merge opens its day with: two customers' states made one, by policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from crmsync.model.merge import MergedSince, MergedTier
from crmsync.model.ruleset import Ruleset
from crmsync.model.state import Clocks, Snapshot, Standing, StoredState


def united(
    ruleset: Ruleset, own: StoredState, others: Sequence[StoredState], as_of: date
) -> StoredState:
    """The survivor's row once the *others* are merged into it, with *as_of* as its day.

    Tier and its day follow ``on_merge``; a tier without a rank is never taken over and never
    outdone, for an exception decides it. Grace counts from the earlier first assignment, the
    customer was first seen when either was. The stage, with the moves that wait, is the survivor's
    where it has one. Below its keep line is only who was so on both records, where both had the
    tier. A fact known of either is known. What a watched condition held for on either record, it
    holds for. In whatever order *others* come, the row is the same.
    """
    uniting = _Uniting.of(ruleset)
    opening, present = own.opening_of(as_of), own.present
    for other in sorted(others, key=lambda row: (row.ref.object, row.ref.id)):
        opening = uniting.both(opening, other.opening_of(as_of))
        present = uniting.both(present, other.present)
    return replace(own, present=present, opening=opening, evaluated=as_of)


@dataclass(frozen=True, slots=True)
class _Track:
    """A tier with the day it counts from."""

    tier: str | None
    since: date | None


@dataclass(frozen=True, slots=True)
class _Uniting:
    """The policy of one ruleset."""

    ranks: Mapping[str, int]
    higher: bool
    earlier: bool

    @classmethod
    def of(cls, ruleset: Ruleset) -> _Uniting:
        ranked = () if ruleset.tier is None else ruleset.tier.ranked
        return cls(
            {level.id: rank for rank, level in enumerate(ranked)},
            ruleset.merging.tier is MergedTier.HIGHER,
            ruleset.merging.since is MergedSince.EARLIER,
        )

    def both(self, own: Snapshot, other: Snapshot) -> Snapshot:
        """Two snapshots as one."""
        standing = self._standing(own.standing, other.standing)
        return replace(
            own,
            standing=standing,
            clocks=self._clocks(own, other, standing),
            known=own.known | other.known,
            ruleset_digest=own.ruleset_digest or other.ruleset_digest,
        )

    def _standing(self, own: Standing, other: Standing) -> Standing:
        tier = self._tier(_Track(own.tier, own.tier_since), _Track(other.tier, other.tier_since))
        stage, since = own.lifecycle, own.lifecycle_since
        if stage is None:
            stage, since = other.lifecycle, other.lifecycle_since
        elif stage == other.lifecycle and self.earlier:
            since = _least(since, other.lifecycle_since)
        return Standing(
            tier.tier, tier.since, _least(own.tier_first, other.tier_first), stage, since
        )

    def _tier(self, own: _Track, other: _Track) -> _Track:
        taken = other if self._theirs(own.tier, other.tier) else own
        comparable = own.tier == other.tier or {own.tier, other.tier} <= self.ranks.keys()
        if self.earlier and comparable:
            return _Track(taken.tier, _least(own.since, other.since))
        return taken

    def _theirs(self, own: str | None, other: str | None) -> bool:
        """Whether the tier of the record that vanished is the one to go on with."""
        if own is None or other is None:
            return own is None
        if not self.higher or own not in self.ranks or other not in self.ranks:
            return False
        return self.ranks[other] < self.ranks[own]

    def _clocks(self, own: Snapshot, other: Snapshot, standing: Standing) -> Clocks:
        ours, theirs = self._track(own), self._track(other)
        track = self._tier(ours, theirs)
        here, there = own.clocks, other.clocks
        leading = there if self._theirs(ours.tier, theirs.tier) else here
        if ours.tier == theirs.tier:
            leading = _longer_above(here, there)
        told = here if here.evaluated is not None else there
        beside = track.tier in self.ranks and track.tier != standing.tier
        staged = here if own.standing.lifecycle is not None else there
        return Clocks(
            first_seen=_least(here.first_seen, there.first_seen),
            evaluated=_most(here.evaluated, there.evaluated),
            below_keep_since=leading.below_keep_since,
            below_keep_evaluations=leading.below_keep_evaluations,
            pending=staged.pending,
            beside=track.tier if beside else None,
            beside_since=track.since if beside else None,
            exceptions=told.exceptions,
            segments=told.segments,
            held=_either(here.held, there.held),
        )

    def _track(self, of: Snapshot) -> _Track:
        """Where the computed tier stands, as `crmsync.evaluate.tier.track_of` has it."""
        if of.clocks.beside in self.ranks:
            return _Track(of.clocks.beside, of.clocks.beside_since)
        if of.standing.tier in self.ranks:
            return _Track(of.standing.tier, of.standing.tier_since)
        return _Track(None, None)


def _longer_above(one: Clocks, other: Clocks) -> Clocks:
    """The clocks of the record that fell below its line later, or has not."""
    if one.below_keep_since is None or other.below_keep_since is None:
        return one if one.below_keep_since is None else other
    first = (one.below_keep_since, -one.below_keep_evaluations)
    return one if first >= (other.below_keep_since, -other.below_keep_evaluations) else other


def _least(one: date | None, other: date | None) -> date | None:
    return min((day for day in (one, other) if day is not None), default=None)


def _most(one: date | None, other: date | None) -> date | None:
    return max((day for day in (one, other) if day is not None), default=None)


def _either(one: Mapping[str, bool], other: Mapping[str, bool]) -> dict[str, bool]:
    names = sorted(one.keys() | other.keys())
    return {name: one.get(name, False) or other.get(name, False) for name in names}
