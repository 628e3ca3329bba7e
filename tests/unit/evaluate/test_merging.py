"""Two customers' states made one: the policies of ``on_merge``, one at a time."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date

import pytest
from tests.unit.evaluate.build import TODAY, ruleset

from crmsync.evaluate import united
from crmsync.model.merge import MergedSince, MergedTier, MergeRules
from crmsync.model.record import RecordRef
from crmsync.model.ruleset import Ruleset
from crmsync.model.state import Clocks, Snapshot, Standing, StoredState

OLD, NEW = date(2024, 1, 5), date(2026, 3, 1)
FIRST, LAST = date(2026, 11, 1), date(2026, 11, 20)


def rules(**words: object) -> Ruleset:
    return replace(ruleset(), on_merge=MergeRules(**words))  # type: ignore[arg-type]


def row(id: str, tier: str | None, since: date | None = None, **clocks: object) -> StoredState:
    standing = Standing(tier=tier, tier_since=since, tier_first=since)
    snapshot = Snapshot(standing=standing, clocks=Clocks(**clocks))  # type: ignore[arg-type]
    return StoredState(RecordRef("Accounts", id), present=snapshot)


def tier_of(made: StoredState) -> tuple[str | None, date | None]:
    assert made.present.standing == made.opening.standing
    return made.present.standing.tier, made.present.standing.tier_since


@pytest.mark.parametrize(
    ("own", "other", "tier", "since", "expected"),
    [
        (("basic", OLD), ("vip", NEW), "higher", "earlier", ("vip", OLD)),
        (("basic", OLD), ("vip", NEW), "higher", "survivor", ("vip", NEW)),
        (("basic", NEW), ("vip", OLD), "survivor", "earlier", ("basic", OLD)),
        (("basic", NEW), ("vip", OLD), "survivor", "survivor", ("basic", NEW)),
        (("vip", NEW), ("key", OLD), "higher", "survivor", ("vip", NEW)),
        (("key", NEW), ("key", OLD), "higher", "earlier", ("key", OLD)),
        ((None, None), ("key", OLD), "survivor", "survivor", ("key", OLD)),
        (("key", OLD), (None, None), "higher", "earlier", ("key", OLD)),
        # a tier without a rank hangs on an exception: it neither goes over nor gives way
        (("blocked", NEW), ("vip", OLD), "higher", "earlier", ("blocked", NEW)),
        (("basic", NEW), ("blocked", OLD), "higher", "earlier", ("basic", NEW)),
    ],
)
def test_tier_and_its_day_follow_the_policy(
    own: tuple[str | None, date | None],
    other: tuple[str | None, date | None],
    tier: str,
    since: str,
    expected: tuple[str | None, date | None],
) -> None:
    policy = rules(tier=MergedTier(tier), since=MergedSince(since))
    assert tier_of(united(policy, row("A", *own), [row("B", *other)], TODAY)) == expected


def test_a_ruleset_that_says_nothing_takes_the_higher_tier_and_the_earlier_day() -> None:
    made = united(ruleset(), row("A", "basic", OLD), [row("B", "vip", NEW)], TODAY)
    assert tier_of(made) == ("vip", OLD)


def test_the_order_of_those_that_vanished_does_not_matter() -> None:
    others = [
        row("B", "vip", NEW, below_keep_since=LAST, first_seen=OLD),
        row("C", "vip", OLD, held={"task": True}),
        row("D", "key", LAST, evaluated=LAST),
    ]
    made = {
        str(united(rules(), row("A", "key", NEW), order, TODAY))
        for order in itertools.permutations(others)
    }
    assert len(made) == 1


def test_clocks_below_the_keep_line_belong_to_the_tier_that_goes_on() -> None:
    own = row("A", "basic", OLD, below_keep_since=FIRST, below_keep_evaluations=9)
    better = row("B", "vip", NEW, below_keep_since=LAST, below_keep_evaluations=2)
    clocks = united(rules(), own, [better], TODAY).present.clocks
    assert (clocks.below_keep_since, clocks.below_keep_evaluations) == (LAST, 2)
    # both had the tier: only who was below on both records is below
    for theirs, expected in ((None, None), (LAST, LAST)):
        own = row("A", "vip", OLD, below_keep_since=FIRST, below_keep_evaluations=9)
        other = row("B", "vip", NEW, below_keep_since=theirs, below_keep_evaluations=1)
        for one, two in ((own, other), (other, own)):
            clocks = united(rules(), one, [two], TODAY).present.clocks
            assert clocks.below_keep_since == expected


def test_a_computed_tier_beside_an_override_is_not_lost() -> None:
    pinned = row("A", "vip", OLD, beside="basic", beside_since=NEW)
    other = row("B", "key", FIRST)
    made = united(rules(), pinned, [other], TODAY)
    assert tier_of(made) == ("vip", OLD)
    assert (made.present.clocks.beside, made.present.clocks.beside_since) == ("key", NEW)


def test_the_stage_is_the_survivors_where_it_has_one() -> None:
    def staged(id: str, stage: str | None, since: date | None, waits: date) -> StoredState:
        standing = Standing(lifecycle=stage, lifecycle_since=since)
        clocks = Clocks(pending={"churn": waits})
        return StoredState(
            RecordRef("Accounts", id), present=Snapshot(standing=standing, clocks=clocks)
        )

    def stage_of(own: StoredState, other: StoredState) -> tuple[object, ...]:
        present = united(rules(), own, [other], TODAY).present
        standing = present.standing
        return standing.lifecycle, standing.lifecycle_since, present.clocks.pending["churn"]

    loyal, risk = staged("A", "loyal", NEW, FIRST), staged("B", "at_risk", OLD, LAST)
    assert stage_of(loyal, risk) == ("loyal", NEW, FIRST)
    assert stage_of(staged("A", None, None, FIRST), risk) == ("at_risk", OLD, LAST)
    assert stage_of(loyal, staged("B", "loyal", OLD, LAST)) == ("loyal", OLD, FIRST)


def test_what_either_knew_or_saw_is_known() -> None:
    own = replace(row("A", "key", OLD, held={"a": False}, evaluated=FIRST, first_seen=FIRST))
    own = replace(own, present=replace(own.present, known=frozenset({"x"})))
    other = row("B", "key", OLD, held={"a": True, "b": False}, evaluated=LAST, first_seen=OLD)
    other = replace(other, present=replace(other.present, known=frozenset({"y"})))
    present = united(rules(), own, [other], TODAY).present
    assert present.known == {"x", "y"}
    assert present.clocks.held == {"a": True, "b": False}
    assert (present.clocks.first_seen, present.clocks.evaluated) == (OLD, LAST)


def test_a_day_evaluated_before_the_merge_opens_as_both_opened_it() -> None:
    """The plan after an apply of the same day starts from the day's opening."""
    own = row("A", "key", OLD)
    opened = replace(own, evaluated=TODAY, opening=row("A", "basic", NEW).present)
    made = united(rules(), opened, [row("B", "standard", LAST)], TODAY)
    assert made.evaluated == TODAY
    assert (made.opening.standing.tier, made.present.standing.tier) == ("standard", "key")
