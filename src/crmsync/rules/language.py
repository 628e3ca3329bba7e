"""The small language as blocks use it: every reading puts its findings in one place."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TypeVar

from crmsync.condition import (
    Duration,
    Scope,
    ScopeChoice,
    ScopeName,
    parse_days,
    parse_duration,
    parse_expression,
    parse_literal,
    parse_period,
    parse_range,
    parse_test,
    read_condition,
)
from crmsync.model.condition import Condition, Expression
from crmsync.model.diagnostic import Diagnostic
from crmsync.model.fact import FactType, FactValue
from crmsync.model.lifecycle import Stage
from crmsync.model.period import Period
from crmsync.model.position import Span
from crmsync.model.ruleset import STATE_NAMES, FactDefinition
from crmsync.model.text import Text
from crmsync.model.tier import Level
from crmsync.rules.shape import Findings
from crmsync.rules.shelf import Shelf
from crmsync.source import Node, Scalar, Sequence

T = TypeVar("T")
MAX_FINDINGS = 500
MAX_SENTENCES = 4000
"""Conditions, formulas and points lines of one file: twice the rules it may have."""


class Language:
    """Reads sentences of one block within a scope of names."""

    def __init__(
        self,
        scope: Scope,
        languages: tuple[str, ...],
        findings: Findings,
        *,
        shelf: Shelf | None = None,
    ) -> None:
        self.scope = scope
        self.languages = languages
        self.findings = findings
        self.shelf = shelf if shelf is not None else Shelf(None)
        self.facts: tuple[FactDefinition, ...] = ()
        """What the facts can be, once they have been read whole."""

    def within(self, scope: Scope) -> Language:
        """The same reader with other names in reach."""
        inner = Language(scope, self.languages, self.findings, shelf=self.shelf)
        inner.facts = self.facts
        return inner

    def type_of_fact(self, id: str) -> FactType | None:
        """The type of a name in reach, if there is one of that id."""
        return next((name.type for name in self.scope.names if name.id == id), None)

    def condition(self, node: Node) -> Condition | None:
        """A sentence, a list (all of it must hold) or ``any:``, ``none:``, ``all:``."""
        if not self._room(node.span, sentences_in(node)):
            return None
        condition, found = read_condition(node, self.scope)
        self.findings.extend(found)
        return condition

    def expression(self, found: Scalar) -> Expression | None:
        """A formula or a fact's name."""
        if not self._room(found.span):
            return None
        expression, findings = parse_expression(found.text, found.inner, self.scope)
        self.findings.extend(findings)
        return expression

    def formula(self, found: Scalar, fact: FactDefinition) -> Expression | None:
        """The formula of a derived fact; it must give the fact's type."""
        if not self._room(found.span):
            return None
        expression, findings = parse_expression(
            found.text, found.inner, self.scope, result=_fact_name(fact)
        )
        self.findings.extend(findings)
        return expression

    def test(self, found: Scalar, operand: Expression) -> Condition | None:
        """The left side of a points line: ``≥ 30``, ``高``, ``10..20``."""
        if not self._room(found.span):
            return None
        condition, findings = parse_test(found.text, found.inner, operand, self.scope)
        self.findings.extend(findings)
        return condition

    def _room(self, span: Span, count: int = 1) -> bool:
        """Whether to read so many more sentences: of too many it is said once, and after very many
        findings no more are looked for."""
        if len(self.findings.all) > MAX_FINDINGS:
            return False
        before, self.findings.sentences = (
            self.findings.sentences,
            self.findings.sentences + count,
        )
        if self.findings.sentences <= MAX_SENTENCES:
            return True
        if before <= MAX_SENTENCES:
            self.findings.add(
                "RULE021",
                span,
                Text(
                    zh=f"条件、公式和分值行超过 {MAX_SENTENCES} 条，后面的没有读",
                    en=f"more than {MAX_SENTENCES} conditions, formulas and points lines: the rest "
                    "was not read",
                ),
                Text(zh="拆成几个规则集", en="Make several rulesets."),
            )
        return False

    def value(self, found: Scalar, type: FactType, choices: tuple[str, ...] = ()) -> FactValue:
        """A constant of that type; ``None`` with a finding when it is none."""
        literal = self._keep(parse_literal(found.text, found.inner, type, choices))
        return None if literal is None else literal.value

    def number(self, found: Scalar, type: FactType) -> Decimal | None:
        """A constant of a numeric type as an exact number."""
        value = self.value(found, type)
        return None if value is None or isinstance(value, str) else Decimal(str(value))

    def range(self, found: Scalar) -> tuple[Decimal, Decimal] | None:
        """``0..15``: the lower end first, both ends belonging to it."""
        return self._keep(parse_range(found.text, found.inner))

    def days(self, found: Scalar | None) -> int | None:
        """A number of days; a bare number means days."""
        return None if found is None else self._keep(parse_days(found.text, found.inner))

    def period(self, found: Scalar) -> Period | None:
        """Calendar months or days."""
        return self._keep(parse_period(found.text, found.inner))

    def duration(self, found: Scalar) -> Duration | None:
        """A number of one unit of time, work days included."""
        return self._keep(parse_duration(found.text, found.inner))

    def _keep(self, result: tuple[T | None, list[Diagnostic]]) -> T | None:
        value, findings = result
        self.findings.extend(findings)
        return value


def sentences_in(node: Node) -> int:
    """How many sentences a condition's block holds."""
    if isinstance(node, Scalar):
        return 1
    parts = node.items if isinstance(node, Sequence) else [value for _, value in node.entries]
    return sum(map(sentences_in, parts))


def type_of(expression: Expression) -> FactType:
    """The type an expression gives."""
    return expression.type


def facts_scope(facts: tuple[FactDefinition, ...], year_starts: int = 1) -> Scope:
    """Names of facts alone: what the score, exceptions and formulas may read."""
    return Scope(tuple(_fact_name(fact) for fact in facts), year_starts=year_starts)


def state_scope(
    facts: tuple[FactDefinition, ...],
    levels: tuple[Level, ...],
    stages: tuple[Stage, ...],
    year_starts: int = 1,
) -> Scope:
    """Facts and what the decision leaves behind: for moves and tasks."""
    tiers = tuple(ScopeChoice(level.id, level.label) for level in levels)
    lifecycle = tuple(ScopeChoice(stage.id, stage.label) for stage in stages)
    choices = {
        "tier": tiers,
        "tier_before": tiers,
        "lifecycle": lifecycle,
        "lifecycle_before": lifecycle,
    }
    present = {"tier": bool(levels), "score": bool(levels), "lifecycle": bool(stages)}
    state = tuple(
        ScopeName(name, kind, STATE_LABELS[name], choices.get(name, ()))
        for name, kind in STATE_NAMES.items()
        if present[name.split("_")[0]]
    )
    return facts_scope(facts, year_starts).plus(state)


STATE_LABELS = {
    "tier": Text(zh="等级", en="tier"),
    "tier_before": Text(zh="原等级", en="tier before"),
    "tier_since": Text(zh="等级起始日", en="tier since"),
    "lifecycle": Text(zh="生命周期", en="lifecycle"),
    "lifecycle_before": Text(zh="原生命周期", en="lifecycle before"),
    "lifecycle_since": Text(zh="生命周期起始日", en="lifecycle since"),
    "score": Text(zh="评分", en="score"),
}
"""What people call the names of state."""


def _fact_name(fact: FactDefinition) -> ScopeName:
    labels = fact.choice_labels or (None,) * len(fact.choices)
    choices = map(ScopeChoice, fact.choices, labels)
    return ScopeName(fact.id, fact.type, fact.label, tuple(choices))


def at(found: Scalar, text: str, span: Span) -> Scalar:
    """A part of *found* with its own place."""
    return replace(found, text=text, value=text, span=span, inner=span)
