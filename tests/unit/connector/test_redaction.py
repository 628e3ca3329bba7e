"""The last net: no secret passes it, whatever library wrote the line, in message or traceback."""

from __future__ import annotations

import io
import logging

import duckdb
import httpx
import pydantic
import pytest
import sqlalchemy as sa
import tenacity

from crmsync.connector.redaction import STRUCK, Redactor
from crmsync.testing import canary


@pytest.fixture
def log() -> tuple[logging.Logger, Redactor, io.StringIO]:
    """A logger whose only handler has the net, and what it wrote."""
    written, redactor = io.StringIO(), Redactor()
    handler = logging.StreamHandler(written)
    handler.addFilter(redactor)
    logger = logging.Logger("invented")
    logger.addHandler(handler)
    return logger, redactor, written


Log = tuple[logging.Logger, Redactor, io.StringIO]
SHAPES = [
    "GET https://accounts.zoho.eu/oauth/v2/token?client_secret={s}&grant_type=x",
    "refresh_token={s}",
    "Authorization: Zoho-oauthtoken {s}",
    "headers={{'authorization': 'Bearer {s}'}}",
    "X-Api-Key: {s}",
    '{{"corpAccessToken": "{s}", "corpId": "c"}}',
    "permanentCode={s}",
    "postgresql://crm:{s}@db.example.org/state",
    "password = {s}",
]


@pytest.mark.parametrize("shape", SHAPES)
def test_whatever_looks_like_a_secret_is_struck_out(log: Log, shape: str) -> None:
    logger, _, written = log
    secret = canary()
    logger.warning("%s then", shape.format(s=secret))
    assert secret not in written.getvalue()
    assert STRUCK in written.getvalue()
    assert written.getvalue().endswith("then\n")


@pytest.mark.parametrize(
    "plain", ["Tokens: 12 left", "secret:zoho/refresh_token is nowhere", "signed in as key account"]
)
def test_ordinary_words_stay(log: Log, plain: str) -> None:
    logger, _, written = log
    logger.warning(plain)
    assert written.getvalue() == f"{plain}\n"


def test_a_known_secret_is_struck_out_in_any_shape(log: Log) -> None:
    logger, redactor, written = log
    secret = redactor.know(canary())
    logger.warning("plain %s and %r", secret, [secret])
    try:
        raise ValueError(f"could not use {secret}")
    except ValueError:
        logger.exception("went wrong with %s", secret)
    assert secret not in written.getvalue()
    assert "ValueError: could not use [secret]" in written.getvalue()


def test_a_name_cannot_forge_a_log_line(log: Log) -> None:
    logger, _, written = log
    logger.warning("customer %s", "A\nERROR all gone\x1b[2J\u202e")
    assert written.getvalue().count("\n") == 1
    assert "\x1b" not in written.getvalue()


class Settings(pydantic.BaseModel):
    secret: pydantic.SecretStr
    client: str


def failing_status(secret: str) -> None:
    request = httpx.Request("POST", f"https://crm.example.org/token?refresh_token={secret}")
    httpx.Response(401, request=request).raise_for_status()


def failing_model(secret: str) -> None:
    Settings.model_validate({"secret": secret})


def failing_sql(secret: str) -> None:
    engine = sa.create_engine("sqlite://")
    with engine.connect() as db:
        db.execute(sa.text("INSERT INTO nowhere VALUES (:token)"), {"token": secret})


def failing_duckdb(secret: str) -> None:
    duckdb.execute("SELECT CAST(? AS INTEGER)", [secret])


def failing_retry(secret: str) -> None:
    def call() -> None:
        raise ConnectionError(f"token={secret}")

    tenacity.Retrying(stop=tenacity.stop_after_attempt(1))(call)


@pytest.mark.parametrize(
    "leak", [failing_status, failing_model, failing_sql, failing_duckdb, failing_retry]
)
def test_no_library_gets_a_secret_past_the_net(log: Log, leak: object) -> None:
    """Each of these shows it in its own words when nobody looks."""
    logger, redactor, written = log
    secret = redactor.know(canary())
    assert callable(leak)
    with pytest.raises(Exception, match=r".+") as caught:
        leak(secret)
    logger.error("failed: %s", caught.value, exc_info=caught.value)
    assert secret not in written.getvalue()
    assert "Traceback" in written.getvalue()
