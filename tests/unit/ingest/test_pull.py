from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from tests.unit.ingest.paged_crm import PagedCrm

from crmsync.connector import Everything, FieldIn, ModifiedSince
from crmsync.errors import StoreError, Throttled, UnexpectedReply
from crmsync.ingest import PullOptions, PullReport, pull
from crmsync.model.schema import FieldSchema, FieldType, ObjectWant
from crmsync.model.text import Text
from crmsync.store.mirror import MirrorFiles, ReadKind, open_mirror, read_meta

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
ACCOUNTS = ObjectWant(
    "Accounts",
    (
        FieldSchema("Account_Name", "Name", FieldType.TEXT),
        FieldSchema("Revenue", "Revenue", FieldType.CURRENCY),
    ),
)
DEALS = ObjectWant("Deals", (FieldSchema("Amount", "Amount", FieldType.CURRENCY),))


@pytest.fixture
def crm() -> PagedCrm:
    crm = PagedCrm(START - timedelta(hours=1))
    for number in range(35):
        crm.put(
            "Accounts",
            f"{number:03d}",
            {"Account_Name": f"Customer {number}", "Revenue": Decimal(number), "Secret": "x" * 9},
        )
    for number in range(12):
        crm.put("Deals", f"{number:03d}", {"Amount": Decimal("1.5")})
    crm.now = START
    return crm


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mirrors" / "zed.duckdb"


def run(crm: PagedCrm, path: Path, *wants: ObjectWant, **options: object) -> PullReport:
    chosen = PullOptions(now=lambda: crm.now, **options)  # type: ignore[arg-type]
    return pull(crm, wants or (ACCOUNTS, DEALS), path, options=chosen)


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    connection = open_mirror(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def counts(report: PullReport) -> dict[str, tuple[str, int, int, int, int]]:
    return {
        item.object: (item.kind.value, item.read, item.changed, item.deleted, item.rows)
        for item in report.objects
    }


def test_a_first_pull_reads_everything_and_only_mapped_fields(crm: PagedCrm, path: Path) -> None:
    report = run(crm, path)
    assert counts(report) == {"Accounts": ("full", 35, 35, 0, 35), "Deals": ("full", 12, 12, 0, 12)}
    assert rows(
        path, 'SELECT id, "Account_Name", "Revenue" FROM "Accounts" ORDER BY id LIMIT 1'
    ) == [("000", "Customer 0", Decimal("0.000000"))]
    assert [name for name, *_ in rows(path, "DESCRIBE Accounts")] == [
        "id",
        "_modified",
        "_version",
        "_unfit",
        "Account_Name",
        "Revenue",
    ]


def test_the_next_pull_reads_only_what_changed(crm: PagedCrm, path: Path) -> None:
    run(crm, path)
    crm.now += timedelta(hours=1)
    crm.put("Accounts", "007", {"Account_Name": "Customer 7", "Revenue": Decimal(700)})
    crm.put("Accounts", "990", {"Account_Name": "New", "Revenue": None})
    crm.delete("Accounts", "003")
    crm.now += timedelta(minutes=1)
    report = run(crm, path)
    assert counts(report) == {
        "Accounts": ("incremental", 3, 2, 1, 35),
        "Deals": ("incremental", 0, 0, 0, 12),
    }
    found = dict(rows(path, 'SELECT id, "Revenue" FROM "Accounts"'))
    assert found["007"] == Decimal(700)
    assert found["990"] is None
    assert "003" not in found


def test_the_watermark_is_the_servers_time_at_the_start_less_the_lookback(
    crm: PagedCrm, path: Path
) -> None:
    report = run(crm, path, ACCOUNTS)
    assert report.objects[0].watermark == START
    crm.now += timedelta(hours=1)
    run(crm, path, ACCOUNTS)
    where = crm.queries[-1][0].where
    assert where == ModifiedSince(START - crm.capabilities.lookback)


def test_our_own_clock_counts_where_the_crm_tells_no_time(crm: PagedCrm, path: Path) -> None:
    crm.tells_time = False
    assert run(crm, path, ACCOUNTS).objects[0].watermark == START


def test_a_change_during_the_pull_is_in_the_next_one(crm: PagedCrm, path: Path) -> None:
    def edit(number: int) -> None:
        if number == 2:
            crm.put("Accounts", "000", {"Account_Name": "Late", "Revenue": None})

    crm.on_page = edit
    run(crm, path, ACCOUNTS)
    crm.on_page = lambda number: None
    crm.now += timedelta(hours=1)
    run(crm, path, ACCOUNTS)
    assert rows(path, 'SELECT "Account_Name" FROM "Accounts" WHERE id = \'000\'') == [("Late",)]


def test_repeats_are_harmless_and_not_counted_as_changes(crm: PagedCrm, path: Path) -> None:
    crm.put("Accounts", "001", {"Account_Name": "Edited", "Revenue": None})
    run(crm, path, ACCOUNTS)
    report = run(crm, path, ACCOUNTS)
    assert counts(report)["Accounts"] == ("incremental", 1, 0, 0, 35)


def test_an_interrupted_pull_goes_on_after_the_last_stored_page(crm: PagedCrm, path: Path) -> None:
    crm.fail_after = 2
    with pytest.raises(Throttled):
        run(crm, path)
    assert not path.exists()
    crm.fail_after = None
    report = run(crm, path)
    assert [resume for query, resume in crm.queries if query.object == "Accounts"] == [None, "019"]
    assert [item.resumed for item in report.objects] == [True, False]
    assert counts(report)["Accounts"] == ("full", 35, 35, 0, 35)
    assert not MirrorFiles(path).next.exists()


def test_what_was_finished_long_ago_is_brought_up_to_date_on_resume(
    crm: PagedCrm, path: Path
) -> None:
    fails = {"Deals"}

    original = crm.read

    def read(query, *, resume=None):  # type: ignore[no-untyped-def]
        if query.object in fails:
            raise Throttled(Text.same("later"))
        return original(query, resume=resume)

    crm.read = read  # type: ignore[method-assign]
    with pytest.raises(Throttled):
        run(crm, path)
    fails.clear()
    crm.now += timedelta(hours=2)
    crm.put("Accounts", "001", {"Account_Name": "Changed since", "Revenue": None})
    crm.delete("Accounts", "002")
    report = run(crm, path)
    found = dict(rows(path, 'SELECT id, "Account_Name" FROM "Accounts"'))
    assert found["001"] == "Changed since"
    assert "002" not in found
    assert report.objects[0].watermark > START + timedelta(hours=1)


def test_an_interrupted_pull_leaves_the_published_mirror_alone(crm: PagedCrm, path: Path) -> None:
    run(crm, path)
    before = path.read_bytes()
    crm.now += timedelta(hours=1)
    for number in range(30):
        crm.put("Accounts", f"{number:03d}", {"Account_Name": "x", "Revenue": None})
    crm.fail_after = 1
    with pytest.raises(Throttled):
        run(crm, path)
    assert path.read_bytes() == before


def test_a_new_field_makes_its_object_be_read_whole(crm: PagedCrm, path: Path) -> None:
    run(crm, path)
    wider = ObjectWant(
        "Accounts", (*ACCOUNTS.fields, FieldSchema("Secret", "Secret", FieldType.TEXT))
    )
    report = run(crm, path, wider, DEALS)
    assert counts(report)["Accounts"][:2] == ("full", 35)
    assert counts(report)["Deals"][0] == "incremental"
    assert rows(path, 'SELECT count("Secret") FROM "Accounts"') == [(35,)]


def test_a_field_no_longer_mapped_is_no_longer_stored(crm: PagedCrm, path: Path) -> None:
    wider = ObjectWant(
        "Accounts", (*ACCOUNTS.fields, FieldSchema("Secret", "Secret", FieldType.TEXT))
    )
    run(crm, path, wider, DEALS)
    assert b"xxxxxxxxx" in path.read_bytes()
    run(crm, path, ACCOUNTS)
    assert b"xxxxxxxxx" not in path.read_bytes()
    assert [item[0] for item in rows(path, "SHOW TABLES")] == [
        "Accounts",
        "_merges",
        "_meta",
        "_objects",
    ]


def test_a_full_read_finds_deletions_the_crm_keeps_to_itself(tmp_path: Path) -> None:
    crm = PagedCrm(START - timedelta(hours=1), sees_deletes=False)
    for number in range(3):
        crm.put("Deals", str(number), {"Amount": Decimal(1)})
    crm.now = START
    path = tmp_path / "quiet.duckdb"
    run(crm, path, DEALS)
    crm.now += timedelta(hours=1)
    crm.delete("Deals", "1")
    assert counts(run(crm, path, DEALS))["Deals"] == ("incremental", 0, 0, 0, 3)
    crm.now += timedelta(days=7)
    report = run(crm, path, DEALS)
    assert counts(report)["Deals"] == ("full", 2, 0, 1, 2)
    assert report.objects[0].reason is not None


def test_full_pulls_are_a_setting(crm: PagedCrm, path: Path) -> None:
    run(crm, path, DEALS)
    crm.now += timedelta(days=2)
    assert run(crm, path, DEALS, full_every=timedelta(days=1)).objects[0].kind is ReadKind.FULL
    assert run(crm, path, DEALS).objects[0].kind is ReadKind.INCREMENTAL
    assert run(crm, path, DEALS, full=True).objects[0].kind is ReadKind.FULL
    assert isinstance(crm.queries[-1][0].where, Everything)


@pytest.mark.parametrize("fault", ["repeat_cursor", "repeat_page"])
def test_a_page_that_comes_twice_stops_the_pull(crm: PagedCrm, path: Path, fault: str) -> None:
    setattr(crm, fault, True)
    with pytest.raises(UnexpectedReply) as raised:
        run(crm, path)
    assert raised.value.mend is not None
    assert not path.exists()


def test_a_damaged_next_file_is_discarded_with_a_warning(crm: PagedCrm, path: Path) -> None:
    crm.fail_after = 1
    with pytest.raises(Throttled):
        run(crm, path)
    crm.fail_after = None
    MirrorFiles(path).next.write_bytes(b"not a database")
    report = run(crm, path)
    assert len(report.warnings) == 1
    assert counts(report)["Accounts"] == ("full", 35, 35, 0, 35)


def test_a_damaged_mirror_is_told_and_a_full_pull_mends_it(crm: PagedCrm, path: Path) -> None:
    run(crm, path)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(StoreError) as raised:
        open_mirror(path)
    assert raised.value.mend is not None
    assert "pull --full" in raised.value.mend.en
    with pytest.raises(StoreError):
        run(crm, path)
    run(crm, path, full=True)
    assert rows(path, 'SELECT count(*) FROM "Accounts"') == [(35,)]


def test_damage_inside_the_tables_is_mended_too(crm: PagedCrm, path: Path) -> None:
    run(crm, path)
    content = bytearray(path.read_bytes())
    for place in range(12288, len(content), 64):
        content[place] ^= 0xFF
    path.write_bytes(bytes(content))
    run(crm, path, full=True)
    assert rows(path, 'SELECT count(*) FROM "Accounts"') == [(35,)]


def test_another_account_starts_anew(crm: PagedCrm, path: Path) -> None:
    run(crm, path, DEALS)
    other = PagedCrm(START, account="org-2")
    other.put("Deals", "z", {"Amount": Decimal(9)})
    report = run(other, path, DEALS)
    assert len(report.warnings) == 1
    assert rows(path, 'SELECT id FROM "Deals"') == [("z",)]


def test_a_clock_that_is_off_is_told(crm: PagedCrm, path: Path) -> None:
    ahead = PullOptions(now=lambda: crm.now + timedelta(minutes=7))
    report = pull(crm, (DEALS,), path, options=ahead)
    assert "7 min ahead" in report.warnings[0].en
    assert report.objects[0].watermark == START


def test_files_are_private_at_every_moment(crm: PagedCrm, path: Path) -> None:
    seen: dict[str, int] = {}

    def look(_: object) -> None:
        for file in path.parent.iterdir():
            if file.is_file():
                seen[file.name] = max(seen.get(file.name, 0), stat.S_IMODE(file.stat().st_mode))

    pull(crm, (ACCOUNTS,), path, options=PullOptions(now=lambda: crm.now), progress=look)
    look(None)
    assert "zed.next.duckdb" in seen
    assert "zed.duckdb" in seen
    assert set(seen.values()) == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_reader_keeps_what_it_opened_while_a_pull_publishes(crm: PagedCrm, path: Path) -> None:
    run(crm, path, DEALS)
    old = open_mirror(path)
    crm.now += timedelta(hours=1)
    crm.put("Deals", "zzz", {"Amount": Decimal(1)})
    run(crm, path, DEALS)
    new = open_mirror(path)
    assert old.execute('SELECT count(*) FROM "Deals"').fetchall() == [(12,)]
    assert new.execute('SELECT count(*) FROM "Deals"').fetchall() == [(13,)]
    assert read_meta(new).generation == read_meta(old).generation + 1
    old.close()
    new.close()


def test_the_meta_tells_account_age_and_schemas(crm: PagedCrm, path: Path) -> None:
    report = run(crm, path)
    connection = open_mirror(path)
    meta = read_meta(connection)
    connection.close()
    assert meta.account == "org-1"
    assert meta.pulled_at == report.pulled_at == START
    assert meta.schemas()["Accounts"].field("Revenue") == FieldSchema(
        "Revenue", "Revenue", FieldType.CURRENCY
    )
    names = sorted(file.name for file in path.parent.iterdir())
    assert names == ["zed.duckdb", "zed.pull.lock"]


def test_what_a_run_did_not_find_is_asked_for_and_taken_out(crm: PagedCrm, path: Path) -> None:
    crm = PagedCrm(START, sees_deletes=False)
    for number in range(5):
        crm.put("Deals", f"{number:03d}", {"Amount": Decimal(1)})
    run(crm, path, DEALS)
    crm.delete("Deals", "003")
    assert counts(run(crm, path, DEALS))["Deals"][3:] == (0, 5)
    suspects = {"Deals": ("001", "003", "never read")}
    asked = len(crm.queries)
    assert counts(run(crm, path, DEALS, suspects=suspects))["Deals"][3:] == (1, 4)
    assert [query.where for query, _ in crm.queries[asked + 1 :]] == [FieldIn("id", ("001", "003"))]
    crm.queries.clear()
    assert counts(run(crm, path, DEALS, suspects={"Deals": ("003",)}))["Deals"][3:] == (0, 4)
    assert len(crm.queries) == 1, "a record that is gone from the mirror is not asked for again"
