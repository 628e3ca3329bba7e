"""One HTTP call as a connector words it, and the reply it gets back."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from crmsync.connector.retry_after import parse_http_date
from crmsync.connector.strict_json import NotJson, parse_json
from crmsync.errors import ConnectorError, OutcomeUnknown, UnexpectedReply
from crmsync.model.text import Text


class Purpose(StrEnum):
    """What a call is for: it decides what a lost reply means.

    READ and META (descriptions, users, quota) and AUTH (tokens) may be repeated at will; after a
    WRITE without a readable reply nobody knows.
    """

    READ = "read"
    META = "meta"
    AUTH = "auth"
    WRITE = "write"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCall:
    """One request. ``path`` is below the session's address, or a whole URL on an allowed host.

    Give at most one of ``json``, ``form`` and ``content``. ``template`` is what the log shows of
    the path (default: the path with its ids blanked). ``signed=False`` leaves the credentials out.
    ``deadline`` is in seconds, for everything from the name look-up to the last byte. ``price`` is
    what the call costs in the vendor's unit, ``lane`` the rate it falls under. ``writes`` names the
    fields the body sets, by object: the transport lets only the engine's own through.
    """

    method: str
    path: str
    purpose: Purpose
    query: Mapping[str, str | int] = field(default_factory=dict, repr=False)
    json: object = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    content: bytes | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    template: str | None = None
    signed: bool = True
    price: int = 1
    lane: str = ""
    writes: Mapping[str, Collection[str]] = field(default_factory=dict)
    deadline: float | None = None


_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_CHARSET = re.compile(r"charset\s*=\s*\"?([\w.:-]+)", re.IGNORECASE)
_JSON_TYPE = re.compile(r"^(?:application|text)/(?:[\w.+-]+\+)?json$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class HttpReply:
    """A complete reply. Its repr holds neither body nor headers."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    purpose: Purpose
    place: str
    """Method, host and path template, for messages."""
    seconds: float = 0.0
    mended: Callable[[int], None] = field(default=lambda count: None, repr=False)
    """Told how many texts of the body held broken characters."""

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    @property
    def empty(self) -> bool:
        """Whether there is no body (204, 304)."""
        return not self.body

    @property
    def server_time(self) -> datetime | None:
        """The server's own clock, from its ``Date`` header."""
        return parse_http_date(self.header("date"))

    def header(self, name: str) -> str | None:
        """One header, by its name in any case."""
        return self.headers.get(name.lower())

    def json(self) -> Any:  # noqa: ANN401 - the wire border: codecs take it apart
        """The parsed body.

        A reply that cannot be understood — no body, a web page, broken or doubtful JSON — raises
        UnexpectedReply, or OutcomeUnknown after a write.
        """
        if self.empty:
            raise self.unreadable(Text(zh="回复是空的", en="the reply is empty"))
        kind, _, parameters = (self.header("content-type") or "").partition(";")
        start = self.body.lstrip()[:1]
        typed = _JSON_TYPE.match(kind.strip())
        if start == b"<" or not (typed or (start in {b"{", b"["} and "html" not in kind.lower())):
            raise self.unreadable(self._web_page())
        charset = _CHARSET.search(parameters)
        try:
            found = parse_json(self.body, charset.group(1) if charset else "utf-8")
        except NotJson as problem:
            raise self.unreadable(
                Text(
                    zh=f"回复不是可用的 JSON（{problem.why.zh}）",
                    en=f"the reply is not usable JSON ({problem.why.en})",
                )
            ) from None
        if found.mended:
            self.mended(found.mended)
        return found.value

    def json_object(self) -> dict[str, Any]:
        """The parsed body, which must be an object."""
        found = self.json()
        if not isinstance(found, dict):
            raise self.unreadable(
                Text(zh="回复不是 JSON 对象", en="the reply is not a JSON object")
            )
        return found

    def unreadable(self, why: Text, *, mend: Text | None = None) -> ConnectorError:
        """The error for a reply nobody can use; *why* completes “because …”.

        After a write it is OutcomeUnknown, else UnexpectedReply.
        """
        kind = OutcomeUnknown if self.purpose is Purpose.WRITE else UnexpectedReply
        return kind(
            Text(
                zh=f"{self.place} 的回复无法使用（HTTP {self.status}）：{why.zh}",
                en=f"cannot use the reply to {self.place} (HTTP {self.status}): {why.en}",
            ),
            mend=mend
            or Text(
                zh="请核对连接地址；公司代理、单点登录或维护页面也会造成这种情况。",
                en="Check the connection's address; a proxy, single sign-on or a maintenance page "
                "can be in the way.",
            ),
        )

    def _web_page(self) -> Text:
        title = page_title(self.body)
        if title:
            return Text(
                zh=f"得到的是网页（“{title}”），不是数据",
                en=f"a web page (“{title}”) came instead of data",
            )
        return Text(zh="得到的不是 JSON 数据", en="something other than JSON came")


def page_title(body: bytes) -> str | None:
    """The title of a web page, cleaned and at most 80 characters."""
    found = _TITLE.search(body[:65_536].decode("utf-8", errors="replace"))
    if not found:
        return None
    words = " ".join(html.unescape(found.group(1)).split())
    return "".join(letter for letter in words if letter.isprintable())[:80] or None


def blank_ids(path: str) -> str:
    """A path with the segments that look like ids replaced by ``{id}``."""
    parts = path.partition("?")[0].split("/")
    return "/".join("{id}" if _is_id(part) else part for part in parts)


def _is_id(part: str) -> bool:
    digits = sum(letter.isdigit() for letter in part)
    return digits >= 5 or len(part) > 40 or "@" in part or "%" in part
