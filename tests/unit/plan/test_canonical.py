"""Canonical JSON: exact round trips, the same bytes for equal values, nothing foreign read."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsync.model.canonical import decode_any, decode_value, dumps, encode_value, loads
from crmsync.model.plan import Observation, PlanLine, TaskClose
from crmsync.model.record import RecordRef
from crmsync.model.state import Clocks, Standing
from crmsync.model.text import Text

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.text(),
    st.dates(),
    st.datetimes(timezones=st.just(UTC)),
    st.lists(st.text()).map(tuple),
)


@given(VALUES)
def test_a_value_comes_back_with_its_type(value: object) -> None:
    back = decode_value(encode_value(value))
    assert back == value
    assert type(back) is type(value)
    assert str(back) == str(value)


def test_floats_and_integers_stay_apart() -> None:
    assert [type(decode_value(encode_value(v))) for v in (1, 1.0)] == [int, float]


def test_moments_are_written_in_utc() -> None:
    east = datetime(2026, 11, 22, 8, tzinfo=timezone(timedelta(hours=8)))
    assert encode_value(east) == {"at": "2026-11-22T00:00:00+00:00"}


@pytest.mark.parametrize(
    "value", [Decimal("NaN"), Decimal("Infinity"), datetime(2026, 1, 1), [1], {"a": 1}]
)
def test_what_is_no_value_is_refused(value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        encode_value(value)


def observation(pending: dict[str, date]) -> Observation:
    return Observation(
        ref=RecordRef("Accounts", "A1"),
        clocks=Clocks(evaluated=date(2026, 11, 22), pending=pending),
        opening=Standing(tier="key"),
        known_facts=frozenset({"b", "a", "c"}),
    )


def test_equal_dataclasses_give_equal_bytes_whatever_their_order() -> None:
    one = {"x": date(2026, 1, 1), "y": date(2026, 1, 2)}
    two = dict(reversed(one.items()))
    assert dumps(observation(one), PlanLine) == dumps(observation(two), PlanLine)


def test_a_union_of_dataclasses_comes_back_as_the_member_it_was() -> None:
    close = TaskClose(
        change_id="c",
        key="k",
        task_id="t",
        about=RecordRef("Accounts", "A1"),
        name="n",
        ref=RecordRef("Tasks", "T1"),
        before={"Status": "open", "n": Decimal("1.50")},
        values={"Status": None},
        text=Text("关", "close"),
    )
    for line in (close, observation({})):
        assert loads(dumps(line, PlanLine), PlanLine) == line  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "tree",
    [
        {"is": "Observation"},
        {"is": "Unknown"},
        {},
        [],
        {"is": "Observation", "ref": {"object": "A", "id": 1}, "clocks": {}, "opening": {}},
        {"is": "Observation", "ref": {"object": "A", "id": "1"}, "extra": 1},
    ],
)
def test_a_foreign_tree_is_refused(tree: object) -> None:
    with pytest.raises(ValueError):
        decode_any(tree, PlanLine)
