"""Parts for reading a record's own history: its order by time, and values that were cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import TypeVar

_T = TypeVar("_T")

LONG = 100
"""From how many characters on a text that ends in dots may have been cut."""


def looks_cut(text: str) -> bool:
    """Whether a history may show only the beginning of a text; vendors do not say if they do."""
    return len(text) >= LONG and text.endswith(("...", "…"))


def newest_first(
    pages: Iterator[Sequence[_T]], at: Callable[[_T], datetime | None], *, since: datetime
) -> Iterator[_T]:
    """Dated entries from *since* on, newest first, in whichever order a CRM pages them.

    Entries without a date stay in their place. Where pages begin with the newest, none is asked
    for beyond *since*; where they begin with the oldest, all of them are read and turned.
    """
    first = next(pages, ())
    dated = [moment for entry in first if (moment := at(entry)) is not None]
    rising = len(dated) > 1 and dated[0] < dated[-1]
    if rising:
        every = [*first, *(entry for page in pages for entry in page)]
        ordered: Iterator[Sequence[_T]] = iter((every[::-1],))
    else:
        ordered = chain((first,), pages)
    for page in ordered:
        for entry in page:
            moment = at(entry)
            if moment is None or moment >= since:
                yield entry
        last = at(page[-1]) if page else None
        if last is not None and last < since:
            return
