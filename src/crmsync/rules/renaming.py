"""Renamed facts: a former name stands for one fact, and for none that is there today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crmsync.model.diagnostic import Label
from crmsync.model.position import Span
from crmsync.model.ruleset import FactDefinition
from crmsync.model.text import Text
from crmsync.rules.shape import Findings


def check_renamed(
    facts: Sequence[FactDefinition], spellings: Mapping[str, tuple[str, Span]], findings: Findings
) -> None:
    """Note every ``was`` that names a fact of today, by id or label, or that two facts claim."""
    claimed: dict[str, FactDefinition] = {}
    for fact in facts:
        if fact.was is None:
            continue
        other = claimed.setdefault(fact.was, fact)
        if fact.was in spellings:
            _refuse(
                fact,
                Text(zh=f"“{fact.was}”仍是一个事实的名称", en=f"“{fact.was}” still names a fact"),
                spellings[fact.was][1],
                findings,
            )
        elif other is not fact:
            _refuse(
                fact,
                Text(
                    zh=f"“{other.id}”也说自己原名“{fact.was}”",
                    en=f"“{other.id}” says as well that it was “{fact.was}”",
                ),
                other.span,
                findings,
            )


def _refuse(fact: FactDefinition, why: Text, place: Span, findings: Findings) -> None:
    findings.add(
        "RULE007",
        fact.span,
        Text(zh=f"“{fact.id}”的 was：{why.zh}", en=f"was of “{fact.id}”: {why.en}"),
        Text(
            zh="was 写改名之前的名称；没有改名就去掉它",
            en="was is the name before a renaming; without one, remove it.",
        ),
        labels=(Label(place, Text(zh="在这里", en="here")),),
    )
