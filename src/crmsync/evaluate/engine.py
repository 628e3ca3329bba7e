"""The engine: a ruleset compiled, its policy with it, and the decision for one customer."""

from __future__ import annotations

from datetime import date

from crmsync.evaluate.chaining import Chain
from crmsync.evaluate.compiled import CompiledRuleset
from crmsync.evaluate.context import EvaluationContext
from crmsync.evaluate.policy import policy_of
from crmsync.model.decision import Decision
from crmsync.model.fact import MatchedRow
from crmsync.model.ruleset import Ruleset
from crmsync.model.state import CustomerState, Episode


class Engine(CompiledRuleset):
    """One ruleset, compiled once; it may be used for any number of customers, days and threads."""

    def __init__(self, ruleset: Ruleset) -> None:
        super().__init__(ruleset)
        self.policy = policy_of(self)


def decide(
    engine: Engine,
    matched: MatchedRow,
    state: CustomerState,
    context: EvaluationContext,
    *,
    chain: Chain | None = None,
) -> Decision:
    """What the rules make of one customer on one local day.

    *state* MUST be the state as that day opens: evaluating again after an apply, from the same
    opening and the same facts, gives the same decision. The clocks of the decision are observations
    that hold whether or not anything is written; its standing holds once the write is confirmed.
    With a *chain* over `steps_of` its ruleset, tasks and entitlements are drawn by it: the same.
    """
    return engine.policy.decide(matched, state, context, chain)


def past_episode(engine: Engine, state: CustomerState, task_id: str, opened_on: date) -> Episode:
    """The episode of a task that was opened on a day before this one and is still open.

    Its key is the one the engine gave it then, as far as *state* still tells; raises KeyError when
    there is no such task.
    """
    key = engine.policy.agenda.past_key(task_id, state, opened_on)
    return Episode(key, task_id, state.ref, opened_on)
