"""Which segments a customer is in, by the conditions of the rules."""

from __future__ import annotations

from collections.abc import Sequence

from crmsync.evaluate.compiled import Answers, CompiledRuleset, Test
from crmsync.model.decision import SegmentResult, UnknownCondition, Verdict
from crmsync.model.segment import Segment


class SegmentList:
    """The segments of a ruleset, with the place of each condition."""

    def __init__(self, engine: CompiledRuleset) -> None:
        self._tests: list[tuple[Segment, Test]] = [
            (item, engine.test(item.when)) for item in engine.ruleset.segments
        ]

    def decide(
        self, answers: Answers, before: Sequence[str]
    ) -> tuple[SegmentResult | None, tuple[UnknownCondition, ...]]:
        """The segments in file order; one left unknown changes nothing: in it *before*, in it now.

        ``None`` where the rules have no segments.
        """
        if not self._tests:
            return None, ()
        inside, unknown = [], []
        for item, test in self._tests:
            verdict = answers.holds(test)
            if verdict is Verdict.UNKNOWN:
                unknown.append(answers.unknown(f"segment {item.id}", test, item.span))
            if verdict is Verdict.TRUE or (verdict is Verdict.UNKNOWN and item.id in before):
                inside.append(item.id)
        return SegmentResult(tuple(before), tuple(inside)), tuple(unknown)
