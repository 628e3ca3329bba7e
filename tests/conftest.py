"""Every test speaks English unless it says otherwise; nothing reaches the user's own keyring."""

import os
from collections.abc import Iterator

import pytest
from tests.postgres import ABSENT, postgres_database, postgres_server

os.environ["CRMSYNC_LANG"] = "en"
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"


@pytest.fixture
def empty_postgres() -> Iterator[str]:
    """A PostgreSQL database of this test's own."""
    if postgres_server() is None:
        pytest.skip(ABSENT)
    with postgres_database() as url:
        yield url
