"""The Zoho sandbox's addresses: which path does what, what it costs, and who may call it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crmsync.testing import RequestKind
from crmsync_zoho.sandbox_auth import ZohoAccounts, needed_scope
from crmsync_zoho.sandbox_coql import Coql, announced_limit
from crmsync_zoho.sandbox_limits import CreditLedger, Slots, ZohoLimits, cost
from crmsync_zoho.sandbox_people import organisation
from crmsync_zoho.sandbox_reading import Reading
from crmsync_zoho.sandbox_records import Organisation
from crmsync_zoho.sandbox_replies import Answer, Json, Refusal
from crmsync_zoho.sandbox_settings import Settings
from crmsync_zoho.sandbox_timeline import Timelines
from crmsync_zoho.sandbox_writing import Writing

API = "/crm/v8/"
TOKEN = "/oauth/v2/token"  # noqa: S105 - a path
META_HEADS = frozenset({"settings", "users", "org"})
SINCE, UNTIL = "if-modified-since", "if-unmodified-since"


def classify(method: str, path: str) -> RequestKind:
    """What a request does, by its address."""
    if path == TOKEN:
        return RequestKind.AUTH
    parts = path.removeprefix(API).split("/")
    if parts[0] in META_HEADS:
        return RequestKind.META
    if method == "GET" or parts[0] == "coql":
        return RequestKind.READ
    return RequestKind.WRITE


@dataclass(frozen=True, slots=True)
class Call:
    """One API call, taken apart."""

    method: str
    parts: tuple[str, ...]
    query: dict[str, str]
    headers: dict[str, str]
    body: Json


class ZohoApi:
    """Answers every request of one sandbox; ``latency`` (real seconds) makes calls overlap."""

    def __init__(
        self, organisation: Organisation, accounts: ZohoAccounts, limits: ZohoLimits
    ) -> None:
        clock = organisation.store.clock
        self.org = organisation
        self.accounts = accounts
        self.limits = limits
        self.ledger = CreditLedger(clock, limits)
        self.slots = Slots(limits)
        self.latency = 0.0
        self.base_url: Callable[[], str] = lambda: ""
        self.is_loading: Callable[[], bool] = lambda: False
        self._reading = Reading(organisation, limits, clock)
        self._writing = Writing(organisation, limits)
        self.timelines = Timelines(organisation, limits)
        self._coql = Coql(organisation, limits)
        self._settings = Settings(organisation, limits)

    def app(self) -> Starlette:
        """The ASGI application."""
        methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        return Starlette(
            routes=[
                Route(TOKEN, self._token, methods=["POST"]),
                Route("/{path:path}", self._call, methods=methods),
            ]
        )

    async def _token(self, request: Request) -> Response:
        form = dict(request.query_params)
        form |= dict(parse_qsl((await request.body()).decode("latin-1"), keep_blank_values=True))
        return _response(self.accounts.token(form, self.base_url()))

    async def _call(self, request: Request) -> Response:
        try:
            call = await _taken_apart(request)
            self.accounts.admit(
                call.headers.get("authorization"), needed_scope(call.method, call.parts)
            )
            text = call.body.get("select_query") if isinstance(call.body, dict) else None
            limit = announced_limit(str(text or ""), self.limits.coql_default)
            price, heavy = cost(call.method, call.parts, call.body, limit)
            heavy = heavy or "sort_by" in call.query or "cvid" in call.query
            with self.slots.hold(heavy=heavy):
                self.ledger.spend(price)
                if self.latency:
                    await asyncio.sleep(self.latency)
                answer = self._answer(call)
        except Refusal as refusal:
            answer = refusal.answer
        return _response(answer, self.ledger.headers())

    def _answer(self, call: Call) -> Answer:
        match call.method, call.parts:
            case "POST", ("coql",):
                return self._coql.answer(call.body)
            case "GET", ("org",):
                return organisation(self.org.id)
            case "GET", ("users",):
                return self.org.people.answer(call.query)
            case _, ("settings", "modules" | "fields", *_):
                return self._configure(call)
            case "GET", (module, *rest):
                return self._read(call, module, tuple(rest))
            case "POST" | "PUT", (module, *rest):
                return self._write(call, module, tuple(rest))
        raise Refusal(400, "INVALID_REQUEST_METHOD", {}, "not supported here")

    def _configure(self, call: Call) -> Answer:
        match call.method, call.parts[1:]:
            case "GET", ("modules",):
                return self._settings.modules()
            case "GET", ("modules", name):
                return self._settings.modules(name)
            case "GET", ("fields",):
                return self._settings.fields(call.query)
            case "GET", ("fields", field_id):
                return self._settings.fields(call.query, field_id)
            case "POST", ("fields",):
                return self._settings.create(call.query, call.body)
            case "PATCH" | "PUT", ("fields",):
                return self._settings.update(call.query, call.body, None)
            case "PATCH" | "PUT", ("fields", field_id):
                return self._settings.update(call.query, call.body, field_id)
        raise Refusal(404, "INVALID_URL_PATTERN", {}, "no such address")

    def _read(self, call: Call, module: str, rest: tuple[str, ...]) -> Answer:
        match rest:
            case ():
                return self._reading.records(module, call.query, call.headers.get(SINCE))
            case ("deleted",):
                return self._reading.deleted(module, call.query, call.headers.get(SINCE))
            case (record,):
                return self._reading.record(module, record, call.query)
            case (record, "__timeline"):
                return self.timelines.answer(module, record, call.query)
            case (record, related):
                return self._reading.related((module, record, related), call.query)
        raise Refusal(404, "INVALID_URL_PATTERN", {}, "no such address")

    def _write(self, call: Call, module: str, rest: tuple[str, ...]) -> Answer:
        actor = self.org.actor(loading=self.is_loading())
        request = self._writing.read(module, call.body, call.headers.get(UNTIL), actor)
        match call.method, rest:
            case "POST", ():
                return self._writing.insert(request)
            case "POST", ("upsert",):
                checks = call.body.get("duplicate_check_fields") or []
                return self._writing.upsert(request, checks)
            case "PUT", ():
                return self._writing.update(request)
            case "PUT", (record,):
                return self._writing.update(request, record)
        raise Refusal(400, "INVALID_REQUEST_METHOD", {}, "not supported here")


async def _taken_apart(request: Request) -> Call:
    path = request.url.path
    if not path.startswith(API):
        raise Refusal(404, "INVALID_URL_PATTERN", {}, "no such address")
    raw = await request.body()
    body: Any = None
    if raw:
        try:
            body = json.loads(raw)
        except (ValueError, RecursionError):
            raise Refusal(400, "INVALID_DATA", {}, "the body is not JSON") from None
    parts = tuple(part for part in path.removeprefix(API).split("/") if part)
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Call(request.method, parts, dict(request.query_params), headers, body)


def _response(answer: Answer, headers: dict[str, str] | None = None) -> Response:
    all_headers = {**(headers or {}), **answer.headers}
    if answer.body is None:
        return Response(status_code=answer.status, headers=all_headers)
    content = json.dumps(answer.body, ensure_ascii=False).encode()
    return Response(content, answer.status, all_headers, "application/json;charset=UTF-8")
