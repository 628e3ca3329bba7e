"""A client of the sandbox that shares no code with the connector."""

from __future__ import annotations

import uuid
from typing import Any

import httpx

from crmsync_fxiaoke.sandbox import FxiaokeSandbox


class Caller:
    """Speaks to the sandbox as a careful client would, without any of the connector's code."""

    def __init__(self, sandbox: FxiaokeSandbox, user: str = "1000") -> None:
        self.sandbox = sandbox
        self.user = user
        self.http = httpx.Client(base_url=sandbox.url, trust_env=False)
        self.token = ""

    def raw(self, path: str, body: Any, headers: dict[str, str] | None = None) -> dict[str, Any]:
        reply = self.http.post(
            path,
            json=body,
            params={"thirdTraceId": str(uuid.uuid4())},
            headers=headers or {},
        )
        assert reply.status_code == 200
        return reply.json()

    def sign_in(self) -> dict[str, Any]:
        app = self.sandbox.gateway.reception.app
        body = {
            "appId": app.id,
            "appSecret": app.secret,
            "permanentCode": app.permanent_code,
            "grantType": "app_secret",
        }
        answer = self.raw("/oauth2.0/token", body)
        self.token = answer.get("accessToken", "")
        return answer

    def call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if not self.token:
            self.sign_in()
        headers = {
            "authorization": f"Bearer {self.token}",
            "x-fs-ea": self.sandbox.gateway.reception.app.ea,
            "x-fs-userid": self.user,
        }
        return self.raw(path, body, headers)

    def create(self, object_name: str, fields: dict[str, Any], **top: Any) -> dict[str, Any]:
        base = "/cgi/crm/custom/v2" if object_name.endswith("__c") else "/cgi/crm/v2"
        data = {"object_data": {"dataObjectApiName": object_name, **fields}}
        return self.call(f"{base}/data/create", {**top, "data": data})

    def update(self, object_name: str, id_: str, fields: dict[str, Any], **top: Any) -> Any:
        base = "/cgi/crm/custom/v2" if object_name.endswith("__c") else "/cgi/crm/v2"
        data = {"object_data": {"dataObjectApiName": object_name, "_id": id_, **fields}}
        return self.call(f"{base}/data/update", {**top, "data": data})

    def query(self, object_name: str, *filters: Any, **info: Any) -> dict[str, Any]:
        base = "/cgi/crm/custom/v2" if object_name.endswith("__c") else "/cgi/crm/v2"
        search = {
            "limit": 100,
            "offset": 0,
            "orders": [{"fieldName": "_id", "isAsc": True}],
            "filters": [
                {"field_name": name, "operator": operator, "field_values": values}
                for name, operator, values in filters
            ],
            **info,
        }
        data = {"dataObjectApiName": object_name, "search_query_info": search}
        return self.call(f"{base}/data/query", {"data": data})
