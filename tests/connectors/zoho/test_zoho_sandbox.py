"""The sandbox keeps Zoho's rules: seen by a plain HTTP client, without our connector."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from datetime import date, timedelta
from decimal import Decimal

import pytest
from tests.connectors.zoho.zoho_open import START, accounts, token_form

from crmsync.testing import PracticeCustomer, PracticeOrder


def codes(reply) -> list[str]:
    return [entry["code"] for entry in reply.json()["data"]]


def refusal(reply) -> tuple[int, str]:
    return reply.status_code, reply.json()["code"]


# signing in


def test_a_bearer_token_is_refused_although_the_reply_says_bearer(raw) -> None:
    token = raw.client.headers["Authorization"].split()[1]
    raw.client.headers["Authorization"] = f"Bearer {token}"
    assert refusal(raw.get("org")) == (401, "INVALID_TOKEN")
    del raw.client.headers["Authorization"]
    assert refusal(raw.get("org")) == (401, "AUTHENTICATION_FAILURE")


def test_a_token_lives_for_an_hour(sandbox, raw) -> None:
    sandbox.clock.advance(timedelta(minutes=59))
    assert raw.get("org").status_code == 200
    sandbox.clock.advance(timedelta(minutes=2))
    assert refusal(raw.get("org")) == (401, "INVALID_TOKEN")


def test_the_eleventh_token_in_ten_minutes_is_denied_with_status_200(sandbox, raw) -> None:
    for _ in range(9):
        raw.client.post("/oauth/v2/token", data=token_form(sandbox))
    denied = raw.client.post("/oauth/v2/token", data=token_form(sandbox))
    assert (denied.status_code, denied.json()["error"]) == (200, "Access Denied")
    sandbox.clock.advance(timedelta(minutes=10))
    assert "access_token" in raw.client.post("/oauth/v2/token", params=token_form(sandbox)).json()


def test_the_sixteenth_living_token_ends_the_first(sandbox, raw) -> None:
    for _ in range(14):
        sandbox.clock.advance(timedelta(minutes=2))
        raw.client.post("/oauth/v2/token", data=token_form(sandbox))
    assert raw.get("org").status_code == 200
    sandbox.clock.advance(timedelta(minutes=2))
    raw.client.post("/oauth/v2/token", data=token_form(sandbox))
    assert refusal(raw.get("org")) == (401, "INVALID_TOKEN")


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"client_id": "x"}, "invalid_client"),
        ({"client_secret": "x"}, "invalid_client_secret"),
        ({"refresh_token": "x"}, "invalid_code"),
        ({"grant_type": "x"}, "invalid_request"),
    ],
)
def test_token_refusals_come_with_status_200(sandbox, raw, changed, error) -> None:
    reply = raw.client.post("/oauth/v2/token", data={**token_form(sandbox), **changed})
    assert (reply.status_code, reply.json()) == (200, {"error": error})


# reading


def test_lists_need_fields_and_take_fifty(sandbox, raw) -> None:
    accounts(sandbox, 1)
    assert refusal(raw.get("Accounts")) == (400, "REQUIRED_PARAM_MISSING")
    many = ",".join(f"f{number}" for number in range(51))
    refused = raw.get("Accounts", fields=many)
    assert refusal(refused) == (400, "LIMIT_EXCEEDED")
    assert refused.json()["details"]["limit"] == 50


def test_records_look_like_zohos(sandbox, raw) -> None:
    (record,) = accounts(sandbox, 1)
    (shown,) = raw.get("Accounts", fields="Owner,Modified_Time,Nonsense").json()["data"]
    assert set(shown) == {"Owner", "Modified_Time", "id"}
    assert shown["id"] == record
    assert 16 <= len(record) <= 19
    assert shown["Modified_Time"] == "2026-11-20T16:00:00+08:00"
    assert set(shown["Owner"]) == {"name", "id"}


def test_page_numbers_end_at_two_thousand(sandbox, raw) -> None:
    accounts(sandbox, 1)
    assert raw.get("Accounts", fields="Phone", page=10).status_code == 204
    refused = raw.get("Accounts", fields="Phone", page=11)
    assert refusal(refused) == (400, "DISCRETE_PAGINATION_LIMIT_EXCEEDED")


def test_a_page_token_is_bound_to_its_parameters_and_a_day(sandbox, raw) -> None:
    accounts(sandbox, 5)
    first = raw.get("Accounts", fields="Phone", per_page=2, sort_by="id", sort_order="asc").json()
    same = {"per_page": 2, "sort_by": "id", "sort_order": "asc"}
    token = first["info"]["next_page_token"]
    second = raw.get("Accounts", fields="Phone", page_token=token, **same).json()
    assert first["data"][-1]["id"] < second["data"][0]["id"]
    other = raw.get("Accounts", fields="Website", page_token=token, **same)
    assert refusal(other) == (400, "TOKEN_BOUND_DATA_MISMATCH")
    both = raw.get("Accounts", fields="Phone", page=2, page_token=token, **same)
    assert refusal(both) == (400, "AMBIGUITY_DURING_PROCESSING")
    sandbox.clock.advance(timedelta(minutes=59))
    sandbox.limits.access_token_life = timedelta(days=9)
    raw.client.headers["Authorization"] = (
        "Zoho-oauthtoken "
        + raw.client.post("/oauth/v2/token", data=token_form(sandbox)).json()["access_token"]
    )
    sandbox.clock.advance(timedelta(hours=24))
    late = raw.get("Accounts", fields="Phone", page_token=token, **same)
    assert refusal(late) == (400, "EXPIRED_VALUE")


def test_page_tokens_end_at_their_own_limit(sandbox, raw, limits) -> None:
    limits.token_records = 4
    accounts(sandbox, 9)
    token = None
    for _ in range(2):
        more = {} if token is None else {"page_token": token}
        page = raw.get("Accounts", fields="Phone", per_page=2, **more).json()
        token = page["info"]["next_page_token"]
    refused = raw.get("Accounts", fields="Phone", per_page=2, page_token=token)
    assert refusal(refused) == (400, "PAGINATION_LIMIT_EXCEEDED")


def test_nothing_changed_is_304_and_nothing_there_is_204(sandbox, raw) -> None:
    assert raw.get("Accounts", fields="Phone").status_code == 204
    accounts(sandbox, 1)
    later = {"If-Modified-Since": "2026-11-20T16:00:00+08:00"}
    assert raw.get("Accounts", headers=later, fields="Phone").status_code == 304
    before = {"If-Modified-Since": "2026-11-20T15:59:59+08:00"}
    assert raw.get("Accounts", headers=before, fields="Phone").status_code == 200


def test_deletions_are_listed_apart(sandbox, raw) -> None:
    kept, binned, purged = accounts(sandbox, 3)
    sandbox.delete_as_person("Accounts", binned)
    sandbox.delete_as_person("Accounts", purged)
    sandbox.purge("Accounts", purged)
    assert [item["id"] for item in raw.get("Accounts", fields="Phone").json()["data"]] == [kept]
    found = {item["id"]: item for item in raw.get("Accounts/deleted").json()["data"]}
    assert found[binned]["type"] == "recycle"
    assert found[purged]["display_name"] is None
    only = raw.get("Accounts/deleted", type="permanent").json()["data"]
    assert [item["id"] for item in only] == [purged]


# COQL


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("select id from Accounts", "SYNTAX_ERROR"),
        ("update Accounts set x = 1", "SYNTAX_ERROR"),
        ("select id from Accounts where id > 0 and id > 1 and id > 2", "SYNTAX_ERROR"),
        ("select id from Accounts where Phone ~ 'x'", "SYNTAX_ERROR"),
        ("select count(id) from Accounts where id > 0", "SYNTAX_ERROR"),
        ("select Phone, Phone from Accounts where id > 0", "DUPLICATE_DATA"),
        ("select Nonsense from Accounts where id > 0", "INVALID_QUERY"),
        ("select Phone from Accounts where Description = 'x'", "INVALID_QUERY"),
        ("select Phone from Accounts where Modified_Time > '2026'", "INVALID_QUERY"),
        ("select Phone from Nonsense where id > 0", "INVALID_MODULE"),
        ("select Phone from Accounts where id > 0 limit 2001", "LIMIT_EXCEEDED"),
        ("select Phone from Accounts where id > 0 limit 9 offset 99999", "LIMIT_EXCEEDED"),
        (
            f"select Phone from Accounts where id in ({','.join(map(str, range(101)))})",
            "LIMIT_EXCEEDED",
        ),
    ],
)
def test_queries_zoho_refuses_are_refused(sandbox, raw, text, code) -> None:
    accounts(sandbox, 1)
    assert refusal(raw.coql(text)) == (400, code)


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("Account_Name = 'O''Brien'", "a"),
        ("Account_Name like 'o%'", "a"),
        ("Account_Name not like 'o%'", "bc"),
        ("Annual_Revenue between 10 and 20", "ab"),
        ("Annual_Revenue is null", "c"),
        ("(Annual_Revenue > 10 or Strategic_Account = 'true')", "bc"),
        ("((id > 0 and id > 1) and (Employees != 5 or Employees is null))", "bc"),
        ("Parent_Account.Account_Name = 'O''Brien'", "b"),
        ("Parent_Account.id is not null", "b"),
        ("Employees not in (7, 8)", "a"),
        ("Created_Time >= '2026-11-20T08:00:00+00:00'", "abc"),
    ],
)
def test_queries_find_what_they_say(sandbox, raw, where, found) -> None:
    rows = [
        {"Account_Name": "O'Brien", "Annual_Revenue": Decimal(10), "Employees": 5},
        {"Account_Name": "B", "Annual_Revenue": Decimal(20)},
        {"Account_Name": "C", "Strategic_Account": True},
    ]
    made = [row.id for row in sandbox.seed("Accounts", rows)]
    sandbox.edit_as_person("Accounts", made[1], {"Parent_Account": made[0]})
    reply = raw.coql(f"select Account_Name from Accounts where {where} order by id asc limit 9")
    got = [item["id"] for item in reply.json()["data"]] if reply.status_code == 200 else []
    assert got == [made["abc".index(letter)] for letter in found]


# writing


def test_a_batch_has_a_hundred_records_at_most_and_one_at_least(raw) -> None:
    item = {"Account_Name": "Invented"}
    assert refusal(raw.send("POST", "Accounts", {"data": [item] * 101})) == (400, "LIMIT_EXCEEDED")
    assert refusal(raw.send("POST", "Accounts", {"data": []})) == (400, "MANDATORY_NOT_FOUND")
    assert raw.send("POST", "Accounts", {"data": [item] * 100}).status_code == 201


def test_statuses_follow_the_results(raw) -> None:
    good, bad = {"Account_Name": "Invented"}, {"Phone": "1"}
    mixed = raw.send("POST", "Accounts", {"data": [good, bad]})
    assert (mixed.status_code, codes(mixed)) == (207, ["SUCCESS", "MANDATORY_NOT_FOUND"])
    none = raw.send("POST", "Accounts", {"data": [bad, bad]})
    assert (none.status_code, codes(none)) == (400, ["MANDATORY_NOT_FOUND"] * 2)


@pytest.mark.parametrize(
    ("field", "value", "detail"),
    [
        ("Annual_Revenue", "much", "expected_data_type"),
        ("Employees", 1.5, "expected_data_type"),
        ("Strategic_Account", "yes", "expected_data_type"),
        ("Account_Site", "x" * 81, "maximum_length"),
        ("Rating", "Best", "supported_values"),
        ("Parent_Account", {"id": "4876876000300999999"}, "json_path"),
        ("Owner", {"id": "1"}, "json_path"),
        ("Modified_Time", "2026-01-01T00:00:00+08:00", "json_path"),
    ],
)
def test_values_are_checked(sandbox, raw, field, value, detail) -> None:
    (record,) = accounts(sandbox, 1)
    reply = raw.send("PUT", "Accounts", {"data": [{"id": record, field: value}]})
    (entry,) = reply.json()["data"]
    assert entry["code"] == "INVALID_DATA"
    assert detail in entry["details"]
    assert sandbox.store.get("Accounts", record).get(field) is None


def test_ids_are_taken_as_numbers_and_as_text(sandbox, raw) -> None:
    (record,) = accounts(sandbox, 1)
    for given in (record, int(record)):
        body = {"data": [{"id": given, "Phone": "1"}], "trigger": []}
        assert codes(raw.send("PUT", "Accounts", body)) == ["SUCCESS"]


def test_a_moved_record_is_412(sandbox, raw) -> None:
    (record,) = accounts(sandbox, 1)
    body = {"data": [{"id": record, "Phone": "1"}], "trigger": []}
    stale = {"If-Unmodified-Since": "2026-11-20T15:59:59+08:00"}
    reply = raw.send("PUT", "Accounts", body, headers=stale)
    assert (reply.status_code, codes(reply)) == (412, ["ALREADY_MODIFIED"])
    fresh = {"If-Unmodified-Since": "2026-11-20T16:00:00+08:00"}
    assert raw.send("PUT", "Accounts", body, headers=fresh).status_code == 200


def test_a_write_without_trigger_sets_the_account_in_motion(sandbox, raw) -> None:
    (record,) = accounts(sandbox, 1)
    item = {"id": record, "Phone": "1"}
    raw.send("PUT", "Accounts", {"data": [item], "trigger": []})
    raw.send("PUT", "Accounts", {"data": [item], "trigger": ["approval"]})
    assert sandbox.automation_writes() == ()
    raw.send("PUT", "Accounts", {"data": [item]})
    assert [write.field for write in sandbox.automation_writes()] == ["Automation_Runs"]


def test_what_id_needs_its_module_and_tasks_know_no_upsert(sandbox, raw) -> None:
    (about,) = accounts(sandbox, 1)
    item = {"Subject": "Call", "What_Id": {"id": about}}
    assert codes(raw.send("POST", "Tasks", {"data": [item]})) == ["DEPENDENT_FIELD_MISSING"]
    item["$se_module"] = "Accounts"
    assert refusal(raw.send("POST", "Tasks/upsert", {"data": [item]})) == (400, "NOT_SUPPORTED")
    assert codes(raw.send("POST", "Tasks", {"data": [item]})) == ["SUCCESS"]


# limits


def test_credits_are_counted_and_told_from_half_of_them(sandbox, raw, limits) -> None:
    limits.credits_per_day = 10
    made = accounts(sandbox, 45)
    data = [{"id": record, "Phone": "1"} for record in made]
    silent = raw.send("PUT", "Accounts", {"data": data[:40], "trigger": []})
    assert "X-API-CREDITS-REMAINING" not in silent.headers
    told = raw.send("PUT", "Accounts", {"data": data[:1], "trigger": []})
    assert told.headers["X-API-CREDITS-REMAINING"] == "5"
    assert raw.coql("select Phone from Accounts where id > 0 limit 1001").status_code == 200
    refused = raw.coql("select Phone from Accounts where id > 0 limit 1001")
    assert refusal(refused) == (429, "TOO_MANY_REQUESTS")
    assert "Retry-After" not in refused.headers
    sandbox.clock.advance(timedelta(minutes=59))
    assert raw.get("org").status_code == 200


def test_heavy_calls_have_ten_places_and_all_calls_fifteen(sandbox, raw) -> None:
    accounts(sandbox, 1)
    query = "select Phone from Accounts where id > 0"
    with ExitStack() as under_way:
        for _ in range(10):
            under_way.enter_context(sandbox.api.slots.hold(heavy=True))
        assert refusal(raw.coql(query)) == (429, "TOO_MANY_REQUESTS")
        assert refusal(raw.get("Accounts", fields="Phone", sort_by="id"))[0] == 429
        assert raw.get("Accounts", fields="Phone").status_code == 200
        for _ in range(5):
            under_way.enter_context(sandbox.api.slots.hold(heavy=False))
        assert refusal(raw.get("Accounts", fields="Phone"))[0] == 429
    assert raw.coql(query).status_code == 200


def test_calls_that_overlap_occupy_places(sandbox, raw, limits) -> None:
    limits.concurrency = 1
    sandbox.api.latency = 1.5
    statuses: list[int] = []
    thread = threading.Thread(target=lambda: statuses.append(raw.get("org").status_code))
    thread.start()
    while not sandbox.api.slots.running:
        time.sleep(0.01)
    assert raw.get("users").status_code == 429
    thread.join()
    assert statuses == [200]


# fields and practice data


def test_a_created_field_answers_with_an_id_and_gets_a_name_of_its_own(sandbox, raw) -> None:
    wanted = {"field_label": "Customer Tier", "data_type": "text"}
    body = {"fields": [wanted, {"field_label": "x" * 26, "data_type": "text"}]}
    reply = raw.send("POST", "settings/fields", body, params={"module": "Accounts"})
    assert reply.status_code == 207
    good, bad = reply.json()["fields"]
    assert set(good["details"]) == {"id"}
    assert bad["details"]["maximum_length"] == 25
    found = raw.get(f"settings/fields/{good['details']['id']}", module="Accounts").json()
    assert found["fields"][0]["api_name"] == "Customer_Tier"


def test_a_choice_in_use_cannot_be_taken_away(sandbox, raw) -> None:
    (record,) = accounts(sandbox, 1)
    sandbox.edit_as_person("Accounts", record, {"Rating": "Active"})
    field = sandbox.org.modules["Accounts"].fields["Rating"]
    body = {"fields": [{"pick_list_values": [{"actual_value": "Shutdown"}]}]}
    path, where = f"settings/fields/{field.id}", {"module": "Accounts"}
    reply = raw.send("PATCH", path, body, params=where)
    assert reply.json()["fields"][0]["code"] == "DEPENDENT_MISMATCH"
    assert "Active" in field.choices


def test_practice_data_comes_in_through_the_api_and_stays_out_of_the_logs(sandbox) -> None:
    customers = [
        PracticeCustomer(
            key=f"C{n}",
            name=f"Invented {n}",
            industry="retail",
            owner="Zhang Invented",
            parent="C0" if n % 50 == 7 else None,
        )
        for n in range(500)
    ]
    orders = [
        PracticeOrder(
            key=f"O{n}",
            customer=f"C{n % 500}",
            placed_on=date(2026, 1, 1) + timedelta(days=n % 300),
            amount=Decimal("10.10"),
            won=n % 9 > 0,
        )
        for n in range(2_000)
    ]
    report = sandbox.load_over_http(customers, orders)
    assert len(report.customers) == 500
    assert len(report.orders) == 2_000
    assert sandbox.field_writes(origin=None) == ()
    assert sandbox.recorder.count() == 0
    row = sandbox.store.get("Accounts", report.customers["C57"])
    assert row.get("Parent_Account") == report.customers["C0"]
    assert row.get("Industry") == "Retail"
    deal = sandbox.store.get("Deals", report.orders["O1"])
    assert (deal.get("Stage"), deal.get("Amount")) == ("Closed Won", Decimal("10.10"))
    assert sandbox.api.ledger.used == 50 + 1 + 200


def test_orders_may_become_sales_orders(sandbox) -> None:
    sandbox.order_module = "Sales_Orders"
    customer = PracticeCustomer(key="C", name="Invented")
    order = PracticeOrder(key="O", customer="C", placed_on=date(2026, 1, 1), amount=Decimal(5))
    report = sandbox.load_over_http([customer], [order])
    row = sandbox.store.get("Sales_Orders", report.orders["O"])
    assert row.get("Grand_Total") == Decimal(5)
    assert row.created_at == START
