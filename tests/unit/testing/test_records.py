"""The record store finds by value and scans by id as a plain look at all rows would."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from crmsync.model.schema import FieldSchema, FieldType, ObjectSchema
from crmsync.testing import Actor, Origin, RecordStore, SandboxClock

BY = Actor("somebody", Origin.PERSON)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["create", "update", "delete", "ask"]), st.integers(0, 9), st.integers(0, 3)
    ),
    max_size=40,
)


@given(STEPS)
def test_index_and_scan_agree_with_all_rows(steps) -> None:
    clock = SandboxClock(datetime(2026, 11, 22, tzinfo=UTC))
    # ids that do not grow with time
    store = RecordStore(
        clock, new_id=lambda _, number: f"{number * 7919 % 1000:04d}", keep_past=True
    )
    store.add_object(ObjectSchema("Thing", "Thing", (FieldSchema("v", "V", FieldType.INTEGER),)))
    for action, which, value in steps:
        clock.advance(1)
        live = store.rows("Thing")
        if action == "create":
            store.create("Thing", {"v": value}, BY)
        elif action == "ask":
            store.find_by("Thing", "v", value)
        elif live and action == "update":
            store.update("Thing", live[which % len(live)].id, {"v": value}, BY)
        elif live:
            store.delete("Thing", live[which % len(live)].id, BY)
    rows = store.rows("Thing")
    for value in range(4):
        found = store.find_by("Thing", "v", value)
        assert {row.id for row in found} == {row.id for row in rows if row.get("v") == value}
        assert all(row.get("v") == value for row in found)
    by_id = sorted(rows, key=lambda row: row.id)
    assert list(store.scan("Thing")) == by_id
    for row in by_id:
        assert list(store.scan("Thing", after=row.id)) == [r for r in by_id if r.id > row.id]
    lag = timedelta(seconds=3)
    late = sorted(store.rows("Thing", lag=lag), key=lambda row: row.id)
    assert list(store.scan("Thing", lag=lag)) == late
