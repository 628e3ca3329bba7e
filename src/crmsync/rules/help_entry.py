"""One entry of the catalogue of codes."""

from __future__ import annotations

from dataclasses import dataclass

from crmsync.model.text import Text


@dataclass(frozen=True, slots=True)
class Help:
    """A code, what it is called, and the long help."""

    code: str
    title: Text
    help: Text


def entry(code: str, title: tuple[str, str], zh: str, en: str) -> Help:
    """One entry; *title* is Chinese, English."""
    return Help(code, Text(*title), Text(zh=zh, en=en))
