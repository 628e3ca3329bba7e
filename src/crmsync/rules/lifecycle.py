"""The lifecycle block: stages and every legal move between them."""

from __future__ import annotations

from crmsync.model.lifecycle import LifecycleRules, Move, Stage
from crmsync.model.text import Text
from crmsync.rules.language import Language
from crmsync.rules.shape import (
    Block,
    Findings,
    Seen,
    bilingual,
    identifier,
    items,
    scalar,
    words,
)
from crmsync.source import Mapping as MappingNode
from crmsync.source import Node, Scalar


class Stages:
    """Finds a stage by id or label."""

    def __init__(self, stages: tuple[Stage, ...]) -> None:
        self._by_name = {stage.id: stage for stage in stages}
        for stage in stages:
            for spelling in stage.label.all():
                self._by_name.setdefault(spelling, stage)

    def find(self, found: Scalar, findings: Findings) -> Stage | None:
        """The stage *found* names; an unknown one is a finding."""
        stage = self._by_name.get(found.text)
        if stage is None:
            findings.unknown(
                "RULE111",
                found.span,
                Text(zh=f"没有阶段“{found.text}”", en=f"there is no stage “{found.text}”"),
                found.text,
                self._by_name,
            )
        return stage


def read_stages(node: Node, language: Language) -> tuple[Stage, ...]:
    """The stages alone: conditions may name them before the moves are read."""
    inner = node.get("stages") if isinstance(node, MappingNode) else None
    if not isinstance(inner, MappingNode):
        return ()
    seen = Seen(language.findings)
    found = []
    for key, value in inner.entries:
        seen.add(identifier(key, language.findings), key.span)
        text = scalar(value, language.findings)
        label = (
            Text.same(key.text)
            if text is None
            else bilingual(text, language.languages, language.findings)
        )
        found.append(Stage(key.text, label, key.span))
    return tuple(found)


def read_lifecycle(
    node: Node, stages: tuple[Stage, ...], language: Language
) -> LifecycleRules | None:
    """Read the lifecycle block; *stages* come from `read_stages`."""
    findings = language.findings
    block = Block.of(node, findings)
    if block is None:
        return None
    names = Stages(stages)
    inner = block.need("stages")
    if inner is not None and not stages:
        findings.add(
            "RULE003",
            inner.span,
            Text(
                zh="阶段应写成“名称: 中文 | English”",
                en="stages are written as “name: 中文 | English”",
            ),
            Text(zh="例如 active: 活跃 | Active", en="Such as active: 活跃 | Active."),
        )
    start = block.scalar("start", required=True)
    begin = None if start is None else names.find(start, findings)
    moves: list[Move] = []
    seen = Seen(findings)
    for entry in items(block.take("moves"), findings):
        move = _move(entry, names, language, moves)
        if move is not None:
            seen.add(move.id, move.span)
            moves.append(move)
    block.finish()
    if begin is None:
        return None
    return LifecycleRules(start=begin.id, stages=stages, moves=tuple(moves), span=block.span)


def _move(node: Node, names: Stages, language: Language, before: list[Move]) -> Move | None:
    findings = language.findings
    block = Block.of(node, findings)
    if block is None:
        return None
    own = block.scalar("id")
    sources = [
        stage.id
        for item in words(block.need("from"), findings)
        if (stage := names.find(item, findings)) is not None
    ]
    target = block.scalar("to", required=True)
    stage = None if target is None else names.find(target, findings)
    when = block.need("when")
    condition = None if when is None else language.condition(when)
    lasting = language.days(block.scalar("lasting"))
    block.finish()
    if not sources or stage is None or condition is None or target is None:
        return None
    if stage.id in sources:
        findings.add(
            "RULE210",
            target.span,
            Text(
                zh=f"“{stage.id}”不能移到自己",
                en=f"“{stage.id}” cannot move to itself",
            ),
            Text(zh="写另一个阶段，或去掉这条移动", en="Name another stage, or drop the move."),
        )
    return Move(
        id=identifier(own, findings) if own is not None else _name(sources, stage.id, before),
        sources=tuple(dict.fromkeys(sources)),
        to=stage.id,
        when=condition,
        lasting=lasting or 0,
        span=block.span,
    )


def _name(sources: list[str], target: str, before: list[Move]) -> str:
    """``a,b>c``: says which edge it is and stays the same when moves change places."""
    plain = f"{','.join(sources)}>{target}"
    doubles = sum(1 for move in before if move.id == plain or move.id.startswith(f"{plain}#"))
    return plain if not doubles else f"{plain}#{doubles + 1}"
