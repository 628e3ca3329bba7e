"""The connector on the sandbox, over a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from tests.connectors.fxiaoke.fxiaoke_open import opened

from crmsync.connector import Everything, FieldIn, ModifiedSince, ReadQuery, WriteOptions
from crmsync.errors import (
    AuthError,
    ConfigError,
    OutcomeUnknown,
    QuotaExhausted,
    Throttled,
    UnexpectedReply,
    UsageError,
)
from crmsync.model.change import CreateRecord, Outcome, SetFields
from crmsync.model.record import Record, RecordRef, Value
from crmsync.model.schema import FieldType
from crmsync.testing import Drop, MemoryTokenShelf, Origin, Reply, RequestKind, SandboxClock
from crmsync_fxiaoke.connector import FxiaokeConnector, open_connector
from crmsync_fxiaoke.sandbox import FxiaokeSandbox
from crmsync_fxiaoke.settings import FxiaokeSettings

TASK = "crmsync_task__c"
QUIET = WriteOptions()


@pytest.fixture
def connector(sandbox: FxiaokeSandbox) -> Iterator[FxiaokeConnector]:
    found = opened(sandbox)
    yield found
    found.close()


def everything(connector: FxiaokeConnector, query: ReadQuery) -> list[Record]:
    return [record for page in connector.read(query) for record in page.records]


def seeded(sandbox: FxiaokeSandbox, count: int) -> list[str]:
    rows = sandbox.seed("AccountObj", [{"name": f"客户{n:04d}"} for n in range(count)])
    return [row.id for row in rows]


def test_check_signs_in_and_names_the_acting_employee(
    connector: FxiaokeConnector, sandbox: FxiaokeSandbox
) -> None:
    organization = connector.check()
    assert (organization.id, organization.user_id) == ("crmsyncdemo", "1000")
    assert organization.user_name == "系统管理员"
    assert organization.environment == "practice"
    assert sandbox.recorder.count(kind=RequestKind.WRITE) == 0


def test_users_are_everybody_those_who_were_stopped_among_them(
    connector: FxiaokeConnector, sandbox: FxiaokeSandbox
) -> None:
    gone = sandbox.tenant.hire("离职员工", stopped=True)
    found = {user.id: user for user in connector.users()}
    assert found.keys() == sandbox.tenant.people.keys()
    assert not found[gone.id].active
    assert found["1000"].active
    assert sandbox.recorder.count(kind=RequestKind.WRITE) == 0


def test_describe_gives_labels_types_and_choices(
    connector: FxiaokeConnector, sandbox: FxiaokeSandbox
) -> None:
    schema = connector.describe("AccountObj")
    (potential,) = schema.labelled("需求潜力")
    assert potential.type is FieldType.PICKLIST
    assert (potential.choices[0].value, potential.choices[0].label) == ("High", "高")
    parent = schema.field("parent_account_id")
    assert parent is not None
    assert (parent.type, parent.target) == (FieldType.LOOKUP, "AccountObj")
    for name in ("life_status", "create_time", "order_count", "account_no", "_id"):
        field = schema.field(name)
        assert field is not None
        assert field.read_only, name
    count, people = schema.field("order_count"), schema.field("employee_number")
    assert count is not None
    assert people is not None
    assert people.type is FieldType.INTEGER
    with pytest.raises(UnexpectedReply):
        connector.describe("NoSuchObj")


def test_reading_pages_by_id_and_resumes_anywhere(
    connector: FxiaokeConnector, sandbox: FxiaokeSandbox
) -> None:
    ids = seeded(sandbox, 250)
    query = ReadQuery("AccountObj", ("name",))
    pages = list(connector.read(query))
    assert [len(page.records) for page in pages] == [100, 100, 50]
    assert sorted(r.ref.id for page in pages for r in page.records) == sorted(ids)
    assert pages[-1].resume is None
    for index, page in enumerate(pages[:-1]):
        rest = [r for later in connector.read(query, resume=page.resume) for r in later.records]
        assert rest == [r for later in pages[index + 1 :] for r in later.records]
    with pytest.raises(UsageError):
        list(connector.read(replace(query, fields=("tel",)), resume=pages[0].resume))


def test_more_than_ten_thousand_records_are_read(
    connector: FxiaokeConnector, sandbox: FxiaokeSandbox
) -> None:
    ids = seeded(sandbox, 10_150)
    found = everything(connector, ReadQuery("AccountObj", ()))
    assert sorted(record.ref.id for record in found) == sorted(ids)


def test_a_full_last_page_ends_with_an_empty_one(
    connector: FxiaokeConnector, sandbox: FxiaokeSandbox
) -> None:
    seeded(sandbox, 200)
    pages = list(connector.read(ReadQuery("AccountObj", ())))
    assert [len(page.records) for page in pages] == [100, 100, 0]


def test_people_editing_during_the_read_lose_nothing(
    connector: FxiaokeConnector, sandbox: FxiaokeSandbox
) -> None:
    ids = seeded(sandbox, 230)
    found: list[str] = []
    for page in connector.read(ReadQuery("AccountObj", ("name",))):
        found.extend(record.ref.id for record in page.records)
        sandbox.delete_as_person("AccountObj", found[0])
        ids.remove(found.pop(0))
        sandbox.edit_as_person("AccountObj", ids[-1], {"tel": "1"})
    assert sorted(found) == sorted(ids)


def test_incremental_reads_are_inclusive(
    connector: FxiaokeConnector, sandbox: FxiaokeSandbox, clock: SandboxClock
) -> None:
    first, second = seeded(sandbox, 2)
    clock.advance(60)
    moment = clock.now()
    sandbox.edit_as_person("AccountObj", second, {"tel": "1"})
    found = everything(connector, ReadQuery("AccountObj", ("tel",), ModifiedSince(moment)))
    assert [(r.ref.id, r.modified_at) for r in found] == [(second, moment)]
    both = ReadQuery("AccountObj", (), ModifiedSince(moment - timedelta(seconds=60)))
    assert {r.ref.id for r in everything(connector, both)} == {first, second}


def test_look_ups_by_id_and_by_field_go_in_pieces(
    connector: FxiaokeConnector, sandbox: FxiaokeSandbox
) -> None:
    ids = seeded(sandbox, 150)
    by_id = ReadQuery("AccountObj", ("name",), FieldIn("id", (*ids, ids[0], "no-such-id")))
    assert sorted(r.ref.id for r in everything(connector, by_id)) == sorted(ids)
    by_name = ReadQuery("AccountObj", ("name",), FieldIn("name", ("客户0007", "客户0003")))
    assert {r.fields["name"] for r in everything(connector, by_name)} == {"客户0007", "客户0003"}
    sandbox.recorder.clear()
    assert everything(connector, ReadQuery("AccountObj", (), FieldIn("id", ()))) == []
    assert sandbox.recorder.count() == 0


def test_records_made_invalid_show_as_deleted_only_where_the_crm_shows_them(
    connector: FxiaokeConnector, sandbox: FxiaokeSandbox
) -> None:
    kept, gone = seeded(sandbox, 2)
    sandbox.edit_as_person("AccountObj", gone, {"life_status": "invalid"})
    since = ReadQuery("AccountObj", (), ModifiedSince(datetime(2026, 1, 1, tzinfo=UTC)))
    for shown in (False, True):
        sandbox.tenant.shows_invalid = shown
        assert [r.ref.id for r in everything(connector, ReadQuery("AccountObj", ()))] == [kept]
        deleted = [r.ref.id for r in everything(connector, since) if r.deleted]
        assert deleted == ([gone] if shown else [])


VALUES: list[tuple[str, str, Value]] = [
    ("文本", "text", "甲 “乙” <b>"),
    ("长文本", "long_text", "第一行\n第二行"),
    ("单选", "picklist", "option"),
    ("多选", "multi_picklist", ("option",)),
    ("布尔", "boolean", False),
    ("整数", "integer", -12),
    ("小数", "decimal", Decimal("12.30")),
    ("金额", "currency", Decimal("-0.01")),
    ("百分数", "percent", Decimal("20")),
    ("日期", "date", date(1969, 12, 31)),
    ("时间", "datetime", datetime(2026, 3, 1, 23, 59, 59, 123000, tzinfo=UTC)),
    ("人员", "user", "1001"),
    ("网址", "url", "https://demo.invalid/x?y=1"),
]


@pytest.mark.parametrize(("label", "kind", "value"), VALUES)
def test_what_was_written_reads_back_equal(
    connector: FxiaokeConnector,
    sandbox: FxiaokeSandbox,
    label: str,
    kind: str,
    value: Value,
) -> None:
    options = ["一", "二", "三"] if "picklist" in kind else []
    field = sandbox.admin_add_field("AccountObj", label, kind, options)
    if value == "option":
        value = field.options[1][0]
    elif value == ("option",):
        value = tuple(sorted(stored for stored, _ in field.options[:2]))
    (id_,) = seeded(sandbox, 1)
    ref = RecordRef("AccountObj", id_)
    for wanted in (value, None):
        change = SetFields("c", ref, {field.api_name: None}, {field.api_name: wanted})
        (result,) = connector.write([change], QUIET)
        assert result.outcome is Outcome.APPLIED, result
        query = ReadQuery("AccountObj", (field.api_name,), FieldIn("id", (id_,)))
        (record,) = everything(connector, query)
        assert record.fields[field.api_name] == wanted
        assert type(record.fields[field.api_name]) is type(wanted)


def test_writes_are_quiet_unless_asked(
    connector: FxiaokeConnector, sandbox: FxiaokeSandbox
) -> None:
    (id_,) = seeded(sandbox, 1)
    change = SetFields("c", RecordRef("AccountObj", id_), {"tel": None}, {"tel": "1"})
    connector.write([change], QUIET)
    assert sandbox.tenant.automation == []
    connector.write([change], WriteOptions(run_automation=True))
    assert {kind for kind, _, _ in sandbox.tenant.automation} == {"workflow", "approval"}
    assert [w.field for w in sandbox.field_writes(origin=Origin.API)] == ["tel"]


def task(key: str = "cs1-a", **more: Value) -> CreateRecord:
    values: dict[str, Value] = {
        "name": "回访",
        "key__c": key,
        "due__c": date(2026, 12, 1),
        "owner": "1001",
        "status__c": "open",
        **more,
    }
    return CreateRecord(f"c-{key}", TASK, values, "key__c")


@pytest.mark.parametrize("told", [False, True])
def test_a_task_is_created_and_found_by_its_key(
    connector: FxiaokeConnector, sandbox: FxiaokeSandbox, told: bool
) -> None:
    sandbox.gateway.custom_create_tells_id = told
    (about,) = seeded(sandbox, 1)
    (result,) = connector.write([task(account__c=about)], QUIET)
    assert result.outcome is Outcome.APPLIED
    assert result.ref is not None
    row = sandbox.store.get(TASK, result.ref.id)
    assert (row.get("owner"), row.get("account__c")) == ("1001", about)
    close = SetFields("x", result.ref, {"status__c": "open"}, {"status__c": "closed"})
    assert connector.write([close], QUIET)[0].outcome is Outcome.APPLIED


def test_a_new_record_is_looked_up_until_a_lagging_search_shows_it(
    connector: FxiaokeConnector, sandbox: FxiaokeSandbox
) -> None:
    sandbox.index_lag = timedelta(seconds=3)
    (result,) = connector.write([task()], QUIET)
    assert result.outcome is Outcome.APPLIED
    assert result.ref is not None


def test_a_create_no_search_shows_is_applied_all_the_same(
    connector: FxiaokeConnector, sandbox: FxiaokeSandbox, clock: SandboxClock
) -> None:
    sandbox.index_lag = timedelta(seconds=30)
    (result,) = connector.write([task()], QUIET)
    assert (result.outcome, result.ref) == (Outcome.APPLIED, None)
    clock.advance(30)
    query = ReadQuery(TASK, ("key__c",), FieldIn("key__c", ("cs1-a",)))
    assert len(everything(connector, query)) == 1


BAD: list[tuple[dict[str, Value], str, bool]] = [
    ({"owner": "1001"}, "OWNER", False),
    ({"no_such_field": "x"}, "NO_SUCH_FIELD", False),
    ({"life_status": "normal"}, "READ_ONLY", False),
    ({"account_level": "VIP客户"}, "NOT_A_CHOICE", False),
    ({"annual_revenue": "12"}, "WRONG_TYPE", False),
    ({"annual_revenue": Decimal("1.005")}, "TOO_MANY_DECIMALS", False),
    ({"industry__c": "长" * 300}, "TOO_LONG", False),
    ({"employee_number": True}, "WRONG_TYPE", False),
    ({"parent_account_id": "000000000000000000000000"}, "32000", True),
    ({"name": None}, "32000", True),
]


@pytest.mark.parametrize(("after", "code", "asked"), BAD)
def test_a_bad_record_is_rejected_and_never_raises(
    connector: FxiaokeConnector,
    sandbox: FxiaokeSandbox,
    after: dict[str, Value],
    code: str,
    asked: bool,
) -> None:
    (id_,) = seeded(sandbox, 1)
    change = SetFields("c", RecordRef("AccountObj", id_), dict.fromkeys(after), after)
    (result,) = connector.write([change], QUIET)
    assert result.outcome is Outcome.REJECTED
    assert result.error is not None
    assert (result.error.code, result.error.field) == (code, next(iter(after)))
    assert sandbox.recorder.count(kind=RequestKind.WRITE) == int(asked)
    assert sandbox.field_writes() == ()


def test_locked_and_missing_records_are_rejected(
    connector: FxiaokeConnector, sandbox: FxiaokeSandbox
) -> None:
    (id_,) = seeded(sandbox, 1)
    sandbox.edit_as_person("AccountObj", id_, {"lock_status": "1"})
    for target in (id_, "no-such-record"):
        change = SetFields("c", RecordRef("AccountObj", target), {"tel": None}, {"tel": "1"})
        assert connector.write([change], QUIET)[0].outcome is Outcome.REJECTED


def test_a_refusal_with_an_unpublished_code_is_unknown_never_success(
    connector: FxiaokeConnector, sandbox: FxiaokeSandbox
) -> None:
    sandbox.tenant.refusal_code = 320001400
    change = SetFields("c", RecordRef("AccountObj", "gone"), {"tel": None}, {"tel": "1"})
    (result,) = connector.write([change], QUIET)
    assert result.outcome is Outcome.UNKNOWN
    assert result.error is not None
    assert result.error.code == "320001400"


def envelope(code: int) -> Reply:
    return Reply(body={"errorCode": code, "errorMessage": "x", "traceId": "E-O.t"})


@pytest.mark.parametrize(
    "fault",
    [
        envelope(-1),
        envelope(50009),
        Reply(body={"data": {}}),
        Reply(body={"errorCode": "0"}),
        Reply(body="<html><title>登录</title></html>"),
        Reply(502, body="<html></html>"),
        Drop(commit=True),
        Reply(body="{", headers={"content-type": "application/json"}),
    ],
)
def test_a_write_without_a_clear_answer_is_in_doubt_and_sent_once(
    connector: FxiaokeConnector, sandbox: FxiaokeSandbox, fault: Reply | Drop
) -> None:
    sandbox.faults.next("POST", "*/data/create", fault)
    with pytest.raises(OutcomeUnknown):
        connector.write([task()], QUIET)
    assert sandbox.recorder.count(kind=RequestKind.WRITE) == 1


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (30004, Throttled),
        (14001, Throttled),
        (30002, QuotaExhausted),
        (30003, QuotaExhausted),
        (20021, AuthError),
        (20022, AuthError),
        (20012, AuthError),
    ],
)
def test_codes_that_speak_for_the_call_stop_a_write(
    connector: FxiaokeConnector, sandbox: FxiaokeSandbox, code: int, error: type[Exception]
) -> None:
    sandbox.faults.next("POST", "*/data/create", envelope(code))
    with pytest.raises(error) as caught:
        connector.write([task()], QUIET)
    assert caught.value.remote_code == str(code)
    assert sandbox.store.rows(TASK) == []


def test_reads_wait_out_throttling_and_short_outages(
    connector: FxiaokeConnector, sandbox: FxiaokeSandbox, clock: SandboxClock
) -> None:
    seeded(sandbox, 1)
    started = clock.now()
    for fault in (envelope(30004), envelope(-1), Reply(503, body="<html></html>")):
        sandbox.faults.next("POST", "*/data/query", fault)
    assert len(everything(connector, ReadQuery("AccountObj", ()))) == 1
    assert clock.now() - started >= timedelta(seconds=20)


def test_a_dead_token_is_replaced_once_and_the_write_goes_through(
    connector: FxiaokeConnector, sandbox: FxiaokeSandbox
) -> None:
    connector.check()
    sandbox.gateway.reception.desk.revoke_all()
    (result,) = connector.write([task()], QUIET)
    assert result.outcome is Outcome.APPLIED
    assert len(sandbox.store.rows(TASK)) == 1
    sandbox.faults.next("POST", "*/object/list", envelope(20016), times=2)
    with pytest.raises(AuthError):
        connector.check()


def test_the_token_is_shared_kept_and_renewed_in_its_last_minutes(
    sandbox: FxiaokeSandbox, clock: SandboxClock
) -> None:
    shelf = MemoryTokenShelf()
    for _ in range(3):
        connector = opened(sandbox, shelf=shelf)
        connector.describe("AccountObj")
        connector.close()
    assert sandbox.recorder.count(kind=RequestKind.AUTH) == 1
    clock.advance(6950)  # inside the last five minutes: the vendor now gives a new one
    connector = opened(sandbox, shelf=shelf)
    connector.describe("AccountObj")
    connector.close()
    assert sandbox.recorder.count(kind=RequestKind.AUTH) == 2
    assert shelf.saves == 2


def test_wrong_secrets_are_an_auth_error_that_tells_none(sandbox: FxiaokeSandbox) -> None:
    connector = opened(sandbox, app_id="FSAID_other")
    with pytest.raises(AuthError) as caught:
        connector.check()
    connector.close()
    text = repr(caught.value) + caught.value.message.zh + repr(connector)
    for secret in sandbox.connection_settings().secrets.values():
        assert secret not in text


def test_pacing_stays_under_the_limit_of_every_interface(
    connector: FxiaokeConnector, sandbox: FxiaokeSandbox, clock: SandboxClock
) -> None:
    (id_,) = seeded(sandbox, 1)
    ref = RecordRef("AccountObj", id_)
    started = clock.now()
    for number in range(300):
        change = SetFields("c", ref, {"tel": None}, {"tel": str(number)})
        assert connector.write([change], QUIET)[0].outcome is Outcome.APPLIED
    waited = (clock.now() - started).total_seconds()
    assert 60 <= waited <= 63  # 95 calls a window: three full pauses, no refusal


def test_the_quota_kept_for_others_is_not_touched(
    sandbox: FxiaokeSandbox, clock: SandboxClock
) -> None:
    connector = opened(sandbox, calls_per_day=20)
    (id_,) = seeded(sandbox, 1)
    change = SetFields("c", RecordRef("AccountObj", id_), {"tel": None}, {"tel": "1"})
    for _ in range(17):  # the description was the first call
        connector.write([change], QUIET)
    with pytest.raises(QuotaExhausted) as caught:
        connector.write([change], QUIET)
    quota = connector.quota()
    assert (quota.used, quota.limit, quota.remaining) == (18, 20, 2)
    assert caught.value.resets_at == datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
    clock.advance(15 * 3600)
    assert connector.write([change], QUIET)[0].outcome is Outcome.APPLIED
    assert connector.quota().used == 1
    connector.close()


def test_a_foreign_host_is_refused(sandbox: FxiaokeSandbox) -> None:
    context = replace(sandbox.context(), allow_private=False)
    for host in (
        "https://www.fxiaoke.com",
        "https://open.fxiaoke.com.demo.invalid",
        "demo.invalid",
    ):
        with pytest.raises(ConfigError):
            open_connector(FxiaokeSettings(host=host, app_id="a", user_id="1"), context)
    open_connector(
        FxiaokeSettings(host="open-hwcloud.fxiaoke.com", app_id="a", user_id="1"), context
    ).close()


def test_no_input_makes_no_call_and_closing_twice_is_fine(
    connector: FxiaokeConnector, sandbox: FxiaokeSandbox
) -> None:
    assert connector.write([], QUIET) == ()
    empty = SetFields("c", RecordRef("AccountObj", "x"), {}, {})
    assert connector.write([empty], QUIET)[0].outcome is Outcome.APPLIED
    assert sandbox.recorder.count() == 0
    with pytest.raises(UsageError):
        connector.write([empty, empty], QUIET)
    connector.close()
    connector.close()


def test_a_repeated_page_stops_the_read(
    connector: FxiaokeConnector, sandbox: FxiaokeSandbox
) -> None:
    rows = [{"_id": f"{n:024d}", "last_modified_time": 1} for n in range(100)]
    reply = Reply(body={"errorCode": 0, "data": {"dataList": rows, "total": 0}})
    sandbox.faults.next("POST", "*/data/query", reply, times=2)
    with pytest.raises(UnexpectedReply, match="twice"):
        list(connector.read(ReadQuery("AccountObj", (), Everything())))


def test_fields_out_of_their_documented_form_are_read_as_empty(
    connector: FxiaokeConnector, sandbox: FxiaokeSandbox, caplog: pytest.LogCaptureFixture
) -> None:
    row = {"_id": "a", "last_modified_time": 1, "annual_revenue": "abc", "tel": "1"}
    reply = Reply(body={"errorCode": 0, "data": {"dataList": [row], "total": 0}})
    sandbox.faults.next("POST", "*/data/query", reply)
    (record,) = everything(connector, ReadQuery("AccountObj", ("annual_revenue", "tel")))
    assert dict(record.fields) == {"annual_revenue": None, "tel": "1"}
    assert "abc" not in caplog.text


def test_three_threads_share_one_token_and_one_pace(sandbox: FxiaokeSandbox) -> None:
    connector = opened(sandbox)
    ids = seeded(sandbox, 90)

    def put(id_: str) -> Outcome:
        change = SetFields("c", RecordRef("AccountObj", id_), {"tel": None}, {"tel": id_})
        return connector.write([change], QUIET)[0].outcome

    with ThreadPoolExecutor(connector.capabilities.parallel_calls) as pool:
        assert set(pool.map(put, ids)) == {Outcome.APPLIED}
    connector.close()
    assert sandbox.recorder.count(kind=RequestKind.AUTH) == 1
    assert all(sandbox.store.get("AccountObj", id_).get("tel") == id_ for id_ in ids)
