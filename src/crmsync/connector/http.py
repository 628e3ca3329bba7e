"""The HTTP session every connector uses: deadlines, caps, guards and one meaning per failure."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self
from urllib.parse import urlsplit

import httpx

from crmsync.connector.address import AddressGuard, AddressRefused
from crmsync.connector.call import HttpCall, HttpReply, Purpose, blank_ids
from crmsync.connector.context import ConnectionContext
from crmsync.connector.gate import Allowance, Gate
from crmsync.connector.losses import CHECK_ADDRESS, NOT_SENT, TRY_LATER, no_way, not_http, why
from crmsync.connector.retry_after import parse_retry_after
from crmsync.connector.transport import (
    DEADLINE,
    MAX_REPLY,
    BadCompression,
    GuardedTransport,
    ReplyTooLarge,
)
from crmsync.errors import (
    AccessDenied,
    AuthError,
    ConfigError,
    ConnectorError,
    CrmSyncError,
    OutcomeUnknown,
    Throttled,
    Unavailable,
    UnexpectedReply,
    UsageError,
)
from crmsync.model.text import Text

_log = logging.getLogger("crmsync.http")

SKEW_WORTH_TELLING = timedelta(seconds=60)
SKEW_REFUSED = timedelta(days=1)


class ClockWrong(ConfigError):
    """This computer's clock cannot be trusted; nothing more is read or written."""

    code = "CLOCK"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpOptions:
    """How a session behaves. Deadlines are total, in seconds, the context's unless given here;
    ``max_reply`` in bytes.

    ``hosts``: further host names (or ``.suffixes``) the CRM may send us to; the base address's own
    host is always among them. ``allowance`` is what the vendor grants the account. ``moved`` says
    what to do when the CRM points to another host (a data centre), where it knows.
    """

    auth: httpx.Auth | None = field(default=None, repr=False)
    hosts: tuple[str, ...] = ()
    parallel: int = 8
    write_deadline: float | None = None
    read_deadline: float | None = None
    max_reply: int = MAX_REPLY
    allowance: Allowance | None = None
    moved: Callable[[str], Text | None] = lambda host: None


class HttpSession:
    """Calls one CRM. Thread-safe; close it when done, twice is fine.

    ``send`` raises for what happened on the way and for redirects; every other status comes back
    as a reply, because vendors disagree on what they mean — ``failure`` knows the common meanings.
    Nothing comes from the environment: no proxy variables, no netrc. Credentials live in the
    ``auth`` object alone and appear in no repr, log or error.
    """

    def __init__(
        self, address: str, context: ConnectionContext, options: HttpOptions | None = None
    ) -> None:
        self._options = options or HttpOptions()
        self._now = context.now
        self._address = _checked(address, context)
        self._name = context.connection
        for noisy in ("httpx", "httpcore"):
            logging.getLogger(noisy).setLevel(logging.WARNING)
        host = urlsplit(self._address).hostname or ""
        guard = AddressGuard((host, *self._options.hosts), context.allow_private)
        self._client = httpx.Client(
            transport=GuardedTransport(
                guard, connections=self._options.parallel, max_reply=self._options.max_reply
            ),
            trust_env=False,
            follow_redirects=False,
            headers={
                "User-Agent": context.user_agent,
                "Accept": "application/json",
                "Accept-Encoding": "gzip, deflate",
            },
        )
        self._secure = not context.allow_private
        self._context = context
        self.gate = Gate(context, self._options.allowance)
        self._told: set[str] = set()
        self._guard = threading.Lock()
        self.calls = 0

    def __repr__(self) -> str:
        return f"HttpSession({urlsplit(self._address).hostname})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def send(self, call: HttpCall) -> HttpReply:
        """Make one call, never repeated here.

        Raises Unavailable when it was not sent, or when the reply to anything but a write was lost;
        OutcomeUnknown when the reply to a write was lost; UnexpectedReply (after a write:
        OutcomeUnknown) for redirects and replies that are too large or broken; ConfigError when
        the request cannot be made (a line break in a secret), AddressRefused when it may not be,
        UsageError for a write on a read-only connection.
        """
        if call.purpose is Purpose.WRITE:
            self._check_write(call)
        booked = self.gate.enter(call)
        request, place = self._request(call)
        auth = self._options.auth if call.signed else None
        self.calls += 1
        started = time.monotonic()
        try:
            response = self._client.send(request, auth=auth)
        except (httpx.TransportError, httpx.DecodingError) as problem:
            if isinstance(problem, NOT_SENT):
                self.gate.give_back(call, booked)
            _log.info("%s failed after %.0f ms: %s", place, _ms(started), type(problem).__name__)
            raise self._lost(call, place, problem) from None
        _log.info("%s %d %.0f ms", place, response.status_code, _ms(started))
        reply = HttpReply(
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=response.content,
            purpose=call.purpose,
            place=place,
            seconds=time.monotonic() - started,
            mended=self._mended,
        )
        self.gate.left(call, reply, booked)
        self._check_clock(reply)
        if 300 <= reply.status < 400 and reply.status != 304:
            target = urlsplit(reply.header("location") or "").hostname or "?"
            raise reply.unreadable(
                Text(zh=f"服务器要求转到 {target}", en=f"the server points to {target}"),
                mend=self._options.moved(target) or _MOVED,
            )
        return reply

    def failure(self, reply: HttpReply) -> ConnectorError | None:
        """What a status means wherever the vendor says nothing else; ``None`` for the rest.

        401 AuthError, 403 AccessDenied, 429 Throttled with its pause, 5xx and 408 Unavailable or,
        after a write, OutcomeUnknown.
        """
        title = Text(
            zh=f"连接“{self._name}”：{reply.place} 返回 HTTP {reply.status}",
            en=f"connection “{self._name}”: {reply.place} answered HTTP {reply.status}",
        )
        if reply.status == 401:
            return AuthError(title, mend=self._sign_in())
        if reply.status == 403:
            return AccessDenied(
                title,
                mend=Text(
                    zh="请检查此连接的账号权限与授权范围。",
                    en="Check the account's permissions and the scopes granted to this connection.",
                ),
            )
        if reply.status == 429:
            return Throttled(title, retry_after=self.retry_after(reply))
        if reply.status >= 500 or reply.status == 408:
            return self._unsure(reply.purpose, title)
        return None

    def retry_after(self, reply: HttpReply) -> float | None:
        """The pause a reply asks for, in seconds."""
        return parse_retry_after(reply.header("retry-after"), reply.server_time or self._now())

    def _check_write(self, call: HttpCall) -> None:
        """The last door: nothing on a connection for reading, no field that is not ours."""
        if self._context.read_only:
            raise UsageError(
                Text(
                    zh=f"此连接只读，{call.method} {call.template or ''} 未发送",
                    en="this connection is for reading only, "
                    f"{call.method} {call.template or ''} was not sent",
                )
            )
        allowed = self._context.allowed
        if allowed is None:
            return
        foreign = [
            f"{object}.{field}"
            for object, fields in call.writes.items()
            for field in sorted(set(fields) - allowed.get(object, frozenset()))
        ]
        if foreign or not call.writes:
            names = ", ".join(foreign) or "?"
            raise UsageError(
                Text(
                    zh=f"{names} 不归 crmsync 写，未发送",
                    en=f"{names} is not crmsync's to write: not sent",
                ),
                code="FOREIGN_FIELD",
            )

    def _check_clock(self, reply: HttpReply) -> None:
        """Compare clocks: tell of a minute's difference once, refuse to go on with a day's.

        After a write nothing is refused, for what it did must be noted.
        """
        if reply.server_time is None:
            return
        skew = self._now() - reply.server_time
        if abs(skew) > SKEW_REFUSED and reply.purpose is not Purpose.WRITE:
            words = skewed(skew)
            raise ClockWrong(words, mend=_SET_CLOCK)
        if abs(skew) > SKEW_WORTH_TELLING:
            self._tell("clock", skewed(skew))

    def _mended(self, count: int) -> None:
        self._tell(
            "mended",
            Text(
                zh=f"连接“{self._name}”：CRM 的文本里有损坏字符，已替换（这一页 {count} 处）",
                en=f"connection “{self._name}”: broken characters in the CRM's texts were replaced "
                f"({count} on this page)",
            ),
        )

    def _tell(self, what: str, words: Text) -> None:
        """Tell a person once."""
        with self._guard:
            new = what not in self._told
            self._told.add(what)
        if new:
            self._context.notice(words)

    def _request(self, call: HttpCall) -> tuple[httpx.Request, str]:
        url = call.path if "://" in call.path else self._address + call.path
        parts = urlsplit(url)
        host = parts.hostname if parts.port is None else f"{parts.hostname}:{parts.port}"
        place = f"{call.method} {host}{call.template or blank_ids(parts.path)}"
        if self._secure and parts.scheme != "https":
            raise AddressRefused(
                Text(
                    zh=f"{parts.hostname} 的地址不是 https，已拒绝",
                    en=f"the address on {parts.hostname} is not https: refused",
                )
            )
        seconds = call.deadline or self._seconds(call.purpose)
        try:
            request = self._client.build_request(
                call.method,
                url,
                params=dict(call.query) or None,
                json=call.json,
                data=dict(call.form) if call.form is not None else None,
                content=call.content,
                headers=dict(call.headers),
                extensions={DEADLINE: time.monotonic() + seconds},
            )
        except (httpx.InvalidURL, UnicodeError, ValueError, TypeError) as problem:
            raise self._unbuildable(place, problem) from None
        return request, place

    def _seconds(self, purpose: Purpose) -> float:
        if purpose is Purpose.WRITE:
            return self._options.write_deadline or self._context.write_seconds
        return self._options.read_deadline or self._context.read_seconds

    def _lost(self, call: HttpCall, place: str, problem: Exception) -> CrmSyncError:
        if isinstance(problem, httpx.LocalProtocolError | httpx.UnsupportedProtocol):
            return self._unbuildable(place, problem)
        if isinstance(problem, NOT_SENT):
            cause = no_way(problem)
            return Unavailable(
                Text(
                    zh=f"连不上 CRM（{place}）：{cause.zh}",
                    en=f"the CRM cannot be reached ({place}): {cause.en}",
                ),
                mend=CHECK_ADDRESS,
            )
        reason = why(problem)
        text = Text(zh=f"{place}：{reason.zh}", en=f"{place}: {reason.en}")
        if call.purpose is not Purpose.WRITE and isinstance(
            problem, ReplyTooLarge | BadCompression
        ):
            return UnexpectedReply(text)
        return self._unsure(call.purpose, text, CHECK_ADDRESS if not_http(problem) else TRY_LATER)

    def _unsure(self, purpose: Purpose, text: Text, mend: Text = TRY_LATER) -> ConnectorError:
        if purpose is Purpose.WRITE:
            return OutcomeUnknown(text)
        return Unavailable(text, mend=mend)

    def _unbuildable(self, place: str, problem: Exception) -> ConfigError:
        return ConfigError(
            Text(
                zh=f"请求 {place} 无法生成（{type(problem).__name__}），未发送",
                en=f"the request {place} could not be built ({type(problem).__name__}), not sent",
            ),
            mend=Text(
                zh="请核对连接的地址与密钥里是否有换行等多余字符。",
                en="Check the connection's address and secrets for stray characters.",
            ),
        )

    def _sign_in(self) -> Text:
        return Text(
            zh=f"请重新登录：crmsync connect {self._name}",
            en=f"Sign in again: crmsync connect {self._name}",
        )


_MOVED = Text(
    zh="把连接的地址改成 CRM 现在的地址（例如 api_domain）；不会跟随跳转。",
    en="Set the connection's address to the CRM's present one (such as api_domain); redirects are "
    "never followed.",
)
_SET_CLOCK = Text(
    zh="把本机时钟对准（例如启用 NTP），再运行一次。",
    en="Set this computer's clock (with NTP, for instance), then run it again.",
)


def skewed(skew: timedelta) -> Text:
    """How far this computer's clock is from the CRM's."""
    seconds = abs(skew).total_seconds()
    if seconds >= 172_800:
        zh, en = f"{round(seconds / 86_400)} 天", f"{round(seconds / 86_400)} days"
    else:
        zh, en = f"{round(seconds / 60)} 分钟", f"{round(seconds / 60)} min"
    ahead = skew > timedelta()
    return Text(
        zh=f"本机时钟比 CRM {'快' if ahead else '慢'}约 {zh}",
        en=f"this computer's clock is about {en} {'ahead of' if ahead else 'behind'} the CRM's",
    )


def _checked(address: str, context: ConnectionContext) -> str:
    try:
        httpx.URL(address)
        parts = urlsplit(address)
    except (httpx.InvalidURL, ValueError):
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
        raise ConfigError(
            Text(
                zh=f"连接“{context.connection}”的地址无效",
                en=f"the address of connection “{context.connection}” is not valid",
            ),
            mend=Text(zh="写成 https://主机名", en="Write it as https://host"),
        )
    if parts.scheme == "http" and not context.allow_private:
        raise AddressRefused(
            Text(
                zh=f"连接“{context.connection}”的地址必须是 https",
                en=f"the address of connection “{context.connection}” must be https",
            )
        )
    return address.rstrip("/")


def _ms(started: float) -> float:
    return (time.monotonic() - started) * 1000


__all__ = ["HttpCall", "HttpOptions", "HttpReply", "HttpSession", "Purpose"]
