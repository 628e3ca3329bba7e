"""What a mapping demands of its sources, and how a source stood when a plan was made."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from decimal import Decimal

from crmsync.model.position import NOWHERE, Span
from crmsync.model.text import Text


@dataclass(frozen=True, slots=True)
class SourceTerms:
    """When an object's records may be trusted to be missing nothing.

    ``fresh_within``: days since any of its records was last changed in the CRM; a source nobody
    feeds any more makes every customer look quiet. ``whole_from``: its number of records as a share
    of the last applied plan's; a source that lost half its records was read in part.
    """

    object: str
    fresh_within: int | None = None
    whole_from: Decimal | None = None
    span: Span = dataclasses.field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Unfresh:
    """A source that does not meet its terms: falls and moves by its facts were withheld.

    ``released``: a person let them happen all the same, up to a number.
    """

    object: str
    text: Text
    facts: tuple[str, ...]
    released: bool = False
