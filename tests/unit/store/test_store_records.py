"""The repositories: day openings, episodes, overrides, pauses, slots, the audit chain."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from crmsync.model.override import Override, OverrideKind
from crmsync.model.plan import Observation
from crmsync.model.record import RecordRef
from crmsync.model.state import Clocks, Episode, Snapshot, Standing, StoredState
from crmsync.store import Hold, Slot, SlotState, Store

NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)
FRIDAY, SATURDAY = date(2026, 11, 20), date(2026, 11, 21)
HERE = ("crm", "b2b")


def ref(n: int) -> RecordRef:
    return RecordRef("Accounts", f"A{n:06}")


def seen(
    n: int, day: date, *, below: date | None = None, standing: Standing | None = None
) -> Observation:
    clocks = Clocks(first_seen=FRIDAY, evaluated=day, below_keep_since=below)
    return Observation(
        ref(n), clocks, standing or Standing(), frozenset({"x"}), facts_digest=str(day)
    )


def observe(store: Store, *items: Observation, rules: str = "r1") -> int:
    return store.states.observe(*HERE, items, ruleset_digest=rules)


def test_an_unknown_customer_has_no_state(store: Store) -> None:
    assert store.states.opening(*HERE, [ref(1)], day=FRIDAY) == {}


def test_a_later_look_on_the_same_day_starts_from_the_day_s_opening(store: Store) -> None:
    observe(store, seen(1, FRIDAY))
    confirmed = Standing(tier="key", tier_since=FRIDAY)
    row = store.states.stored(*HERE, [ref(1)])[ref(1)]
    row = replace(row, present=replace(row.present, standing=confirmed), written={"tier": "K"})
    store.states.put(*HERE, [row], run_id=1)

    same = store.states.opening(*HERE, [ref(1)], day=FRIDAY)[ref(1)]
    assert (same.standing, same.clocks) == (Standing(), Clocks())
    assert (same.ruleset_digest, same.facts_digest) == (None, None)
    assert (same.confirmed, same.written) == (confirmed, {"tier": "K"})

    observe(store, seen(1, FRIDAY, below=FRIDAY), rules="r2")
    again = store.states.opening(*HERE, [ref(1)], day=FRIDAY)[ref(1)]
    assert (again.standing, again.clocks) == (Standing(), Clocks())

    tomorrow = store.states.opening(*HERE, [ref(1)], day=SATURDAY)[ref(1)]
    assert tomorrow.standing == confirmed
    assert tomorrow.clocks.below_keep_since == FRIDAY
    assert (tomorrow.ruleset_digest, tomorrow.facts_digest) == ("r2", str(FRIDAY))
    assert tomorrow.known_facts == {"x"}


def test_the_opening_read_from_the_crm_is_kept_for_a_customer_without_state(store: Store) -> None:
    theirs = Standing(tier="vip")
    observe(store, seen(1, FRIDAY, standing=theirs))
    for day in (FRIDAY, SATURDAY):
        assert store.states.opening(*HERE, [ref(1)], day=day)[ref(1)].standing == theirs


def test_an_observation_of_the_past_changes_nothing(store: Store) -> None:
    observe(store, seen(1, SATURDAY, below=SATURDAY))
    assert observe(store, seen(1, FRIDAY)) == 0
    kept = store.states.opening(*HERE, [ref(1)], day=date(2026, 11, 22))[ref(1)]
    assert kept.clocks.below_keep_since == SATURDAY


def test_thousands_of_customers_come_back_in_one_call(store: Store) -> None:
    assert observe(store, *(seen(n, FRIDAY) for n in range(1, 2001))) == 2000
    found = store.states.opening(*HERE, (ref(n) for n in range(1, 2501)), day=FRIDAY)
    assert len(found) == 2000
    assert [row.ref for row in store.states.all(*HERE)] == [ref(n) for n in range(1, 2001)]


def test_objects_rulesets_and_connections_are_kept_apart(store: Store) -> None:
    observe(store, seen(1, FRIDAY))
    other = RecordRef("Contacts", ref(1).id)
    assert store.states.opening(*HERE, [other], day=FRIDAY) == {}
    assert store.states.opening("crm", "other", [ref(1)], day=FRIDAY) == {}
    assert store.states.opening("crm2", "b2b", [ref(1)], day=FRIDAY) == {}


def test_distribution_and_forgetting(store: Store) -> None:
    for n, tier in ((1, "vip"), (2, "vip"), (3, "key")):
        snapshot = Snapshot(standing=Standing(tier=tier, lifecycle="loyal"))
        store.states.put(*HERE, [StoredState(ref(n), present=snapshot)], run_id=1)
    assert store.states.distribution(*HERE) == {("vip", "loyal"): 2, ("key", "loyal"): 1}
    store.states.forget(*HERE, [ref(1), ref(3)])
    assert store.states.distribution(*HERE) == {("vip", "loyal"): 1}


def test_episodes_open_close_and_open_again(store: Store) -> None:
    one = Episode("k1", "call", ref(1), FRIDAY, crm_id="T1")
    two = Episode("k2", "visit", ref(1), SATURDAY, crm_id="T2")
    store.episodes.put(*HERE, [two, one], task_object="Tasks")
    assert store.episodes.open_for(*HERE, [ref(1), ref(2)]) == {ref(1): (one, two)}
    store.episodes.close(*HERE, ["k1"], on=SATURDAY)
    assert store.episodes.open_for(*HERE, [ref(1)]) == {ref(1): (two,)}
    known = store.episodes.known(*HERE, ["k1", "k2", "k3"])
    assert known == {"k1": replace(one, closed_on=SATURDAY), "k2": two}
    store.episodes.close(*HERE, ["k1"], on=None)
    assert store.episodes.known(*HERE, ["k1"]) == {"k1": one}


def pin(n: int, *, until: date | None = None) -> Override:
    return Override(ref(n), OverrideKind.PIN, "vip", "li.qiang", "board's wish", FRIDAY, until)


def test_overrides_hold_from_start_to_end_and_until_lifted(store: Store) -> None:
    store.overrides.add(*HERE, pin(1, until=SATURDAY))
    number = store.overrides.add(*HERE, pin(2))
    assert store.overrides.add(*HERE, pin(2)) == number

    def on(day: date) -> set[str]:
        return {r.id for r in store.overrides.active(*HERE, [ref(1), ref(2)], day=day)}

    assert on(FRIDAY - timedelta(days=1)) == set()
    assert on(SATURDAY) == {ref(1).id, ref(2).id}
    assert on(SATURDAY + timedelta(days=1)) == {ref(2).id}
    assert store.overrides.lift(number, by="x", at=NOW)
    assert not store.overrides.lift(number, by="x", at=NOW)
    assert on(SATURDAY) == {ref(1).id}
    assert [item.lifted_by for item in store.overrides.everything(*HERE)] == [None, "x"]


def test_a_pause_holds_until_it_is_ended(store: Store) -> None:
    pause = Hold(0, *HERE, NOW, "undo of run 3", "an undo was applied", 3)
    assert store.holds.active(*HERE) is None
    store.holds.pause(pause)
    store.holds.pause(replace(pause, by="second"))
    active = store.holds.active(*HERE)
    assert active is not None
    assert (active.by, active.run_id, active.since) == ("undo of run 3", 3, NOW)
    assert store.holds.active("crm", "other") is None
    assert store.holds.resume(*HERE, by="me", at=NOW)
    assert not store.holds.resume(*HERE, by="me", at=NOW)
    assert store.holds.active(*HERE) is None


def slot(by: str) -> Slot:
    return Slot("nightly", NOW, SlotState.CLAIMED, by, NOW, NOW)


def test_a_slot_is_claimed_once_and_taken_over_when_its_owner_died(store: Store) -> None:
    assert store.slots.claim(slot("a"))
    assert not store.slots.claim(slot("b"))
    later = NOW + timedelta(minutes=10)
    assert store.slots.stopped(before=NOW) == ()
    (dead,) = store.slots.stopped(before=later)
    assert store.slots.take_over(dead, by="b", now=later)
    assert not store.slots.take_over(dead, by="c", now=later)
    assert not store.slots.beat("nightly", NOW, by="a", now=later)
    assert not store.slots.finish(replace(slot("a"), state=SlotState.DONE), now=later)
    assert store.slots.beat("nightly", NOW, by="b", now=later)
    assert store.slots.finish(replace(slot("b"), state=SlotState.DONE, run_id=4), now=later)
    assert [(s.state, s.run_id) for s in store.slots.last("nightly")] == [(SlotState.DONE, 4)]


def test_a_review_is_released_for_its_day_alone(store: Store) -> None:
    kwargs = {"on": FRIDAY, "by": "x", "at": NOW, "reason": None}
    assert store.reviews.release(*HERE, **kwargs)  # type: ignore[arg-type]
    assert not store.reviews.release(*HERE, **kwargs)  # type: ignore[arg-type]
    assert store.reviews.released(*HERE, day=FRIDAY)
    assert not store.reviews.released(*HERE, day=SATURDAY)


def test_ruleset_texts_are_kept_by_digest(store: Store) -> None:
    files = {"rules.yaml": "版本: 3\n", "tables/a.csv": "x,y\n"}
    store.rulesets.keep("d1", ruleset="b2b", version=3, files=files, at=NOW)
    store.rulesets.keep("d1", ruleset="b2b", version=3, files={}, at=NOW)
    assert store.rulesets.files("d1") == files
    assert store.rulesets.files("d2") is None


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE audit SET who = 'nobody' WHERE seq = 2",
        'UPDATE audit SET detail = \'{"a":"2"}\' WHERE seq = 2',
        "DELETE FROM audit WHERE seq = 2",
        "UPDATE audit SET previous = 'x' WHERE seq = 2",
    ],
)
def test_the_audit_log_shows_any_change(store: Store, damage: str) -> None:
    for n in range(4):
        store.audit.add(at=NOW, who="me", what=f"step {n}", detail={"a": "1"})
    assert store.audit.broken_at() is None
    assert [entry.what for entry in store.audit.entries(limit=2)] == ["step 3", "step 2"]
    with store.database.write() as db:
        db.execute(sa.text(damage))
    assert store.audit.broken_at() in {2, 3}
