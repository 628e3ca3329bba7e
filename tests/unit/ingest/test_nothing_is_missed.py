"""A CRM that is edited while it is read: one further pull and the mirror is what the CRM holds."""

from __future__ import annotations

import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from tests.unit.ingest.paged_crm import PagedCrm

from crmsync.errors import Throttled
from crmsync.ingest import PullOptions, pull
from crmsync.model.record import Record
from crmsync.model.schema import FieldSchema, FieldType, ObjectWant
from crmsync.store.mirror import MirrorFiles, open_mirror

START = datetime(2026, 3, 2, tzinfo=UTC)
WANT = ObjectWant("Deals", (FieldSchema("Amount", "Amount", FieldType.CURRENCY),))


def held(crm: PagedCrm) -> dict[str, Decimal]:
    def amount(record: Record) -> Decimal:
        value = record.fields["Amount"]
        assert isinstance(value, Decimal)
        return value

    found = crm.records["Deals"].items()
    return {key: amount(record) for key, record in found if not record.deleted}


def mirrored(path: Path) -> dict[str, Decimal]:
    connection = open_mirror(path)
    try:
        return dict(connection.execute('SELECT id, "Amount" FROM "Deals"').fetchall())
    finally:
        connection.close()


@pytest.mark.parametrize("seed", range(4))
def test_edits_creations_and_deletions_during_every_page(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    crm = PagedCrm(START, page_size=25)
    for number in range(300):
        crm.put("Deals", f"{number:05d}", {"Amount": Decimal(number)})
    path = tmp_path / "busy.duckdb"
    options = PullOptions(now=lambda: crm.now)

    def trouble(page: int) -> None:
        alive = sorted(held(crm))
        for key in chance.sample(alive, 3):
            crm.put("Deals", key, {"Amount": Decimal(chance.randrange(10**6))})
        crm.put("Deals", f"{chance.randrange(10**5):05d}", {"Amount": Decimal(page)})
        crm.delete("Deals", chance.choice(alive))
        if chance.random() < 0.2:
            crm.fail_after = chance.randrange(1, 4)

    crm.on_page = trouble
    for _ in range(8):
        try:
            pull(crm, [WANT], path, options=options)
        except Throttled:
            crm.fail_after = None
        crm.now += timedelta(minutes=chance.randrange(1, 40))
    crm.on_page = lambda page: None
    crm.fail_after = None
    pull(crm, [WANT], path, options=options)
    if MirrorFiles(path).next.exists():
        pull(crm, [WANT], path, options=options)
    crm.now += timedelta(minutes=20)
    pull(crm, [WANT], path, options=options)
    assert mirrored(path) == held(crm)


PROGRAM = """
import sys, time
from decimal import Decimal
from pathlib import Path
from tests.unit.ingest.test_nothing_is_missed import START, WANT
from tests.unit.ingest.paged_crm import PagedCrm
from crmsync.ingest import PullOptions, pull

crm = PagedCrm(START, page_size=10)
for number in range(400):
    crm.put("Deals", f"{number:05d}", {"Amount": Decimal(number)})
def slow(progress):
    print(progress.read, flush=True)
    time.sleep(0.01)
pull(crm, [WANT], Path(sys.argv[1]), options=PullOptions(now=lambda: crm.now), progress=slow)
"""


@pytest.mark.parametrize("pages", [1, 7, 30])
def test_a_killed_pull_goes_on_where_it_was(tmp_path: Path, pages: int) -> None:
    path = tmp_path / "killed.duckdb"
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(path)],
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": ":".join(sys.path)},
        cwd=Path(__file__).resolve().parents[3],
    )
    assert process.stdout is not None
    for _ in range(pages):
        assert process.stdout.readline()
    process.kill()
    process.communicate()
    crm = PagedCrm(START, page_size=10)
    for number in range(400):
        crm.put("Deals", f"{number:05d}", {"Amount": Decimal(number)})
    report = pull(crm, [WANT], path, options=PullOptions(now=lambda: crm.now))
    query, resume = crm.queries[0]
    assert query.object == "Deals"
    assert resume is not None
    assert int(resume) >= pages * 10 - 1
    assert report.objects[0].resumed
    assert report.objects[0].read == 400
    assert mirrored(path) == held(crm)
