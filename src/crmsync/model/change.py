"""What is asked of a CRM and what came of it. There is no delete."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from crmsync.model.record import RecordRef, Value


@dataclass(frozen=True, slots=True)
class SetFields:
    """Set the fields of ``after`` on one record.

    ``before`` holds the values the plan was made from, for exactly the same fields. ``version``
    asks for compare-and-set where the connector claims ``conditional_write``.
    """

    change_id: str
    ref: RecordRef
    before: Mapping[str, Value]
    after: Mapping[str, Value]
    version: str | None = None


@dataclass(frozen=True, slots=True)
class CreateRecord:
    """Create one record; ``values[key_field]`` is the key that makes the creation happen once.

    ``about`` is the record the new one hangs below (a task's customer), for look-ups by parent.
    """

    change_id: str
    object: str
    values: Mapping[str, Value]
    key_field: str
    about: RecordRef | None = None


Change: TypeAlias = SetFields | CreateRecord


class Outcome(StrEnum):
    """What became of a change. UNKNOWN is never success: it may or may not have happened."""

    APPLIED = "applied"
    CONFLICT = "conflict"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RemoteError:
    """The CRM's own words about one record, without personal values.

    ``field`` names the field it complains about, where it says so. ``retryable`` marks a refusal
    that may pass later (a locked record) against one that needs a person.
    """

    code: str
    message: str
    field: str | None = None
    retryable: bool = False


@dataclass(frozen=True, slots=True)
class ChangeResult:
    """The outcome of one change: ``ref`` and ``version`` are set when the CRM told them."""

    change_id: str
    outcome: Outcome
    ref: RecordRef | None = None
    version: str | None = None
    error: RemoteError | None = None
