"""Runs: what was applied, when, by whom, and what became of every row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from crmsync.errors import CrmSyncError
from crmsync.model.change import RemoteError
from crmsync.model.history import LookedBack, Overwritten, Seen
from crmsync.model.record import RecordRef, Value
from crmsync.model.text import Text


class RunState(StrEnum):
    """How a run stands."""

    RUNNING = "running"
    DONE = "done"
    PARTIAL = "partial"
    STOPPED = "stopped"
    HELD = "held"
    FAILED = "failed"


class OpState(StrEnum):
    """The state of one external effect in the journal."""

    PLANNED = "planned"
    INTENT = "intent"
    IN_DOUBT = "in_doubt"
    DONE = "done"
    CONFLICT = "conflict"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    WITHHELD = "withheld"
    """Beyond what was approved: never sent by this run."""


GONE = RemoteError("GONE", "the record is not there any more")
MERGED_INTO = "merged_into"
"""What stands in ``actual`` of a gone record where it is known which one it went into."""


RESTLESS = RemoteError("RESTLESS", "somebody is editing the record right now")
"""A conditional write cannot tell edits within one grain of the version apart: such a record is
left alone until it rests."""


@dataclass(frozen=True, slots=True)
class OpRecord:
    """One journal row. ``base`` and ``want`` hold owned fields only; ``actual`` what stood there on
    a conflict."""

    op_key: str
    run_id: int
    seq: int
    kind: str
    ref: RecordRef
    state: OpState
    base: Mapping[str, Value]
    want: Mapping[str, Value]
    actual: Mapping[str, Value] = field(default_factory=dict)
    attempt: int = 0
    crm_id: str | None = None
    crm_version: str | None = None
    error: RemoteError | None = None
    name: str = ""
    sent_at: datetime | None = None
    trust_after: datetime | None = None
    seen: Seen | None = None
    look_back: LookedBack | None = None
    """What the CRM's history told of it; ``None`` while nobody has looked."""
    overwritten: tuple[Overwritten, ...] = ()

    @property
    def restless(self) -> bool:
        """Whether the record was being edited all the time and so could not be written safely."""
        return self.error is not None and self.error.code == RESTLESS.code

    @property
    def gone(self) -> bool:
        """Whether the record was deleted or merged into another before it could be written."""
        return self.error is not None and self.error.code == GONE.code

    @property
    def merged_into(self) -> str | None:
        """The id of the record a gone one was merged into, where the CRM or a person told."""
        into = self.actual.get(MERGED_INTO) if self.gone else None
        return into if isinstance(into, str) else None


@dataclass(frozen=True, slots=True)
class Run:
    """One run as ``crmsync runs`` lists it."""

    id: int
    kind: str
    """``apply``, ``sync``, ``undo`` or ``adopt``."""
    started_at: datetime
    ended_at: datetime | None
    connection: str
    ruleset: str
    ruleset_version: int
    plan_id: str
    state: RunState
    by: str
    reason: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    """read, rises, falls, firsts, tasks, written, skipped, refused, in_doubt, api_calls …"""
    note: Text | None = None


@dataclass(frozen=True, slots=True)
class ReadBack:
    """The fields a run wrote, looked at again: so many, so many the same, the rest listed."""

    checked: int
    same: int
    differing: tuple[tuple[OpRecord, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LookBackReport:
    """What the looks into the CRM's history showed of a run's rows.

    ``rows`` were sent and may have replaced an edit; ``clear`` of them surely did not. ``left``
    were not looked at, and ``why`` says for what reason.
    """

    rows: int = 0
    clear: int = 0
    overwritten: int = 0
    unread: int = 0
    not_shown: int = 0
    found: tuple[OpRecord, ...] = ()
    """The first thousand of the rows that replaced an edit."""
    why: Text | None = None

    @property
    def left(self) -> int:
        """Rows nobody looked at."""
        return self.rows - self.clear - self.overwritten - self.unread - self.not_shown


@dataclass(frozen=True, slots=True)
class ApplyReport:
    """What an apply did, made from the journal and never from counters in memory."""

    run: Run
    outcomes: Mapping[OpState, int]
    written: int
    tasks_created: int
    tasks_closed: int
    problems: tuple[OpRecord, ...]
    """Every row that is not done."""
    api_calls: int
    seconds: float
    stopped: CrmSyncError | None = None
    """What ended the run early (sign-in, quota, CRM unreachable …): its class gives the exit code.
    The rest stays planned and ``resume`` goes on with it."""
    withheld: int = 0
    """Rows held back one by one: beyond the approval, or waiting for a source."""
    read_back: ReadBack | None = None
    """After an undo: what the CRM holds now. ``None`` when nobody looked."""
    doubled: tuple[tuple[str, ...], ...] = ()
    """Tasks of this run that exist more than once, with the ids of all."""
    looked_back: LookBackReport = LookBackReport()
    """Edits our writes replaced, as the CRM's own history shows them."""
    interrupted: bool = False
    """A stop was asked for (SIGTERM, SIGINT); resumable."""

    @property
    def complete(self) -> bool:
        """Whether every row ended as done."""
        return not self.problems and self.stopped is None and not self.interrupted

    @property
    def resumable(self) -> bool:
        """Whether ``resume`` would send or settle anything."""
        open_states = (OpState.PLANNED, OpState.INTENT, OpState.IN_DOUBT)
        return any(self.outcomes.get(state) for state in open_states)
