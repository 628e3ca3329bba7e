"""``explain``: why a customer is what it is, why not more, and what it would take."""

from __future__ import annotations

import click

from crmsync.cli.face import Face, face_options
from crmsync.cli.language import LANG, say


@click.command(
    help=say(
        "解释一个客户：事实、得分、条件、等待中的变化，以及还差多少。",
        "Explain one customer: facts, points, conditions, what waits, and what it would take.",
    )
)
@click.argument("record")
@click.option("--ruleset", metavar="NAME", help=say("规则集", "ruleset"))
@click.option("--connection", metavar="NAME", help=say("连接", "connection"))
@click.option("--run", type=int, metavar="RUN", help=say("当时的决定", "as decided in that run"))
@click.option(
    "--why-not",
    "wanted",
    metavar="NAME",
    help=say(
        "为什么不是这个等级、阶段或任务", "why it is not in this tier or stage, or has no such task"
    ),
)
@click.option("--all", "full", is_flag=True, help=say("列出全部条件", "every condition"))
@face_options
def explain_command(
    face: Face,
    record: str,
    ruleset: str | None,
    connection: str | None,
    run: int | None,
    wanted: str | None,
    full: bool,
) -> None:
    """By record id, or by the customer's name when only one has it."""
    from crmsync.cli.layout import clean
    from crmsync.cli.why_view import explanation
    from crmsync.project.explaining import explain_record
    from crmsync.project.why_not import why_not

    project = face.project()
    found = explain_record(
        project,
        project.ruleset_folder(ruleset),
        project.connection(connection),
        record,
        run=run,
    )
    against = () if wanted is None else why_not(found, wanted)
    if face.json:
        more = {} if wanted is None else {"why_not": {"name": wanted, "reasons": list(against)}}
        face.document("crmsync.explain/1", {**found.as_document(), **more})
        return
    if wanted is not None:
        click.echo(say(f"为什么不是 {wanted}？", f"Why not {wanted}?"))
        for reason in against:
            click.echo(f"  {clean(reason.to(LANG))}")
        return
    for line in explanation(found, full=full):
        click.echo(line)
