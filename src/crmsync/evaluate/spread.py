"""How far an expression wobbles when the facts it reads do: an upper bound, or none known."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from crmsync.condition import names
from crmsync.model.condition import (
    Arithmetic,
    Call,
    Choose,
    Expression,
    Function,
    Literal,
    Name,
    Operator,
)
from crmsync.model.wobble import Wobble

Known = Callable[[str], Wobble | None]
STILL = Wobble()


def spread_of(expression: Expression, known: Known) -> Wobble | None:
    """A wobble that covers what *expression* does; ``None`` when no bound is known.

    *known* gives the wobble of a name. Shares multiply through products and quotients; amounts add
    through sums. A sum of values that wobble by a share may be close to nothing, so it has no
    bound.
    """
    match expression:
        case Literal():
            return STILL
        case Name(id=id):
            return known(id)
        case Arithmetic(operator=operator, left=left, right=right):
            one, other = spread_of(left, known), spread_of(right, known)
            return None if one is None or other is None else _joined(operator, one, other)
        case Call(function=function, arguments=arguments):
            return _called(function, [spread_of(item, known) for item in arguments])
        case Choose(condition=condition, then=then, otherwise=otherwise):
            if any(known(name) != STILL for name in names(condition)):
                return None
            return _widest([spread_of(then, known), spread_of(otherwise, known)])


def _joined(operator: Operator, one: Wobble, other: Wobble) -> Wobble | None:
    if not one and not other:
        return STILL
    if operator in {Operator.ADD, Operator.SUBTRACT}:
        shares = one.share or other.share
        return None if shares else Wobble(amount=one.amount + other.amount)
    if one.amount or other.amount or other.share >= 1:
        return None
    if operator is Operator.MULTIPLY:
        return Wobble((1 + one.share) * (1 + other.share) - 1)
    return Wobble((1 + one.share) / (1 - other.share) - 1)


def _called(function: Function, parts: list[Wobble | None]) -> Wobble | None:
    widest = _widest(parts)
    if widest is None or not widest:
        return widest
    match function:
        case Function.MIN | Function.MAX | Function.ABS:
            return widest
        case Function.ROUND:
            return Wobble(widest.share, widest.amount + Decimal(1)) if len(parts) == 1 else None
        case (
            Function.DAYS_SINCE
            | Function.MONTHS_SINCE
            | Function.P_ALIVE
            | Function.EXPECTED_ORDERS
        ):
            return None


def _widest(parts: list[Wobble | None]) -> Wobble | None:
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    share = max((part.share for part in known), default=Decimal(0))
    return Wobble(share, max((part.amount for part in known), default=Decimal(0)))
