"""How tests reach a practice account: settings, a raw signed client, one-page reads."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import httpx

from crmsync.connector import FieldIn, Reader, ReadQuery
from crmsync.model.record import Record
from crmsync_zoho.sandbox import ZohoSandbox
from crmsync_zoho.settings import ZohoSettings

START = datetime(2026, 11, 20, 8, tzinfo=UTC)


def settings_of(sandbox: ZohoSandbox, **changed: object) -> ZohoSettings:
    return ZohoSettings.model_validate({**sandbox.connection_settings().keys, **changed})


def token_form(sandbox: ZohoSandbox) -> dict[str, str]:
    accounts = sandbox.accounts
    return {
        "grant_type": "refresh_token",
        "client_id": accounts.client_id,
        "client_secret": accounts.client_secret,
        "refresh_token": accounts.refresh_token,
    }


class RawZoho:
    """Calls the sandbox as a plain HTTP client: what the vendor's API shows without our code."""

    def __init__(self, sandbox: ZohoSandbox) -> None:
        self.client = httpx.Client(base_url=sandbox.url, trust_env=False)
        reply = self.client.post("/oauth/v2/token", data=token_form(sandbox))
        self.client.headers["Authorization"] = f"Zoho-oauthtoken {reply.json()['access_token']}"

    def get(self, path: str, headers: dict[str, str] | None = None, **query: Any) -> httpx.Response:
        return self.client.get(f"/crm/v8/{path}", params=query, headers=headers)

    def send(self, method: str, path: str, body: Any, **more: Any) -> httpx.Response:
        return self.client.request(method, f"/crm/v8/{path}", json=body, **more)

    def coql(self, text: str) -> httpx.Response:
        return self.send("POST", "coql", {"select_query": text})


def accounts(sandbox: ZohoSandbox, count: int) -> list[str]:
    rows = [{"Account_Name": f"Invented {number}"} for number in range(count)]
    return [row.id for row in sandbox.seed("Accounts", rows)]


def one(connector: Reader, module: str, record: str, *fields: str) -> Record:
    query = ReadQuery(module, fields, FieldIn("id", (record,)))
    (found,) = [item for page in connector.read(query) for item in page.records]
    return found


def ids(pages: Iterable[Any]) -> list[str]:
    return [record.ref.id for page in pages for record in page.records]
