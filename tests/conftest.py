"""Every test speaks English unless it says otherwise; nothing reaches the user's own keyring, and
no secret of a test shows outside the secret store."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

os.environ["CRMSYNC_LANG"] = "en"
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"
os.environ.setdefault("CRMSYNC_CANARIES", secrets.token_hex(3))

from tests.canary_watch import CanaryWatch
from tests.postgres import ABSENT, postgres_database, postgres_server

WATCH = CanaryWatch()
MEMORY, ROOM = Path("/dev/shm"), 2 << 30
OWN = pytest.StashKey[str]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Temporary folders lie in memory where there is room: thousands of durable commits take
    minutes on a disk, and what survives a crash of the machine is proved elsewhere."""
    there = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM
    if config.option.basetemp is None and there:
        made = tempfile.mkdtemp(prefix="crmsync-tests-", dir=MEMORY)
        config.option.basetemp = config.stash[OWN] = made


def pytest_unconfigure(config: pytest.Config) -> None:
    """Memory is given back."""
    if OWN in config.stash:
        shutil.rmtree(config.stash[OWN], ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def canary_watch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CanaryWatch]:
    """Watches over the whole session; what is left at its end fails the last test."""
    WATCH.begin()
    yield WATCH
    if found := WATCH.end(tmp_path_factory.getbasetemp()):
        pytest.fail(f"secrets outside the secret store: {', '.join(found)}", pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """After everything a test used is closed: a secret it let out fails it."""
    try:
        return (yield)
    finally:
        if found := WATCH.after(item):
            pytest.fail(f"secrets outside the secret store: {', '.join(found)}", pytrace=False)


def pytest_sessionfinish() -> None:
    """Every process of a run tells how much it watched."""
    WATCH.tell()


@pytest.fixture
def empty_postgres() -> Iterator[str]:
    """A PostgreSQL database of this test's own."""
    if postgres_server() is None:
        pytest.skip(ABSENT)
    with postgres_database() as url:
        yield url
