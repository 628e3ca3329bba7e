"""Gives a tree its meaning as a condition, and checks that both sides go together."""

from __future__ import annotations

from lark import Token, Tree

from crmsync.condition.complaints import (
    backwards,
    mismatch,
    no_condition,
    no_date,
    no_fact,
    no_order,
    only_values,
)
from crmsync.condition.expressions import BROKEN, Branch, ExpressionReader, Where, Words
from crmsync.condition.scope import ScopeName
from crmsync.condition.typing_rules import comparable, ordered
from crmsync.condition.windows import WindowWords
from crmsync.model.condition import (
    All,
    AnyOf,
    Between,
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
    Within,
)
from crmsync.model.fact import FactType
from crmsync.model.text import Text

_SIDES = frozenset({"LPAR", "RPAR", "COMMA", "LSQ", "RSQ", "DOTS"})
NEVER = AnyOf(())


class ConditionReader(ExpressionReader):
    """Reads a condition, or a test of a points line about ``subject``."""

    subject: Expression | None = None

    def condition(self, tree: Branch) -> Condition:
        assert isinstance(tree, Tree)
        span = self._place.part(*self.extent(tree))
        children = tree.children
        match tree.data:
            case "condition":
                return self.condition(children[0])
            case "all_of" | "any_of" | "none":
                return self._group(tree)
            case "negation":
                return Not(self.condition(children[2]), span)
            case "not_bare":
                return Not(self._bare(children[1]), span)
            case "bare":
                return self._bare(children[0])
            case "missing" | "known":
                operand = self.expression(children[0])
                return (Missing if tree.data == "missing" else Known)(operand, span)
            case "within":
                return self._within(children[0], children[1], tree)
            case "between" | "not_between":
                found = self._between(children[0], children[2], children[4], tree)
                return Not(found, span) if tree.data == "not_between" else found
            case "compare":
                return self._compare(children[0], children[1], children[2], tree)
            case "compare_values":
                return self._compare_values(tree)
            case _:
                found = self._one_of(children[0], _entries(children[2:]), tree)
                return Not(found, span) if tree.data == "none_of" else found

    def cell(self, tree: Tree[Token], subject: Expression) -> Condition:
        """The test that one line of a points table or one cell makes of *subject*."""
        self.subject = subject
        inner = tree.children[0] if tree.data == "cell" else tree
        assert isinstance(inner, Tree)
        span = self._place.part(*self.extent(inner))
        children = inner.children
        match inner.data:
            case "compare":
                return self._compare(None, children[0], children[1], inner)
            case "missing" | "known":
                return (Missing if inner.data == "missing" else Known)(subject, span)
            case "within":
                return self._within(None, children[0], inner)
            case "between" | "not_between":
                found = self._between(None, children[1], children[3], inner)
                return Not(found, span) if inner.data == "not_between" else found
            case "range":
                return self._between(None, children[0], children[2], inner)
            case "edged_range":
                return self._edged(inner)
            case _:
                values = _entries(children)
                if inner.data == "plain" and len(values) == 1:
                    return self._compare(None, None, values[0], inner)
                found = self._one_of(None, values, inner)
                return Not(found, span) if inner.data == "none_of" else found

    # ── forms ──────────────────────────────────────────────────────────────────────────────────

    def _group(self, tree: Tree[Token]) -> Condition:
        tests = tree.children[2]
        items = tuple(
            self.condition(part)
            for part in (tests.children if isinstance(tests, Tree) else ())
            if isinstance(part, Tree)
        )
        span = self._place.part(*self.extent(tree))
        if tree.data == "all_of":
            return All(items, span)
        anything = AnyOf(items, span)
        return anything if tree.data == "any_of" else Not(anything, span)

    def _bare(self, tree: Branch) -> Condition:
        operand = self.used_as(self.expression(tree), FactType.YES_NO)
        where = self.extent(tree)
        span = self._place.part(*where)
        if operand is BROKEN:
            return NEVER
        if operand.type is not FactType.YES_NO or isinstance(operand, Literal):
            written = self.text[where[0] : where[1]]
            self.report(no_condition(written, operand.type, where))
            return NEVER
        return Holds(operand, span)

    def _compare(
        self, first: Branch | None, sign: Branch | None, second: Branch, tree: Tree[Token]
    ) -> Condition:
        comparison = Comparison.EQ
        if sign is not None:
            assert isinstance(sign, Token)
            found = self.lexeme(sign).value
            assert isinstance(found, Comparison)
            comparison = found
        at_left = self.extent(tree if first is None else first)
        at_right = self.extent(second)
        left = self._left(first)
        right = self.operand(second, self.meaning(left))
        if isinstance(left, Words):
            if isinstance(right, Words):
                # only the left one is sure to be meant as a fact; of the right, its options decide
                self.report(self.unknown_name(left))
                return NEVER
            left = self.settle(left, self._options_of(right))
        if isinstance(right, Words):
            right = self._right_words(right, left, comparison)
        return self._compared(comparison, left, at_left, right, at_right, tree)

    def _options_of(self, right: Expression) -> ScopeName | None:
        """A word on the left is an option only beside a choice; else it is a mistyped name."""
        found = self.meaning(right)
        return found if found is not None and found.choices and isinstance(right, Name) else None

    def _right_words(self, right: Words, left: Expression, comparison: Comparison) -> Expression:
        hint = self.meaning(left)
        if self._scope.open_names and comparison not in {Comparison.EQ, Comparison.NE}:
            return Name(right.text, FactType.NUMBER, self._place.part(*right.where))
        return BROKEN if hint is None else self.settle(right, hint)

    def _compared(
        self,
        comparison: Comparison,
        left: Expression,
        at_left: Where,
        right: Expression,
        at_right: Where,
        tree: Tree[Token],
    ) -> Condition:
        if BROKEN in (left, right):
            return NEVER
        left = self.used_as(left, _open_type(right.type))
        right = self.used_as(right, left.type)
        left, right = self.matched(left, at_left, right, at_right)
        if BROKEN in (left, right) or not self._goes_with(left, right, at_right, comparison):
            return NEVER
        if isinstance(left, Literal) and isinstance(right, Literal):
            self.report(no_fact(self.extent(tree)))
            return NEVER
        return Compare(comparison, left, right, self._place.part(*self.extent(tree)))

    def _goes_with(
        self, left: Expression, right: Expression, where: Where, comparison: Comparison
    ) -> bool:
        order = comparison not in {Comparison.EQ, Comparison.NE}
        share = {left.type, right.type}
        odd_share = FactType.PERCENT in share and share & {FactType.INTEGER, FactType.MONEY}
        literal_share = isinstance(left, Literal) or isinstance(right, Literal)
        if not comparable(left.type, right.type) or (odd_share and literal_share):
            self._mismatch(left, right, where)
            return False
        if order and not ordered(left.type):
            self.report(no_order(left.type, where))
            return False
        return True

    def _mismatch(self, left: Expression, right: Expression, where: Where) -> None:
        hint = self.meaning(left)
        label = Text.same(self.text.strip())
        if hint is not None:
            label = hint.label or Text.same(hint.id)
        written = self.text[where[0] : where[1]]
        self.report(mismatch(label, left.type, right.type, written, where))

    def _compare_values(self, tree: Tree[Token]) -> Condition:
        first, sign, choices = tree.children
        assert isinstance(choices, Tree)
        values = _entries(choices.children)
        if len(values) == 1:
            return self._compare(first, sign, values[0], tree)
        assert isinstance(sign, Token)
        found = self._one_of(first, values, tree)
        negative = self.lexeme(sign).value is Comparison.NE
        return Not(found, self._place.part(*self.extent(tree))) if negative else found

    def _one_of(self, first: Branch | None, values: list[Branch], tree: Tree[Token]) -> Condition:
        left = self._left(first)
        if isinstance(left, Words):
            left = self.settle(left, None)
        hint = self.meaning(left)
        literals: list[Literal] = []
        for value in values:
            if left is BROKEN:
                break
            found = self.expression(value, hint)
            where = self.extent(value)
            left = self.used_as(left, _open_type(found.type))
            if found is BROKEN:
                continue
            _, found = self.matched(left, where, found, where)
            if found is BROKEN:
                continue
            if not isinstance(found, Literal):
                self.report(only_values(self.text[where[0] : where[1]], where))
            elif self._goes_with(left, found, where, Comparison.EQ):
                literals.append(found)
        if left is BROKEN or not literals:
            return NEVER
        return OneOf(left, tuple(literals), self._place.part(*self.extent(tree)))

    def _between(
        self, first: Branch | None, low: Branch, high: Branch, tree: Tree[Token]
    ) -> Condition:
        ends = self._ends(first, low, high)
        if ends is None:
            return NEVER
        left, bottom, top = ends
        return Between(left, bottom, top, self._place.part(*self.extent(tree)))

    def _edged(self, tree: Tree[Token]) -> Condition:
        opening, low, _, high, closing = tree.children
        ends = self._ends(None, low, high)
        if ends is None:
            return NEVER
        left, bottom, top = ends
        span = self._place.part(*self.extent(tree))
        first = _edge(opening) == "LSQ"
        last = _edge(closing) == "RSQ"
        if first and last:
            return Between(left, bottom, top, span)
        above = Compare(Comparison.GE if first else Comparison.GT, left, bottom, span)
        below = Compare(Comparison.LE if last else Comparison.LT, left, top, span)
        return All((above, below), span)

    def _ends(
        self, first: Branch | None, low: Branch, high: Branch
    ) -> tuple[Expression, Expression, Expression] | None:
        left = self._left(first)
        if isinstance(left, Words):
            left = self.settle(left, None)
        ends: list[Expression] = []
        for part in (low, high):
            where = self.extent(part)
            found = self.expression(part, self.meaning(left))
            left = self.used_as(left, _open_type(found.type))
            found = self.used_as(found, left.type)
            if BROKEN in (left, found):
                continue
            _, found = self.matched(left, where, found, where)
            if found is not BROKEN and self._goes_with(left, found, where, Comparison.GE):
                ends.append(found)
        if left is BROKEN or len(ends) != 2:
            return None
        self._check_order(ends[0], ends[1], (self.extent(low)[0], self.extent(high)[1]))
        return left, ends[0], ends[1]

    def _check_order(self, low: Expression, high: Expression, where: Where) -> None:
        if not (isinstance(low, Literal) and isinstance(high, Literal)):
            return
        if low.value is None or high.value is None or low.value <= high.value:  # type: ignore[operator]
            return
        self.report(backwards(where))

    def _within(self, first: Branch | None, window: Branch, tree: Tree[Token]) -> Condition:
        left = self._left(first)
        if isinstance(left, Words):
            left = self.settle(left, None)
        left = self.used_as(left, FactType.DATE)
        assert isinstance(window, Token)
        words = self.lexeme(window).value
        assert isinstance(words, WindowWords)
        span = self._place.part(*self.extent(tree))
        if left is BROKEN:
            return NEVER
        if left.type is not FactType.DATE:
            where = self.extent(tree if first is None else first)
            written = self.text[where[0] : where[1]]
            self.report(no_date(written, left.type, where))
            return NEVER
        found = Within(left, words.window, span)
        return Not(found, span) if words.negated else found

    def _left(self, first: Branch | None) -> Expression | Words:
        if first is None:
            assert self.subject is not None
            return self.subject
        return self.operand(first)


def _entries(children: list[Branch]) -> list[Branch]:
    """The entries among children that may be one list node, or entries between commas."""
    out: list[Branch] = []
    for part in children:
        if isinstance(part, Tree) and part.data in {"items", "choices"}:
            out.extend(_entries(part.children))
        elif isinstance(part, Tree) or part.type not in _SIDES | {"IN", "NOT_IN"}:
            out.append(part)
    return out


def _edge(part: Branch) -> str:
    assert isinstance(part, Tree)
    first = part.children[0]
    assert isinstance(first, Token)
    return first.type


def _open_type(type: FactType) -> FactType:
    return FactType.NUMBER if type is FactType.INTEGER else type
