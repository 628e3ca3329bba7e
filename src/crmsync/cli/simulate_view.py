"""A simulation as a person reads it: the edit, the migration matrix, stages, tasks, the guard."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from crmsync.cli.language import LANG, say
from crmsync.cli.layout import cells, clean, pad, right
from crmsync.project.simulating import NONE, SimulateReport


def simulation(report: SimulateReport) -> Iterator[str]:
    """The page, line by line; what decides comes first and the next command last."""
    count = len(report.changed_lines)
    yield say(
        f"rules.yaml：{count} 行与 {report.against} 不同",
        f"rules.yaml: {count} lines differ from {report.against}",
    )
    for line, was, now in report.changed_lines:
        yield f"  {line:>4}  {was}  →  {now}"
    yield say(
        f"{report.customers} 个客户，来自最近一次快照；不写入任何东西。",
        f"{report.customers} customers from the last snapshot; nothing is written.",
    )
    yield ""
    yield from _matrix(report)
    yield ""
    if report.stages:
        names = _stage_names(report)
        moves = ", ".join(
            f"{names.get(old, old)} → {names.get(new, new)} {n}"
            for (old, new), n in sorted(report.stages.items())
        )
        yield say(f"生命周期：{moves}", f"Lifecycle:  {moves}")
    if report.tasks:
        tasks = ", ".join(f"{name} {n:+d}" for name, n in report.tasks.items())
        yield say(f"任务：{tasks}", f"Tasks:      {tasks}")
    yield _changed(report)
    if report.examples:
        yield ""
        yield say("看几个：", "Look at a few:")
        tiers = _tier_names(report)
        for id, name, old, new, score in report.examples:
            moved = f"{tiers.get(old, old)} → {tiers.get(new, new)}"
            yield f"  crmsync explain {id}    {clean(name)}   {score or NONE}  {moved}"


def _matrix(report: SimulateReport) -> Iterator[str]:
    names = _tier_names(report)
    seen = {tier for pair in report.matrix for tier in pair}
    order = [tier for tier in [*names, NONE] if tier in seen]
    width = max(max(cells(names.get(tier, tier)) for tier in order) + 2, 8)
    first = max([cells(f"{report.against}"), *(cells(names.get(t, t)) for t in order)]) + 2
    head = "".join(right(names.get(tier, tier), width) for tier in order)
    yield say("等级迁移（行：原规则，列：现规则）", "Tier migration (rows: before, columns: now)")
    yield pad(report.against, first) + head + right(say("合计", "total"), width)
    rank = {tier: place for place, tier in enumerate(order)}
    for old in order:
        row = pad(names.get(old, old), first)
        for new in order:
            row += right(_cell(report.matrix.get((old, new), 0), rank[old], rank[new]), width)
        total = sum(n for (was, _), n in report.matrix.items() if was == old)
        yield row + right(str(total), width)
    totals = [sum(n for (_, now), n in report.matrix.items() if now == new) for new in order]
    line = "".join(right(str(total), width) for total in totals)
    yield pad(say("合计", "total"), first) + line + right(str(report.customers), width)


def _cell(count: int, old: int, new: int) -> str:
    if not count:
        return "·"
    if old == new:
        return f"[{count}]"
    return f"▲{count}" if new < old else f"▼{count}"


def _changed(report: SimulateReport) -> str:
    share = Decimal(report.moved) / report.customers if report.customers else Decimal(0)
    percent = f"{share * 100:.1f} %"
    words = say(
        f"变化：{report.moved}/{report.customers} 个客户换等级（{percent}）",
        f"Changed:    {report.moved} of {report.customers} customers change tier ({percent})",
    )
    guard = report.guard
    if guard is None:
        return words
    figure = share if guard.share else Decimal(report.moved)
    limit = f"{guard.limit * 100:f} %" if guard.share else f"{guard.limit:f}"
    verdict = say("超过", "over") if figure > guard.limit else say("正常", "ok")
    return words + say(f"   上限 {limit}：{verdict}", f"   guard {limit}: {verdict}")


def _tier_names(report: SimulateReport) -> dict[str, str]:
    rules = report.after.tier
    return {level.id: level.label.to(LANG) for level in rules.levels} if rules else {}


def _stage_names(report: SimulateReport) -> dict[str, str]:
    graph = report.after.lifecycle
    return {stage.id: stage.label.to(LANG) for stage in graph.stages} if graph else {}
