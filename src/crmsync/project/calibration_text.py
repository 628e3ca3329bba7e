"""Puts lines and weights into the text of a rules file: the numbers, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from crmsync.condition.numbers import number_text
from crmsync.model.diagnostic import Diagnostic, Fix, Severity
from crmsync.model.text import Text
from crmsync.project.calibration import Setting, scaled
from crmsync.source import Mapping, Node, Scalar, Sequence, apply_fixes


def respelled(text: str, root: Mapping, new: Setting, now: Setting) -> str:
    """*text* with the numbers of *new* where those of *now* stand.

    Keep lines move with their enter lines, so that the step between them stays. Points of a
    criterion are scaled with its most points, to the tenth.
    """
    edits = [*_lines(root, new, now), *_weights(root, new, now)]
    return apply_fixes(text, edits)[0]


def _lines(root: Mapping, new: Setting, now: Setting) -> Iterator[Diagnostic]:
    tier = root.get("tier")
    levels = tier.get("levels") if isinstance(tier, Mapping) else None
    lined = [
        item
        for item in (levels.items if isinstance(levels, Sequence) else ())
        if isinstance(item, Mapping) and item.get("enter") is not None
    ]
    for level, old, line in zip(lined, now.lines, new.lines, strict=True):
        for key in ("enter", "keep"):
            found = level.get(key)
            if isinstance(found, Scalar) and old != line:
                yield _edit(found, Decimal(found.text) + line - old)


def _weights(root: Mapping, new: Setting, now: Setting) -> Iterator[Diagnostic]:
    score = root.get("score")
    cards = root.get("scorecards")
    if isinstance(cards, Sequence) and isinstance(cards.items[0], Mapping):
        score = cards.items[0].get("score")
    criteria = score.items if isinstance(score, Sequence) else ()
    for criterion, old, most in zip(criteria, now.maxima, new.maxima, strict=True):
        if old == most or not isinstance(criterion, Mapping):
            continue
        ceiling = criterion.get("max")
        if isinstance(ceiling, Scalar):
            yield _edit(ceiling, most)
        points = criterion.get("points")
        for value in _values(points):
            yield _edit(value, scaled(Decimal(value.text), old, most))


def _values(points: Node | None) -> Iterator[Scalar]:
    if isinstance(points, Mapping):
        yield from (value for _, value in points.entries if isinstance(value, Scalar))


def _edit(found: Scalar, value: Decimal) -> Diagnostic:
    return Diagnostic(
        "CALIBRATE",
        Severity.WARNING,
        found.span,
        Text.same(found.text),
        fix=Fix(found.inner, number_text(value)),
    )
