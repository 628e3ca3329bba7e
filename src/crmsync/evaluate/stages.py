"""The lifecycle policy: which moves a customer makes today, and which wait.

Moves without ``lasting`` chain until none fits, visiting no stage twice. A move that must last is
pending from the first day its condition held; an unknown condition changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from crmsync.condition import names
from crmsync.evaluate.compiled import Answers, CompiledRuleset, Test
from crmsync.evaluate.context import EvaluationContext
from crmsync.model.decision import MoveTaken, StageResult, UnknownCondition, Verdict
from crmsync.model.lifecycle import LifecycleRules, Move
from crmsync.model.state import CustomerState
from crmsync.model.text import Text


@dataclass(frozen=True, slots=True)
class Staged:
    """The stage after this evaluation, with the pending clocks as observed."""

    result: StageResult
    pending: dict[str, date]
    unknown: tuple[UnknownCondition, ...] = ()
    withheld: tuple[Text, ...] = ()


@dataclass(slots=True)
class _Walk:
    """One customer's way through the graph today."""

    stage: str
    since: date
    visited: set[str]
    moves: list[MoveTaken] = field(default_factory=list)
    pending: dict[str, date] = field(default_factory=dict)
    waiting: dict[str, date] = field(default_factory=dict)
    unknown: dict[str, UnknownCondition] = field(default_factory=dict)
    withheld: dict[str, Text] = field(default_factory=dict)


class Lifecycle:
    """The moves of a ruleset, with the place of each condition."""

    def __init__(self, engine: CompiledRuleset, rules: LifecycleRules) -> None:
        self._engine = engine
        self.rules = rules
        self._stages = {stage.id for stage in rules.stages}
        self._moves: list[tuple[Move, Test, frozenset[str]]] = [
            (move, engine.test(move.when), engine.inputs(names(move.when))) for move in rules.moves
        ]

    def decide(
        self, answers: Answers, state: CustomerState, context: EvaluationContext
    ) -> tuple[Staged, Answers]:
        """Today's moves, and the answers in the stage they lead to."""
        standing = state.standing
        before = standing.lifecycle if standing.lifecycle in self._stages else None
        walk = _Walk(before or self.rules.start, context.as_of, {before or self.rules.start})
        if before is not None:
            walk.since = standing.lifecycle_since or context.as_of
        now = self._under(answers, walk)
        while self._step(walk, now, state, context):
            now = self._under(answers, walk)
        since = standing.lifecycle_since if walk.stage == before else walk.since
        result = StageResult(before, walk.stage, since, tuple(walk.moves), walk.waiting)
        unknown = tuple(walk.unknown.values())
        return Staged(result, walk.pending, unknown, tuple(walk.withheld.values())), now

    def _under(self, answers: Answers, walk: _Walk) -> Answers:
        return answers.under(lifecycle=walk.stage, lifecycle_since=walk.since)

    def _step(
        self, walk: _Walk, answers: Answers, state: CustomerState, context: EvaluationContext
    ) -> bool:
        """Take the first move that fits; whether one was taken."""
        for move, test, inputs in self._moves:
            if walk.stage not in move.sources or move.to in walk.visited:
                continue
            verdict = answers.holds(test)
            started = state.clocks.pending.get(move.id)
            if verdict is Verdict.UNKNOWN:
                walk.unknown[move.id] = answers.unknown(f"move {move.id}", test, move.span)
                if move.lasting and started is not None:
                    walk.pending[move.id] = started
                continue
            if verdict is Verdict.FALSE:
                continue
            if move.lasting and not self._lasted(walk, move, started, context):
                continue
            if inputs & context.stale:
                walk.withheld[move.id] = self._stale(move, sorted(inputs & context.stale))
                continue
            self._take(walk, move, answers)
            return True
        return False

    def _lasted(
        self, walk: _Walk, move: Move, started: date | None, context: EvaluationContext
    ) -> bool:
        walk.pending[move.id] = started or context.as_of
        due = self._engine.ruleset.season.after(walk.pending[move.id], move.lasting)
        if context.as_of >= due or context.placing:
            return True
        walk.waiting[move.to] = due
        return False

    def _take(self, walk: _Walk, move: Move, answers: Answers) -> None:
        values = {name: answers.value(name) for name in names(move.when)}
        text = self._engine.wording.because_of(move.when, values, answers.as_of)
        walk.moves.append(MoveTaken(move.id, walk.stage, move.to, text, move.span))
        walk.stage, walk.since = move.to, answers.as_of
        walk.visited.add(move.to)
        walk.waiting.clear()

    def _stale(self, move: Move, facts: list[str]) -> Text:
        label = self.rules.stage(move.to).label
        return Text(
            zh=f"数据源未更新（{'、'.join(facts)}），暂不进入{label.zh}",
            en=f"not moved to {label.en} while a source is stale ({', '.join(facts)})",
        )
