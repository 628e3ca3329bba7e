"""Zoho Accounts in the sandbox: clients, refresh tokens, access tokens and their limits."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from crmsync.testing import SandboxClock, canary
from crmsync_zoho.sandbox_limits import ZohoLimits
from crmsync_zoho.sandbox_replies import Answer, Refusal

GRANT_LIFE = timedelta(minutes=3)

ALL_SCOPES = (
    "ZohoCRM.modules.ALL",
    "ZohoCRM.settings.ALL",
    "ZohoCRM.users.READ",
    "ZohoCRM.org.READ",
    "ZohoCRM.coql.READ",
)


@dataclass(slots=True)
class _Consent:
    """One refresh token: whose it is, what it allows, and the access tokens made from it."""

    scopes: tuple[str, ...]
    live: deque[tuple[str, datetime]] = field(default_factory=deque)
    minted: deque[datetime] = field(default_factory=deque)


class ZohoAccounts:
    """The token endpoint and the check of every call's token.

    Modelled: 200 for every kind of refusal (Zoho answers its token errors so), ten access tokens
    per refresh token in ten minutes, fifteen alive at a time (the sixteenth ends the oldest), one
    hour of life, codes valid for three minutes and once.
    """

    def __init__(self, clock: SandboxClock, limits: ZohoLimits) -> None:
        self._clock = clock
        self._limits = limits
        self._serial = 0
        self._consents: dict[str, _Consent] = {}
        self._codes: dict[str, tuple[datetime, tuple[str, ...]]] = {}
        self.client_id = "1000.PRACTICECLIENT"
        self.client_secret = canary()
        self.refresh_token = f"1000.{canary()}"
        self._consents[self.refresh_token] = _Consent(ALL_SCOPES)

    def restrict(self, scopes: tuple[str, ...]) -> None:
        """Let the practice refresh token carry these scopes only."""
        self._consents[self.refresh_token].scopes = scopes

    def revoke(self) -> None:
        """Somebody removes the connection in Zoho Accounts."""
        self._consents.pop(self.refresh_token, None)

    def end_access_tokens(self) -> None:
        """Every access token made so far stops working."""
        for consent in self._consents.values():
            consent.live.clear()

    def grant_code(self, scopes: tuple[str, ...] = ALL_SCOPES) -> str:
        """A code as the self client's page shows it."""
        self._serial += 1
        code = f"1000.{canary()}"
        self._codes[code] = (self._clock.now() + GRANT_LIFE, scopes)
        return code

    def token(self, form: Mapping[str, str], api_domain: str) -> Answer:
        """Answer the token endpoint."""
        if form.get("client_id") != self.client_id:
            return _refused("invalid_client")
        if form.get("client_secret") != self.client_secret:
            return _refused("invalid_client_secret")
        match form.get("grant_type"):
            case "refresh_token":
                consent = self._consents.get(form.get("refresh_token", ""))
                if consent is None:
                    return _refused("invalid_code")
                return self._mint(consent, api_domain)
            case "authorization_code":
                return self._exchange(form.get("code", ""), api_domain)
        return _refused("invalid_request")

    def _exchange(self, code: str, api_domain: str) -> Answer:
        until, scopes = self._codes.pop(code, (None, ()))
        if until is None or until < self._clock.now():
            return _refused("invalid_code")
        self._serial += 1
        refresh = f"1000.{canary()}"
        consent = self._consents[refresh] = _Consent(scopes)
        answer = self._mint(consent, api_domain)
        return Answer(answer.status, {**answer.body, "refresh_token": refresh})

    def _mint(self, consent: _Consent, api_domain: str) -> Answer:
        now = self._clock.now()
        while consent.minted and consent.minted[0] <= now - self._limits.refresh_window:
            consent.minted.popleft()
        if len(consent.minted) >= self._limits.refreshes:
            return Answer(
                200,
                {
                    "error": "Access Denied",
                    "error_description": "too many token requests, try again later",
                    "status": "failure",
                },
            )
        consent.minted.append(now)
        self._serial += 1
        access = f"1000.{canary()}"
        consent.live.append((access, now + self._limits.access_token_life))
        while len(consent.live) > self._limits.access_tokens:
            consent.live.popleft()
        life = int(self._limits.access_token_life.total_seconds())
        return Answer(
            200,
            {
                "access_token": access,
                "scope": " ".join(consent.scopes),
                "api_domain": api_domain,
                "token_type": "Bearer",
                "expires_in": life,
            },
        )

    def admit(self, authorization: str | None, needed: str) -> None:
        """Let a call in that carries a live token with the *needed* scope; refuses others."""
        if not authorization:
            raise Refusal(401, "AUTHENTICATION_FAILURE", {}, "no credentials")
        kind, _, token = authorization.partition(" ")
        now = self._clock.now()
        for consent in self._consents.values():
            for access, until in consent.live:
                if kind == "Zoho-oauthtoken" and access == token and until > now:
                    if not _covers(consent.scopes, needed):
                        raise Refusal(401, "OAUTH_SCOPE_MISMATCH", {}, "the scope is missing")
                    return
        raise Refusal(401, "INVALID_TOKEN", {}, "invalid oauth token")


def _covers(scopes: tuple[str, ...], needed: str) -> bool:
    *path, operation = needed.split(".")
    for scope in scopes:
        *given, right = scope.split(".")
        if right not in {"ALL", operation}:
            continue
        lowered = [part.lower() for part in given]
        wanted = [part.lower() for part in path]
        if lowered == wanted[: len(lowered)] or lowered == [*wanted[:-1], "all"]:
            return True
    return False


def needed_scope(method: str, parts: tuple[str, ...]) -> str:
    """The scope Zoho asks for a call, by its path below ``/crm/v8``."""
    operation = {"GET": "READ", "POST": "CREATE", "PUT": "UPDATE", "PATCH": "UPDATE"}.get(
        method, "DELETE"
    )
    head = parts[0] if parts else ""
    if head in {"users", "org", "coql"}:
        return f"ZohoCRM.{head}.READ"
    if head == "settings":
        return f"ZohoCRM.settings.{parts[1] if len(parts) > 1 else ''}.{operation}"
    return f"ZohoCRM.modules.{head}.{operation}"


def _refused(error: str) -> Answer:
    return Answer(200, {"error": error})
