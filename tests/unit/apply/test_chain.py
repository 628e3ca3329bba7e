"""What a record's history tells of one of our rows, told by the values alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.unit.plan.builders import NOW

from crmsync.apply.chain import judge
from crmsync.model.history import FieldChange, HistoryEntry, LookedBack, Overwritten, Seen
from crmsync.model.record import RecordRef, Value
from crmsync.model.run import OpRecord, OpState

LOOKED = NOW - timedelta(hours=1)
ROW = OpRecord(
    op_key="k",
    run_id=1,
    seq=1,
    kind="field_update",
    ref=RecordRef("Accounts", "1"),
    state=OpState.DONE,
    base={"Tier": "standard", "Reason": "old"},
    want={"Tier": "vip", "Reason": "new"},
    attempt=1,
    seen=Seen(LOOKED),
)


def save(by: str | None, /, at: datetime = NOW, **moved: tuple[Value, Value]) -> HistoryEntry:
    """One save: ``us``, somebody else, or ``None`` where the history does not tell."""
    ours = None if by is None else by == "us"
    changes = {name: FieldChange(*values) for name, values in moved.items()}
    return HistoryEntry(id="1", at=at, by=by, ours=ours, changes=changes)


def told(*saves: HistoryEntry, **changed: Any) -> tuple[LookedBack, tuple[Overwritten, ...]]:
    """The verdict on `ROW`; saves in the order they were made."""
    return judge(replace(ROW, **changed), reversed(saves))


OURS = save("us", Tier=("standard", "vip"), Reason=("old", "new"))


def test_our_write_replaced_what_we_had_seen() -> None:
    assert told(OURS) == (LookedBack.CLEAR, ())


def test_a_value_put_in_between_was_overwritten() -> None:
    theirs = save("Li", Reason=("old", "by hand"))
    ours = save("us", Tier=("standard", "vip"), Reason=("by hand", "new"))
    lost = Overwritten("Reason", "by hand", "new", "Li", NOW)
    assert told(theirs, ours) == (LookedBack.OVERWRITTEN, (lost,))


@pytest.mark.parametrize("by", ["us", None])
def test_the_last_of_several_edits_is_the_one_that_was_lost(by: str | None) -> None:
    chain = (
        save("Li", Reason=("old", "first")),
        save("Wang", Reason=("first", "second")),
        save(by, Tier=("standard", "vip"), Reason=("second", "new")),
        save("Li", Reason=("new", "later")),
    )
    lost = Overwritten("Reason", "second", "new", "Wang", NOW)
    assert told(*chain) == (LookedBack.OVERWRITTEN, (lost,))


def test_an_edit_that_was_taken_back_by_hand_is_no_loss() -> None:
    there, back = save("Li", Reason=("old", "hm")), save("Li", Reason=("hm", "old"))
    assert told(there, back, OURS) == (LookedBack.CLEAR, ())


def test_what_was_written_in_an_earlier_run_is_not_taken_for_ours_of_now() -> None:
    earlier = save("us", LOOKED, Tier=("key", "vip"), Reason=("older", "new"))
    since = save("Li", LOOKED, Tier=("vip", "standard"), Reason=("new", "old"))
    assert told(earlier, since, OURS) == (LookedBack.CLEAR, ())
    assert told(earlier, since, OURS, attempt=3) == (LookedBack.CLEAR, ())


def test_a_row_that_was_never_written_is_not_taken_for_an_earlier_run_s() -> None:
    earlier = save("us", LOOKED, Tier=("key", "standard"), Reason=("older", "new"))
    theirs = save("Li", LOOKED, Reason=("new", "old"))
    later = save("Wang", Reason=("old", "by hand"))
    assert told(earlier, theirs, later, state=OpState.CONFLICT) == (LookedBack.CLEAR, ())
    assert told(earlier, theirs, later) == (LookedBack.NOT_SHOWN, ())


def test_a_field_that_already_held_our_value_is_measured_by_that() -> None:
    held = replace(ROW, seen=Seen(LOOKED, ("Reason",)))
    theirs = save("Li", Reason=("new", "old"))
    ours = save("us", Tier=("standard", "vip"), Reason=("old", "new"))
    lost = Overwritten("Reason", "old", "new", "Li", NOW)
    assert judge(held, [ours, theirs]) == (LookedBack.OVERWRITTEN, (lost,))
    assert judge(held, [save("us", Tier=("standard", "vip"))]) == (LookedBack.CLEAR, ())


def test_a_value_the_crm_stored_in_its_own_way_does_not_hide_our_write() -> None:
    theirs = save("Li", Reason=("old", "by hand"))
    ours = save("us", Tier=("standard", "vip"), Reason=("by hand", "new, cut"))
    lost = Overwritten("Reason", "by hand", "new", "Li", NOW)
    assert told(theirs, ours) == (LookedBack.OVERWRITTEN, (lost,))
    unknown = save(None, Tier=("standard", "vip"), Reason=("by hand", "new, cut"))
    assert told(theirs, unknown) == (LookedBack.NOT_SHOWN, ())


def test_somebody_who_set_the_same_value_lost_nothing() -> None:
    same = save("Li", Tier=("standard", "vip"), Reason=("old", "new"))
    assert told(same) == (LookedBack.CLEAR, ())


def test_a_history_without_our_write_proves_nothing() -> None:
    assert told() == (LookedBack.NOT_SHOWN, ())
    assert told(save("Li", Reason=("old", "x"))) == (LookedBack.NOT_SHOWN, ())
    assert told(state=OpState.CONFLICT) == (LookedBack.CLEAR, ())


def test_a_value_nobody_can_read_is_said_to_be_unread() -> None:
    ours = replace(save("us", Tier=("standard", "vip")), unread=frozenset({"Reason"}))
    assert told(ours) == (LookedBack.UNREAD, ())
    blank = replace(save(None), unread=frozenset({"Reason"}))
    older = save(None, LOOKED, Tier=("key", "vip"))
    assert told(older, blank) == (LookedBack.UNREAD, ())
    elsewhere = replace(OURS, unread=frozenset({"Phone"}))
    assert told(elsewhere) == (LookedBack.CLEAR, ())


def test_an_arrived_write_that_a_person_put_back_and_we_repeated_is_told() -> None:
    back = save("Li", Tier=("vip", "standard"), Reason=("new", "old"))
    found, lost = told(OURS, back, OURS, attempt=2)
    assert found is LookedBack.OVERWRITTEN
    assert {(item.field, item.theirs, item.by) for item in lost} == {
        ("Tier", "standard", "Li"),
        ("Reason", "old", "Li"),
    }
    assert told(OURS, back, OURS, attempt=1) == (LookedBack.CLEAR, ())


def test_a_late_first_write_and_its_repetition_are_both_looked_at() -> None:
    chain = (
        OURS,
        save("Li", Reason=("new", "by hand")),
        save("us", Reason=("by hand", "new")),
    )
    lost = Overwritten("Reason", "by hand", "new", "Li", NOW)
    assert told(*chain, attempt=2) == (LookedBack.OVERWRITTEN, (lost,))


def test_a_row_given_up_as_a_conflict_may_have_replaced_another_edit() -> None:
    chain = (
        save("Li", Reason=("old", "by hand")),
        save("us", Tier=("standard", "vip"), Reason=("by hand", "new")),
        save("Wang", Tier=("vip", "key")),
    )
    lost = Overwritten("Reason", "by hand", "new", "Li", NOW)
    assert told(*chain, state=OpState.CONFLICT) == (LookedBack.OVERWRITTEN, (lost,))
