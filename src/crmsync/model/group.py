"""Company groups: customers under one parent; amounts add up and tiers hang together."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from crmsync.model.condition import All
from crmsync.model.position import NOWHERE, Span
from crmsync.model.text import Text
from crmsync.model.tier import ExceptionAction, TierException, TierRules

GROUP = "group"
"""What the block is called where a reason names it."""


class GroupTier(StrEnum):
    """SHARED: everybody in the group has the tier of its head; AT_LEAST_PARENT: nobody is below the
    parent; OWN: each its own."""

    SHARED = "shared"
    OWN = "own"
    AT_LEAST_PARENT = "at_least_parent"


@dataclass(frozen=True, slots=True)
class Group:
    """Records whose fact ``by`` names another record of the population belong under it.

    ``sums`` are facts that count for the whole group: its head and everybody below, at any depth.
    The sum is unknown while one member's value is. A parent outside the population is none.
    """

    by: str
    sums: tuple[str, ...] = ()
    tier: GroupTier = GroupTier.OWN
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class ParentTier:
    """The tier a customer's parent (or, where tiers are shared, the head of its group) has."""

    name: str
    tier: str

    def exception(self, group: Group, rules: TierRules) -> TierException | None:
        """The parent's say as an exception; a parent without rank lifts nobody."""
        if group.tier is GroupTier.OWN:
            return None
        shared = group.tier is GroupTier.SHARED
        if not shared and self.tier not in {level.id for level in rules.ranked}:
            return None
        label = rules.level(self.tier).label
        who = Text(
            zh=f"{self.name} 的等级" if self.name else "上级公司的等级",
            en=f"the tier of {self.name}" if self.name else "the tier of the parent",
        )
        return TierException(
            id=GROUP,
            reason=Text(
                zh=f"集团{'共用' if shared else '不低于'}{who.zh}：{label.zh}",
                en=f"{'shares' if shared else 'not below'} {who.en}: {label.en}",
            ),
            when=All(()),
            action=ExceptionAction.SET if shared else ExceptionAction.AT_LEAST,
            level=self.tier,
            span=group.span,
        )
