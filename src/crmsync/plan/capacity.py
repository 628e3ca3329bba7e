"""How many tasks one owner gets for one day: the highest tier first, the others dated later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

from crmsync.model.plan import TaskCreate, Withheld
from crmsync.model.ruleset import Ruleset
from crmsync.model.text import Text

Booked = Mapping[tuple[str, str, date], int]
"""(task, owner, day) → open tasks that are there already."""

OVERFLOW = "over_capacity"
"""The kind under which a task that was dated later is listed; nothing is withheld."""


class _Waiting(NamedTuple):
    """A task to be dated, in the order of dating."""

    rank: int
    due: date
    about: tuple[str, str]
    rule: int
    line: TaskCreate


class Capacity:
    """Gathers the tasks of one plan and gives each its day."""

    def __init__(self, ruleset: Ruleset, booked: Booked, next_day: Callable[[date], date]) -> None:
        self._whole = ruleset.task_capacity
        self._own = {task.id: task.capacity for task in ruleset.tasks if task.capacity is not None}
        self._next = next_day
        levels = () if ruleset.tier is None else ruleset.tier.levels
        self._rank = {level.id: rank for rank, level in enumerate(levels)}
        self._rules = {task.id: number for number, task in enumerate(ruleset.tasks)}
        self._waiting: list[_Waiting] = []
        self._all: Counter[tuple[str, date]] = Counter()
        self._each: Counter[tuple[str, str, date]] = Counter()
        for (task, owner, day), count in booked.items():
            self._each[task, owner, day] += count
            self._all[owner, day] += count

    @property
    def limited(self) -> bool:
        """Whether the rules say anything of capacity."""
        return self._whole is not None or bool(self._own)

    def add(self, line: TaskCreate, tier: str | None) -> None:
        """Take a task of a customer of that tier."""
        rank = self._rank.get(tier or "", len(self._rank))
        about = (line.about.object, line.about.id)
        rule = self._rules.get(line.task_id, len(self._rules))
        self._waiting.append(_Waiting(rank, line.due, about, rule, line))

    def moved(self) -> dict[str, TaskCreate]:
        """Task key → the same task for a later day; only those that must wait."""
        found: dict[str, TaskCreate] = {}
        for item in sorted(self._waiting, key=lambda one: (*one[:4], one.line.key)):
            line = item.line
            owner, day = line.owner or "", line.due
            while self._full(line.task_id, owner, day):
                day = self._next(day)
            self._all[owner, day] += 1
            self._each[line.task_id, owner, day] += 1
            if day != line.due:
                values = {
                    name: day if value == line.due and isinstance(value, date) else value
                    for name, value in line.values.items()
                }
                found[line.key] = replace(line, due=day, values=values)
        return found

    def _full(self, task: str, owner: str, day: date) -> bool:
        own = self._own.get(task)
        return (self._whole is not None and self._all[owner, day] >= self._whole) or (
            own is not None and self._each[task, owner, day] >= own
        )

    def notes(self, moved: Mapping[str, TaskCreate]) -> Iterator[Withheld]:
        """What was dated later, and why, in the order of customers."""
        for item in sorted(self._waiting, key=lambda one: (one.about, one.rule, one.line.key)):
            line = moved.get(item.line.key)
            if line is None:
                continue
            text = Text(
                zh=f"任务 {line.task_id} 排到 {line.due}：{line.owner} 在 {item.due} 的任务已满",
                en=f"task {line.task_id} is dated {line.due}: {line.owner} has no room on"
                f" {item.due}",
            )
            yield Withheld(line.about, line.name, OVERFLOW, text)


def next_calendar_day(day: date) -> date:
    """The day after."""
    return day + timedelta(days=1)
