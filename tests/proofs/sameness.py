"""P18: the same data, rules and day give the same plan, byte for byte, wherever it is made."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from tests.proofs.proof import Figure, Proof, Scale
from tests.unit.evaluate.steady_world import rulesets
from tests.unit.evaluate.test_alike import look as placed
from tests.unit.evaluate.test_steady import look, people

from crmsync.model.text import Text

ZONES = ("UTC", "Asia/Shanghai", "America/New_York", "Pacific/Kiritimati", "Asia/Kathmandu")
LOCALES = ("C", "C.UTF-8", "zh_CN.UTF-8")
CUSTOMERS, ORDERS = 60, 500
OTHER_PYTHONS = "CRMSYNC_OTHER_PYTHONS"
"""Interpreters of other versions with the same packages, joined as in PATH: they take turns with
this one (``make proofs OTHERS="python3.12 python3.13"`` makes them)."""
RUNS = {1: "runs", 2: "runs by two Python versions", 3: "runs by three Python versions"}


def plans(scale: Scale, place: Path) -> Figure:
    """Two days planned in processes of their own: rows shuffled, hashes seeded by chance."""
    chance = scale.chance("sameness")
    found: dict[str, int] = {}
    runs = 0
    pythons = [sys.executable, *filter(None, os.environ.get(OTHER_PYTHONS, "").split(os.pathsep))]
    versions = {version(python) for python in pythons}
    for number in scale.trials(3, 100):
        around = {
            "PYTHONHASHSEED": str(chance.randrange(2**32)),
            "TZ": ZONES[number % len(ZONES)],
            "LC_ALL": LOCALES[number % len(LOCALES)],
            "PYTHONUTF8": "1",
        }
        folder = place / str(number)
        folder.mkdir()
        python = pythons[number // 2 % len(pythons)]
        words = [python, "-m", "tests.proofs.sameness", str(folder), str(number)]
        done = subprocess.run(
            words, env={**os.environ, **around}, capture_output=True, text=True, check=True
        )
        digest = done.stdout.strip()
        found[digest] = found.get(digest, 0) + 1
        runs += 1
    note = f"Python {', '.join(sorted(versions))}; {next(iter(found), '')[:12]}"
    return Figure(runs, RUNS[len(versions)], {"other plans": len(found) - 1}, note)


def version(python: str) -> str:
    """Such as ``3.12``."""
    words = [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def main(folder: Path, number: int) -> None:
    """Print the digest of the plans of two days; odd runs ask the policy about everybody."""
    from tests.bench.world import AS_OF
    from tests.unit.project.two_days import DAYS, World

    world = World(folder, customers=CUSTOMERS, orders=ORDERS)
    for table in ("Accounts", "Deals"):
        world.disturb(
            f"CREATE TABLE shuffled AS SELECT * FROM \"{table}\" ORDER BY hash(id || '{number}'); "
            f'DROP TABLE "{table}"; ALTER TABLE shuffled RENAME TO "{table}"'
        )
    whole = hashlib.sha256()
    for day in (AS_OF, DAYS[0]):
        made, lines = world.plan(day, filtered=number % 2 == 0)
        whole.update(made.raw)
        whole.update(made.counts.encode())
        world.apply(lines, day)
    world.close()
    print(whole.hexdigest())


def asked(scale: Scale, place: Path) -> Figure:
    """Generated customers under every kind of rules: whom the policy was not asked about is decided
    all the same, and who is placed by one alike stands where the policy would put him."""
    wrong = trials = 0
    for number in scale.trials(1, 40):
        for name in sorted(rulesets()) if scale.full else ("whole",):
            seen = look(place, name, scale.seed + number)
            misplaced, _ = placed(place, name, scale.seed + number)
            wrong += len(seen.wrong) + len(misplaced) + (seen.figures != seen.expected)
            trials += len(people(name, scale.seed + number)[1]) * 2
    return Figure(trials, "customers", {"wrong verdicts": wrong})


SAYS = Text(
    zh="同样的数据、规则和日期，得到逐字节相同的计划",
    en="The same data, rules and day give the same plan, byte for byte",
)
PROOFS = (
    Proof(
        "P18",
        "plans",
        SAYS,
        Text(
            zh="独立进程：打乱的输入、随机的 PYTHONHASHSEED、五个时区、三种区域设置，有无预筛各半；"
            "轮流用所给的各个 Python 版本",
            en="processes of their own: shuffled input, random PYTHONHASHSEED, five time zones, "
            "three locales, half of them without the filter; by each Python version given, in turn",
        ),
        plans,
    ),
    Proof(
        "P18",
        "asked",
        SAYS,
        Text(
            zh="生成的客户和各类规则：未被询问的，与逐个询问所得相同；由同类代答的，也相同",
            en="generated customers, every kind of rules: those the policy was not asked about, "
            "and those placed by one alike, against asking about everybody",
        ),
        asked,
    ),
)

if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
