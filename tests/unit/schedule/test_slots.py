"""Slots: one per local day through every change of clocks, standard cron days."""

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmsync.config.jobs import read_jobs
from crmsync.errors import ConfigError
from crmsync.model.diagnostic import Diagnostic
from crmsync.schedule.slots import timetable
from crmsync.source import read_yaml

NEW_YORK = ZoneInfo("America/New_York")
ZONES = [
    "America/New_York",
    "Europe/London",
    "Asia/Shanghai",
    "Australia/Sydney",
    "America/Santiago",
    "Australia/Lord_Howe",
]


def slots(written: str, zone: str, start: datetime, days: int) -> list[datetime]:
    table = timetable(written, ZoneInfo(zone))
    return list(table.between(start, start + timedelta(days=days)))


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("written", ["00:30", "01:30", "02:00", "02:30", "03:15"])
def test_a_daily_job_runs_once_on_every_local_day_of_a_year(zone: str, written: str) -> None:
    start = datetime(2026, 1, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC) - timedelta(minutes=1)
    found = slots(written, zone, start, 365)
    local_days = [moment.astimezone(ZoneInfo(zone)).date() for moment in found]
    assert len(local_days) == len(set(local_days))
    assert len(local_days) in {364, 365}
    gaps = {b - a for a, b in itertools.pairwise(local_days)}
    assert gaps == {timedelta(days=1)}


def test_a_time_in_the_spring_gap_runs_at_the_first_minute_that_exists() -> None:
    start = datetime(2026, 3, 8, 5, 0, tzinfo=UTC)  # midnight in New York
    (moment,) = slots("02:30", "America/New_York", start, 1)
    assert moment.astimezone(NEW_YORK).strftime("%H:%M") == "03:00"


def test_a_time_that_comes_twice_in_autumn_runs_at_its_first_occurrence() -> None:
    start = datetime(2026, 11, 1, 4, 0, tzinfo=UTC)
    (moment,) = slots("01:30", "America/New_York", start, 1)
    assert moment == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


def test_cron_day_numbers_mean_monday_to_friday() -> None:
    found = slots("0 8 * * 1-5", "Asia/Shanghai", datetime(2026, 11, 15, 16, tzinfo=UTC), 7)
    assert [moment.astimezone(ZoneInfo("Asia/Shanghai")).strftime("%a") for moment in found] == [
        "Mon",
        "Tue",
        "Wed",
        "Thu",
        "Fri",
    ]


@pytest.mark.parametrize("sunday", ["0", "7", "sun"])
def test_sunday_has_three_spellings(sunday: str) -> None:
    (moment,) = slots(f"0 8 * * {sunday}", "UTC", datetime(2026, 11, 16, tzinfo=UTC), 7)
    assert moment.date().isoformat() == "2026-11-22"


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/London"])
def test_an_hourly_job_runs_every_real_hour_through_both_changes(zone: str) -> None:
    for start in (datetime(2026, 3, 7, tzinfo=UTC), datetime(2026, 10, 24, tzinfo=UTC)):
        found = slots("5 * * * *", zone, start, 10)
        assert len(found) == 240
        assert {b - a for a, b in itertools.pairwise(found)} == {timedelta(hours=1)}


@pytest.mark.parametrize("written", ["25:00", "2 o'clock", "0 2 * *", "61 2 * * *", "0 2 * * 9-x"])
def test_a_time_nobody_can_read_is_refused_with_a_mend(written: str) -> None:
    with pytest.raises(ConfigError) as caught:
        timetable(written, NEW_YORK)
    assert caught.value.mend is not None
    assert "02:00" in caught.value.mend.en


def changes(zone: str) -> list[datetime]:
    """The two changes of clocks of 2026 in a zone, by the hour they happen in; none in Shanghai."""
    place, found = ZoneInfo(zone), []
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    while moment.year == 2026:
        after = moment + timedelta(hours=1)
        if moment.astimezone(place).utcoffset() != after.astimezone(place).utcoffset():
            found.append(moment)
        moment = after
    return found


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("written", ["01:30", "02:30", "0 3 * * 1-5", "15 * * * *", "*/30 * * * *"])
def test_every_schedule_keeps_its_promise_across_both_changes(zone: str, written: str) -> None:
    """Six zones, both changes, five schedules: once per local day, or once per real hour."""
    place = ZoneInfo(zone)
    turns = changes(zone) or [datetime(2026, 3, 8, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)]
    assert len(turns) == 2
    for turn in turns:
        first = turn.astimezone(place).date() - timedelta(days=3)
        start = datetime.combine(first, datetime.min.time(), place) - timedelta(seconds=1)
        found = slots(written, zone, start.astimezone(UTC), 7)
        gaps = {b - a for a, b in itertools.pairwise(found)}
        local = [moment.astimezone(place) for moment in found]
        if written.startswith("15"):
            # a change of half an hour leaves one hour without its minute 15, or with it late
            odd = {timedelta(minutes=90), timedelta(minutes=30)} if "Howe" in zone else set()
            assert gaps - odd == {timedelta(hours=1)}
        elif written.startswith("*/30"):
            assert gaps == {timedelta(minutes=30)}
        else:
            days = [moment.date() for moment in local]
            wanted = [first + timedelta(days=n) for n in range(7)]
            if "1-5" in written:
                wanted = [day for day in wanted if day.weekday() < 5]
            assert days[: len(wanted)] == wanted
            assert len(days) == len(set(days))


MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()  # noqa: SIM905
FIELDS = [
    ("minute", 59, []),
    ("hour", 23, []),
    ("day", 31, []),
    ("month", 12, MONTHS),
    ("weekday", 7, ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
]


@st.composite
def cron_lines(draw: st.DrawFn) -> str:
    """Lines of which one field holds something, sound or nearly so."""
    at = draw(st.integers(0, 4))
    _, high, words = FIELDS[at]
    numbers = st.integers(0, high + 1).map(str)
    end = st.one_of(numbers, st.sampled_from(words)) if words else numbers
    span = st.tuples(end, end).map("-".join)
    step = st.one_of(st.just(""), st.integers(0, 99).map(lambda n: f"/{n}"))
    part = st.tuples(st.one_of(st.just("*"), end, span), step).map("".join)
    fields = ["*"] * 5
    fields[at] = ",".join(draw(st.lists(part, min_size=1, max_size=2)))
    return " ".join(fields)


@settings(max_examples=150, deadline=None)
@given(cron_lines())
def test_every_cron_line_that_is_taken_can_be_kept(line: str) -> None:
    text = f'jobs: {{n: {{ruleset: r, connection: c, cron: "{line}"}}}}\n'
    node, _ = read_yaml("crmsync.yaml", text.encode())
    assert node is not None
    problems: list[Diagnostic] = []
    read_jobs(node.get("jobs"), "UTC", problems)  # type: ignore[arg-type]
    if not problems:
        assert timetable(line, ZoneInfo("UTC")).hour == line.split()[1]


@pytest.mark.parametrize("line", ["*/75 * * * *", "40/30 * * * *", "0 2 * jan-9 *", "0 2 31/2 * *"])
def test_a_cron_line_nobody_can_keep_is_refused_where_it_is_written(line: str) -> None:
    text = f'jobs:\n  n:\n    ruleset: r\n    connection: c\n    cron: "{line}"\n'
    node, _ = read_yaml("crmsync.yaml", text.encode())
    assert node is not None
    problems: list[Diagnostic] = []
    read_jobs(node.get("jobs"), "UTC", problems)  # type: ignore[arg-type]
    assert [(item.code, item.span.line) for item in problems] == [("CONF022", 5)]
