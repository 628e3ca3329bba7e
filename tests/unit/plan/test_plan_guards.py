"""Guards: boundary figures, defaults where the ruleset is silent, consents with a value."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.plan.builders import customer, holds, made, opening, ruleset, stood

from crmsync.errors import UsageError
from crmsync.model.consent import GUARDS, Consent, refuse, unanswered
from crmsync.model.guard import GuardLimit
from crmsync.model.plan import GuardResult, PlanCounts
from crmsync.plan.guards import DEFAULTS, Tally, judge


def guard(name: str, results: tuple[GuardResult, ...]) -> GuardResult:
    return next(result for result in results if result.name == name)


def population(falls: int, of: int = 1000) -> list[object]:
    fallen = [
        customer(n, "standard", was=stood(), owned=holds(stood())) for n in range(1, falls + 1)
    ]
    return fallen + [
        customer(n, was=stood(), owned=holds(stood())) for n in range(falls + 1, of + 1)
    ]


@pytest.mark.parametrize(("falls", "tripped"), [(299, False), (300, False), (301, True)])
def test_a_share_trips_above_its_limit_and_not_at_it(falls: int, tripped: bool) -> None:
    draft, _ = made(population(falls))  # type: ignore[arg-type]
    found = guard("records_changed", draft.header.guards)
    assert (found.count, found.of, found.tripped) == (falls, 1000, tripped)


@pytest.mark.parametrize(("limit", "tripped"), [("0.049", True), ("0.05", False), ("0.051", False)])
def test_a_declared_limit_replaces_the_default(limit: str, tripped: bool) -> None:
    rules = ruleset(GuardLimit("demotions", Decimal(limit), share=True))
    draft, _ = made(population(50), ruleset=rules)  # type: ignore[arg-type]
    assert guard("demotions", draft.header.guards).tripped is tripped


def test_default_shares_ignore_a_handful_of_customers() -> None:
    assert not guard("records_changed", made(population(9, 9))[0].header.guards).tripped  # type: ignore[arg-type]
    assert guard("records_changed", made(population(10, 10))[0].header.guards).tripped  # type: ignore[arg-type]


def test_first_assignments_count_only_in_their_own_guard() -> None:
    rules = ruleset(
        GuardLimit("first_assignments", Decimal("0.5"), share=True),
        GuardLimit("tier_changes", Decimal("0.01"), share=True),
    )
    draft, _ = made([customer(n) for n in range(1, 101)], ruleset=rules)
    results = draft.header.guards
    assert guard("first_assignments", results).tripped
    assert guard("first_assignments", results).allow == "first_assignments=100%"
    assert guard("tier_changes", results).count == 0
    assert guard("records_changed", results).count == 0


def test_demotions_are_limited_for_each_pair_of_tiers() -> None:
    rules = ruleset(GuardLimit("demotions_by_pair", Decimal(2), share=False))
    items = [
        *(customer(n, "standard", was=stood(), owned=holds(stood())) for n in range(1, 4)),
        *(customer(n, "key", was=stood("vip"), owned=holds(stood("vip"))) for n in range(4, 6)),
    ]
    draft, _ = made(items, ruleset=rules)
    pairs = [r for r in draft.header.guards if r.name == "demotions_by_pair"]
    assert [(r.place, r.count, r.tripped) for r in pairs] == [("key→standard", 3, True)]


@pytest.mark.parametrize(("falls", "tripped"), [(4, False), (5, False), (6, True)])
def test_a_pair_of_tiers_has_its_own_budget(falls: int, tripped: bool) -> None:
    rules = ruleset(
        GuardLimit("demotions_by_pair", Decimal(5), share=False, place="key→standard"),
        GuardLimit("demotions_by_pair", Decimal(1), share=False, place="vip→key"),
    )
    draft, _ = made(population(falls, 100), ruleset=rules)  # type: ignore[arg-type]
    pairs = {r.place: r for r in draft.header.guards if r.name == "demotions_by_pair"}
    assert (pairs["key→standard"].count, pairs["key→standard"].tripped) == (falls, tripped)
    assert (pairs["vip→key"].count, pairs["vip→key"].tripped) == (0, False)


def test_what_one_tier_gains_net_of_what_it_loses_is_guarded() -> None:
    rules = ruleset(
        GuardLimit("tier_shift", Decimal("0.05"), share=True),
        GuardLimit("records_changed", Decimal(1), share=True),
    )
    swapped = [
        *(customer(n, "standard", was=stood(), owned=holds(stood())) for n in range(1, 31)),
        *(
            customer(n, "key", was=stood("standard"), owned=holds(stood("standard")))
            for n in range(31, 61)
        ),
        *(customer(n, was=stood(), owned=holds(stood())) for n in range(61, 101)),
    ]
    still = guard("tier_shift", made(swapped, ruleset=rules)[0].header.guards)
    moved = guard("tier_shift", made(population(6, 100), ruleset=rules)[0].header.guards)  # type: ignore[arg-type]

    assert (still.count, still.tripped) == (0, False)
    assert (moved.count, moved.tripped) == (6, True)


def test_tasks_are_limited_in_all_and_for_each_owner() -> None:
    items = [
        customer(n, was=stood(), owned=holds(stood()), opens=(opening(n),), owner=f"u{n // 6}")
        for n in range(1, 207)
    ]
    results = made(items)[0].header.guards
    assert guard("new_tasks", results).tripped
    assert guard("new_tasks", results).allow == "new_tasks=206"
    owners = [r for r in results if r.name == "tasks_per_owner"]
    assert len(owners) == 33
    assert owners[0].count == 6
    assert owners[0].tripped


def test_a_shrunken_population_and_a_rise_of_missing_facts_are_noticed() -> None:
    previous = PlanCounts(evaluated=100, missing_facts={"orders": 10})
    items = [
        customer(n, was=stood(), owned=holds(stood()), facts={"orders": None if n % 2 else 1})
        for n in range(1, 80)
    ]
    results = made(items, previous=previous)[0].header.guards
    shrink = guard("population_shrink", results)
    assert (shrink.count, shrink.of, shrink.tripped) == (21, 100, True)
    rises = {r.place: r for r in results if r.name == "missing_rise"}
    assert rises["orders"].tripped
    assert rises["days"].figure == 1


def test_sources_and_rule_edits_are_guarded() -> None:
    rules = ruleset(GuardLimit("source_age", Decimal(2), share=False))
    items = [
        customer(n, "standard", was=stood(), owned=holds(stood()), ruleset_digest="old")
        for n in range(1, 11)
    ]
    results = made(items, ruleset=rules, source_ages={"Deals": 3, "Accounts": 0})[0].header.guards
    assert [(r.place, r.tripped) for r in results if r.name == "source_age"] == [("Deals", True)]
    assert guard("rule_edit", results).tripped


@pytest.mark.parametrize(("count", "tripped"), [(4999, False), (5000, False), (5001, True)])
@pytest.mark.parametrize("name", ["records_changed", "first_assignments"])
def test_one_percent_of_a_million_is_still_too_many(name: str, count: int, tripped: bool) -> None:
    tally = Tally(changed=count) if name == "records_changed" else Tally(firsts=count)
    counts = PlanCounts(evaluated=1_000_000)
    results = judge(tally, counts, (), previous=None, source_ages={})
    assert any(result.tripped for result in results) is tripped


def test_every_default_is_a_known_guard() -> None:
    assert {limit.name for limit in DEFAULTS} <= set(GUARDS)


@pytest.mark.parametrize(
    ("written", "covered"),
    [
        ("demotions=18%", True),
        ("demotions=17%", False),
        ("demotions=176", True),
        ("demotions=175", False),
        ("tier_changes=100%", False),
        ("demotions=0", False),
    ],
)
def test_a_consent_covers_its_own_guard_up_to_its_value(written: str, covered: bool) -> None:
    held = GuardResult("demotions", 176, 1000, Decimal("0.1"), True, True, "demotions=18%")
    assert (unanswered([held], [Consent.parse(written)]) == ()) is covered


def test_the_consent_shown_is_enough() -> None:
    draft, _ = made(population(317))  # type: ignore[arg-type]
    tripped = [r for r in draft.header.guards if r.tripped]
    assert tripped
    assert unanswered(tripped, [Consent.parse(r.allow) for r in tripped]) == ()


@pytest.mark.parametrize(
    "written", ["demotions", "demotions=", "all=1", "demotions=-1", "demotions=x%", "x=NaN", ""]
)
def test_a_consent_without_a_known_name_and_a_value_is_refused(written: str) -> None:
    with pytest.raises(UsageError) as caught:
        Consent.parse(written)
    assert caught.value.exit == 2


def test_the_refusal_names_guard_figure_limit_and_consent() -> None:
    held = GuardResult("demotions", 176, 1000, Decimal("0.1"), True, True, "demotions=18%")
    error = refuse([held])
    assert error.exit == 6
    assert error.mend is not None
    for text in (error.message.zh, error.message.en):
        assert "demotions" in text
        assert "17.6%" in text
        assert "10.0%" in text
    assert "--allow demotions=18%" in error.mend.en
