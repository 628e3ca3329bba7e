"""Signing in to Zoho: refresh token to access token, and which address the API then has."""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta
from urllib.parse import urlsplit

import httpx

from crmsync.connector import ConnectionContext
from crmsync.connector.call import HttpCall, HttpReply, Purpose
from crmsync.connector.http import HttpSession
from crmsync.connector.tokens import Token, TokenCache
from crmsync.errors import AuthError, Throttled, UnexpectedReply
from crmsync.model.text import Text
from crmsync_zoho.settings import ZOHO_SUFFIXES, ZohoSettings

TOKEN_PATH = "/oauth/v2/token"  # noqa: S105 - a path
DENIED_PAUSE = timedelta(minutes=10)
LOOPBACK = ("127.0.0.1", "::1", "localhost")
STALE_TOKEN = frozenset({"INVALID_TOKEN", "INVALID_OAUTHTOKEN", "AUTHENTICATION_FAILURE"})
"""Codes of a 401 that a new access token may mend; a missing scope is not among them."""


class SignIn:
    """Fetches access tokens. Zoho grants ten in ten minutes, so they are kept and shared."""

    def __init__(self, settings: ZohoSettings, context: ConnectionContext) -> None:
        self._settings = settings
        self._context = context
        self._session = HttpSession(settings.sign_in_address, context)
        secrets = context.secrets
        identity = "\n".join(
            (
                settings.sign_in_address,
                settings.client_id,
                secrets.get(settings.refresh_token),
            )
        )
        self.tokens = TokenCache(context, self._fetch, identity=identity, denied_pause=DENIED_PAUSE)

    def __repr__(self) -> str:
        return f"SignIn({urlsplit(self._settings.sign_in_address).hostname})"

    def close(self) -> None:
        """Give the connection back."""
        self._session.close()

    def exchange(self, code: str) -> str:
        """The refresh token for a code from the self client's page; the code works once, soon."""
        found = self._ask({"grant_type": "authorization_code", "code": code})
        token = found.get("refresh_token")
        if not isinstance(token, str):
            raise AuthError(
                Text(
                    zh="Zoho 没有给出刷新令牌",
                    en="Zoho gave no refresh token",
                ),
                mend=Text(
                    zh="请在 Self Client 页面重新生成授权码（需要 offline 访问）。",
                    en="Make a new code on the Self Client page (with offline access).",
                ),
            )
        return token

    def _fetch(self) -> Token:
        refresh = self._context.secrets.get(self._settings.refresh_token)
        found = self._ask({"grant_type": "refresh_token", "refresh_token": refresh})
        value, life = found.get("access_token"), found.get("expires_in", 3600)
        if not isinstance(value, str) or not isinstance(life, int):
            raise UnexpectedReply(
                Text(zh="Zoho 的令牌回复里没有令牌", en="Zoho's token reply holds no token")
            )
        extra = {}
        if isinstance(found.get("api_domain"), str):
            extra["api_domain"] = str(found["api_domain"])
        return Token(value, self._context.now() + timedelta(seconds=life), extra)

    def _ask(self, form: dict[str, str]) -> dict[str, object]:
        """Ask the token endpoint; Zoho answers most of its refusals with status 200."""
        secret = self._context.secrets.get(self._settings.client_secret)
        reply = self._session.send(
            HttpCall(
                method="POST",
                path=TOKEN_PATH,
                purpose=Purpose.AUTH,
                form={"client_id": self._settings.client_id, "client_secret": secret, **form},
                signed=False,
            )
        )
        if reply.status == 429 or reply.status >= 500:
            problem = self._session.failure(reply)
            assert problem is not None
            raise problem
        found = reply.json_object()
        error = found.get("error")
        if error is not None or not reply.ok:
            raise self._refusal(str(error), reply)
        return found

    def _refusal(self, error: str, reply: HttpReply) -> Exception:
        name = self._context.connection
        if error.replace("_", " ").lower() == "access denied":
            return Throttled(
                Text(
                    zh=f"连接“{name}”：Zoho 暂停发放令牌（10 分钟内最多 10 个）",
                    en=f"connection “{name}”: Zoho gives no more tokens for now "
                    "(ten in ten minutes)",
                ),
                retry_after=DENIED_PAUSE.total_seconds(),
                remote_code="Access Denied",
            )
        known = {
            "invalid_code": Text(
                zh="刷新令牌已失效或被撤销",
                en="the refresh token is no longer valid or was revoked",
            ),
            "invalid_client": Text(
                zh="client_id 不属于这个数据中心，或已被删除",
                en="the client_id is unknown in this data centre, or was deleted",
            ),
            "invalid_client_secret": Text(
                zh="client_secret 不正确", en="the client_secret is wrong"
            ),
        }
        code = error if error in known else f"HTTP {reply.status}"
        why = known.get(error, Text.same(code))
        return AuthError(
            Text(
                zh=f"连接“{name}”：Zoho 拒绝登录：{why.zh}",
                en=f"connection “{name}”: Zoho refused to sign in: {why.en}",
            ),
            mend=Text(
                zh=f"核对 data_centre 与密钥，按 GUIDE 重新授权：crmsync connect {name}",
                en=f"Check data_centre and the secrets, then sign in anew as the guide says: "
                f"crmsync connect {name}",
            ),
            remote_code=code,
        )


def api_base(settings: ZohoSettings, token: Token, *, allow_private: bool) -> str:
    """The API's address: the setting's, else the one Zoho named with the token.

    A host that is not Zoho's is refused (UnexpectedReply): a token must never travel there.
    """
    named = token.extra.get("api_domain")
    if settings.api_domain is not None or named is None:
        return settings.api_address.rstrip("/")
    parts = urlsplit(named)
    host = (parts.hostname or "").lower()
    own = allow_private and host in LOOPBACK
    if own or (parts.scheme == "https" and host.endswith(ZOHO_SUFFIXES)):
        return f"{parts.scheme}://{parts.netloc}"
    raise UnexpectedReply(
        Text(
            zh=f"Zoho 给出的 API 地址 {host} 不是 Zoho 的主机，已拒绝",
            en=f"the API address Zoho named, {host}, is not one of Zoho's hosts: refused",
        ),
        remote_code="API_DOMAIN",
    )


class ZohoAuth(httpx.Auth):
    """Signs requests; after a 401 for a stale token once more with a new one.

    A 401 means that nothing was done, so repeating is safe for writes, too. A missing scope is a
    401 as well: it is left alone, for a new token would not mend it and Zoho counts tokens.
    """

    requires_response_body = True

    def __init__(self, tokens: TokenCache) -> None:
        self._tokens = tokens

    def __repr__(self) -> str:
        return "ZohoAuth(…)"

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign, send, and once more if the token was refused."""
        token = self._tokens.get()
        request.headers["Authorization"] = f"Zoho-oauthtoken {token.value}"
        response = yield request
        if response.status_code == 401 and _stale(response):
            token = self._tokens.refused(token)
            request.headers["Authorization"] = f"Zoho-oauthtoken {token.value}"
            yield request


def _stale(response: httpx.Response) -> bool:
    try:
        found = response.json()
    except ValueError:
        return True
    return not isinstance(found, dict) or found.get("code") in STALE_TOKEN
