"""Cuts a sentence into tokens: declared names first, longest first, then numbers and operators."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from crmsync.condition.durations import Duration, duration_at, unknown_unit
from crmsync.condition.numbers import WrittenNumber, number_at, plain_signs
from crmsync.condition.operators import operator_at
from crmsync.condition.refusals import (
    extra_bracket,
    leading_zero,
    long_number,
    odd_date,
    open_bracket,
    open_quote,
    over,
    refuse_operator,
    strange,
)
from crmsync.condition.scope import Scope, ScopeName, fold, word_character
from crmsync.condition.trouble import Trouble
from crmsync.condition.windows import WindowWords, window_at
from crmsync.model.condition import Comparison, Function
from crmsync.model.text import Text

LexemeValue: TypeAlias = (
    str | bool | date | WrittenNumber | Duration | WindowWords | Comparison | Function
    | tuple[ScopeName, ...] | None
)  # fmt: skip

MAX_LENGTH = 2_000
MAX_TERMS = 500
MAX_DEPTH = 24
_CHARACTERS = Text(zh=f"{MAX_LENGTH} 个字符", en=f"{MAX_LENGTH} characters")
_NOTHING = Text(zh="这里是空的", en="nothing is written here")
_SUCH_AS = Text(zh="写一个条件，如 订单数 ≥ 3", en="Write a condition, such as orders ≥ 3.")
_TERMS = Text(zh=f"{MAX_TERMS} 项", en=f"{MAX_TERMS} terms")
_LEVELS = Text(zh=f"{MAX_DEPTH} 层括号", en=f"{MAX_DEPTH} levels of brackets")
_FUNCTIONS: dict[str, Function] = {
    "days_since": Function.DAYS_SINCE,
    "距今天数": Function.DAYS_SINCE,
    "months_since": Function.MONTHS_SINCE,
    "距今月数": Function.MONTHS_SINCE,
    "min": Function.MIN,
    "最小": Function.MIN,
    "max": Function.MAX,
    "最大": Function.MAX,
    "round": Function.ROUND,
    "四舍五入": Function.ROUND,
    "abs": Function.ABS,
    "绝对值": Function.ABS,
}
_FORMS = {
    "if": "IF", "如果": "IF", "all": "ALL", "全部": "ALL", "any": "ANY", "任一": "ANY",
    "none": "NONE", "都不": "NONE", "not": "NOT", "非": "NOT",
}  # fmt: skip
_CALL = re.compile("(" + "|".join([*_FUNCTIONS, *_FORMS]) + r")\s*\(")
_PREFIX_NOT = re.compile(r"not\s+(?=[^\s(])|非(?=[^\s(])")
_YES_NO = {
    "yes": True, "true": True, "是": True, "真": True,
    "no": False, "false": False, "否": False, "假": False,
}  # fmt: skip
_YES_NO_AT = re.compile("(yes|true|no|false|是|否|真|假)")
_DATE = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?![0-9])|([0-9]{4})年([0-9]{1,2})月([0-9]{1,2})日"
)
_ODD_DATE = re.compile(
    r"[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}(?![0-9])|[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{4}"
)
_CLOSING = {"“": "”", "‘": "’", "「": "」", "『": "』", '"': '"', "'": "'"}
_SIGNS = {
    "(": "LPAR", ")": "RPAR", ",": "COMMA", "、": "COMMA", "+": "PLUS", "-": "MINUS", "−": "MINUS",
    "–": "MINUS", "*": "TIMES", "×": "TIMES", "/": "DIVIDE", "÷": "DIVIDE", "[": "LSQ", "]": "RSQ",
    "~": "AND", "～": "AND",
}  # fmt: skip
_AFTER_OPERAND = frozenset(
    {"NAME", "WORD", "QUOTED", "NUMBER", "DATE", "DURATION", "YESNO", "RPAR", "RSQ", "VALUE",
     "MISSING", "KNOWN", "WINDOW", "AMID"}
)  # fmt: skip
_TAKES_VALUES = frozenset({"IN", "NOT_IN"})


@dataclass(frozen=True, slots=True)
class Lexeme:
    """One token: the grammar's kind, its place in the text, and what it stands for."""

    kind: str
    start: int
    end: int
    value: LexemeValue = None


class Lexer:
    """Cuts one text. ``cell`` begins where an operator may stand (a points line, a table cell)."""

    def __init__(self, text: str, scope: Scope, *, cell: bool = False) -> None:
        self.text = text
        self._scope = scope
        self._folded = fold(text)
        self._plain = plain_signs(text)
        self._cell = cell
        self._at = 0
        self._depth = 0
        self._listing = False
        self._out: list[Lexeme] = []

    def run(self) -> list[Lexeme]:
        """Every token; raises `Trouble` at the first place that cannot be one."""
        if len(self.text) > MAX_LENGTH:
            raise over(_CHARACTERS, len(self.text))
        if not self.text.strip():
            raise Trouble("RULE050", (0, 0), _NOTHING, _SUCH_AS)
        while self._skip_blanks():
            self._next()
            if len(self._out) > MAX_TERMS:
                raise over(_TERMS, len(self.text))
        if self._depth and not self._cell:
            opened = next(item for item in self._out if item.kind == "LPAR")
            raise open_bracket((opened.start, opened.end))
        return self._out

    def _skip_blanks(self) -> bool:
        while self._at < len(self.text) and self._folded[self._at] == " ":
            self._at += 1
        return self._at < len(self.text)

    def _next(self) -> None:
        last = self._out[-1].kind if self._out else ""
        if last in _AFTER_OPERAND:
            done = self._operator() or self._sign() or self._operand()
        elif self._cell and not self._out:
            done = self._whole_word() or self._operator() or self._operand() or self._sign()
        else:
            done = self._operand() or self._sign() or self._operator()
        if not done:
            raise strange(self.text[self._at], self._at)

    def _add(self, kind: str, end: int, value: LexemeValue = None) -> bool:
        self._out.append(Lexeme(kind, self._at, end, value))
        self._at = end
        return True

    # ── operators ──────────────────────────────────────────────────────────────────────────────

    def _operator(self) -> bool:
        window = window_at(self._folded, self._at, year_starts=self._scope.year_starts)
        if window is not None:
            return self._add("WINDOW", window.end, window)
        if self._folded.startswith("..", self._at):
            return self._add("DOTS", self._at + 2)
        found = operator_at(self._folded, self._at)
        if found is None:
            return self._amid()
        operator, end = found
        refuse_operator(self.text, operator, (self._at, end))
        if self._scope.open_names and operator.comparison not in _ORDER and not self._depth:
            equals = operator.comparison is not None
            if equals or operator.kind in _TAKES_VALUES:
                self._add(operator.kind, end, operator.comparison)
                return self._values()
        self._listing = self._listing or operator.kind in _TAKES_VALUES
        return self._add(operator.kind, end, operator.comparison)

    def _amid(self) -> bool:
        """``在 a 与 b 之间``, ``不在 … 之间``."""
        for word, token in (("不在", "NOT_BETWEEN"), ("在", "BETWEEN")):
            start = self._at
            if self._folded.startswith(word, start) and "之间" in self._folded[start:]:
                return self._add(token, start + len(word))
        return False

    def _values(self) -> bool:
        """In an open scope: the rest of the text, cut at commas, each part one value."""
        rest = self._folded[self._at :].rstrip()
        stop = self._at + len(rest)
        self._skip_blanks()
        bracketed = self._folded.startswith("(", self._at) and rest.endswith(")")
        if bracketed:
            self._add("LPAR", self._at + 1)
            stop -= 1
        while self._at < stop and self._skip_blanks() and self._at < stop:
            if self._folded[self._at] in ",、":
                self._add("COMMA", self._at + 1)
                continue
            quote = self._quoted()
            if quote:
                continue
            end = self._at
            while end < stop and self._folded[end] not in ",、":
                end += 1
            kept = self.text[self._at : end].rstrip()
            self._add("VALUE", self._at + len(kept), kept)
        if bracketed:
            self._add("RPAR", stop + 1)
        return True

    # ── signs ──────────────────────────────────────────────────────────────────────────────────

    def _sign(self) -> bool:
        kind = _SIGNS.get(self._folded[self._at])
        if kind is None or (kind in {"LSQ", "RSQ"} and not self._cell):
            return False
        if kind == "LPAR":
            self._depth += 1
            if self._depth > MAX_DEPTH:
                raise over(_LEVELS, len(self.text))
        if kind == "RPAR":
            self._depth -= 1
            if self._depth < 0 and not self._cell:
                raise extra_bracket(self._at)
            self._depth = max(self._depth, 0)
        return self._add(kind, self._at + 1)

    # ── operands ───────────────────────────────────────────────────────────────────────────────

    def _operand(self) -> bool:
        return (
            self._quoted()
            or self._call()
            or self._declared()
            or self._prefix_not()
            or self._yes_no()
            or self._date()
            or self._number()
            or self._word()
        )

    def _quoted(self) -> bool:
        closing = _CLOSING.get(self.text[self._at])
        if closing is None:
            if self.text[self._at] in "”’」』":
                raise open_quote(self.text[self._at], self._at)
            return False
        end = self.text.find(closing, self._at + 1)
        if end < 0:
            raise open_quote(self.text[self._at], self._at)
        return self._add("QUOTED", end + 1, self.text[self._at + 1 : end])

    def _call(self) -> bool:
        match = _CALL.match(self._folded, self._at)
        if match is None:
            return False
        word = match[1]
        end = self._at + len(word)
        if word in _FUNCTIONS:
            return self._add("FUNCTION", end, _FUNCTIONS[word])
        return self._add(_FORMS[word], end)

    def _prefix_not(self) -> bool:
        match = _PREFIX_NOT.match(self._folded, self._at)
        if match is None or self._out:
            return False
        return self._add("NOT", self._at + len(match.group().rstrip()))

    def _declared(self) -> bool:
        for word in self._scope.bare_at(self._folded, self._at):
            end = self._at + len(word)
            if self._ends_word(end, ascii_word=word[-1].isascii()):
                names = self._scope.named(self.text[self._at : end])
                if names:
                    return self._add("NAME", end, names)
                return self._add("WORD", end, self.text[self._at : end])
        return False

    def _ends_word(self, end: int, *, ascii_word: bool) -> bool:
        if end >= len(self.text) or not word_character(self._folded[end]):
            return True
        following = self._folded[end]
        if ascii_word and following.isascii():
            return False
        if not following.isascii() and following.isalnum():
            return (
                operator_at(self._folded, end) is not None
                or window_at(self._folded, end) is not None
                or self._folded.startswith(("在", "不在"), end)
            )
        return False

    def _yes_no(self) -> bool:
        match = _YES_NO_AT.match(self._folded, self._at)
        if match is None or not self._ends_word(match.end(), ascii_word=match[1].isascii()):
            return False
        return self._add("YESNO", match.end(), _YES_NO[match[1]])

    def _whole_word(self) -> bool:
        """A cell that is one declared word, or yes or no: never an operator (``是``, ``为主``)."""
        kept = (self._at, len(self._out))
        if (self._declared() or self._yes_no()) and not self._skip_blanks():
            return True
        self._at = kept[0]
        del self._out[kept[1] :]
        return False

    def _date(self) -> bool:
        match = _DATE.match(self._folded, self._at)
        if match is None:
            odd = _ODD_DATE.match(self._folded, self._at)
            if odd is not None:
                raise odd_date(self.text[self._at : odd.end()], (self._at, odd.end()))
            return False
        year, month, day = (int(part) for part in match.groups() if part is not None)
        try:
            value = date(year, month, day)
        except ValueError:
            raise odd_date(match.group(), match.span()) from None
        if not 1900 <= year <= 2199:
            raise odd_date(match.group(), match.span())
        return self._add("DATE", match.end(), value)

    def _number(self) -> bool:
        if not self._folded[self._at].isascii() or not self._folded[self._at].isdigit():
            return False
        duration = duration_at(self._folded, self._at)
        if duration is not None:
            return self._add("DURATION", duration[1], duration[0])
        grouped = not self._listing and not self._depth
        number = number_at(self._plain, self._at, grouped=grouped)
        assert number is not None
        if number.too_long:
            raise long_number((self._at, number.end))
        end = number.end
        digits = self._plain[self._at : end]
        if len(digits) > 1 and digits[0] == "0" and digits[1].isdigit():
            raise leading_zero(digits, (self._at, end))
        if (
            end < len(self.text)
            and self._folded[end].isascii()
            and word_character(self._folded[end])
        ):
            word = re.match(r"\w+", self.text[end:])
            assert word is not None
            raise unknown_unit(word.group(), (end, end + word.end()))
        return self._add("NUMBER", end, number)

    def _word(self) -> bool:
        end = self._at
        while end < len(self.text) and self._in_word(end):
            end += 1
        if end == self._at:
            return False
        return self._add("WORD", end, self.text[self._at : end])

    def _in_word(self, at: int) -> bool:
        char = self._folded[at]
        if char in "-." and at > self._at:
            after = self._folded[at + 1] if at + 1 < len(self._folded) else " "
            return after.isascii() and word_character(after) and self._folded[at - 1].isascii()
        if not word_character(char):
            return False
        if at >= self._at + 2 and not char.isascii():
            found = operator_at(self._folded, at)
            return found is None or found[0].kind in {"AND", "JOIN"}
        return True


_ORDER = frozenset({Comparison.LT, Comparison.LE, Comparison.GT, Comparison.GE})
