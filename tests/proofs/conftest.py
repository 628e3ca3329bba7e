"""What several proofs share is given back at the end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.proofs.kill_bench import close_benches


@pytest.fixture(scope="session", autouse=True)
def benches() -> Iterator[None]:
    yield
    close_benches()
