"""Who a ruleset is for, beyond what the mapping leaves out."""

from __future__ import annotations

from dataclasses import dataclass

from crmsync.model.condition import Condition
from crmsync.model.fact import FactValue


@dataclass(frozen=True, slots=True)
class ScopeLine:
    """One line of ``scope``: the fact that names the business line, and this ruleset's value."""

    fact: str
    value: FactValue
    when: Condition
