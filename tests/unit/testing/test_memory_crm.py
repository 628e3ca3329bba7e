"""The CRM in memory shows the faults an engine must survive."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crmsync.connector import CreateOnce, FieldIn, ReadQuery, WriteOptions
from crmsync.errors import OutcomeUnknown
from crmsync.model.change import CreateRecord, Outcome
from crmsync.testing import MemoryConnector, MemoryCrm, Quirks, SandboxClock, Trouble
from crmsync.testing.memory_harness import COMPANY, TODO

COMPANY_ID = "000000000000000001"
NEW = CreateRecord("c1", "Todo", {"subject": "Call", "key": "k1", "about": COMPANY_ID}, "key")


def crm(**quirks: object) -> tuple[MemoryCrm, MemoryConnector]:
    made = MemoryCrm(SandboxClock(datetime(2026, 11, 22, 8, tzinfo=UTC)), Quirks(**quirks))
    made.add_object(COMPANY)
    made.add_object(TODO)
    made.seed("Company", [{"name": "Invented"}])
    return made, MemoryConnector(made)


def keys(connector: MemoryConnector, below: str | None = None) -> int:
    query = ReadQuery("Todo", ("key",), FieldIn("key", ("k1",), below))
    return sum(len(page.records) for page in connector.read(query))


def test_a_late_commit_shows_only_when_its_time_has_come() -> None:
    made, connector = crm()
    made.trouble(Trouble.COMMITTED_LATE)
    with pytest.raises(OutcomeUnknown):
        connector.write([NEW], WriteOptions())
    made.clock.advance(59)
    assert keys(connector) == 0
    made.clock.advance(1)
    assert keys(connector) == 1


def test_a_lagging_search_does_not_see_what_a_list_sees() -> None:
    made, connector = crm(index_lag=timedelta(seconds=30), create_once=CreateOnce.B)
    connector.write([NEW], WriteOptions())
    assert (keys(connector), keys(connector, below=COMPANY_ID)) == (0, 1)
    made.clock.advance(30)
    assert keys(connector) == 1


@pytest.mark.parametrize(("rung", "count"), [(CreateOnce.A, 1), (CreateOnce.B, 2)])
def test_only_rung_a_survives_a_second_creation(rung: CreateOnce, count: int) -> None:
    _, connector = crm(create_once=rung)
    for _ in range(2):
        (result,) = connector.write([NEW], WriteOptions())
        assert result.outcome is Outcome.APPLIED
    assert keys(connector) == count
