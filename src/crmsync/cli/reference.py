"""The README's command reference, made from the commands themselves and the one list of exits.

``CRMSYNC_LANG=en python -m crmsync.cli.reference README.md`` writes it between the file's markers
(``make docs`` does so for both languages); a test compares the files with what is made here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from crmsync.cli.language import LANG, say
from crmsync.cli.main import VERBS, root
from crmsync.errors import ExitCode
from crmsync.model.text import Text

BEGIN, END = "<!-- verbs:begin -->", "<!-- verbs:end -->"
SHARED = ("project", "lang", "json", "quiet", "yes", "no_color", "today")
MEANINGS: dict[ExitCode, Text] = {
    ExitCode.DONE: Text(zh="完成，或没有要做的", en="done, or nothing to do"),
    ExitCode.FINDINGS: Text(
        zh="check、test 或 doctor 发现问题；或所需的文件有误",
        en="check, test or doctor found problems; or a file the verb needs is invalid",
    ),
    ExitCode.USAGE: Text(
        zh="用法不对；或有问题要问，却没有终端可问",
        en="wrong use; or a question that cannot be asked without a terminal",
    ),
    ExitCode.CHANGES: Text(
        zh="`plan --exit-code`：有改动", en="`plan --exit-code`: there are changes"
    ),
    ExitCode.SIGN_IN: Text(zh="登录、授权范围或权限不足", en="sign-in, scope or permission"),
    ExitCode.PLAN_REFUSED: Text(
        zh="计划被拒：来历不明、被改动、过期、账户或规则不同、缺少批准",
        en="plan refused: unknown, altered, stale, other account, other rules, approval missing",
    ),
    ExitCode.HELD_BACK: Text(
        zh="被变更上限拦下，或有记录暂缓写入", en="a guard stopped it, or rows were withheld"
    ),
    ExitCode.PARTIAL: Text(
        zh="部分写入：被拒、冲突或未确认的逐条列出；可续做",
        en="applied in part: rejected, conflicting or unconfirmed rows are listed; resumable",
    ),
    ExitCode.LOCKED: Text(zh="另一次运行正占用这个连接", en="another run holds the lock"),
    ExitCode.TRY_LATER: Text(
        zh="稍后再试：CRM 连不上、配额用完或超时；可续做",
        en="try later: CRM unreachable, quota, deadline; resumable",
    ),
    ExitCode.STORE: Text(
        zh="本地状态库不可用；什么都没有发出", en="state store unusable; nothing was sent"
    ),
    ExitCode.BUG: Text(
        zh="程序缺陷：给出报告文件名，不甩堆栈",
        en="a bug: a report file is named, never a bare traceback",
    ),
    ExitCode.INTERRUPTED: Text(zh="被 Ctrl-C 中断；可续做", en="interrupted by Ctrl-C; resumable"),
    ExitCode.TERMINATED: Text(zh="被终止（SIGTERM）；可续做", en="terminated (SIGTERM); resumable"),
}


def commands() -> dict[str, click.Command]:
    """Every verb with its command, in the order people meet them."""
    context = click.Context(root)
    found = {verb: root.get_command(context, verb) for verb in VERBS}
    return {verb: command for verb, command in found.items() if command is not None}


def section() -> str:
    """The whole reference as Markdown, in this run's language."""
    parts = [
        f"## {say('命令', 'Commands')}",
        say(
            "结果写到 stdout，说明写到 stderr；加 `--json` 输出一份文档，首键是 `schema`。"
            "只有 `apply` 和 `sync` 会写客户记录；只有 `connect` 会建字段，并且先列出、再确认。",
            "Results go to stdout, talk to stderr; `--json` prints one document whose first key is"
            " `schema`. Only `apply` and `sync` write records; only `connect` creates fields, shown"
            " and confirmed first.",
        ),
        _table(
            (say("命令", "command"), say("作用", "what it does"), say("选项", "options")), _verbs()
        ),
        say("每个命令都有的选项：", "Options of every command:"),
        _table((say("选项", "option"), say("含义", "meaning")), _shared()),
        f"### {say('退出码', 'Exit codes')}",
        _table((say("码", "code"), say("含义", "meaning")), _exits()),
    ]
    return "\n\n".join(parts)


def _verbs() -> Iterator[tuple[str, ...]]:
    for verb, command in commands().items():
        context = click.Context(command)
        words = [verb]
        flags = []
        for parameter in command.params:
            if isinstance(parameter, click.Argument):
                words.append(parameter.make_metavar(context))
            elif parameter.name not in SHARED:
                flags.append(f"`{max(parameter.opts, key=len)}`")
        yield f"`{' '.join(words)}`", VERBS[verb][1], " ".join(flags)


def _shared() -> Iterator[tuple[str, ...]]:
    first = next(iter(commands().values()))
    for parameter in first.params:
        if isinstance(parameter, click.Option) and parameter.name in SHARED:
            spellings = ", ".join(f"`{word}`" for word in parameter.opts)
            yield spellings, parameter.help or ""


def _exits() -> Iterator[tuple[str, ...]]:
    for code in ExitCode:
        yield str(int(code)), MEANINGS[code].to(LANG)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in lines
    )


def renewed(text: str) -> str:
    """*text* with the reference between its markers; raises ValueError where there are none."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no {BEGIN} … {END} in this file")
    return f"{before}{BEGIN}\n{section()}\n{END}{after}"


def main(paths: Iterable[str]) -> None:
    """Write the reference into each file."""
    for path in map(Path, paths):
        path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
