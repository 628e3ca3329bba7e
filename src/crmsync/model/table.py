"""Hit policies of decision tables, by the names DMN gives them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum


class HitPolicy(StrEnum):
    """What counts when several rows of a table fit.

    UNIQUE: no two rows ever fit the same customer. FIRST: the topmost one. ANY: several may fit if
    they say the same. PRIORITY: the one with the best output. OUTPUT_ORDER: all, the best output
    first. RULE_ORDER and COLLECT: all, as they stand. The others make one number of all that fit.
    """

    UNIQUE = "unique"
    FIRST = "first"
    ANY = "any"
    PRIORITY = "priority"
    OUTPUT_ORDER = "output order"
    RULE_ORDER = "rule order"
    COLLECT = "collect"
    COLLECT_SUM = "collect sum"
    COLLECT_MIN = "collect min"
    COLLECT_MAX = "collect max"
    COLLECT_COUNT = "collect count"

    @property
    def single(self) -> bool:
        """Whether one row decides."""
        return self in SINGLE

    @property
    def gathers(self) -> bool:
        """Whether one number is made of every row that fits."""
        return self in GATHERING


SINGLE = frozenset({HitPolicy.UNIQUE, HitPolicy.FIRST, HitPolicy.ANY, HitPolicy.PRIORITY})
LISTING = frozenset({HitPolicy.OUTPUT_ORDER, HitPolicy.RULE_ORDER, HitPolicy.COLLECT})
GATHERING = frozenset(
    {
        HitPolicy.COLLECT_SUM,
        HitPolicy.COLLECT_MIN,
        HitPolicy.COLLECT_MAX,
        HitPolicy.COLLECT_COUNT,
    }
)


def gather(policy: HitPolicy, sure: Sequence[Decimal], maybe: Sequence[Decimal] = ()) -> Range:
    """The least and the most one number may become: *sure* rows fit, *maybe* rows might.

    Without any row it is 0. Numbers are points, so none is below 0. Raises ValueError for a policy
    that gathers nothing.
    """
    both = [*sure, *maybe]
    nothing = Decimal(0)
    match policy:
        case HitPolicy.COLLECT_SUM:
            return sum(sure, nothing), sum(both, nothing)
        case HitPolicy.COLLECT_COUNT:
            return Decimal(len(sure)), Decimal(len(both))
        case HitPolicy.COLLECT_MAX:
            return max(sure, default=nothing), max(both, default=nothing)
        case HitPolicy.COLLECT_MIN:
            low = min(both, default=nothing) if sure else nothing
            return low, min(sure) if sure else max(maybe, default=nothing)
    raise ValueError(f"{policy} gathers nothing")


Range = tuple[Decimal, Decimal]
