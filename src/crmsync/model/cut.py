"""Cut lines: tier lines drawn across the whole population instead of written as a number."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from crmsync.model.position import NOWHERE, Span
from crmsync.model.text import Text

TIER_LINES = "tier"
"""The name the store keeps a ruleset's cut lines by."""


class CutKind(StrEnum):
    """TOP: so many customers; SHARE: the smallest group of at least that share of the customers;
    COVERS: the smallest group of the largest whose amounts make up that share of the whole."""

    TOP = "top"
    SHARE = "top share"
    COVERS = "covers"


@dataclass(frozen=True, slots=True)
class Cut:
    """What a cut line is drawn at. ``amount`` is a count (TOP) or a ratio; ``of`` the fact COVERS
    adds up.

    The line is the value of the last customer inside, so whoever equals it is inside as well.
    Customers whose value is unknown are not counted; COVERS leaves out amounts of 0 and less.
    """

    kind: CutKind
    amount: Decimal
    of: str | None = None
    span: Span = field(default=NOWHERE, compare=False)

    @property
    def text(self) -> str:
        """As the file writes it: ``top 50``, ``top 20%``, ``covers 80% of revenue_12m``."""
        if self.kind is CutKind.TOP:
            return f"top {_plain(self.amount)}"
        if self.kind is CutKind.SHARE:
            return f"top {_plain(self.amount * 100)}%"
        return f"covers {_plain(self.amount * 100)}% of {self.of}"

    @property
    def words(self) -> Text:
        """The same for people."""
        if self.kind is CutKind.TOP:
            return Text(zh=f"前 {_plain(self.amount)} 名", en=self.text)
        if self.kind is CutKind.SHARE:
            return Text(zh=f"前 {_plain(self.amount * 100)}%", en=self.text)
        return Text(zh=f"覆盖 {self.of} 的 {_plain(self.amount * 100)}%", en=self.text)


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
