"""P21: no mutant of a rule file, its cases, a mapping or a table makes the reader fail, dawdle or
swell."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.peak import forget_peak, peak_mb
from tests.proofs.fuzz_tables import read_table, table_mutant, tables
from tests.proofs.fuzz_words import KEYS, SIGNS, VALUES, sentence
from tests.proofs.proof import Figure, Proof, Scale, apart

from crmsync.config import read_mapping
from crmsync.model.ruleset import Ruleset
from crmsync.model.text import Text
from crmsync.rules import check, load, load_cases

ROOT = Path(__file__).parents[2] / "rulesets"
CUT = (
    "facts",
    "score",
    "tier",
    "lifecycle",
    "service",
    "tasks",
    "guards",
    "segments",
    "read",
    "write",
)
TABLES_AMONG = 6
"""Every so many mutants one is of a table."""
SLOWEST = 1.0
"""Seconds of this process one mutant may take."""
MOST = 200
"""Megabytes the whole run may add: more than any one of its mutants did."""


@dataclass(frozen=True)
class Seed:
    """A shipped file, its lines, and how a mutant of it is read."""

    name: str
    lines: tuple[str, ...]
    parts: tuple[tuple[str, ...], ...]
    """The lines cut before every top key and every case: the first two are the head."""
    read: Callable[[Path], object]


def seeds(place: Path) -> list[Seed]:
    """Every shipped file of every ready ruleset."""
    found = []
    for folder in sorted(path.parent for path in ROOT.glob("*/rules.yaml")):
        ruleset, _ = load(folder)
        assert ruleset is not None
        found.append(_seed(folder / "rules.yaml", _rules))
        found.append(_seed(folder / "rules.test.yaml", _cases(ruleset)))
        found += [_seed(path, _mapping(ruleset)) for path in sorted(folder.glob("mapping/*.yaml"))]
    return found


def _seed(path: Path, read: Callable[[Path], object]) -> Seed:
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    parts: list[list[str]] = [[]]
    for line in lines:
        if line.startswith("  - name:") or (line[0].isalpha() and line.startswith(CUT)):
            parts.append([])
        parts[-1].append(line)
    return Seed(path.name, tuple(lines), tuple(map(tuple, parts)), read)


def _rules(path: Path) -> object:
    ruleset, findings = load(path.parent)
    return findings if ruleset is None else check(ruleset)


def _cases(ruleset: Ruleset) -> Callable[[Path], object]:
    return lambda path: load_cases(path.parent, ruleset, path=path)


def _mapping(ruleset: Ruleset) -> Callable[[Path], object]:
    return lambda path: read_mapping(path, ruleset)


# ── mutation ───────────────────────────────────────────────────────────────────────────────────


def mutant(chance: Random, every: list[Seed]) -> tuple[Seed, bytes]:
    """One shipped file with one to five things done to it."""
    seed = chance.choice(every)
    lines = list(seed.lines) if chance.random() < 0.05 else _excerpt(chance, seed.parts)
    for _ in range(chance.choice((1, 1, 2, 3, 5))):
        chance.choice(CHANGES)(chance, lines, every)
    data = "".join(lines).encode("utf-8", "surrogatepass")
    return seed, _bytes(chance, data) if chance.random() < 0.1 else data


def _excerpt(chance: Random, parts: tuple[tuple[str, ...], ...]) -> list[str]:
    """The head and one or two other parts: quicker to read than the whole, and as good."""
    rest = range(2, len(parts))
    chosen = sorted(chance.sample(rest, min(len(rest), chance.choice((1, 1, 2)))))
    return [line for number in (0, 1, *chosen) if number < len(parts) for line in parts[number]]


def _at(chance: Random, lines: list[str]) -> int:
    if not lines:
        lines.append("ruleset: a\n")
    return chance.randrange(len(lines))


def _value(chance: Random, lines: list[str], every: list[Seed]) -> None:
    """Another value behind a key."""
    number = _at(chance, lines)
    key, colon, _ = lines[number].partition(": ")
    new = sentence(chance) if chance.random() < 0.5 else chance.choice(VALUES)
    lines[number] = f"{key}{colon or ': '}{new}\n"


def _key(chance: Random, lines: list[str], every: list[Seed]) -> None:
    """Another key, or one more."""
    number = _at(chance, lines)
    line = lines[number]
    lead = line[: len(line) - len(line.lstrip())]
    if chance.random() < 0.5:
        lines.insert(number, f"{lead}{chance.choice(KEYS)}: {chance.choice(VALUES)}\n")
    else:
        rest = line.partition(":")[2]
        lines[number] = f"{lead}{chance.choice(KEYS)}:{rest or ' 1'}"


def _letters(chance: Random, lines: list[str], every: list[Seed]) -> None:
    """A sign put in, taken out or exchanged."""
    number = _at(chance, lines)
    line = lines[number]
    place = chance.randrange(len(line) + 1)
    sign = chance.choice(SIGNS)
    lines[number] = line[:place] + sign + line[place + chance.randrange(3) :]


def _move(chance: Random, lines: list[str], every: list[Seed]) -> None:
    """A line left out, doubled, moved, or pushed in or out."""
    number = _at(chance, lines)
    line = lines.pop(number)
    match chance.randrange(4):
        case 0:
            lines.insert(number, " " * chance.choice((1, 2, 3, 8)) + line)
        case 1:
            lines.insert(number, line.lstrip())
        case 2:
            lines.insert(chance.randrange(len(lines) + 1), line)
        case _:
            lines[number:number] = [line] * chance.choice((0, 2, 2, 3, 50))


def _graft(chance: Random, lines: list[str], every: list[Seed]) -> None:
    """Lines of another file."""
    other = chance.choice(every).lines
    start = chance.randrange(len(other))
    number = _at(chance, lines)
    lines[number:number] = other[start : start + chance.randrange(1, 8)]


def _depth(chance: Random, lines: list[str], every: list[Seed]) -> None:
    """Something very deep, very long or very many."""
    number = _at(chance, lines)
    size = chance.choice((5, 30, 300, 3000))
    big = chance.choice(
        (
            "x: " + "[" * size + "]" * size,
            "x: " + "{a: " * size + "1" + "}" * size,
            "when: " + "(" * size + "1" + ")" * size,
            "when: " + "not(" * size + "a" + ")" * size,
            "when: [" + ", ".join(["a > 1"] * size) + "]",
            "label: " + "长" * size,
            "formula: " + " + ".join(["1"] * size),
            "max: " + "9" * size,
            "tier in " + ", ".join(["vip"] * size),
        )
    )
    lines.insert(number, big + "\n")


CHANGES = (_value, _value, _value, _key, _key, _letters, _letters, _move, _graft, _depth)


def _bytes(chance: Random, data: bytes) -> bytes:
    """The file in another encoding, cut off, or with broken bytes."""
    kind = chance.randrange(4)
    if kind == 0:
        return data.decode("utf-8", "replace").encode("gb18030", "replace")
    if kind == 1:
        return data.decode("utf-8", "replace").encode("utf-16")
    cut = chance.randrange(len(data) + 1)
    return data[:cut] if kind == 2 else data[:cut] + chance.randbytes(4) + data[cut:]


# ── the run ────────────────────────────────────────────────────────────────────────────────────


def fuzz(scale: Scale, place: Path) -> Figure:
    """Mutants, each read as ``check`` reads it: no exception but those documented, quick, small."""
    chance = scale.chance("fuzz")
    every = seeds(place)
    bad = {"exceptions": 0, "slower than 1 s": 0, "over 200 MB": 0}
    for seed in every:  # what is loaded once is not the mutants'
        _tried(seed, "".join(seed.lines).encode(), place, bad)
    aside = place / "with-tables"
    tables(aside)
    forget_peak()
    start, slowest, tried = peak_mb(), 0.0, 0
    with apart():
        for number in _numbers(scale):
            tried += 1
            made = random.Random(chance.random())
            if number % TABLES_AMONG == 0:
                path = table_mutant(made, aside)
                slowest = max(slowest, _timed(read_table, path, bad))
            else:
                seed, data = mutant(made, every)
                slowest = max(slowest, _tried(seed, data, place, bad))
    grown = peak_mb() - start
    bad["over 200 MB"] = int(grown > MOST)
    return Figure(tried, "mutants", bad, f"slowest {slowest:.2f} s, {grown:.0f} MB more")


def _numbers(scale: Scale) -> Iterator[int]:
    return scale.trials(2_000, 100_000)


def _tried(seed: Seed, data: bytes, place: Path, bad: dict[str, int]) -> float:
    path = place / ("rules.yaml" if seed.name == "rules.yaml" else seed.name)
    path.write_bytes(data)
    return _timed(seed.read, path, bad)


def _timed(read: Callable[[Path], object], path: Path, bad: dict[str, int]) -> float:
    """Read the mutant at *path*; seconds of this process it took."""
    began = time.process_time()
    try:
        read(path)
    except Exception as problem:
        bad["exceptions"] += 1
        print(f"{type(problem).__name__}: {problem}: {_kept(path)}", file=sys.stderr)
    spent = time.process_time() - began
    if spent > SLOWEST:
        bad["slower than 1 s"] += 1
        print(f"{spent:.1f} s: {_kept(path)}", file=sys.stderr)
    return spent


def _kept(path: Path) -> Path:
    """The mutant, kept to be looked at."""
    data = path.read_bytes()
    kept = Path("/tmp") / f"crmsync-mutant-{abs(hash(data)):x}{path.suffix}"
    kept.write_bytes(data)
    return kept


PROOFS = (
    Proof(
        "P21",
        "fuzz",
        Text(
            zh="规则文件读不了文件、网络、环境和别的表，也耗不尽机器",
            en="A rule file cannot read files, the network, the environment or other tables, or"
            " exhaust the machine",
        ),
        Text(
            zh="现成规则集的每个文件以及 CSV、XLSX 表格随机改动，再加按语法随机写出的句子："
            "不抛异常，1 秒以内，200 MB 以内",
            en="every file of the ready rulesets and tables in CSV and XLSX changed at random, with"
            " sentences made by the grammar: no exception, within 1 s, within 200 MB",
        ),
        fuzz,
    ),
)
