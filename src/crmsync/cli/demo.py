"""The demo: a practice CRM with real retail customers, and every verb of a first day, in order.

Each step prints the command a reader would type and then runs exactly that command.
"""

from __future__ import annotations

import shlex
import shutil
import tempfile
from pathlib import Path

import click

from crmsync.cli.face import Face
from crmsync.cli.language import LANG, say
from crmsync.connector import ConnectorSpec
from crmsync.errors import CrmSyncError, ExitCode
from crmsync.model.text import Text
from crmsync.project.opening import Project, open_project
from crmsync.project.practice import PracticeCrm

RULESET = "retail-rfm"
EVERYBODY = ("first_assignments", "records_changed", "new_tasks", "tasks_per_owner")
"""Guards that a first run over everybody must be allowed to pass, each by its name."""


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
        try:
            with PracticeCrm(self._spec) as crm:
                self._load(crm)
                self._first_day(crm)
        finally:
            if not self._keep:
                shutil.rmtree(self._folder, ignore_errors=True)
        if self._keep:
            click.echo(say(f"项目留在 {self._folder}", f"The project stays in {self._folder}"))
        click.echo("demo: ok")
        return ExitCode.DONE

    def _load(self, crm: PracticeCrm) -> None:
        self._say(
            f"启动练习 CRM（{self._spec.title.zh}），经它的接口装入真实零售客户",
            f"Start a practice CRM ({self._spec.title.en}) and load real retail customers into it",
        )
        loaded = crm.load(self._face.now().date(), self._customers)
        click.echo(
            say(
                f"  {crm.url}   {loaded.customers} 个客户，{loaded.orders} 张发票，"
                f"{loaded.requests} 次请求",
                f"  {crm.url}   {loaded.customers} customers, {loaded.orders} invoices,"
                f" {loaded.requests} requests",
            )
        )

    def _first_day(self, crm: PracticeCrm) -> None:
        self._make_project(crm)
        self._do("检查规则文件", "Check the rule files", "check")
        self._do("运行用例", "Run the cases", "test")
        self._do("建立写回字段", "Create the write-back fields", "connect", "--yes")
        made = crm.follow_worksheet(self._project())
        if made:
            self._say(
                f"管理员按清单在 CRM 里手工建好 {made} 个字段",
                f"The administrator creates those {made} fields by hand",
            )
        self._do("读取 CRM", "Read the CRM", "pull")
        self._do("看计划：不写入任何东西", "See the plan; nothing is written", "plan", "--no-pull")
        self._do(
            "按计划写入（首次定级要明确同意）",
            "Write exactly that plan (first assignments need a consent of their own)",
            *("apply", "plan.json", "--yes"),
            *(word for guard in EVERYBODY for word in ("--allow", f"{guard}=100%")),
        )
        self._do("再做一次计划：应当为空", "Plan again: it is empty", "plan")
        id, name = crm.edit_a_tier(self._project(), 1)
        self._say(
            f"有人在 CRM 里手工改了 {name} 的等级",
            f"Somebody changes the tier of {name} by hand in the CRM",
        )
        self._do("为什么是这个等级？", "Why this tier, and what would it take?", "explain", id)
        self._do("查看运行记录", "Look at the runs", "runs")
        self._do(
            "撤销这次运行：先出计划",
            "Take the run back: a plan first",
            *("undo", "1", "--show-kept"),
        )
        self._do(
            "写入撤销计划：那个人的修改保留",
            "Write the undo: that person's edit stays",
            *("apply", "undo-1.json", "--yes", "--allow", "records_changed=100%"),
        )

    def _make_project(self, crm: PracticeCrm) -> None:
        self._do(
            "新建项目",
            "Make a project",
            *("init", "--crm", self._spec.name, "--ruleset", RULESET, "--connection", "practice"),
            *(word for name, value in crm.keys.items() for word in ("--set", _set(name, value))),
        )
        crm.give_secrets(self._folder)

    def _project(self) -> Project:
        return open_project(self._folder, now=self._face.now)

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
            raise CrmSyncError(
                Text(
                    zh=f"crmsync {words[0]} 以退出码 {int(code)} 结束",
                    en=f"crmsync {words[0]} ended with exit code {int(code)}",
                ),
                code="DEMO",
            )


def _set(name: str, value: object) -> str:
    return f"{name}={str(value).lower() if isinstance(value, bool) else value}"
