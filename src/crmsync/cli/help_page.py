"""Help pages in Chinese: click's own words, which it knows in English only, translated."""

from __future__ import annotations

from collections.abc import Iterable

import click

_HEADINGS = {"Options": "选项", "Commands": "命令"}
_WORDS = {
    "Show this message and exit.": "显示本页",
    "[default: ": "[默认 ",
    "[required]": "[必填]",
}


class ChinesePage(click.HelpFormatter):
    """Lays a help page out as click does, with Chinese headings."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """The usage line."""
        super().write_usage(prog, args, prefix or "用法： ")

    def write_heading(self, heading: str) -> None:
        """A heading, translated where click made it."""
        super().write_heading(_HEADINGS.get(heading, heading))

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """A list of options or verbs."""
        super().write_dl([(term, _translated(text)) for term, text in rows], col_max, col_spacing)


def _translated(text: str) -> str:
    for english, chinese in _WORDS.items():
        text = text.replace(english, chinese)
    return text
