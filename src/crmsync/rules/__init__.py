"""The rule language: reads a ruleset folder, types it, finds what cannot be meant, holds cases."""

from crmsync.rules.case_text import case_text
from crmsync.rules.cases import CASE_OBJECT, load_cases
from crmsync.rules.catalogue import CATALOGUE, explain
from crmsync.rules.checking import check
from crmsync.rules.comparing import compare, expectation_of, rule_places, touched, untouched
from crmsync.rules.digest import digest_of_parts
from crmsync.rules.lint_facts import read_by_rules
from crmsync.rules.mutants import Mutant, mutants
from crmsync.rules.reading import load, read_rules
from crmsync.rules.wobble import parse_wobble

__all__ = [
    "CASE_OBJECT",
    "CATALOGUE",
    "Mutant",
    "case_text",
    "check",
    "compare",
    "digest_of_parts",
    "expectation_of",
    "explain",
    "load",
    "load_cases",
    "mutants",
    "parse_wobble",
    "read_by_rules",
    "read_rules",
    "rule_places",
    "touched",
    "untouched",
]
