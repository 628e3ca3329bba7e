"""``explain``: why a customer is what it is, why not more, and what it would take."""

from __future__ import annotations

import click

from crmsync.cli.face import Face, face_options
from crmsync.cli.language import say


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
@click.option("--all", "full", is_flag=True, help=say("列出全部条件", "every condition"))
@face_options
def explain_command(
    face: Face,
    record: str,
    ruleset: str | None,
    connection: str | None,
    run: int | None,
    full: bool,
) -> None:
    """By record id, or by the customer's name when only one has it."""
    from crmsync.cli.why_view import explanation
    from crmsync.project.explaining import explain_record

    project = face.project()
    found = explain_record(
        project,
        project.ruleset_folder(ruleset),
        project.connection(connection),
        record,
        run=run,
    )
    if face.json:
        face.document("crmsync.explain/1", found.as_document())
        return
    for line in explanation(found, full=full):
        click.echo(line)
