"""``wobble`` of a fact: how far its value goes up and down by itself, for the proof of calm."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from crmsync.model.fact import FactType
from crmsync.model.text import Text
from crmsync.model.wobble import Wobble
from crmsync.rules.shape import Block

EXAMPLE = Text(
    zh="写 5% 或一个数量，例如 wobble: 2", en="Write a share such as 5%, or an amount such as 2."
)


def parse_wobble(text: str) -> Wobble | None:
    """``5%`` of the value, or an amount in the fact's own unit; ``None`` when it is neither.

    A share is below 100 %, for a value that may vanish altogether has nothing to prove.
    """
    words = text.strip().replace("％", "%")
    share = words.endswith("%")
    try:
        number = Decimal(words.removesuffix("%").strip())
    except InvalidOperation:
        return None
    if not number.is_finite() or number < 0:
        return None
    if not share:
        return Wobble(amount=number)
    return Wobble(share=number / 100) if number < 100 else None


def read_wobble(block: Block, kind: str | None, *, derived: bool) -> Wobble | None:
    """The key of one fact; only numeric facts that no formula gives have it."""
    found = block.scalar("wobble")
    if found is None:
        return None
    if kind is not None and (derived or not FactType(kind).numeric):
        block.findings.add(
            "RULE022",
            block.place("wobble"),
            Text(
                zh="wobble 只用于数值类、没有公式的事实",
                en="wobble is for numeric facts without a formula",
            ),
            Text(
                zh="公式随它所用的事实一起波动",
                en="A formula wobbles with the facts it uses.",
            ),
        )
        return None
    wobble = parse_wobble(found.text)
    if wobble is None:
        block.findings.add(
            "RULE005",
            found.span,
            Text(
                zh=f"“{found.text}”不是波动幅度",
                en=f"“{found.text}” is no wobble",
            ),
            EXAMPLE,
        )
    return wobble
