"""The lifecycle block, typed: a graph of stages and the moves between them."""

from __future__ import annotations

from dataclasses import dataclass, field

from crmsync.model.condition import Condition
from crmsync.model.position import NOWHERE, Span
from crmsync.model.text import Text


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the lifecycle."""

    id: str
    label: Text
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Move:
    """A legal edge. ``lasting``: days its condition must have held (0: at once)."""

    id: str
    sources: tuple[str, ...]
    to: str
    when: Condition
    lasting: int = 0
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class LifecycleRules:
    """The graph; for every customer the first move that fits is made."""

    start: str
    stages: tuple[Stage, ...]
    moves: tuple[Move, ...]
    span: Span = field(default=NOWHERE, compare=False)

    def stage(self, id: str) -> Stage:
        """The stage of that id; raises KeyError when there is none."""
        for stage in self.stages:
            if stage.id == id:
                return stage
        raise KeyError(id)
