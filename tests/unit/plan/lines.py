"""Plan lines made directly, for what is about the lines alone."""

from __future__ import annotations

from tests.unit.plan.builders import DAY, ref

from crmsync.model.decision import Cause
from crmsync.model.plan import Direction, FieldDelta, RecordChange, TaskCreate
from crmsync.model.text import Text


def change(n: int, direction: Direction) -> RecordChange:
    delta = FieldDelta("Tier", "tier", Text.same("Tier"), "a", "b", Text.same(""))
    return RecordChange(
        change_id=f"c{n}",
        ref=ref(n),
        name=f"n{n}",
        owner=None,
        direction=direction,
        cause=Cause.DATA,
        fields=(delta,),
        version=None,
        standing=None,
        tier_before="vip" if n % 2 else "key",
        tier_after="standard",
    )


def task(n: int, number: int) -> TaskCreate:
    return TaskCreate(
        change_id=f"t{n}-{number}",
        key=f"k{n}-{number}",
        task_id="call",
        about=ref(n),
        name=f"n{n}",
        title=Text.same("call"),
        due=DAY,
        owner="u1",
        priority="high",
        object="Tasks",
        key_field="Key",
        values={},
    )
