"""The whole connector: who we are, what it costs, limits kept, nothing written by looking."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from tests.connectors.zoho.zoho_open import START, accounts, ids, settings_of

import crmsync_zoho
from crmsync.connector import (
    Connector,
    CreateOnce,
    Everything,
    FieldIn,
    FieldProvisioner,
    ModifiedSince,
    QuotaReporter,
    ReadQuery,
    UserDirectory,
    WriteOptions,
    connectors,
)
from crmsync.errors import AccessDenied, QuotaExhausted
from crmsync.model.change import CreateRecord, Outcome, SetFields
from crmsync.model.record import RecordRef
from crmsync.model.schema import FieldSchema, FieldType
from crmsync_zoho import SPEC
from crmsync_zoho.connector import open_connector

NAMES = ReadQuery("Accounts", ("Account_Name",))


def test_the_connector_is_found_by_its_entry_point() -> None:
    assert "zoho" in {spec.name for spec in connectors()}
    assert SPEC.load("open") is open_connector


def test_it_offers_what_the_contract_asks(connector) -> None:
    assert isinstance(connector, Connector)
    assert isinstance(connector, FieldProvisioner)
    assert isinstance(connector, QuotaReporter)
    assert connector.capabilities.create_once is CreateOnce.B
    assert connector.capabilities.write_batch == 100


def test_check_tells_account_user_and_that_this_is_practice(sandbox, connector) -> None:
    with sandbox.read_only():
        found = connector.check()
    assert found.id == sandbox.org.id
    assert (found.time_zone, found.currency) == ("Asia/Shanghai", "CNY")
    assert found.user_id == sandbox.org.people.integration.id
    assert found.environment == "practice"


def test_users_come_page_by_page_those_who_left_among_them(sandbox, connector) -> None:
    people = sandbox.org.people
    known = len(people.all())
    for number in range(205):
        people.add(f"Seat {number}")
    people.retire(people.all()[-1].id)
    assert isinstance(connector, UserDirectory)
    with sandbox.read_only():
        found = connector.users()
    assert len({user.id for user in found}) == len(found) == known + 205
    assert [user.name for user in found if not user.active] == ["Seat 204"]


def test_our_count_of_credits_is_zohos(sandbox, connector) -> None:
    made = accounts(sandbox, 450)
    list(connector.read(NAMES))
    change = [
        SetFields(record, RecordRef("Accounts", record), {"Phone": None}, {"Phone": "1"})
        for record in made[:25]
    ]
    connector.write(change, WriteOptions())
    quota = connector.quota()
    assert quota.used == sandbox.api.ledger.used == 1 + 3 + 3
    assert quota.remaining is None
    sandbox.clock.advance(timedelta(hours=24, minutes=1))
    assert connector.quota().used == 0


def test_what_zoho_says_is_left_is_passed_on_from_half_of_it(sandbox, limits) -> None:
    limits.credits_per_day = 10
    accounts(sandbox, 1)
    settings = settings_of(sandbox, credits_per_day=10)
    connector = open_connector(settings, sandbox.context())
    assert connector.quota().remaining is None
    for _ in range(6):
        list(connector.read(NAMES))
    assert connector.quota().remaining == 3
    assert connector.quota().limit == 10
    connector.close()


def test_used_up_credits_stop_the_run_instead_of_waiting(sandbox, limits) -> None:
    limits.credits_per_day = 5
    accounts(sandbox, 1)
    connector = open_connector(settings_of(sandbox, keep_credits_percent=0), sandbox.context())
    for _ in range(4):
        list(connector.read(NAMES))
    with pytest.raises(QuotaExhausted):
        list(connector.read(NAMES))
    connector.close()


@pytest.mark.parametrize("told", [True, False])
def test_a_tenth_of_the_credits_is_left_to_people(sandbox, limits, told) -> None:
    """By our own count of a known limit, or by what Zoho says is left of an unknown one."""
    limits.credits_per_day = 40
    accounts(sandbox, 1)
    more = {} if told else {"credits_per_day": 40}
    connector = open_connector(settings_of(sandbox, **more), sandbox.context())
    with pytest.raises(QuotaExhausted) as caught:
        [list(connector.read(NAMES)) for _ in range(60)]
    assert limits.credits_per_day - sandbox.api.ledger.used >= 4
    assert caught.value.resets_at is not None
    connector.close()


def test_five_threads_stay_below_zohos_limits(sandbox, connector) -> None:
    made = accounts(sandbox, 300)
    connector.describe("Accounts")
    sandbox.api.latency = 0.02
    results: list[object] = []

    def work(part: list[str]) -> None:
        changes = [
            SetFields(record, RecordRef("Accounts", record), {"Phone": None}, {"Phone": "1"})
            for record in part
        ]
        results.extend(connector.write(changes, WriteOptions()))

    parts = [made[start::5] for start in range(connector.capabilities.parallel_calls)]
    threads = [threading.Thread(target=work, args=(part,)) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 300
    assert {row.get("Phone") for row in sandbox.store.rows("Accounts")} == {"1"}


def daily_scopes() -> tuple[str, ...]:
    guide = Path(crmsync_zoho.__file__).with_name("GUIDE.md").read_text(encoding="utf-8")
    (line,) = (line for line in guide.splitlines() if line.startswith("       ZohoCRM."))
    return tuple(line.strip().split(","))


def test_the_scopes_of_the_guide_are_enough_for_daily_work_and_for_no_more(
    sandbox, connector
) -> None:
    key = sandbox.add_field("Tasks", "Crmsync Key", "text")
    (record,) = accounts(sandbox, 1)
    about = RecordRef("Accounts", record)
    sandbox.accounts.restrict(daily_scopes())
    connector.check()
    connector.describe("Accounts")
    for where in (Everything(), ModifiedSince(START), FieldIn("id", (record,))):
        list(connector.read(ReadQuery("Accounts", ("Account_Name",), where)))
    list(connector.read(ReadQuery("Deals", ("Stage",))))
    task = {"Subject": "Call", "What_Id": record, key: "k"}
    create = CreateRecord("t", "Tasks", task, key, about)
    update = SetFields("c", about, {"Phone": None}, {"Phone": "1"})
    for change in (create, update):
        (result,) = connector.write([change], WriteOptions())
        assert result.outcome is Outcome.APPLIED
    found = connector.read(ReadQuery("Tasks", (), FieldIn(key, ("k",), below=record)))
    assert len(ids(found)) == 1
    with pytest.raises(AccessDenied):
        connector.create_field("Accounts", FieldSchema("x", "New one", FieldType.TEXT))
    with pytest.raises(AccessDenied):
        list(connector.read(ReadQuery("Contacts", ("Last_Name",))))


def test_repr_and_close_are_harmless(sandbox, connector) -> None:
    accounts(sandbox, 1)
    assert len(ids(connector.read(NAMES))) == 1
    for secret in sandbox.connection_settings().secrets.values():
        assert secret not in repr(connector)
    connector.close()
    connector.close()
