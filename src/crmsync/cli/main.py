"""The entry point: finds the verb, imports only that verb, turns errors into exit codes."""

from __future__ import annotations

import importlib
import os
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import click

from crmsync import __version__
from crmsync.cli.face import Clock
from crmsync.cli.failure import nearest, report_bug, report_error, report_usage
from crmsync.cli.help_page import ChinesePage
from crmsync.cli.language import LANG, say
from crmsync.errors import CrmSyncError, ExitCode, UsageError
from crmsync.model.text import Lang, Text

# verb → (module, what it does): the one list of verbs, in the order people meet them.
VERBS: dict[str, tuple[str, str]] = {
    "init": ("start", say("新建项目", "make a project: crmsync.yaml, a ruleset, its cases")),
    "connect": (
        "connect",
        say(
            "登录 CRM，建立或列出写回字段", "sign in to a CRM, create or list the write-back fields"
        ),
    ),
    "doctor": (
        "doctor",
        say(
            "检查引擎、规则、存储、登录、字段、配额、计划任务",
            "check engine, rules, store, sign-in, fields, quota, schedule",
        ),
    ),
    "check": (
        "rules",
        say("检查规则、映射、用例文件", "check rule, mapping, table and case files"),
    ),
    "fmt": ("rules", say("整理规则文件；--from gbk 转码", "tidy rule files; --from gbk")),
    "test": (
        "cases",
        say(
            "运行用例；mutate、generate、capture",
            "run the cases; mutate, generate and capture make them better",
        ),
    ),
    "simulate": (
        "rules",
        say("在最近快照上比较规则改动的影响", "what an edit would change, on the last snapshot"),
    ),
    "calibrate": (
        "calibrate",
        say(
            "按人工标注提出等级线和权重",
            "propose tier lines and weights from customers people have judged",
        ),
    ),
    "pull": ("run", say("读取 CRM 到本地镜像", "read the CRM into the local mirror")),
    "plan": (
        "run",
        say(
            "评估并列出全部改动；不写入",
            "evaluate and show every change; writes nothing",
        ),
    ),
    "show": ("run", say("显示已保存的计划", "show a saved plan")),
    "apply": ("run", say("写入一份已保存的计划", "write a saved plan")),
    "approve": (
        "approve",
        say("批准一份计划，可设上限", "agree to a plan, up to figures; the rest is withheld"),
    ),
    "explain": (
        "why",
        say("某个客户为什么是现在的等级", "why a customer is what it is, and what would change it"),
    ),
    "runs": ("history", say("列出或查看运行记录", "list or show runs")),
    "undo": ("history", say("生成撤销某次运行的计划", "make a plan that takes a run back")),
    "report": ("history", say("输出一次运行的报告", "a run as Markdown, CSV or JSON")),
    "adopt": (
        "start",
        say("以 CRM 里现有的等级为起点", "take the tier field a company already has as the start"),
    ),
    "sync": ("run", say("夜间任务：读取 → 计划 → 写入", "the nightly job: pull → plan → apply")),
    "serve": ("operate", say("运行计划任务", "run the scheduled jobs")),
    "pause": ("operate", say("暂停写入", "stop writing to a connection")),
    "resume": ("operate", say("恢复写入", "write again after a pause or an undo")),
    "override": (
        "override",
        say("人工指定等级，有原因和期限", "set a tier by hand, with reason and end; list, remove"),
    ),
    "merged": (
        "merged",
        say("登记客户合并，按规则接管", "note that a customer was merged into another"),
    ),
    "review": (
        "operate",
        say("放行一次复评：允许降级", "release a review: demotions that wait for it may happen"),
    ),
    "backup": (
        "books",
        say("备份本地状态到一个核对过的文件", "copy the local state into one verified file"),
    ),
    "restore": ("books", say("放回一份备份", "put a backup of the local state back")),
    "purge": (
        "books",
        say(
            "从本地的一切记录里抹去一个客户",
            "remove one customer from everything kept on this machine",
        ),
    ),
    "sandbox": ("sandbox", say("启动练习用 CRM", "start a practice CRM on this machine")),
    "demo": (
        "operate",
        say("用练习 CRM 走完全程", "the whole job against the practice CRM, no account needed"),
    ),
    "connectors": ("start", say("列出已安装的连接器", "list the installed connectors")),
    "completion": ("operate", say("命令补全脚本", "shell completion: bash, zsh or fish")),
}


class ReaderGone(Exception):
    """Nobody reads the output any more, as in ``crmsync runs | head``: no failure of ours."""


@contextmanager
def _readers() -> Iterator[None]:
    # click turns a broken pipe into exit code 1, which is the code for findings here.
    try:
        yield
    except BrokenPipeError as gone:
        raise ReaderGone from gone


class Verbs(click.Group):
    """A group that imports a verb's module only when that verb runs."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401 - whatever click hands to its contexts
    ) -> click.Context:
        """As click does, but a reader that went away is told apart from a finding."""
        with _readers():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - a verb's own result
        """As click does, but a reader that went away is told apart from a finding."""
        with _readers():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every verb, in the order people meet them."""
        del ctx
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the verb's module and take the command of that name from it."""
        del ctx
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"crmsync.cli.{VERBS[cmd_name][0]}")
        command = getattr(module, f"{cmd_name}_command")
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The verbs with their short help, without importing any of them."""
        del ctx
        with formatter.section(say("命令", "Commands")):
            formatter.write_dl([(name, text) for name, (_, text) in VERBS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest verb when the one asked for does not exist."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            near = nearest(args[0], VERBS)
            raise UsageError(
                Text(zh=f"没有命令“{args[0]}”", en=f"there is no command “{args[0]}”"),
                mend=Text(zh=f"是不是“{near}”？", en=f"Did you mean “{near}”?")
                if near
                else Text.same("crmsync --help"),
            )
        return super().resolve_command(ctx, args)


@click.group(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help=say(
        "客户分级与生命周期即代码：规则在文件里，crmsync 读取 CRM、给出计划、按计划写入、"
        "解释每个决定，并可撤销任何一次运行。",
        "Customer tiers and lifecycle stages as code: rules live in files; crmsync reads the CRM,"
        " shows a plan, writes exactly that plan, explains every decision and can take any run"
        " back.",
    ),
    epilog=say("从这里开始： crmsync demo", "Start here: crmsync demo"),
)
@click.version_option(
    __version__,
    prog_name="crmsync",
    message="%(prog)s %(version)s",
    help=say("显示版本", "Show the version."),
)
def root() -> None:
    """The command itself; its verbs do the work."""


def _terminate(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise SystemExit(ExitCode.TERMINATED)


def main(clock: Clock | None = None) -> None:
    """Run the command line and leave with the documented exit code, never with a traceback.

    *clock* stands in for the machine's own; rehearsals and tests pass one.
    """
    signal.signal(signal.SIGTERM, _terminate)
    # A core file would hold every credential this process has read.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    if LANG is Lang.ZH:
        click.Context.formatter_class = ChinesePage
    try:
        code = root.main(prog_name="crmsync", standalone_mode=False, obj=clock)
    except click.exceptions.Exit as leaving:
        code = leaving.exit_code
    except click.Abort:
        click.echo(say("已中断。", "Interrupted."), err=True)
        code = ExitCode.INTERRUPTED
    except click.ClickException as wrong:
        code = report_usage(wrong, sys.argv[1:])
    except CrmSyncError as error:
        code = report_error(error, sys.argv[1:])
    except KeyboardInterrupt:
        click.echo(say("已中断。", "Interrupted."), err=True)
        code = ExitCode.INTERRUPTED
    except ReaderGone:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = ExitCode.DONE
    except Exception as bug:  # the last door: a report file instead of a traceback
        code = report_bug(bug, sys.argv[1:])
    sys.exit(int(code or 0))
