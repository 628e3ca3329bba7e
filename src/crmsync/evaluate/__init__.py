"""The matchers, the one policy, the agenda and the explanation."""

from crmsync.evaluate.compiled import row_from_facts
from crmsync.evaluate.context import EvaluationContext
from crmsync.evaluate.engine import Engine, decide
from crmsync.evaluate.matching import match_columnar, match_compiled

__all__ = [
    "Engine",
    "EvaluationContext",
    "decide",
    "match_columnar",
    "match_compiled",
    "row_from_facts",
]
