"""Our own books, from the command line: backup, restore, purge, doctor; SQLite and PostgreSQL."""

from __future__ import annotations

import sqlite3
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.end_to_end.books import holders, with_customers
from tests.end_to_end.world import World, practice

from crmsync.connector import connectors
from crmsync.project.opening import open_project
from crmsync.store import migrate

NAMES = [spec.name for spec in connectors() if spec.sandbox]


@pytest.fixture(params=[(NAMES[0], "postgres"), (NAMES[-1], "sqlite")], ids="-".join)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """Every connector once, either database once."""
    name, database = request.param
    store = request.getfixturevalue("empty_postgres") if database == "postgres" else None
    with with_customers(name, tmp_path / "project", store=store) as made:
        yield made


def findings(world: World) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for item in world.run("doctor", "--json", ok=False).document["findings"]:
        found.setdefault(item["about"], []).append((item["level"], item["text"]))
    return found


def test_the_whole_loop_runs_on_either_database(world: World) -> None:
    plan = world.plan()
    assert set(world.apply().document["summary"]["outcomes"]) == {"done"}
    assert world.plan()["changes"] == []
    assert world.run("runs", "1", "--json").document["run"]["state"] == "done"
    assert findings(world)["store"][0][0] == "ok"
    on_postgres = "store: postgresql" in (world.folder / "crmsync.yaml").read_text()
    assert (world.folder / "var" / "crmsync.db").exists() is not on_postgres
    world.run("undo", "1", "--json")
    world.apply("undo-1.json")
    for row in plan["changes"]:
        if row["is"] == "fields":
            stored = world.sandbox.store.get(row["object"], row["id"])
            assert all(stored.get(item["field"]) in {None, ""} for item in row["set"])
    again = world.run("sync", "nightly", "--json", ok=False)
    assert again.code == 6  # paused by the undo
    assert findings(world)["store"][0][0] == "ok"
    world.check_invariants()


def test_a_restored_state_makes_no_task_twice_and_pauses(world: World) -> None:
    world.on_sandbox_time()
    world.plan()
    made = world.run("backup", "--json").document
    world.apply()
    tasks = world.tasks()
    assert tasks
    done = world.run("restore", made["file"], "--yes", "--json").document
    assert done["rows"] == made["rows"]
    assert Path(done["aside"]).is_file()
    assert world.run("runs", "--json").document["runs"] == []

    world.plan()
    report = world.apply(ok=False)
    assert report.document["run"]["id"] == 2  # 1 stands in the CRM already
    assert Counter(key for key, _ in world.tasks()) == Counter(key for key, _ in tasks)
    assert findings(world)["store"][0][0] == "ok"


def test_backups_are_counted_and_only_the_newest_stay(tmp_path: Path) -> None:
    with with_customers(NAMES[0], tmp_path / "project") as world:
        world.on_sandbox_time()
        settings = world.folder / "crmsync.yaml"
        settings.write_text(settings.read_text() + "\nkeep: {backups: 2}\n")
        files = []
        for _ in range(3):
            files.append(Path(world.run("backup", "--json").document["file"]))
            world.sandbox.clock.advance(60)
        kept = sorted(path.name for path in files[0].parent.iterdir())
        assert kept == sorted(
            name for file in files[1:] for name in (file.name, f"{file.name}.json")
        )
        again = world.run("backup", "-o", str(files[2]), ok=False)
        assert again.code == 2


def test_a_damaged_state_is_moved_away_and_the_backup_takes_its_place(tmp_path: Path) -> None:
    with with_customers(NAMES[0], tmp_path / "project") as world:
        world.plan()
        world.apply()
        made = world.run("backup", "--json").document
        state = world.folder / "var" / "crmsync.db"
        state.write_bytes(b"\0" * 4096)
        assert world.run("runs", ok=False).code == 11
        done = world.run("restore", made["file"], "--yes", "--json").document
        assert Path(done["aside"]).read_bytes() == b"\0" * 4096
        assert [run["id"] for run in world.run("runs", "--json").document["runs"]] == [1]


def test_a_newer_backup_or_state_is_refused_and_nothing_changes(tmp_path: Path) -> None:
    with with_customers(NAMES[0], tmp_path / "project") as world:
        world.plan()
        world.run("backup", "-o", str(tmp_path / "copy.db"))
        state = world.folder / "var" / "crmsync.db"
        with closing(sqlite3.connect(state)) as raw:
            raw.execute("UPDATE alembic_version SET version_num = '9999'")
            raw.commit()
        for words in (("runs",), ("plan",), ("backup",)):
            refused = world.run(*words, ok=False)
            assert refused.code == 11
            assert "9999" in refused.err
            assert migrate.head() in refused.err
        # the way back is a backup this program knows
        done = world.run("restore", str(tmp_path / "copy.db"), "--yes", "--json").document
        with closing(sqlite3.connect(done["aside"])) as raw:
            assert raw.execute("SELECT version_num FROM alembic_version").fetchone() == ("9999",)
        world.run("runs")


def test_restore_waits_for_no_run_and_asks_first(tmp_path: Path) -> None:
    with with_customers(NAMES[0], tmp_path / "project") as world:
        world.plan()
        made = world.run("backup", "--json").document
        unasked = world.run("restore", made["file"], ok=False)
        assert unasked.code == 2
        assert "--yes" in unasked.err
        project = open_project(world.folder, now=world.sandbox.clock.now)
        with (
            project.store() as state,
            state.connection_lock(
                world.folder / "var" / "locks", "practice", by="zhang.min", now=project.now
            ),
        ):
            refused = world.run("restore", made["file"], "--yes", ok=False)
            assert refused.code == 8
            assert "zhang.min" in refused.err
            assert world.run("purge", "x", "--yes", ok=False).code == 8


def test_a_purged_customer_is_in_no_byte_of_ours(world: World) -> None:
    """P20, by the command: state, journal, decisions, mirror, plans, backups."""
    plan = world.plan()
    world.apply()
    world.run("backup", "--json")
    world.run("undo", "1", "--json")
    chosen = next(row for row in plan["changes"] if row["is"] == "fields" and row["name"])
    id, name = chosen["id"], chosen["name"]
    assert name.startswith("Invented ")
    before = holders(world, [id, name])
    assert {"plan.json", "undo-1.json", "decision", "journal 1"} <= set(before)
    report = world.run("purge", id, "--yes", "--json").document
    assert report["id"] == id
    assert report["mirrored_records"] > 1  # the orders too
    assert {Path(path).name for path in report["plan_files"]} == {"plan.json", "undo-1.json"}
    assert len(report["backups"]) == 1
    assert report["left"] == []
    assert holders(world, [id, name]) == []
    assert findings(world)["store"][0][0] == "ok"
    assert world.run("runs", "1", "--json").document["outcomes"] == {"done": len(plan["changes"])}
    backup = Path(report["backups"][0])
    world.run("restore", str(backup), "--yes")
    assert holders(world, [id, name]) == []


def test_a_customer_is_purged_by_name_and_rules_that_name_it_are_told(tmp_path: Path) -> None:
    with with_customers(NAMES[0], tmp_path / "project") as world:
        plan = world.plan()
        row = next(row for row in plan["changes"] if row["is"] == "fields")
        note = world.folder / "rulesets" / "retail-rfm" / "notes.md"
        note.write_text(f"never call {row['id']}\n")
        page = world.run("purge", row["name"], "--yes")
        assert row["id"] in page.out
        assert "rulesets/retail-rfm/notes.md" in page.out
        assert "plan.json" in page.out


def test_every_file_of_ours_is_the_owners_alone(world: World) -> None:
    world.plan()
    world.apply()
    world.run("backup")
    world.run("undo", "1")
    world.run("sync", "nightly", ok=False)
    modes = {
        str(path.relative_to(world.folder)): stat.S_IMODE(path.stat().st_mode)
        for path in (world.folder / "var", *(world.folder / "var").rglob("*"))
    }
    assert {name: f"{mode:o}" for name, mode in modes.items() if mode & 0o077} == {}
    for plan in world.folder.glob("*.json"):
        assert stat.S_IMODE(plan.stat().st_mode) == 0o600, plan.name


def test_old_values_are_forgotten_by_the_nightly_job(tmp_path: Path) -> None:
    with with_customers(NAMES[0], tmp_path / "project") as world:
        world.on_sandbox_time()
        settings = world.folder / "crmsync.yaml"
        settings.write_text(settings.read_text() + "\nkeep: {values: 10}\n")
        plan = world.plan()
        world.apply()
        name = next(row["name"] for row in plan["changes"] if row["is"] == "fields")
        for days, kept in ((9, True), (2, False)):
            world.sandbox.clock.advance(days * 86400)
            world.run("sync", "nightly", ok=False)
            rows: Any = world.run("runs", "1", "--json").document["rows"]
            assert any(row["name"] == name for row in rows) is kept
            assert any(row["before"] or row["after"] for row in rows) is kept
            assert findings(world)["store"][0][0] == "ok"
        refused = world.run("undo", "1", ok=False)
        assert refused.code == 5


@pytest.mark.parametrize("keep", ["{values: 0}", "{values: many}", "{valuse: 3}", "[3]"])
def test_a_wrong_keep_is_a_finding_at_its_place(tmp_path: Path, keep: str) -> None:
    with practice(NAMES[0], tmp_path / "project") as world:
        world.init("retail-rfm")
        settings = world.folder / "crmsync.yaml"
        settings.write_text(settings.read_text() + f"\nkeep: {keep}\n")
        told = world.run("check", ok=False)
        assert told.code == 1
        assert "crmsync.yaml:" in told.out + told.err


def test_an_altered_book_is_told_by_doctor(tmp_path: Path) -> None:
    with with_customers(NAMES[0], tmp_path / "project") as world:
        world.plan()
        world.apply()
        with closing(sqlite3.connect(world.folder / "var" / "crmsync.db")) as raw:
            raw.execute("UPDATE attempt SET base = replace(base, 'null', '\"x\"') WHERE seq = 1")
            raw.commit()
        ((level, text),) = findings(world)["store"]
        assert (level, "journal of run 1" in text) == ("problem", True)
