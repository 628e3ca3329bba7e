"""The names of tiers: finds a level by its id or a label."""

from __future__ import annotations

from crmsync.model.text import Text
from crmsync.model.tier import Level
from crmsync.rules.shape import Findings
from crmsync.source import Scalar


class Levels:
    """Finds a tier by id or label."""

    def __init__(self, levels: tuple[Level, ...]) -> None:
        self._by_name: dict[str, Level] = {}
        for level in levels:
            self._by_name.setdefault(level.id, level)
        for level in levels:
            for words in level.label.all():
                self._by_name.setdefault(words, level)
        self.ids = tuple(level.id for level in levels)

    def find(self, found: Scalar, findings: Findings) -> Level | None:
        """The level *found* names; an unknown one is a finding."""
        level = self._by_name.get(found.text)
        if level is None:
            findings.unknown(
                "RULE110",
                found.span,
                Text(zh=f"没有等级“{found.text}”", en=f"there is no tier “{found.text}”"),
                found.text,
                self._by_name,
            )
        return level
