from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.http_catalogue.line import NAMES, Line, line


@pytest.fixture(params=NAMES)
def wire(request: pytest.FixtureRequest) -> Iterator[Line]:
    """A line for each connector."""
    with line(request.param) as made:
        yield made


@pytest.fixture
def zoho() -> Iterator[Line]:
    with line("zoho") as made:
        yield made


@pytest.fixture
def fxiaoke() -> Iterator[Line]:
    with line("fxiaoke") as made:
        yield made
