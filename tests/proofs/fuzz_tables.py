"""Mutants of decision tables: CSV files and workbooks, their cells, lines and bytes not as meant."""

# ruff: noqa: E501 - word lists read best in long lines
from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.proofs.fuzz_words import SIGNS, VALUES, sentence
from tests.unit.source import workbooks

from crmsync.rules import check, load

Rows = list[list[str]]
HEAD = """\
ruleset: small
title: 小 | Small
version: 1
record: account
languages: [zh, en]
time_zone: UTC
currency: CNY
workdays: CN
facts:
  orders_12m: {type: integer, label: 订单数 | Orders, missing: 0}
  revenue: {type: money, label: 成交额 | Revenue, missing: 0}
  potential: {type: choice, label: 潜力 | Potential, choices: [高, 中, 低]}
  judged: {type: number, label: 评分 | Judgement, between: 0..100}
  last_order_on: {type: date, label: 最近下单日期 | Last order on}
  blacklisted: {type: yes_no, label: 黑名单 | Blacklisted}
tier:
  levels:
    - {id: vip, label: 贵宾 | VIP, enter: 80}
    - {id: key, label: 重要 | Key, enter: 50}
    - {id: basic, label: 普通 | Basic}
lifecycle:
  start: active
  stages: {active: 活跃 | Active, quiet: 沉默 | Quiet}
  moves:
    - {from: active, to: quiet, when: orders_12m is 0}
score:
  - {id: all, of: judged, max: 100, points: as given}
"""
"""The smallest ruleset with everything a table may ask for: a mutant is of the table."""
POLICIES = ("unique", "first", "any", "priority", "collect sum", "collect max", "rule order", "C+")
MOST_CELLS = 10_000
BIG = b"\0" * 1_000_000
"""Stands for itself 70 times: more than a workbook may hold."""
CELLS = (
    "", "-", "> 3", ">= 12", "≤ 5", "[10..20)", "(..5]", "10..20", "20..10", "not(3)", "高", "高, 中",
    "“高", "缺失", "is missing", "贵宾", "vip, key", "沉默", "20 s", "90%", "0.9", "1 month", "1 quarter",
    "1 workday", "role:客服主管", "otherwise", "1e9", "2026-01-01", "31/12/2026", "=1+1", "@SUM(A1)", "\t",
    "a,b", '"', '""', "\r", "NaN", "1,000", "9" * 60, "长" * 2_500, "\ufeff", "\u202e",
)  # fmt: skip
HEADINGS = (
    "订单数", "orders_12m", "潜力", "potential", "评分", "最近下单日期", "黑名单", "days", "等级", "生命周期",
    "分数", "points", "客户经理", "排队", "接通时间", "回访周期", "负责人", "期限", "优先级", "nobody", "", "hit",
)  # fmt: skip


@dataclass(frozen=True)
class Table:
    """One of the tables of the sound ruleset: where it goes and what stands in it."""

    name: str
    rows: tuple[tuple[str, ...], ...]
    rules: Callable[[str, str], str]
    """The rule file that reads it, by the table's file name and hit policy."""


def _points(file: str, hit: str) -> str:
    head, _, _ = HEAD.partition("  - {id: all")
    return f"{head}  - {{id: all, max: 100, table: tables/{file}, hit: {hit}}}\n"


def _service(file: str, hit: str) -> str:
    return f"{HEAD}service: {{table: tables/{file}, hit: {hit}}}\n"


def _tasks(file: str, hit: str) -> str:
    return f"""{HEAD}tasks:
  - {{id: call, title: 电话 | Call, event: enters quiet, due: 2 workdays, owner: account owner,
     once_per: "customer, ever", table: tables/{file}, hit: {hit}}}
"""


TABLES = (
    Table(
        "points",
        (
            ("订单数", "潜力", "最近下单日期", "分数"),
            (">= 12", "高", "-", "20"),
            ("[6..12)", "高, 中", ">= 2026-01-01", "15"),
            ("> 0", "-", "-", "5"),
            ("-", "-", "-", "0"),
        ),
        _points,
    ),
    Table(
        "service",
        (
            ("等级", "生命周期", "客户经理", "排队", "接通时间", "接通率", "回访周期"),
            ("贵宾", "沉默", "dedicated", "front", "20 s", "90%", "2 weeks"),
            ("贵宾", "-", "dedicated", "front", "20 s", "90%", "1 month"),
            ("重要", "-", "shared", "normal", "20 s", "85%", "1 quarter"),
            ("-", "-", "none", "last", "", "", ""),
        ),
        _service,
    ),
    Table(
        "tasks",
        (
            ("等级", "成交额", "负责人", "期限", "优先级"),
            ("贵宾", "-", "role:客服主管", "1 workday", "高"),
            ("重要", ">= 50万", "account owner", "2 workdays", "normal"),
            ("重要, 普通", "-", "queue:客户成功组", "", "低"),
        ),
        _tasks,
    ),
)


def tables(place: Path) -> None:
    """Where the rule files of tables and their tables go."""
    (place / "tables").mkdir(parents=True)


def table_mutant(chance: Random, place: Path) -> Path:
    """One table with one to five things done to it, beside the rule file that reads it."""
    table = chance.choice(TABLES)
    rows = [list(row) for row in table.rows]
    for _ in range(chance.choice((1, 1, 2, 3, 5))):
        chance.choice(CHANGES)(chance, rows)
    csv = chance.random() < 0.6
    file = place / "tables" / f"{table.name}.{'csv' if csv else 'xlsx'}"
    file.write_bytes(_csv(chance, rows) if csv else _xlsx(chance, rows))
    hit = "first" if chance.random() < 0.5 else chance.choice(POLICIES)
    (place / "rules.yaml").write_text(table.rules(file.name, hit), encoding="utf-8")
    return file


def read_table(file: Path) -> object:
    """What ``check`` makes of the ruleset the table belongs to."""
    ruleset, findings = load(file.parent.parent)
    return findings if ruleset is None else check(ruleset)


# ── cells and lines ────────────────────────────────────────────────────────────────────────────


def _cell(chance: Random, rows: Rows) -> None:
    """Another cell."""
    row = chance.choice(rows)
    if row:
        kind = chance.randrange(4)
        words = CELLS if kind < 2 else VALUES
        row[chance.randrange(len(row))] = sentence(chance) if kind == 2 else chance.choice(words)


def _letter(chance: Random, rows: Rows) -> None:
    """A sign put into a cell."""
    row = chance.choice(rows)
    if row:
        place = chance.randrange(len(row))
        at = chance.randrange(len(row[place]) + 1)
        row[place] = row[place][:at] + chance.choice(SIGNS) + row[place][at:]


def _heading(chance: Random, rows: Rows) -> None:
    """Another heading, or a column doubled or lost."""
    width = len(rows[0])
    if not width:
        rows[0].append("订单数")
        return
    place = chance.randrange(width)
    match chance.randrange(4):
        case 0:
            for row in rows:
                del row[place : place + 1]
        case 1:
            for row in rows:
                row[place:place] = row[place : place + 1]
        case _:
            rows[0][place] = chance.choice(HEADINGS)


def _row(chance: Random, rows: Rows) -> None:
    """A row lost, doubled, moved, cut off or emptied."""
    place = chance.randrange(len(rows))
    row = rows[place]
    match chance.randrange(6):
        case 0 if len(rows) > 1:
            del rows[place]
        case 1:
            rows.insert(chance.randrange(len(rows) + 1), list(row))
        case 2:
            rows[place] = row[: chance.randrange(len(row) + 1)]
        case 3:
            rows[place] = [""] * len(row)
        case 4:
            row.extend(chance.choice(CELLS) for _ in range(chance.randrange(1, 4)))
        case _:
            chance.shuffle(rows)


def _size(chance: Random, rows: Rows) -> None:
    """Very many rows or columns."""
    kind, many = chance.randrange(8), chance.choice((30, 70, 300))
    if kind == 0:
        rows.extend([f"= {n}", "-", "-", "1"] for n in range(chance.choice((400, 2_100))))
    elif kind == 1:
        for row in rows:
            row.extend(chance.choice(CELLS[:12]) for _ in range(many))
    else:
        rows.extend(
            [f"{chance.choice(('>', '≤', '='))} {chance.randrange(99)}", "高", "-", str(n % 21)]
            for n in range(many)
        )


CHANGES = (_cell, _cell, _cell, _cell, _letter, _letter, _heading, _heading, _row, _row, _size)


# ── files ──────────────────────────────────────────────────────────────────────────────────────


def _csv(chance: Random, rows: Rows) -> bytes:
    mark = chance.choice((",", ",", ",", ";", "\t"))
    always = chance.random() < 0.3

    def cell(text: str) -> str:
        plain = not always and not set(text) & {mark, '"', "\n", "\r"}
        return text if plain or chance.random() < 0.05 else '"' + text.replace('"', '""') + '"'

    end = chance.choice(("\n", "\n", "\r\n", "\r"))
    text = "".join(mark.join(map(cell, row)) + end for row in rows)
    code = chance.choice(("utf-8", "utf-8", "utf-8-sig", "utf-16", "gb18030", "utf-32", "latin-1"))
    data = text.encode(code, "surrogatepass" if code.startswith("utf") else "replace")
    return _bytes(chance, data) if chance.random() < 0.1 else data


def _xlsx(chance: Random, rows: Rows) -> bytes:
    cells = {
        f"{_column(place)}{line}": _inner(chance, text)
        for line, row in enumerate(rows[: MOST_CELLS // max(1, *map(len, rows))], 1)
        for place, text in enumerate(row)
    }
    sheets = {"T": cells} if chance.random() < 0.9 else {"": {}, "T": cells}
    merged = chance.choice(("", "", "", "A1:B2", "A1:XFD1048576", "B2:A1", "?"))
    packed = io.BytesIO()
    workbooks.workbook(packed, sheets, merged)
    data = packed.getvalue()
    match chance.randrange(10):
        case 0:
            return _bytes(chance, data)
        case 1:
            return _member(chance, data)
        case _:
            return data


def _column(place: int) -> str:
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _inner(chance: Random, text: str) -> str:
    """The cell as a program would write it, or as none would."""
    clean = "".join(
        char for char in text if char.isprintable() and not "\ud800" <= char <= "\udfff"
    )
    if clean.replace(".", "", 1).isdecimal() and clean.isascii() and chance.random() < 0.7:
        return workbooks.number(clean, chance.choice((0, 0, 0, 1, 2, 3, 99)))
    match chance.randrange(24):
        case 0:
            return workbooks.formula("A1+1", None if chance.random() < 0.5 else clean or "0")
        case 1:
            return workbooks.truth(chance.random() < 0.5)
        case 2:
            return 't="e"><v>#N/A</v>'
        case 3:
            return f't="s"><v>{chance.choice(("0", "-1", "99999999", "x"))}</v>'
        case 4:
            return workbooks.number(chance.choice(("1e999", "NaN", "-0", "1e-320", "45000.5")), 2)
        case 5:
            return 't="d"><v>2026-13-40T99:00:00</v>'
        case _:
            return workbooks.text(clean)


def _member(chance: Random, data: bytes) -> bytes:
    """The same package with one member written otherwise, left out, or far too big."""
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    name = chance.choice(sorted(members))
    kind = chance.randrange(5)
    if kind == 0:
        del members[name]
    elif kind == 1:
        members[name] = BIG
    elif kind == 2:
        members[name] = b'<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]><a>&d;</a>'
    else:
        members[name] = _bytes(chance, members[name])
    again = io.BytesIO()
    with zipfile.ZipFile(again, "w", zipfile.ZIP_DEFLATED) as packed:
        for key, body in members.items():
            with packed.open(key, "w") as member:
                for _ in range(70 if body is BIG else 1):
                    member.write(body)
    return again.getvalue()


def _bytes(chance: Random, data: bytes) -> bytes:
    """Cut off, with broken bytes, or with a stretch of it twice."""
    cut = chance.randrange(len(data) + 1)
    match chance.randrange(3):
        case 0:
            return data[:cut]
        case 1:
            return data[:cut] + chance.randbytes(4) + data[cut + 4 :]
        case _:
            return data[:cut] + data[max(0, cut - 40) :]
