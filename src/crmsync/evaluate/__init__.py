"""The matchers, the one policy, the agenda and the explanation."""

from crmsync.evaluate.context import EvaluationContext
from crmsync.evaluate.engine import Engine, decide
from crmsync.evaluate.matching import match_columnar, match_compiled
from crmsync.evaluate.rows import row_from_facts

__all__ = [
    "Engine",
    "EvaluationContext",
    "decide",
    "match_columnar",
    "match_compiled",
    "row_from_facts",
]
