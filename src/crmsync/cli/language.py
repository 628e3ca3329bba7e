"""Which language this run speaks, known before any command is imported."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from crmsync.model.text import Lang


def detect(arguments: Sequence[str], environment: Mapping[str, str]) -> Lang:
    """``--lang`` wins, then ``CRMSYNC_LANG``, then the locale; English when none says Chinese."""
    for position, word in enumerate(arguments):
        value = word.partition("=")[2] if word.startswith("--lang=") else None
        if word == "--lang" and position + 1 < len(arguments):
            value = arguments[position + 1]
        if value in {"zh", "en"}:
            return Lang(value)
    if environment.get("CRMSYNC_LANG") in {"zh", "en"}:
        return Lang(environment["CRMSYNC_LANG"])
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if environment.get(name):
            return Lang.ZH if environment[name].startswith("zh") else Lang.EN
    return Lang.EN


LANG = detect(sys.argv[1:], os.environ)


def say(zh: str, en: str) -> str:
    """The words in this run's language."""
    return zh if LANG is Lang.ZH else en
