"""Which language a run speaks, before any command is imported."""

from __future__ import annotations

import pytest

from crmsync.cli.language import detect
from crmsync.model.text import Lang


@pytest.mark.parametrize(
    ("words", "environment", "language"),
    [
        ("plan --lang zh", {}, Lang.ZH),
        ("plan --lang=zh", {"CRMSYNC_LANG": "en"}, Lang.ZH),
        ("--lang en plan", {"LANG": "zh_CN.UTF-8"}, Lang.EN),
        ("plan", {"CRMSYNC_LANG": "zh", "LC_ALL": "en_GB.UTF-8"}, Lang.ZH),
        ("plan", {"CRMSYNC_LANG": "fr", "LANG": "zh_CN"}, Lang.ZH),
        ("plan", {"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, Lang.EN),
        ("plan", {"LC_ALL": "", "LC_MESSAGES": "zh_TW", "LANG": "en_US"}, Lang.ZH),
        ("plan", {"LANG": "zh_CN.UTF-8"}, Lang.ZH),
        ("plan", {"LANG": "de_DE.UTF-8"}, Lang.EN),
        ("plan", {}, Lang.EN),
        ("plan --lang", {"LANG": "zh_CN"}, Lang.ZH),
        ("plan --lang fr", {"LANG": "zh_CN"}, Lang.ZH),
        ("plan --language zh", {}, Lang.EN),
    ],
)
def test_the_flag_wins_then_our_variable_then_the_locale(
    words: str, environment: dict[str, str], language: Lang
) -> None:
    assert detect(words.split(), environment) is language
