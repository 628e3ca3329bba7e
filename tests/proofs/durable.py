"""P22 and P23: the state survives a crash or a power cut at any point, and every upgrade."""

from __future__ import annotations

import itertools
import random
import shutil
import sqlite3
import time
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import sqlalchemy as sa
from tests.proofs.forked import Forked, Log
from tests.proofs.proof import Figure, Proof, Scale
from tests.unit.apply.bench import Bench, fake_crm

from crmsync.errors import StoreError
from crmsync.model.text import Text
from crmsync.store import backups, migrate, open_store

NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)
KEY = b"k" * 32
SECTOR = 512
FRAME_HEADER, WAL_HEADER = 24, 32


def killed(scale: Scale, place: Path) -> Figure:
    """SIGKILL while one commit follows the other: what was acknowledged is there, whole."""
    chance, kills = scale.chance("durable-kills"), 0
    lost = damaged = torn = 0
    log, file = Log(place / "acknowledged"), place / "crmsync.db"
    open_store(file, key=KEY).close()
    for _ in scale.trials(5, 250):
        kills += 1
        child = Forked(lambda: commit_on(file, log))
        seen = len(log.lines())
        log.wait(lambda lines, seen=seen: len(lines) > seen + 1)
        time.sleep(chance.uniform(0, 0.03))
        child.kill()
        acknowledged = int(log.lines()[-1][0])
        with closing(sqlite3.connect(file)) as raw:
            damaged += raw.execute("PRAGMA integrity_check").fetchone() != ("ok",)
        with open_store(file, key=KEY) as store:
            chain = store.audit.chain()
            torn += chain.broken_at is not None
            lost += max(0, acknowledged - chain.entries)
    bad = {"acknowledged and lost": lost, "not a clean prefix": torn, "damaged": damaged}
    return Figure(kills, "kills", bad, f"{int(log.lines()[-1][0])} commits")


def commit_on(file: Path, log: Log) -> None:
    """Add entries until killed; each is acknowledged after its commit."""
    with open_store(file, key=KEY) as store:
        for number in itertools.count(store.audit.chain().entries + 1):
            told = {"n": str(number), "filler": "x" * (number % 700)}
            store.audit.add(at=NOW, who="w", what="told", detail=told)
            log.add(str(number))


def torn(scale: Scale, place: Path) -> Figure:
    """Power cuts: the write-ahead log ends in the middle, lost sectors or carries a garbage tail.

    What was synced before the cut is there; the rest is gone as a whole, commit by commit.
    """
    chance, images = scale.chance("torn"), 0
    lost = damaged = ragged = 0
    prefixes: set[int] = set()
    file, reached = written_log(place, commits=60)
    wal = file.with_name(f"{file.name}-wal")
    base, log = file.read_bytes(), wal.read_bytes()
    copy = place / "cut" / "crmsync.db"
    copy.parent.mkdir()
    for _ in scale.trials(40, 1000):
        images += 1
        cut, safe = a_cut(chance, log)
        for old in copy.parent.iterdir():
            old.unlink()
        copy.write_bytes(base)
        copy.with_name(f"{copy.name}-wal").write_bytes(cut)
        synced = max((n for n, end in enumerate(reached, start=1) if end <= safe), default=0)
        with closing(sqlite3.connect(copy)) as raw:
            damaged += raw.execute("PRAGMA integrity_check").fetchone() != ("ok",)
        with open_store(copy, key=KEY) as store:
            chain = store.audit.chain()
        prefixes.add(chain.entries)
        ragged += chain.broken_at is not None
        lost += max(0, synced - chain.entries)
    bad = {"acknowledged and lost": lost, "not a clean prefix": ragged, "damaged": damaged}
    note = f"{len(prefixes)} of {len(reached) + 1} prefixes seen"
    return Figure(images, "torn images", bad, note)


def written_log(place: Path, *, commits: int) -> tuple[Path, list[int]]:
    """A state whose commits all stand in the log still, and where each of them ends there."""
    live = place / "live" / "crmsync.db"
    store = open_store(live, key=KEY)
    store.database.rewrite()
    reached = []
    wal = live.with_name(f"{live.name}-wal")
    for number in range(1, commits + 1):
        told = {"n": str(number), "filler": "x" * (number * 37 % 900)}
        store.audit.add(at=NOW, who="w", what="told", detail=told)
        reached.append(wal.stat().st_size)
    kept = place / "kept" / "crmsync.db"
    kept.parent.mkdir()
    for ending in ("", "-wal"):
        shutil.copy(live.with_name(live.name + ending), kept.with_name(kept.name + ending))
    store.close()
    return kept, reached


def a_cut(chance: random.Random, log: bytes) -> tuple[bytes, int]:
    """A damaged log, and up to which byte it is as it was."""
    at = chance.randrange(WAL_HEADER, len(log))
    match chance.choice(("end", "sectors", "garbage", "flip")):
        case "end":
            return log[:at], at
        case "sectors":
            first = at - at % SECTOR
            holes = bytearray(log)
            for sector in range(first, len(log), SECTOR):
                if sector == first or chance.random() < 0.5:
                    holes[sector : sector + SECTOR] = bytes(len(holes[sector : sector + SECTOR]))
            return bytes(holes), first
        case "garbage":
            return log[:at] + chance.randbytes(chance.randrange(1, 20_000)), at
        case _:
            return log[:at] + bytes([log[at] ^ (1 << chance.randrange(8))]) + log[at + 1 :], at


def full_disk(scale: Scale, place: Path) -> Figure:
    """The disk fills up at any moment of an apply: it stops before the call, never after it."""
    chance, trials, unnoted, silent, stops = scale.chance("full"), 0, 0, 0, 0
    for trial in scale.trials(4, 60):
        trials += 1
        bench = Bench(place / str(trial), fake_crm(write_batch=chance.choice((1, 2, 5))))
        bench.seed(80)
        plan = bench.plan(bench.item(n) for n in range(1, 81))
        free = chance.randrange(0, 60)

        def fill_up(bench: Bench = bench, free: int = free) -> None:
            with bench.store.database.write() as db:
                pages = db.exec_driver_sql("PRAGMA page_count").scalar()
                db.exec_driver_sql(f"PRAGMA max_page_count={(pages or 0) + free // 8}")

        fill_up()
        try:
            bench.apply(plan, "records_changed=100%")
        except StoreError as stopped:
            stops += 1
            silent += "full" not in stopped.message.en
        bench.restart()
        noted = {
            op.record.ref.id
            for run in bench.store.runs.latest()
            for op in bench.store.journal.each(run.id)
            if op.record.sent_at is not None
        }
        unnoted += sum(sent.id not in noted for sent in bench.crm.sets)
        if bench.store.runs.latest():
            run = bench.store.runs.latest()[0].id
            outcomes = bench.resume(run).outcomes
            unnoted += sum(count for state, count in outcomes.items() if state.value != "done")
        bench.store.close()
    bad = {"calls without an intent": unnoted, "unclear refusals": silent}
    return Figure(stops, "full disks", bad, f"{trials} runs, {stops} of them stopped")


def upgraded(scale: Scale, place: Path) -> Figure:
    """Every earlier schema, filled to the brim, is brought up to date with a copy made first."""
    script = migrate._script()
    revisions = [found.revision for found in reversed(list(script.walk_revisions()))]
    changed = uncopied = opened = trials = 0
    for revision in revisions:
        trials += 1
        file = place / revision / "crmsync.db"
        file.parent.mkdir()
        before = made_at(file, revision, scale.chance(revision))
        open_store(file, key=KEY).close()
        changed += differences(before, rows_of(file))
        if revision != migrate.head():
            copy = file.with_name(f"{file.name}{migrate.BEFORE}{migrate.head()}")
            uncopied += not copy.is_file() or differences(before, rows_of(copy)) > 0
            uncopied += copy.is_file() and copy.stat().st_mode & 0o077 > 0
    for newer in ("9999", f"{int(migrate.head()) + 1:04}"):
        opened += opens(place / revisions[-1] / "crmsync.db", newer)
    bad = {
        "rows lost or changed": changed,
        "migrations without a copy": uncopied,
        "newer databases opened": opened,
    }
    return Figure(trials, "schemas", bad)


def made_at(file: Path, revision: str, chance: random.Random) -> dict[str, list[dict[str, object]]]:
    """A database as an earlier program left it, with rows in every table."""
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(file)))
    with engine.begin() as db:
        migrate.upgrade(db, None, to=revision)
        tables = sa.MetaData()
        tables.reflect(db)
        for table in tables.sorted_tables:
            if table.name != "alembic_version":
                rows = [a_row(table, number, chance) for number in range(1, 6)]
                db.execute(sa.insert(table), rows)
    engine.dispose()
    return rows_of(file)


def a_row(table: sa.Table, number: int, chance: random.Random) -> dict[str, object]:
    """One row with a value in nearly every column."""
    row: dict[str, object] = {}
    for column in table.c:
        if column.nullable and chance.random() < 0.2:
            row[column.name] = None
        elif isinstance(column.type, sa.Integer):
            row[column.name] = number
        elif isinstance(column.type, sa.LargeBinary):
            row[column.name] = chance.randbytes(40)
        elif isinstance(column.type, sa.String) and column.type.length == 10:
            row[column.name] = date(2026, 1, number).isoformat()
        elif isinstance(column.type, sa.String) and column.type.length == 32:
            row[column.name] = NOW.replace(day=number).isoformat(timespec="microseconds")
        else:
            row[column.name] = f"{column.name} {number} 客户“é”"
    return row


def rows_of(file: Path) -> dict[str, list[dict[str, object]]]:
    """Every row of every table."""
    with closing(sqlite3.connect(file)) as raw:
        raw.row_factory = sqlite3.Row
        names = raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {
            name: [dict(row) for row in raw.execute(f'SELECT * FROM "{name}" ORDER BY 1, 2')]
            for (name,) in names
            if not name.startswith("sqlite_") and name != "alembic_version"
        }


def differences(
    before: dict[str, list[dict[str, object]]], after: dict[str, list[dict[str, object]]]
) -> int:
    """Rows of before that are not there afterwards, by the columns there were."""
    lost = 0
    for name, rows in before.items():
        held = after.get(name, [])
        for row in rows:
            lost += not any(row.items() <= there.items() for there in held)
    return lost


def opens(file: Path, schema: str) -> bool:
    """Whether a database of a newer program is opened, or changed by the attempt."""
    with closing(sqlite3.connect(file)) as raw:
        raw.execute("UPDATE alembic_version SET version_num = ?", (schema,))
        raw.commit()
    before = rows_of(file)
    try:
        open_store(file).close()
    except StoreError as refused:
        return refused.exit != 11 or schema not in refused.message.en or rows_of(file) != before
    return True


def upgrade_killed(scale: Scale, place: Path) -> Figure:
    """SIGKILL during the upgrade: the old schema or the new one, never something between."""
    chance, kills, changed = scale.chance("upgrade-kills"), 0, 0
    first = migrate._script().get_base()
    assert first is not None
    pristine = place / "pristine.db"
    before = made_at(pristine, first, chance)
    for trial in scale.trials(4, 100):
        file = place / str(trial) / "crmsync.db"
        file.parent.mkdir()
        shutil.copy(pristine, file)
        child = Forked(lambda file=file: open_store(file, key=KEY).close())
        time.sleep(chance.uniform(0, 0.12))
        kills += not child.over()
        child.kill()
        changed += differences(before, rows_of(file))
        open_store(file, key=KEY).close()
        changed += differences(before, rows_of(file))
        changed += backups._examined(file)[0] != migrate.head()
    return Figure(max(kills, 1), "kills", {"rows lost or changed": changed})


SURVIVES = Text(
    zh="本地状态在任何时刻崩溃、断电都完好",
    en="The local state survives a crash or power cut at any point",
)
UPGRADES = Text(
    zh="升级不损坏、不悄悄丢弃状态", en="An upgrade never breaks or silently drops state"
)
PROOFS = (
    Proof(
        "P22",
        "kills",
        SURVIVES,
        Text(zh="逐笔提交时 SIGKILL", en="SIGKILL while one commit follows the other"),
        killed,
    ),
    Proof(
        "P22",
        "torn",
        SURVIVES,
        Text(
            zh="断电：日志被截断、扇区丢失、尾部是垃圾、位翻转",
            en="power cuts: the log cut off, sectors lost, a tail of garbage, flipped bits",
        ),
        torn,
    ),
    Proof(
        "P22",
        "full-disk",
        SURVIVES,
        Text(
            zh="写入途中磁盘写满，之后续做",
            en="the disk fills up in the middle of an apply, which is resumed later",
        ),
        full_disk,
    ),
    Proof(
        "P23",
        "schemas",
        UPGRADES,
        Text(
            zh="每个历史版本、每张表都有行；更新版本的库被拒绝",
            en="every earlier schema with rows in every table; newer databases are refused",
        ),
        upgraded,
    ),
    Proof(
        "P23",
        "kills",
        UPGRADES,
        Text(zh="升级途中 SIGKILL", en="SIGKILL in the middle of the upgrade"),
        upgrade_killed,
    ),
)
