"""The demo: a practice CRM with real retail customers, and every verb of a first day, in order.

Each step prints the command a reader would type and then runs exactly that command.
"""

from __future__ import annotations

import shlex
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from crmsync.cli.face import Face
from crmsync.cli.language import LANG, say
from crmsync.config.secrets import store_secret
from crmsync.connector import ConnectorSpec
from crmsync.errors import CrmSyncError, ExitCode
from crmsync.project.connecting import look
from crmsync.project.history import run_details
from crmsync.project.opening import open_project
from crmsync.project.practice import practice_data
from crmsync.testing import Sandbox

RULESET = "retail-rfm"


class Demo:
    """One run of the demo in a temporary folder."""

    def __init__(self, face: Face, spec: ConnectorSpec, *, customers: int, keep: bool) -> None:
        self._face = face
        self._spec = spec
        self._customers = customers
        self._keep = keep
        self._folder = Path(tempfile.mkdtemp(prefix="crmsync-demo-"))
        self._step = 0

    def run(self) -> int:
        """All steps; the last line is ``demo: ok``."""
        sandbox: Sandbox = self._spec.load("sandbox").for_practice()
        try:
            with sandbox:
                self._load(sandbox)
                self._first_day(sandbox)
        finally:
            if not self._keep:
                shutil.rmtree(self._folder, ignore_errors=True)
        if self._keep:
            click.echo(say(f"项目留在 {self._folder}", f"The project stays in {self._folder}"))
        click.echo("demo: ok")
        return ExitCode.DONE

    def _load(self, sandbox: Sandbox) -> None:
        customers, orders = practice_data(self._face.now().date(), self._customers)
        self._say(
            f"启动练习 CRM（{self._spec.title.zh}）并装入 {len(customers)} 个真实零售客户、"
            f"{len(orders)} 张发票",
            f"Start a practice CRM ({self._spec.title.en}) and load {len(customers)} real retail"
            f" customers with {len(orders)} invoices",
        )
        report = sandbox.load_over_http(customers, orders)
        click.echo(
            say(
                f"  {sandbox.url}   装入用了 {report.calls} 次请求",
                f"  {sandbox.url}   loaded in {report.calls} requests",
            )
        )

    def _first_day(self, sandbox: Sandbox) -> None:
        self._make_project(sandbox)
        self._do("检查规则文件", "Check the rule files", "check")
        self._do("运行用例", "Run the cases", "test")
        self._do("建立写回字段", "Create the write-back fields", "connect", "--yes")
        self._follow_worksheet(sandbox)
        self._do("读取 CRM", "Read the CRM", "pull")
        self._do("看计划：不写入任何东西", "See the plan; nothing is written", "plan", "--no-pull")
        self._do(
            "按计划写入（首次定级要明确同意）",
            "Write exactly that plan (first assignments need a yes of their own)",
            *("apply", "plan.json", "--yes", "--allow", "first_assignments=100%"),
            *("--allow", "records_changed=100%", "--allow", "new_tasks=100%"),
            *("--allow", "tasks_per_owner=100%"),
        )
        self._do("再做一次计划：应当为空", "Plan again: it is empty", "plan")
        moved = self._edit(sandbox)
        self._do("为什么是这个等级？", "Why this tier, and what would it take?", "explain", moved)
        self._do("查看运行记录", "Look at the runs", "runs")
        self._do(
            "撤销这次运行：先出计划", "Take the run back: a plan first", "undo", "1", "--show-kept"
        )
        self._do(
            "写入撤销计划",
            "Write the undo",
            *("apply", "undo-1.json", "--yes", "--allow", "records_changed=100%"),
        )

    def _follow_worksheet(self, sandbox: Sandbox) -> None:
        """Where the CRM lets only a person create fields, play that person."""
        project = open_project(self._folder, now=self._face.now)
        found = look(project, project.connection(None), project.ruleset_folder(None))
        if not found.missing:
            return
        self._say(
            f"管理员按清单在 CRM 里手工建好 {len(found.missing)} 个字段",
            f"The administrator creates those {len(found.missing)} fields by hand",
        )
        for object, field in found.missing:
            sandbox.make_fields_by_hand(object, [field])

    def _make_project(self, sandbox: Sandbox) -> None:
        settings = sandbox.connection_settings()
        keys = {name: value for name, value in settings.keys.items() if name != "connector"}
        self._do(
            "新建项目",
            "Make a project",
            *("init", "--crm", self._spec.name, "--ruleset", RULESET, "--connection", "practice"),
            *(word for name, value in keys.items() for word in ("--set", _setting(name, value))),
        )
        for name, value in settings.secrets.items():
            store_secret(self._folder / "var" / "secrets", name, value)

    def _edit(self, sandbox: Sandbox) -> str:
        """Somebody changes a tier by hand: undo must leave that alone and say so."""
        project = open_project(self._folder, now=self._face.now)
        details = run_details(project, 1)
        field = details.owned["tier"]
        rows = [op for op in details.ops if op.want.get(field) is not None]
        op = rows[0]
        other = next(row.want[field] for row in rows if row.want[field] != op.want[field])
        sandbox.edit_as_person(op.ref.object, op.ref.id, {field: other})
        self._say(
            f"有人在 CRM 里手工改了 {op.name} 的等级",
            f"Somebody changes the tier of {op.name} by hand in the CRM",
        )
        return op.ref.id

    def _say(self, zh: str, en: str) -> None:
        self._step += 1
        click.secho(f"\n{self._step}. {say(zh, en)}", bold=True)

    def _do(self, zh: str, en: str, *words: str) -> None:
        """Print the command, then run it as the command line would."""
        from crmsync.cli.main import root

        self._say(zh, en)
        click.secho(f"$ crmsync {shlex.join(words)}", fg="cyan")
        arguments = [words[0], "--project", str(self._folder), "--lang", LANG.value, *words[1:]]
        code = root.main(arguments, standalone_mode=False)
        if code not in {None, 0}:
            raise DemoFailed(words, int(code))


class DemoFailed(CrmSyncError):
    """A step of the demo ended with another exit code than 0."""

    code = "DEMO"

    def __init__(self, words: Sequence[str], code: int) -> None:
        from crmsync.model.text import Text

        super().__init__(
            Text(
                zh=f"crmsync {words[0]} 以退出码 {code} 结束",
                en=f"crmsync {words[0]} ended with exit code {code}",
            )
        )


def _setting(name: str, value: object) -> str:
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    return f"{name}={shown}"
