"""``override``: a person's word on a customer's tier, given, listed and taken back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import click

from crmsync.cli.face import Face, face_options
from crmsync.cli.language import LANG, say
from crmsync.cli.layout import clean, table
from crmsync.errors import UsageError
from crmsync.model.override import Override, OverrideKind
from crmsync.model.text import Text

if TYPE_CHECKING:
    from crmsync.model.ruleset import Ruleset
    from crmsync.project.overriding import KeptOverride, OverrideAsk, Where

_KINDS = {
    OverrideKind.PIN: Text(zh="固定为", en="pinned to"),
    OverrideKind.FLOOR: Text(zh="至少为", en="at least"),
    OverrideKind.CEILING: Text(zh="最高为", en="at most"),
}


@click.command(
    help=say(
        "人工指定一个客户的等级：固定、保底或封顶，写明原因和期限。计算照常进行，到期自动恢复。"
        "列出： --list；取消： --remove 编号。",
        "Set a customer's tier by hand: pin, floor or ceiling, with reason and end. The computed"
        " tier goes on beside it and returns when it ends. See --list, and --remove NUMBER.",
    )
)
@click.argument("record", required=False)
@click.option("--tier", metavar="TIER", help=say("固定为这个等级", "hold this tier"))
@click.option("--at-least", metavar="TIER", help=say("至少为这个等级", "never below this tier"))
@click.option("--at-most", metavar="TIER", help=say("最高为这个等级", "never above this tier"))
@click.option(
    "--until",
    metavar="DATE",
    type=click.DateTime(["%Y-%m-%d"]),
    help=say("到这一天为止（含）", "the last day it holds (default: until removed)"),
)
@click.option("--reason", metavar="TEXT", help=say("原因", "why"))
@click.option("--list", "listing", is_flag=True, help=say("列出生效中的", "those in force"))
@click.option("--all", "every", is_flag=True, help=say("连同已结束的", "with those that ended"))
@click.option("--remove", type=int, metavar="NUMBER", help=say("取消这一条", "take one back"))
@click.option("--ruleset", metavar="NAME", help=say("规则集", "ruleset"))
@click.option("--connection", metavar="NAME", help=say("连接", "connection"))
@face_options
def override_command(
    face: Face,
    record: str | None,
    until: datetime | None,
    reason: str | None,
    **asked: object,
) -> None:
    """Takes effect with the next plan; who gave it is kept."""
    project = face.project()
    names = [asked[name] for name in ("ruleset", "connection")]
    folder, connected = (name if isinstance(name, str) else None for name in names)
    where = project, project.ruleset_folder(folder), project.connection(connected)
    remove = asked["remove"]
    if asked["listing"] or asked["every"]:
        _list(face, where, every=bool(asked["every"]))
    elif isinstance(remove, int):
        _remove(face, where, remove, reason)
    else:
        _give(face, where, _ask(record, asked, until, reason))


def _ask(
    record: str | None, asked: dict[str, object], until: datetime | None, reason: str | None
) -> OverrideAsk:
    from crmsync.project.overriding import OverrideAsk

    words = {
        OverrideKind.PIN: asked["tier"],
        OverrideKind.FLOOR: asked["at_least"],
        OverrideKind.CEILING: asked["at_most"],
    }
    given = [(kind, tier) for kind, tier in words.items() if isinstance(tier, str)]
    if record is None or len(given) != 1 or reason is None:
        raise UsageError(
            Text(
                zh="要写客户、一种指定（--tier、--at-least 或 --at-most）和 --reason",
                en="a customer, one of --tier, --at-least and --at-most, and --reason are needed",
            ),
            mend=Text(
                zh="例如 crmsync override 5725767000000001 --at-least 重要 --until 2026-12-31 "
                '--reason "框架协议"',
                en="such as crmsync override 5725767000000001 --at-least key --until 2026-12-31 "
                '--reason "framework agreement"',
            ),
        )
    ((kind, tier),) = given
    end = None if until is None else until.date()
    return OverrideAsk(record=record, kind=kind, tier=tier, reason=reason, until=end)


def _give(face: Face, where: Where, ask: OverrideAsk) -> None:
    from crmsync.cli.run import person
    from crmsync.project.explained import override_document
    from crmsync.project.overriding import give_override

    given = give_override(*where, ask, by=person())
    if face.json:
        document = {**override_document(given.stored), "replaced": list(given.replaced)}
        face.document("crmsync.override/1", document)
    item, label = given.stored.override, given.level.label
    until = f"，到 {item.until} 为止" if item.until else "，直到取消"
    end = f"until {item.until}" if item.until else "until it is removed"
    face.talk(
        f"人工指定 {given.stored.id}：{item.ref} {_KINDS[item.kind].zh}{label.zh}{until}。"
        "下一步： crmsync plan",
        f"Override {given.stored.id}: {item.ref} {_KINDS[item.kind].en} {label.en}, {end}. "
        "Next: crmsync plan",
    )
    for number in given.replaced:
        face.talk(f"取代了人工指定 {number}。", f"It takes the place of override {number}.")


def _remove(face: Face, where: Where, number: int, reason: str | None) -> None:
    from crmsync.cli.run import person
    from crmsync.project.explained import override_document
    from crmsync.project.overriding import lift_override

    lifted = lift_override(*where, number, by=person(), reason=reason)
    if face.json:
        face.document("crmsync.override/1", {**override_document(lifted), "removed": True})
    face.talk(
        f"人工指定 {number} 已取消。下一步： crmsync plan",
        f"Override {number} is taken back. Next: crmsync plan",
    )


def _list(face: Face, where: Where, *, every: bool) -> None:
    from crmsync.project.explained import override_document
    from crmsync.project.overriding import standing_overrides

    rules, found = standing_overrides(*where, every=every)
    if face.json:
        document = {"overrides": [override_document(item) for item in found]}
        face.document("crmsync.overrides/1", document)
        return
    if not found:
        face.talk("没有人工指定。", "There are no overrides.")
    for line in overrides_table(found, rules):
        click.echo(line)


def overrides_table(found: tuple[KeptOverride, ...], rules: Ruleset) -> Iterator[str]:
    """One line for each override: number, customer, what, until, who, why."""
    if not found:
        return
    head = say(
        "编号|客户|指定|期限|谁|原因|结束", "number|customer|what|until|who|why|ended"
    ).split("|")
    yield from table([tuple(head), *(_row(item, rules) for item in found)], align="rllllll")


def _row(stored: KeptOverride, rules: Ruleset) -> tuple[str, ...]:
    item = stored.override
    ended = "" if stored.lifted_at is None else f"{stored.lifted_at:%Y-%m-%d} {stored.lifted_by}"
    return (
        str(stored.id),
        item.ref.id,
        f"{_KINDS[item.kind].to(LANG)} {_label(item, rules)}",
        say("直到取消", "until removed") if item.until is None else item.until.isoformat(),
        clean(item.by),
        clean(item.reason),
        clean(ended),
    )


def _label(item: Override, rules: Ruleset) -> str:
    levels = () if rules.tier is None else rules.tier.levels
    return next((i.label.to(LANG) for i in levels if i.id == item.level), item.level)
