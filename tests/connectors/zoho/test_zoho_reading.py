"""Reads: every record once past every cap, resumable, deletions included."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import islice

import pytest
from tests.connectors.zoho.zoho_open import START, accounts, ids, one, settings_of

from crmsync.connector import Everything, FieldIn, ModifiedSince, ReadQuery
from crmsync.errors import ConfigError, Unavailable, UnexpectedReply, UsageError
from crmsync.testing import Reply
from crmsync_zoho.connector import open_connector


def whole(*fields: str) -> ReadQuery:
    return ReadQuery("Accounts", fields or ("Account_Name",))


def test_a_module_is_read_past_two_thousand_records(sandbox, connector) -> None:
    made = accounts(sandbox, 2_300)
    assert ids(connector.read(whole())) == made


def test_a_walk_goes_on_by_query_where_page_tokens_end(sandbox, connector, limits) -> None:
    limits.token_records = 400
    made = accounts(sandbox, 3_000)
    assert ids(connector.read(whole())) == made
    assert sandbox.recorder.count(path="/crm/v8/coql") == 3


def test_every_page_resumes_in_another_process(sandbox, connector, limits, shelf) -> None:
    limits.token_records = 400
    made = accounts(sandbox, 900)
    pages = list(connector.read(whole()))
    for number, page in enumerate(pages[:-1], start=1):
        other = open_connector(settings_of(sandbox), sandbox.context(shelf=shelf))
        rest = ids(other.read(whole(), resume=page.resume))
        other.close()
        assert ids(pages[:number]) + rest == made


def test_a_page_token_that_died_overnight_loses_nothing(sandbox, connector) -> None:
    made = accounts(sandbox, 900)
    first, second = islice(connector.read(whole()), 2)
    sandbox.clock.advance(timedelta(hours=25))
    rest = ids(connector.read(whole(), resume=second.resume))
    assert ids([first, second]) + rest == made


def test_a_resume_token_fits_its_own_query_only(sandbox, connector) -> None:
    accounts(sandbox, 300)
    first = next(iter(connector.read(whole())))
    with pytest.raises(UsageError):
        list(connector.read(whole("Phone"), resume=first.resume))


def test_more_than_fifty_fields_are_joined_by_id(sandbox, connector) -> None:
    names = [sandbox.add_field("Accounts", f"Extra {number}", "integer") for number in range(120)]
    rows = [
        {"Account_Name": f"Invented {row}", **{name: row + at for at, name in enumerate(names)}}
        for row in range(250)
    ]
    sandbox.seed("Accounts", rows)
    records = [record for page in connector.read(whole(*names)) for record in page.records]
    assert [list(record.fields.values()) for record in records] == [
        [row + at for at in range(120)] for row in range(250)
    ]


def test_a_record_that_vanishes_between_two_parts_is_left_out(sandbox, connector) -> None:
    names = [sandbox.add_field("Accounts", f"Extra {number}", "integer") for number in range(60)]
    made = accounts(sandbox, 3)

    def vanish(request) -> None:
        if "ids" in request.query and sandbox.org.find("Accounts", made[1]):
            sandbox.delete_as_person("Accounts", made[1])

    sandbox.on_request(vanish)
    assert ids(connector.read(whole(*names))) == [made[0], made[2]]


def test_what_changed_and_what_was_deleted_comes_once(sandbox, connector) -> None:
    made = accounts(sandbox, 500)
    sandbox.clock.advance(timedelta(hours=1))
    since = sandbox.clock.now()
    for record in made[10:260]:
        sandbox.edit_as_person("Accounts", record, {"Phone": "1"})
    for record in made[300:310]:
        sandbox.delete_as_person("Accounts", record)
    sandbox.purge("Accounts", made[305])
    query = ReadQuery("Accounts", ("Phone",), ModifiedSince(since))
    records = [record for page in connector.read(query) for record in page.records]
    assert [record.ref.id for record in records if not record.deleted] == made[10:260]
    assert {record.ref.id for record in records if record.deleted} == set(made[300:310])
    assert len(records) == 260


def test_an_incremental_read_resumes_among_changes_and_deletions(sandbox, connector) -> None:
    made = accounts(sandbox, 900)
    for record in made[:250]:
        sandbox.delete_as_person("Accounts", record)
    query = ReadQuery("Accounts", ("Phone",), ModifiedSince(START))
    pages = list(connector.read(query))
    wanted = sorted(ids(pages))
    assert len(set(wanted)) == len(wanted) == 900
    for number, page in enumerate(pages[:-1], start=1):
        assert page.resume is not None
        rest = ids(connector.read(query, resume=page.resume))
        assert sorted(ids(pages[:number]) + rest) == wanted


def test_a_quiet_day_costs_two_credits(sandbox, connector) -> None:
    accounts(sandbox, 10)
    connector.check()
    list(connector.read(whole()))
    sandbox.clock.advance(timedelta(days=2))
    used = sandbox.api.ledger.used
    query = ReadQuery("Accounts", ("Account_Name",), ModifiedSince(sandbox.clock.now()))
    assert ids(connector.read(query)) == []
    assert sandbox.api.ledger.used - used == 2


def test_pages_tell_zohos_own_clock(sandbox, connector) -> None:
    accounts(sandbox, 1)
    (page,) = connector.read(whole())
    assert page.server_time == START


def test_a_field_value_is_found_among_more_than_a_hundred_values(sandbox, connector) -> None:
    rows = [{"Account_Name": f"Invented {n}", "Account_Number": f"K'{n}"} for n in range(700)]
    made = [row.id for row in sandbox.seed("Accounts", rows)]
    wanted = tuple(f"K'{n}" for n in range(0, 700, 3))
    query = ReadQuery("Accounts", ("Account_Number",), FieldIn("Account_Number", wanted))
    pages = list(connector.read(query))
    assert sorted(ids(pages)) == made[::3]
    for number, page in enumerate(pages[:-1], start=1):
        rest = ids(connector.read(query, resume=page.resume))
        assert sorted(ids(pages[:number]) + rest) == made[::3]


def test_related_records_are_found_by_their_look_up(sandbox, connector) -> None:
    first, second = accounts(sandbox, 2)
    rows = [
        {"Deal_Name": f"Deal {n}", "Account_Name": (first, second)[n % 2], "Stage": "Closed Won"}
        for n in range(8)
    ]
    made = [row.id for row in sandbox.seed("Deals", rows)]
    query = ReadQuery("Deals", ("Account_Name", "Stage"), FieldIn("Account_Name", (second,)))
    records = [record for page in connector.read(query) for record in page.records]
    assert [record.ref.id for record in records] == made[1::2]
    assert {record.fields["Account_Name"] for record in records} == {second}


def test_empty_values_are_found_too(sandbox, connector) -> None:
    rows = [{"Account_Name": "A", "Phone": "1"}, {"Account_Name": "B"}, {"Account_Name": "C"}]
    made = [row.id for row in sandbox.seed("Accounts", rows)]
    query = ReadQuery("Accounts", ("Phone",), FieldIn("Phone", ("1", None)))
    assert ids(connector.read(query)) == made
    query = ReadQuery("Accounts", ("Phone",), FieldIn("Phone", (None,)))
    assert ids(connector.read(query)) == made[1:]


def test_no_values_make_no_call(sandbox, connector) -> None:
    connector.describe("Accounts")
    before = sandbox.recorder.count()
    for name in ("id", "Phone"):
        query = ReadQuery("Accounts", ("Phone",), FieldIn(name, ()))
        assert ids(connector.read(query)) == []
    assert sandbox.recorder.count() == before


def seed_tasks(sandbox, about: str, count: int, status: str = "Not Started") -> list[str]:
    rows = [
        {
            "Subject": "Call",
            "What_Id": about,
            "Crmsync_Key": f"cs1-{about}-{n}",
            "Status": status,
            "Due_Date": date(2026, 12, 1),
        }
        for n in range(count)
    ]
    return [row.id for row in sandbox.seed("Tasks", rows)]


def test_a_task_is_found_by_its_key_below_its_customer(sandbox, connector) -> None:
    sandbox.add_field("Tasks", "Crmsync Key", "text")
    first, second = accounts(sandbox, 2)
    open_ones = seed_tasks(sandbox, first, 230)
    seed_tasks(sandbox, second, 3)
    keys = (f"cs1-{first}-7", f"cs1-{first}-229", f"cs1-{second}-1")
    query = ReadQuery("Tasks", ("Status",), FieldIn("Crmsync_Key", keys, below=first))
    assert sorted(ids(connector.read(query))) == [open_ones[7], open_ones[229]]


def test_a_closed_task_is_found_below_its_customer_as_well(sandbox, connector) -> None:
    sandbox.add_field("Tasks", "Crmsync Key", "text")
    (first,) = accounts(sandbox, 1)
    (closed,) = seed_tasks(sandbox, first, 1, status="Completed")
    query = ReadQuery("Tasks", ("Status",), FieldIn("Crmsync_Key", (f"cs1-{first}-0",), first))
    assert ids(connector.read(query)) == [closed]


def test_children_of_a_customer_that_is_gone_are_none(sandbox, connector) -> None:
    sandbox.add_field("Tasks", "Crmsync Key", "text")
    query = ReadQuery("Tasks", ("Status",), FieldIn("Crmsync_Key", ("k",), below="4876876999"))
    assert ids(connector.read(query)) == []


def test_a_field_zoho_does_not_have_is_named_with_its_nearest(connector) -> None:
    with pytest.raises(ConfigError) as refused:
        list(connector.read(whole("Anual_Revenue", "Account_Name")))
    assert "Anual_Revenue" in refused.value.message.en
    assert refused.value.mend is not None
    assert "Annual_Revenue" in refused.value.mend.en


def test_a_module_zoho_does_not_have_is_named(connector) -> None:
    with pytest.raises(UnexpectedReply):
        list(connector.read(ReadQuery("Nonsense", ("Name",), Everything())))


def test_reads_wait_out_a_busy_zoho(sandbox, connector) -> None:
    made = accounts(sandbox, 5)
    sandbox.faults.next("GET", "/crm/v8/Accounts", Reply(429, body={"code": "TOO_MANY_REQUESTS"}))
    sandbox.faults.next("GET", "/crm/v8/Accounts", Reply(503, body="<html>down</html>"))
    assert ids(connector.read(whole())) == made


def test_a_web_page_instead_of_records_is_not_an_empty_module(sandbox, connector) -> None:
    accounts(sandbox, 5)
    sandbox.faults.next("GET", "/crm/v8/Accounts", Reply(200, body="<title>Sign in</title>"))
    with pytest.raises(UnexpectedReply):
        list(connector.read(whole()))


def test_an_endless_outage_ends_the_read(sandbox, connector) -> None:
    accounts(sandbox, 5)
    sandbox.faults.next("GET", "/crm/v8/Accounts", Reply(503), times=99)
    with pytest.raises(Unavailable):
        list(connector.read(whole()))


def test_versions_are_moments_in_utc(sandbox, connector) -> None:
    (record,) = accounts(sandbox, 1)
    found = one(connector, "Accounts", record, "id", "Account_Name", "Modified_Time")
    assert found.version == "2026-11-20T08:00:00+00:00"
    assert found.fields["id"] == record
    assert found.fields["Modified_Time"] == START
