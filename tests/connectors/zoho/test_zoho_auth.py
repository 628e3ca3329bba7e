"""Tokens: one refresh, kept across restarts; every refusal says who has to act."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from pydantic import ValidationError
from tests.connectors.zoho.zoho_open import accounts, one, settings_of

from crmsync.errors import AccessDenied, AuthError, CrmSyncError, Throttled, UnexpectedReply
from crmsync.testing import Reply, RequestKind
from crmsync_zoho.auth import SignIn
from crmsync_zoho.connector import open_connector
from crmsync_zoho.settings import DATA_CENTRES, DataCentre, ZohoSettings


def token_calls(sandbox) -> int:
    return sandbox.recorder.count(kind=RequestKind.AUTH)


def test_a_token_is_kept_across_restarts(sandbox, shelf) -> None:
    for _ in range(3):
        connector = open_connector(settings_of(sandbox), sandbox.context(shelf=shelf))
        connector.check()
        connector.close()
    assert token_calls(sandbox) == 1


def test_threads_share_one_refresh(sandbox, connector) -> None:
    threads = [threading.Thread(target=connector.check) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert token_calls(sandbox) == 1


def test_a_token_is_renewed_before_it_ends(sandbox, connector) -> None:
    connector.check()
    sandbox.clock.advance(timedelta(minutes=56))
    connector.check()
    assert token_calls(sandbox) == 2


def test_a_token_that_zoho_dropped_is_replaced_once(sandbox, connector) -> None:
    connector.check()
    sandbox.accounts.end_access_tokens()
    connector.check()
    assert token_calls(sandbox) == 2


def test_a_missing_scope_is_named_and_costs_no_token(sandbox, connector) -> None:
    (record,) = accounts(sandbox, 1)
    sandbox.accounts.restrict(("ZohoCRM.org.READ", "ZohoCRM.users.READ"))
    connector.check()
    with pytest.raises(AccessDenied) as refused:
        one(connector, "Accounts", record, "Account_Name")
    assert refused.value.remote_code == "OAUTH_SCOPE_MISMATCH"
    assert token_calls(sandbox) == 1


def test_a_revoked_refresh_token_asks_a_person_to_sign_in(sandbox, connector) -> None:
    sandbox.accounts.revoke()
    with pytest.raises(AuthError) as refused:
        connector.check()
    assert refused.value.remote_code == "invalid_code"


def test_a_wrong_client_is_told_apart(sandbox) -> None:
    wrong = settings_of(sandbox, client_id="1000.SOMEBODYELSE")
    connector = open_connector(wrong, sandbox.context())
    with pytest.raises(AuthError) as refused:
        connector.check()
    assert refused.value.remote_code == "invalid_client"
    connector.close()


def test_too_many_tokens_make_everybody_pause_even_after_a_restart(sandbox, limits, shelf) -> None:
    limits.refreshes = 0
    for _ in range(3):
        connector = open_connector(settings_of(sandbox), sandbox.context(shelf=shelf))
        with pytest.raises(Throttled) as refused:
            connector.check()
        connector.close()
    assert refused.value.retry_after == pytest.approx(600)
    assert token_calls(sandbox) == 1


def test_the_api_domain_zoho_names_is_used(sandbox) -> None:
    settings = settings_of(sandbox, api_domain=None)
    connector = open_connector(settings, sandbox.context())
    assert connector.check().name == "Practice Trading Co."
    connector.close()


@pytest.mark.parametrize(
    "domain",
    [
        "https://zohoapis.com.attacker.example",
        "https://attacker.example",
        "http://www.zohoapis.com",
    ],
)
def test_a_foreign_api_domain_never_sees_the_token(sandbox, domain: str) -> None:
    settings = settings_of(sandbox, api_domain=None)
    body = {"access_token": "invented", "expires_in": 3600, "api_domain": domain}
    sandbox.faults.next("POST", "/oauth/v2/token", reply(body))
    connector = open_connector(settings, sandbox.context())
    with pytest.raises(UnexpectedReply):
        connector.check()
    connector.close()


def reply(body: object, status: int = 200):
    return Reply(status, body=body)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, {"error": "Access Denied", "status": "failure"}, Throttled),
        (200, {"error": "invalid_client"}, AuthError),
        (200, {"error": "something_new"}, AuthError),
        (200, {"scope": "x"}, UnexpectedReply),
        (500, {}, CrmSyncError),
        (200, "<html><title>Sign in</title></html>", CrmSyncError),
    ],
)
def test_every_token_refusal_has_its_meaning(sandbox, connector, status, body, error) -> None:
    sandbox.faults.next("POST", "/oauth/v2/token", reply(body, status), times=9)
    with pytest.raises(error) as refused:
        connector.check()
    for secret in sandbox.connection_settings().secrets.values():
        assert secret not in repr(refused.value) + str(vars(refused.value))


def test_a_code_is_exchanged_for_a_refresh_token(sandbox) -> None:
    sign_in = SignIn(settings_of(sandbox), sandbox.context())
    refresh = sign_in.exchange(sandbox.accounts.grant_code())
    assert refresh.startswith("1000.")
    with pytest.raises(AuthError):
        sign_in.exchange("1000.used-up")
    sign_in.close()


KEYS = {"client_id": "1000.X", "client_secret": "secret:a", "refresh_token": "secret:b"}


@pytest.mark.parametrize("centre", DataCentre)
def test_every_data_centre_has_its_addresses(centre: DataCentre) -> None:
    settings = ZohoSettings(data_centre=centre, **KEYS)
    assert settings.sign_in_address == f"https://{DATA_CENTRES[centre].accounts}"
    assert settings.api_address == f"https://www.{DATA_CENTRES[centre].api}"
    sandbox = ZohoSettings(data_centre=centre, environment="sandbox", **KEYS)
    assert sandbox.api_address == f"https://sandbox.{DATA_CENTRES[centre].api}"


def test_a_secret_pasted_into_the_file_is_refused_and_not_repeated() -> None:
    with pytest.raises(ValidationError) as refused:
        ZohoSettings.model_validate({**KEYS, "client_secret": "invented-real-secret"})
    assert "invented-real-secret" not in str(refused.value)
    assert "secret:NAME" in str(refused.value)


def test_settings_hold_references_only() -> None:
    assert ZohoSettings.model_validate(KEYS).client_secret == "a"
