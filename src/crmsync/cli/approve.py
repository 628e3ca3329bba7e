"""``approve``: a person's yes to a plan, capped by figures."""

from __future__ import annotations

from pathlib import Path

import click

from crmsync.cli.face import Face, face_options
from crmsync.cli.language import say
from crmsync.cli.run import person


@click.command(
    help=say(
        "批准一份计划；--max 设上限，超出的部分由 apply 暂缓，其余照写。不写入 CRM。",
        "Agree to a plan; --max caps it: apply withholds what lies beyond and writes the rest."
        " Writes nothing to the CRM.",
    )
)
@click.argument("plan", type=click.Path(path_type=Path, dir_okay=False), default="plan.json")
@click.option(
    "--max",
    "ceilings",
    multiple=True,
    metavar="NAME=VALUE",
    help=say("上限，如 demotions=40 或 records_changed=20%", "a ceiling, such as demotions=40"),
)
@click.option("--reason", required=True, metavar="TEXT", help=say("原因", "why"))
@face_options
def approve_command(face: Face, plan: Path, ceilings: tuple[str, ...], reason: str) -> None:
    """Recorded with name, time and reason; the last approval of a plan counts."""
    from crmsync.model.plan import short_digest
    from crmsync.project.approving import approve

    project = face.project()
    plan = face.file(plan)
    made = approve(project, plan, ceilings=ceilings, reason=reason, by=person())
    if face.json:
        face.document("crmsync.approval/1", made.as_document())
        return
    short = short_digest(made.approval.digest)
    click.echo(
        say(
            f"已批准计划 {short}（{made.approval.by}）：写入 {made.written} 项，"
            f"超出上限暂缓 {made.withheld} 项。",
            f"Approved plan {short} ({made.approval.by}): {made.written} changes go,"
            f" {made.withheld} beyond the ceilings are withheld.",
        )
    )
    allow = "".join(f" --allow {guard.allow}" for guard in made.open_guards)
    command = f"crmsync apply {plan.name}{allow}"
    face.talk(f"尚未写入。写入：  {command}", f"Nothing is written yet. Write it:  {command}")
