"""The rule language: reads a ruleset folder, types it, finds what cannot be meant, holds cases."""

from crmsync.rules.cases import CASE_OBJECT, load_cases
from crmsync.rules.catalogue import CATALOGUE, explain
from crmsync.rules.checking import check
from crmsync.rules.comparing import compare, rule_places, touched, untouched
from crmsync.rules.lint_facts import read_by_rules
from crmsync.rules.reading import load, read_rules

__all__ = [
    "CASE_OBJECT",
    "CATALOGUE",
    "check",
    "compare",
    "explain",
    "load",
    "load_cases",
    "read_by_rules",
    "read_rules",
    "rule_places",
    "touched",
    "untouched",
]
