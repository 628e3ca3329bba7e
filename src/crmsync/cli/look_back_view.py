"""Edits that our writes replaced, as the CRM's own history shows them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from crmsync.cli.language import say
from crmsync.cli.layout import clean, value_text
from crmsync.model.history import Overwritten
from crmsync.model.run import LookBackReport, OpRecord

MOST = 10


def looked_back(report: LookBackReport) -> Iterator[str]:
    """The replaced edits of a run, then one line of figures; nothing where no row was sent."""
    if not report.rows:
        return
    yield from overwritten(report.found, every=False, rows_in_all=report.overwritten)
    yield _figures(report)


def overwritten(rows: Sequence[OpRecord], *, every: bool, rows_in_all: int = 0) -> Iterator[str]:
    """One line for each replaced value: what a person had put, what we wrote, who and when."""
    lines = [line for row in rows for line in _lines(row)]
    limit = len(lines) if every else MOST
    yield from lines[:limit]
    if len(lines) > limit or rows_in_all > len(rows):
        yield say("  … 全部见 crmsync runs N --all", "  … see crmsync runs N --all for all")


def _lines(row: OpRecord) -> Iterator[str]:
    for item in row.overwritten:
        who, theirs, ours = _who(item), value_text(item.theirs), value_text(item.ours)
        yield say(
            f"  ! {clean(row.name)}  {row.ref.id}   覆盖了别人刚改的值{who}："
            f"{item.field} {theirs} → {ours}",
            f"  ! {clean(row.name)}  {row.ref.id}   our write replaced a fresh edit{who}: "
            f"{item.field} {theirs} → {ours}",
        )


def _who(item: Overwritten) -> str:
    when = None if item.at is None else f"{item.at.astimezone():%Y-%m-%d %H:%M:%S}"
    told = " ".join(part for part in (item.by and clean(item.by), when) if part)
    return say(f"（{told}）", f" ({told})") if told else ""


def _figures(report: LookBackReport) -> str:
    looked = report.rows - report.left
    parts = [
        (report.overwritten, "覆盖了别人的修改（见上）", "replaced somebody's edit (above)"),
        (report.not_shown, "在历史里还没有出现", "do not show in the history yet"),
        (
            report.unread,
            "的历史读不出确定的值",
            "have a history nobody can read for certain",
        ),
    ]
    zh = "，".join(f"{count} 行{text}" for count, text, _ in parts if count)
    en = ", ".join(f"{count} {text}" for count, _, text in parts if count)
    left_zh = left_en = ""
    if report.left:
        why = report.why
        left_zh = f"；{report.left} 行没有回看" + (f"（{why.zh}）" if why else "")
        left_en = f"; {report.left} not looked at" + (f" ({why.en})" if why else "")
    return say(
        f"回看 CRM 修改历史：{looked} 行，{report.clear} 行没有覆盖任何人的修改"
        + (f"，{zh}" if zh else "")
        + left_zh,
        f"Looked back in the CRM's history at {looked} rows: {report.clear} replaced nobody's edit"
        + (f", {en}" if en else "")
        + left_en,
    )
