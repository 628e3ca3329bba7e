"""P20: a purged customer is in no byte of ours, and nobody else can read what there is."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

from tests.end_to_end.books import holders, with_customers
from tests.postgres import postgres_database, postgres_server
from tests.proofs.proof import Figure, Proof, Scale

from crmsync.model.text import Text


def purged(name: str, *, postgres: bool) -> Callable[[Scale, Path], Figure]:
    """Customers of one connector are purged one after the other, each looked for afterwards."""

    def run(scale: Scale, place: Path) -> Figure:
        folder = place / "project"
        if not postgres or postgres_server() is None:
            return searched(scale, name, folder, None)
        with postgres_database() as url:
            return searched(scale, name, folder, url)

    return run


def searched(scale: Scale, name: str, folder: Path, store: str | None) -> Figure:
    """Plan, apply, back up, undo; then purge and search every file and every table."""
    hits = trials = 0
    with with_customers(name, folder, store=store) as world:
        plan = world.plan()
        world.apply()
        world.run("backup")
        world.run("undo", "1")
        rows = [row for row in plan["changes"] if row["is"] == "fields" and row["name"]]
        assert holders(world, [rows[0]["id"], rows[0]["name"]])
        for number in scale.trials(1, 12):
            trials += 1
            row = rows[number]
            world.run("purge", row["id"], "--yes")
            hits += len(holders(world, [row["id"], row["name"]]))
        own = (folder / "var", *(folder / "var").rglob("*"), *folder.glob("*.json"))
        shared = sum(stat.S_IMODE(path.stat().st_mode) & 0o077 > 0 for path in own)
        altered = world.run("doctor", "--json", ok=False).document["findings"]
        wrong = sum(f["about"] == "store" and f["level"] != "ok" for f in altered)
    bad = {"bytes of a person": hits, "files others can read": shared, "damaged": wrong}
    return Figure(trials, "purged customers", bad)


def _proof(name: str, label: str, *, postgres: bool) -> Proof:
    where = "PostgreSQL" if postgres else "SQLite"
    return Proof(
        "P20",
        f"purge-{name}",
        Text(
            zh="`purge` 真正抹去一个人；文件只有所有者能读",
            en="`purge` really removes a person; files are their owner's alone",
        ),
        Text(
            zh=f"{label}，{where}：抹去后搜遍每个文件、表、镜像和备份",
            en=f"{label}, {where}: every file, table, mirror and backup searched afterwards",
        ),
        purged(name, postgres=postgres),
    )


PROOFS = (
    _proof("zoho", "Zoho", postgres=False),
    _proof("fxiaoke", "纷享销客", postgres=True),
)
