"""Text in the reader's language: one value that holds the Chinese and the English."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Lang(StrEnum):
    """A language crmsync speaks."""

    ZH = "zh"
    EN = "en"


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence in Chinese and English; a label written once reads the same in both."""

    zh: str
    en: str

    @classmethod
    def same(cls, words: str) -> Text:
        """The same words in both languages (a name, a CRM's own message)."""
        return cls(zh=words, en=words)

    @classmethod
    def parse(cls, written: str, languages: tuple[str, ...] = ("zh", "en")) -> Text:
        """Read ``中文 | English`` in the order of *languages*; a single part serves both."""
        first, bar, second = written.partition(" | ")
        if not bar:
            return cls.same(written.strip())
        parts = dict(zip(languages, (first.strip(), second.strip()), strict=False))
        return cls(zh=parts.get("zh", first.strip()), en=parts.get("en", second.strip()))

    def to(self, lang: Lang | str) -> str:
        """The words in *lang* (``zh`` or ``en``)."""
        return self.zh if lang == "zh" else self.en

    def all(self) -> tuple[str, ...]:
        """Both spellings, without doubles, Chinese first."""
        return (self.zh,) if self.zh == self.en else (self.zh, self.en)
