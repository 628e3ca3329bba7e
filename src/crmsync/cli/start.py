"""``init``, ``adopt``, ``connectors``: a project, its starting state, what it can talk to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from crmsync.cli.face import Face, face_options
from crmsync.cli.language import LANG, say
from crmsync.errors import UsageError
from crmsync.model.text import Lang, Text

if TYPE_CHECKING:
    from crmsync.project.starting import SettingToFill


@click.command(
    help=say(
        "在文件夹里新建项目：crmsync.yaml、一套现成规则、映射与签名密钥。",
        "Make a project in a folder: crmsync.yaml, a ready ruleset, its mapping, a signing key.",
    )
)
@click.option("--crm", metavar="NAME", help=say("连接器", "connector (see crmsync connectors)"))
@click.option("--ruleset", metavar="NAME", help=say("现成规则集", "ready ruleset"))
@click.option("--connection", metavar="NAME", help=say("连接名", "what to call the connection"))
@click.option("--time-zone", metavar="ZONE", help=say("时区", "IANA time zone of the nightly job"))
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help=say("连接器自己的设置", "one of the connector's own settings"),
)
@face_options
def init_command(
    face: Face,
    crm: str | None,
    ruleset: str | None,
    connection: str | None,
    time_zone: str | None,
    settings: tuple[str, ...],
) -> None:
    """Ask what was not given, write the project, name the next command."""
    from crmsync.connector import connector, connectors
    from crmsync.project.shipped import shipped_rulesets
    from crmsync.project.starting import NewProject, settings_to_fill, start

    names = [spec.name for spec in connectors()]
    chosen = crm or _ask(face, say("哪个 CRM", "Which CRM"), names, "--crm")
    rules = ruleset or _ask(
        face, say("用哪套规则开始", "Which rules to start from"), shipped_rulesets(), "--ruleset"
    )
    spec = connector(chosen)
    given = dict(_setting(item) for item in settings)
    asked = settings_to_fill(spec)
    keys = _filled(face, asked, given) | {key: _typed(value) for key, value in given.items()}
    files = start(
        NewProject(
            folder=face.folder,
            spec=spec,
            ruleset=rules,
            connection=connection or chosen,
            language=LANG.value,
            time_zone=time_zone or ("Asia/Shanghai" if LANG is Lang.ZH else "UTC"),
            keys=keys,
        )
    )
    if face.json:
        face.document("crmsync.init/1", {"files": [str(path) for path in files]})
        return
    for path in files:
        click.echo(f"  + {path.relative_to(face.folder)}")
    _what_next(face, keys)


def _filled(
    face: Face, asked: tuple[SettingToFill, ...], given: Mapping[str, str]
) -> dict[str, object]:
    """Every setting as it goes into the file; on a terminal a person is asked for what is open."""
    keys: dict[str, object] = {}
    for setting in asked:
        keys[setting.name] = setting.start
        if setting.is_secret or given or face.yes or not face.terminal:
            continue
        words = click.Choice(list(setting.choices)) if setting.choices else None
        keys[setting.name] = click.prompt(setting.name, default=setting.start, type=words, err=True)
    return keys


def _what_next(face: Face, keys: Mapping[str, object]) -> None:
    from crmsync.project.starting import SECRET, is_placeholder

    still = [name for name, value in keys.items() if is_placeholder(value)]
    hidden = [str(value).removeprefix(SECRET) for value in keys.values() if _is_reference(value)]
    if still:
        names = ", ".join(still)
        face.talk(f"请在 crmsync.yaml 里填写：{names}", f"Fill in, in crmsync.yaml: {names}")
    for name in hidden:
        variable = "CRMSYNC_SECRET_" + "".join(c if c.isalnum() else "_" for c in name).upper()
        face.talk(
            f"密钥 {name}：放进环境变量 {variable}，或文件 var/secrets/{name}（0600）",
            f"Secret {name}: put it into the environment as {variable}, or into var/secrets/{name}"
            " (mode 0600)",
        )
    face.talk("下一步： crmsync check && crmsync connect", "Next: crmsync check && crmsync connect")


def _is_reference(value: object) -> bool:
    from crmsync.project.starting import SECRET

    return isinstance(value, str) and value.startswith(SECRET)


def _ask(face: Face, question: str, options: list[str] | tuple[str, ...], flag: str) -> str:
    if not face.terminal:
        listed = ", ".join(options)
        raise UsageError(
            Text(zh=f"没有指明 {flag}", en=f"{flag} was not given"),
            mend=Text(zh=f"可选：{listed}", en=f"one of: {listed}"),
        )
    answer: str = click.prompt(question, type=click.Choice(list(options)), err=True)
    return answer


def _setting(written: str) -> tuple[str, str]:
    key, equals, value = written.partition("=")
    if not equals or not key:
        raise UsageError(
            Text(zh=f"看不懂 --set {written}", en=f"cannot read --set {written}"),
            mend=Text(zh="写成 --set 键=值", en="write --set KEY=VALUE"),
        )
    return key, value


def _typed(value: str) -> str | int | bool:
    """A setting as YAML would read it: true, false, whole numbers, else text."""
    if value in {"true", "false"}:
        return value == "true"
    return int(value) if value.isdecimal() and not value.startswith("0") else value


@click.command(
    help=say(
        "以 CRM 里现有的等级字段为起点：不设保级期、不建任务，并报告与规则的一致程度。",
        "Take the tier field a company already has as the state before: no hold, no tasks; reports"
        " how far the rules agree with it.",
    )
)
@click.option("--field", required=True, metavar="NAME", help=say("现有等级字段", "the tier field"))
@click.option(
    "--value",
    "values",
    multiple=True,
    metavar="STORED=TIER",
    help=say("字段值对应的等级", "which tier a stored value means"),
)
@click.option("--ruleset", metavar="NAME", help=say("规则集", "ruleset"))
@click.option("--connection", metavar="NAME", help=say("连接", "connection"))
@face_options
def adopt_command(
    face: Face,
    field: str,
    values: tuple[str, ...],
    ruleset: str | None,
    connection: str | None,
) -> None:
    """Place every customer by the existing field; nothing is written to the CRM."""
    from crmsync.cli.layout import table
    from crmsync.project.adopting import adopt

    project = face.project()
    with face.progress(Text(zh="读取", en="reading")) as progress:
        report = adopt(
            project,
            project.ruleset_folder(ruleset),
            project.connection(connection),
            field=field,
            values=dict(_setting(item) for item in values),
            progress=progress,
        )
    if face.json:
        face.document("crmsync.adopt/1", report.as_document())
        return
    rows = [(say("现有等级", "now"), say("规则认为", "by the rules"), say("客户数", "customers"))]
    rows += [(before, after, str(count)) for (before, after), count in report.matrix.items()]
    for line in table(rows, align="llr"):
        click.echo(f"  {line}")
    for stored, count in report.unread.items():
        click.echo(
            say(
                f"  ! {count} 个客户的值“{stored}”不对应任何等级，未采用",
                f"  ! {count} customers hold “{stored}”, which is no tier: not adopted",
            )
        )
    click.echo(
        say(
            f"采用 {report.adopted} 个客户的现有等级；{report.agree} 个与规则一致，"
            f"{report.adopted - report.agree} 个不一致。CRM 未写入。",
            f"{report.adopted} customers adopted as they stand; {report.agree} agree with the"
            f" rules, {report.adopted - report.agree} do not. Nothing was written to the CRM.",
        )
    )


@click.command(help=say("列出已安装的连接器。", "List the installed connectors."))
@face_options
def connectors_command(face: Face) -> None:
    """Name, title and whether a practice CRM comes with it."""
    from crmsync.cli.layout import table
    from crmsync.connector import connectors

    specs = connectors()
    if face.json:
        face.document(
            "crmsync.connectors/1",
            {
                "connectors": [
                    {"name": spec.name, "title": spec.title, "sandbox": spec.sandbox is not None}
                    for spec in specs
                ]
            },
        )
        return
    rows = [
        (
            spec.name,
            spec.title.to(LANG),
            say("有练习 CRM", "with a practice CRM") if spec.sandbox else "",
        )
        for spec in specs
    ]
    for line in table(rows, align="lll"):
        click.echo(line)
