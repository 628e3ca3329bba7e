"""A practice 纷享销客 on this machine: the vendor's open API as documented, limits included.

This is a model of documentation. It was written from the vendor's published pages and from public
digests of them, and has never been compared with a live tenant. Where the documentation is silent
or contradicts itself a choice was made, and the module concerned says which.

What it keeps: HTTP 200 with ``errorCode`` always · both generations of sign-in · the token rules ·
100 calls in 20 seconds per interface, a daily quota · paging limits · nulls left out · numbers as
text, dates in milliseconds, people as lists, options by value · separate paths for presets and
``__c`` objects · owners that only ``changeOwner`` changes, locked records, two-step deletion · a
workflow that runs unless the call says ``triggerWorkFlow: false`` · records hidden from people who
do not own them. Left out: event push, approvals (they are only counted), pools, files, reports.

Practice data comes in through `sandbox_admin`, which plays the product's spreadsheet import: one
record per call is this API's law and thousands of orders would take many minutes of pacing. The
limits on the API itself are never switched off.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from crmsync.model.schema import FieldSchema
from crmsync.testing import (
    Invariants,
    LoadReport,
    PracticeCustomer,
    PracticeOrder,
    RequestKind,
    Sandbox,
    SandboxClock,
    SandboxConnection,
)
from crmsync_fxiaoke.sandbox_admin import ADMIN, AdminPages, load_practice
from crmsync_fxiaoke.sandbox_gateway import Gateway, Limits
from crmsync_fxiaoke.sandbox_reception import TOKEN_PATHS
from crmsync_fxiaoke.sandbox_schema import WireField
from crmsync_fxiaoke.sandbox_tenant import FxiaokeTenant
from crmsync_fxiaoke.sandbox_values import BadValue

SEED = 20261122
READING = ("/query", "/get", "/findSimple", "/getNewLogInfoListForWeb")
DESCRIBING = ("/cgi/crm/v2/object/list", "/cgi/crm/v2/object/describe", "/cgi/user/")


class FxiaokeInvariants(Invariants):
    """Adds the vendor's own demand: every call carries a fresh ``thirdTraceId``, a UUID v4."""

    gateway: Gateway

    def check(
        self,
        *,
        owned: Mapping[str, Collection[str]] | None = None,
        task_key: tuple[str, str] | None = None,
    ) -> None:
        """The kit's invariants, then the trace ids."""
        super().check(owned=owned, task_key=task_key)
        traces = self.gateway.trace_ids
        assert "" not in traces, "a call came without a UUID v4 as thirdTraceId"
        assert len(set(traces)) == len(traces), "a thirdTraceId was used twice"


class FxiaokeSandbox(Sandbox):
    """The practice tenant. *calls_per_20_seconds* above 100 stands for the faster access the vendor
    sells; *daily_calls* of ``None`` for a company that bought no calls at all."""

    resolution = timedelta(milliseconds=1)

    def __init__(
        self,
        clock: SandboxClock | None = None,
        *,
        calls_per_20_seconds: int = 100,
        daily_calls: int | None = 100_000,
    ) -> None:
        self._limits = Limits(calls_per_20_seconds, daily_calls)
        super().__init__(clock)

    def prepare(self) -> None:
        """The company as crmsync finds it."""
        self.tenant = FxiaokeTenant(self.store, seed=SEED)
        self.admin = AdminPages(self.tenant)
        self.admin.settle_in()
        self.gateway = Gateway(self.tenant, self.recorder, self._limits, lambda: self.index_lag)
        invariants = FxiaokeInvariants(self.store, self.recorder)
        invariants.gateway = self.gateway
        self.invariants = invariants

    def new_id(self, object: str, number: int) -> str:
        """24 hexadecimal digits that do not grow with time, so that paging cannot lean on it."""
        return hashlib.blake2b(f"{object}{number}".encode(), digest_size=12).hexdigest()

    def app(self) -> Starlette:
        """The gateway, and the administrator's pages beside it."""
        return Starlette(
            routes=[
                Route(ADMIN + "{page}", self._administer, methods=["POST"]),
                Route("/{path:path}", self._serve, methods=["GET", "POST"]),
            ]
        )

    def classify(self, method: str, path: str, body: Any) -> RequestKind:  # noqa: ANN401 - any JSON
        """Reads are POST too; the path tells."""
        if path in TOKEN_PATHS:
            return RequestKind.AUTH
        if path.startswith(DESCRIBING):
            return RequestKind.META
        return RequestKind.READ if path.endswith(READING) else RequestKind.WRITE

    def connection_settings(self) -> SandboxConnection:
        """How to reach it, as the administrator 1000."""
        app = self.gateway.reception.app
        return SandboxConnection(
            keys={
                "connector": "fxiaoke",
                "host": self.url,
                "app_id": app.id,
                "app_secret": "secret:fxiaoke/app_secret",
                "permanent_code": "secret:fxiaoke/permanent_code",
                "user_id": next(iter(self.tenant.people)),
                "calls_per_20_seconds": max(1, self._limits.calls_per_20_seconds * 95 // 100),
                "allow_private": True,
            },
            secrets={
                "fxiaoke/app_secret": app.secret,
                "fxiaoke/permanent_code": app.permanent_code,
            },
        )

    def load_over_http(
        self, customers: Sequence[PracticeCustomer], orders: Sequence[PracticeOrder]
    ) -> LoadReport:
        """Fill in practice data through the import page, not record by record (see above)."""
        with self.loading():
            return load_practice(self.url, self.tenant, customers, orders)

    @classmethod
    def for_practice(cls, clock: SandboxClock | None = None) -> FxiaokeSandbox:
        """A tenant with ten times the standard rate, as a company has that bought faster access:
        at the standard rate writing 500 records takes two minutes."""
        return cls(clock, calls_per_20_seconds=1000)

    def make_fields_by_hand(self, object: str, fields: Sequence[FieldSchema]) -> None:
        """The administrator works through the worksheet: names and values are made up."""
        self.admin.make_fields(object, fields)

    def admin_add_field(
        self,
        object: str,
        label: str,
        type: str,
        options: Iterable[str | tuple[str, str]] = (),
    ) -> WireField:
        """Make a custom field as an administrator does by hand; its API name is made up.

        *type* is one of ``sandbox_schema.ADMIN_TYPES`` (``picklist``, ``date`` …).
        """
        return self.tenant.add_field(object, label, type, options)

    async def _serve(self, request: Request) -> Response:
        raw = await request.body()
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
        answer = await self.gateway.answer(
            request.url.path, dict(request.query_params), dict(request.headers), body
        )
        return JSONResponse(answer, media_type="application/json;charset=UTF-8")

    async def _administer(self, request: Request) -> Response:
        try:
            return JSONResponse(
                self.admin.answer(request.path_params["page"], await request.json())
            )
        except (BadValue, LookupError) as problem:
            return PlainTextResponse(str(problem), status_code=400)
