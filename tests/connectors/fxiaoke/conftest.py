from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from tests.connectors.fxiaoke.fxiaoke_caller import Caller

from crmsync.testing import SandboxClock
from crmsync_fxiaoke.sandbox import FxiaokeSandbox

START = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> SandboxClock:
    return SandboxClock(START)


@pytest.fixture
def sandbox(clock: SandboxClock) -> Iterator[FxiaokeSandbox]:
    with FxiaokeSandbox(clock) as running:
        yield running
        running.invariants.check()


@pytest.fixture
def caller(sandbox: FxiaokeSandbox) -> Iterator[Caller]:
    person = Caller(sandbox)
    with person.http:
        yield person
