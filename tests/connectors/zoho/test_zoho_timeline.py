"""Timelines: every save newest first, past every page; what has two readings stays unread."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from tests.connectors.zoho.zoho_open import START, accounts, settings_of

from crmsync.connector import WriteOptions
from crmsync.errors import AccessDenied, QuotaExhausted, UnexpectedReply
from crmsync.model.change import SetFields
from crmsync.model.history import FieldChange
from crmsync.model.metering import Workload
from crmsync.model.record import RecordRef
from crmsync.model.schema import Choice, FieldSchema, FieldType
from crmsync.testing import Reply, RequestKind
from crmsync_zoho.connector import open_connector
from crmsync_zoho.timeline import Unclear, told


def saves(connector, record: str, *fields: str, since: datetime = START):
    return list(connector.history(RecordRef("Accounts", record), fields, since=since))


def test_every_page_of_a_timeline_is_read(sandbox, connector, limits) -> None:
    limits.timeline_page = 3
    (made,) = accounts(sandbox, 1)
    for n in range(8):
        sandbox.edit_as_person("Accounts", made, {"Phone": str(n)})
    told = saves(connector, made, "Phone")
    assert [save.changes["Phone"].after for save in told] == list("76543210")
    assert len({save.id for save in told}) == 8


def test_a_timeline_that_begins_with_the_oldest_is_turned(sandbox, connector, limits) -> None:
    limits.timeline_page, sandbox.api.timelines.oldest_first = 2, True
    (made,) = accounts(sandbox, 1)
    for n in range(5):
        sandbox.clock.advance(timedelta(seconds=2))
        sandbox.edit_as_person("Accounts", made, {"Phone": str(n)})
    assert [save.changes["Phone"].after for save in saves(connector, made, "Phone")] == list(
        "43210"
    )


def test_no_page_is_asked_for_beyond_the_moment_wanted(sandbox, connector, limits) -> None:
    limits.timeline_page = 2
    (made,) = accounts(sandbox, 1)
    for n in range(8):
        sandbox.edit_as_person("Accounts", made, {"Phone": str(n)})
        sandbox.clock.advance(timedelta(minutes=1))
    before = sandbox.recorder.count(path=f"/crm/v8/Accounts/{made}/__timeline")
    since = START + timedelta(minutes=6)
    assert [s.changes["Phone"].after for s in saves(connector, made, "Phone", since=since)] == [
        "7",
        "6",
    ]
    asked = sandbox.recorder.count(path=f"/crm/v8/Accounts/{made}/__timeline") - before
    assert asked == 2


def test_whose_a_save_was_is_told_by_id(sandbox, connector) -> None:
    (made,) = accounts(sandbox, 1)
    ref = RecordRef("Accounts", made)
    sandbox.edit_as_person("Accounts", made, {"Phone": "by hand"})
    connector.write([SetFields("c", ref, {}, {"Phone": "ours"})], WriteOptions())
    ours, theirs = saves(connector, made, "Phone")
    assert (ours.ours, ours.changes) == (True, {"Phone": FieldChange("by hand", "ours")})
    assert (theirs.ours, theirs.by, theirs.at) == (False, "Wang Colleague", START)


def test_amounts_and_days_as_people_see_them_are_not_guessed(sandbox, connector) -> None:
    name = sandbox.add_field("Accounts", "Signed on", "date")
    (made,) = accounts(sandbox, 1)
    values = {"Annual_Revenue": Decimal("1234.5"), name: date(2026, 11, 3), "Phone": "1"}
    sandbox.edit_as_person("Accounts", made, values)
    (save,) = saves(connector, made, "Annual_Revenue", name, "Phone")
    assert save.unread == {"Annual_Revenue"}
    assert save.changes[name] == FieldChange(None, date(2026, 11, 3))
    sandbox.api.timelines.as_people_see_them = True
    (save,) = saves(connector, made, "Annual_Revenue", name, "Phone")
    assert (save.unread, set(save.changes)) == ({"Annual_Revenue", name}, {"Phone"})


def test_another_shape_is_an_unexpected_reply(sandbox, connector) -> None:
    (made,) = accounts(sandbox, 1)
    connector.describe("Accounts")
    connector.check()
    sandbox.faults.next_of(RequestKind.READ, Reply(200, body={"timeline": []}))
    with pytest.raises(UnexpectedReply):
        saves(connector, made, "Phone")


def test_a_missing_scope_says_which(sandbox, connector) -> None:
    (made,) = accounts(sandbox, 1)
    connector.describe("Accounts")
    connector.check()
    body = {"code": "OAUTH_SCOPE_MISMATCH", "details": {}, "message": "", "status": "error"}
    sandbox.faults.next_of(RequestKind.READ, Reply(401, body=body), times=2)
    with pytest.raises(AccessDenied) as caught:
        saves(connector, made, "Phone")
    assert "ZohoCRM.modules.accounts.READ" in caught.value.mend.en


def test_a_look_costs_one_credit_and_keeps_to_the_reserve(sandbox, connector) -> None:
    (made,) = accounts(sandbox, 1)
    connector.describe("Accounts")
    connector.check()
    before = connector.quota().used
    saves(connector, made, "Phone")
    assert connector.quota().used - before == 1
    plain, looked = Workload(updates=50), Workload(updates=50, look_backs=40)
    assert connector.price_of(looked) - connector.price_of(plain) == 40


def test_looks_stop_before_the_reserve(sandbox, shelf) -> None:
    (made,) = accounts(sandbox, 1)
    settings = settings_of(sandbox, credits_per_day=20, keep_credits_percent=50)
    connector = open_connector(settings, sandbox.context(shelf=shelf))
    saves(connector, made, "Phone")
    while connector.quota().used < 10:
        saves(connector, made, "Phone")
    with pytest.raises(QuotaExhausted):
        saves(connector, made, "Phone")
    assert connector.quota().used == 10
    connector.close()


LABELS = (Choice("a_1", "金牌"), Choice("b_1", "银牌"), Choice("b_2", "银牌"))


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        (FieldType.TEXT, "文字", "文字"),
        (FieldType.PICKLIST, "a_1", "a_1"),
        (FieldType.PICKLIST, "金牌", "a_1"),
        (FieldType.PICKLIST, "gone since", "gone since"),
        (FieldType.INTEGER, "1200", 1200),
        (FieldType.DECIMAL, "77.50", Decimal("77.50")),
        (FieldType.BOOLEAN, "false", False),
        (FieldType.DATE, "2026-11-03", date(2026, 11, 3)),
        (FieldType.DATETIME, "2026-11-03T08:00:00+08:00", datetime(2026, 11, 3, tzinfo=UTC)),
        (FieldType.USER, {"id": "4876876000000000001"}, "4876876000000000001"),
        (FieldType.MULTI_PICKLIST, ["金牌"], ("a_1",)),
        (FieldType.MULTI_PICKLIST, "金牌", ("a_1",)),
        (FieldType.TEXT, "", None),
        (FieldType.LONG_TEXT, "wait...", "wait..."),
    ],
)
def test_what_has_one_reading_is_read(kind: FieldType, given: object, value: object) -> None:
    found = told(FieldSchema("f", "F", kind, LABELS), given)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (FieldType.CURRENCY, "¥ 1,200.00"),
        (FieldType.INTEGER, "1,200"),
        (FieldType.INTEGER, "1.5"),
        (FieldType.DATE, "11/03/2026"),
        (FieldType.DATETIME, "2026-11-03 08:00"),
        (FieldType.USER, "Li Colleague"),
        (FieldType.BOOLEAN, "yes"),
        (FieldType.PICKLIST, "银牌"),
        (FieldType.PICKLIST, {"name": "金牌"}),
        (FieldType.MULTI_PICKLIST, "金牌;银牌"),
        (FieldType.TEXT, 7),
        (FieldType.LONG_TEXT, "字" * 97 + "..."),
        (FieldType.OTHER, "x"),
    ],
)
def test_what_has_several_readings_is_not(kind: FieldType, given: object) -> None:
    with pytest.raises(Unclear):
        told(FieldSchema("f", "F", kind, LABELS), given)
