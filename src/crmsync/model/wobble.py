"""How far a fact goes up and down by itself."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Wobble:
    """A value v is seen anywhere in v ± (``share`` × abs(v) + ``amount``); nothing by default."""

    share: Decimal = Decimal(0)
    amount: Decimal = Decimal(0)

    def __bool__(self) -> bool:
        """Whether anything wobbles."""
        return bool(self.share or self.amount)

    def window(self, centre: Decimal) -> tuple[Decimal, Decimal]:
        """The least and the greatest value seen around *centre*."""
        by = abs(centre) * self.share + self.amount
        return centre - by, centre + by

    def centres(self, edge: Decimal) -> tuple[Decimal, ...]:
        """Centres whose window may begin or end exactly at *edge*: where what is seen changes."""
        down, up = 1 - self.share, 1 + self.share
        return tuple(
            (edge + shift) / stretch
            for shift in (-self.amount, self.amount)
            for stretch in (down, up)
            if stretch
        )
