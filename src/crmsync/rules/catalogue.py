"""Every code of `check`, with the long help that ``crmsync check --explain CODE`` prints."""

from __future__ import annotations

from collections.abc import Mapping

from crmsync.model.text import Lang
from crmsync.rules.help_entry import Help
from crmsync.rules.help_files import FILE_HELP
from crmsync.rules.help_logic import LOGIC_HELP
from crmsync.rules.help_mapping import MAPPING_HELP
from crmsync.rules.help_models import MODEL_HELP
from crmsync.rules.help_population import POPULATION_HELP
from crmsync.rules.help_sentences import SENTENCE_HELP
from crmsync.rules.help_shape import SHAPE_HELP
from crmsync.rules.help_tables import TABLE_HELP

CATALOGUE: Mapping[str, Help] = {
    entry.code: entry
    for entry in (
        *FILE_HELP,
        *SHAPE_HELP,
        *SENTENCE_HELP,
        *LOGIC_HELP,
        *POPULATION_HELP,
        *MAPPING_HELP,
        *MODEL_HELP,
        *TABLE_HELP,
    )
}
"""All codes by name, family by family."""


def explain(code: str, lang: Lang | str) -> str | None:
    """What *code* means, why it matters and how it is mended; ``None`` for an unknown code."""
    entry = CATALOGUE.get(code.strip().upper())
    if entry is None:
        return None
    return f"{entry.code}  {entry.title.to(lang)}\n\n{entry.help.to(lang)}"
