"""An approval of a plan: who said yes to what, up to which figures, and what lies beyond them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal

from crmsync.errors import UsageError
from crmsync.model.consent import Consent
from crmsync.model.plan import Direction, PlanLine, RecordChange, TaskCreate
from crmsync.model.text import Text

CEILINGS = (
    "records_changed",
    "tier_changes",
    "demotions",
    "demotions_by_pair",
    "first_assignments",
    "new_tasks",
    "tasks_per_owner",
)
"""What an approval may cap: the guards that count rows of the plan. The others measure the whole
population or its sources; nothing of them can be let through in part."""


@dataclass(frozen=True, slots=True)
class Approval:
    """One person's yes to one plan file. ``ceilings`` cap it: what lies beyond is withheld.

    ``seal`` is an HMAC over everything else with the project's key; see `content`.
    """

    plan_id: str
    digest: str
    by: str
    at: datetime
    reason: str
    ceilings: tuple[Consent, ...] = ()
    seal: str = ""

    @property
    def content(self) -> bytes:
        """What the seal covers."""
        caps = [f"{item.name}={item.value}{'%' if item.share else ''}" for item in self.ceilings]
        parts = (self.plan_id, self.digest, self.by, self.at.isoformat(), self.reason, *caps)
        return "\x1f".join(parts).encode()


def ceiling(written: str) -> Consent:
    """Read ``NAME=40`` or ``NAME=18%`` of ``--max``; raises UsageError."""
    found = Consent.parse(written, option="--max")
    if found.name not in CEILINGS:
        raise UsageError(
            Text(
                zh=f"{found.name} 衡量的是整体，不能只放行一部分",
                en=f"{found.name} measures the whole; it cannot be let through in part",
            ),
            mend=Text(
                zh="可设上限的有：" + "、".join(CEILINGS),
                en="What can be capped: " + ", ".join(CEILINGS),
            ),
        )
    return found


class Budget:
    """What is left of an approval's ceilings, in the plan's order: first come, first written.

    A customer's lines belong together: where its change lies beyond a ceiling, the tasks and
    closings that come with it are withheld too. A task that alone is too many is withheld alone.
    """

    def __init__(self, ceilings: Sequence[Consent], evaluated: int) -> None:
        self._limits: dict[str, int] = {}
        for item in ceilings:
            most = item.value * evaluated if item.share else item.value
            whole = int(most.to_integral_value(ROUND_FLOOR))
            self._limits[item.name] = min(whole, self._limits.get(item.name, whole))
        self._used: Counter[tuple[str, str]] = Counter()

    def beyond(self, lines: Sequence[PlanLine]) -> list[str | None]:
        """For each line of one customer the ceiling it lies beyond, or ``None`` to write it."""
        whole = self._first_full(_of_changes(lines))
        if whole is not None:
            return [whole] * len(lines)
        self._used.update(_of_changes(lines))
        return [self._task(line) if isinstance(line, TaskCreate) else None for line in lines]

    def _task(self, line: TaskCreate) -> str | None:
        wanted = [("new_tasks", ""), ("tasks_per_owner", line.owner or "–")]
        full = self._first_full(wanted)
        if full is None:
            self._used.update(wanted)
        return full

    def _first_full(self, wanted: Iterable[tuple[str, str]]) -> str | None:
        return next((name for name, place in wanted if self._full(name, place)), None)

    def _full(self, name: str, place: str) -> bool:
        limit = self._limits.get(name)
        return limit is not None and self._used[name, place] >= limit


def covered(name: str, ceilings: Iterable[Consent]) -> bool:
    """Whether a ceiling caps that guard, so that it cannot be passed whatever the plan holds."""
    return any(item.name == name for item in ceilings)


def _of_changes(lines: Iterable[PlanLine]) -> list[tuple[str, str]]:
    return [name for line in lines if isinstance(line, RecordChange) for name in _of_change(line)]


def _of_change(line: RecordChange) -> Iterator[tuple[str, str]]:
    if not line.fields:
        return
    if line.direction is Direction.FIRST:
        yield "first_assignments", ""
        return
    yield "records_changed", ""
    if line.direction in {Direction.RISE, Direction.FALL}:
        yield "tier_changes", ""
    if line.direction is Direction.FALL:
        yield "demotions", ""
        yield "demotions_by_pair", f"{line.tier_before}→{line.tier_after}"


def share_text(item: Consent) -> str:
    """``demotions=40`` or ``records_changed=20%``, as it is written."""
    value = item.value * 100 if item.share else item.value
    return f"{item.name}={Decimal(value).normalize():f}{'%' if item.share else ''}"
