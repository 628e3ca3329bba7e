"""Waiting: as the CRM asks, never longer than allowed, never before its time."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsync.connector.context import ConnectionContext
from crmsync.connector.pace import Pace
from crmsync.connector.retry import Patience, RetryPolicy
from crmsync.connector.retry_after import parse_http_date, parse_retry_after
from crmsync.errors import OutcomeUnknown, Throttled, Unavailable
from crmsync.model.text import Text
from crmsync.testing import SandboxClock, practice_context

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
WORDS = Text.same("no")


def watched() -> tuple[ConnectionContext, SandboxClock]:
    clock = SandboxClock(NOW)
    return practice_context({}, clock), clock


class Failing:
    def __init__(self, *problems: Exception) -> None:
        self._problems = list(problems)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self._problems:
            raise self._problems.pop(0)
        return "done"


def test_the_crms_own_pause_comes_first() -> None:
    context, clock = watched()
    work = Failing(Throttled(WORDS, retry_after=42), Throttled(WORDS, retry_after=7))
    assert Patience(context).call(work) == "done"
    assert clock.now() - NOW == timedelta(seconds=49)


def test_without_one_the_back_off_grows_to_its_cap() -> None:
    context, _clock = watched()
    pauses: list[float] = []
    policy = RetryPolicy(attempts=9, cap=20)
    patience = Patience(context, policy, chance=lambda: 1.0, told=pauses.append)
    assert patience.call(Failing(*[Unavailable(WORDS)] * 7)) == "done"
    assert pauses == [1, 2, 4, 8, 16, 20, 20]


def test_a_pause_that_is_too_long_is_not_begun() -> None:
    context, clock = watched()
    with pytest.raises(Throttled) as caught:
        Patience(context).call(Failing(Throttled(WORDS, retry_after=301)))
    assert caught.value.retry_after == 301
    assert clock.now() == NOW


def test_the_budget_counts_before_the_pause() -> None:
    context, clock = watched()
    work = Failing(*[Throttled(WORDS, retry_after=40)] * 9)
    with pytest.raises(Throttled):
        Patience(context, RetryPolicy(budget=100)).call(work)
    assert work.calls == 3
    assert clock.now() - NOW == timedelta(seconds=80)


def test_what_may_have_been_written_is_never_repeated() -> None:
    context, _ = watched()
    work = Failing(OutcomeUnknown(WORDS))
    with pytest.raises(OutcomeUnknown):
        Patience(context).call(work)
    assert work.calls == 1


def test_the_last_error_itself_goes_up() -> None:
    context, _ = watched()
    last = Unavailable(WORDS)
    with pytest.raises(Unavailable) as caught:
        Patience(context, RetryPolicy(attempts=2)).call(Failing(Throttled(WORDS), last))
    assert caught.value is last


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30", 30),
        (" 30 ", 30),
        ("1.5", 1.5),
        ("0", 0),
        ("999999999", 7 * 86_400),
        ("Sun, 22 Nov 2026 08:01:00 GMT", 60),
        ("Sun, 22 Nov 2015 08:01:00 GMT", 0),
        ("Sunday, 22-Nov-26 08:01:00 GMT", 60),
        (None, None),
        ("", None),
        ("-1", None),
        ("abc", None),
        ("3, 4", None),
        ("nan", None),
        ("inf", None),
        ("1e5", None),
        ("٣٠", None),
        ("３０", None),
        ("1_000", None),
    ],
)
def test_retry_after_in_the_wild(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value, NOW) == seconds


@given(st.text(max_size=60))
def test_no_header_breaks_the_parser(text: str) -> None:
    found = parse_retry_after(text, NOW)
    assert found is None or 0 <= found <= 7 * 86_400
    parse_http_date(text)


def test_no_window_holds_more_calls_than_allowed() -> None:
    context, clock = watched()
    pace = Pace(context, 5, 20.0, margin=0)
    times = []
    for number in range(40):
        pace.wait("query")
        times.append(clock.now())
        if number % 7 == 0:
            clock.advance(11)
    for start in times:
        inside = [t for t in times if start <= t < start + timedelta(seconds=20)]
        assert len(inside) <= 5


def test_keys_do_not_wait_for_one_another() -> None:
    context, _ = watched()
    pace = Pace(context, 1, 20.0)
    assert pace.wait("query") == 0
    assert pace.wait("update") == 0
    assert pace.wait("query") > 20


def test_a_held_key_waits() -> None:
    context, _ = watched()
    pace = Pace(context, 10, 20.0)
    pace.hold(33, "query")
    assert pace.wait("query") == pytest.approx(33)
    assert pace.wait("update") == 0


def test_threads_share_one_pace() -> None:
    waits: list[float] = []
    frozen = SandboxClock(NOW)
    still = practice_context({}, frozen)
    pace = Pace(
        ConnectionContext(
            connection="x",
            secrets=still.secrets,
            tokens=still.tokens,
            now=frozen.now,
            sleep=lambda _: None,
        ),
        10,
        20.0,
        margin=0,
    )
    threads = [threading.Thread(target=lambda: waits.append(pace.wait())) for _ in range(25)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(waits) == [0.0] * 10 + [20.0] * 10 + [40.0] * 5


def test_a_clock_set_back_does_not_stop_everything() -> None:
    context, clock = watched()
    pace = Pace(context, 1, 20.0)
    pace.wait()
    clock.advance(timedelta(days=-30))
    assert pace.wait() <= 21
