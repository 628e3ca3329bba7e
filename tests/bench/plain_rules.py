"""Rules any engine can hold: one to four comparisons that must all be met."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

from tests.bench.conditions import said

from crmsync.condition.sql import double
from crmsync.model.condition import All, Condition

WORD = 60


class Atom(NamedTuple):
    """A field, an operator every engine has, and a constant."""

    field: str
    op: str
    value: float | str | bool


Rule = tuple[Atom, ...]
_RANGES = {
    "orders": (0, 60),
    "visits": (0, 20),
    "revenue": (0, 13500),
    "credit": (0, 10000),
    "gap": (0, 45),
}


def plain_rules(count: int) -> tuple[Rule, ...]:
    """The same rules for the same count."""
    source = random.Random(20261122)
    made: dict[Rule, None] = {}
    while len(made) < count:
        made[tuple(_atom(source) for _ in range(source.randrange(1, 5)))] = None
    return tuple(made)


def _atom(source: random.Random) -> Atom:
    kind = source.randrange(6)
    if kind == 0:
        return Atom("grade", "=", source.choice("ABCDEF"))
    if kind == 1:
        return Atom("strategic", "=", True)
    field = source.choice(sorted(_RANGES))
    low, high = _RANGES[field]
    return Atom(field, source.choice(("<", "<=", ">", ">=")), float(source.randrange(low, high)))


def condition(rule: Rule) -> Condition:
    """The rule in our language."""
    parts = tuple(said(_sentence(atom)) for atom in rule)
    return parts[0] if len(parts) == 1 else All(parts)


def _sentence(atom: Atom) -> str:
    if atom.field == "strategic":
        return "strategic"
    if atom.field == "grade":
        return f"grade is {atom.value}"
    op = {"<=": "≤", ">=": "≥"}.get(atom.op, atom.op)
    return f"{atom.field} {op} {atom.value:g}"


def by_hand(rules: Sequence[Rule]) -> str:
    """Both masks as a person would write them in SQL, sixty bits to a word."""
    tests = [" AND ".join(map(_sql, rule)) for rule in rules]
    columns = []
    for letter, form in (("t", "({}) IS TRUE"), ("u", "({}) IS NULL")):
        for word in range((len(rules) + WORD - 1) // WORD):
            bits = [
                f"CASE WHEN {form.format(test)} THEN {1 << bit}::BIGINT ELSE 0 END"
                for bit, test in enumerate(tests[word * WORD : (word + 1) * WORD])
            ]
            columns.append(f"{' + '.join(bits)} AS {letter}{word}")
    return f"SELECT id, {', '.join(columns)} FROM plain"


def _sql(atom: Atom) -> str:
    if atom.field == "strategic":
        return "strategic"
    if atom.field == "grade":
        return f"grade = '{atom.value}'"
    return f"{atom.field} {atom.op} {double(float(atom.value)).sql('duckdb')}"
