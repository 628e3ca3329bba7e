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
    """What a tier is entitled to."""

    tier: str
    values: tuple[ServiceValue, ...]
    span: Span = field(default=NOWHERE, compare=False)

    def value(self, name: str) -> ServiceValue | None:
        """The entitlement of that name, if the tier has it."""
        return next((value for value in self.values if value.name == name), None)
