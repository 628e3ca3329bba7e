"""Records in the sandbox: the forms of values, queries, and what the tenant's rules refuse."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.connectors.fxiaoke.fxiaoke_caller import Caller

from crmsync.testing import Origin, PracticeCustomer, PracticeOrder, SandboxClock
from crmsync_fxiaoke.sandbox import FxiaokeSandbox
from crmsync_fxiaoke.sandbox_tenant import WORKFLOW_NOTE

QUIET = {"triggerWorkFlow": False, "triggerApprovalFlow": False}
TASK = "crmsync_task__c"


def account(caller: Caller, **fields: Any) -> str:
    answer = caller.create("AccountObj", {"name": "测试客户甲", **fields}, **QUIET)
    assert answer["errorCode"] == 0, answer
    return str(answer["dataId"])


def one(caller: Caller, id_: str, object_name: str = "AccountObj", **info: Any) -> dict[str, Any]:
    found = caller.query(object_name, ("_id", "EQ", [id_]), **info)
    assert found["errorCode"] == 0, found
    (record,) = found["data"]["dataList"]
    return dict(record)


def test_values_come_back_in_the_documented_forms(caller: Caller) -> None:
    id_ = account(caller, annual_revenue="1200.5", employee_number="30", account_type="1")
    record = one(caller, id_)
    assert record["annual_revenue"] == "1200.50"
    assert record["employee_number"] == "30"
    assert record["owner"] == ["1000"]
    assert record["owner__r"]["name"] == "系统管理员"
    assert record["create_time"] == 1795309200000
    assert record["life_status"] == "normal"


def test_nulls_are_left_out_unless_asked_for(caller: Caller) -> None:
    id_ = account(caller)
    assert "tel" not in one(caller, id_)
    data = {"dataObjectApiName": "AccountObj", "objectDataId": id_}
    got = caller.call("/cgi/crm/v2/data/get", {"includeNull": True, "data": data})
    assert got["data"]["tel"] is None


@pytest.mark.parametrize(
    "fields",
    [
        {"annual_revenue": 1200.5},
        {"annual_revenue": "1,200"},
        {"account_type": "终端客户"},
        {"owner": "1000"},
        {"owner": ["9999"]},
        {"last_followed_time": "2026-11-22"},
        {"parent_account_id": "000000000000000000000000"},
        {"no_such_field": "x"},
        {"order_count": "3"},
        {"owner__r": {"id": "1000"}},
        {"name": ""},
    ],
)
def test_a_value_of_the_wrong_form_is_refused(caller: Caller, fields: dict[str, Any]) -> None:
    answer = caller.create("AccountObj", {"name": "测试客户乙", **fields}, **QUIET)
    assert answer["errorCode"] == 32000
    assert "dataId" not in answer


def test_a_date_forgets_its_time_of_day_in_beijing(caller: Caller) -> None:
    answer = caller.create(
        "SalesOrderObj", {"name": "SO-1", "order_time": 1795313096789, "order_amount": "10"}
    )
    record = one(caller, answer["dataId"], "SalesOrderObj")
    assert record["order_time"] == 1795276800000  # 2026-11-22 00:00 in Beijing


def test_presets_and_custom_objects_have_their_own_paths(caller: Caller) -> None:
    data = {"object_data": {"dataObjectApiName": TASK, "name": "回访", "key__c": "k1"}}
    assert caller.call("/cgi/crm/v2/data/create", {"data": data})["errorCode"] == 32000
    made = caller.call("/cgi/crm/custom/v2/data/create", {"data": data})
    assert made["errorCode"] == 0
    assert "dataId" not in made  # the published example for custom objects has none
    simple = {
        "data": {
            "dataObjectApiName": "AccountObj",
            "search_query_info": {"limit": 10, "offset": 0, "filters": [], "orders": []},
        }
    }
    assert caller.call("/cgi/crm/custom/v2/data/findSimple", simple)["errorCode"] == 0


@pytest.mark.parametrize(
    ("info", "code"),
    [
        ({"limit": 101}, 32000),
        ({"limit": 100, "offset": 150}, 32000),
        ({"limit": 100, "offset": 10100}, 10013),
        ({"orders": [{"field_name": "_id", "isAsc": True}]}, 32000),
        ({"filters": [{"fieldName": "name", "operator": "EQ", "field_values": ["x"]}]}, 32000),
        ({"filters": [{"field_name": "name", "operator": "EQ", "field_values": "x"}]}, 32000),
        ({"filters": [{"field_name": "name", "operator": "NE", "field_values": ["x"]}]}, 32000),
        ({"field_projection": ["name"]}, 32000),
        ({"offset": 10000}, 0),
    ],
)
def test_a_query_is_taken_strictly(caller: Caller, info: dict[str, Any], code: int) -> None:
    assert caller.query("AccountObj", **info)["errorCode"] == code


def test_total_is_zero_unless_asked_for(caller: Caller) -> None:
    account(caller)
    assert caller.query("AccountObj")["data"]["total"] == 0
    search = {"limit": 1, "offset": 0, "filters": [], "orders": []}
    data = {
        "dataObjectApiName": "AccountObj",
        "find_explicit_total_num": True,
        "search_query_info": search,
    }
    assert caller.call("/cgi/crm/v2/data/query", {"data": data})["data"]["total"] == 1


def test_operators_compare_by_type(caller: Caller) -> None:
    small = account(caller, annual_revenue="9", tel="1")
    large = account(caller, annual_revenue="100")

    def ids(*conditions: Any) -> set[str]:
        answer = caller.query("AccountObj", *conditions)
        assert answer["errorCode"] == 0, answer
        return {record["_id"] for record in answer["data"]["dataList"]}

    assert ids(("annual_revenue", "GT", ["10"])) == {large}
    assert ids(("annual_revenue", "BETWEEN", ["5", "10"])) == {small}
    assert ids(("tel", "N", ["1"])) == {large}  # "not equal" finds empty values too
    assert ids(("tel", "IS", [])) == {large}
    assert ids(("owner", "IN", ["1000"])) == {small, large}
    assert ids(("_id", "GT", [min(small, large)])) == {max(small, large)}


def test_workflows_run_unless_told_not_to(caller: Caller, sandbox: FxiaokeSandbox) -> None:
    id_ = account(caller)
    assert "remark" not in one(caller, id_)
    caller.update("AccountObj", id_, {"tel": "1"})
    assert one(caller, id_)["remark"] == WORKFLOW_NOTE
    assert sandbox.tenant.automation == [
        ("approval", "AccountObj", id_),
        ("workflow", "AccountObj", id_),
    ]
    assert [w.field for w in sandbox.field_writes(origin=Origin.AUTOMATION)] == ["remark"]


def test_an_update_leaves_other_fields_and_the_owner_alone(caller: Caller) -> None:
    id_ = account(caller, tel="1", url="http://demo.invalid")
    assert caller.update("AccountObj", id_, {"tel": None}, **QUIET)["errorCode"] == 0
    record = one(caller, id_)
    assert "tel" not in record
    assert record["url"] == "http://demo.invalid"
    assert caller.update("AccountObj", id_, {"owner": ["1001"]}, **QUIET)["errorCode"] == 32000
    data = {"dataObjectApiName": "AccountObj", "Data": [{"objectDataId": id_, "ownerId": ["1001"]}]}
    assert caller.call("/cgi/crm/v2/data/changeOwner", {"data": data})["errorCode"] == 0
    assert one(caller, id_)["owner"] == ["1001"]


def test_a_locked_record_is_refused_until_unlocked(caller: Caller) -> None:
    id_ = account(caller)
    lock = {"data": {"dataObjectApiName": "AccountObj", "dataIds": [id_], "detailObjStrategy": 0}}
    assert caller.call("/cgi/crm/v2/object/lock", lock)["errorCode"] == 0
    assert caller.update("AccountObj", id_, {"tel": "1"}, **QUIET)["errorCode"] == 32000
    caller.call("/cgi/crm/v2/object/unlock", lock)
    assert caller.update("AccountObj", id_, {"tel": "1"}, **QUIET)["errorCode"] == 0


def test_deletion_takes_two_steps(caller: Caller) -> None:
    id_ = account(caller)
    delete = {"data": {"dataObjectApiName": "AccountObj", "idList": [id_]}}
    assert caller.call("/cgi/crm/v2/data/delete", delete)["errorCode"] == 32000
    invalid = {"data": {"dataObjectApiName": "AccountObj", "object_data_id": id_}}
    assert caller.call("/cgi/crm/v2/data/invalid", invalid)["errorCode"] == 0
    assert caller.query("AccountObj")["data"]["dataList"] == []
    assert caller.call("/cgi/crm/v2/data/recover", delete)["errorCode"] == 0
    assert one(caller, id_)["life_status"] == "normal"
    caller.call("/cgi/crm/v2/data/invalid", invalid)
    assert caller.call("/cgi/crm/v2/data/delete", delete)["errorCode"] == 0
    assert caller.update("AccountObj", id_, {"tel": "1"}, **QUIET)["errorCode"] == 32000


def test_people_see_and_change_only_what_is_theirs(caller: Caller) -> None:
    id_ = account(caller)
    caller.user = "1001"
    assert caller.query("AccountObj")["data"]["dataList"] == []
    assert caller.update("AccountObj", id_, {"tel": "1"}, **QUIET)["errorCode"] == 32000
    own = account(caller)
    assert [r["_id"] for r in caller.query("AccountObj")["data"]["dataList"]] == [own]


def test_a_unique_field_refuses_a_second_time(caller: Caller) -> None:
    fields = {"name": "回访", "key__c": "cs1-a"}
    assert caller.create(TASK, fields, **QUIET)["errorCode"] == 0
    assert caller.create(TASK, fields, **QUIET)["errorCode"] == 32000


def test_a_search_may_lag_behind(
    caller: Caller, sandbox: FxiaokeSandbox, clock: SandboxClock
) -> None:
    from datetime import timedelta

    sandbox.index_lag = timedelta(seconds=5)
    account(caller)
    assert caller.query("AccountObj")["data"]["dataList"] == []
    clock.advance(5)
    assert len(caller.query("AccountObj")["data"]["dataList"]) == 1


def test_simple_queries_do_not_compute_roll_ups(caller: Caller) -> None:
    id_ = account(caller)
    caller.create(
        "SalesOrderObj",
        {"name": "SO", "account_id": id_, "order_time": 1795276800000, "order_amount": "1"},
    )
    assert one(caller, id_)["order_count"] == "1"
    info = {"limit": 10, "offset": 0, "filters": [], "orders": []}
    data = {"dataObjectApiName": "AccountObj", "search_query_info": info}
    simple = caller.call("/cgi/crm/custom/v2/data/findSimple", {"data": data})
    assert "order_count" not in simple["data"]["dataList"][0]


def test_a_handmade_field_has_a_made_up_name_and_values(
    caller: Caller, sandbox: FxiaokeSandbox
) -> None:
    field = sandbox.admin_add_field(
        "AccountObj", "客户等级(crmsync)", "picklist", ["VIP客户", "重要客户"]
    )
    assert field.api_name.startswith("field_")
    assert field.api_name.endswith("__c")
    vip = field.options[0][0]
    assert vip != "VIP客户"
    id_ = account(caller)
    refused = caller.update("AccountObj", id_, {field.api_name: "VIP客户"}, **QUIET)
    assert refused["errorCode"] == 32000
    assert caller.update("AccountObj", id_, {field.api_name: vip}, **QUIET)["errorCode"] == 0
    over_http = caller.http.post(
        "/sandbox/admin/fields",
        json={"object": "AccountObj", "label": "锁定等级", "type": "boolean"},
    )
    assert over_http.json()["api_name"].endswith("__c")


def test_practice_data_comes_in_through_the_import(caller: Caller, sandbox: FxiaokeSandbox) -> None:
    customers = [
        PracticeCustomer(
            key="a",
            name="示例一",
            owner="赵销售",
            margin=Decimal("12.5"),
            overdue_days=3,
            potential="High",
            annual_revenue=Decimal(900),
        ),
        PracticeCustomer(key="b", name="示例二", is_customer=False, parent="a"),
    ]
    orders = [
        PracticeOrder(key="1", customer="a", placed_on=date(2026, 5, 1), amount=Decimal("10.5")),
        PracticeOrder(key="2", customer="a", placed_on=date(2026, 3, 1), amount=Decimal(7)),
        PracticeOrder(
            key="3", customer="a", placed_on=date(2026, 6, 1), amount=Decimal(7), won=False
        ),
    ]
    report = sandbox.load_over_http(customers, orders)
    assert report.calls == 2
    record = one(caller, report.customers["a"])
    potential = sandbox.tenant.objects["AccountObj"].labelled("需求潜力")
    assert potential is not None
    assert record[potential.api_name] == "High"
    assert record["owner__r"]["name"] == "赵销售"
    assert record["last_deal_closed_time"] == 1777564800000  # 2026-05-01 in Beijing
    assert one(caller, report.customers["b"])["parent_account_id"] == report.customers["a"]
    lost = one(caller, report.orders["3"], "SalesOrderObj")
    assert lost["life_status"] == "ineffective"
    assert sandbox.field_writes() == ()
