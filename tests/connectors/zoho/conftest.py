"""A practice Zoho account with a standing clock, a connector on it, and a plain HTTP client."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.connectors.zoho.zoho_open import START, RawZoho, settings_of

from crmsync.testing import MemoryTokenShelf, SandboxClock
from crmsync_zoho.connector import ZohoConnector, open_connector
from crmsync_zoho.sandbox import ZohoSandbox
from crmsync_zoho.sandbox_limits import ZohoLimits


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


@pytest.fixture
def connector(sandbox: ZohoSandbox, shelf: MemoryTokenShelf) -> Iterator[ZohoConnector]:
    opened = open_connector(settings_of(sandbox), sandbox.context(shelf=shelf))
    yield opened
    opened.close()


@pytest.fixture
def raw(sandbox: ZohoSandbox) -> Iterator[RawZoho]:
    found = RawZoho(sandbox)
    yield found
    found.client.close()
