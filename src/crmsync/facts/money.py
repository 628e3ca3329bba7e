"""Amounts in the currency of the rules, in SQL: exact decimals, and NULL wherever a rate lacks.

An amount is multiplied by the rate of its currency on its day and rounded to a millionth, halves
away from zero, before anything is added up. Amounts of 10^15 and more are refused, not rounded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlglot import exp

from crmsync.facts import conversion
from crmsync.model.fact import FactType
from crmsync.model.mapping import CrmMapping, MoneyTerms, Rate
from crmsync.model.relation import SQL_TYPES
from crmsync.model.ruleset import Ruleset
from crmsync.model.schema import FieldSchema

_CODE = re.compile(r"[A-Z]{3}\Z")
_AMOUNT, _RATE = "DECIMAL(21, 6)", "DECIMAL(15, 8)"
"""Their product has 14 decimals and fits 38 digits."""


@dataclass(frozen=True, slots=True)
class Money:
    """What is converted: the facts that are money, into which currency, by which terms."""

    facts: frozenset[str]
    into: str
    terms: MoneyTerms

    def converted(self, amount: exp.Expr, code: exp.Expr | None, day: exp.Expr) -> exp.Expr:
        """*amount* in the rules' currency; *code* is the currency's word beside it, if any.

        NULL where the amount is, where nothing tells the currency, and where there is no rate on
        *day*.
        """
        if code is None and self.terms.home == self.into:
            return amount
        rate = self._rate(self.code(code), day)
        product = exp.Mul(this=_try(amount, _AMOUNT), expression=rate)
        return _try(exp.paren(product), SQL_TYPES[FactType.MONEY])

    def code(self, word: exp.Expr | None) -> exp.Expr:
        """The code a word stands for: by the mapping's table, else the word itself."""
        home = conversion.null("VARCHAR")
        if self.terms.home is not None:
            home = exp.Literal.string(self.terms.home)
        if word is None:
            return home
        told: exp.Expr = exp.Nullif(this=exp.Trim(this=word), expression=exp.Literal.string(""))
        if self.terms.words:
            table = exp.Case(this=told)
            for stored, code in sorted(self.terms.words.items()):
                table = table.when(exp.Literal.string(stored), exp.Literal.string(code))
            told = table.else_(told.copy())
        return exp.Coalesce(this=told, expressions=[home])

    def _rate(self, code: exp.Expr, day: exp.Expr) -> exp.Expr:
        one = exp.cast(exp.Literal.number("1"), _RATE)
        found = exp.Case(this=code).when(exp.Literal.string(self.into), one)
        for other, rates in sorted(self.terms.rates.items()):
            found = found.when(exp.Literal.string(other), _on(rates, day))
        return exp.paren(found)


def money_of(ruleset: Ruleset, mapping: CrmMapping) -> Money | None:
    """What *mapping* has converted; ``None`` when amounts are in the rules' currency already."""
    if mapping.money is None or ruleset.currency is None:
        return None
    facts = frozenset(fact.id for fact in ruleset.facts if fact.type is FactType.MONEY)
    return Money(facts, ruleset.currency, mapping.money)


def word_of(field: FieldSchema, column: exp.Expr, words: Mapping[str, str]) -> exp.Expr:
    """The word a currency field holds; a stored value whose label is a code, or one of *words*, by
    its label."""
    word = conversion.as_words(column, field.type)
    if word is None:
        return conversion.null("VARCHAR")
    labels = {
        choice.value: choice.label
        for choice in field.choices
        if choice.value not in words and (choice.label in words or _CODE.match(choice.label))
    }
    return conversion.translate(word, labels)


def _on(rates: tuple[Rate, ...], day: exp.Expr) -> exp.Expr:
    """The latest rate that holds on *day*."""
    if len(rates) == 1 and rates[0].since is None:
        return _decimal(rates[0])
    found = exp.Case()
    for rate in rates:
        since = rate.since or date.min
        began = exp.GTE(this=day.copy(), expression=conversion.literal_day(since))
        found = found.when(began, _decimal(rate))
    return found


def _decimal(rate: Rate) -> exp.Expr:
    return exp.cast(exp.Literal.string(f"{rate.value:f}"), _RATE)


def _try(value: exp.Expr, type: str) -> exp.Expr:
    return exp.TryCast(this=value, to=exp.DataType.build(type, dialect="duckdb"))
