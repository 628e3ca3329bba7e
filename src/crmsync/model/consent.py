"""Consent to pass a guard, one by one and always with a value: ``demotions=40``, ``…=18%``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal, InvalidOperation

from crmsync.errors import GuardRefused, UsageError
from crmsync.model.plan import GuardResult
from crmsync.model.text import Text

GUARDS = (
    "records_changed",
    "tier_changes",
    "tier_shift",
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
    def parse(cls, written: str, *, option: str = "--allow") -> Consent:
        """Read ``NAME=40`` or ``NAME=18%`` as given to *option*; raises UsageError."""
        name, _, value = written.partition("=")
        share = value.endswith("%")
        try:
            number = Decimal(value.removesuffix("%").strip())
        except InvalidOperation:
            number = Decimal(-1)
        if name not in GUARDS or not number.is_finite() or number < 0:
            raise UsageError(
                Text(
                    zh=f"看不懂 {option} {written}",
                    en=f"cannot read {option} {written}",
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


def refuse(held: Iterable[GuardResult]) -> GuardRefused:
    """The error for guards that stopped a plan, with the consent each would need."""
    held = tuple(held)
    zh = "；".join(f"{g.name}{_at(g)} {shown(g)}，上限 {limit_text(g)}" for g in held)
    en = "; ".join(f"{g.name}{_at(g)} is {shown(g)}, limit {limit_text(g)}" for g in held)
    allow = allow_words(held)
    return GuardRefused(
        Text(
            f"变更上限拦下了这次写入：{zh}。没有写入任何内容",
            f"held back: {en}. Nothing was written",
        ),
        mend=Text(f"确认无误后加上：{allow}", f"If this is meant, add: {allow}"),
    )


def allow_words(held: Iterable[GuardResult]) -> str:
    """The options that would let *held* pass, as a person types them."""
    return " ".join(f"--allow {name}" for name in dict.fromkeys(guard.allow for guard in held))


def shown(guard: GuardResult) -> str:
    """The figure as people read it: ``17.6%`` or ``240``."""
    return _percent(guard.figure) if guard.share else str(guard.count)


def limit_text(guard: GuardResult) -> str:
    """The limit as people read it."""
    return _percent(guard.limit) if guard.share else str(guard.limit)


def _at(guard: GuardResult) -> str:
    return f" ({guard.place})" if guard.place else ""


def _percent(ratio: Decimal) -> str:
    return f"{(ratio * 100).quantize(Decimal('0.1'), ROUND_CEILING):f}%"
