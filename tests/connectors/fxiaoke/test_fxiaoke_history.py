"""Modification records: every save newest first; a value worded otherwise stays unread."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from tests.connectors.fxiaoke.conftest import START
from tests.connectors.fxiaoke.fxiaoke_open import opened

from crmsync.connector import WriteOptions
from crmsync.errors import UnexpectedReply
from crmsync.model.change import SetFields
from crmsync.model.history import FieldChange, HistoryEntry
from crmsync.model.metering import Workload
from crmsync.model.record import RecordRef
from crmsync.testing import Actor, Origin, Reply, RequestKind
from crmsync_fxiaoke import history
from crmsync_fxiaoke.connector import FxiaokeConnector
from crmsync_fxiaoke.sandbox import FxiaokeSandbox

OPTIONS = [("option1", "金牌"), ("xQ3", "银牌")]


@pytest.fixture
def connector(sandbox: FxiaokeSandbox) -> Iterator[FxiaokeConnector]:
    found = opened(sandbox)
    yield found
    found.close()


@pytest.fixture
def customer(sandbox: FxiaokeSandbox) -> str:
    (row,) = sandbox.seed("AccountObj", [{"name": "客户"}])
    return row.id


def saves(connector: FxiaokeConnector, record: str, *fields: str) -> list[HistoryEntry]:
    return list(connector.history(RecordRef("AccountObj", record), fields, since=START))


def test_every_page_is_read(
    sandbox: FxiaokeSandbox,
    connector: FxiaokeConnector,
    customer: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(history, "PAGE", 3)
    for n in range(8):
        sandbox.edit_as_person("AccountObj", customer, {"remark": str(n)})
    told = saves(connector, customer, "remark")
    assert [save.changes["remark"].after for save in told] == list("76543210")


def test_options_and_days_come_back_as_they_are_stored(
    sandbox: FxiaokeSandbox, connector: FxiaokeConnector, customer: str
) -> None:
    tier = sandbox.tenant.add_field("AccountObj", "客户层级", "picklist", OPTIONS).api_name
    since = sandbox.tenant.add_field("AccountObj", "层级起始", "date").api_name
    values = {tier: "xQ3", since: date(2026, 11, 3)}
    sandbox.edit_as_person("AccountObj", customer, values)
    connector.write(
        [SetFields("c", RecordRef("AccountObj", customer), {}, {tier: "option1"})], WriteOptions()
    )
    ours, theirs = saves(connector, customer, tier, since)
    assert (ours.ours, ours.changes) == (True, {tier: FieldChange("xQ3", "option1")})
    assert theirs.ours is False
    assert theirs.changes == {
        tier: FieldChange(None, "xQ3"),
        since: FieldChange(None, date(2026, 11, 3)),
    }


def test_a_sentence_alone_leaves_the_fields_it_speaks_of_unread(
    sandbox: FxiaokeSandbox, connector: FxiaokeConnector, customer: str
) -> None:
    sandbox.gateway.log.text_only = True
    sandbox.edit_as_person("AccountObj", customer, {"remark": "by hand"})
    (save,) = saves(connector, customer, "remark", "name")
    assert (save.changes, save.unread) == ({}, {"remark"})


def test_a_person_s_name_is_no_id(
    sandbox: FxiaokeSandbox, connector: FxiaokeConnector, customer: str
) -> None:
    other = sandbox.tenant.hire("李同事")
    row = sandbox.store.get("AccountObj", customer)
    sandbox.tenant.set_system(row, {"owner": other.id}, Actor("1000", Origin.PERSON))
    (save,) = saves(connector, customer, "owner")
    assert save.unread == {"owner"}


def test_an_open_user_id_cannot_be_compared_with_an_employee_s_number(
    sandbox: FxiaokeSandbox, customer: str
) -> None:
    assert history._ours("1000", "1000") is True
    assert history._ours("1001", "1000") is False
    assert history._ours("1000", "FSUID_7B8A") is None
    assert history._ours(None, "1000") is None


@pytest.mark.parametrize(
    "info",
    [
        {"objectData": [{"fieldApiName": "remark", "oldValue": "a", "newValue": "b"}]},
        {"diff": {"remark": {"old_value": "a", "new_value": "b"}}},
        {"a": [{"b": {"field_name": "remark", "before": "a", "after": "b"}}]},
    ],
)
def test_several_wordings_are_understood(
    sandbox: FxiaokeSandbox, connector: FxiaokeConnector, customer: str, info: dict[str, Any]
) -> None:
    connector.describe("AccountObj")
    entry = {
        "logID": "1",
        "operationTime": int(START.timestamp() * 1000),
        "owner": {"employeeID": "1001", "name": "李"},
        "objectInfo": info,
    }
    page = {"modifyRecordList": [entry], "pageInfo": {"pageCount": 1}}
    body = {"errorCode": 0, "errorMessage": "OK", "traceId": "t", "data": page}
    sandbox.faults.next_of(RequestKind.READ, Reply(200, body=body))
    (save,) = saves(connector, customer, "remark")
    assert save.changes == {"remark": FieldChange("a", "b")}


def test_another_shape_is_an_unexpected_reply(
    sandbox: FxiaokeSandbox, connector: FxiaokeConnector, customer: str
) -> None:
    connector.describe("AccountObj")
    body = {"errorCode": 0, "errorMessage": "OK", "traceId": "t", "data": {"list": []}}
    sandbox.faults.next_of(RequestKind.READ, Reply(200, body=body))
    with pytest.raises(UnexpectedReply):
        saves(connector, customer, "remark")


def test_a_look_is_one_call(connector: FxiaokeConnector, customer: str) -> None:
    connector.describe("AccountObj")
    before = connector.quota().used
    saves(connector, customer, "remark")
    assert connector.quota().used - before == 1
    assert connector.price_of(Workload(updates=5, look_backs=4)) == 14
