"""The HTTP session every connector uses: deadlines, caps, guards and one meaning per failure."""

from __future__ import annotations

import logging
import socket
import ssl
import time
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

import httpx

from crmsync.connector.address import AddressGuard, AddressRefused
from crmsync.connector.call import HttpCall, HttpReply, Purpose, blank_ids
from crmsync.connector.context import ConnectionContext
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

WRITE_SECONDS = 15.0
READ_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpOptions:
    """How a session behaves. Deadlines are total, in seconds; ``max_reply`` in bytes.

    ``hosts``: further host names (or ``.suffixes``) the CRM may send us to; the base address's own
    host is always among them.
    """

    auth: httpx.Auth | None = field(default=None, repr=False)
    hosts: tuple[str, ...] = ()
    parallel: int = 8
    write_deadline: float = WRITE_SECONDS
    read_deadline: float = READ_SECONDS
    max_reply: int = MAX_REPLY


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
        self._read_only = context.read_only
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
        request, place = self._request(call)
        if self._read_only and call.purpose is Purpose.WRITE:
            raise UsageError(
                Text(
                    zh=f"此连接只读，{place} 未发送",
                    en=f"this connection is for reading only, {place} was not sent",
                )
            )
        auth = self._options.auth if call.signed else None
        self.calls += 1
        started = time.monotonic()
        try:
            response = self._client.send(request, auth=auth)
        except (httpx.TransportError, httpx.DecodingError) as problem:
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
        )
        if 300 <= reply.status < 400 and reply.status != 304:
            target = urlsplit(reply.header("location") or "").hostname or "?"
            raise reply.unreadable(
                Text(zh=f"服务器要求转到 {target}", en=f"the server points to {target}")
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
        seconds = call.deadline or (
            self._options.write_deadline
            if call.purpose is Purpose.WRITE
            else self._options.read_deadline
        )
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

    def _lost(self, call: HttpCall, place: str, problem: Exception) -> CrmSyncError:
        if isinstance(problem, httpx.LocalProtocolError | httpx.UnsupportedProtocol):
            return self._unbuildable(place, problem)
        if isinstance(problem, _NOT_SENT):
            cause = _no_way(problem)
            return Unavailable(
                Text(
                    zh=f"连不上 CRM（{place}）：{cause.zh}",
                    en=f"the CRM cannot be reached ({place}): {cause.en}",
                ),
                mend=_CHECK_ADDRESS,
            )
        why = _why(problem)
        text = Text(zh=f"{place}：{why.zh}", en=f"{place}: {why.en}")
        if call.purpose is not Purpose.WRITE and isinstance(
            problem, ReplyTooLarge | BadCompression
        ):
            return UnexpectedReply(text)
        return self._unsure(call.purpose, text)

    def _unsure(self, purpose: Purpose, text: Text) -> ConnectorError:
        if purpose is Purpose.WRITE:
            return OutcomeUnknown(text)
        return Unavailable(text, mend=_TRY_LATER)

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


_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_TRY_LATER = Text(
    zh="稍后再试；已完成的部分不会重做。", en="Try again later; what is done stays done."
)

_CHECK_ADDRESS = Text(
    zh="请核对连接的地址与网络后再试；已完成的部分不会重做。",
    en="Check the connection's address and the network, then try again; what is done stays done.",
)


def _no_way(problem: Exception) -> Text:
    """Why no connection came about, as far as the system says."""
    reasons: list[BaseException] = [problem]
    while (below := reasons[-1].__cause__ or reasons[-1].__context__) is not None:
        reasons.append(below)
    if any(isinstance(reason, socket.gaierror) for reason in reasons):
        return Text(zh="找不到这个主机名", en="there is no host of that name")
    if any(isinstance(reason, ssl.SSLCertVerificationError) for reason in reasons):
        return Text(zh="对方的证书不可信", en="its certificate is not trusted")
    if any(isinstance(reason, ConnectionRefusedError) for reason in reasons):
        return Text(zh="那里没有服务在监听", en="nothing listens there")
    if any(isinstance(reason, httpx.TimeoutException) for reason in reasons):
        return Text(zh="没有在限定时间内接通", en="no connection within the deadline")
    return Text(zh="接不通", en="no connection")


def _why(problem: Exception) -> Text:
    if isinstance(problem, httpx.TimeoutException):
        return Text(zh="没有在限定时间内答复", en="no complete answer within the deadline")
    if isinstance(problem, ReplyTooLarge):
        return Text(zh="回复超过大小上限，已拒绝", en="the reply is larger than the cap: refused")
    if isinstance(problem, BadCompression):
        return Text(zh="回复的压缩内容损坏", en="the reply's compression is broken")
    if isinstance(problem, httpx.RemoteProtocolError):
        return Text(zh="连接中断或回复不是 HTTP", en="the connection broke off, or it was not HTTP")
    return Text(zh="连接中断", en="the connection broke off")


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
