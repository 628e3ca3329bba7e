"""What every verb shares: options, the two streams, JSON documents, questions, progress."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from crmsync.cli.language import LANG, say
from crmsync.errors import UsageError
from crmsync.model.text import Text

if TYPE_CHECKING:
    from rich.console import Console

    from crmsync.project.opening import Project

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Clock:
    """The time a command runs in: what it reads and how it waits."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Face:
    """One run's way of talking: stdout is data, stderr is talk."""

    folder: Path
    json: bool
    quiet: bool
    color: bool
    yes: bool
    today: date | None
    clock: Clock = field(default_factory=Clock)

    def now(self) -> datetime:
        """The moment protocol and expiry go by."""
        return self.clock.now()

    def project(self) -> Project:
        """The project this run is about; raises ConfigError with every problem in its settings."""
        from crmsync.connector.redaction import guard_log
        from crmsync.project.opening import open_project

        guard_log()
        return open_project(
            self.folder,
            now=self.now,
            today=self.today,
            sleep=self.clock.sleep,
            notice=lambda text: self.talk(f"… {text.zh}", f"… {text.en}"),
        )

    def day(self) -> date:
        """The day to evaluate as of, where no project says which zone's."""
        return self.today or self.now().date()

    def file(self, path: Path) -> Path:
        """A file somebody named: as given or, where nothing is there, inside the project."""
        inside = self.folder / path
        return inside if not path.exists() and inside.exists() else path

    @property
    def terminal(self) -> bool:
        """Whether a person is there to be asked."""
        # A daemon may have no standard input at all.
        asked = sys.stdin is not None and sys.stdin.isatty()
        return asked and sys.stderr.isatty() and not self.json

    def out(self) -> Console:
        """The console for results; on a pipe it is as wide as the text needs."""
        from rich.console import Console

        tty = sys.stdout.isatty()
        return Console(
            file=sys.stdout,
            no_color=not self.color,
            highlight=False,
            soft_wrap=True,
            width=None if tty else 200,
            force_terminal=True if "CLICOLOR_FORCE" in os.environ and self.color else None,
        )

    def err(self) -> Console:
        """The console for talk and progress."""
        from rich.console import Console

        return Console(file=sys.stderr, no_color=not self.color, highlight=False, soft_wrap=True)

    def talk(self, zh: str, en: str) -> None:
        """One line on stderr, unless the run is quiet."""
        if not self.quiet:
            click.echo(say(zh, en), err=True)

    def document(self, schema: str, body: Mapping[str, object]) -> None:
        """One JSON document on stdout; its first key names its schema."""
        click.echo(
            json.dumps({"schema": schema, **body}, ensure_ascii=False, default=_plain, indent=2)
        )

    def confirm(self, question: Text, *, flag: str) -> None:
        """Ask for a yes; where nobody can be asked, exit 2 and name the flag that answers."""
        if self.yes:
            return
        if not self.terminal:
            raise UsageError(
                Text(
                    zh=f"需要确认：{question.zh}",
                    en=f"this needs a yes: {question.en}",
                ),
                mend=Text(zh=f"加上 {flag}", en=f"answer it with {flag}"),
            )
        if not click.confirm(question.to(LANG), err=True):
            raise click.Abort

    @contextmanager
    def progress(self, title: Text) -> Iterator[Callable[[int, int | None], None]]:
        """A bar on a terminal; nothing but the final line elsewhere.

        Gives a callable ``(done, total)``; ``total`` may be ``None`` while it is unknown.
        """
        console = self.err()
        if not console.is_terminal or self.quiet or self.json:
            yield lambda done, total: None
            return
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
        )

        with Progress(
            TextColumn("  {task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        ) as bar:
            task = bar.add_task(title.to(LANG), total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)


def _plain(value: object) -> object:
    if isinstance(value, Text):
        return value.to(LANG)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)


def face_options(command: Command) -> Command:
    """Add the options every verb takes and hand the verb one `Face` as ``face``."""

    @wraps(command)
    def wrapped(**options: Any) -> Any:  # noqa: ANN401 - click passes the verb's own options
        face = Face(
            folder=Path(options.pop("project")).absolute(),
            json=options.pop("json"),
            quiet=options.pop("quiet"),
            color=not options.pop("no_color")
            and "NO_COLOR" not in os.environ
            and (sys.stdout.isatty() or "CLICOLOR_FORCE" in os.environ),
            yes=options.pop("yes"),
            today=options.pop("today"),
            clock=click.get_current_context().find_object(Clock) or Clock(),
        )
        options.pop("lang")
        return command(face=face, **options)

    for decorate in reversed(
        (
            click.option(
                "--project",
                default=".",
                metavar="DIR",
                type=click.Path(file_okay=False),
                help=say("项目文件夹", "project folder"),
            ),
            click.option("--lang", type=click.Choice(["zh", "en"]), help=say("语言", "language")),
            click.option("--json", is_flag=True, help=say("输出 JSON", "one JSON document")),
            click.option("-q", "--quiet", is_flag=True, help=say("少说话", "say less")),
            click.option("--yes", is_flag=True, help=say("不再询问", "answer questions with yes")),
            click.option("--no-color", is_flag=True, help=say("不用颜色", "no colour")),
            click.option(
                "--today",
                type=_Day(),
                metavar="DATE",
                help=say("按这一天评估", "evaluate as of this day"),
            ),
        )
    ):
        wrapped = decorate(wrapped)
    return wrapped  # type: ignore[return-value]


class _Day(click.ParamType[date, object]):
    name = "date"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> date:
        """Read a day written 2026-11-22."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(
                say(
                    f"“{value}”不是日期，写成 2026-11-22", f"“{value}” is no date; write 2026-11-22"
                ),
                param,
                ctx,
            )
