"""Lints of the lifecycle: stages nobody reaches or leaves, moves that never happen, flapping."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from crmsync.condition.reach import apart, values_of
from crmsync.model.condition import Between, Compare, Condition, Expression, Literal, OneOf
from crmsync.model.diagnostic import Diagnostic, Label
from crmsync.model.lifecycle import LifecycleRules, Move
from crmsync.model.ruleset import Ruleset
from crmsync.model.text import Text
from crmsync.source import warning


def lint_lifecycle(ruleset: Ruleset) -> Iterator[Diagnostic]:
    """Everything that is odd in the graph."""
    graph = ruleset.lifecycle
    if graph is None:
        return
    yield from _unreachable(graph)
    yield from _no_way_out(graph)
    yield from _shadowed(graph)
    yield from _flapping(graph)


def reachable(graph: LifecycleRules) -> frozenset[str]:
    """Every stage a customer can come to from the start."""
    found = {graph.start}
    fresh = True
    while fresh:
        fresh = False
        for move in graph.moves:
            if move.to not in found and found & set(move.sources):
                found.add(move.to)
                fresh = True
    return frozenset(found)


def _unreachable(graph: LifecycleRules) -> Iterator[Diagnostic]:
    known = reachable(graph)
    for stage in graph.stages:
        if stage.id not in known:
            yield warning(
                "RULE208",
                stage.span,
                Text(
                    zh=f"阶段“{stage.id}”永远到不了：从“{graph.start}”出发没有通向它的移动",
                    en=f"the stage “{stage.id}” can never be reached from “{graph.start}”",
                ),
                Text(zh=f"加一条 to: {stage.id} 的移动", en=f"Add a move with to: {stage.id}"),
            )


def _no_way_out(graph: LifecycleRules) -> Iterator[Diagnostic]:
    left = {source for move in graph.moves for source in move.sources}
    for stage in graph.stages:
        if stage.id not in left:
            yield warning(
                "RULE209",
                stage.span,
                Text(
                    zh=f"阶段“{stage.id}”进得去出不来",
                    en=f"the stage “{stage.id}” has no way out",
                ),
                Text(
                    zh=f"加一条 from: {stage.id} 的移动（例如再次下单）",
                    en=f"Add a move with from: {stage.id} (for instance on a new order).",
                ),
            )


def _shadowed(graph: LifecycleRules) -> Iterator[Diagnostic]:
    for first, second in combinations(graph.moves, 2):
        common = set(first.sources) & set(second.sources)
        if first.when == second.when and common and first.lasting <= second.lasting:
            names = "、".join(sorted(common))
            yield warning(
                "RULE210",
                second.span,
                Text(
                    zh=f"从“{names}”出发，这条移动永远轮不到：前一条条件相同，先生效",
                    en=f"from “{names}” this move never comes up: an earlier one has the same "
                    "condition",
                ),
                Text(zh="去掉一条，或改它的条件", en="Remove one, or change its condition."),
                labels=(Label(first.span, Text(zh="这一条先生效", en="this one is made first")),),
            )


def _flapping(graph: LifecycleRules) -> Iterator[Diagnostic]:
    for first, second in combinations(graph.moves, 2):
        if first.to in second.sources and second.to in first.sources:
            operand = _single(first.when)
            if operand is not None and operand == _single(second.when):
                yield from _overlap(first, second, operand)


def _overlap(first: Move, second: Move, operand: Expression) -> Iterator[Diagnostic]:
    one = values_of(first.when, operand, whole=False)
    other = values_of(second.when, operand, whole=False)
    if one is None or other is None or apart(one, other):
        return
    yield warning(
        "RULE218",
        second.span,
        Text(
            zh=f"“{first.to}”和“{second.to}”会来回变：有的值同时满足进入和离开的条件",
            en=f"“{first.to}” and “{second.to}” will flap: some values fit both the way in and "
            "the way back",
        ),
        Text(
            zh="把离开的条件设得比进入的更严",
            en="Make leaving harder than entering.",
        ),
        labels=(Label(first.span, Text(zh="另一个方向", en="the other direction")),),
    )


def _single(condition: Condition) -> Expression | None:
    """The one expression a simple condition compares with constants."""
    match condition:
        case Compare(left=left, right=Literal()):
            return left
        case Between(operand=operand, low=Literal(), high=Literal()) | OneOf(operand=operand):
            return operand
    return None
