"""Segments: named groups a customer may be in several of, kept apart from the tier."""

from __future__ import annotations

from dataclasses import dataclass, field

from crmsync.model.condition import Condition
from crmsync.model.position import NOWHERE, Span
from crmsync.model.text import Text


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment: every customer for whom ``when`` holds is in it.

    ``when`` may read the tier, stage and score the decision comes to. A condition left unknown
    changes nothing: whoever was in the segment stays in it.
    """

    id: str
    label: Text
    when: Condition
    span: Span = field(default=NOWHERE, compare=False)
