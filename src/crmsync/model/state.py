"""What crmsync remembers of a customer between evaluations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from crmsync.model.record import RecordRef, Value


@dataclass(frozen=True, slots=True)
class Clocks:
    """Counters that run while nothing is written; a plan carries them as observations.

    ``below_keep_since``: first local day of the present stretch below the keep line, and
    ``below_keep_evaluations`` how many days of it were evaluated. ``pending``: move id → first
    local day its condition held.
    """

    first_seen: date | None = None
    evaluated: date | None = None
    below_keep_since: date | None = None
    below_keep_evaluations: int = 0
    pending: Mapping[str, date] = field(default_factory=dict)
    beside: str | None = None
    """The computed tier, while an exception or an override decides otherwise: it goes on beside
    them and returns at once when the last of them lifts. ``beside_since`` is its own first day."""
    beside_since: date | None = None
    exceptions: tuple[str, ...] = ()
    """Exceptions in force at the last evaluation: one left unknown changes nothing, so it stays."""
    segments: tuple[str, ...] = ()
    """Segments the customer was in at the last evaluation, for the same reason."""
    held: Mapping[str, bool] = field(default_factory=dict)
    """Task id → whether the condition it watches (``… becomes true``) held; none: never looked."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a customer stands by confirmed writes (or by ``adopt``)."""

    tier: str | None = None
    tier_since: date | None = None
    tier_first: date | None = None
    """The day of the first assignment: grace counts from here."""
    lifecycle: str | None = None
    lifecycle_since: date | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything an evaluation starts from, as one moment held it."""

    standing: Standing = field(default_factory=Standing)
    clocks: Clocks = field(default_factory=Clocks)
    known: frozenset[str] = frozenset()
    ruleset_digest: str | None = None
    facts_digest: str | None = None


@dataclass(frozen=True, slots=True)
class StoredState:
    """One customer's row: now, and how the day ``evaluated`` opened."""

    ref: RecordRef
    present: Snapshot = field(default_factory=Snapshot)
    opening: Snapshot = field(default_factory=Snapshot)
    evaluated: date | None = None
    written: Mapping[str, Value] = field(default_factory=dict)

    def opening_of(self, day: date) -> Snapshot:
        """How *day* opened: the kept opening if the day was evaluated before, else the present."""
        return self.opening if self.evaluated == day else self.present

    def on(self, day: date) -> CustomerState:
        """What an evaluation of *day* starts from."""
        opening = self.opening_of(day)
        return CustomerState(
            ref=self.ref,
            standing=opening.standing,
            clocks=opening.clocks,
            known_facts=opening.known,
            confirmed=self.present.standing,
            observed=self.present.clocks,
            written=self.written,
            ruleset_digest=opening.ruleset_digest,
            facts_digest=opening.facts_digest,
        )


@dataclass(frozen=True, slots=True)
class CustomerState:
    """One customer's state as the evaluation of a local day opens.

    Within one local day every evaluation starts from the same opening state, whatever was applied
    in between; the store keeps the opening of the last evaluated day beside the present.
    """

    ref: RecordRef
    standing: Standing = Standing()
    clocks: Clocks = Clocks()
    known_facts: frozenset[str] = frozenset()
    """Facts that were known at the last evaluation: a fall by a fact gone missing is withheld."""
    confirmed: Standing | None = None
    """The standing by the latest confirmed write, when it is not the one the day opened with."""
    observed: Clocks | None = None
    """The clocks as last stored, when they are not the ones the day opened with."""
    written: Mapping[str, Value] = field(default_factory=dict)
    """Role → the value we last wrote: another value in the CRM was put there by a person."""
    ruleset_digest: str | None = None
    """The rules of the evaluation before this day, to tell why something changes."""
    facts_digest: str | None = None
    """The facts of the evaluation before this day, without those that time alone moves."""


@dataclass(frozen=True, slots=True)
class Episode:
    """One spell of a task: created once by ``key``, closed when its condition says so."""

    key: str
    task_id: str
    ref: RecordRef
    opened_on: date
    crm_id: str | None = None
    closed_on: date | None = None
    owner: str | None = None
    due: date | None = None
    """Whose task it is and for which day: what an owner's capacity is counted by."""
