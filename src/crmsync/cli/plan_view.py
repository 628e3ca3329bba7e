"""A plan as a person reads it: legend, customers, tiers before and after, one summary line last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from rich.text import Text as Styled

from crmsync.cli.changes_view import SAMPLE, customers, legend
from crmsync.cli.language import LANG, say
from crmsync.cli.layout import bar, clean, figure_text, number_text, table
from crmsync.model.cut import TIER_LINES
from crmsync.model.decision import Cause
from crmsync.model.metering import PlanCost
from crmsync.model.plan import (
    GuardResult,
    PlanCounts,
    PlanHeader,
    PlanKind,
    PlanLine,
    Withheld,
    short_digest,
)
from crmsync.model.text import Text
from crmsync.project.frozen_view import frozen_line

# How many withheld rows a plan shows before "--all".
LISTED = 5
ENVIRONMENTS = {
    "production": Text(zh="生产", en="production"),
    "sandbox": Text(zh="沙箱", en="sandbox"),
    "practice": Text(zh="练习", en="practice"),
}
CAUSES = {
    Cause.FIRST: Text(zh="首次评估", en="first assignment"),
    Cause.DATA: Text(zh="数据变化", en="data changed"),
    Cause.RULE: Text(zh="规则变化", en="rules changed"),
    Cause.TIME: Text(zh="时间推移", en="time passed"),
    Cause.MERGED: Text(zh="客户合并", en="merged"),
    Cause.UNDO: Text(zh="撤销", en="taken back"),
}
UNITS = {
    "API credits": Text(zh="API 额度", en="API credits"),
    "calls": Text(zh="次调用", en="calls"),
}
GUARDS = {
    "records_changed": Text(zh="改动的客户", en="customers changed"),
    "tier_changes": Text(zh="等级变动", en="tier changes"),
    "tier_shift": Text(zh="一个等级净增或净减", en="one tier gains or loses"),
    "demotions": Text(zh="降级", en="demotions"),
    "demotions_by_pair": Text(zh="同一等级之间的降级", en="demotions between two tiers"),
    "first_assignments": Text(zh="首次定级", en="first assignments"),
    "new_tasks": Text(zh="新任务", en="new tasks"),
    "tasks_per_owner": Text(zh="单个负责人的新任务", en="new tasks of one owner"),
    "rule_edit": Text(zh="因改规则而换等级", en="tier changes by an edit of the rules"),
    "population_shrink": Text(zh="客户总数减少", en="customers gone from the CRM"),
    "missing_rise": Text(zh="缺数据的客户增多", en="more customers lack data"),
    "source_age": Text(zh="数据来源过旧", en="a source is old"),
}


def page(
    header: PlanHeader, lines: Iterable[PlanLine], tiers: Mapping[str, str], *, every: bool
) -> Iterator[Styled]:
    """The whole plan, line by line; *tiers* maps tier ids to labels, best first."""
    yield Styled(heading(header))
    yield Styled("")
    yield legend()
    yield Styled("")
    yield from customers(lines, every=every)
    spread = distribution(header.counts, tiers)
    spread += cut_lines(header, tiers)
    yield from map(Styled, [*spread, ""] if spread else [])
    for text in withheld_lines(header, every=every):
        yield Styled(text, style="yellow")
    for text in unfresh_lines(header):
        yield Styled(text, style="yellow")
    yield from map(Styled, notice_lines(header, every=every))
    for note in header.notes:
        yield Styled(f"! {clean(note.to(LANG))}", style="yellow")
    for item in header.frozen:
        yield Styled(frozen_line(item).to(LANG))
    because = causes(header.counts)
    if because and header.kind is PlanKind.RULES:
        yield Styled(because)
    yield Styled(summary(header), style="bold")
    if header.cost is not None and header.cost.price:
        yield Styled(cost_text(header.cost))
    for guard in header.guards:
        if guard.tripped:
            yield Styled(guard_text(guard), style="yellow")


def heading(header: PlanHeader) -> str:
    """Which rules, where to, for which day, over how many customers."""
    counts = header.counts
    where = ENVIRONMENTS.get(header.environment, Text.same(header.environment)).to(LANG)
    rules = f"{header.ruleset} v{header.ruleset_version} → {header.connection}"
    zh = [f"{rules}（{where}）", str(header.as_of), f"{counts.evaluated} 个客户"]
    en = [f"{rules} ({where})", str(header.as_of), _count(counts.evaluated, "customer")]
    if counts.missing:
        zh.append(f"缺数据 {counts.missing} 个")
        en.append(f"{counts.missing} lack data")
    if counts.excluded:
        zh.append(f"不在范围 {counts.excluded} 个")
        en.append(f"{counts.excluded} out of scope")
    return say("   ".join(zh), "   ".join(en))


def distribution(counts: PlanCounts, tiers: Mapping[str, str]) -> list[str]:
    """Tiers now and after the plan, with bars; customers without a tier in a row of their own."""
    before, after = dict(counts.tiers_before), dict(counts.tiers_after)
    if not before and not after:
        return []
    order = [*tiers, *sorted((set(before) | set(after)) - set(tiers))]
    none = counts.evaluated - sum(before.values()), counts.evaluated - sum(after.values())
    names = {**tiers, "": say("未定级", "no tier")}
    before[""], after[""] = before.get("", 0) + none[0], after.get("", 0) + none[1]
    rows = [
        (
            say("等级分布", "Tiers"),
            say("现在", "now"),
            say("计划后", "after"),
            say("变化", "change"),
            "",
        )
    ]
    most = max(after.values())
    for tier in dict.fromkeys([*order, ""]):
        now, then = before.get(tier, 0), after.get(tier, 0)
        if now or then:
            change = f"{then - now:+d}" if then != now else "·"
            name = clean(names.get(tier, tier))
            rows.append((f"  {name}", str(now), str(then), change, bar(then, most)))
    return table(rows, align="lrrrl")


def summary(header: PlanHeader) -> str:
    """The one line that says what the plan would do."""
    counts = header.counts
    if header.kind is PlanKind.UNDO:
        back = touched(counts)
        return say(
            f"撤销运行 {header.undoes}：{back} 个客户恢复，{counts.closed_tasks} 个任务关闭；"
            f"{counts.withheld} 处保留（之后有人改过）。",
            f"Undo of run {header.undoes}: {_count(back, 'customer')} back as before,"
            f" {_count(counts.closed_tasks, 'task')} closed; {counts.withheld} kept (changed"
            " since).",
        )
    if not counts.anything:
        return say(
            f"计划：没有改动；{_rest_zh(counts)}。", f"Plan: nothing changes; {_rest_en(counts)}."
        )
    return say(_summary_zh(counts), _summary_en(counts))


def _rest_zh(counts: PlanCounts) -> str:
    soon = f"，其中 {counts.notices} 条降级预告" if counts.notices else ""
    held = f"，{counts.withheld} 条暂缓" if counts.withheld else ""
    return f"{counts.unchanged} 条不变{soon}{held}"


def _rest_en(counts: PlanCounts) -> str:
    soon = f", {counts.notices} of them about to fall" if counts.notices else ""
    held = f", {counts.withheld} withheld" if counts.withheld else ""
    return f"{counts.unchanged} unchanged{soon}{held}"


def _summary_zh(counts: PlanCounts) -> str:
    parts = [
        f"{counts.firsts} 首次定级" if counts.firsts else "",
        f"{counts.rises} 升级",
        f"{counts.falls} 降级",
        f"{counts.stage_only} 仅生命周期",
        f"{counts.other} 仅其他字段" if counts.other else "",
        f"{counts.new_tasks} 个新任务",
        f"{counts.closed_tasks} 个关闭",
        f"{counts.merged} 个客户接管合并进来的记录" if counts.merged else "",
    ]
    return f"计划：{'，'.join(filter(None, parts))}；{_rest_zh(counts)}。"


def _summary_en(counts: PlanCounts) -> str:
    parts = [
        _count(counts.firsts, "first assignment") if counts.firsts else "",
        _count(counts.rises, "rise"),
        _count(counts.falls, "fall"),
        f"{counts.stage_only} stage only",
        f"{counts.other} in other fields only" if counts.other else "",
        _count(counts.new_tasks, "new task"),
        f"{counts.closed_tasks} closed",
        f"{counts.merged} taking over after a merge" if counts.merged else "",
    ]
    return f"Plan: {', '.join(filter(None, parts))}; {_rest_en(counts)}."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def touched(counts: PlanCounts) -> int:
    """How many customers have a field set."""
    return counts.firsts + counts.rises + counts.falls + counts.stage_only + counts.other


def causes(counts: PlanCounts) -> str:
    """Why things change: data, a rule edit, or time alone."""
    found = [
        f"{CAUSES[cause].to(LANG)} {counts.by_cause[cause]}"
        for cause in Cause
        if counts.by_cause.get(cause)
    ]
    return say("原因：", "Because: ") + say("，", ", ").join(found) if found else ""


def cost_text(cost: PlanCost) -> str:
    """What applying the plan takes of the API quota, in the vendor's own unit."""
    unit = UNITS.get(cost.unit, Text.same(cost.unit)).to(LANG)
    more = Text("", "")
    if cost.look_back:
        count = cost.look_back
        more = Text(f"，写后回看至多再加 {count}", f", and up to {count} more to look back")
    if cost.free is None:
        return say(
            f"API 成本：约 {cost.price} {unit}{more.zh}（供应商没有给出剩余额度）",
            f"API cost: about {cost.price} {unit}{more.en} (how many are left is not known)",
        )
    of = "" if cost.limit is None else f" / {cost.limit}"
    short = say("；不够", "; not enough") if cost.price > cost.free else ""
    if not short and cost.price + cost.look_back > cost.free:
        short = say("；回看会被省掉一部分", "; some looks back will be given up")
    return say(
        f"API 成本：约 {cost.price} {unit}{more.zh}；"
        f"可用 {cost.free}{of}，另留 {cost.kept} 给人{short}",
        f"API cost: about {cost.price} {unit}{more.en}; {cost.free}{of} may be used, {cost.kept}"
        f" are kept for people{short}",
    )


def guard_text(guard: GuardResult) -> str:
    """One tripped guard: its name, the figure, the limit, the place and the one consent."""
    figure = figure_text(guard.figure, share=guard.share)
    limit = figure_text(guard.limit, share=guard.share)
    label, place = GUARDS.get(guard.name), clean(guard.place)
    zh = [label.zh] if label else []
    # In English the name says it already, but for the underscores.
    en = [label.en] if label and label.en != guard.name.replace("_", " ") else []
    about_zh, about_en = (
        "：".join(filter(None, [*zh, place])),
        ": ".join(filter(None, [*en, place])),
    )
    return say(
        f"变更上限 {guard.name}{f'（{about_zh}）' if about_zh else ''}："
        f"{figure}{f'（{guard.count}/{guard.of}）' if guard.share else ''}，超过上限 {limit}。"
        f"写入前需要 --allow {guard.allow}",
        f"Guard {guard.name}{f' ({about_en})' if about_en else ''}:"
        f" {figure}{f' ({guard.count} of {guard.of})' if guard.share else ''} is over the limit"
        f" of {limit}. To write anyway: --allow {guard.allow}",
    )


def withheld_lines(header: PlanHeader, *, every: bool) -> list[str]:
    """Rows that must not change now, and why; the last line counts those not shown."""
    rows = _in_order(header.withheld)
    shown = rows if every else rows[:LISTED]
    lines = [f"  ! {clean(row.name)}  {row.ref.id}  {clean(row.text.to(LANG))}" for row in shown]
    more = max(sum(header.counts.withheld_by_kind.values()), len(rows)) - len(shown)
    if more:
        hint = "" if every else say("，用 --all 查看", ": --all")
        lines.append(say(f"  ! … 另有 {more} 条{hint}", f"  ! … {more} more{hint}"))
    return lines


def unfresh_lines(header: PlanHeader) -> list[str]:
    """Which sources hold falls and moves back, why, and the one command that lets them happen."""
    if not header.unfresh:
        return []
    lines = [f"  ! {clean(item.text.to(LANG))}" for item in header.unfresh]
    held = header.counts.withheld_by_kind.get("stale_source", 0)
    if any(item.released for item in header.unfresh):
        return [*lines, say("    已由人放行。", "    Released by a person.")]
    if not held:
        return [*lines, say("    没有因此暂缓的变化。", "    Nothing waits for it.")]
    return [
        *lines,
        say(
            f"    {held} 项降级和移动因此暂缓，升级照常。放行： crmsync plan --release {held}",
            f"    {held} falls and moves wait for it; rises go on. Let them happen:"
            f" crmsync plan --release {held}",
        ),
    ]


def notice_lines(header: PlanHeader, *, every: bool) -> list[str]:
    """Customers who fall soon unless something happens; empty when there are none."""
    count = header.counts.notices
    told = header.notices if every else header.notices[:SAMPLE]
    if not told:
        return []
    lines = [
        say(
            f"降级预告：{count} 个客户现在不变，但即将降级",
            f"Notice: {count} customers do not change now but are about to fall",
        )
    ]
    lines += [
        f"  ▽ {clean(item.name)}  {item.ref.id}  {clean(item.text.to(LANG))}" for item in told
    ]
    more = max(count, len(header.notices)) - len(told)
    if more:
        hint = "" if every else say("，用 --all 查看", ": --all")
        lines.append(say(f"  ▽ … 另有 {more} 个{hint}", f"  ▽ … {more} more{hint}"))
    return lines


def cut_lines(header: PlanHeader, tiers: Mapping[str, str]) -> list[str]:
    """The tier lines drawn across the population for this plan; empty when there are none."""
    lines = []
    for drawn in header.frozen:
        if drawn.name != TIER_LINES:
            continue
        told = [_cut(name, line, tiers) for name, (line,) in drawn.lines.items()]
        head = say(f"划线（{drawn.period}）", f"Cut lines ({drawn.period})")
        lines.append(f"{head}  " + "   ".join(told))
    return lines


def _cut(name: str, line: Decimal, tiers: Mapping[str, str]) -> str:
    level, _, kind = name.rpartition(".")
    what = say("保级", "keep") if kind == "keep" else say("升级", "enter")
    return f"{clean(tiers.get(level, level))} {what} {number_text(line)}"


def _in_order(rows: Iterable[Withheld]) -> list[Withheld]:
    return sorted(rows, key=lambda row: row.kind)


def next_step(header: PlanHeader, *, digest: str, file: str) -> Text:
    """The saved file, how long it holds, and the command that writes it, consents included."""
    counts = header.counts
    if not counts.anything:
        return Text(zh="没有要写的内容。", en="There is nothing to write.")
    short = short_digest(digest)
    hours = round((header.expires_at - header.created_at).total_seconds() / 3600)
    allow = "".join(f" --allow {guard.allow}" for guard in header.guards if guard.tripped)
    command = f"crmsync apply {file}{allow}"
    return Text(
        zh=f"已保存 {file}（sha256 {short}，{hours} 小时内有效）。写入：  {command}",
        en=f"Saved {file} (sha256 {short}, valid for {hours} hours). Write it:  {command}",
    )


def undo_page(header: PlanHeader, *, kept: bool) -> Iterator[str]:
    """What an undo would give back, what it leaves alone, which tasks it closes."""
    run, back = header.undoes, touched(header.counts)
    held, closed = header.counts.withheld, header.counts.closed_tasks
    yield say(f"撤销运行 {run}", f"Undo run {run}")
    yield say(
        f"  ← {back} 个客户恢复到运行 {run} 之前的值",
        f"  ← {_count(back, 'customer')} back to the values before run {run}",
    )
    if held:
        hint = "" if kept else say("（--show-kept 列出）", " (--show-kept lists them)")
        yield say(
            f"  ! {held} 处保留：之后有人改过{hint}",
            f"  ! {held} left alone: somebody changed them since{hint}",
        )
        if kept:
            yield from (f"  {line}" for line in withheld_lines(header, every=True))
    yield say(f"  - {closed} 个任务关闭", f"  - {_count(closed, 'task')} closed")
    over = header.counts.merged
    if over:
        yield say(
            f"  ⇐ {over} 个客户合并时接管的内容还给原来的记录",
            f"  ⇐ what {_count(over, 'customer')} took over in a merge goes back to where it was",
        )
    yield say(
        "  × 撤不回：CRM 自己因此做过的事（邮件、webhook、修改历史），以及已有人处理的任务",
        "  × cannot be taken back: what the CRM did by itself (mails, webhooks, its history), and"
        " tasks somebody has worked on",
    )
    yield summary(header)
