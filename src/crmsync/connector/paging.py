"""Parts for reading page by page: opaque resume tokens, and a stop for pages that repeat."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from crmsync.connector.contract import Everything, FieldIn, ModifiedSince, ReadQuery
from crmsync.errors import UnexpectedReply, UsageError
from crmsync.model.text import Text

_FORMAT = 1
_T = TypeVar("_T")


def pack_resume(query: ReadQuery, place: Mapping[str, str | int | bool | None]) -> str:
    """A resume token that holds a place in the answer to *query*, and fits no other query."""
    document = {"f": _FORMAT, "q": _fingerprint(query), "p": dict(place)}
    text = json.dumps(document, separators=(",", ":"), sort_keys=True)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def unpack_resume(query: ReadQuery, token: str) -> dict[str, str | int | bool | None]:
    """The place inside a token; raises UsageError when it was made for another query."""
    try:
        padded = token + "=" * (-len(token) % 4)
        document = json.loads(base64.urlsafe_b64decode(padded))
        if document["f"] == _FORMAT and document["q"] == _fingerprint(query):
            return dict(document["p"])
    except (ValueError, KeyError, TypeError, binascii.Error):
        pass
    raise UsageError(
        Text(
            zh="续读标记与这次读取不符",
            en="the resume token does not belong to this read",
        ),
        mend=Text(zh="请重新完整读取：crmsync pull --full", en="Read anew: crmsync pull --full"),
        code="RESUME",
    )


class SeenCursors:
    """Notices a CRM that sends the same page again instead of the next one."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._last: str | None = None

    def next(self, cursor: str) -> str:
        """Hand *cursor* through; raises UnexpectedReply when it is the last one again."""
        if cursor == self._last:
            raise UnexpectedReply(
                Text(
                    zh=f"CRM 两次给出同一页（{self._place}），已停止",
                    en=f"the CRM gave the same page twice ({self._place}): stopped",
                )
            )
        self._last = cursor
        return cursor


def chunks(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    """Consecutive pieces of at most *size* items."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _fingerprint(query: ReadQuery) -> str:
    match query.where:
        case Everything():
            where = "everything"
        case ModifiedSince(moment=moment):
            where = f"since {moment.isoformat()}"
        case FieldIn(field=field, values=values, below=below):
            where = f"{field} in {values!r} below {below}"
    text = "\x1f".join([query.object, *query.fields, where])
    return hashlib.sha256(text.encode()).hexdigest()[:16]
