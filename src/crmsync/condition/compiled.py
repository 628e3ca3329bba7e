"""Conditions and formulas turned into plain Python functions.

The text of the functions is generated from the typed tree alone. Constants travel as bound names
(``k0``, ``k1`` …), names become numbered slots; nothing a rule file says is ever pasted into it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, TypeAlias

from crmsync.condition import repeat_buying
from crmsync.condition import values as reading
from crmsync.condition.shape import negate, normal_form
from crmsync.condition.values import Kind, common_kind, kind_of, ordered
from crmsync.model.condition import (
    All,
    AnyOf,
    Arithmetic,
    Between,
    Call,
    Choose,
    Compare,
    Comparison,
    Condition,
    Expression,
    Function,
    Holds,
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
from crmsync.model.period import Window

Matcher: TypeAlias = Callable[[Sequence[FactValue], date], int]
Formula: TypeAlias = Callable[[Sequence[FactValue], date], FactValue]

_Result: TypeAlias = Any  # a bitmask or a value: the callers above say which
_OfOneDay: TypeAlias = Callable[[Sequence[FactValue]], _Result]

_PYTHON = {
    Comparison.EQ: "==",
    Comparison.NE: "!=",
    Comparison.LT: "<",
    Comparison.LE: "<=",
    Comparison.GT: ">",
    Comparison.GE: ">=",
}
FORESEEING = frozenset({Function.P_ALIVE, Function.EXPECTED_ORDERS})
_NEVER = "False"
_REMEMBERED_DAYS = 64
_MOST_DIGITS = 15


def compile_matcher(conditions: Sequence[Condition], slots: Sequence[str]) -> Matcher:
    """One function over a row of values (in the order of *slots*) and ``as_of``.

    Bit *n* of its result is set when ``conditions[n]`` is true; compile the `negate` of a condition
    beside it to tell false from unknown. Raises KeyError when a condition reads a name without a
    slot.
    """
    return matcher_by(PythonWriter(slots), conditions)


def matcher_by(writer: PythonWriter, conditions: Sequence[Condition]) -> Matcher:
    """`compile_matcher` with the writer of the caller's choice, used for this one function."""
    tests = [writer.true(normal_form(condition)) for condition in conditions]
    lines = ["mask = 0"]
    for number, test in enumerate(tests):
        lines += [f"if {test}:", f"    mask |= {1 << number}"]
    return _per_day(writer, [*lines, "return mask"])


def compile_expression(expression: Expression, slots: Sequence[str]) -> Formula:
    """One function giving the value of *expression*; numbers come as ``float``, unknown as None."""
    writer = PythonWriter(slots)
    return _per_day(writer, [f"return {writer.value(expression)}"])


def _per_day(writer: PythonWriter, body: Sequence[str]) -> Callable[..., _Result]:
    """Compile the function once; bind the constants that hang on ``as_of`` once per day."""
    bind = writer.compile(body)
    bound: dict[date, _OfOneDay] = {}

    def run(values: Sequence[FactValue], as_of: date) -> _Result:
        function = bound.get(as_of)
        if function is None:
            if len(bound) >= _REMEMBERED_DAYS:
                bound.clear()
            windows = [reading.window_bounds(window, as_of) for window in writer.windows]
            function = bound[as_of] = bind(as_of, windows)
        return function(values)

    return run


class PythonWriter:
    """Writes Python expressions for one function; a tree is written in `normal_form`.

    ``true`` gives an expression that is true exactly when the condition is; ``value`` one that
    gives the value or ``None``. Compound operands are bound to fresh local names by ``:=`` inside
    the test that they are known, and only used after it.
    """

    def __init__(self, slots: Sequence[str]) -> None:
        self.windows: list[Window] = []
        self._slots = {name: number for number, name in enumerate(slots)}
        self._constants: dict[str, object] = {}
        self._reads: dict[int, FactType] = {}
        self._fresh = 0

    def true(self, condition: Condition) -> str:
        """An expression that is true exactly when *condition* is."""
        match condition:
            case All(items=items):
                return (
                    "(" + " and ".join(self.true(item) for item in items) + ")" if items else "True"
                )
            case AnyOf(items=items):
                return (
                    "(" + " or ".join(self.true(item) for item in items) + ")" if items else _NEVER
                )
            case Compare(comparison=comparison, left=left, right=right):
                return self.compare(comparison, left, right)
            case Between(operand=operand, low=low, high=high):
                lower = self.compare(Comparison.GE, operand, low)
                return f"({lower} and {self.compare(Comparison.LE, operand, high)})"
            case OneOf() | Not(item=OneOf()):
                return self._one_of(condition)
            case Within() | Not(item=Within()):
                return self._within(condition)
            case Known(operand=operand):
                return self._all(self._known(operand)[0])
            case Missing(operand=operand):
                return f"({self.value(operand)} is None)"
            case Holds(operand=operand):
                if kind_of(operand) is not Kind.YES_NO:
                    return _NEVER
                known, ref = self._known(operand)
                return self._all(known, ref)
            case Not(item=item):
                return self.true(negate(item))

    def compare(self, comparison: Comparison, left: Expression, right: Expression) -> str:
        """The test that both sides are known and compare so."""
        kind = common_kind(kind_of(left), kind_of(right))
        if kind is None or (comparison not in {"=", "!="} and not ordered(kind)):
            return _NEVER
        known_left, a = self._known(left, kind)
        known_right, b = self._known(right, kind)
        return self._all(known_left, known_right, f"{a} {_PYTHON[comparison]} {b}")

    def value(self, expression: Expression) -> str:
        """An expression giving the value, or ``None`` when it is unknown."""
        match expression:
            case Literal(value=value, type=type):
                return self._constant(reading.read(value, type))
            case Name(id=id, type=type):
                number = self._slots[id]
                self._reads[number] = type
                return f"v{number}"
            case Arithmetic(operator=operator, left=left, right=right):
                return self.arithmetic(operator, left, right)
            case Call(function=function, arguments=arguments):
                return self._call(function, arguments)
            case Choose(condition=condition, then=then, otherwise=otherwise):
                yes, no = self.true(normal_form(condition)), self.true(negate(condition))
                a, b = (
                    self.value(branch) if kind_of(branch) is kind_of(expression) else "None"
                    for branch in (then, otherwise)
                )
                return f"({a} if {yes} else {b} if {no} else None)"

    def arithmetic(self, operator: Operator, left: Expression, right: Expression) -> str:
        """A sum, difference, product or quotient; not finite, or by zero: unknown."""
        kinds = {kind_of(left), kind_of(right)}
        if kinds <= {Kind.DAY, Kind.MOMENT} and operator is Operator.SUBTRACT:
            known_left, a = self._known(left, Kind.DAY)
            known_right, b = self._known(right, Kind.DAY)
            return f"(float(({a} - {b}).days) if {self._all(known_left, known_right)} else None)"
        if kinds != {Kind.NUMBER}:
            return "None"
        known_left, a = self._known(left)
        known_right, b = self._known(right)
        possible = f"{b} != 0.0" if operator is Operator.DIVIDE else ""
        test = self._all(known_left, known_right, possible)
        return f"(finite({a} {operator.value} {b}) if {test} else None)"

    def _call(self, function: Function, arguments: Sequence[Expression]) -> str:
        if function in {Function.DAYS_SINCE, Function.MONTHS_SINCE}:
            if kind_of(arguments[0]) not in {Kind.DAY, Kind.MOMENT}:
                return "None"
            known, ref = self._known(arguments[0], Kind.DAY)
            if function is Function.DAYS_SINCE:
                return f"(float((today - {ref}).days) if {self._all(known)} else None)"
            return f"(float(months_between({ref}, today)) if {self._all(known)} else None)"
        if function is Function.ROUND:
            known, ref = self._known(arguments[0])
            digits = round_digits(arguments)
            return f"(round_half_away({ref}, {digits}) if {self._all(known)} else None)"
        kinds = {kind_of(argument) for argument in arguments}
        if len(kinds) != 1 or not ordered(next(iter(kinds))):
            return "None"
        pairs = [self._known(argument) for argument in arguments]
        test = self._all(*(known for known, _ in pairs))
        refs = ", ".join(ref for _, ref in pairs)
        if function in FORESEEING and kinds != {Kind.NUMBER}:
            return "None"
        return f"({function.value}({refs}) if {test} else None)"

    def _one_of(self, condition: Condition) -> str:
        inside = isinstance(condition, OneOf)
        leaf = condition if isinstance(condition, OneOf) else condition.item  # type: ignore[union-attr]
        assert isinstance(leaf, OneOf)
        kind = kind_of(leaf.operand)
        choices = frozenset(
            value
            for item in leaf.values
            if common_kind(kind, kind_of(item)) is kind
            and (value := reading.read(item.value, item.type)) is not None
        )
        if not choices:
            return _NEVER if inside else "True"
        known, ref = self._known(leaf.operand)
        return self._all(known, f"{ref} {'in' if inside else 'not in'} {self._constant(choices)}")

    def _within(self, condition: Condition) -> str:
        inside = isinstance(condition, Within)
        leaf = condition if isinstance(condition, Within) else condition.item  # type: ignore[union-attr]
        assert isinstance(leaf, Within)
        if kind_of(leaf.operand) not in {Kind.DAY, Kind.MOMENT}:
            return _NEVER
        number = len(self.windows)
        self.windows.append(leaf.window)
        known, ref = self._known(leaf.operand, Kind.DAY)
        test = f"after{number} < {ref} <= until{number}"
        return self._all(known, test if inside else f"not ({test})")

    def _known(self, expression: Expression, wanted: Kind | None = None) -> tuple[str, str]:
        """The test that *expression* is known, and how to refer to its value after that test."""
        kind = kind_of(expression)
        text = self.value(expression)
        if isinstance(expression, Literal):
            known = "" if reading.read(expression.value, expression.type) is not None else _NEVER
        elif isinstance(expression, Name):
            known = f"{text} is not None"
        else:
            self._fresh += 1
            text, source = f"t{self._fresh}", text
            known = f"({text} := {source}) is not None"
        if wanted is Kind.DAY and kind is Kind.MOMENT:
            return known, f"{text}.date()"
        return known, text

    @staticmethod
    def _all(*tests: str) -> str:
        return "(" + (" and ".join(test for test in tests if test) or "True") + ")"

    def _constant(self, value: object) -> str:
        name = f"k{len(self._constants)}"
        self._constants[name] = value
        return name

    def compile(self, body: Sequence[str]) -> Callable[..., _OfOneDay]:
        """The factory ``bind(today, windows)`` of the function whose statements are *body*."""
        lines = ["def bind(today, windows):"]
        for number in range(len(self.windows)):
            lines.append(f"    after{number}, until{number} = windows[{number}]")
        lines.append("    def run(values):")
        for slot, kind in sorted(self._reads.items()):
            lines.append(f"        v{slot} = read_{kind.name}(values[{slot}])")
        lines += [f"        {line}" for line in body]
        lines.append("    return run")
        scope: dict[str, Any] = {
            "finite": reading.finite,
            "months_between": reading.months_between,
            "round_half_away": reading.round_half_away,
            "p_alive": repeat_buying.p_alive_of,
            "expected_orders": repeat_buying.expected_orders_of,
            **{f"read_{kind.name}": reader for kind, reader in reading.READERS.items()},
            **self._constants,
        }
        exec(compile("\n".join(lines), "<conditions>", "exec"), scope)  # noqa: S102 - no rule text in it
        bind: Callable[..., _OfOneDay] = scope["bind"]
        return bind


def round_digits(arguments: Sequence[Expression]) -> int:
    """The decimal places of ``round(x, n)``: a constant, 0 when it is left out."""
    if len(arguments) < 2:
        return 0
    second = arguments[1]
    if isinstance(second, Literal) and (value := reading.number(second.value)) is not None:
        return max(-_MOST_DIGITS, min(_MOST_DIGITS, int(value)))
    raise ValueError("round() needs a constant number of decimal places")
