"""``merged``: a person tells crmsync which customer was merged into which."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from crmsync.cli.face import Face, face_options
from crmsync.cli.language import say
from crmsync.cli.layout import clean, table
from crmsync.errors import UsageError
from crmsync.model.text import Text

if TYPE_CHECKING:
    from crmsync.project.merging import NotedMerge
    from crmsync.project.overriding import Where


@click.command(
    help=say(
        "登记客户合并：CRM 里前一个客户并入了后一个。下一份计划按规则的 on_merge 把前者的等级、"
        "起始日、人工指定、未完成任务转给后者。也可给一个两列的 CSV 文件。"
        "列出： --list；取消： --remove 编号。",
        "Note a merge: in the CRM the first customer went into the second. The next plan hands the"
        " first one's tier, its day, overrides and open tasks over, as on_merge in the rules says."
        " A CSV file with two columns will do as well. See --list, and --remove ID.",
    )
)
@click.argument("lost", required=False)
@click.argument("survivor", required=False)
@click.option("--list", "listing", is_flag=True, help=say("列出已登记的", "those noted"))
@click.option("--remove", metavar="ID", help=say("取消这个客户的登记", "take one back"))
@click.option("--ruleset", metavar="NAME", help=say("规则集", "ruleset"))
@click.option("--connection", "-c", metavar="NAME", help=say("连接", "connection"))
@face_options
def merged_command(
    face: Face,
    lost: str | None,
    survivor: str | None,
    listing: bool,
    remove: str | None,
    **asked: object,
) -> None:
    """Takes effect with the next plan; who told it is kept."""
    project = face.project()
    names = [asked[name] for name in ("ruleset", "connection")]
    folder, connected = (name if isinstance(name, str) else None for name in names)
    where = project, project.ruleset_folder(folder), project.connection(connected)
    if listing:
        _list(face, where)
    elif remove is not None:
        _remove(face, where, remove)
    else:
        _note(face, where, lost, survivor)


def _note(face: Face, where: Where, lost: str | None, survivor: str | None) -> None:
    from crmsync.cli.run import person
    from crmsync.project.explained import merge_document
    from crmsync.project.merge_notes import note_merges, pairs_in

    if lost is not None and survivor is not None:
        pairs: tuple[tuple[str, str], ...] = ((lost, survivor),)
    elif lost is not None and Path(lost).is_file():
        pairs = pairs_in(Path(lost))
    else:
        raise UsageError(
            Text(
                zh="要写两个客户：消失的和保留的；或一个 CSV 文件",
                en="two customers are needed, the one that vanished and the one that stays; or a"
                " CSV file",
            ),
            mend=Text(
                zh="例如 crmsync merged 5725767000000001 5725767000000002",
                en="such as crmsync merged 5725767000000001 5725767000000002",
            ),
        )
    noted = note_merges(*where, pairs, by=person())
    if face.json:
        face.document("crmsync.merged/1", {"merges": [merge_document(item) for item in noted]})
    for item in noted:
        _told(face, item)
    face.talk("下一步： crmsync plan", "Next: crmsync plan")


def _told(face: Face, item: NotedMerge) -> None:
    lost, survivor = item.merge.lost.id, item.merge.survivor.id
    if item.fresh:
        face.talk(f"已登记：{lost} 并入 {survivor}。", f"Noted: {lost} went into {survivor}.")
    else:
        face.talk(f"{lost} 并入 {survivor} 早已登记。", f"{lost} into {survivor} was noted before.")
    if item.stands is not None and item.stands != item.merge.survivor:
        face.talk(
            f"{survivor} 自己也已并入别的客户，由 {item.stands.id} 接管。",
            f"{survivor} went into another itself: {item.stands.id} takes over.",
        )
    if item.still_there:
        face.talk(
            f"镜像里还有 {lost}：等 CRM 里没有它之后才会接管（crmsync pull）。",
            f"The mirror still holds {lost}: nothing goes over until the CRM no longer has it"
            " (crmsync pull).",
        )


def _remove(face: Face, where: Where, lost: str) -> None:
    from crmsync.cli.run import person
    from crmsync.project.explained import merge_document
    from crmsync.project.merge_notes import forget_merge
    from crmsync.project.merging import NotedMerge

    found = forget_merge(*where, lost, by=person())
    if face.json:
        document = {**merge_document(NotedMerge(found, None)), "removed": True}
        face.document("crmsync.merged/1", {"merges": [document]})
    face.talk(
        f"已取消：{found.lost.id} 并入 {found.survivor.id}。下一步： crmsync plan",
        f"Taken back: {found.lost.id} into {found.survivor.id}. Next: crmsync plan",
    )


def _list(face: Face, where: Where) -> None:
    from crmsync.project.explained import merge_document
    from crmsync.project.merge_notes import noted_merges

    project, _, connection = where
    found = noted_merges(project, connection)
    if face.json:
        face.document("crmsync.merged/1", {"merges": [merge_document(item) for item in found]})
        return
    if not found:
        face.talk("没有登记过合并。", "No merges are noted.")
        return
    head = say(
        "消失的客户|并入|由谁接管|谁登记|何时|接管的运行", "vanished|into|stands|who|when|runs"
    )
    for line in table([tuple(head.split("|")), *map(_row, found)], align="llllll"):
        click.echo(line)


def _row(item: NotedMerge) -> tuple[str, ...]:
    stands = "–" if item.stands is None else item.stands.id
    return (
        item.merge.lost.id,
        item.merge.survivor.id,
        stands,
        clean(item.merge.by),
        f"{item.merge.at:%Y-%m-%d}",
        ", ".join(map(str, item.runs)) or say("尚未", "not yet"),
    )
