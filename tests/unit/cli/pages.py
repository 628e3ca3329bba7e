"""Prints every page of the made-up data as JSON; the language is fixed when the process starts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from zoneinfo import ZoneInfo

from tests.unit.cli import looking_back, made

from crmsync.cli import look_back_view, plan_view, run_view, simulate_view, why_view
from crmsync.cli.language import LANG
from crmsync.model.plan import PlanHeader, PlanLine

ZONE = ZoneInfo("Asia/Shanghai")


def pages() -> Iterator[tuple[str, Iterable[str]]]:
    """Name and lines of each page."""
    yield "plan", plan(made.header(), made.plan_lines(), every=False)
    yield "plan-all", plan(made.header(), made.plan_lines(), every=True)
    yield "plan-empty", plan(made.empty_header(), [], every=False)
    yield "plan-merged", plan(made.merged_header(), made.merged_lines(), every=False)
    yield (
        "undo-plan",
        plan(made.undo_header(), [made.close(3, "东海云茶", reopen=True)], every=False),
    )
    yield "undo", plan_view.undo_page(made.undo_header(), kept=False)
    yield "undo-kept", plan_view.undo_page(made.undo_header(), kept=True)
    yield "explain-waiting", why_view.explanation(made.explained(*made.WAITING), full=True)
    yield "explain-lacking", why_view.explanation(made.explained(*made.LACKING), full=False)
    yield "runs", run_view.run_table(made.runs(), ZONE)
    yield "run", run()
    yield "look-back", look_back_view.looked_back(looking_back.found())
    yield "look-back-short", look_back_view.looked_back(looking_back.short())
    yield "cost", [plan_view.cost_text(cost) for cost in looking_back.costs()]
    yield "simulate", simulate_view.simulation(made.simulated())
    yield "simulate-unchanged", simulate_view.simulation(made.unchanged())


def plan(header: PlanHeader, lines: Iterable[PlanLine], *, every: bool) -> Iterator[str]:
    tier = made.rules().tier
    assert tier is not None
    names = {level.id: level.label.to(LANG) for level in tier.levels}
    for line in plan_view.page(header, lines, names, every=every):
        yield line.plain
    yield plan_view.next_step(header, digest=made.DIGEST, file="plan.json").to(LANG)


def run() -> Iterator[str]:
    report = made.report()
    outcomes = {state.value: count for state, count in report.outcomes.items()}
    yield from run_view.run_page(report.run, outcomes, ZONE)
    yield from run_view.problems(report.problems, every=False)
    yield run_view.report_line(report)


if __name__ == "__main__":
    print(json.dumps({name: "\n".join(lines) + "\n" for name, lines in pages()}))
