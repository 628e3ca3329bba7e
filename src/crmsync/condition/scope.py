"""The names a condition may use, with every spelling of theirs."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from crmsync.model.fact import FactType
from crmsync.model.text import Text

_QUOTES = frozenset("“”\"'「」『』‘’")
_BLANKS = {code: " " for code in range(128) if chr(code).isspace()}
_NEVER_BARE = _QUOTES | frozenset(",、;")


def fold(text: str) -> str:
    """*text*, letter for letter, without what typing habits vary.

    Full-width signs become plain ones, every blank a space, capitals small; the length stays.
    """
    if text.isascii():
        return text.lower().translate(_BLANKS)
    return "".join(map(_fold, text))


@cache
def _fold(char: str) -> str:
    code = ord(char)
    if 0xFF01 <= code <= 0xFF5E:
        char = chr(code - 0xFEE0)
    elif char.isspace() or code in {0x3000, 0xA0}:
        return " "
    small = char.lower()
    return small if len(small) == 1 else char


def word_character(char: str) -> bool:
    """Whether *char* may be part of a bare word."""
    return char.isalnum() or char == "_" or unicodedata.category(char) in {"Mn", "Mc"}


@dataclass(frozen=True, slots=True)
class ScopeChoice:
    """One option of a choice: the stored value and what people call it."""

    value: str
    label: Text | None = None

    @property
    def spellings(self) -> tuple[str, ...]:
        """The value, then its labels."""
        return _distinct(self.value, self.label)


@dataclass(frozen=True, slots=True)
class ScopeName:
    """One fact or state name: id, label, type and, for a choice, its options."""

    id: str
    type: FactType
    label: Text | None = None
    choices: tuple[ScopeChoice, ...] = ()

    @property
    def spellings(self) -> tuple[str, ...]:
        """The id, then its labels."""
        return _distinct(self.id, self.label)

    def option(self, word: str) -> str | None:
        """The stored value *word* stands for, or ``None``."""
        wanted = fold(word)
        for choice in self.choices:
            if word in choice.spellings:
                return choice.value
        for choice in self.choices:
            if any(fold(spelling) == wanted for spelling in choice.spellings):
                return choice.value
        return None


def _distinct(first: str, label: Text | None) -> tuple[str, ...]:
    rest = () if label is None else label.all()
    return tuple(dict.fromkeys((first, *rest)))


@dataclass(frozen=True)
class Scope:
    """What names mean. With ``open_names`` any word is a name (a CRM field) of whatever type its
    use asks for, and the words after ``is`` and ``in`` are values up to the next comma. Years of
    windows such as ``last year`` begin with the month ``year_starts``."""

    names: tuple[ScopeName, ...] = ()
    open_names: bool = False
    year_starts: int = 1
    _by_spelling: Mapping[str, tuple[ScopeName, ...]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )
    _bare: Mapping[str, tuple[str, ...]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        by_spelling: dict[str, tuple[ScopeName, ...]] = {}
        for name in self.names:
            for spelling in name.spellings:
                others = by_spelling.get(fold(spelling), ())
                if name not in others:
                    by_spelling[fold(spelling)] = (*others, name)
        words = set(by_spelling)
        for name in self.names:
            for choice in name.choices:
                words.update(fold(spelling) for spelling in choice.spellings)
        bare: dict[str, list[str]] = {}
        for word in sorted(words, key=len, reverse=True):
            if word.strip() and not _NEVER_BARE & set(word):
                bare.setdefault(word[0], []).append(word)
        object.__setattr__(self, "_by_spelling", by_spelling)
        object.__setattr__(self, "_bare", {key: tuple(found) for key, found in bare.items()})

    def named(self, spelling: str) -> tuple[ScopeName, ...]:
        """Every name with that spelling; an exact id stands above a label."""
        found = self._by_spelling.get(fold(spelling), ())
        exact = tuple(name for name in found if name.id == spelling)
        return exact or found

    def find(self, id: str) -> ScopeName | None:
        """The name of that id."""
        return next((name for name in self.named(id) if name.id == id), None)

    def bare_at(self, folded: str, start: int) -> Iterator[str]:
        """Every declared spelling that stands at *start* of a folded text, longest first."""
        for word in self._bare.get(folded[start], ()):
            if folded.startswith(word, start):
                yield word

    def spellings(self) -> Iterator[str]:
        """Every spelling of every name, for “did you mean”."""
        for name in self.names:
            yield from name.spellings

    def plus(self, names: Iterable[ScopeName]) -> Scope:
        """This scope with more names."""
        return Scope((*self.names, *names), self.open_names, self.year_starts)
