"""A PostgreSQL server for tests, where one answers: a database of its own for whoever asks."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import sqlalchemy as sa

GUESSES = [f"postgresql://{user}@127.0.0.1:5432/postgres" for user in ("postgres", "root")]
ABSENT = "no PostgreSQL answers (set CRMSYNC_TEST_POSTGRES)"


@cache
def postgres_server() -> str | None:
    """The first address that answers: CRMSYNC_TEST_POSTGRES, or a trusting local server."""
    told = os.environ.get("CRMSYNC_TEST_POSTGRES")
    for url in [told] if told else GUESSES:
        engine = sa.create_engine(driver(url), connect_args={"connect_timeout": 2})
        try:
            with engine.connect():
                return url
        except sa.exc.OperationalError:
            continue
        finally:
            engine.dispose()
    return None


def driver(url: str) -> sa.URL:
    """The address as SQLAlchemy wants it."""
    return sa.make_url(url).set(drivername="postgresql+psycopg")


@contextmanager
def postgres_database() -> Iterator[str]:
    """The address of a new empty database, dropped at the end with whoever is still in it."""
    server = postgres_server()
    assert server is not None, ABSENT
    name = f"crmsync_test_{uuid.uuid4().hex[:12]}"
    engine = sa.create_engine(driver(server), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        try:
            yield sa.make_url(server).set(database=name).render_as_string(hide_password=False)
        finally:
            with engine.connect() as connection:
                connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        engine.dispose()
