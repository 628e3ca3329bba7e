"""Repeating a call that certainly did nothing: the CRM's own pause first, then a fair back-off."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import tenacity
from tenacity.stop import stop_base
from tenacity.wait import wait_base

from crmsync.connector.context import ConnectionContext
from crmsync.errors import Throttled, Unavailable

_log = logging.getLogger("crmsync.retry")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Seconds throughout. A pause the CRM asks for beyond ``longest_pause`` is not waited out: the
    error goes up, the run stops and can be resumed."""

    attempts: int = 6
    budget: float = 600.0
    """Attempts and pauses together must fit in here; a pause that would not is not begun."""
    first: float = 1.0
    cap: float = 60.0
    longest_pause: float = 300.0


class Patience:
    """Repeats calls that raise Throttled or Unavailable: those promise that nothing was written.

    Everything else — OutcomeUnknown above all — goes up at once. Clock and sleep are the
    connection's own, so a test waits for nothing.
    """

    def __init__(
        self,
        context: ConnectionContext,
        policy: RetryPolicy | None = None,
        *,
        chance: Callable[[], float] = random.random,
        told: Callable[[float], None] | None = None,
    ) -> None:
        self._context = context
        self._policy = policy or RetryPolicy()
        self._chance = chance
        self._told = told

    def call(self, work: Callable[[], _T]) -> _T:
        """The result of *work*; its last error once patience is at an end."""
        started = self._context.now()
        policy = self._policy

        class Stop(stop_base):
            def __call__(stop, state: tenacity.RetryCallState) -> bool:  # noqa: N805
                spent = (self._context.now() - started).total_seconds()
                return (
                    state.attempt_number >= policy.attempts
                    or spent + state.upcoming_sleep > policy.budget
                    or state.upcoming_sleep > policy.longest_pause
                )

        class Wait(wait_base):
            def __call__(wait, state: tenacity.RetryCallState) -> float:  # noqa: N805
                return self._pause(state)

        retrying = tenacity.Retrying(
            sleep=self._context.sleep,
            stop=Stop(),
            wait=Wait(),
            retry=tenacity.retry_if_exception_type((Throttled, Unavailable)),
            before_sleep=self._note,
            reraise=True,
        )
        return retrying(work)

    def _pause(self, state: tenacity.RetryCallState) -> float:
        problem = state.outcome.exception() if state.outcome else None
        if isinstance(problem, Throttled) and problem.retry_after is not None:
            return problem.retry_after
        ceiling = min(self._policy.cap, self._policy.first * 2 ** (state.attempt_number - 1))
        return float(self._chance() * ceiling)

    def _note(self, state: tenacity.RetryCallState) -> None:
        problem = state.outcome.exception() if state.outcome else None
        code = getattr(problem, "code", "?")
        _log.info(
            "attempt %d: %s, waiting %.1f s", state.attempt_number, code, state.upcoming_sleep
        )
        if self._told is not None:
            self._told(state.upcoming_sleep)
