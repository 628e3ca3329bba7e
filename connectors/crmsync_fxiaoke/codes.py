"""What the vendor's ``errorCode`` means for the caller. HTTP is 200 for everything.

Codes come from the vendor's published table and from probes; the two disagree in places, so a code
is read for what the caller has to do next. A code that is in no list is a failure of unknown
meaning: after a write nobody knows what happened. ``errorMessage`` is never branched on and never
passed on: the vendor changes it, and it may hold a customer's data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, TypedDict
from zoneinfo import ZoneInfo

from crmsync.connector.context import ConnectionContext
from crmsync.connector.http import HttpReply, HttpSession
from crmsync.errors import (
    AccessDenied,
    AuthError,
    ConnectorError,
    QuotaExhausted,
    Throttled,
    Unavailable,
    UnexpectedReply,
)
from crmsync.model.text import Text

DEAD_TOKEN = frozenset({20005, 20016, 11014})
APP = frozenset({10001, 10002, 10006, 10012, 11001, 11002, 11013, 20006, 20015, 20017})
APP_STOPPED = frozenset({20021, 20022})
PERSON = frozenset({11008, 20012, 30027})
ACCESS = frozenset({15003, 20014, 20020, 20023})
TOO_FAST = frozenset({14001, 30004})
DAY_USED_UP, NO_PACK = 30002, 30003
BUSY = frozenset({-2, -1, 50009})
REFUSED = frozenset({10013, 12004, 15002, 32000})
"""Definite refusals of what was asked: nothing was done."""
WINDOW_SECONDS = 20.0
BEIJING = ZoneInfo("Asia/Shanghai")

PUBLISHED = {
    -2: Text(zh="系统错误", en="system error"),
    -1: Text(zh="系统繁忙", en="system busy"),
    10013: Text(zh="参数超出范围", en="a parameter is out of range"),
    12004: Text(zh="请求内容为空", en="the request was empty"),
    15002: Text(zh="参数不合法", en="a parameter is not valid"),
    32000: Text(zh="参数错误", en="a parameter is wrong"),
    50009: Text(zh="服务异常或超时", en="the service failed or timed out"),
}
"""Meanings of the vendor's table, for messages."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One answer: 0 is success, everything else is not."""

    code: int
    trace: str | None
    body: Mapping[str, Any] = field(repr=False)
    reply: HttpReply

    @property
    def meaning(self) -> Text:
        """What the vendor's table says of the code."""
        return PUBLISHED.get(
            self.code, Text(zh="未公布的返回码", en="a code that is not published")
        )

    def unreadable(self, key: str) -> ConnectorError:
        """The error for an answer that lacks what it should hold."""
        return self.reply.unreadable(
            Text(zh=f"缺少或不认识 {key}", en=f"{key} is missing or not understood")
        )


class _Marks(TypedDict):
    remote_code: str
    request_id: str | None


def envelope_of(session: HttpSession, reply: HttpReply) -> Envelope:
    """Take a reply apart; raises when it is no envelope (OutcomeUnknown after a write)."""
    problem = session.failure(reply)
    if problem is not None:
        raise problem
    body = reply.json_object()
    code, trace = body.get("errorCode"), body.get("traceId")
    if isinstance(code, bool) or not isinstance(code, int):
        raise reply.unreadable(Text(zh="没有 errorCode", en="there is no errorCode"))
    return Envelope(code, trace if isinstance(trace, str) else None, body, reply)


def problem_of(envelope: Envelope, context: ConnectionContext) -> ConnectorError | None:
    """The error that speaks for the whole call, all of them with nothing written; ``None`` for
    success and for codes that concern one record or are not known."""
    code, name = envelope.code, context.connection
    marks: _Marks = {"remote_code": str(code), "request_id": envelope.trace}
    if code in APP | DEAD_TOKEN:
        return AuthError(
            _text(name, code, "登录被拒绝", "sign-in refused"), mend=_CHECK_APP, **marks
        )
    if code in APP_STOPPED:
        return AuthError(
            _text(name, code, "应用已停用或未授权", "the app is stopped or not authorised"),
            mend=_START_APP,
            **marks,
        )
    if code in PERSON:
        return AuthError(
            _text(name, code, "操作人不存在或已停用", "the acting employee is unknown or stopped"),
            mend=_CHECK_PERSON,
            **marks,
        )
    if code in ACCESS:
        return AccessDenied(
            _text(name, code, "应用没有权限", "the app lacks a permission"), mend=_GRANT, **marks
        )
    if code in TOO_FAST:
        return Throttled(
            _text(name, code, "调用过快，需要暂停", "too many calls, a pause is needed"),
            retry_after=WINDOW_SECONDS,
            **marks,
        )
    if code in {DAY_USED_UP, NO_PACK}:
        return quota_problem(context, bought=code == DAY_USED_UP, code=code)
    return None


def quota_problem(
    context: ConnectionContext, *, bought: bool = True, code: int | None = None
) -> QuotaExhausted:
    """The calls of the day are used up (or none were ever bought)."""
    remote = None if code is None else str(code)
    if not bought:
        return QuotaExhausted(
            _text(context.connection, code, "企业没有购买接口配额", "no API calls were bought"),
            mend=Text(
                zh="请向纷享销客购买 OpenAPI 调用配额。", en="Buy an OpenAPI quota from Fxiaoke."
            ),
            remote_code=remote,
        )
    resets = next_midnight(context.now())
    return QuotaExhausted(
        _text(context.connection, code, "当天的接口配额已用完", "today's API calls are used up"),
        resets_at=resets,
        mend=Text(
            zh="次日 0 点（北京时间）后继续：加 --resume；或向纷享销客加购配额。",
            en="Go on after midnight, Beijing time, with --resume; or buy more calls.",
        ),
        remote_code=remote,
    )


def midnight(now: datetime) -> datetime:
    """When today's quota began."""
    return datetime.combine(now.astimezone(BEIJING).date(), time(), BEIJING)


def next_midnight(now: datetime) -> datetime:
    """When the daily quota starts again."""
    tomorrow = now.astimezone(BEIJING).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), BEIJING)


def read_failure(envelope: Envelope, what: str) -> ConnectorError:
    """The error for a read that did not succeed and that `problem_of` does not speak for."""
    title = Text(
        zh=f"读取 {what} 失败：返回码 {envelope.code}（{envelope.meaning.zh}）",
        en=f"reading {what} failed: code {envelope.code} ({envelope.meaning.en})",
    )
    marks: _Marks = {"remote_code": str(envelope.code), "request_id": envelope.trace}
    if envelope.code in BUSY:
        return Unavailable(title, **marks)
    return UnexpectedReply(
        title,
        mend=Text(
            zh="请核对对象与字段是否存在、操作人是否有权限；联系纷享销客时请提供 traceId。",
            en="Check that the object and its fields exist and that the acting employee may read "
            "them; give Fxiaoke's support the traceId.",
        ),
        **marks,
    )


def _text(connection: str, code: int | None, zh: str, en: str) -> Text:
    tail = "" if code is None else f" ({code})"
    return Text(zh=f"连接“{connection}”：{zh}{tail}", en=f"connection “{connection}”: {en}{tail}")


_CHECK_APP = Text(
    zh="请核对 app_id、app_secret、permanent_code，以及应用的 IP 白名单。",
    en="Check app_id, app_secret and permanent_code, and the app's list of allowed addresses.",
)
_START_APP = Text(
    zh="请管理员在 管理后台 → 应用列表 中启用并授权该应用。",
    en="Ask an administrator to start and authorise the app (管理后台 → 应用列表).",
)
_CHECK_PERSON = Text(
    zh="请核对 user_id：应为在职员工的员工ID（如 1000），建议用 CRM 管理员。",
    en="Check user_id: the id (such as 1000) of an active employee, best a CRM administrator.",
)
_GRANT = Text(
    zh="请管理员检查应用的接口权限与操作人的角色。",
    en="Ask an administrator to check the app's permissions and the acting employee's role.",
)
