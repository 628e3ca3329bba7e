"""Every store test runs on SQLite and on PostgreSQL where one is at hand."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from crmsync.store import Store, open_store

GUESSES = [f"postgresql://{user}@127.0.0.1:5432/postgres" for user in ("postgres", "root")]


def postgres_server() -> str | None:
    """The first address that answers: CRMSYNC_TEST_POSTGRES, or a trusting local server."""
    told = os.environ.get("CRMSYNC_TEST_POSTGRES")
    for url in [told] if told else GUESSES:
        engine = sa.create_engine(_driver(url), connect_args={"connect_timeout": 2})
        try:
            with engine.connect():
                return url
        except sa.exc.OperationalError:
            continue
        finally:
            engine.dispose()
    return None


def _driver(url: str) -> sa.URL:
    return sa.make_url(url).set(drivername="postgresql+psycopg")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    server = postgres_server()
    if server is None:
        pytest.skip("no PostgreSQL answers (set CRMSYNC_TEST_POSTGRES)")
    name = f"crmsync_test_{uuid.uuid4().hex[:12]}"
    engine = sa.create_engine(_driver(server), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    yield str(sa.make_url(server).set(database=name))
    with engine.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    engine.dispose()


def empty(url: str) -> None:
    engine = sa.create_engine(_driver(url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    engine.dispose()


@pytest.fixture
def empty_postgres(postgres_url: str) -> str:
    empty(postgres_url)
    return postgres_url


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
