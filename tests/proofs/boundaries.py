"""P7: each guard just below, at and just above its limit; above it nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.proofs.proof import Figure, Proof, Scale
from tests.unit.apply.bench import Bench
from tests.unit.plan.builders import customer, holds, opening, ruleset, stood

from crmsync.errors import GuardRefused
from crmsync.model.consent import GUARDS, Consent, unanswered
from crmsync.model.guard import GuardLimit
from crmsync.model.plan import GuardResult, PlanCounts
from crmsync.model.text import Text
from crmsync.plan import Evaluated, PlanFile

OF = 100
FREE = {name: GuardLimit(name, Decimal(10**6), share=False) for name in GUARDS}


@dataclass(frozen=True)
class Case:
    """A guard, its limit (``None``: the default), and a population whose figure is a given count;
    ``at`` is the limit as a count."""

    name: str
    limit: GuardLimit | None
    made: Callable[[int], Sequence[Evaluated]]
    more: Callable[[int], Mapping[str, Any]] = lambda count: {}
    at: int = 20


def still(first: int) -> list[Evaluated]:
    """Customers on whom nothing changes, up to a hundred in all."""
    return [customer(n, was=stood(), owned=holds(stood())) for n in range(first, OF + 1)]


def falls(count: int, **more: Any) -> list[Evaluated]:
    """So many demotions."""
    fallen = [
        customer(n, "standard", was=stood(), owned=holds(stood()), **more)
        for n in range(1, count + 1)
    ]
    return [*fallen, *still(count + 1)]


def scattered(count: int) -> list[Evaluated]:
    """So many that leave one tier, for two others: one place alone is beyond the limit."""
    fallen = [
        customer(n, ("standard", "blocked")[n % 2], was=stood(), owned=holds(stood()))
        for n in range(1, count + 1)
    ]
    return [*fallen, *still(count + 1)]


def firsts(count: int) -> list[Evaluated]:
    """So many first assignments."""
    return [*(customer(n) for n in range(1, count + 1)), *still(count + 1)]


def tasks(count: int, owners: int) -> list[Evaluated]:
    """So many new tasks, spread over so many owners."""
    made = [
        customer(n, was=stood(), owned=holds(stood()), opens=(opening(n),), owner=f"u{n % owners}")
        for n in range(1, count + 1)
    ]
    return [*made, *still(count + 1)]


def share(name: str) -> GuardLimit:
    return GuardLimit(name, Decimal("0.20"), share=True)


def number(name: str) -> GuardLimit:
    return GuardLimit(name, Decimal(20), share=False)


def pair(place: str) -> GuardLimit:
    return GuardLimit("demotions_by_pair", Decimal(20), share=False, place=place)


def shrunk(count: int) -> Mapping[str, Any]:
    return {"previous": PlanCounts(evaluated=OF)}


def lacking(count: int) -> list[Evaluated]:
    """So many customers of whom a fact has gone missing."""
    return [
        customer(
            n,
            was=stood(),
            owned=holds(stood()),
            facts={"orders": None if n <= count else 1, "orders_12m": 1, "days": 3.0},
        )
        for n in range(1, OF + 1)
    ]


CASES = (
    Case("records_changed", share("records_changed"), falls),
    Case("records_changed", number("records_changed"), falls),
    Case("tier_changes", share("tier_changes"), falls),
    Case("demotions", share("demotions"), falls),
    Case("demotions", number("demotions"), falls),
    Case("demotions_by_pair", number("demotions_by_pair"), falls),
    Case("demotions_by_pair", pair("key→standard"), falls),
    Case("tier_shift", share("tier_shift"), scattered),
    Case("first_assignments", share("first_assignments"), firsts),
    Case("new_tasks", number("new_tasks"), lambda count: tasks(count, 50)),
    Case("tasks_per_owner", number("tasks_per_owner"), lambda count: tasks(count, 1)),
    Case("rule_edit", share("rule_edit"), lambda count: falls(count, ruleset_digest="old")),
    Case("population_shrink", share("population_shrink"), lambda n: still(n + 1), shrunk),
    Case("missing_rise", share("missing_rise"), lacking, shrunk),
    Case(
        "source_age",
        number("source_age"),
        lambda count: still(1),
        lambda count: {"source_ages": {"Deals": count}},
    ),
    Case("records_changed", None, falls, at=30),
    Case("first_assignments", None, firsts, at=30),
    Case("tier_shift", None, scattered, at=25),
    Case("new_tasks", None, lambda count: tasks(count, 50), at=200),
    Case("tasks_per_owner", None, lambda count: tasks(count, 1), at=5),
    Case("rule_edit", None, lambda count: falls(count, ruleset_digest="old"), at=25),
    Case("population_shrink", None, lambda n: still(n + 1), shrunk),
    Case("missing_rise", None, lacking, shrunk),
)


def boundary(scale: Scale, place: Path) -> Figure:
    """One below the limit, at it and one above; above it: exit 6, everything named, no call."""
    wrong = calls = unnamed = trials = 0
    bench = Bench(place, keeps=True)
    for case in CASES:
        bench.anew()
        for count in (case.at - 1, case.at, case.at + 1):
            trials += 1
            plan = planned(bench, case, count)
            found = [g for g in plan.header.guards if g.name == case.name]
            over = any(guard.tripped for guard in found)
            wrong += over is not (count > case.at) or any(guard.count != count for guard in found)
            if over:
                unnamed += not refused_fully(bench, plan, found, case.at)
                calls += len(bench.crm.calls)
    bench.store.close()
    missing = len(set(GUARDS) - {case.name for case in CASES})
    bad = {
        "wrong verdicts": wrong,
        "writes when tripped": calls,
        "unclear refusals": unnamed,
        "guards not tried": missing,
    }
    return Figure(trials, "boundaries", bad)


def planned(bench: Bench, case: Case, count: int) -> PlanFile:
    limits = {name: limit for name, limit in FREE.items() if name != case.name}
    if case.limit is not None:
        limits[case.name] = case.limit
    return bench.plan(case.made(count), ruleset=ruleset(*limits.values()), **case.more(count))


def refused_fully(bench: Bench, plan: PlanFile, found: list[GuardResult], at: int) -> bool:
    """Exit 6, naming guard, figure, limit and consent; that consent is enough, one less is not."""
    tripped = [guard for guard in plan.header.guards if guard.tripped]
    try:
        bench.apply(plan, firsts="first_assignments=0")
    except GuardRefused as refusal:
        said = f"{refusal.message.en} {refusal.mend.en if refusal.mend else ''}"
        (guard,) = [one for one in found if one.tripped]
        figure = f"{at + 1}.0%" if guard.share else f"{at + 1}"
        limit = f"{at}.0%" if guard.share else f"{at}"
        named = all(word in said for word in (guard.name, figure, limit, f"--allow {guard.allow}"))
        less = guard.allow.replace(str(at + 1), str(at))
        enough = not unanswered(tripped, [Consent.parse(guard.allow)])
        return (
            named
            and enough
            and bool(unanswered(tripped, [Consent.parse(less)]))
            and (refusal.exit == 6)
        )
    return False


PROOFS = (
    Proof(
        "P7",
        "boundaries",
        Text(
            zh="改动过多的运行，在第一次写入之前就停下",
            en="A run that would change too much stops before the first write",
        ),
        Text(
            zh="每个护栏取界限下、上、外各一次；越界：退出码 6，写明名称、数字、界限和放行办法",
            en="every guard just below, at and above its limit; above: exit 6 with guard, figure,"
            " limit and consent named",
        ),
        boundary,
    ),
)
