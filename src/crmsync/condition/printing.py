"""Conditions and formulas as sentences the parser reads again, in Chinese, English or signs."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Literal as OneOfThese
from typing import assert_never

from crmsync.condition.lexer import Lexer
from crmsync.condition.numbers import number_text
from crmsync.condition.operators import SIGNS
from crmsync.condition.scope import Scope, ScopeChoice, ScopeName, fold
from crmsync.condition.trouble import Trouble
from crmsync.condition.windows import calendar_words
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
from crmsync.model.fact import FactType
from crmsync.model.period import CalendarWindow, Period

Spelling = OneOfThese["zh", "en", "symbols"]
_RANK = {Operator.ADD: 1, Operator.SUBTRACT: 1, Operator.MULTIPLY: 2, Operator.DIVIDE: 2}
_SIGN = {
    Operator.ADD: "+",
    Operator.SUBTRACT: "-",
    Operator.MULTIPLY: "×",
    Operator.DIVIDE: "÷",
}
_QUOTES = (("“", "”"), ("「", "」"), ("『", "』"), ('"', '"'), ("'", "'"), ("‘", "’"))
_NOTHING = Scope()
_DAYS = {
    "zh": {
        Comparison.LT: "早于",
        Comparison.GT: "晚于",
        Comparison.LE: "不晚于",
        Comparison.GE: "不早于",
    },
    "en": {Comparison.LT: "before", Comparison.GT: "after"},
    "symbols": {},
}
_EXACT = {Comparison.EQ: "等于", Comparison.NE: "不等于"}


def to_text(
    node: Condition | Expression, scope: Scope | None = None, spelling: Spelling = "symbols"
) -> str:
    """The sentence that reads as *node* again in *scope*.

    ``symbols`` uses ids and signs, ``zh`` and ``en`` use labels and words. A group becomes
    ``all(…)``, ``any(…)`` or ``none(…)``. Without a scope names are printed by id.
    """
    printer = _Printer(scope or _NOTHING, spelling)
    if isinstance(node, Literal | Name | Arithmetic | Call | Choose):
        return printer.expression(node)
    return printer.condition(node)


class _Printer:
    def __init__(self, scope: Scope, spelling: Spelling) -> None:
        self._scope = scope
        self._spelling = spelling
        self._zh = spelling == "zh"

    # ── conditions ─────────────────────────────────────────────────────────────────────────────

    def condition(self, node: Condition, *, inside: bool = False) -> str:
        match node:
            case All() | AnyOf() | Not():
                return self._group(node, inside=inside)
            case Compare():
                return self._compare(node)
            case OneOf():
                return self._one_of(node, inside=inside, negated=False)
            case Between():
                return self._between(node, negated=False)
            case Within():
                return self._within(node, negated=False)
            case Known(operand=operand):
                return f"{self.expression(operand)} {'有值' if self._zh else 'is known'}"
            case Missing(operand=operand):
                return f"{self.expression(operand)} {'缺失' if self._zh else 'is missing'}"
            case Holds(operand=operand):
                return self.expression(operand)
            case _:
                assert_never(node)

    def _group(self, node: All | AnyOf | Not, *, inside: bool) -> str:
        match node:
            case All(items=items):
                return self._listed("全部" if self._zh else "all", items)
            case AnyOf(items=items):
                return self._listed("任一" if self._zh else "any", items)
            case Not(item=AnyOf(items=items)):
                return self._listed("都不" if self._zh else "none", items)
            case Not(item=OneOf() as item):
                return self._one_of(item, inside=inside, negated=True)
            case Not(item=Between() as item):
                return self._between(item, negated=True)
            case Not(item=Within() as item):
                return self._within(item, negated=True)
            case Not(item=item):
                return self._listed("非" if self._zh else "not", (item,))

    def _listed(self, word: str, items: tuple[Condition, ...]) -> str:
        return f"{word}({', '.join(self.condition(item, inside=True) for item in items)})"

    def _compare(self, node: Compare) -> str:
        left = self.expression(node.left, beside=node.right)
        right = self.expression(node.right, beside=node.left)
        word = SIGNS[self._spelling][node.comparison]
        day = node.left.type in {FactType.DATE, FactType.DATETIME}
        if self._zh and (day or node.left.type.numeric):
            word = _EXACT.get(node.comparison, word)
        if day:
            word = _DAYS[self._spelling].get(node.comparison, word)
        return f"{left} {word} {right}"

    def _one_of(self, node: OneOf, *, inside: bool, negated: bool) -> str:
        word = ("不属于" if negated else "属于") if self._zh else ("not in" if negated else "in")
        values = ", ".join(self.expression(value, beside=node.operand) for value in node.values)
        if inside:
            values = f"({values})"
        return f"{self.expression(node.operand)} {word} {values}"

    def _between(self, node: Between, *, negated: bool) -> str:
        operand = self.expression(node.operand)
        low = self.expression(node.low, beside=node.operand)
        high = self.expression(node.high, beside=node.operand)
        if self._zh:
            return f"{operand} {'不' if negated else ''}介于 {low} 和 {high} 之间"
        return f"{operand} {'not ' if negated else ''}between {low} and {high}"

    def _within(self, node: Within, *, negated: bool) -> str:
        operand = self.expression(node.operand)
        if isinstance(node.window, CalendarWindow):
            words = calendar_words(node.window, zh=self._zh)
            if self._zh:
                return f"{operand} {'不' if negated else ''}在 {words}"
            return f"{operand} {'not ' if negated else ''}in {words}"
        length, ago = node.window.length, node.window.ago
        if self._zh:
            end = f"截至 {_period(ago, zh=True)}前的 " if ago != Period() else ""
            return f"{operand} {'不' if negated else ''}在 {end}{_period(length, zh=True)}内"
        end = f" ending {_period(ago, zh=False)} ago" if ago != Period() else ""
        return f"{operand} {'not ' if negated else ''}within {_period(length, zh=False)}{end}"

    # ── expressions ────────────────────────────────────────────────────────────────────────────

    def expression(self, node: Expression, *, beside: Expression | None = None) -> str:
        match node:
            case Literal():
                return self._literal(node, beside)
            case Name():
                return self._name(node.id)
            case Arithmetic():
                return self._arithmetic(node)
            case Call(function=function, arguments=arguments):
                inner = ", ".join(self.expression(item) for item in arguments)
                return f"{function.value}({inner})"
            case Choose(condition=condition, then=then, otherwise=otherwise):
                test = self.condition(condition, inside=True)
                first = self.expression(then, beside=beside or otherwise)
                second = self.expression(otherwise, beside=beside or then)
                return f"{'如果' if self._zh else 'if'}({test}, {first}, {second})"
            case _:
                assert_never(node)

    def _arithmetic(self, node: Arithmetic) -> str:
        rank = _RANK[node.operator]
        left, right = self.expression(node.left), self.expression(node.right)
        if isinstance(node.left, Arithmetic) and _RANK[node.left.operator] < rank:
            left = f"({left})"
        if isinstance(node.right, Arithmetic) and _RANK[node.right.operator] <= rank:
            right = f"({right})"
        return f"{left} {_SIGN[node.operator]} {right}"

    def _literal(self, node: Literal, beside: Expression | None) -> str:
        value = node.value
        match value:
            case None:
                return "?"
            case bool():
                return ("是" if value else "否") if self._zh else ("yes" if value else "no")
            case datetime() | date():
                return value.isoformat()
            case int() | float() | Decimal():
                exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
                if node.type is FactType.PERCENT:
                    return number_text(exact * 100) + "%"
                return number_text(exact, han=self._zh)
            case str():
                if node.type is FactType.CHOICE:
                    return self._choice(value, beside)
                return _quoted(value)

    def _choice(self, value: str, beside: Expression | None) -> str:
        owner = self._owner(beside)
        word = value
        for choice in owner.choices if owner is not None else ():
            if choice.value == value:
                word = self._choice_word(choice, owner)
        return word if self._alone(word) == "WORD" else _quoted(word)

    def _choice_word(self, choice: ScopeChoice, owner: ScopeName | None) -> str:
        if self._spelling == "symbols" or choice.label is None or owner is None:
            return choice.value
        word = choice.label.to(self._spelling)
        return word if owner.option(word) == choice.value else choice.value

    def _owner(self, beside: Expression | None) -> ScopeName | None:
        if isinstance(beside, Name):
            return self._scope.find(beside.id)
        if isinstance(beside, Choose):
            return self._owner(beside.then) or self._owner(beside.otherwise)
        return None

    def _name(self, id: str) -> str:
        found = self._scope.find(id)
        words = [id]
        if found is not None and found.label is not None and self._spelling != "symbols":
            words.insert(0, found.label.to(self._spelling))
        for word in words:
            if found is not None and [item.id for item in self._scope.named(word)] != [id]:
                continue
            if found is None:
                return word if self._alone(word) == "WORD" else _quoted(word)
            if self._alone(word) == "NAME":
                return word
            quoted = _quoted(word)
            if self._alone(quoted) == "QUOTED":
                return quoted
        return id

    def _alone(self, word: str) -> str | None:
        """The kind of the one token *word* is by itself; ``None`` when it falls apart."""
        try:
            found = Lexer(word, self._scope).run()
        except Trouble:
            return None
        whole = len(found) == 1 and (found[0].start, found[0].end) == (0, len(word))
        if not whole or fold(word) != fold(word).strip():
            return None
        return found[0].kind


def _quoted(word: str) -> str:
    for opening, closing in _QUOTES:
        if opening not in word and closing not in word:
            return f"{opening}{word}{closing}"
    return f"“{word}”"


def _period(period: Period, *, zh: bool) -> str:
    number = period.months or period.days
    if period.months:
        return f"{number} 个月" if zh else f"{number} {'month' if number == 1 else 'months'}"
    return f"{number} 天" if zh else f"{number} {'day' if number == 1 else 'days'}"
