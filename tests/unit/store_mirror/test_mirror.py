from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from crmsync.errors import ConfigError, LockHeld, StoreError
from crmsync.model.record import Record, RecordRef, Value
from crmsync.model.schema import FieldSchema, FieldType
from crmsync.store.mirror import (
    MirrorFiles,
    MirrorWriter,
    ReadKind,
    ReadState,
    open_mirror,
)
from crmsync.store.mirror_columns import stored_fields

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def field(type: FieldType, name: str = "F") -> FieldSchema:
    return FieldSchema(name, name, type)


def state(*fields: FieldSchema, kind: ReadKind = ReadKind.FULL) -> ReadState:
    return ReadState("Thing", fields, kind, None, NOW, None, 0, False)


def record(
    id: str, values: dict[str, Value], *, at: datetime = NOW, deleted: bool = False
) -> Record:
    return Record(RecordRef("Thing", id), values, at, None, deleted)


def store(
    path: Path,
    fields: tuple[FieldSchema, ...],
    *pages: list[Record],
    kind: ReadKind = ReadKind.FULL,
) -> None:
    with MirrorWriter(path, account="a", now=NOW) as writer:
        current = writer.begin(state(*fields, kind=kind))
        for page in pages:
            current = writer.append(current, page, resume="t", done=False)
        writer.append(current, [], resume=None, done=True)
        writer.publish(NOW)


def fetch(path: Path, query: str) -> list[tuple[object, ...]]:
    connection = open_mirror(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


KEPT: list[tuple[FieldType, Value, object]] = [
    (FieldType.TEXT, "客户 “A” \x00 ' \\ \n 👩‍👩‍👧", "客户 “A” \x00 ' \\ \n 👩‍👩‍👧"),
    (FieldType.TEXT, "", None),
    (FieldType.TEXT, "\ud83d", "?"),
    (FieldType.PICKLIST, "高", "高"),
    (FieldType.BOOLEAN, False, False),
    (FieldType.INTEGER, 2**63 - 1, 2**63 - 1),
    (FieldType.INTEGER, Decimal("12.0"), 12),
    (FieldType.DECIMAL, Decimal("0.1234567"), Decimal("0.123457")),
    (FieldType.CURRENCY, Decimal("1E+21"), Decimal(10) ** 21),
    (FieldType.CURRENCY, -3, Decimal(-3)),
    (FieldType.PERCENT, Decimal("12.5"), Decimal("12.5")),
    (FieldType.DATE, date(1, 1, 1), date(1, 1, 1)),
    (
        FieldType.DATETIME,
        datetime(2026, 1, 1, 6, tzinfo=timezone(timedelta(hours=8))),
        datetime(2025, 12, 31, 22),
    ),
    (FieldType.MULTI_PICKLIST, ("a", "b"), ["a", "b"]),
    (FieldType.MULTI_PICKLIST, (), None),
    (FieldType.LOOKUP, "9007199254740993", "9007199254740993"),
]


@pytest.mark.parametrize(("type", "value", "kept"), KEPT)
def test_a_canonical_value_is_kept(
    tmp_path: Path, type: FieldType, value: Value, kept: object
) -> None:
    path = tmp_path / "m.duckdb"
    store(path, (field(type),), [record("1", {"F": value}), record("2", {})])
    assert fetch(path, 'SELECT "F", _unfit FROM "Thing" ORDER BY id') == [
        (kept, None),
        (None, None),
    ]


UNFIT: list[tuple[FieldType, object]] = [
    (FieldType.INTEGER, 2**63),
    (FieldType.INTEGER, True),
    (FieldType.INTEGER, Decimal("1.5")),
    (FieldType.INTEGER, "5"),
    (FieldType.DECIMAL, Decimal(10) ** 22),
    (FieldType.DECIMAL, Decimal("NaN")),
    (FieldType.CURRENCY, 1.5),
    (FieldType.BOOLEAN, "true"),
    (FieldType.BOOLEAN, 1),
    (FieldType.DATE, datetime(2026, 1, 1, tzinfo=UTC)),
    (FieldType.DATE, "2026-01-01"),
    (FieldType.DATETIME, datetime(2026, 1, 1)),
    (FieldType.DATETIME, datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))),
    (FieldType.TEXT, 5),
    (FieldType.MULTI_PICKLIST, "a"),
]


@pytest.mark.parametrize(("type", "value"), UNFIT)
def test_a_value_of_another_type_is_set_aside_and_named(
    tmp_path: Path, type: FieldType, value: object
) -> None:
    path = tmp_path / "m.duckdb"
    store(path, (field(type),), [record("1", {"F": value})])  # type: ignore[dict-item]
    assert fetch(path, 'SELECT "F", _unfit FROM "Thing"') == [(None, ["F"])]


def test_the_newest_version_of_a_record_wins(tmp_path: Path) -> None:
    path = tmp_path / "m.duckdb"
    later = NOW + timedelta(seconds=1)
    fields = (field(FieldType.TEXT),)
    store(
        path,
        fields,
        [record("1", {"F": "new"}, at=later), record("2", {"F": "first"})],
        [record("1", {"F": "old"}), record("2", {"F": "second"}), record("3", {}, deleted=True)],
    )
    assert fetch(path, 'SELECT id, "F" FROM "Thing" ORDER BY id') == [("1", "new"), ("2", "second")]
    store(
        path,
        fields,
        [record("1", {"F": "stale"}), record("2", {}, at=NOW - timedelta(days=1), deleted=True)],
        kind=ReadKind.INCREMENTAL,
    )
    assert fetch(path, 'SELECT id, "F" FROM "Thing" ORDER BY id') == [("1", "new"), ("2", "second")]


def test_names_that_are_sql_are_only_names(tmp_path: Path) -> None:
    path = tmp_path / "o'brien.duckdb"
    wild = field(FieldType.TEXT, 'x"; DROP TABLE _meta; --')
    store(path, (wild,), [record("1", {wild.name: "v"})])
    assert fetch(path, 'SELECT "x""; DROP TABLE _meta; --" FROM "Thing"') == [("v",)]


def test_fields_that_differ_only_in_case_are_refused() -> None:
    with pytest.raises(ConfigError):
        stored_fields((field(FieldType.TEXT, "Name"), field(FieldType.TEXT, "name")))
    with pytest.raises(ConfigError):
        stored_fields((field(FieldType.TEXT, "_modified"),))
    assert stored_fields((field(FieldType.TEXT, "Id"),)) == ()


def test_the_lock_is_told_by_name_and_goes_with_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "m.duckdb"
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, pathlib\n"
            "from crmsync.store.mirror import MirrorFiles\n"
            "with MirrorFiles(pathlib.Path(sys.argv[1])).lock():\n"
            "    print('held', flush=True)\n"
            "    sys.stdin.read()\n",
            str(path),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(LockHeld) as raised, MirrorWriter(path, account="a", now=NOW):
            pass
        assert "m.pull.lock" in raised.value.message.en
        assert str(holder.pid) in raised.value.message.zh
    finally:
        holder.kill()
        holder.communicate()
    with MirrorWriter(path, account="a", now=NOW):
        pass


def test_no_mirror_yet(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as raised:
        open_mirror(tmp_path / "none.duckdb")
    assert raised.value.code == "MIRROR_MISSING"


@pytest.mark.parametrize(
    "attack",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "ATTACH '/tmp/other.duckdb'",
        "COPY \"Thing\" TO '/tmp/out.csv'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET memory_limit='99GB'",
        'DELETE FROM mirror.main."Thing"',
        "CREATE TABLE mirror.main.x (a INTEGER)",
    ],
)
def test_a_reader_reaches_nothing_but_the_mirror(tmp_path: Path, attack: str) -> None:
    path = tmp_path / "m.duckdb"
    store(path, (field(FieldType.TEXT),), [record("1", {"F": "v"})])
    connection = open_mirror(path)
    try:
        with pytest.raises(duckdb.Error):
            connection.execute(attack)
    finally:
        connection.close()


def test_leaving_without_publishing_keeps_what_was_staged(tmp_path: Path) -> None:
    path = tmp_path / "m.duckdb"
    with MirrorWriter(path, account="a", now=NOW) as writer:
        begun = writer.begin(state(field(FieldType.TEXT)))
        writer.append(begun, [record("1", {"F": "v"})], resume="token-1", done=False)
    with MirrorWriter(path, account="a", now=NOW + timedelta(hours=1)) as writer:
        kept = writer.states()["Thing"]
    assert (kept.resume, kept.rows, kept.done) == ("token-1", 1, False)
    with MirrorWriter(path, account="a", now=NOW + timedelta(days=2)) as writer:
        assert writer.states() == {}
    assert MirrorFiles(path).next.exists()


def test_no_bar_is_drawn_into_a_verb_s_output(tmp_path: Path) -> None:
    path = tmp_path / "m.duckdb"
    store(path, (field(FieldType.TEXT),), [record("1", {"F": "v"})])
    assert fetch(path, "SELECT current_setting('enable_progress_bar')") == [(False,)]
