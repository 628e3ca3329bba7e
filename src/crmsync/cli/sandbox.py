"""``sandbox``: a practice CRM with real customers in it, and the commands that reach it."""

from __future__ import annotations

import re
import shlex
import threading
from typing import TYPE_CHECKING

import click

from crmsync.cli.face import Face, face_options
from crmsync.cli.language import say
from crmsync.errors import UsageError
from crmsync.model.text import Text

if TYPE_CHECKING:
    from crmsync.project.practice import PracticeCrm

RULESET = "retail-rfm"
"""The ready rules that fit the customers the practice CRM comes with."""


@click.command(
    help=say(
        "在本机启动一个练习用 CRM（127.0.0.1），装入真实零售客户，按文档模仿真实的限制与毛病。",
        "Start a practice CRM on 127.0.0.1 with real retail customers in it; it has the real one's"
        " documented limits and habits. Ends with Ctrl-C; nothing is kept.",
    )
)
@click.argument("crm")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help=say("端口，0 为任选", "port; 0 picks one"),
)
@click.option(
    "--customers",
    type=click.IntRange(0),
    default=500,
    show_default=True,
    help=say("装入多少客户", "how many customers to load"),
)
@click.option(
    "--fields",
    metavar="RULESET",
    help=say(
        "代管理员手工建好这套现成规则的字段（接口不能建字段的 CRM）",
        "play the administrator: make by hand the fields of this ready ruleset, where the CRM's API"
        " cannot",
    ),
)
@face_options
def sandbox_command(face: Face, crm: str, port: int, customers: int, fields: str | None) -> None:
    """Serves until interrupted; prints how a project reaches it."""
    from crmsync.connector import connector
    from crmsync.project.practice import PracticeCrm

    spec = connector(crm)
    if spec.sandbox is None:
        raise UsageError(
            Text(zh=f"{crm} 没有练习 CRM", en=f"{crm} comes without a practice CRM"),
            mend=Text(zh="见 crmsync connectors", en="see crmsync connectors"),
        )
    with PracticeCrm(spec, port) as practice:
        loaded = practice.load(face.now().date(), customers)
        made = practice.make_fields(fields, face.now) if fields else 0
        if face.json:
            face.document(
                "crmsync.sandbox/1",
                {
                    "url": practice.url,
                    "connection": {"connector": crm, **practice.keys},
                    "secrets": dict(practice.secrets),
                    "customers": loaded.customers,
                    "orders": loaded.orders,
                    "fields": made,
                },
            )
        else:
            face.talk(
                f"练习 CRM： {practice.url}   {loaded.customers} 个客户，{loaded.orders} 张发票"
                "   Ctrl-C 停止",
                f"Practice CRM: {practice.url}   {loaded.customers} customers, {loaded.orders}"
                " invoices   Ctrl-C stops it",
            )
            face.talk(
                "在另一个终端里，到一个空文件夹中运行：",
                "In another terminal, in an empty folder:",
            )
            for line in _commands(crm, fields or RULESET, practice):
                click.echo(line)
        threading.Event().wait()


def _commands(crm: str, ruleset: str, practice: PracticeCrm) -> list[str]:
    """What to type to work on it; the secrets are invented and die with it."""
    words = ["crmsync", "init", "--crm", crm, "--ruleset", ruleset, "--connection", "practice"]
    for key, value in practice.keys.items():
        shown = str(value).lower() if isinstance(value, bool) else str(value)
        words += ["--set", f"{key}={shown}"]
    secrets = [
        f"export CRMSYNC_SECRET_{re.sub('[^A-Za-z0-9]', '_', name).upper()}={shlex.quote(value)}"
        for name, value in practice.secrets.items()
    ]
    return [shlex.join(words), *secrets, "crmsync connect && crmsync plan"]
