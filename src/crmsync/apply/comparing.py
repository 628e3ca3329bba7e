"""What stands in the CRM just before writing, set against what the plan was made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from crmsync.model.change import RemoteError
from crmsync.model.equality import same_value
from crmsync.model.record import Record, Value
from crmsync.model.run import GONE, MERGED_INTO, OpState
from crmsync.store import Op, OpKind, Settled

EDITED = RemoteError("EDITED", "changed in the CRM since the plan was made")
TAKEN_OVER = RemoteError("TAKEN_OVER", "a person works on the task; it is theirs now")


class Standing(Enum):
    """READY may be sent; SET already holds what we want; FOREIGN holds something else; GONE is
    deleted or merged."""

    READY = auto()
    SET = auto()
    FOREIGN = auto()
    GONE = auto()


@dataclass(frozen=True, slots=True)
class Comparison:
    """One change against its record; ``actual`` holds the owned fields that are neither ours nor
    the plan's; of a record that is gone, what it was merged into. ``held`` names the fields that
    are ours already."""

    standing: Standing
    actual: Mapping[str, Value]
    version: str | None = None
    held: tuple[str, ...] = ()


def compare(op: Op, record: Record | None) -> Comparison:
    """Look at owned fields only: an edit of any other field is no reason to stop."""
    if record is None or record.deleted:
        into = None if record is None else record.merged_into
        return Comparison(Standing.GONE, {} if into is None else {MERGED_INTO: into})
    foreign: dict[str, Value] = {}
    held: list[str] = []
    for name, want in op.record.want.items():
        now = record.fields.get(name)
        if same_value(now, want):
            held.append(name)
        elif not same_value(now, op.record.base.get(name)):
            foreign[name] = now
    if foreign:
        return Comparison(Standing.FOREIGN, foreign, record.version)
    standing = Standing.SET if len(held) == len(op.record.want) else Standing.READY
    return Comparison(standing, {}, record.version, tuple(held))


def settled_without_call(op: Op, found: Comparison) -> Settled | None:
    """What becomes of a change that needs no call, or must not have one."""
    closing = op.kind is OpKind.CLOSE and op.effect.closed is not None
    if found.standing is Standing.SET or (closing and found.standing is Standing.GONE):
        return Settled(op, OpState.DONE, version=found.version)
    if found.standing is Standing.GONE:
        return Settled(op, OpState.CONFLICT, error=GONE, actual=found.actual)
    if found.standing is Standing.FOREIGN:
        error = TAKEN_OVER if closing else EDITED
        return Settled(op, OpState.CONFLICT, error=error, actual=found.actual, moot=closing)
    return None
