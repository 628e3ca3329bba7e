"""What an apply is told: by whom, with which consents, in which surroundings."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from crmsync.model.approval import Approval
from crmsync.model.consent import Consent
from crmsync.model.text import Text
from crmsync.store import Lock


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyOrder:
    """Who asks for the run, and what they agreed to.

    ``kind`` is ``apply``, ``sync``, ``undo`` or ``adopt``; ``lock`` is the held lock of the
    connection. ``approval`` caps what is written by its ceilings. ``retry_refused``: `resume` also
    tries again what the CRM refused.
    """

    kind: str
    by: str
    lock: Lock
    reason: str | None = None
    consents: tuple[Consent, ...] = ()
    approval: Approval | None = None
    retry_refused: bool = True


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands, after each batch."""

    run_id: int
    kind: str
    settled: int
    total: int
    api_calls: int
    waits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long to wait for what. ``deadline`` is the total deadline of one write."""

    deadline: timedelta = timedelta(seconds=15)
    longest_wait: timedelta = timedelta(seconds=300)
    """A longer Retry-After ends the run; it can be resumed."""
    tries: int = 6
    """Calls in a row that may be put off before the run ends."""
    settle_within: timedelta = timedelta(minutes=10)
    """Quarantine to sit out at the end of a run; what is left stays in doubt."""
    repeats: int = 4
    """Times one change may be sent again after its outcome stayed unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The world as an apply sees it; tests and the command line pass their own.

    ``allowed`` is the allow-list of the last door: object → fields crmsync owns. ``stop`` is asked
    between calls. ``checkpoint`` is called around every journal write and every call.
    """

    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    allowed: Mapping[str, frozenset[str]]
    progress: Callable[[Progress], None] = lambda progress: None
    stop: Callable[[], bool] = lambda: False
    checkpoint: Callable[[str], None] = lambda name: None
    notice: Callable[[Text], None] = lambda text: None
    """Told why nothing moves: a pause the CRM asked for."""
    chance: Callable[[], float] = random.random
    """Spreads the pauses of several programs that were put off together; between 0 and 1."""
    ticks: Callable[[], float] | None = None
    """Seconds that setting the clock does not move; ``None`` where *now* cannot be set."""
    strict: bool = False
    """Compare-and-set, one record a call, where the CRM can."""
    look_back: int | None = None
    """For how many rows of a run the CRM's history is asked what they replaced; ``None``: all."""
    accept_duplicates: bool = False
    """Create tasks even where the CRM offers no way to create them once."""
    limits: Limits = field(default_factory=Limits)
