"""Departures from the computed tier: exceptions of the rules, then the word of a person.

``set`` wins and ends the list; otherwise the strictest ``at_most`` caps and ``at_least`` lifts
inside that cap. Overrides come last: a pin holds the tier, a ceiling and a floor bound it (they
have no hold on a level without rank). Neither waits for hold, patience, steps or review.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from crmsync.condition import names
from crmsync.evaluate.compiled import Answers, CompiledRuleset, Test
from crmsync.model.decision import Because, UnknownCondition, Verdict
from crmsync.model.override import Override, OverrideKind
from crmsync.model.position import NOWHERE, Span
from crmsync.model.text import Text
from crmsync.model.tier import ExceptionAction, TierException, TierRules


@dataclass(frozen=True, slots=True)
class InForce:
    """The exceptions in force, those that could not be decided, and what waits for a source."""

    exceptions: tuple[TierException, ...] = ()
    unknown: tuple[UnknownCondition, ...] = ()
    unfresh: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Departure:
    """The tier an exception or override makes of the computed one."""

    tier: str | None
    because: str
    text: Text
    span: Span = field(default=NOWHERE, compare=False)


class ExceptionList:
    """The exceptions of a ruleset, with the place of each condition."""

    def __init__(self, engine: CompiledRuleset) -> None:
        exceptions = engine.ruleset.departures
        self._tests: list[tuple[TierException, Test, frozenset[str]]] = [
            (item, engine.test(item.when), engine.inputs(names(item.when))) for item in exceptions
        ]

    def in_force(
        self, answers: Answers, before: Sequence[str], stale: frozenset[str] = frozenset()
    ) -> InForce:
        """What holds now. One left unknown changes nothing: in force *before*, it stays so.

        Nor does one that hangs on a *stale* fact make anybody fall: a floor that was in force
        stays, a cap that was not does not come.
        """
        holding, unknown, unfresh = [], [], []
        for item, test, inputs in self._tests:
            verdict, was = answers.holds(test), item.id in before
            if verdict is Verdict.UNKNOWN:
                unknown.append(answers.unknown(f"exception {item.id}", test, item.span))
            holds = was if verdict is Verdict.UNKNOWN else verdict is Verdict.TRUE
            floor = item.action is ExceptionAction.AT_LEAST
            if inputs & stale and holds is not floor and holds is not was:
                unfresh.append(_waits(item, sorted(inputs & stale)))
                holds = was
            if holds:
                holding.append(item)
        return InForce(tuple(holding), tuple(unknown), tuple(unfresh))


def departure(
    rules: TierRules,
    computed: str | None,
    exceptions: Sequence[TierException],
    overrides: Sequence[Override],
    today: date,
) -> Departure | None:
    """The tier after exceptions and overrides; ``None`` when they leave the computed one alone."""
    by_exception = _excepted(rules, computed, exceptions)
    reached = by_exception.tier if by_exception is not None else computed
    by_override = _overridden(rules, reached, [item for item in overrides if item.holds(today)])
    return by_override or by_exception


def _excepted(
    rules: TierRules, computed: str | None, exceptions: Sequence[TierException]
) -> Departure | None:
    forced = next((item for item in exceptions if item.action is ExceptionAction.SET), None)
    if forced is not None:
        return _by(forced) if forced.level != computed else None
    ranks = {level.id: rank for rank, level in enumerate(rules.ranked)}
    caps = [item for item in exceptions if item.action is ExceptionAction.AT_MOST]
    lifts = [item for item in exceptions if item.action is ExceptionAction.AT_LEAST]
    cap = max(caps, key=lambda item: ranks.get(item.level, -1), default=None)
    lift = min(lifts, key=lambda item: ranks.get(item.level, len(ranks)), default=None)
    highest = ranks.get(cap.level, 0) if cap is not None else 0
    rank = ranks.get(computed) if computed is not None else None
    decided: TierException | None = None
    if rank is not None and rank < highest:
        rank, decided = highest, cap
    if lift is not None and lift.level in ranks:
        floor = max(ranks[lift.level], highest)
        if rank is None or floor < rank:
            rank, decided = floor, lift
    if decided is None or rank is None:
        return None
    level = rules.ranked[rank].id
    return Departure(level, decided.id, decided.reason, decided.span)


def _waits(item: TierException, facts: Sequence[str]) -> Text:
    listed_zh, listed_en = "、".join(facts), ", ".join(facts)
    if item.action is ExceptionAction.AT_LEAST:
        return Text(
            zh=f"数据源未更新（{listed_zh}），例外“{item.id}”暂不解除",
            en=f"exception {item.id} stays while a source is stale ({listed_en})",
        )
    return Text(
        zh=f"数据源未更新（{listed_zh}），例外“{item.id}”暂不生效",
        en=f"exception {item.id} waits while a source is stale ({listed_en})",
    )


def _by(exception: TierException) -> Departure:
    return Departure(exception.level, exception.id, exception.reason, exception.span)


def _overridden(
    rules: TierRules, reached: str | None, overrides: Sequence[Override]
) -> Departure | None:
    known = {level.id for level in rules.levels}
    ranks = {level.id: rank for rank, level in enumerate(rules.ranked)}
    pin = next((o for o in overrides if o.kind is OverrideKind.PIN and o.level in known), None)
    if pin is not None:
        return _person(rules, pin, pin.level) if pin.level != reached else None
    if reached is not None and reached not in ranks:
        return None
    ceilings = [o for o in overrides if o.kind is OverrideKind.CEILING and o.level in ranks]
    floors = [o for o in overrides if o.kind is OverrideKind.FLOOR and o.level in ranks]
    rank = None if reached is None else ranks[reached]
    highest, decided = 0, None
    for override in ceilings:
        highest = max(highest, ranks[override.level])
        if rank is not None and rank < ranks[override.level]:
            rank, decided = ranks[override.level], override
    for override in floors:
        floor = max(ranks[override.level], highest)
        if rank is None or floor < rank:
            rank, decided = floor, override
    if decided is None or rank is None:
        return None
    return _person(rules, decided, rules.ranked[rank].id)


def _person(rules: TierRules, override: Override, level: str) -> Departure:
    label = rules.level(override.level).label
    zh = {"pin": "固定为", "floor": "至少为", "ceiling": "最高为"}[override.kind.value]
    en = {"pin": "pinned to", "floor": "at least", "ceiling": "at most"}[override.kind.value]
    until_zh = f"，至 {override.until}" if override.until else ""
    until_en = f", until {override.until}" if override.until else ""
    text = Text(
        zh=f"人工指定{zh}{label.zh}（{override.reason}{until_zh}）",
        en=f"set by a person: {en} {label.en} ({override.reason}{until_en})",
    )
    return Departure(level, Because.OVERRIDE, text)
