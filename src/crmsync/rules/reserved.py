"""Names of exceptions that a block of its own takes: nobody else may use them beside it."""

from __future__ import annotations

from collections.abc import Iterable

from crmsync.model.text import Text
from crmsync.model.tier import TierException
from crmsync.rules.shape import Findings


def reserve(name: str, exceptions: Iterable[TierException], findings: Findings) -> bool:
    """Whether *name*, also that of a block, is free; an exception of that name is reported."""
    double = next((item for item in exceptions if item.id == name), None)
    if double is None:
        return True
    findings.add(
        "RULE007",
        double.span,
        Text(
            zh=f"已有 {name} 块，例外不能也叫 {name}",
            en=f"there is a {name} block, so no exception can be called {name}",
        ),
        Text(zh="给例外换一个名称", en="Rename the exception."),
    )
    return False
