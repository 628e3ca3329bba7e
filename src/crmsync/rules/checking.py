"""All logic lints of a ruleset, with its mappings."""

from __future__ import annotations

from collections.abc import Sequence

from crmsync.model.diagnostic import Diagnostic
from crmsync.model.mapping import CrmMapping
from crmsync.model.ruleset import Ruleset
from crmsync.rules.lint_facts import lint_facts, lint_mappings
from crmsync.rules.lint_lifecycle import lint_lifecycle
from crmsync.rules.lint_models import lint_models
from crmsync.rules.lint_score import lint_score
from crmsync.rules.lint_tasks import lint_tasks
from crmsync.rules.lint_tier import lint_tier

_LOCAL = frozenset({"RULE203", "RULE210", "RULE211", "RULE218"})
"""Findings about rules that could be read, true whatever stands in those that could not."""


def sound_in_part(ruleset: Ruleset) -> list[Diagnostic]:
    """What is certain of a ruleset some parts of which could not be read.

    Shown beside the errors of reading, so that one look shows everything there is to mend.
    """
    findings = (*lint_score(ruleset), *lint_tier(ruleset), *lint_lifecycle(ruleset))
    return [item for item in findings if item.code in _LOCAL]


def check(ruleset: Ruleset, mappings: Sequence[CrmMapping] = ()) -> list[Diagnostic]:
    """Everything that is legal to write and hardly meant, in one go.

    Takes what `load` gave without errors. Errors among the findings name rules that cannot work as
    written (a line that is never reached); warnings name what only looks odd.
    """
    return [
        *lint_score(ruleset),
        *lint_tier(ruleset),
        *lint_lifecycle(ruleset),
        *lint_tasks(ruleset),
        *lint_facts(ruleset),
        *lint_mappings(ruleset, mappings),
        *lint_models(ruleset, mappings),
    ]
