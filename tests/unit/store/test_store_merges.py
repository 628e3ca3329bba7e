"""Merges in the store: noted once, handed over and given back, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from crmsync.model.merge import HeldOverride, Keeping, Merge, survivors
from crmsync.model.override import Override, OverrideKind
from crmsync.model.record import RecordRef
from crmsync.model.state import Clocks, Episode, Snapshot, Standing, StoredState
from crmsync.store import Store

NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)
DAY = date(2026, 11, 20)
HERE = ("crm", "b2b")


def ref(n: int) -> RecordRef:
    return RecordRef("Accounts", f"A{n:06}")


def merge(lost: int, survivor: int) -> Merge:
    return Merge(ref(lost), ref(survivor), "zhang.min", NOW)


def row(n: int, tier: str) -> StoredState:
    standing = Standing(tier=tier, tier_since=DAY)
    return StoredState(ref(n), present=Snapshot(standing, Clocks(first_seen=DAY)))


def filled(store: Store) -> Keeping:
    """Two customers with a row, a task and an override each."""
    store.states.put(*HERE, [row(1, "key"), row(2, "vip")], run_id=1)
    tasks = [Episode(f"k{n}", "call", ref(n), DAY, crm_id=f"T{n}") for n in (1, 2)]
    store.episodes.put(*HERE, tasks, task_object="Tasks")
    store.episodes.close(*HERE, ["k2"], on=DAY)
    for n in (1, 2):
        word = Override(ref(n), OverrideKind.FLOOR, "key", "li", "agreed", DAY)
        store.overrides.add(*HERE, word)
    return store.merges.keeping(*HERE, [ref(1), ref(2)])


def test_a_merge_is_noted_once_and_can_be_taken_back(store: Store) -> None:
    assert store.merges.add("crm", merge(2, 1))
    assert not store.merges.add("crm", merge(2, 3))
    assert store.merges.told("crm") == (merge(2, 1),)
    assert store.merges.told("other") == ()
    assert store.merges.known("crm", ref(2))
    assert not store.merges.known("crm", ref(1))
    assert store.merges.remove("crm", ref(2))
    assert not store.merges.remove("crm", ref(2))
    assert store.merges.told("crm") == ()


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([(1, 2), (2, 3)], {1: 3, 2: 3}),
        ([(1, 2), (3, 2)], {1: 2, 3: 2}),
        ([(1, 2), (2, 1), (3, 4)], {3: 4}),
        ([(1, 1)], {}),
        ([(1, 2), (2, 3), (3, 2)], {}),
    ],
)
def test_chains_are_followed_and_circles_lead_nowhere(
    told: list[tuple[int, int]], expected: dict[int, int]
) -> None:
    found = survivors(merge(lost, survivor) for lost, survivor in told)
    assert found == {ref(lost): ref(survivor) for lost, survivor in expected.items()}


def test_what_is_kept_goes_over_and_comes_back_as_it_was(store: Store) -> None:
    before = filled(store)
    assert [item.ref for item in before.states] == [ref(1), ref(2)]
    assert before.episodes == {"k1": ref(1), "k2": ref(2)}
    first, second = before.overrides
    after = Keeping(
        states=(row(1, "vip"),),
        episodes={"k2": ref(1)},
        overrides=(HeldOverride(second.number, ref(1)),),
    )
    both = (ref(1), ref(2))
    store.merges.put(*HERE, both, after, run_id=2, at=NOW)
    there = store.merges.keeping(*HERE, both)
    assert there.states == after.states
    assert there.episodes == {"k1": ref(1), "k2": ref(1)}
    assert [held.ref for held in there.overrides] == [ref(1), ref(1)]
    assert all(item.override.ref == ref(1) for item in store.overrides.everything(*HERE))
    assert store.episodes.known(*HERE, ["k2"])["k2"].closed_on == DAY
    store.merges.put(*HERE, both, before, run_id=3, at=NOW)
    assert store.merges.keeping(*HERE, both) == before
    # ended with its record, and in force again when that is taken back
    ended = replace(after, overrides=(replace(second, ended=True),))
    store.merges.put(*HERE, both, ended, run_id=4, at=NOW)
    lifted = {item.id: item.lifted_by for item in store.overrides.everything(*HERE)}
    assert lifted == {first.number: None, second.number: "merge"}
    store.merges.put(*HERE, both, before, run_id=5, at=NOW)
    assert store.merges.keeping(*HERE, both) == before


def test_nobody_hears_of_runs_where_nothing_went_over(store: Store) -> None:
    filled(store)
    assert store.merges.handed_over("crm", ref(2)) == ()
    purged = store.purge("crm", ref(2), at=NOW, who="li")
    assert purged.removed["merge_"] == 0
    store.merges.add("crm", merge(2, 1))
    purged = store.purge("crm", ref(1), at=NOW, who="li")
    assert purged.removed["merge_"] == 1
