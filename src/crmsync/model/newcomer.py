"""New customers: what holds for them until they have had time to show what they are worth."""

from __future__ import annotations

from dataclasses import dataclass, field

from crmsync.model.condition import Condition
from crmsync.model.period import Period
from crmsync.model.position import NOWHERE, Span
from crmsync.model.text import Text
from crmsync.model.tier import ExceptionAction, TierException

NEWCOMER = "newcomer"
"""What the block is called where a reason or an exception is named."""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Whoever's ``fact`` (a date) lies no longer back than ``period``: ``when`` says the same.

    ``at_least`` is a floor like that of an exception; with ``no_demotion`` a fall waits until the
    period is over. A customer whose date is unknown is no newcomer.
    """

    fact: str
    period: Period
    when: Condition
    at_least: str | None = None
    no_demotion: bool = False
    span: Span = field(default=NOWHERE, compare=False)

    @property
    def exception(self) -> TierException | None:
        """The floor as an exception; ``None`` without one."""
        if self.at_least is None:
            return None
        return TierException(
            id=NEWCOMER,
            reason=Text(zh="新客户保护期", en="New customer"),
            when=self.when,
            action=ExceptionAction.AT_LEAST,
            level=self.at_least,
            span=self.span,
        )
