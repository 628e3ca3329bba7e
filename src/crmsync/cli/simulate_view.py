"""A simulation as a person reads it: the edit, the migration matrix, stages, tasks, the guard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from crmsync.cli.language import LANG, say
from crmsync.cli.layout import cells, clean, figure_text, pad, right, shortened, table
from crmsync.model.text import Text
from crmsync.project.simulated import NONE, NearLine, SimulateReport, sides

# How many edited lines are shown, and how much of each side.
LINES, SIDE = 10, 44
OWNERS, NEAR = 5, 5


def simulation(report: SimulateReport) -> Iterator[str]:
    """The page, line by line; what decides comes first and the next command last."""
    yield from _edit(report)
    count = report.customers
    yield say(
        f"{count} 个客户，来自最近一次快照；不写入任何东西。",
        f"{count} customer{'s' * (count != 1)} from the last snapshot; nothing is written.",
    )
    if report.matrix:
        yield ""
        yield from _matrix(report)
    yield ""
    if report.stages:
        names = stage_names(report)
        yield from _stage_counts(report)
        moves = say("，", ", ").join(
            f"{names.get(old, old)} → {names.get(new, new)} {n}"
            for (old, new), n in sorted(report.stages.items())
        )
        yield say(f"生命周期：{moves}", f"Lifecycle:  {moves}")
    if report.tasks:
        tasks = say("，", ", ").join(f"{name} {n:+d}" for name, n in report.tasks.items())
        yield say(f"任务：    {tasks}", f"Tasks:      {tasks}")
    yield from _owners(report)
    yield _changed(report)
    yield from _other_guards(report)
    if report.near:
        yield ""
        yield say("离界线最近：", "Nearest to a line:")
        yield from _near(report)
    if report.examples:
        yield ""
        yield say("看几个：", "Look at a few:")
        yield from _examples(report)


def _edit(report: SimulateReport) -> Iterator[str]:
    count, against = len(report.changed_lines), report.against
    if not count:
        yield say(f"rules.yaml 与 {against} 相同", f"rules.yaml is the same as {against}")
        return
    yield say(
        f"rules.yaml：{count} 行与 {against} 不同",
        f"rules.yaml: {count} line{'s' * (count != 1)} differ{'s' * (count == 1)} from {against}",
    )
    rows = [
        (f"  {line}", _side(was) or say("（新行）", "(new line)"), "→", _side(now) or "–")
        for line, was, now in report.changed_lines[:LINES]
    ]
    yield from table(rows, align="rlll")
    if count > LINES:
        yield say(f"  … 另有 {count - LINES} 行", f"  … {count - LINES} more")


def _side(text: str) -> str:
    return shortened(clean(text), SIDE)


def _matrix(report: SimulateReport) -> Iterator[str]:
    names = tier_names(report)
    seen = {tier for pair in report.matrix for tier in pair}
    order = [tier for tier in names if tier in seen]
    order += sorted(seen - set(order))
    width = max(max(cells(names.get(tier, tier)) for tier in order) + 2, 8)
    against = shortened(report.against, 20)
    first = max([cells(against), *(cells(names.get(t, t)) for t in order)]) + 2
    head = "".join(right(names.get(tier, tier), width) for tier in order)
    yield say("等级迁移（行：原规则，列：现规则）", "Tier migration (rows: before, columns: now)")
    head = pad(against, first) + head + right(say("合计", "total"), width)
    rule = "─" * cells(head)
    yield head
    yield rule
    rank = {tier: place for place, tier in enumerate(order)}
    for old in order:
        row = pad(names.get(old, old), first)
        for new in order:
            row += right(_cell(report.matrix.get((old, new), 0), rank[old], rank[new]), width)
        total = sum(n for (was, _), n in report.matrix.items() if was == old)
        yield row + right(str(total), width)
    yield rule
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
    percent = figure_text(share, share=True)
    words = say(
        f"变化：    {report.moved}/{report.customers} 个客户换等级（{percent}）",
        f"Changed:    {report.moved} of {report.customers} customers change tier ({percent})",
    )
    guard = next((it.limit for it in report.guards if it.limit.name == "tier_changes"), None)
    if guard is None:
        return words
    figure = share if guard.share else Decimal(report.moved)
    limit = figure_text(guard.limit, share=guard.share)
    verdict = say("超过", "over") if figure > guard.limit else say("正常", "ok")
    return words + say(f"   上限 {limit}：{verdict}", f"   guard {limit}: {verdict}")


def _stage_counts(report: SimulateReport) -> Iterator[str]:
    names = stage_names(report)
    figures = sides(report.stage_matrix)
    parts = [
        f"{names.get(id, id)} {before} → {after}"
        for id in names
        if (pair := figures.get(id)) and pair[0] != pair[1]
        for before, after in (pair,)
    ]
    if parts:
        counts = say("，", ", ").join(parts)
        yield say(f"各阶段：  {counts}", f"Stages:     {counts}")


def _owners(report: SimulateReport) -> Iterator[str]:
    """Owners whose number of new tasks changes."""
    parts = [
        f"{clean(owner)} {before} → {after}"
        for owner, (before, after) in report.owners.items()
        if before != after
    ]
    if parts:
        more = "" if len(parts) <= OWNERS else say(f"，另有 {len(parts) - OWNERS} 位", ", …")
        listed = say("，", ", ").join(parts[:OWNERS]) + more
        yield say(f"负责人：  {listed}", f"Owners:     {listed}")


def _other_guards(report: SimulateReport) -> Iterator[str]:
    for item in report.guards:
        if item.over and item.limit.name != "tier_changes":
            figure, limit = (
                figure_text(number, share=item.limit.share)
                for number in (item.figure, item.limit.limit)
            )
            yield say(
                f"上限：    {item.limit.name} {figure}，超过 {limit}",
                f"Guard:      {item.limit.name} {figure}, over {limit}",
            )


def _near(report: SimulateReport) -> Iterator[str]:
    names = tier_names(report)
    rows = [
        (
            f"  {clean(item.name) or item.id}",
            str(item.score),
            f"{names.get(item.tier, item.tier)} → {names.get(item.target, item.target)}",
            way_words(item),
        )
        for item in report.near[:NEAR]
    ]
    yield from table(rows, align="lrll")


def way_words(item: NearLine) -> str:
    """How far it is: points missing to rise, or left before the tier falls."""
    if item.way == "up":
        return say(f"还差 {item.points} 分升级", f"{item.points} points short of rising")
    return say(f"高出保级线 {item.points} 分", f"{item.points} points above its keep line")


def _examples(report: SimulateReport) -> Iterator[str]:
    tiers = tier_names(report)
    rows = [
        (
            f"  crmsync explain {id}",
            clean(name),
            NONE if score is None else str(score),
            f"{tiers.get(old, old)} → {tiers.get(new, new)}",
        )
        for id, name, old, new, score in report.examples
    ]
    yield from table(rows, align="llrl")


def tier_names(report: SimulateReport) -> dict[str, str]:
    """Labels of every tier in either version, the edited order first, no tier last."""
    rules = (report.after.tier, report.before.tier)
    names = [(level.id, level.label) for tier in rules if tier for level in tier.levels]
    return _first(names) | {NONE: say("未定级", "no tier")}


def stage_names(report: SimulateReport) -> Mapping[str, str]:
    """Labels of every stage in either version, the edited order first."""
    graphs = (report.after.lifecycle, report.before.lifecycle)
    return _first([(stage.id, stage.label) for graph in graphs if graph for stage in graph.stages])


def _first(names: list[tuple[str, Text]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for id, label in names:
        found.setdefault(id, label.to(LANG))
    return found
