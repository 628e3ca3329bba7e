"""Zoho's API on the wire: one method per call crmsync makes, one error class per failure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

from crmsync.connector import ConnectionContext
from crmsync.connector.call import HttpCall, HttpReply, Purpose
from crmsync.connector.http import HttpOptions, HttpSession
from crmsync.connector.retry import Patience
from crmsync.errors import AccessDenied, AuthError, Throttled, UnexpectedReply
from crmsync.model.schema import Quota
from crmsync.model.text import Text
from crmsync_zoho.auth import LOOPBACK, SignIn, ZohoAuth, api_base
from crmsync_zoho.codec import Json
from crmsync_zoho.credits import (
    LEFT_HEADER,
    UNIT,
    allowance,
    out_of_credits,
    query_cost,
    write_cost,
)
from crmsync_zoho.settings import ZOHO_SUFFIXES, ZohoSettings, data_centre_of

API = "/crm/v8/"
_STANDARD = frozenset(
    {"Accounts", "Contacts", "Deals", "Leads", "Tasks", "Sales_Orders", "Invoices"}
)
_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,60}")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")
BUSY = frozenset({"TOO_MANY_REQUESTS", "RATE_LIMIT_EXCEEDED", "API_LIMIT_EXCEEDED"})
SCOPES = frozenset({"OAUTH_SCOPE_MISMATCH", "NO_PERMISSION", "AUTHORIZATION_FAILED"})


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a list: its records, the token of the next page, more or not, Zoho's clock."""

    data: list[dict[str, Json]] = field(repr=False)
    next_token: str | None
    more: bool
    server_time: datetime | None


class ListRefused(UnexpectedReply):
    """Zoho refused a list read with the code in ``remote_code``; nothing was read."""


class ZohoClient:
    """Calls Zoho for one connection; thread-safe.

    Reads and descriptions are repeated when Zoho is busy or away; writes never are.
    """

    def __init__(self, settings: ZohoSettings, context: ConnectionContext) -> None:
        self._settings = settings
        self._context = context
        self.sign_in = SignIn(settings, context)
        self._patience = Patience(context)
        self._session = HttpSession(
            settings.api_address,
            context,
            HttpOptions(
                auth=ZohoAuth(self.sign_in.tokens),
                hosts=ZOHO_SUFFIXES + (LOOPBACK if context.allow_private else ()),
                parallel=settings.parallel_calls,
                allowance=allowance(settings, context),
                moved=_moved,
            ),
        )

    def __repr__(self) -> str:
        return f"ZohoClient({self._context.connection})"

    def close(self) -> None:
        """Give connections back; twice is fine."""
        self._session.close()
        self.sign_in.close()

    def quota(self) -> Quota:
        """Credits spent on this connection in 24 hours, and Zoho's word where there is one."""
        return self._session.gate.quota() or Quota(UNIT, 0, None, None)

    # reading

    def records(
        self, path: str, query: Mapping[str, str | int], since: str | None = None
    ) -> Listing:
        """``GET`` a list of records; ListRefused when Zoho does not like a parameter."""
        headers = {} if since is None else {"If-Modified-Since": since}
        call = self._call("GET", path, Purpose.READ, query=query, headers=headers)
        return _listing(self._read(call))

    def timeline(self, module: str, record: str, query: Mapping[str, str | int]) -> Listing:
        """``GET`` a page of a record's timeline; ListRefused when Zoho does not know the record."""
        path = f"{_name(module)}/{_name(record)}/__timeline"
        reply = self._read(self._call("GET", path, Purpose.READ, query=query))
        return _listing(reply, "__timeline")

    def query(self, text: str, limit: int) -> Listing:
        """Run a COQL query whose LIMIT is *limit*."""
        call = self._call(
            "POST", "coql", Purpose.READ, json={"select_query": text}, price=query_cost(limit)
        )
        return _listing(self._read(call))

    def described(self, path: str, query: Mapping[str, str | int] | None = None) -> dict[str, Json]:
        """``GET`` settings, users or the organisation; an empty object when there is nothing."""
        reply = self._read(self._call("GET", path, Purpose.META, query=query or {}))
        return {} if reply.status == 204 else reply.json_object()

    # writing

    def write(
        self,
        method: str,
        module: str,
        body: Mapping[str, Json],
        *,
        unmodified_since: str | None = None,
    ) -> HttpReply:
        """Insert (POST) or update (PUT) records, once; the reply's status is 2xx, 400 or 412."""
        headers = {} if unmodified_since is None else {"If-Unmodified-Since": unmodified_since}
        call = self._call(
            method,
            _name(module),
            Purpose.WRITE,
            json=body,
            headers=headers,
            price=write_cost(len(body["data"])),
            writes={module: _fields_set(body["data"])},
        )
        return self._once(call, taken=frozenset({400, 412}))

    def configure(
        self, method: str, path: str, module: str, fields: Sequence[Mapping[str, Json]]
    ) -> list[dict[str, Json]]:
        """Create or change fields; the results, one for each."""
        call = self._call(
            method, path, Purpose.WRITE, query={"module": module}, json={"fields": list(fields)}
        )
        reply = self._once(call, taken=frozenset({400}))
        results = reply.json_object().get("fields")
        if not isinstance(results, list):
            raise self._refused(reply)
        return results

    # how

    def _call(self, method: str, path: str, purpose: Purpose, **more: Any) -> HttpCall:  # noqa: ANN401
        base = api_base(
            self._settings,
            self.sign_in.tokens.get(),
            allow_private=self._context.allow_private,
        )
        return HttpCall(
            method=method,
            path=f"{base}{API}{path}",
            purpose=purpose,
            **more,
        )

    def _read(self, call: HttpCall) -> HttpReply:
        return self._patience.call(lambda: self._once(call))

    def _once(self, call: HttpCall, taken: frozenset[int] = frozenset()) -> HttpReply:
        reply = self._session.send(call)
        left = reply.header(LEFT_HEADER) or ""
        self._session.gate.told(int(left) if left.isascii() and left.isdigit() else None)
        if reply.ok or reply.status == 304:
            return reply
        code = _code(reply)
        if reply.status == 429 or (reply.status == 400 and code in BUSY):
            raise self._busy(reply, call.price, code)
        if reply.status in {401, 403} or code in SCOPES:
            raise self._denied(call, reply, code)
        if reply.status in taken:
            return reply
        problem = self._session.failure(reply)
        if problem is not None:
            raise problem
        raise self._refused(reply)

    def _busy(self, reply: HttpReply, price: int, code: str | None) -> Exception:
        quota = self.quota()
        name = self._context.connection
        if quota.remaining is not None and quota.remaining < price:
            return out_of_credits(self._context, quota, code=code)
        return Throttled(
            Text(
                zh=f"连接“{name}”：Zoho 请求过多，要求稍候（{reply.place}，429）",
                en=f"connection “{name}”: Zoho asks us to slow down ({reply.place}, 429)",
            ),
            retry_after=self._session.retry_after(reply),
            remote_code=code,
        )

    def _denied(self, call: HttpCall, reply: HttpReply, code: str | None) -> Exception:
        name = self._context.connection
        if reply.status == 401 and code not in SCOPES:
            return AuthError(
                Text(
                    zh=f"连接“{name}”：Zoho 两次拒绝了令牌（{reply.place}）",
                    en=f"connection “{name}”: Zoho refused the token twice ({reply.place})",
                ),
                mend=Text(
                    zh=f"请重新登录：crmsync connect {name}",
                    en=f"Sign in again: crmsync connect {name}",
                ),
                remote_code=code,
            )
        return AccessDenied(
            Text(
                zh=f"连接“{name}”：缺少权限或授权范围（{code}，{reply.place}）",
                en=f"connection “{name}”: a scope or permission is missing ({code}, {reply.place})",
            ),
            mend=Text(
                zh=f"按 GUIDE 重新生成含 {_scope(call)} 的刷新令牌，并检查该用户的角色权限。",
                en=f"Make a refresh token that holds {_scope(call)} (see the guide), and check the "
                "permissions of the user's profile.",
            ),
            remote_code=code,
        )

    def _refused(self, reply: HttpReply) -> ListRefused:
        code = _code(reply) or f"HTTP {reply.status}"
        return ListRefused(
            Text(
                zh=f"Zoho 拒绝了请求：{code}（{reply.place}）",
                en=f"Zoho refused the request: {code} ({reply.place})",
            ),
            remote_code=code,
        )


def _moved(host: str) -> Text | None:
    """What to do when Zoho points to another host: its data centre by name."""
    place = data_centre_of(host)
    if place is None:
        return None
    return Text(
        zh=f"这个账号在 {place.upper()} 数据中心：请在连接里写 data_centre: {place}",
        en=f"this account lives in the {place.upper()} data centre: write data_centre: {place} "
        "under the connection",
    )


def _scope(call: HttpCall) -> str:
    """The scope a call needs, as Zoho names scopes."""
    path = urlsplit(call.path).path.removeprefix(API)
    first, _, rest = path.partition("/")
    if first == "coql":
        return "ZohoCRM.coql.READ"
    if first == "settings":
        what = "READ" if call.method == "GET" else "CREATE"
        return f"ZohoCRM.settings.{rest.partition('/')[0]}.{what}"
    if first in {"org", "users"}:
        return f"ZohoCRM.{first}.READ"
    module = first.lower() if first in _STANDARD else "custom"
    what = {"GET": "READ", "POST": "CREATE", "PUT": "UPDATE"}[call.method]
    return f"ZohoCRM.modules.{module}.{what}"


def _fields_set(data: Sequence[Mapping[str, Json]]) -> frozenset[str]:
    """The fields a body sets; ``id`` and Zoho's own ``$`` keys are none."""
    return frozenset(name for item in data for name in item if name != "id" and name[:1] != "$")


def _listing(reply: HttpReply, key: str = "data") -> Listing:
    if reply.status in {204, 304}:
        return Listing([], None, more=False, server_time=reply.server_time)
    found = reply.json_object()
    data, info = found.get(key), found.get("info") or {}
    if not isinstance(data, list) or not all(
        isinstance(item, dict) and isinstance(item.get("id"), str | int) for item in data
    ):
        raise reply.unreadable(Text(zh="没有记录列表", en="it holds no list of records"))
    token = info.get("next_page_token")
    return Listing(
        data,
        token if isinstance(token, str) and token else None,
        more=info.get("more_records") is True,
        server_time=reply.server_time,
    )


def _code(reply: HttpReply) -> str | None:
    """Zoho's code of a flat refusal; ``None`` when the body is no such object."""
    if reply.empty:
        return None
    try:
        found = reply.json()
    except Exception:
        return None
    return clean_code(found.get("code")) if isinstance(found, dict) else None


def clean_code(code: object) -> str | None:
    """A remote code fit to be shown: capital letters, digits and underscores, or ``None``."""
    return code if isinstance(code, str) and _CODE.fullmatch(code) else None


def clean_name(name: object) -> str | None:
    """An API name fit to be shown, or ``None``."""
    return name if isinstance(name, str) and _NAME.fullmatch(name) else None


def _name(module: str) -> str:
    return quote(module, safe="")
