"""The rfm block, typed: what recency, frequency and monetary value are, and how they are cut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from crmsync.model.condition import Condition
from crmsync.model.frozen import Freeze
from crmsync.model.position import NOWHERE, Span
from crmsync.model.text import Text

MAX_CLASSES = 9
"""A class is one digit of ``rfm_code``."""


class Part(StrEnum):
    """The three values of the model, in the order of the code's digits."""

    RECENCY = "recency"
    FREQUENCY = "frequency"
    MONETARY = "monetary"

    @property
    def fact(self) -> str:
        """The fact that holds the class of this value."""
        return f"rfm_{self.value[0]}"


RFM_CODE, RFM_SEGMENT = "rfm_code", "rfm_segment"
CutPoints = Mapping[Part, tuple[Decimal, ...]]
"""Rising cut points. Recency counts days: at most the first is the best class. The other two: at
least the last (more than it, where the points are drawn from the population) is the best class.
Classes count from 1, the worst."""


@dataclass(frozen=True, slots=True)
class RfmSegment:
    """A named segment; the first whose condition on the classes holds is the customer's.

    ``None``: everybody no segment before took in.
    """

    id: str
    label: Text
    when: Condition | None = None
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class RfmRules:
    """Which facts the model reads and where it cuts.

    ``cuts`` are fixed cut points; ``None``: each value of the buyers in scope is cut into
    ``classes`` equal parts, and the cut points are frozen for a period of ``freeze``.
    """

    reads: Mapping[Part, str]
    classes: int
    cuts: CutPoints | None = None
    freeze: Freeze | None = None
    segments: tuple[RfmSegment, ...] = ()
    span: Span = field(default=NOWHERE, compare=False)
    cut_spans: Mapping[Part, tuple[Span, ...]] = field(default_factory=dict, compare=False)

    def most(self, part: Part) -> int:
        """The best class of that value."""
        return self.classes if self.cuts is None else len(self.cuts[part]) + 1
