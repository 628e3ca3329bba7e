"""The service block, typed: what each tier is entitled to."""

from __future__ import annotations

from dataclasses import dataclass, field

from crmsync.model.period import Period
from crmsync.model.position import NOWHERE, Span
from crmsync.model.text import Text


@dataclass(frozen=True, slots=True)
class ServiceValue:
    """One entitlement of a tier: ``text`` for people; ``period`` when it is a span of days up."""

    name: str
    text: Text
    period: Period | None = None
    label: Text | None = None
    """What people call this entitlement, where it differs from its name."""
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class ServiceLevel:
    """What a tier is entitled to; with a ``stage``, what it is while the customer is there."""

    tier: str
    values: tuple[ServiceValue, ...]
    span: Span = field(default=NOWHERE, compare=False)
    stage: str | None = None

    @property
    def id(self) -> str:
        """``vip``, or ``vip/at_risk`` where it holds in one stage only."""
        return self.tier if self.stage is None else f"{self.tier}/{self.stage}"

    def value(self, name: str) -> ServiceValue | None:
        """The entitlement of that name, if the tier has it."""
        return next((value for value in self.values if value.name == name), None)
