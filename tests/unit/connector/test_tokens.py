"""One refresh at a time, none too many, and a token survives a restart."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from crmsync.connector.http import HttpCall, HttpOptions, HttpSession, Purpose
from crmsync.connector.tokens import Token, TokenAuth, TokenCache
from crmsync.errors import AuthError, Throttled
from crmsync.model.text import Text
from crmsync.testing import FaultProxy, MemoryTokenShelf, SandboxClock, practice_context
from crmsync.testing.bad_wire import reply

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


class Bench:
    def __init__(self, shelf: MemoryTokenShelf | None = None, *, identity: str = "client") -> None:
        self.clock = SandboxClock(NOW)
        self.shelf = shelf or MemoryTokenShelf()
        self.fetched = 0
        self.trouble: Exception | None = None
        context = practice_context({}, self.clock, shelf=self.shelf)
        self.cache = TokenCache(context, self.fetch, identity=identity)
        self.context = context

    def fetch(self) -> Token:
        self.fetched += 1
        if self.trouble:
            raise self.trouble
        time.sleep(0.01)
        lives = self.clock.now() + timedelta(hours=1)
        return Token(f"token-{self.fetched}", lives, {"api": "https://api.example.test"})


def test_a_token_is_fetched_once_and_again_before_it_dies() -> None:
    bench = Bench()
    assert [bench.cache.get().value for _ in range(3)] == ["token-1"] * 3
    bench.clock.advance(timedelta(minutes=54))
    assert bench.cache.get().value == "token-1"
    bench.clock.advance(timedelta(minutes=2))
    assert bench.cache.get().value == "token-2"


def test_many_threads_make_one_refresh() -> None:
    bench = Bench()
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(bench.cache.get().value)) for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["token-1"] * 20
    assert bench.fetched == 1


def test_a_restart_takes_the_token_from_the_shelf() -> None:
    first = Bench()
    first.cache.get()
    second = Bench(first.shelf)
    token = second.cache.get()
    assert (token.value, token.extra["api"]) == ("token-1", "https://api.example.test")
    assert second.fetched == 0


def test_a_shelf_of_other_credentials_or_rubbish_is_ignored() -> None:
    first = Bench()
    first.cache.get()
    assert Bench(first.shelf, identity="another").cache.get().value == "token-1"
    for rubbish in ("", "{", "[]", '{"owner": 1}', "null"):
        bench = Bench(MemoryTokenShelf(rubbish))
        bench.cache.get()
        assert bench.fetched == 1


def test_of_two_that_are_refused_only_one_fetches() -> None:
    one = Bench()
    two = Bench(one.shelf)
    old, same = one.cache.get(), two.cache.get()
    assert one.cache.refused(old).value == "token-2"
    assert two.cache.refused(same).value == "token-2"
    assert two.fetched == 0


def test_after_access_denied_nobody_asks_until_the_pause_is_over() -> None:
    bench = Bench()
    bench.trouble = Throttled(Text.same("too many"))
    with pytest.raises(Throttled):
        bench.cache.get()
    bench.trouble = None
    restarted = Bench(bench.shelf)
    with pytest.raises(Throttled) as caught:
        restarted.cache.get()
    assert caught.value.retry_after == 600
    assert restarted.fetched == 0
    restarted.clock.advance(601)
    assert restarted.cache.get().value == "token-1"


def test_a_failed_refresh_keeps_nothing() -> None:
    bench = Bench()
    bench.trouble = AuthError(Text.same("revoked"))
    for _ in range(2):
        with pytest.raises(AuthError):
            bench.cache.get()
    assert bench.shelf.load() is None


def test_no_repr_shows_a_token() -> None:
    bench = Bench()
    token = bench.cache.get()
    auth = TokenAuth(bench.cache, lambda token: {"Authorization": token.value})
    assert "token-1" not in repr(token) + repr(bench.cache) + repr(auth)


@pytest.fixture
def picky() -> Iterator[FaultProxy]:
    def behave(connection) -> None:
        good = b"token-2" in server.requests[-1]
        reply(b"{}", status="200 OK" if good else "401 No")(connection)

    with FaultProxy(always=behave) as server:
        yield server


def test_a_refused_token_is_replaced_once(picky: FaultProxy) -> None:
    bench = Bench()
    auth = TokenAuth(bench.cache, lambda token: {"Authorization": f"Example {token.value}"})
    call = HttpCall(method="POST", path="/x", purpose=Purpose.WRITE, json={})
    with HttpSession(picky.url, bench.context, HttpOptions(auth=auth)) as session:
        assert session.send(call).status == 200
        assert len(picky.requests) == 2
        bench.cache.refused(bench.cache.get())
        assert session.send(call).status == 401
        assert len(picky.requests) == 4
