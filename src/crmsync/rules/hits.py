"""Which of the rows that fit count, and in which order: the hit policies at work."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from crmsync.model.table import HitPolicy


class HitConflict(Exception):
    """Two rows fit where the policy allows one: ``first`` and ``second`` are their numbers."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__(f"rows {first} and {second}")
        self.first, self.second = first, second


def counting(
    policy: HitPolicy,
    fitting: Sequence[int],
    *,
    rank: Callable[[int], int] = lambda _: 0,
    same: Callable[[int, int], bool] = lambda _a, _b: False,
) -> tuple[int, ...]:
    """The rows that count, of those *fitting* (numbers in the order of the table).

    *rank* orders outputs, the best lowest; rows of one rank stay as they stand. *same* tells
    whether two rows say the same. Policies that make one number of the rows let all of them count.
    Raises HitConflict where ``unique`` has two rows or ``any`` two that differ.
    """
    match policy:
        case HitPolicy.UNIQUE:
            if len(fitting) > 1:
                raise HitConflict(fitting[0], fitting[1])
            return tuple(fitting)
        case HitPolicy.ANY:
            for other in fitting[1:]:
                if not same(fitting[0], other):
                    raise HitConflict(fitting[0], other)
            return tuple(fitting[:1])
        case HitPolicy.FIRST:
            return tuple(fitting[:1])
        case HitPolicy.PRIORITY:
            return tuple(sorted(fitting, key=rank)[:1])
        case HitPolicy.OUTPUT_ORDER:
            return tuple(sorted(fitting, key=rank))
        case _:
            return tuple(fitting)


def ordered(
    policy: HitPolicy, count: int, rank: Callable[[int], int] = lambda _: 0
) -> tuple[int, ...]:
    """All rows in the order in which the first that fits decides, for policies of one row."""
    rows = range(count)
    by_output = policy in {HitPolicy.PRIORITY, HitPolicy.OUTPUT_ORDER}
    return tuple(sorted(rows, key=rank)) if by_output else tuple(rows)
