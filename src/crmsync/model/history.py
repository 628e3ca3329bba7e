"""A record's own history in the CRM, and the edits it shows we have written over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from crmsync.model.record import Value


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field went from one value to another, both canonical."""

    before: Value
    after: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One save of one record, as the CRM's history tells it.

    ``changes`` holds the fields asked for that it moved; ``unread`` those it moved to or from a
    value that could not be read for certain. ``ours``: by the user we sign in as; ``None`` where
    the history does not tell. ``by`` is that person's name, or else the id.
    """

    id: str
    at: datetime | None
    by: str | None
    ours: bool | None
    changes: Mapping[str, FieldChange]
    unread: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Overwritten:
    """A person's value that our write took the place of: who put it there, and when by the CRM's
    own clock, where it tells."""

    field: str
    theirs: Value
    ours: Value
    by: str | None = None
    at: datetime | None = None


class LookedBack(StrEnum):
    """What a look into a record's history showed of one row that was sent.

    CLEAR: our write replaced what we had seen, or nothing was written. OVERWRITTEN: it replaced a
    value somebody had put there in between. UNREAD: a value of the history could not be read for
    certain. NOT_SHOWN: the history does not show our write (yet), or not the record.
    """

    CLEAR = "clear"
    OVERWRITTEN = "overwritten"
    UNREAD = "unread"
    NOT_SHOWN = "not_shown"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the look just before a write showed: when the record had last been changed by the
    CRM's clock, and the fields that already held what we wanted to write. The others held what the
    plan was made from."""

    modified_at: datetime
    held: tuple[str, ...] = ()
