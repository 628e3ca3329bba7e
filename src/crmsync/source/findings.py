"""Short ways to make a finding."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from functools import lru_cache

from crmsync.model.diagnostic import Diagnostic, Fix, Label, Severity
from crmsync.model.position import Span
from crmsync.model.text import Text


def error(
    code: str,
    span: Span,
    message: Text,
    mend: Text,
    *,
    fix: str | Fix | None = None,
    labels: tuple[Label, ...] = (),
) -> Diagnostic:
    """An error, always with what to do about it; ``fix`` as plain text replaces *span*."""
    mechanical = Fix(span, fix) if isinstance(fix, str) else fix
    return Diagnostic(code, Severity.ERROR, span, message, mend, labels, mechanical)


def warning(
    code: str,
    span: Span,
    message: Text,
    mend: Text,
    *,
    fix: str | Fix | None = None,
    labels: tuple[Label, ...] = (),
) -> Diagnostic:
    """A warning, always with what to do about it; ``fix`` as plain text replaces *span*."""
    mechanical = Fix(span, fix) if isinstance(fix, str) else fix
    return Diagnostic(code, Severity.WARNING, span, message, mend, labels, mechanical)


def not_here(key: str) -> Text:
    """The message about a key that belongs to another place."""
    return Text(zh=f"“{key}”不写在这里", en=f"“{key}” does not stand here")


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether any of them is an error."""
    return any(item.severity is Severity.ERROR for item in diagnostics)


_SWALLOWING = frozenset({"YAML010", "YAML015", "YAML016", "YAML022"})
"""Mistakes that make another key, or none, of what was meant as one."""


def without_echoes(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """*found* without what a mistake of the writing alone brings about: a second finding at its
    place, and keys said to be missing where a sign swallowed one."""
    found = list(found)
    slips = [item for item in found if item.code.startswith("YAML")]
    places = {_start(item) for item in slips if item.severity is Severity.ERROR}
    swallowed = any(item.code in _SWALLOWING for item in slips)
    return [
        item
        for item in found
        if item.code.startswith("YAML")
        or (_start(item) not in places and not (swallowed and item.code in _LACKING))
    ]


_LACKING = frozenset({"RULE002", "TEST002", "MAP006", "CONF006"})


def _start(item: Diagnostic) -> tuple[int, int]:
    return item.span.line, item.span.column


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name that *word* is most probably meant to be, or ``None``.

    Works on Chinese as on English: letter case and spaces are ignored, and in a short Chinese name
    one wrong character of three or more is forgiven.
    """
    plain: dict[str, str] = {}
    for name in known:
        plain.setdefault(_plain(name), name)
    wanted = _plain(word)
    if wanted in plain:
        return plain[wanted]
    letters = frozenset(wanted)
    likely = [name for name in plain if _may_match(wanted, letters, name)]
    found = difflib.get_close_matches(wanted, likely, n=1, cutoff=_ALIKE)
    return plain[found[0]] if found else None


_ALIKE = 0.62


def _may_match(wanted: str, letters: frozenset[str], name: str) -> bool:
    """Whether the letters both have could reach the ratio at all; quicker than asking for it."""
    enough = _ALIKE * (len(wanted) + len(name)) / 2
    if min(len(wanted), len(name)) < enough:
        return False
    return sum(letter in letters for letter in name) >= enough


def did_you_mean(word: str, known: Iterable[str]) -> tuple[Text, str | None]:
    """A mend that names the nearest known name, and that name; without one, the first known."""
    names = list(known)
    near = nearest(word, names)
    if near is not None:
        return Text(zh=f"是不是“{near}”？", en=f"Did you mean “{near}”?"), near
    if not names:
        declare = Text(
            zh="这一类名称一个也没有声明；先声明它", en="None is declared at all; declare it first."
        )
        return declare, None
    zh = "、".join(names[:12]) + ("…" if len(names) > 12 else "")
    en = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return Text(zh=f"可用的有：{zh}", en=f"Known: {en}"), None


@lru_cache(maxsize=4096)
def _plain(word: str) -> str:
    return "".join(word.casefold().replace("_", "").replace("-", "").split())
