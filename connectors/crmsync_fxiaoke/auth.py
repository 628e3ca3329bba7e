"""Signing in: the app's token, fetched by one and used by all, and the headers of each call.

The token interface takes ten calls a minute and none at the same time; within the first 6600 of a
token's 7200 seconds it gives the same one again. So a token is renewed in its last five minutes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from uuid import uuid4

from crmsync.connector.context import ConnectionContext
from crmsync.connector.http import HttpCall, HttpSession, Purpose
from crmsync.connector.tokens import Token, TokenCache
from crmsync_fxiaoke.codes import envelope_of, problem_of
from crmsync_fxiaoke.settings import FxiaokeSettings

TOKEN_PATH = "/oauth2.0/token"  # noqa: S105 - a path
RENEW_BEFORE = timedelta(minutes=5)
PAUSE_AFTER_REFUSAL = timedelta(seconds=60)


class SignIn:
    """Keeps the token of one connection and signs its calls."""

    def __init__(
        self, settings: FxiaokeSettings, context: ConnectionContext, session: HttpSession
    ) -> None:
        self._settings = settings
        self._context = context
        self._session = session
        self._cache = TokenCache(
            context,
            self._fetch,
            identity=f"{settings.host} {settings.app_id} {settings.permanent_code}",
            margin=RENEW_BEFORE,
            denied_pause=PAUSE_AFTER_REFUSAL,
        )

    def __repr__(self) -> str:
        return "SignIn(…)"

    def token(self) -> Token:
        """A live token; raises AuthError, Throttled, Unavailable."""
        return self._cache.get()

    def another(self, refused: Token) -> Token:
        """The CRM refused that token: the next one."""
        return self._cache.refused(refused)

    def headers(self, token: Token) -> Mapping[str, str]:
        """What signs a call."""
        return {
            "authorization": f"Bearer {token.value}",
            "x-fs-ea": token.extra["ea"],
            "x-fs-userid": self._settings.user_id,
        }

    def _fetch(self) -> Token:
        secrets = self._context.secrets
        call = HttpCall(
            method="POST",
            path=TOKEN_PATH,
            purpose=Purpose.AUTH,
            query={"thirdTraceId": str(uuid4())},
            json={
                "appId": self._settings.app_id,
                "appSecret": secrets.get(self._settings.app_secret),
                "permanentCode": secrets.get(self._settings.permanent_code),
                "grantType": "app_secret",
            },
            signed=False,
        )
        asked = self._context.now()
        envelope = envelope_of(self._session, self._session.send(call))
        problem = problem_of(envelope, self._context)
        if problem is not None:
            raise problem
        body = envelope.body
        token, company, life = (body.get(key) for key in ("accessToken", "ea", "expiresIn"))
        if not (isinstance(token, str) and token and isinstance(company, str) and company):
            raise envelope.unreadable("accessToken")
        if isinstance(life, bool) or not isinstance(life, int) or not 0 < life <= 7200:
            raise envelope.unreadable("expiresIn")
        return Token(token, asked + timedelta(seconds=life), {"ea": company})
