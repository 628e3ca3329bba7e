"""``serve``, ``pause``, ``resume``, ``review``, ``demo``, ``completion``."""

from __future__ import annotations

import click

from crmsync.cli.face import Face, face_options
from crmsync.cli.language import say
from crmsync.errors import UsageError
from crmsync.model.text import Text


@click.command(
    help=say(
        "运行 crmsync.yaml 里的计划任务，直到 Ctrl-C；漏掉的时段按 catch_up 补做并写明。",
        "Run the jobs of crmsync.yaml until Ctrl-C; missed slots follow catch_up and are named.",
    )
)
@click.option(
    "--once",
    is_flag=True,
    help=say("只处理到期的时段，退出码同任务", "only what is due now; exits as the job did"),
)
@face_options
def serve_command(face: Face, once: bool) -> int:
    """The scheduler; one line on stderr for every slot."""
    from crmsync.cli.failure import report_bug
    from crmsync.cli.run import stoppable
    from crmsync.schedule.ticker import Ticker

    project = face.project()
    if not project.config.jobs:
        raise UsageError(
            Text(zh="crmsync.yaml 里没有任务", en="crmsync.yaml holds no jobs"),
            mend=Text(
                zh="在 jobs 下写一个任务，见 README", en="write one below jobs; README shows how"
            ),
        )

    def tell(text: Text) -> None:
        stamp = face.now().astimezone().isoformat(timespec="seconds")
        face.talk(f"{stamp} {text.zh}", f"{stamp} {text.en}")

    ticker = Ticker(project, tell, on_bug=lambda bug: report_bug(bug, ["serve"]))
    with stoppable() as stop:
        if not once:
            ticker.run(stop)
            return stop.code
        ticker.tick(stop)
    return stop.code if stop.is_set() else ticker.exit


@click.command(
    help=say(
        "暂停一套规则在一个连接上的写入；sync 只做计划。",
        "Stop a ruleset from writing on a connection; sync only plans.",
    )
)
@click.option("--ruleset", metavar="NAME", help=say("规则集", "ruleset"))
@click.option("--connection", metavar="NAME", help=say("连接", "connection"))
@click.option("--reason", required=True, metavar="TEXT", help=say("原因", "why"))
@face_options
def pause_command(face: Face, ruleset: str | None, connection: str | None, reason: str) -> None:
    """In force until somebody resumes it."""
    from crmsync.cli.run import person
    from crmsync.project.operating import pause

    project = face.project()
    where = project.ruleset_folder(ruleset), project.connection(connection)
    pause(project, *where, by=person(), reason=reason)
    if face.json:
        face.document("crmsync.pause/1", {"paused": True})
    face.talk("已暂停。恢复： crmsync resume", "Paused. To go on: crmsync resume")


@click.command(help=say("恢复写入。", "Write again after a pause or an undo."))
@click.option("--ruleset", metavar="NAME", help=say("规则集", "ruleset"))
@click.option("--connection", metavar="NAME", help=say("连接", "connection"))
@face_options
def resume_command(face: Face, ruleset: str | None, connection: str | None) -> None:
    """Says whether there was a pause."""
    from crmsync.cli.run import person
    from crmsync.project.operating import resume

    project = face.project()
    where = project.ruleset_folder(ruleset), project.connection(connection)
    was_paused = resume(project, *where, by=person())
    if face.json:
        face.document("crmsync.pause/1", {"paused": False, "was_paused": was_paused})
    if was_paused:
        face.talk("已恢复。", "Resumed.")
    else:
        face.talk("本来就没有暂停。", "There was no pause.")


@click.command(
    help=say(
        "放行一次复评：今天起等待复评（when: at review）的降级可以发生。",
        "Release a review: demotions that wait for one (when: at review) may happen today.",
    )
)
@click.option("--ruleset", metavar="NAME", help=say("规则集", "ruleset"))
@click.option("--connection", metavar="NAME", help=say("连接", "connection"))
@click.option("--reason", metavar="TEXT", help=say("原因", "why"))
@face_options
def review_command(
    face: Face, ruleset: str | None, connection: str | None, reason: str | None
) -> None:
    """One release covers one local day."""
    from crmsync.cli.run import person
    from crmsync.project.operating import release_review

    project = face.project()
    where = project.ruleset_folder(ruleset), project.connection(connection)
    day = release_review(project, *where, by=person(), reason=reason)
    if face.json:
        face.document("crmsync.review/1", {"released": day})
    face.talk(
        f"已放行 {day} 的复评。下一步： crmsync plan",
        f"The review of {day} is released. Next: crmsync plan",
    )


@click.command(
    help=say(
        "用练习 CRM 走完全程：装入真实零售客户、检查、计划、写入、解释、撤销；不需要账号。",
        "The whole job against a practice CRM with real retail customers: check, plan, apply,"
        " explain, undo. Needs no account.",
    )
)
@click.option("--crm", metavar="NAME", help=say("连接器", "connector (default: the first)"))
@click.option("--keep", is_flag=True, help=say("保留项目文件夹", "keep the project folder"))
@click.option(
    "--customers", type=int, default=500, show_default=True, help=say("客户数", "how many")
)
@face_options
def demo_command(face: Face, crm: str | None, keep: bool, customers: int) -> int:
    """Ends with ``demo: ok``."""
    from crmsync.cli.demo import Demo
    from crmsync.connector import connector, connectors

    spec = connector(crm) if crm else connectors()[-1]
    return Demo(face, spec, customers=customers, keep=keep).run()


@click.command(help=say("打印补全脚本。", "Print a completion script."))
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@face_options
def completion_command(face: Face, shell: str) -> None:
    """For example: crmsync completion bash >> ~/.bashrc."""
    from click.shell_completion import get_completion_class

    from crmsync.cli.main import root

    del face
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(root, {}, "crmsync", "_CRMSYNC_COMPLETE").source())
