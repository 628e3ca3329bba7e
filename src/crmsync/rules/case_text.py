"""Writes cases the way people write them, so that `load_cases` reads the same cases back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from crmsync.condition.numbers import number_text
from crmsync.model.case import Case, Expectation
from crmsync.model.fact import FactType, FactValue, Judgement
from crmsync.model.ruleset import Ruleset
from crmsync.rules.case_lines import cut_lines_text
from crmsync.rules.case_state import opening_of

_PLAIN = re.compile(r"[^\W\d][\w/ +-]*\Z")
_WORDS_OF_YAML = frozenset({"null", "true", "false", "yes", "no", "on", "off", "none", "missing"})


def case_text(case: Case, ruleset: Ruleset, *, today: date | None = None) -> str:
    """The lines of one case under ``cases:``; *today* is the day the whole file says, if any."""
    lines = [f"- name: {_words(case.name)}"]
    if case.today != today:
        lines.append(f"  today: {case.today}")
    facts = {
        fact.id: _judged(fact_text(case.facts[fact.id], fact.type), case.judged.get(fact.id))
        for fact in ruleset.facts
        if fact.id in case.facts
    }
    lines.append(f"  facts: {_flow(facts)}")
    if case.cut_points is not None:
        cuts = {
            part.value: "[" + ", ".join(number_text(value) for value in points) + "]"
            for part, points in case.cut_points.items()
        }
        lines.append(f"  cut_points: {_flow(cuts)}")
    before = dict(_before(case, ruleset))
    if before:
        lines.append(f"  before: {_flow(before)}")
    drawn = cut_lines_text(case.cut_lines)
    if drawn:
        levels = {
            level: _flow({key: _number(line) for key, line in found.items()})
            for level, found in drawn.items()
        }
        lines.append(f"  cut_lines: {_flow(levels)}")
    if case.parent_tier is not None:
        lines.append(f"  parent_tier: {_words(case.parent_tier)}")
    if case.released:
        lines.append("  review: released")
    lines.append(f"  expect: {_flow(dict(_expect(case.expect)))}")
    return "\n".join(lines) + "\n"


def _judged(value: str, told: Judgement | None) -> str:
    """A value with what is told of whoever gave it."""
    if told is None:
        return value
    parts = {"value": value}
    if told.author is not None:
        parts["author"] = _words(told.author)
    if told.on is not None:
        parts["date"] = told.on.isoformat()
    if told.remark is not None:
        parts["remark"] = _words(told.remark)
    return _flow(parts)


def _flow(entries: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{_words(key)}: {value}" for key, value in entries.items()) + "}"


def _words(text: str) -> str:
    """Text as YAML reads it back in a flow mapping; quoted when it must be."""
    plain = _PLAIN.match(text) and text == text.strip() and text.lower() not in _WORDS_OF_YAML
    return text if plain else json.dumps(text, ensure_ascii=False)


def fact_text(value: FactValue, kind: FactType) -> str:
    """A value exactly as a case writes it."""
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return json.dumps(value.isoformat(sep=" "))
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float | Decimal):
        exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        return f"{_number(exact * 100)}%" if kind is FactType.PERCENT else _number(exact)
    return _words(value)


def _number(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _before(case: Case, ruleset: Ruleset) -> Iterator[tuple[str, str]]:
    opening = opening_of(case.before)
    if opening.tier is not None:
        yield "tier", _words(opening.tier)
    if opening.tier_since is not None:
        yield "tier_since", str(opening.tier_since)
    if opening.below_keep_since is not None:
        yield "below_keep_since", str(opening.below_keep_since)
    if opening.lifecycle is not None:
        yield "lifecycle", _words(opening.lifecycle)
    if opening.lifecycle_since is not None:
        yield "lifecycle_since", str(opening.lifecycle_since)
    pending = _pending(opening.pending, ruleset)
    if pending:
        yield "lifecycle_pending", _flow(pending)
    held = sorted(task for task, was in opening.held.items() if was)
    if held:
        yield "held", f"[{', '.join(_words(task) for task in held)}]"
    yesterday = case.today - timedelta(days=1)
    evaluated = opening.evaluated or yesterday
    if evaluated != yesterday:
        yield "evaluated", str(evaluated)
    if opening.segments:
        yield "segments", f"[{', '.join(_words(name) for name in opening.segments)}]"
    if case.episodes and all(item.opened_on == evaluated for item in case.episodes):
        yield "episodes", f"[{', '.join(_words(item.task_id) for item in case.episodes)}]"
    elif case.episodes:
        yield "episodes", _flow({item.task_id: str(item.opened_on) for item in case.episodes})


def _pending(pending: Mapping[str, date], ruleset: Ruleset) -> dict[str, str]:
    """By the stage a move leads to, as people say it; by the move where that would be unclear."""
    moves = () if ruleset.lifecycle is None else ruleset.lifecycle.moves
    targets = {move.id: move.to for move in moves}
    waiting = [targets.get(move) for move in pending]
    return {
        to if (to := targets.get(move)) and waiting.count(to) == 1 else move: str(since)
        for move, since in pending.items()
    }


def _expect(expect: Expectation) -> Iterator[tuple[str, str]]:
    if expect.score is not None:
        low, high = (_number(end) for end in expect.score)
        yield "score", low if low == high else f"{low}..{high}"
    for key in ("tier", "tier_because", "lifecycle", "service", "notice"):
        value = getattr(expect, key)
        if value is not None:
            yield key, _words(value) if value else "none"
    if expect.applies is not None:
        yield "applies", "yes" if expect.applies else "no"
    for key in ("tasks", "closes", "segments"):
        names = getattr(expect, key)
        if names is not None:
            yield key, f"[{', '.join(_words(name) for name in sorted(names))}]"
