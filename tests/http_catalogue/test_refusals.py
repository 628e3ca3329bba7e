"""Rows 1 to 6, 9 to 11, 33 to 35, 37 and 42: refusals, pauses, quotas, sign-in, redirects."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from tests.http_catalogue.line import PEOPLE, Line

from crmsync.connector import WriteOptions
from crmsync.connector.gate import LONGEST_PAUSE
from crmsync.connector.http import ClockWrong
from crmsync.errors import (
    AccessDenied,
    AuthError,
    ExitCode,
    OutcomeUnknown,
    QuotaExhausted,
    Throttled,
    UnexpectedReply,
)
from crmsync.model.change import Outcome, SetFields
from crmsync.testing import MemoryTokenShelf, RequestKind
from crmsync.testing.bad_wire import Answer, Behaviour, changed, reply
from crmsync.testing.memory_crm import Trouble


def answers(body: Mapping[str, Any], status: str = "200 OK", **headers: str) -> Behaviour:
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return reply(json.dumps(body).encode(), status=status, headers=lines)


def zoho_code(code: str, status: str, **headers: str) -> Behaviour:
    body = {"code": code, "details": {}, "message": "Ms Example", "status": "error"}
    return answers(body, status, **headers)


def fxiaoke_code(code: int) -> Behaviour:
    return answers({"errorCode": code, "errorMessage": "Ms Example", "traceId": "E-1"})


def dated(line: Line, by: timedelta) -> Behaviour:
    """The answer with a clock of its own."""
    moment = line.sandbox.clock.now() + by

    def shift(answer: Answer) -> Answer:
        headers = {**answer.headers, "date": format_datetime(moment, usegmt=True)}
        return Answer(answer.status, answer.reason, headers, answer.body)

    return changed(shift)


# rows 1 to 3: pauses


def later(line: Line, seconds: float) -> str:
    return format_datetime(line.sandbox.clock.now() + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize("as_date", [False, True])
def test_a_named_pause_is_waited_for_by_everybody(wire: Line, as_date: bool) -> None:
    connector, other = wire.open(), None
    meter = connector_meter(wire)
    connector, other = wire.open(meter=meter), wire.open(meter=meter)
    value = later(wire, 30) if as_date else "30"
    began = wire.sandbox.clock.now()
    wire.next(answers({}, "429 Slow", Retry_After=value), RequestKind.WRITE)
    with pytest.raises(Throttled) as caught:
        wire.write(connector)
    assert caught.value.retry_after == pytest.approx(30, abs=1)
    assert caught.value.exit is ExitCode.TRY_LATER
    sent = len(wire.proxy.requests)
    with pytest.raises(Throttled) as held:
        wire.write(other)
    assert "等待 30 秒" in held.value.message.zh
    assert "a pause of 30 s" in held.value.message.en
    assert len(wire.proxy.requests) == sent
    assert len(wire.read(other)) == PEOPLE
    assert wire.sandbox.clock.now() - began >= timedelta(seconds=30)
    assert [text.en for text in wire.notices]
    wire.write(connector)


def connector_meter(line: Line) -> Any:
    from crmsync.connector.meter import OwnMeter

    return OwnMeter()


def test_without_a_header_the_pause_grows_and_stays_short(wire: Line) -> None:
    connector = wire.open()
    began = wire.sandbox.clock.now()
    wire.next(answers({}, "429 Slow"), times=3)
    assert len(wire.read(connector)) == PEOPLE
    assert timedelta() <= wire.sandbox.clock.now() - began <= timedelta(seconds=7)


ODD = {
    "-1": None,
    "1.5": 1.5,
    "abc": None,
    "3, 4": None,
    "nan": None,
    "Sun, 22 Nov 2015 08:00:00 GMT": 0.0,
    "999999999": 604800.0,
}


@pytest.mark.parametrize("value", ODD)
def test_an_odd_pause_is_tolerated(wire: Line, value: str) -> None:
    connector = wire.open()
    wire.next(answers({}, "429 Slow", Retry_After=value), RequestKind.WRITE)
    with pytest.raises(Throttled) as caught:
        wire.write(connector)
    assert caught.value.retry_after == ODD[value]
    if (ODD[value] or 0) <= LONGEST_PAUSE:
        wire.sandbox.clock.advance(2)
        wire.write(connector)
    else:
        with pytest.raises(Throttled):
            wire.read(connector)


# rows 4 to 6: quota, sign-in, permission


def quota_gone(line: Line) -> Behaviour:
    if line.name == "zoho":
        return zoho_code("TOO_MANY_REQUESTS", "429 Slow", X_API_CREDITS_REMAINING="0")
    return fxiaoke_code(30002)


def test_a_spent_quota_is_no_sign_in_error_and_says_when(wire: Line) -> None:
    connector = wire.open()
    wire.next(quota_gone(wire), RequestKind.WRITE)
    with pytest.raises(QuotaExhausted) as caught:
        wire.write(connector)
    problem = caught.value
    assert problem.exit is ExitCode.TRY_LATER
    assert "用完" in problem.message.zh
    assert "used up" in problem.message.en
    assert isinstance(problem.resets_at, datetime)
    assert problem.resets_at > wire.sandbox.clock.now()


def refused_token(line: Line) -> Behaviour:
    if line.name == "zoho":
        return zoho_code("INVALID_TOKEN", "401 No")
    return fxiaoke_code(20016)


def test_a_refused_token_is_renewed_once(wire: Line) -> None:
    connector = wire.open()
    tokens = wire.sent(RequestKind.AUTH)
    wire.next(refused_token(wire), RequestKind.WRITE)
    (result,) = wire.write(connector)
    assert result.outcome is Outcome.APPLIED
    assert wire.sent(RequestKind.AUTH) == tokens + 1


def test_a_token_refused_twice_stops_and_says_how_to_sign_in(wire: Line) -> None:
    connector = wire.open()
    wire.next(refused_token(wire), RequestKind.WRITE, times=2)
    with pytest.raises(AuthError) as caught:
        wire.write(connector)
    assert caught.value.exit is ExitCode.SIGN_IN
    assert caught.value.mend is not None
    assert wire.stored() != "new"
    assert "Example" not in str(caught.value) + caught.value.message.zh


def test_a_missing_scope_is_named(zoho: Line) -> None:
    connector = zoho.open()
    zoho.next(zoho_code("OAUTH_SCOPE_MISMATCH", "401 No"), RequestKind.WRITE)
    with pytest.raises(AccessDenied) as caught:
        zoho.write(connector)
    assert caught.value.mend is not None
    assert "ZohoCRM.modules.accounts.UPDATE" in caught.value.mend.zh
    assert "ZohoCRM.modules.accounts.UPDATE" in caught.value.mend.en
    assert zoho.sent(RequestKind.AUTH) == 1


def test_a_missing_permission_of_the_app(fxiaoke: Line) -> None:
    connector = fxiaoke.open()
    fxiaoke.next(fxiaoke_code(15003), RequestKind.WRITE)
    with pytest.raises(AccessDenied) as caught:
        fxiaoke.write(connector)
    assert "权限" in caught.value.message.zh
    assert caught.value.exit is ExitCode.SIGN_IN


# rows 9 to 11: one bad row, an error that calls itself a success


def test_one_locked_record_is_refused_by_its_own_key(zoho: Line) -> None:
    connector = zoho.open()
    zoho.sandbox.lock(zoho.harness.object, zoho.refs[1].id)
    field = zoho.harness.text_field
    changes = [SetFields(f"c{n}", ref, {}, {field: "x"}) for n, ref in enumerate(zoho.refs)]
    results = {item.change_id: item for item in connector.write(changes, WriteOptions())}
    assert [results[f"c{n}"].outcome for n in range(3)] == [
        Outcome.APPLIED,
        Outcome.REJECTED,
        Outcome.APPLIED,
    ]
    assert results["c1"].error is not None
    assert results["c1"].error.code == "RECORD_LOCKED"


def test_a_400_for_one_bad_row_is_that_rows_refusal(wire: Line) -> None:
    field, value = wire.harness.bad_value()
    connector = wire.open()
    change = SetFields("c1", wire.refs[0], {field: None}, {field: value})
    (result,) = connector.write([change], WriteOptions())
    assert result.outcome is Outcome.REJECTED
    assert result.error is not None
    assert result.error.code
    assert str(value) not in result.error.message


@pytest.mark.parametrize("body", [{"errorCode": 777777, "errorMessage": "?"}, {"status": "fine"}])
def test_a_200_with_an_unknown_body_after_a_write_is_in_doubt(
    wire: Line, body: Mapping[str, Any]
) -> None:
    connector = wire.open()
    wire.next(answers(body), RequestKind.WRITE)
    try:
        (result,) = wire.write(connector)
        outcome = result.outcome
    except OutcomeUnknown:
        outcome = Outcome.UNKNOWN
    assert outcome is Outcome.UNKNOWN


def test_a_200_with_an_error_body_on_a_read_is_no_empty_list(wire: Line) -> None:
    connector = wire.open()
    wire.next(answers({"errorCode": 777777, "errorMessage": "Ms Example", "traceId": "E-9"}))
    with pytest.raises(UnexpectedReply) as caught:
        wire.read(connector)
    assert "Example" not in caught.value.message.zh + caught.value.message.en


# rows 33 and 34: redirects


def moved(target: str, status: int) -> Behaviour:
    return reply(b"", status=f"{status} Moved", headers=f"Location: {target}\r\n")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(wire: Line, status: int) -> None:
    connector = wire.open()
    before = len(wire.proxy.requests)
    wire.next(moved("https://else.example.test/x", status), RequestKind.WRITE)
    with pytest.raises(OutcomeUnknown) as caught:
        wire.write(connector)
    assert "else.example.test" in caught.value.message.zh
    assert caught.value.mend is not None
    assert "api_domain" in caught.value.mend.en
    assert len(wire.proxy.requests) == before + 1


@pytest.mark.parametrize(
    ("host", "place"),
    [
        ("www.zohoapis.eu", "eu"),
        ("crm.zoho.com.cn", "cn"),
        ("accounts.zoho.com.au", "au"),
        ("www.zohoapis.ca", "ca"),
    ],
)
def test_a_redirect_to_another_data_centre_names_it(zoho: Line, host: str, place: str) -> None:
    connector = zoho.open()
    zoho.next(moved(f"https://{host}/crm/v8/Accounts", 307))
    with pytest.raises(UnexpectedReply) as caught:
        zoho.read(connector)
    assert caught.value.mend is not None
    assert f"data_centre: {place}" in caught.value.mend.zh
    assert f"the {place.upper()} data centre" in caught.value.mend.en


# row 35: one refresh


def test_many_connectors_without_a_token_ask_for_one(wire: Line) -> None:
    shelf = MemoryTokenShelf()
    connectors = [wire.open(prime=False, shelf=shelf) for _ in range(6)]
    gate = threading.Barrier(6)
    failed: list[Exception] = []

    def work(connector: Any) -> None:
        gate.wait()
        try:
            connector.check()
        except Exception as problem:
            failed.append(problem)

    threads = [threading.Thread(target=work, args=(each,)) for each in connectors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert wire.sent(RequestKind.AUTH) == 1


# row 37: clocks


def test_minutes_of_skew_are_told_once(wire: Line) -> None:
    connector = wire.open()
    wire.next(dated(wire, timedelta(minutes=-7)), times=2)
    wire.read(connector)
    wire.read(connector)
    (told,) = [text for text in wire.notices if "时钟" in text.zh]
    assert "快约 7 分钟" in told.zh
    assert "about 7 min ahead of the CRM's" in told.en


def test_days_of_skew_stop_everything_before_a_write(wire: Line) -> None:
    connector = wire.open()
    wire.next(dated(wire, timedelta(days=3)))
    with pytest.raises(ClockWrong) as caught:
        wire.read(connector)
    assert "慢约 3 天" in caught.value.message.zh
    assert "3 days behind" in caught.value.message.en
    assert caught.value.exit is ExitCode.FINDINGS


def test_skew_told_with_a_writes_reply_does_not_lose_its_outcome(wire: Line) -> None:
    connector = wire.open()
    wire.next(dated(wire, timedelta(days=3)), RequestKind.WRITE)
    (result,) = wire.write(connector)
    assert result.outcome is Outcome.APPLIED


# row 42: the environment


def test_nothing_comes_from_the_environment(
    wire: Line, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password canary-7351\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    keys = tmp_path / "keys.log"
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    connector = wire.open()
    assert len(wire.read(connector)) == PEOPLE
    assert not any(b"canary-7351" in request for request in wire.proxy.requests)
    assert not keys.exists()


def test_every_trouble_of_the_contract_has_a_wire(wire: Line) -> None:
    """The kinds of trouble the contract suite strikes with are all shown by both vendors."""
    kinds = {kind for kind in Trouble if wire.harness.fault(kind) is not None}
    assert {Trouble.THROTTLED, Trouble.SIGN_IN, Trouble.LOST_AFTER_COMMIT} <= kinds
