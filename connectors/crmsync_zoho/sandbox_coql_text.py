"""COQL in the sandbox, first half: from text to a query, with Zoho's rules of writing.

Modelled: SELECT only, WHERE is mandatory, criteria are joined in pairs, LIMIT and OFFSET.
Not modelled, and refused: aggregates, GROUP BY, formulas, aliases, sub-queries.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from crmsync_zoho.sandbox_replies import Refusal

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")
      | (?P<word>[A-Za-z_$][\w$.]*)
      | (?P<number>-?\d+(?:\.\d+)?)
      | (?P<sign><=|>=|!=|<>|[=<>(),*])
    )""",
    re.VERBOSE,
)
COMPARISONS = frozenset({"=", "!=", "<", ">", "<=", ">="})


@dataclass(frozen=True, slots=True)
class Criterion:
    """``column operator values``; operators in lower case, ``is null`` without values."""

    column: str
    operator: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pair:
    """Two criteria joined by ``and`` or ``or``."""

    joiner: str
    left: Where
    right: Where


Where: TypeAlias = Criterion | Pair


@dataclass(frozen=True, slots=True)
class Query:
    """One SELECT. ``orders`` holds (column, descending)."""

    columns: tuple[str, ...]
    module: str
    where: Where
    orders: tuple[tuple[str, bool], ...] = ()
    limit: int | None = None
    offset: int = 0


def criteria(where: Where) -> tuple[Criterion, ...]:
    """Every criterion of a WHERE, from left to right."""
    if isinstance(where, Criterion):
        return (where,)
    return criteria(where.left) + criteria(where.right)


def parse(text: str) -> Query:
    """Read a query; raises Refusal with SYNTAX_ERROR."""
    return _Parser(text).query()


def syntax(message: str, **details: str | int) -> Refusal:
    """The refusal of a text that is no COQL."""
    return Refusal(400, "SYNTAX_ERROR", details, message)


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        self._at = 0
        position = 0
        text = text.rstrip().rstrip(";")
        while position < len(text.rstrip()):
            found = _TOKEN.match(text, position)
            if found is None:
                raise syntax("cannot read this", near=text[position : position + 20])
            kind = found.lastgroup or "sign"
            self._tokens.append((kind, found.group(kind)))
            position = found.end()

    def query(self) -> Query:
        if self._word() != "select":
            raise syntax("only SELECT is supported", clause="select")
        self._next()
        columns = [self._column()]
        while self._take(","):
            columns.append(self._column())
        self._expect("from")
        module = self._column()
        if self._word() != "where":
            raise syntax("missing clause", clause="where")
        self._next()
        where = self._joined()
        orders = self._orders()
        limit, offset = self._limit()
        if self._at < len(self._tokens):
            raise syntax("unexpected words at the end", near=self._near())
        return Query(tuple(columns), module, where, orders, limit, offset)

    def _joined(self) -> Where:
        left = self._operand()
        joiner = self._word()
        if joiner not in {"and", "or"}:
            return left
        self._next()
        right = self._operand()
        if self._word() in {"and", "or"}:
            raise syntax("criteria must be grouped in pairs", near=self._near())
        return Pair(joiner, left, right)

    def _operand(self) -> Where:
        if self._take("("):
            inner = self._joined()
            self._expect(")")
            return inner
        return self._criterion()

    def _criterion(self) -> Criterion:
        column = self._column()
        word = self._word()
        if word == "is":
            self._next()
            negated = self._take("not")
            self._expect("null")
            return Criterion(column, "is not null" if negated else "is null")
        prefix = ""
        if word == "not":
            self._next()
            prefix, word = "not ", self._word()
        if word == "in":
            self._next()
            self._expect("(")
            values = [self._value()]
            while self._take(","):
                values.append(self._value())
            self._expect(")")
            return Criterion(column, f"{prefix}in", tuple(values))
        if word == "like":
            self._next()
            return Criterion(column, f"{prefix}like", (self._value(),))
        if word == "between" and not prefix:
            self._next()
            low = self._value()
            self._expect("and")
            return Criterion(column, "between", (low, self._value()))
        if word in COMPARISONS and not prefix:
            self._next()
            return Criterion(column, word, (self._value(),))
        raise syntax("no such operator", operator=word, near=self._near())

    def _orders(self) -> tuple[tuple[str, bool], ...]:
        orders: list[tuple[str, bool]] = []
        if self._take("order"):
            self._expect("by")
            while True:
                column = self._column()
                descending = self._take("desc")
                if not descending:
                    self._take("asc")
                orders.append((column, descending))
                if not self._take(","):
                    break
        return tuple(orders)

    def _limit(self) -> tuple[int | None, int]:
        if not self._take("limit"):
            return None, 0
        first = self._whole()
        if self._take(","):
            return self._whole(), first
        return first, self._whole() if self._take("offset") else 0

    def _whole(self) -> int:
        kind, text = self._next()
        if kind != "number" or not text.isdigit():
            raise syntax("a whole number is expected", near=text)
        return int(text)

    def _column(self) -> str:
        kind, text = self._next()
        if kind == "text":
            return text[1:-1]
        if kind != "word":
            raise syntax("a name is expected", near=text)
        if self._take("("):
            raise syntax("functions are not modelled by the sandbox", near=text)
        return text

    def _value(self) -> str:
        kind, text = self._next()
        if kind == "text":
            quote = text[0]
            return text[1:-1].replace(quote * 2, quote)
        if kind in {"number", "word"}:
            return text
        raise syntax("a value is expected", near=text)

    def _word(self) -> str:
        if self._at >= len(self._tokens):
            return ""
        kind, text = self._tokens[self._at]
        return text if kind == "text" else text.lower()

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise syntax("the query ends too early", near="")
        token = self._tokens[self._at]
        self._at += 1
        return token

    def _take(self, word: str) -> bool:
        if self._word() == word:
            self._at += 1
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._take(word):
            raise syntax(f"{word} is expected", near=self._near())

    def _near(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""
