"""``connect``: sign in, show which fields the CRM lacks, create them after a yes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from crmsync.cli.face import Face, face_options
from crmsync.cli.language import LANG, say
from crmsync.errors import ExitCode
from crmsync.model.text import Text

if TYPE_CHECKING:
    from crmsync.model.schema import FieldSchema
    from crmsync.project.connecting import ConnectLook


@click.command(
    help=say(
        "登录 CRM，核对映射用到的字段；写回字段缺失时先列出，确认后建立（不能建的列出清单）。",
        "Sign in, check the fields the mapping uses; missing write-back fields are listed first and"
        " created after a yes (or printed as a worksheet where the CRM cannot create them).",
    )
)
@click.argument("connection", required=False)
@click.option("--ruleset", metavar="NAME", help=say("规则集", "ruleset"))
@click.option(
    "--facts",
    is_flag=True,
    help=say("连同指标来源字段一起建立", "also create the fields facts are read from, empty"),
)
@face_options
def connect_command(
    face: Face, connection: str | None, ruleset: str | None, facts: bool
) -> ExitCode:
    """Show what would be created, ask, create; exit 1 while a fact has no field to come from."""
    from crmsync.project.connecting import create_fields, look

    project = face.project()
    chosen, folder = project.connection(connection), project.ruleset_folder(ruleset)
    found = look(project, chosen, folder)
    made = 0
    if not face.json:
        _show(face, found, facts=facts)
    only_look = face.json and not face.yes
    creatable = found.missing or found.choices or (facts and found.sources)
    if creatable and found.worksheet is None and not only_look:
        where = found.organization.name
        face.confirm(
            Text(zh=f"在 {where} 建立以上字段？", en=f"Create these fields in {where}?"),
            flag="--yes",
        )
        made = create_fields(project, chosen, found, sources=facts)
        look(project, chosen, folder)
    lacking = bool(found.sources) and (found.worksheet is not None or not facts)
    if face.json:
        face.document("crmsync.connect/1", {**found.as_document(), "created": made})
    elif found.worksheet is None:
        _conclude(face, found, made, lacking=lacking, mapping=f"{folder.name}/mapping")
    return ExitCode.FINDINGS if lacking else ExitCode.DONE


def _show(face: Face, found: ConnectLook, *, facts: bool) -> None:
    where = found.organization
    face.talk(
        f"已登录 {where.name}（{where.environment}），身份 {where.user_name}",
        f"Signed in to {where.name} ({where.environment}) as {where.user_name}",
    )
    if found.worksheet is not None:
        click.echo(found.worksheet.to(LANG))
        return
    for object, field in found.missing:
        click.echo(f"  + {object}.{_field(field)}")
    for object, name, values in found.choices:
        click.echo(f"  ~ {object}.{name}  + {', '.join(values)}")
    for item in found.sources:
        click.echo(
            f"  {'+' if facts else '?'} {item.object}.{_field(item.field)}  → {item.fact.to(LANG)}"
        )


def _field(field: FieldSchema) -> str:
    values = f"  [{', '.join(choice.label for choice in field.choices)}]" if field.choices else ""
    return f"{field.name}  {field.label}  {field.type}{values}"


def _conclude(face: Face, found: ConnectLook, made: int, *, lacking: bool, mapping: str) -> None:
    if made:
        face.talk(f"已建立 {made} 个字段。", f"{made} fields created.")
    elif not lacking:
        face.talk("映射用到的字段齐全。", "Every field the mapping uses is there.")
    if not lacking:
        face.talk("下一步： crmsync pull && crmsync plan", "Next: crmsync pull && crmsync plan")
        return
    count = len(found.sources)
    click.echo(
        say(
            f"CRM 里没有 {count} 个指标的来源字段（上面标 ? 的）。",
            f"{count} fields that facts are read from are not in this CRM (marked ? above).",
        )
    )
    face.talk(
        f"企业已有同义字段的，把字段名写进 {mapping}；没有的，建空字段： crmsync connect --facts",
        f"Where the company keeps them under other names, write those into {mapping}; to make them,"
        " empty: crmsync connect --facts",
    )
