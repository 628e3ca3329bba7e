"""The self-test of the rete matcher and agenda: against the compiled ones, on awkward values of
every type and on chains of small facts.

Run as a program it exits with 0 when the extension is there and agrees. `rete_status` runs it in a
process of its own, because a fault inside the extension ends the process it happens in.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from crmsync.condition import compile_matcher, negate
from crmsync.evaluate.chaining import Chained, Small, Step, What
from crmsync.evaluate.rete import ReteNetworks
from crmsync.evaluate.rete_agenda import ReteAgenda
from crmsync.evaluate.rete_native import ReteError, extension
from crmsync.model.condition import (
    All,
    AnyOf,
    Arithmetic,
    Between,
    Compare,
    Comparison,
    Condition,
    Known,
    Literal,
    Missing,
    Name,
    Not,
    OneOf,
    Operator,
    Within,
)
from crmsync.model.fact import FactType, FactValue
from crmsync.model.period import CalendarUnit, CalendarWindow, Period, RollingWindow
from crmsync.model.text import Text

AS_OF = date(2028, 2, 29)
PATIENCE_SECONDS = 60
_DISAGREES = 3
_SMALLS = 24
_VALUES: dict[FactType, tuple[FactValue, ...]] = {
    FactType.INTEGER: (0, 1, -1, 7, 2**53, 2**53 + 1, -(2**63)),
    FactType.NUMBER: (0.0, -0.0, 1e-05, 0.1 + 0.2, 0.3, 1e16, 5e-324, 1e300, float("nan")),
    FactType.PERCENT: (0.2, 0.30000000000000004, float("inf"), -1.0),
    FactType.MONEY: (Decimal("0.1"), Decimal("1e16"), Decimal("-2.5"), Decimal("9007199254740993")),
    FactType.DATE: (AS_OF, date(2027, 2, 28), date(1970, 1, 1), date(9999, 12, 31)),
    FactType.DATETIME: (datetime(2028, 2, 29, tzinfo=UTC), datetime(2028, 2, 28, 23, tzinfo=UTC)),
    FactType.TEXT: ("", "高", "🙂", "O'Brien", 'say "hi"', "a\\b", "null", "e\u0301", "x" * 70_000),
    FactType.CHOICE: ("A", "a", "A ", "true", "1", "{", "\u0000", "\ud800"),
    FactType.YES_NO: (True, False),
}
_NAMES = {kind: Name(f"a_{kind.value}", kind) for kind in _VALUES}
_SLOTS = tuple(name.id for name in _NAMES.values())


class ReteStatus(NamedTuple):
    """Whether the rete matcher may be used in this process, and why."""

    usable: bool
    why: Text


@cache
def rete_status() -> ReteStatus:
    """The outcome of the self-test, made once per process in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "crmsync.evaluate.rete_check"],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as problem:
        return _unusable(type(problem).__name__)
    if done.returncode == 0:
        text = Text(zh="通过自检", en="passed its self-test")
        return ReteStatus(usable=True, why=text)
    said = done.stderr.decode(errors="replace").strip().splitlines()
    if done.returncode < 0:
        said = [f"signal {-done.returncode}"]
    return _unusable(said[-1] if said else f"exit {done.returncode}")


def _unusable(reason: str) -> ReteStatus:
    text = Text(zh=f"不可用（{reason}）", en=f"cannot be used ({reason})")
    return ReteStatus(usable=False, why=text)


def disagreements() -> list[str]:
    """Where the rete and the compiled matcher and agenda differ; raises ReteError without an
    extension."""
    extension()
    return [*_wrong_verdicts(), *_wrong_agendas()]


def _wrong_verdicts() -> list[str]:
    conditions = [*_conditions()]
    both = [*conditions, *(negate(item) for item in conditions)]
    compiled = compile_matcher(both, _SLOTS)
    rete = ReteNetworks(both, _SLOTS)
    found = []
    for _ in range(2):  # once as built, once as built again after closing
        for number, row in enumerate(_rows()):
            wrong = compiled(row, AS_OF) ^ rete.match(row, AS_OF)
            found += [f"row {number}, condition {bit}" for bit in _bits(wrong)]
        rete.close()
    return found


def _wrong_agendas() -> list[str]:
    """Chains of several steps over more rules than one network takes, facts told in both orders."""
    smalls = [Small(What.TIER, str(number)) for number in range(_SMALLS)]
    steps = [
        Step((smalls[n], *(smalls[n + gap] for gap in gaps)), Small(What.OPENS, f"{n} {gaps}"))
        for n in range(_SMALLS - 9)
        for gaps in ((), (1,), (9,), (2, 5), (1, 3, 4, 8))
    ]
    steps += [
        Step((Small(What.OPENS, f"{n} (1,)"), smalls[n + 9]), Small(What.CLOSES, str(n)))
        for n in range(_SMALLS - 9)
    ]
    steps += [
        Step((Small(What.CLOSES, str(n)), Small(What.OPENS, f"{n + 1} (2, 5)")), smalls[n])
        for n in range(1, _SMALLS - 10)
    ]
    compiled, rete = Chained(steps), ReteAgenda(steps)
    found = []
    for number in range(2 * _SMALLS):
        told = [small for n, small in enumerate(smalls) if (number * 37 + n * n) % 7 % 3]
        right = compiled.follow(told)
        found += [
            f"agenda {number}"
            for facts in (told, told[::-1])
            if rete.follow(facts) != right or rete.failures
        ]
        if number == _SMALLS:
            rete.close()  # and built again
    return found


def _conditions() -> Iterator[Condition]:
    leaves: list[Condition] = []
    for kind, values in _VALUES.items():
        name, literals = _NAMES[kind], [Literal(value, kind) for value in values]
        for literal in literals:
            leaves += [Compare(how, name, literal) for how in Comparison]
        leaves += [OneOf(name, tuple(literals[:3])), OneOf(name, tuple(literals))]
        leaves += [Known(name), Missing(name), Between(name, literals[0], literals[1])]
    day = _NAMES[FactType.DATE]
    windows = (
        RollingWindow(Period(months=12)),
        RollingWindow(Period(days=30)),
        CalendarWindow(CalendarUnit.QUARTER),
    )
    leaves += [Within(day, window) for window in windows]
    number, whole = _NAMES[FactType.NUMBER], _NAMES[FactType.INTEGER]
    quotient = Arithmetic(Operator.DIVIDE, number, whole)
    leaves.append(Compare(Comparison.LE, quotient, Literal(0.3, FactType.NUMBER)))
    yield from leaves
    # shapes over leaves that lie far apart, so that each mixes types
    apart = [*leaves[::7], *leaves[3::7]]
    for one, other in pairwise(apart):
        yield All((one, other))
        yield AnyOf((one, Not(other)))
        yield Not(AnyOf((one, All((other, one)))))


def _rows() -> Iterator[Sequence[FactValue]]:
    yield [None] * len(_SLOTS)
    longest = max(map(len, _VALUES.values()))
    for number in range(2 * longest):
        # every other row lacks one value of another type
        row = [values[number % len(values)] for values in _VALUES.values()]
        if number % 2:
            row[number % len(row)] = None
        yield row


def _bits(mask: int) -> list[int]:
    return [bit for bit in range(mask.bit_length()) if mask >> bit & 1]


def main() -> int:
    """0 when the extension agrees; else the reason goes to standard error."""
    try:
        wrong = disagreements()
    except ReteError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    if wrong:
        sys.stderr.write(f"{len(wrong)} wrong verdicts, first: {wrong[0]}\n")
        return _DISAGREES
    return 0


if __name__ == "__main__":
    sys.exit(main())
