"""Sign-in, envelope and limits, as the vendor documents them (or as they were probed)."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
from tests.connectors.fxiaoke.fxiaoke_caller import Caller

from crmsync.testing import SandboxClock
from crmsync_fxiaoke.sandbox import FxiaokeSandbox

QUERY = "/cgi/crm/v2/data/query"
LIST = "/cgi/crm/v2/object/list"


def test_a_wrong_app_secret_is_10006_with_http_200(caller: Caller) -> None:
    answer = caller.raw("/oauth2.0/token", {"appId": "x", "appSecret": "y", "permanentCode": "z"})
    assert answer["errorCode"] == 10006
    old = caller.raw("/cgi/corpAccessToken/get/V2", {"appId": "x"})
    assert old["errorCode"] == 10006


def test_no_sign_in_is_20017_and_a_made_up_token_20016(caller: Caller) -> None:
    assert caller.raw(QUERY, {"data": {}})["errorCode"] == 20017
    headers = {"authorization": "Bearer no", "x-fs-ea": "crmsyncdemo", "x-fs-userid": "1000"}
    assert caller.raw(QUERY, {"data": {}}, headers)["errorCode"] == 20016


def test_the_older_sign_in_in_the_body_works_too(caller: Caller) -> None:
    app = caller.sandbox.gateway.reception.app
    secrets = {"appId": app.id, "appSecret": app.secret, "permanentCode": app.permanent_code}
    token = caller.raw("/cgi/corpAccessToken/get/V2", secrets)
    body = {
        "corpAccessToken": token["corpAccessToken"],
        "corpId": token["corpId"],
        "currentOpenUserId": "FSUID_1000",
    }
    answer = caller.raw(LIST, body)
    assert answer["errorCode"] == 0
    names = {item["describeApiName"] for item in answer["data"]["objects"]}
    assert {"AccountObj", "SalesOrderObj", "crmsync_task__c"} <= names


def test_an_unknown_person_is_refused_even_with_a_good_token(caller: Caller) -> None:
    caller.user = "4711"
    assert caller.call(LIST, {})["errorCode"] == 20012


def test_the_same_token_for_6600_seconds_then_a_new_one_beside_the_old(
    caller: Caller, clock: SandboxClock
) -> None:
    first = caller.sign_in()
    clock.advance(6599)
    assert caller.sign_in()["accessToken"] == first["accessToken"]
    clock.advance(1)
    second = caller.sign_in()
    assert second["accessToken"] != first["accessToken"]
    caller.token = first["accessToken"]
    assert caller.call(LIST, {})["errorCode"] == 0
    clock.advance(600)
    assert caller.call(LIST, {})["errorCode"] == 20016
    caller.token = second["accessToken"]
    assert caller.call(LIST, {})["errorCode"] == 0


def test_the_token_interface_takes_ten_calls_a_minute(caller: Caller, clock: SandboxClock) -> None:
    assert {caller.sign_in()["errorCode"] for _ in range(10)} == {0}
    assert caller.sign_in()["errorCode"] == 14001
    clock.advance(60)
    assert caller.sign_in()["errorCode"] == 0


def test_the_token_interface_refuses_two_at_once(sandbox: FxiaokeSandbox) -> None:
    codes: list[int] = []
    start = threading.Barrier(4)

    def ask() -> None:
        person = Caller(sandbox)
        with person.http:
            start.wait()
            codes.append(person.sign_in()["errorCode"])

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0 in codes
    assert 14001 in codes


def test_each_interface_takes_100_calls_in_20_seconds(caller: Caller, clock: SandboxClock) -> None:
    codes = [caller.call(LIST, {})["errorCode"] for _ in range(101)]
    assert codes == [0] * 100 + [30004]
    body = {"departmentId": 999999, "fetchChild": True, "showDepartmentIdsDetail": True}
    assert caller.call("/cgi/user/list", body)["errorCode"] == 0
    clock.advance(20)
    assert caller.call(LIST, {})["errorCode"] == 0


def test_the_daily_quota_starts_again_at_midnight_in_beijing(clock: SandboxClock) -> None:
    with FxiaokeSandbox(clock, daily_calls=2) as sandbox:
        caller = Caller(sandbox)
        with caller.http:
            codes = [caller.call(LIST, {})["errorCode"] for _ in range(3)]
            assert codes == [0, 0, 30002]
            clock.advance(15 * 3600)  # 09:00 → 24:00 in Beijing
            caller.sign_in()
            assert caller.call(LIST, {})["errorCode"] == 0


def test_without_a_bought_pack_nothing_works(clock: SandboxClock) -> None:
    with FxiaokeSandbox(clock, daily_calls=None) as sandbox:
        caller = Caller(sandbox)
        with caller.http:
            assert caller.call(LIST, {})["errorCode"] == 30003


@pytest.mark.parametrize("state", [20021, 20022])
def test_a_stopped_app_is_refused_everywhere(caller: Caller, state: int) -> None:
    caller.sandbox.gateway.reception.app_state = state
    assert caller.call(LIST, {})["errorCode"] == state


def test_a_trace_id_used_twice_breaks_the_invariants(clock: SandboxClock) -> None:
    with FxiaokeSandbox(clock) as sandbox:
        caller = Caller(sandbox)
        trace = {"thirdTraceId": str(uuid.uuid4())}
        with caller.http as http:
            for _ in range(2):
                http.post(LIST, json={}, params=trace)
        with pytest.raises(AssertionError, match="twice"):
            sandbox.invariants.check()


def test_describe_tells_labels_options_types_and_targets(caller: Caller) -> None:
    answer = caller.call("/cgi/crm/v2/object/describe", {"data": {"apiName": "SalesOrderObj"}})
    fields: dict[str, Any] = answer["data"]["describe"]["fields"]
    assert fields["order_amount"]["type"] == "currency"
    assert fields["order_amount"]["decimal_places"] == 2
    assert fields["account_id"]["target_api_name"] == "AccountObj"
    assert {"value": "normal", "label": "正常", "not_usable": False} in fields["life_status"][
        "options"
    ]
    assert fields["create_time"]["is_readonly"] is True
