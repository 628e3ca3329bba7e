"""A simulation as one HTML file: pictures, the same numbers as tables, nothing loaded from afar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crmsync.cli.language import LANG, say
from crmsync.cli.layout import figure_text
from crmsync.cli.simulate_view import stage_names, tier_names, way_words
from crmsync.picture import Flow, Page, Pair, bars, matrix, sankey
from crmsync.project.simulated import NONE, SimulateReport, sides

LINES = 40


def simulation_page(report: SimulateReport) -> str:
    """The whole file."""
    title = report.after.title.to(LANG) or report.after.id
    page = Page(say(f"试算：{title}", f"Simulation: {title}"), LANG)
    page.line(
        say(
            f"与 {report.against} 比较：最近快照的 {report.customers} 个客户；没有写入任何东西。",
            f"Compared with {report.against}: {report.customers} customers of the last snapshot; "
            "nothing was written.",
        )
    )
    page.line(
        say(f"{report.moved} 个客户换等级", f"{report.moved} customers change tier"), soft=True
    )
    _edit(page, report)
    if report.after.tier is not None:
        _tiers(page, report)
    if report.after.lifecycle is not None:
        _stages(page, report)
    _work(page, report)
    _guards(page, report)
    _near(page, report)
    return page.text()


def _edit(page: Page, report: SimulateReport) -> None:
    if not report.changed_lines:
        return
    page.heading(say("改动", "The edit"))
    rows = [(str(line), was, now) for line, was, now in report.changed_lines[:LINES]]
    more = len(report.changed_lines) - len(rows)
    page.table(
        "rules.yaml",
        (say("行", "line"), say("原来", "before"), say("现在", "now")),
        rows,
        words=3,
    )
    if more > 0:
        page.line(say(f"另有 {more} 行", f"{more} more lines"), soft=True)


def _order(names: Mapping[str, str], counts: Mapping[tuple[str, str], int]) -> list[str]:
    seen = {place for pair in counts for place in pair}
    known = [name for name in names if name in seen]
    return known + sorted(seen - set(known))


def _tiers(page: Page, report: SimulateReport) -> None:
    names, order = tier_names(report), _order(tier_names(report), report.matrix)
    labels = _distinct([names.get(id, id) for id in order])
    page.heading(say("等级迁移", "Tier migration"))
    title = say("等级迁移：行是原规则，列是现规则", "Tier migration: rows before, columns now")
    at = {id: place for place, id in enumerate(order)}
    page.picture(
        matrix(labels, {(at[old], at[new]): n for (old, new), n in report.matrix.items()}, title)
    )
    rows = [
        (label, *(str(report.matrix.get((old, new), 0)) for new in order))
        for label, old in zip(labels, order, strict=True)
    ]
    page.table(title, (say("原 ＼ 现", "before ＼ now"), *labels), rows)
    _flows(page, order, labels, report.matrix)
    page.heading(say("各等级人数", "Customers per tier"))
    _before_after(page, order, labels, report.matrix)


def _stages(page: Page, report: SimulateReport) -> None:
    names = {**stage_names(report), NONE: say("无阶段", "no stage")}
    order = _order(names, report.stage_matrix)
    labels = _distinct([names.get(id, id) for id in order])
    page.heading(say("各阶段人数", "Customers per stage"))
    _before_after(page, order, labels, report.stage_matrix)


def _flows(
    page: Page, order: Sequence[str], labels: Sequence[str], counts: Mapping[tuple[str, str], int]
) -> None:
    label = dict(zip(order, labels, strict=True))
    flows = [Flow(label[old], label[new], n) for (old, new), n in counts.items()]
    title = say("从原规则到现规则的流向", "Where customers go from before to now")
    page.picture(sankey(labels, flows, title))
    moved = sorted((f for f in flows if f.source != f.target), key=lambda f: -f.size)
    rows = [(flow.source, flow.target, str(flow.size)) for flow in moved]
    if rows:
        head = (say("从", "from"), say("到", "to"), say("客户", "customers"))
        page.table(title, head, rows, words=2)


def _before_after(
    page: Page, order: Sequence[str], labels: Sequence[str], counts: Mapping[tuple[str, str], int]
) -> None:
    figures = sides(counts)
    pairs = [Pair(label, *figures[id]) for id, label in zip(order, labels, strict=True)]
    legend = (say("原规则", "before"), say("现规则", "now"))
    title = say("改动前后的人数", "Customers before and now")
    page.picture(bars(pairs, title, legend))
    rows = [(p.label, str(p.before), str(p.after), f"{p.after - p.before:+d}") for p in pairs]
    page.table(title, ("", *legend, say("变化", "change")), rows)


def _work(page: Page, report: SimulateReport) -> None:
    if report.tasks:
        page.heading(say("任务", "Tasks"))
        page.table(
            say("新建任务的增减", "More or fewer new tasks"),
            (say("任务", "task"), say("变化", "change")),
            [(name, f"{count:+d}") for name, count in report.tasks.items()],
        )
    if report.owners:
        rows = [
            (owner, str(old), str(new), f"{new - old:+d}")
            for owner, (old, new) in report.owners.items()
        ]
        page.table(
            say("每位负责人的新任务", "New tasks per owner"),
            (say("负责人", "owner"), *_both(), say("变化", "change")),
            rows,
        )


def _guards(page: Page, report: SimulateReport) -> None:
    if not report.guards:
        return
    page.heading(say("变更上限", "Guards"))
    rows = [
        (
            item.limit.name,
            say("超过", "over") if item.over else say("正常", "ok"),
            figure_text(item.figure, share=item.limit.share),
            figure_text(item.limit.limit, share=item.limit.share),
        )
        for item in report.guards
    ]
    head = ("", "", say("数值", "figure"), say("上限", "limit"))
    page.table(say("这样的改动会不会被拦下", "Would a plan like this be held"), head, rows, words=2)


def _near(page: Page, report: SimulateReport) -> None:
    if not report.near:
        return
    names = tier_names(report)
    page.heading(say("离界线最近的客户", "Customers nearest to a line"))
    rows = [
        (
            item.name or item.id,
            item.id,
            f"{names.get(item.tier, item.tier)} → {names.get(item.target, item.target)}",
            way_words(item),
            str(item.score),
        )
        for item in report.near
    ]
    head = (say("客户", "customer"), "id", say("方向", "way"), say("相差", "distance"))
    page.table("", (*head, say("得分", "score")), rows, words=4)


def _both() -> tuple[str, str]:
    return say("原规则", "before"), say("现规则", "now")


def _distinct(labels: Sequence[str]) -> list[str]:
    """The labels, numbered where two are alike: a picture must not join what is apart."""
    found: list[str] = []
    for label in labels:
        shown, number = label, 2
        while shown in found:
            shown, number = f"{label} ({number})", number + 1
        found.append(shown)
    return found
