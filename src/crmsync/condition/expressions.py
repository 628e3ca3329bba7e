"""Gives the words of a tree their meaning: names, literals, arithmetic and functions, typed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from lark import Token, Tree

from crmsync.condition.complaints import (
    different_results,
    no_fixed_days,
    no_number,
    shared_name,
    unknown_name,
    unknown_option,
    words_beside,
    wrong_arguments,
)
from crmsync.condition.durations import Duration
from crmsync.condition.lexer import MAX_DEPTH, Lexeme
from crmsync.condition.numbers import WrittenNumber
from crmsync.condition.open_values import open_literal
from crmsync.condition.scope import Scope, ScopeName
from crmsync.condition.trouble import Place, Trouble
from crmsync.condition.typing_rules import adapt, as_literal, common
from crmsync.model.condition import (
    Arithmetic,
    Call,
    Choose,
    Condition,
    Expression,
    Function,
    Literal,
    Name,
    Operator,
)
from crmsync.model.diagnostic import Diagnostic
from crmsync.model.fact import FactType
from crmsync.model.text import Text
from crmsync.source import nearest

Where: TypeAlias = tuple[int, int]
Branch: TypeAlias = Tree[Token] | Token

_ARITHMETIC = {
    "add": Operator.ADD,
    "subtract": Operator.SUBTRACT,
    "multiply": Operator.MULTIPLY,
    "divide": Operator.DIVIDE,
}
BROKEN = Literal(None, FactType.TEXT)
"""Stands where a finding was made, so that the rest of the sentence can still be read."""


@dataclass(frozen=True, slots=True)
class Words:
    """Words that are no declared name: an option, a text, or a mistake. The other side decides."""

    text: str
    where: Where
    quoted: bool


class ExpressionReader(ABC):
    """Reads expressions of one text; findings gather in ``findings``."""

    def __init__(self, text: str, lexemes: list[Lexeme], scope: Scope, place: Place) -> None:
        self.text = text
        self.findings: list[Diagnostic] = []
        self._lexemes = lexemes
        self._scope = scope
        self._place = place
        self._depth = 0

    @abstractmethod
    def condition(self, tree: Branch) -> Condition:
        """The condition a tree means."""

    def expression(self, tree: Branch, hint: ScopeName | None = None) -> Expression:
        """The expression a tree means; *hint* says what a bare word may be an option of."""
        found = self.operand(tree, hint)
        return self.settle(found, hint) if isinstance(found, Words) else found

    def operand(self, tree: Branch, hint: ScopeName | None = None) -> Expression | Words:
        """Like `expression`, but leaves words without a meaning of their own undecided."""
        self._depth += 1
        try:
            if self._depth > MAX_DEPTH:
                raise Trouble(
                    "RULE059",
                    self.extent(tree),
                    Text(
                        zh=f"公式嵌套超过 {MAX_DEPTH} 层",
                        en=f"nested deeper than {MAX_DEPTH} levels",
                    ),
                    Text(zh="拆成派生事实", en="Split it into derived facts."),
                )
            if isinstance(tree, Token):
                return self._token(tree, hint)
            return self._branch(tree, hint)
        finally:
            self._depth -= 1

    # ── leaves ─────────────────────────────────────────────────────────────────────────────────

    def _token(self, token: Token, hint: ScopeName | None) -> Expression | Words:
        lexeme = self.lexeme(token)
        where = (lexeme.start, lexeme.end)
        span = self._place.part(*where)
        value = lexeme.value
        if isinstance(value, WrittenNumber):
            return as_literal(value, span)
        if isinstance(value, bool):
            return self._yes_no(value, where, hint)
        if isinstance(value, date):
            return Literal(value, FactType.DATE, span)
        if isinstance(value, Duration):
            return self._days(value, where)
        if isinstance(value, tuple):
            return self._name(value, where, hint)
        word = value if isinstance(value, str) else self.text[lexeme.start : lexeme.end]
        if lexeme.kind in {"VALUE", "TEXT"}:
            return open_literal(word, span, quoted=lexeme.kind == "TEXT")
        return self._words(word, where, hint, quoted=lexeme.kind == "QUOTED")

    def _yes_no(self, value: bool, where: Where, hint: ScopeName | None) -> Expression:
        word = self.text[where[0] : where[1]]
        span = self._place.part(*where)
        if hint is not None and hint.type is FactType.CHOICE:
            option = hint.option(word)
            if option is not None:
                return Literal(option, FactType.CHOICE, span)
        return Literal(value, FactType.YES_NO, span)

    def _days(self, duration: Duration, where: Where) -> Expression:
        days = duration.days
        if days is None:
            written = self.text[where[0] : where[1]]
            return self.report(no_fixed_days(written, where))
        return Literal(days, FactType.INTEGER, self._place.part(*where))

    def _name(
        self, found: tuple[ScopeName, ...], where: Where, hint: ScopeName | None
    ) -> Expression:
        word = self.text[where[0] : where[1]]
        span = self._place.part(*where)
        texts = {FactType.TEXT, FactType.CHOICE}
        if hint is not None and hint.type is FactType.CHOICE:
            option = hint.option(word)
            if option is not None and not any(name.type in texts for name in found):
                return Literal(option, FactType.CHOICE, span)
        if len(found) > 1:
            ids = [name.id for name in found]
            return self.report(shared_name(word, ids, where))
        return Name(found[0].id, found[0].type, span)

    def _words(
        self, word: str, where: Where, hint: ScopeName | None, *, quoted: bool
    ) -> Expression | Words:
        span = self._place.part(*where)
        wants_text = hint is not None and hint.type in {FactType.TEXT, FactType.CHOICE}
        if quoted and wants_text and hint is not None:
            option = hint.option(word) if hint.type is FactType.CHOICE else word
            if option is not None:
                return Literal(option, hint.type, span)
        named = self._scope.named(word) if quoted else ()
        if named:
            return self._name(named, where, hint)
        if self._scope.open_names and hint is None:
            return Name(word, FactType.TEXT, span)
        return Words(word, where, quoted)

    def settle(self, words: Words, hint: ScopeName | None) -> Expression:
        """What *words* mean beside something like *hint*; a finding when they mean nothing."""
        span = self._place.part(*words.where)
        if hint is None:
            return self.report(self.unknown_name(words))
        if hint.type is FactType.TEXT:
            return Literal(words.text, FactType.TEXT, span)
        if hint.type is FactType.CHOICE:
            option = hint.option(words.text)
            if option is not None:
                return Literal(option, FactType.CHOICE, span)
            return self.report(unknown_option(words.text, words.where, hint, quoted=words.quoted))
        near = nearest(words.text, self._scope.spellings())
        if not words.quoted and near is not None:
            return self.report(self.unknown_name(words))
        return self.report(words_beside(words.text, words.where, hint))

    def unknown_name(self, words: Words) -> Trouble:
        """RULE101 with the nearest known name."""
        return unknown_name(words.text, words.where, self._scope)

    # ── branches ───────────────────────────────────────────────────────────────────────────────

    def _branch(self, tree: Tree[Token], hint: ScopeName | None) -> Expression | Words:
        children = tree.children
        match tree.data:
            case "words":
                start, end = self.extent(tree)
                return self._words(self.text[start:end], (start, end), hint, quoted=False)
            case "bracketed" | "positive":
                return self.operand(children[1] if tree.data == "bracketed" else children[-1], hint)
            case "negative":
                return self._negative(tree)
            case "call":
                return self._call(tree)
            case "choose":
                return self._choose(tree, hint)
            case _:
                return self._arithmetic(tree)

    def _negative(self, tree: Tree[Token]) -> Expression:
        inner = self.expression(tree.children[-1])
        span = self._place.part(*self.extent(tree))
        if isinstance(inner, Literal) and inner.type.numeric:
            assert isinstance(inner.value, int | float | Decimal)
            return Literal(-inner.value, inner.type, span)
        zero = Literal(0, FactType.INTEGER, span)
        self._number(inner, self.extent(tree.children[-1]))
        return Arithmetic(Operator.SUBTRACT, zero, self.used_as(inner, FactType.NUMBER), span=span)

    def _arithmetic(self, tree: Tree[Token]) -> Expression:
        operator = _ARITHMETIC[tree.data]
        left, right = self.expression(tree.children[0]), self.expression(tree.children[2])
        span = self._place.part(*self.extent(tree))
        dates = (left.type, right.type) == (FactType.DATE, FactType.DATE)
        if not (dates and operator is Operator.SUBTRACT):
            left = self._number(left, self.extent(tree.children[0]))
            right = self._number(right, self.extent(tree.children[2]))
        return Arithmetic(operator, left, right, span=span)

    def _number(self, part: Expression, where: Where) -> Expression:
        part = self.used_as(part, FactType.NUMBER)
        if part is BROKEN or part.type.numeric:
            return part
        written = self.text[where[0] : where[1]]
        return self.report(no_number(written, part.type, where))

    def _call(self, tree: Tree[Token]) -> Expression:
        head, *rest = tree.children
        assert isinstance(head, Token)
        function = self.lexeme(head).value
        assert isinstance(function, Function)
        parts = [part for part in rest if not _is(part, "LPAR", "COMMA", "RPAR")]
        where = self.extent(tree)
        arguments = [self.expression(part) for part in parts]
        wheres = [self.extent(part) for part in parts]
        match function:
            case Function.DAYS_SINCE | Function.MONTHS_SINCE:
                arguments = [self.used_as(item, FactType.DATE) for item in arguments]
                if len(arguments) != 1 or not _is_type(arguments[0], FactType.DATE):
                    return self._wrong(where, f"{function}(日期)", f"{function}(date)")
            case Function.MIN | Function.MAX:
                if len(arguments) < 2:
                    return self._wrong(
                        where, f"{function}(数, 数, …)", f"{function}(number, number, …)"
                    )
                arguments = [
                    self._number(item, place) for item, place in zip(arguments, wheres, strict=True)
                ]
            case Function.ABS:
                if len(arguments) != 1:
                    return self._wrong(where, "abs(数)", "abs(number)")
                arguments = [self._number(arguments[0], wheres[0])]
            case Function.ROUND:
                if len(arguments) == 1:
                    arguments.append(Literal(0, FactType.INTEGER))
                if len(arguments) != 2 or not _places(arguments[1]):
                    return self._wrong(where, "round(数, 0 到 6 位)", "round(number, 0 to 6)")
                arguments[0] = self._number(arguments[0], wheres[0])
        return Call(function, tuple(arguments), span=self._place.part(*where))

    def _wrong(self, where: Where, zh: str, en: str) -> Expression:
        return self.report(wrong_arguments(where, zh, en))

    def _choose(self, tree: Tree[Token], hint: ScopeName | None) -> Expression:
        _, _, test, _, first, _, second, _ = tree.children
        condition = self.condition(test)
        left, right = self.operand(first, hint), self.operand(second, hint)
        if isinstance(left, Words):
            left = self.settle(left, hint or self.meaning(right))
        if isinstance(right, Words):
            right = self.settle(right, hint or self.meaning(left))
        left, right = self.matched(left, self.extent(first), right, self.extent(second))
        kind = common(left, right)
        if kind is None and BROKEN not in (left, right):
            wrong = different_results(left.type, right.type, self.extent(second))
            return self.report(wrong)
        span = self._place.part(*self.extent(tree))
        return Choose(condition, left, right, kind or FactType.TEXT, span)

    # ── what parts have in common ──────────────────────────────────────────────────────────────

    def matched(
        self, left: Expression, at_left: Where, right: Expression, at_right: Where
    ) -> tuple[Expression, Expression]:
        """Both sides, a literal on either adapted to the other's type."""
        try:
            if isinstance(right, Literal) and not isinstance(left, Literal):
                right = adapt(right, left.type, at_right) or right
            elif isinstance(left, Literal) and not isinstance(right, Literal):
                left = adapt(left, right.type, at_left) or left
        except Trouble as trouble:
            self.report(trouble)
            return BROKEN, BROKEN
        return left, right

    def meaning(self, item: Expression | Words) -> ScopeName | None:
        """What words beside *item* may be: its type and options."""
        if isinstance(item, Words) or item is BROKEN:
            return None
        if isinstance(item, Name):
            found = self._scope.find(item.id)
            return found if found is not None else ScopeName(item.id, item.type)
        if isinstance(item, Choose):
            for part in (item.then, item.otherwise):
                found = self.meaning(part)
                if found is not None and found.choices:
                    return found
        return ScopeName("if" if isinstance(item, Choose) else self.text.strip(), item.type)

    def used_as(self, item: Expression, type: FactType) -> Expression:
        """A name of an open scope gets the type its use asks for; anything else stays."""
        if self._scope.open_names and isinstance(item, Name) and self._scope.find(item.id) is None:
            return Name(item.id, type, item.span)
        return item

    def report(self, trouble: Trouble) -> Expression:
        """Keep the finding and go on."""
        self.findings.append(self._place.finding(trouble))
        return BROKEN

    def lexeme(self, token: Token) -> Lexeme:
        """The lexeme behind a token of the tree."""
        assert token.start_pos is not None
        return self._lexemes[token.start_pos]

    def extent(self, tree: Branch) -> Where:
        """First and last character of a part of the tree."""
        if isinstance(tree, Token):
            lexeme = self.lexeme(tree)
            return lexeme.start, lexeme.end
        return self.extent(tree.children[0])[0], self.extent(tree.children[-1])[1]


def _is(part: Branch, *kinds: str) -> bool:
    return isinstance(part, Token) and part.type in kinds


def _is_type(item: Expression, type: FactType) -> bool:
    return item is BROKEN or item.type is type


def _places(item: Expression) -> bool:
    return isinstance(item, Literal) and item.type is FactType.INTEGER and item.value in range(7)
