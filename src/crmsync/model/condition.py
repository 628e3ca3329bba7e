"""The typed condition tree: what a condition or formula means, whatever spelling wrote it.

Truth is three-valued. A comparison with an unknown value is unknown; ``All``, ``AnyOf`` and ``Not``
follow Kleene; ``Known`` and ``Missing`` are never unknown. Numbers are compared as IEEE doubles,
text by code points and for equality only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from crmsync.model.fact import FactType, FactValue
from crmsync.model.period import Window
from crmsync.model.position import NOWHERE, Span


class Comparison(StrEnum):
    """How two values are compared; text and choices know EQ and NE only."""

    EQ = "="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="


class Operator(StrEnum):
    """Arithmetic; a division by zero is unknown."""

    ADD = "+"
    SUBTRACT = "-"
    MULTIPLY = "*"
    DIVIDE = "/"


class Function(StrEnum):
    """Functions of formulas.

    ``days_since(d)`` whole days from d to as_of (negative for the future), ``months_since(d)``
    whole elapsed months, ``min`` and ``max`` of two or more known values (unknown when one is
    unknown), ``round(x, n)`` half away from zero, ``abs(x)``. ``p_alive`` and
    ``expected_orders`` belong to the clv block's formulas: rule files cannot write them.
    """

    DAYS_SINCE = "days_since"
    MONTHS_SINCE = "months_since"
    MIN = "min"
    MAX = "max"
    ROUND = "round"
    ABS = "abs"
    P_ALIVE = "p_alive"
    EXPECTED_ORDERS = "expected_orders"


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant. Percent literals are ratios; 万 and 亿 are already multiplied out."""

    value: FactValue
    type: FactType
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Name:
    """A fact, a state name (``tier``, ``lifecycle_since`` …) or, in a mapping, a CRM field."""

    id: str
    type: FactType
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """``left op right`` on numbers; a date minus a date gives days."""

    operator: Operator
    left: Expression
    right: Expression
    type: FactType = FactType.NUMBER
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A function call."""

    function: Function
    arguments: tuple[Expression, ...]
    type: FactType = FactType.NUMBER
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Choose:
    """``if(condition, then, otherwise)``; unknown when the condition is unknown."""

    condition: Condition
    then: Expression
    otherwise: Expression
    type: FactType
    span: Span = field(default=NOWHERE, compare=False)


Expression: TypeAlias = Literal | Name | Arithmetic | Call | Choose


@dataclass(frozen=True, slots=True)
class Compare:
    """``left op right``."""

    comparison: Comparison
    left: Expression
    right: Expression
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class OneOf:
    """``operand in a, b, c``."""

    operand: Expression
    values: tuple[Literal, ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Between:
    """``operand between low and high``; both ends belong to it."""

    operand: Expression
    low: Expression
    high: Expression
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Within:
    """``operand within 12 months``: a date inside the window; a future date never fits."""

    operand: Expression
    window: Window
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Known:
    """``operand is known``; never unknown itself."""

    operand: Expression
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Missing:
    """``operand is missing``; never unknown itself."""

    operand: Expression
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Holds:
    """A bare yes_no fact used as a condition."""

    operand: Expression
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class All:
    """Every item holds; an empty All is true."""

    items: tuple[Condition, ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one item holds; an empty AnyOf is false."""

    items: tuple[Condition, ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """The item is false (``none: [a, b]`` is ``Not(AnyOf(a, b))``)."""

    item: Condition
    span: Span = field(default=NOWHERE, compare=False)


Condition: TypeAlias = (
    Compare | OneOf | Between | Within | Known | Missing | Holds | All | AnyOf | Not
)
