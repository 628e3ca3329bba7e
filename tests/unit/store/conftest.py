"""Every store test runs on SQLite and on PostgreSQL where one is at hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crmsync.store import Store, open_store


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    if request.param == "sqlite":
        return tmp_path / "var" / "crmsync.db"
    url: str = request.getfixturevalue("empty_postgres")
    return url


@pytest.fixture
def store(place: Path | str) -> Iterator[Store]:
    opened = open_store(place)
    yield opened
    opened.close()
