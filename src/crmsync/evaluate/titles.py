"""Task titles: named placeholders filled in, and nothing else a title might contain."""

from __future__ import annotations

import re
from collections.abc import Mapping

from crmsync.evaluate.wording import shown, state_value
from crmsync.model.fact import FactValue
from crmsync.model.ruleset import Ruleset
from crmsync.model.text import Text

_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


def title(
    ruleset: Ruleset,
    written: Text,
    values: Mapping[str, FactValue],
    words: Mapping[str, Text],
) -> Text:
    """*written* with ``{…}`` replaced by *words*, tiers and stages by label, facts by value.

    One pass: braces inside a customer's name are never read as placeholders, and a name that is
    not known stays as it was written.
    """
    zh = _PLACEHOLDER.sub(lambda found: _word(ruleset, found, values, words).zh, written.zh)
    en = _PLACEHOLDER.sub(lambda found: _word(ruleset, found, values, words).en, written.en)
    return Text(zh=zh, en=en)


def _word(
    ruleset: Ruleset,
    found: re.Match[str],
    values: Mapping[str, FactValue],
    words: Mapping[str, Text],
) -> Text:
    name = found[1].strip()
    if name in words:
        return words[name]
    fact = next((item for item in ruleset.facts if name in (item.id, *item.label.all())), None)
    if fact is not None:
        return shown(values.get(fact.id), fact.type)
    if name in values:
        return state_value(ruleset, name, values[name]) or shown(values[name])
    return Text.same(found[0])
