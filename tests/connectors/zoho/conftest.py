"""A practice Zoho account with a standing clock, and a connector on it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from crmsync_zoho.connector import ZohoConnector, open_connector
from crmsync_zoho.sandbox import ZohoSandbox
from crmsync_zoho.sandbox_limits import ZohoLimits
from crmsync_zoho.settings import ZohoSettings

from crmsync.testing import MemoryTokenShelf, SandboxClock

START = datetime(2026, 11, 20, 8, tzinfo=UTC)


@pytest.fixture
def limits() -> ZohoLimits:
    return ZohoLimits()


@pytest.fixture
def sandbox(limits: ZohoLimits) -> Iterator[ZohoSandbox]:
    with ZohoSandbox(SandboxClock(START), limits) as running:
        yield running
        running.invariants.check()


@pytest.fixture
def shelf() -> MemoryTokenShelf:
    return MemoryTokenShelf()


def settings_of(sandbox: ZohoSandbox, **changed: object) -> ZohoSettings:
    return ZohoSettings.model_validate({**sandbox.connection_settings().keys, **changed})


@pytest.fixture
def connector(sandbox: ZohoSandbox, shelf: MemoryTokenShelf) -> Iterator[ZohoConnector]:
    opened = open_connector(settings_of(sandbox), sandbox.context(shelf=shelf))
    yield opened
    opened.close()
