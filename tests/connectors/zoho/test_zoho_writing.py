"""Writes: one result per change, in their order; automation quiet; a moved record untouched."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from tests.connectors.zoho.zoho_open import accounts, one

from crmsync.connector import WriteOptions
from crmsync.errors import OutcomeUnknown, Throttled, UsageError
from crmsync.model.change import CreateRecord, Outcome, SetFields
from crmsync.model.record import RecordRef
from crmsync.testing import Drop, Origin, Reply
from crmsync_zoho.sandbox_records import Workflow

QUIET = WriteOptions()
STRICT = WriteOptions(strict=True)


def put(record: str, *, version: str | None = None, **values) -> SetFields:
    before = dict.fromkeys(values)
    return SetFields(f"c-{record}", RecordRef("Accounts", record), before, values, version)


def stored(sandbox, record: str, field: str):
    return sandbox.store.get("Accounts", record).get(field)


def test_a_hundred_records_are_one_call_and_ten_credits(sandbox, connector) -> None:
    made = accounts(sandbox, 100)
    connector.describe("Accounts")
    used = sandbox.api.ledger.used
    results = connector.write([put(record, Phone="1") for record in made], QUIET)
    assert [result.outcome for result in results] == [Outcome.APPLIED] * 100
    assert [result.ref.id for result in results] == made
    assert sandbox.api.ledger.used - used == 10
    sandbox.invariants.check(owned={"Accounts": {"Phone"}})


def test_good_and_bad_records_each_get_their_own_result(sandbox, connector) -> None:
    made = accounts(sandbox, 6)
    sandbox.lock("Accounts", made[4])
    sandbox.await_approval("Accounts", made[5])
    changes = [
        put(made[0], Phone="1"),
        put(made[1], Rating="Not A Choice"),
        put(made[2], Account_Site="x" * 81),
        put("4876876000999999999", Phone="1"),
        put(made[4], Phone="1"),
        put(made[5], Phone="1"),
    ]
    results = connector.write(changes, QUIET)
    assert [result.change_id for result in results] == [change.change_id for change in changes]
    told = [
        (result.outcome, result.error and (result.error.code, result.error.field))
        for result in results
    ]
    rejected = Outcome.REJECTED
    assert told == [
        (Outcome.APPLIED, None),
        (rejected, ("INVALID_DATA", "Rating")),
        (rejected, ("INVALID_DATA", "Account_Site")),
        (rejected, ("INVALID_DATA", "id")),
        (rejected, ("RECORD_LOCKED", "id")),
        (rejected, ("NOT_APPROVED", "id")),
    ]
    assert [result.error.retryable for result in results[1:]] == [False, False, False, True, True]


def test_an_unknown_field_is_refused_here_for_zoho_would_say_nothing(
    sandbox, connector, raw
) -> None:
    (record,) = accounts(sandbox, 1)
    silent = raw.send("PUT", "Accounts", {"data": [{"id": record, "Nonsense": 1}], "trigger": []})
    assert silent.json()["data"][0]["code"] == "SUCCESS"
    writes = sandbox.recorder.count(method="PUT")
    (result,) = connector.write([put(record, Nonsense="x")], QUIET)
    assert (result.outcome, result.error.code) == (Outcome.REJECTED, "UNKNOWN_FIELD")
    (result,) = connector.write([put(record, Modified_Time=sandbox.clock.now())], QUIET)
    assert (result.outcome, result.error.code) == (Outcome.REJECTED, "READ_ONLY")
    assert sandbox.recorder.count(method="PUT") == writes


def test_local_refusals_keep_their_place_among_zohos_results(sandbox, connector) -> None:
    made = accounts(sandbox, 3)
    changes = [put(made[0], Phone="1"), put(made[1], Employees="many"), put(made[2], Phone="3")]
    results = connector.write(changes, QUIET)
    assert [result.outcome.value for result in results] == ["applied", "rejected", "applied"]
    assert stored(sandbox, made[2], "Phone") == "3"


def test_automation_stays_quiet_and_runs_when_asked(sandbox, connector) -> None:
    (record,) = accounts(sandbox, 1)
    sandbox.add_workflow(Workflow("Accounts", "Rating", "Active", frozenset({"Phone"})))
    connector.write([put(record, Phone="1")], QUIET)
    assert sandbox.field_writes(origin=Origin.AUTOMATION) == ()
    connector.write([put(record, Phone="2")], WriteOptions(run_automation=True))
    assert stored(sandbox, record, "Rating") == "Active"


def test_workflows_that_answer_each_other_are_what_quiet_writes_avoid(sandbox, connector) -> None:
    (record,) = accounts(sandbox, 1)
    sandbox.add_workflow(Workflow("Accounts", "Phone", "A", frozenset({"Rating"})))
    sandbox.add_workflow(Workflow("Accounts", "Phone", "B", frozenset({"Phone"})))
    sandbox.add_workflow(Workflow("Accounts", "Rating", "Active", frozenset({"Phone"})))
    sandbox.add_workflow(Workflow("Accounts", "Rating", "Acquired", frozenset({"Phone"})))
    connector.write([put(record, Phone="1")], WriteOptions(run_automation=True))
    assert len(sandbox.automation_writes()) > 4
    seen = len(sandbox.automation_writes())
    connector.write([put(record, Phone="2")], QUIET)
    assert len(sandbox.automation_writes()) == seen


def test_a_moved_record_gives_conflict_and_stays_as_the_person_left_it(sandbox, connector) -> None:
    (record,) = accounts(sandbox, 1)
    old = one(connector, "Accounts", record, "Phone").version
    sandbox.clock.advance(2)
    sandbox.edit_as_person("Accounts", record, {"Phone": "a person"})
    (result,) = connector.write([put(record, version=old, Phone="ours")], QUIET)
    assert result.outcome is Outcome.CONFLICT
    assert result.version == "2026-11-20T08:00:02+00:00"
    assert stored(sandbox, record, "Phone") == "a person"
    (result,) = connector.write([put(record, version=result.version, Phone="ours")], QUIET)
    assert result.outcome is Outcome.APPLIED


def test_an_edit_within_the_same_second_cannot_be_seen(sandbox, connector) -> None:
    (record,) = accounts(sandbox, 1)
    version = one(connector, "Accounts", record, "Phone").version
    sandbox.clock.advance(timedelta(milliseconds=500))
    sandbox.edit_as_person("Accounts", record, {"Phone": "a person"})
    (result,) = connector.write([put(record, version=version, Phone="ours")], STRICT)
    assert result.outcome is Outcome.APPLIED
    assert connector.capabilities.version_resolution == timedelta(seconds=1)


def test_batches_send_no_condition_unless_strict(sandbox, connector) -> None:
    made = accounts(sandbox, 3)
    version = one(connector, "Accounts", made[0], "Phone").version
    batch = [put(record, version=version, Phone="1") for record in made]
    connector.write(batch, QUIET)
    (request,) = sandbox.recorder.all(method="PUT")
    assert "if-unmodified-since" not in request.headers
    assert request.body["trigger"] == []


def test_strict_records_that_share_a_version_go_together(sandbox, connector) -> None:
    made = accounts(sandbox, 3)
    version = one(connector, "Accounts", made[0], "Phone").version
    sandbox.clock.advance(2)
    sandbox.edit_as_person("Accounts", made[1], {"Phone": "a person"})
    results = connector.write([put(r, version=version, Phone="1") for r in made], STRICT)
    assert [result.outcome.value for result in results] == ["applied", "conflict", "applied"]
    other = put(made[0], version="2026-11-20T08:00:02+00:00", Phone="1")
    with pytest.raises(UsageError):
        connector.write([other, put(made[1], version=version, Phone="1")], STRICT)


def task(about: str, key: str, **more) -> CreateRecord:
    values = {"Subject": "Call", "What_Id": about, "Crmsync_Key": key, **more}
    return CreateRecord(f"t-{key}", "Tasks", values, "Crmsync_Key", RecordRef("Accounts", about))


def test_a_task_hangs_below_its_customer(sandbox, connector, raw) -> None:
    sandbox.add_field("Tasks", "Crmsync Key", "text")
    (about,) = accounts(sandbox, 1)
    (result,) = connector.write([task(about, "k1", Priority="High")], QUIET)
    assert result.outcome is Outcome.APPLIED
    listed = raw.get(f"Accounts/{about}/Tasks", fields="Subject,What_Id,Priority").json()["data"]
    assert [item["id"] for item in listed] == [result.ref.id]
    assert listed[0]["What_Id"]["id"] == about
    sandbox.invariants.check(task_key=("Tasks", "Crmsync_Key"))


def test_a_task_without_its_parents_module_is_refused_here(sandbox, connector) -> None:
    sandbox.add_field("Tasks", "Crmsync Key", "text")
    (about,) = accounts(sandbox, 1)
    made = task(about, "k1")
    alone = CreateRecord(made.change_id, "Tasks", made.values, "Crmsync_Key")
    (result,) = connector.write([alone], QUIET)
    assert result.error.code == "PARENT_MODULE_UNKNOWN"


def test_a_key_zoho_already_has_means_the_creation_happened_before(sandbox, connector) -> None:
    sandbox.org.add_field("Tasks", "Crmsync Key", "text", unique={"casesensitive": False})
    (about,) = accounts(sandbox, 1)
    (first,) = connector.write([task(about, "k1")], QUIET)
    (second,) = connector.write([task(about, "k1")], QUIET)
    assert second.outcome is Outcome.APPLIED
    assert second.ref == first.ref
    assert len(sandbox.store.rows("Tasks")) == 1


def test_a_lost_reply_is_unknown_and_not_sent_again(sandbox, connector) -> None:
    (record,) = accounts(sandbox, 1)
    sandbox.faults.next("PUT", "/crm/v8/Accounts", Drop(commit=True))
    with pytest.raises(OutcomeUnknown):
        connector.write([put(record, Phone="1")], QUIET)
    assert sandbox.recorder.count(method="PUT") == 1
    assert stored(sandbox, record, "Phone") == "1"


def test_a_busy_zoho_is_told_and_left_to_the_engine(sandbox, connector, limits) -> None:
    (record,) = accounts(sandbox, 1)
    connector.describe("Accounts")
    limits.concurrency = 0
    with pytest.raises(Throttled) as refused:
        connector.write([put(record, Phone="1")], QUIET)
    assert refused.value.retry_after is None
    assert sandbox.recorder.count(method="PUT") == 1
    assert stored(sandbox, record, "Phone") is None


GOOD = {"code": "SUCCESS", "details": {"id": "1"}, "status": "success", "message": ""}


@pytest.mark.parametrize(
    "body",
    [
        {"data": []},
        {"data": [GOOD, GOOD, GOOD]},
        {"data": ["SUCCESS", "SUCCESS"]},
        {"hello": "world"},
        "<html>proxy</html>",
        None,
    ],
)
def test_a_reply_that_does_not_fit_the_batch_is_unknown(sandbox, connector, body) -> None:
    made = accounts(sandbox, 2)
    sandbox.faults.next("PUT", "/crm/v8/Accounts", Reply(200, body=body, commit=True))
    with pytest.raises(OutcomeUnknown):
        connector.write([put(record, Phone="1") for record in made], QUIET)


def test_a_result_that_names_another_record_is_unknown(sandbox, connector) -> None:
    made = accounts(sandbox, 2)
    body = {"data": [{**GOOD, "details": {"id": record}} for record in reversed(made)]}
    sandbox.faults.next("PUT", "/crm/v8/Accounts", Reply(200, body=body, commit=True))
    results = connector.write([put(record, Phone="1") for record in made], QUIET)
    assert [result.outcome for result in results] == [Outcome.UNKNOWN, Outcome.UNKNOWN]


def test_a_refusal_of_the_whole_call_stands_for_each_record(sandbox, connector) -> None:
    made = accounts(sandbox, 2)
    body = {"code": "INVALID_MODULE", "details": {}, "message": "no", "status": "error"}
    sandbox.faults.next("PUT", "/crm/v8/Accounts", Reply(400, body=body))
    results = connector.write([put(record, Phone="1") for record in made], QUIET)
    assert {(result.outcome, result.error.code) for result in results} == {
        (Outcome.REJECTED, "INVALID_MODULE")
    }


def test_zohos_words_never_reach_an_error(sandbox, connector) -> None:
    (record,) = accounts(sandbox, 1)
    entry = {
        "code": "INVALID_DATA",
        "details": {"api_name": "Canary Person", "expected_data_type": "Canary Person"},
        "message": "Canary Person is not valid",
        "status": "error",
    }
    sandbox.faults.next("PUT", "/crm/v8/Accounts", Reply(400, body={"data": [entry]}))
    (result,) = connector.write([put(record, Annual_Revenue=Decimal(1))], QUIET)
    assert result.outcome is Outcome.REJECTED
    assert "Canary" not in repr(result)


def test_one_call_takes_one_kind_of_change(sandbox, connector) -> None:
    (record,) = accounts(sandbox, 1)
    with pytest.raises(UsageError):
        connector.write([put(record, Phone="1"), task(record, "k")], QUIET)
    with pytest.raises(UsageError):
        connector.write([put(record, Phone="1")] * 101, QUIET)
    assert sandbox.recorder.count(method="PUT") == 0
