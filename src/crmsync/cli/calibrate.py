"""``calibrate``: tier lines and weights proposed from customers whose right tier people know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crmsync.cli.face import Face, face_options
from crmsync.cli.language import LANG, say

if TYPE_CHECKING:
    from crmsync.project.calibrating import Calibration, Disagreement


@click.command(
    help=say(
        "按人工标注的等级（CSV 或 XLSX，两列 record,tier，30 到 100 个客户）"
        "提出等级线和评分项权重。不加 --write 不改任何文件。",
        "Propose tier lines and criterion weights from customers marked with their right tier (CSV"
        " or XLSX, columns record,tier, 30 to 100 of them). Nothing is changed without --write.",
    )
)
@click.argument("labels", type=click.Path(path_type=Path))
@click.option("--ruleset", metavar="NAME", help=say("规则集", "ruleset"))
@click.option("--connection", metavar="NAME", help=say("连接", "connection"))
@click.option(
    "--lines",
    type=click.IntRange(0, 50),
    default=15,
    show_default=True,
    metavar="POINTS",
    help=say("等级线最多移动多少分", "how far a tier line may move"),
)
@click.option(
    "--weights",
    type=click.IntRange(0, 90),
    default=50,
    show_default=True,
    metavar="PERCENT",
    help=say("评分项满分最多变动百分之几", "how far a criterion's most points may move"),
)
@click.option("--write", is_flag=True, help=say("写进 rules.yaml", "write it into rules.yaml"))
@face_options
def calibrate_command(
    face: Face,
    labels: Path,
    ruleset: str | None,
    connection: str | None,
    lines: int,
    weights: int,
    write: bool,
) -> None:
    """The same labels give the same proposal."""
    from crmsync.project.calibrating import CalibrateAsk, calibrate
    from crmsync.project.calibrating import write as put

    project = face.project()
    ask = CalibrateAsk(
        project.ruleset_folder(ruleset),
        project.connection(connection),
        labels,
        lines,
        Decimal(weights) / 100,
    )
    made = calibrate(project, ask)
    if write and made.changes:
        put(ask, made)
    if face.json:
        face.document("crmsync.calibrate/1", {**made.as_document(), "written": write})
        return
    for line in _page(made):
        click.echo(line)
    if made.changes:
        face.talk(*(_written() if write else _next(labels)))


def _page(made: Calibration) -> Iterator[str]:
    yield say(
        f"{made.ruleset.id}：{made.labels} 个标注的客户，其中 {made.used} 个由分数线决定",
        f"{made.ruleset.id}: {made.labels} labelled customers, {made.used} of them placed by"
        " the lines",
    )
    parts = say(f"{made.parts} 组轮流", f"{made.parts} parts in turn")
    yield say(
        f"一致：现在 {made.before}，提议后 {made.after}；"
        f"留出检验 {made.held}/{made.used}（{parts}）",
        f"agree: {made.before} now, {made.after} as proposed; held out {made.held} of"
        f" {made.used} ({parts})",
    )
    if not made.changes:
        yield say("没有更好的等级线和权重", "no lines and weights agree better")
    yield from (f"  ± {item.to(LANG)}" for item in (*made.changes, *made.fixed))
    yield from _rows(say("分数线不能改变的：", "not for lines to move:"), made.set_apart)
    yield from _rows(say("仍不一致的：", "still disagree:"), made.disagreements)


def _rows(title: str, items: Iterable[Disagreement]) -> Iterator[str]:
    from crmsync.cli.layout import clean

    for number, item in enumerate(items):
        if not number:
            yield title
        score = "–" if item.score is None else str(item.score)
        yield (
            f"  {clean(item.name)}  {item.id}  "
            + say(
                f"标注 {item.label}，规则 {item.tier}，{score} 分：{item.why.zh}",
                f"labelled {item.label}, rules say {item.tier}, score {score}: {item.why.en}",
            )
        )


def _written() -> tuple[str, str]:
    return (
        "已写入 rules.yaml。接着：crmsync check && crmsync test && crmsync simulate",
        "written into rules.yaml. Next: crmsync check && crmsync test && crmsync simulate",
    )


def _next(labels: Path) -> tuple[str, str]:
    return (
        f"没有改动任何文件。采用：crmsync calibrate {labels} --write",
        f"no file was changed. To take it: crmsync calibrate {labels} --write",
    )
