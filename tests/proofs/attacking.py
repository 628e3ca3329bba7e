"""P21: rule files that try to read files, network, environment or tables, or to eat the machine."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import sqlglot
from tests.peak import forget_peak, peak_mb
from tests.proofs.attack_list import ENV, TOKEN, Attack, attacks
from tests.proofs.proof import Figure, Proof, Scale, apart
from tests.unit.config.rules_in_small import MAPPING, RULES, SCHEMAS
from tests.unit.rules.writing import SOUND

from crmsync.config import read_mapping, resolve
from crmsync.errors import CrmSyncError
from crmsync.evaluate import (
    Engine,
    EvaluationContext,
    decide,
    match_columnar,
    match_compiled,
    row_from_facts,
)
from crmsync.model.diagnostic import Diagnostic
from crmsync.model.record import RecordRef
from crmsync.model.relation import SQL_TYPES, FactRelation
from crmsync.model.ruleset import Ruleset
from crmsync.model.state import Clocks, CustomerState, Standing
from crmsync.model.text import Text
from crmsync.rules import check, load
from crmsync.source import has_errors

CPU, WALL = 1.0, 20.0
"""Seconds of work one attack may cost, and of waiting where the machine has others to serve."""
MOST = 200
DAY = date(2026, 11, 22)
_FORBIDDEN = (
    "socket.",
    "subprocess.",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "ctypes.dlopen",
)
_seen: list[str] = []
_watching: list[Path] = []


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    """The audit hook: notes what a rule file has no business to cause, while one is read."""
    if threading.current_thread() is not threading.main_thread():
        return  # the watch over secrets looks at other processes

    if not _watching:
        return
    if event.startswith(_FORBIDDEN):
        _seen.append(event)
    if event == "open" and isinstance(arguments[0], str | bytes):
        path = os.path.realpath(os.fsdecode(arguments[0]))
        ours = (*map(str, _watching), sys.prefix, sys.base_prefix, str(ROOT), "/usr", "/lib")
        if not path.startswith(ours):
            _seen.append(f"open {path}")


ROOT = Path(__file__).parents[2]
_hooked = False


@contextmanager
def watched(place: Path) -> Iterator[list[str]]:
    """What happened meanwhile that must not."""
    global _hooked  # noqa: PLW0603 - an audit hook can never be taken away again
    if not _hooked:
        sys.addaudithook(_watch)
        _hooked = True
    _seen.clear()
    _watching.append(place)
    try:
        yield _seen
    finally:
        _watching.clear()


def attacked(scale: Scale, place: Path) -> Figure:
    """Every attack: refused by ``check``, or taken as mere words that give nothing away."""
    secret = place / "secret.csv"
    secret.write_text(TOKEN, encoding="utf-8")
    os.environ[ENV] = TOKEN
    bad = {"attacks that succeed": 0, "exceptions": 0, "slower than 1 s": 0, "over 200 MB": 0}
    refused = inert = 0
    try:
        _attempt(Attack("rules", "version: 1", "version: 2"), place)  # what loads once, loads here
        _attempt(Attack("mapping", "", ""), place)
        forget_peak()
        start = peak_mb()
        every = attacks()
        with apart():
            for attack in every:
                outcome = _judged(attack, place, bad)
                refused += outcome == "refused"
                inert += outcome == "inert"
        grown = peak_mb() - start
    finally:
        os.environ.pop(ENV, None)
    bad["over 200 MB"] = int(grown > MOST)
    note = f"{refused} refused, {inert} mere words"
    return Figure(len(every), "attacks", bad, note)


def _judged(attack: Attack, place: Path, bad: dict[str, int]) -> str:
    cpu, wall = time.thread_time(), time.monotonic()
    outcome, shown = "failed", ""
    with watched(place) as seen:
        try:
            outcome, shown = _attempt(attack, place)
        except Exception as problem:
            bad["exceptions"] += 1
            print(f"{attack.name}: {type(problem).__name__}: {problem}"[:300], file=sys.stderr)
    slow = time.thread_time() - cpu > CPU or time.monotonic() - wall > WALL
    bad["slower than 1 s"] += slow
    if TOKEN in shown or seen:
        bad["attacks that succeed"] += 1
        print(f"{attack.name}: {seen or TOKEN}", file=sys.stderr)
    elif slow:
        print(f"{attack.name}: slow", file=sys.stderr)
    return outcome


def _attempt(attack: Attack, place: Path) -> tuple[str, str]:
    """``refused`` or ``inert``, and everything a person would get to see of it."""
    if attack.kind == "mapping":
        return _mapped(attack, place)
    text = attack.new if attack.kind == "file" else SOUND.replace(attack.old, attack.new, 1)
    assert attack.kind == "file" or attack.new in text
    (place / "rules.yaml").write_text(text, encoding="utf-8", errors="surrogatepass")
    ruleset, findings = load(place)
    if ruleset is None:
        return "refused", _words(findings)
    return "inert", _words([*findings, *check(ruleset)]) + _carried_out(ruleset)


def _mapped(attack: Attack, place: Path) -> tuple[str, str]:
    path = place / "zett.yaml"
    path.write_text(MAPPING.replace(attack.old, attack.new, 1), encoding="utf-8")
    mapping, findings = read_mapping(path, RULES)
    if mapping is None or has_errors(findings):
        return "refused", _words(findings)
    try:
        return "inert", repr(resolve(mapping, SCHEMAS))
    except CrmSyncError as problem:
        return "refused", str(problem) + _words(getattr(problem, "diagnostics", ()))


def _carried_out(ruleset: Ruleset) -> str:
    """What the accepted rules make of a customer, alone and in DuckDB beside a secret table."""
    engine = Engine(ruleset)
    facts = {"orders_12m": 1, "last_order_on": DAY - timedelta(days=100)}
    row = row_from_facts(engine, RecordRef("case", "1"), facts, DAY)
    past = DAY - timedelta(days=400)
    state = CustomerState(
        row.ref,
        Standing("vip", past, past, "active", past),
        Clocks(evaluated=DAY - timedelta(days=40), pending={"active-quiet": past}),
    )
    (matched,) = match_compiled([row], engine, DAY)
    decision = decide(engine, matched, state, EvaluationContext(as_of=DAY))
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE secrets AS SELECT ? AS token", [TOKEN])
        found = list(match_columnar(connection, _nobody(ruleset), engine, DAY))
        kept = connection.execute("SELECT count(*) FROM secrets").fetchall()
    assert kept == [(1,)]
    return repr(decision) + repr(found)


def _nobody(ruleset: Ruleset) -> FactRelation:
    """One customer of whom nothing is known."""
    columns = ["'1' AS id", "'x' AS name", "NULL AS owner", "NULL AS version"]
    columns += ["NULL::TIMESTAMP AS modified_at", "FALSE AS locked", "[]::VARCHAR[] AS rejected"]
    columns += [
        f"CAST(NULL AS {SQL_TYPES[fact.type]}) AS f{number}"
        for number, fact in enumerate(ruleset.facts)
    ]
    select = sqlglot.parse_one(f"SELECT {', '.join(columns)}", dialect="duckdb")
    assert isinstance(select, sqlglot.exp.Select)
    types = tuple(fact.type for fact in ruleset.facts)
    return FactRelation("case", select, tuple(fact.id for fact in ruleset.facts), types)


def _words(findings: Any) -> str:
    """Everything the findings say, in both languages."""
    said: list[str] = []
    for item in findings:
        assert isinstance(item, Diagnostic)
        mend = item.mend or Text.same("")
        said += [item.message.zh, item.message.en, mend.zh, mend.en]
    return "\n".join(said)


PROOFS = (
    Proof(
        "P21",
        "attacks",
        Text(
            zh="规则文件读不了文件、网络、环境和别的表，也耗不尽机器",
            en="A rule file cannot read files, the network, the environment or other tables, or"
            " exhaust the machine",
        ),
        Text(
            zh="通过条件、公式、标题、映射、YAML 和表格路径的攻击清单：要么被拒绝，要么只当作文字；"
            "1 秒以内，200 MB 以内",
            en="a list of attacks through conditions, formulas, titles, mappings, YAML and table"
            " paths: refused, or taken as mere words; within 1 s, within 200 MB",
        ),
        attacked,
    ),
)
