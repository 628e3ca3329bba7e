"""Who may come in: the company's app, its tokens, and the employee a call acts for.

Both generations of sign-in are taken, as the gateway was probed to do: the newer one in headers,
the older one inside the body.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crmsync.testing import canary
from crmsync_fxiaoke.sandbox_limits import TokenDesk
from crmsync_fxiaoke.sandbox_tenant import Employee, FxiaokeTenant, Refused

NEW_TOKEN, OLD_TOKEN = TOKEN_PATHS = ("/oauth2.0/token", "/cgi/corpAccessToken/get/V2")
BAD_APP, BAD_TOKEN, NO_TOKEN, NO_SUCH_PERSON, TOO_MANY = 10006, 20016, 20017, 20012, 14001
Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class App:
    """The company's own app as its administrator made it (invented values)."""

    id: str = "FSAID_sandbox"
    secret: str = field(default_factory=canary)
    permanent_code: str = field(default_factory=canary)
    ea: str = "crmsyncdemo"
    corp_id: str = "FSCID_SANDBOX"


class Reception:
    """Signs callers in. ``app_state`` of 20021 or 20022 refuses the app as a whole."""

    def __init__(self, tenant: FxiaokeTenant) -> None:
        self.app = App()
        self.app_state = 0
        self.desk = TokenDesk()
        self._tenant = tenant

    async def token(self, path: str, body: Body) -> dict[str, Any]:
        """Answer one of the two token interfaces; one caller at a time."""
        now = self._tenant.store.clock.now()
        if self.desk.busy or not self.desk.admits(now):
            raise Refused("接口调用超过限制", TOO_MANY)
        self.desk.busy = True
        try:
            await asyncio.sleep(0.01)
        finally:
            self.desk.busy = False
        app = self.app
        right = {"appId": app.id, "appSecret": app.secret, "permanentCode": app.permanent_code}
        if path == NEW_TOKEN:
            right["grantType"] = "app_secret"
        if any(body.get(name) != value for name, value in right.items()):
            raise Refused("the parameter appSecret is missing or illegal", BAD_APP)
        token = self.desk.give(now)
        left = token.left(now)
        if path == OLD_TOKEN:
            return {"corpAccessToken": token.text, "corpId": app.corp_id, "expiresIn": left}
        return {
            "openUserId": app.corp_id,
            "accessToken": token.text,
            "expiresIn": left,
            "appId": app.id,
            "ea": app.ea,
        }

    def sign_in(self, headers: Body, body: Body) -> Employee:
        """The employee a call acts for; raises Refused."""
        bearer = str(headers.get("authorization", ""))
        people = self._tenant.people
        if bearer:
            token, company = bearer.removeprefix("Bearer "), headers.get("x-fs-ea") == self.app.ea
            person = people.get(str(headers.get("x-fs-userid", "")))
        else:
            if not body.get("corpAccessToken"):
                raise Refused("corpAccessToken为必填项，不能为空", NO_TOKEN)
            token, company = str(body["corpAccessToken"]), body.get("corpId") == self.app.corp_id
            wanted = body.get("currentOpenUserId")
            person = next((p for p in people.values() if p.open_user_id == wanted), None)
        if not company or not self.desk.works(token, self._tenant.store.clock.now()):
            raise Refused("the cropId,cropAccessToken or authorization is error", BAD_TOKEN)
        if self.app_state:
            raise Refused("应用停用或未授权", self.app_state)
        if person is None or person.stopped:
            raise Refused("openUserId未找到", NO_SUCH_PERSON)
        return person
