"""What a pull is told and what it tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from crmsync.model.schema import Organization
from crmsync.model.text import Text
from crmsync.store.mirror import MirrorSettings, ReadKind


@dataclass(frozen=True, slots=True, kw_only=True)
class PullOptions:
    """How to pull.

    ``full`` reads everything and does not need the published mirror. Otherwise an object is read
    whole when it must be (first time, other fields, other account) and every ``full_every``, which
    also finds records a CRM deleted without saying so. An interrupted pull younger than
    ``resume_within`` is continued; what it had finished more than ``refresh_after`` ago is brought
    up to date. ``now`` is the caller's clock. ``suspects`` are ids by object that a run did not
    find: an incremental read asks for them by id and takes the missing ones out of the mirror, for
    a CRM need not tell of what was deleted.
    """

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    full: bool = False
    full_every: timedelta = timedelta(days=7)
    resume_within: timedelta = timedelta(days=1)
    refresh_after: timedelta = timedelta(minutes=15)
    suspects: Mapping[str, Sequence[str]] = field(default_factory=dict)
    mirror: MirrorSettings = field(default_factory=MirrorSettings)


DEFAULTS = PullOptions()


@dataclass(frozen=True, slots=True)
class PullProgress:
    """Told after every page: records of ``object`` stored so far, earlier attempts included."""

    object: str
    read: int
    kind: ReadKind


@dataclass(frozen=True, slots=True)
class ObjectPull:
    """What became of one object.

    ``read`` counts records received (repeats included), ``changed`` those new or different from
    the mirror before, ``deleted`` those gone, ``rows`` what the mirror now holds. ``reason`` says
    why it was read whole.
    """

    object: str
    kind: ReadKind
    read: int
    changed: int
    deleted: int
    rows: int
    resumed: bool
    watermark: datetime
    reason: Text | None = None


@dataclass(frozen=True, slots=True)
class PullReport:
    """A finished pull; ``warnings`` are for people."""

    organization: Organization
    objects: tuple[ObjectPull, ...]
    pulled_at: datetime
    warnings: tuple[Text, ...] = ()
    echoes: int = 0
    """Fields that came back as we wrote them: our own writes, nobody's change."""
    near_misses: int = 0
    """Fields that came back other than we wrote them."""
