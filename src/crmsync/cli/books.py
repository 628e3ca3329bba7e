"""``backup``, ``restore``, ``purge``: our own books, kept safe, put back, cleared of a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import click

from crmsync.cli.face import Face, face_options
from crmsync.cli.language import say
from crmsync.model.text import Text


@click.command(
    help=say(
        "把本地状态（运行、流水、客户状态、审计）备份到一个文件：用数据库的备份接口，核对后才算"
        "完成，权限 0600；运行中也可以做。本地镜像不在其中，可以重新读取。签名密钥 var/plan.key"
        "和各连接的密钥也不在其中，请另存。",
        "Copy the local state (runs, journal, customer state, audit) into one file through the"
        " database's backup interface, verified, mode 0600, also while crmsync is at work. The"
        " mirror is not in it: it can be pulled again. Neither are the key var/plan.key and the"
        " secrets: keep those elsewhere.",
    )
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help=say("备份文件", "backup file"),
)
@face_options
def backup_command(face: Face, out: Path | None) -> None:
    """Without a name it goes to var/backups, where only the newest stay."""
    from crmsync.cli.run import person
    from crmsync.project.keeping import make_backup

    made = make_backup(face.project(), out, by=person())
    if face.json:
        face.document("crmsync.backup/1", made.as_document())
        return
    rows = sum(made.manifest.rows.values())
    click.echo(
        say(
            f"已备份：{made.file}（{rows} 行，SHA-256 {made.manifest.sha256[:12]}…，已核对）",
            f"Backed up: {made.file} ({rows} rows, SHA-256 {made.manifest.sha256[:12]}…, verified)",
        )
    )
    for path in made.dropped:
        face.talk(f"删去旧备份 {path.name}", f"Dropped the old backup {path.name}")


@click.command(
    help=say(
        "放回一份备份。现在的状态先另存一份。放回之后所有规则集暂停写入，直到有人看过；之后创建"
        "任务前都会先在 CRM 里查找，以免重复。",
        "Put a backup back. The present state is kept aside first. Every ruleset pauses until"
        " somebody has looked, and from then on tasks are looked up in the CRM before they are"
        " created, so that none is made twice.",
    )
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@face_options
def restore_command(face: Face, file: Path) -> None:
    """Nothing changes unless the backup proves good."""
    from crmsync.cli.run import person
    from crmsync.project.keeping import restore

    project = face.project()
    question = Text(
        zh=f"用 {file.name} 替换现在的本地状态？", en=f"replace the local state by {file.name}?"
    )
    face.confirm(question, flag="--yes")
    done = restore(project, file, by=person())
    if face.json:
        face.document("crmsync.restore/1", done.as_document())
        return
    click.echo(
        say(f"已放回 {done.manifest.made_at} 的备份", f"Put back as of {done.manifest.made_at}")
    )
    if done.aside is not None:
        click.echo(say(f"原来的状态：{done.aside}", f"The state before: {done.aside}"))
    face.talk(
        "下一步： crmsync plan，看过之后 crmsync apply 或 crmsync resume",
        "Next: crmsync plan; when you have looked, crmsync apply or crmsync resume",
    )


@click.command(
    help=say(
        "从本机保存的一切里抹去一条记录：状态、流水、决定、镜像（连同指向它的记录）、计划文件、"
        "备份。CRM 里的记录不动；CRM 里还在的话，下次读取会带回来。",
        "Remove one record from everything kept here: state, journal, decisions, mirror (with the"
        " records that point to it), plan files, backups. The CRM's own record is not touched;"
        " while it is there, the next pull brings it back.",
    )
)
@click.argument("record")
@click.option("--connection", metavar="NAME", help=say("连接", "connection"))
@click.option("--ruleset", metavar="NAME", help=say("规则集", "ruleset"))
@click.option(
    "--object",
    "object_",
    metavar="NAME",
    help=say("CRM 对象，如联系人", "the CRM's object, for a record that is no customer"),
)
@face_options
def purge_command(
    face: Face,
    record: str,
    connection: str | None,
    ruleset: str | None,
    object_: str | None,
) -> None:
    """By record id, or by a customer's whole name."""
    from crmsync.cli.run import person
    from crmsync.project.purging import find_doomed, purge_record

    project = face.project()
    where = project.connection(connection)
    ref = find_doomed(project, project.ruleset_folder(ruleset), where, record, object_)
    question = Text(
        zh=f"从本机抹去 {ref}？不能撤销，含备份",
        en=f"remove {ref} from this machine, backups included? It cannot be undone",
    )
    face.confirm(question, flag="--yes")
    report = purge_record(project, where, ref, by=person())
    if face.json:
        face.document("crmsync.purge/1", report.as_document())
        return
    click.echo(say(f"已抹去 {ref}", f"Removed {ref}"))
    _counts(report.rows, report.mirrored)
    _listed(say("删除的计划文件", "plan files deleted"), report.plans)
    _listed(say("改写的备份", "backups rewritten"), report.backups)
    _listed(say("编号仍出现在", "the id still stands in"), report.left)
    face.talk(
        "CRM 里的记录没有动；别处的计划文件、备份副本和日志请自行处理。",
        "The CRM's record was not touched. Plan files, backup copies and logs kept elsewhere are"
        " yours to remove.",
    )


def _counts(rows: Mapping[str, int], mirrored: int) -> None:
    told = ", ".join(f"{name} {count}" for name, count in rows.items() if count)
    click.echo(say(f"  状态库：{told or '无'}", f"  state: {told or 'nothing'}"))
    click.echo(say(f"  镜像：{mirrored} 条记录", f"  mirror: {mirrored} records"))


def _listed(title: str, items: Iterable[object]) -> None:
    for item in items:
        click.echo(f"  {title}{say('：', ': ')}{item}")
