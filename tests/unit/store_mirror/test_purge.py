from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from crmsync.errors import StoreError
from crmsync.model.record import Record, RecordRef
from crmsync.model.schema import FieldSchema, FieldType
from crmsync.store.mirror import (
    MirrorFiles,
    MirrorWriter,
    ReadKind,
    ReadState,
    open_mirror,
    purge_mirror,
    read_meta,
)

NOW = datetime(2026, 3, 2, tzinfo=UTC)
FIELDS = (FieldSchema("Mail", "Mail", FieldType.TEXT),)


def records(count: int) -> list[Record]:
    return [
        Record(
            RecordRef("People", f"{n:04d}"), {"Mail": f"invented-person-{n:04d}@example.org"}, NOW
        )
        for n in range(count)
    ]


def stage(writer: MirrorWriter, count: int, *, done: bool) -> None:
    state = writer.begin(ReadState("People", FIELDS, ReadKind.FULL, None, NOW, None, 0, False))
    writer.append(state, records(count), resume=None if done else "t", done=done)


def leftovers(folder: Path, words: bytes) -> list[str]:
    return [
        file.name for file in folder.rglob("*") if file.is_file() and words in file.read_bytes()
    ]


def test_a_purged_person_is_in_no_file_any_more(tmp_path: Path) -> None:
    path = tmp_path / "m.duckdb"
    with MirrorWriter(path, account="a", now=NOW) as writer:
        stage(writer, 3000, done=True)
        writer.publish(NOW)
    with MirrorWriter(path, account="a", now=NOW) as writer:
        stage(writer, 3000, done=False)
    connection = open_mirror(path)
    before = read_meta(connection)
    found = connection.execute('SELECT "Mail" FROM "People" WHERE id = \'1234\'').fetchall()
    connection.close()
    assert found == [("invented-person-1234@example.org",)]
    assert purge_mirror(path, [("People", "1234"), ("People", "nobody"), ("Other", "1235")]) == 1
    connection = open_mirror(path)
    after = read_meta(connection)
    kept = connection.execute('SELECT count(*) FROM "People"').fetchall()
    gone = connection.execute("SELECT * FROM \"People\" WHERE id = '1234'").fetchall()
    connection.close()
    assert (kept, gone) == ([(2999,)], [])
    assert after.objects["People"].rows == 2999
    assert after.objects["People"].watermark == before.objects["People"].watermark
    assert not MirrorFiles(path).next.exists()
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_last_person_of_a_small_mirror_leaves_no_bytes(tmp_path: Path) -> None:
    path = tmp_path / "m.duckdb"
    with MirrorWriter(path, account="a", now=NOW) as writer:
        stage(writer, 1, done=True)
        writer.publish(NOW)
    assert leftovers(tmp_path, b"invented-person-0000") == ["m.duckdb"]
    assert purge_mirror(path, [("People", "0000")]) == 1
    assert leftovers(tmp_path, b"invented-person-0000") == []


def test_nothing_to_purge_and_nothing_to_read(tmp_path: Path) -> None:
    assert purge_mirror(tmp_path / "none.duckdb", [("People", "1")]) == 0
    broken = tmp_path / "m.duckdb"
    broken.write_bytes(b"no database")
    with pytest.raises(StoreError):
        purge_mirror(broken, [("People", "1")])
    assert broken.read_bytes() == b"no database"
