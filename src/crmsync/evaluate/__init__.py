"""The matchers, the one policy, the agenda and the explanation."""

from crmsync.evaluate.context import EvaluationContext
from crmsync.evaluate.engine import Engine, decide, past_episode
from crmsync.evaluate.episodes import current_episode, episode_key
from crmsync.evaluate.explanation import explain
from crmsync.evaluate.front import Mirrored, arrived, match
from crmsync.evaluate.matching import match_columnar, match_compiled
from crmsync.evaluate.merging import united
from crmsync.evaluate.placing import Placing, opened_tasks
from crmsync.evaluate.population import (
    Asked,
    EvaluatedPopulation,
    SteadyFigures,
    SteadyRow,
)
from crmsync.evaluate.ranking import score_lines
from crmsync.evaluate.rete_check import rete_status
from crmsync.evaluate.rows import row_from_facts
from crmsync.evaluate.spark import SparkVerdicts, match_spark
from crmsync.evaluate.stage_circles import circles_flap
from crmsync.evaluate.stage_flapping import exceptions_flap, stages_flap
from crmsync.evaluate.tier_flapping import tiers_flap
from crmsync.evaluate.wording import Wording

__all__ = [
    "Asked",
    "Engine",
    "EvaluatedPopulation",
    "EvaluationContext",
    "Mirrored",
    "Placing",
    "SparkVerdicts",
    "SteadyFigures",
    "SteadyRow",
    "Wording",
    "arrived",
    "circles_flap",
    "current_episode",
    "decide",
    "episode_key",
    "exceptions_flap",
    "explain",
    "match",
    "match_columnar",
    "match_compiled",
    "match_spark",
    "opened_tasks",
    "past_episode",
    "rete_status",
    "row_from_facts",
    "score_lines",
    "stages_flap",
    "tiers_flap",
    "united",
]
