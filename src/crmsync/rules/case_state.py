"""The state a case begins with, from the few words its author writes, and back into them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from crmsync.model.record import RecordRef
from crmsync.model.state import Clocks, CustomerState, Standing


@dataclass(frozen=True, slots=True)
class Opening:
    """What ``before`` says: standing and clocks, nothing a person would not know.

    ``pending`` maps move ids to the first day their condition held; ``evaluated`` is yesterday
    where it is not written. ``held`` tells which watched conditions (``… becomes true``) held then.
    """

    tier: str | None = None
    tier_since: date | None = None
    lifecycle: str | None = None
    lifecycle_since: date | None = None
    below_keep_since: date | None = None
    pending: Mapping[str, date] = field(default_factory=dict)
    evaluated: date | None = None
    segments: tuple[str, ...] = ()
    held: Mapping[str, bool] = field(default_factory=dict)

    def state(self, ref: RecordRef, today: date) -> CustomerState:
        """The state of a customer as *today* opens: one tier ever, evaluated every day."""
        evaluated = self.evaluated or today - timedelta(days=1)
        below = self.below_keep_since
        days = 0 if below is None else max(0, (evaluated - below).days + 1)
        return CustomerState(
            ref,
            Standing(
                tier=self.tier,
                tier_since=self.tier_since,
                tier_first=self.tier_since,
                lifecycle=self.lifecycle,
                lifecycle_since=self.lifecycle_since,
            ),
            Clocks(
                first_seen=min(
                    day for day in (self.tier_since, self.lifecycle_since, evaluated) if day
                ),
                evaluated=evaluated,
                below_keep_since=below,
                below_keep_evaluations=days,
                pending=dict(self.pending),
                segments=self.segments,
                held=dict(self.held),
            ),
        )


def opening_of(state: CustomerState) -> Opening:
    """What ``before`` would say of *state*; what it cannot say is left out."""
    standing, clocks = state.standing, state.clocks
    return Opening(
        tier=standing.tier,
        tier_since=standing.tier_since,
        lifecycle=standing.lifecycle,
        lifecycle_since=standing.lifecycle_since,
        below_keep_since=clocks.below_keep_since,
        pending=dict(clocks.pending),
        evaluated=clocks.evaluated,
        segments=clocks.segments,
        held=dict(clocks.held),
    )
