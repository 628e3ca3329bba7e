"""Consent to pass a guard, one by one and always with a value: ``demotions=40``, ``…=18%``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from crmsync.errors import UsageError
from crmsync.model.plan import GuardResult
from crmsync.model.text import Text

GUARDS = (
    "records_changed",
    "tier_changes",
    "demotions",
    "demotions_by_pair",
    "first_assignments",
    "new_tasks",
    "tasks_per_owner",
    "population_shrink",
    "missing_rise",
    "source_age",
    "rule_edit",
)
"""Every guard's name."""


@dataclass(frozen=True, slots=True)
class Consent:
    """Lets the guard ``name`` pass up to ``value``: a ratio when ``share``, else a count."""

    name: str
    value: Decimal
    share: bool

    def covers(self, guard: GuardResult) -> bool:
        """Whether this consent lets *guard* pass at its present figure."""
        if guard.name != self.name:
            return False
        if not self.share:
            return Decimal(guard.count) <= self.value
        return bool(guard.of) and Decimal(guard.count) / Decimal(guard.of) <= self.value

    @classmethod
    def parse(cls, written: str) -> Consent:
        """Read ``NAME=40`` or ``NAME=18%``; raises UsageError."""
        name, _, value = written.partition("=")
        share = value.endswith("%")
        try:
            number = Decimal(value.removesuffix("%").strip())
        except InvalidOperation:
            number = Decimal(-1)
        if name not in GUARDS or not number.is_finite() or number < 0:
            raise UsageError(
                Text(
                    zh=f"看不懂 --allow {written}",
                    en=f"cannot read --allow {written}",
                ),
                mend=Text(
                    zh="写成 名称=数量 或 名称=百分比，例如 demotions=40；名称有："
                    + "、".join(GUARDS),
                    en="Write NAME=COUNT or NAME=PERCENT, such as demotions=40. Names: "
                    + ", ".join(GUARDS),
                ),
            )
        return cls(name, number / 100 if share else number, share)


def unanswered(
    guards: Iterable[GuardResult], consents: Sequence[Consent]
) -> tuple[GuardResult, ...]:
    """The tripped guards that no consent covers: one is enough to stop everything."""
    return tuple(
        guard
        for guard in guards
        if guard.tripped and not any(consent.covers(guard) for consent in consents)
    )
