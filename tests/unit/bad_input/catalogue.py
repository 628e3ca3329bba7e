"""The catalogue of bad rule and settings files, row by row: what somebody writes.

Numbers and order are those of the design's own catalogue (1 to 40), and of its list of mistakes
people really make (A to I). What is said of each stands in ``tests/golden/bad_input``.
"""

# ruff: noqa: E501 - what is replaced and by what reads best in one line
from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.unit.bad_input.small_project import (
    CASES,
    CONF,
    MAPPING,
    RULES,
    Edit,
    Told,
    against_the_crm,
    checked,
)
from tests.unit.rules.writing import SOUND

TOKEN = "1000.8ad51ab0a1b2c3d4e5f60718293a4b5c.aa11bb22cc33dd44"


@dataclass(frozen=True)
class Slip:
    """One way of the mistake: *edits* of the sound project, whole files, or something done to the
    folder; then it is checked, or held against the CRM."""

    what: str
    edits: tuple[Edit, ...] = ()
    whole: Mapping[str, bytes] = field(default_factory=dict)
    done: Callable[[Path], object] = lambda folder: None
    look: Callable[[Path], Told] = checked
    fine: bool = False
    """It is accepted as it stands."""


@dataclass(frozen=True)
class Row:
    """One row of the catalogue; its number, its name and every way of it that is tried."""

    number: str
    name: str
    slips: tuple[Slip, ...]


def row(number: str, name: str, *slips: Slip) -> Row:
    return Row(number, name, slips)


def slip(what: str, *edits: Edit, fine: bool = False) -> Slip:
    return Slip(what, edits, fine=fine)


def in_the_crm(what: str, *edits: Edit) -> Slip:
    return Slip(what, edits, look=against_the_crm)


def rules(what: str, text: str, *, fine: bool = False) -> Slip:
    return Slip(what, whole={RULES: text.encode()}, fine=fine)


def folder(what: str, done: Callable[[Path], object]) -> Slip:
    return Slip(what, done=done)


MOVE = "when: orders_12m ≥ 1"
MERGE = "on_merge: {tier: highest, since: earlyer, overides: keep, tasks: close double}"
POINTS = "{≥ 12: 20, ≥ 6: 15, ≥ 1: 5, otherwise: 0}"
LANGUAGES = "languages: [zh, en]"
TITLE = "title: 小规则集 | Small ruleset"
ANSWERS = "请评分 {name} {missing_scores} |"
PERCENT = "  revenue: {type: money,"


def condition(what: str, text: str) -> Slip:
    return slip(what, (RULES, MOVE, f"when: {text}"))


def replaced_by(name: str, make: Callable[[Path], object]) -> Callable[[Path], object]:
    def done(place: Path) -> None:
        (place / name).unlink()
        make(place / name)

    return done


def twin(place: Path) -> None:
    shutil.copytree(place / "rulesets/small", place / "rulesets/other")


WRITING = (
    row(
        "1",
        "words that are truth values elsewhere",
        slip(
            "NO is text",
            (RULES, "choices: [高, 中, 低]", "choices: [NO, 中, 低]"),
            (RULES, "points: {高: 20, 中: 10, 低: 2}", "points: {NO: 20, 中: 10, 低: 2}"),
            (MAPPING, "{High: 高, Low: 低}", "{High: NO, Low: 低}"),
            (CASES, "potential: 高", "potential: NO"),
            fine=True,
        ),
        slip("and on is no yes", (CASES, "judged: 35}", "judged: 35, blacklisted: on}")),
    ),
    row(
        "2",
        "leading zeros",
        slip("an identifier", (CONF, '"5500000000000001"', "0123456")),
        slip("a number", (CASES, "orders_12m: 14", "orders_12m: 014")),
    ),
    row("3", "a time", slip("with seconds", (CONF, 'at: "02:00"', "at: 12:30:00"))),
    row(
        "4",
        "odd numbers",
        slip("1e3", (RULES, "new_tasks: 200", "new_tasks: 1e3")),
        slip("1_000", (RULES, "new_tasks: 200", "new_tasks: 1_000")),
        slip("0x1F", (RULES, "new_tasks: 200", "new_tasks: 0x1F")),
        slip(".inf", (RULES, "50万: 20}", ".inf: 20}")),
        slip(
            ".nan",
            (
                RULES,
                "judged: {type: number, label: 评分 | Judgement, between: 0..40",
                "judged: {type: number, label: 评分 | Judgement, missing: .nan, between: 0..40",
            ),
        ),
        slip("1.10 as a version", (RULES, "version: 1", "version: 1.10")),
    ),
    row(
        "5",
        "a key twice",
        slip(
            "max",
            (
                RULES,
                "    of: orders_12m\n    max: 20\n",
                "    of: orders_12m\n    max: 20\n    max: 30\n",
            ),
        ),
    ),
    row("6", "a tab", slip("as indent", (RULES, "\n  levels:", "\n\tlevels:"))),
    row(
        "7",
        "a quote that never closes",
        slip("title", (RULES, TITLE, 'title: "小规则集 | Small ruleset')),
    ),
    row(
        "8",
        "a no-break space",
        slip("as indent", (RULES, "  start: prospect", "\u00a0\u00a0start: prospect")),
    ),
    row(
        "9",
        "curly quotes",
        slip("around a word", (RULES, "label: 频次 | Frequency", "label: “频次”")),
    ),
    row(
        "10",
        "byte order mark and Windows line ends",
        rules("are fine", "\ufeff" + SOUND.replace("\n", "\r\n"), fine=True),
    ),
    row(
        "11",
        "nothing that could be rules",
        rules("an empty file", ""),
        rules("a comment only", "# nothing yet\n"),
        rules("a list", "- a\n- b\n"),
        rules("a word", "small\n"),
    ),
    row("12", "two documents", slip("in one file", (RULES, "\nfacts:\n", "\n---\nfacts:\n"))),
    row(
        "13",
        "anchors, aliases, merge keys",
        slip("an anchor", (RULES, "  - id: frequency", "  - &first\n    id: frequency")),
        slip("an alias", (RULES, "of: revenue", "of: *first")),
        slip("a merge key", (RULES, "of: revenue", "<<: {of: revenue}")),
    ),
    row("14", "an alias to itself", slip("in a list", (RULES, LANGUAGES, "languages: &a [*a]"))),
    row(
        "15",
        "a tag that runs a program",
        slip("apply", (RULES, "record: account", "record: !!python/object/apply:os.system [ls]")),
    ),
    row(
        "16",
        "billion laughs",
        rules(
            "lists of lists",
            "a: &a [x,x]\n" + "".join(f"b{n}: &b{n} [*a,*a,*a]\n" for n in range(2)),
        ),
    ),
    row(
        "17",
        "a merge bomb",
        rules("of merge keys", "a: &a {k: v}\nb: &b\n  <<: [*a, *a]\n"),
    ),
    row(
        "18",
        "nested far too deep",
        slip("300 levels", (RULES, LANGUAGES, "languages: " + "[" * 300 + "]" * 300)),
    ),
    row("19", "a file far too big", rules("1.3 MB", "a: b\n" * 250_000)),
)

CRM_AND_TYPES = (
    row(
        "20",
        "a field the CRM has not",
        in_the_crm("misspelt", (MAPPING, "judged:        Judged", "judged:        Anual_Revenue")),
        in_the_crm("by its label", (MAPPING, "{label: 需求潜力,", "{label: 需求潜能,")),
        in_the_crm("in a task", (MAPPING, "key: C_Key", "key: C_Kez")),
    ),
    row(
        "21",
        "a wrong type",
        in_the_crm("a currency field", (MAPPING, "[Amount > 0]", "[Amount > high]")),
        in_the_crm("is and a word", (MAPPING, "[Amount > 0]", "[Amount is high]")),
        condition("a fact", "orders_12m ≥ 高"),
    ),
    row(
        "22",
        "an operator nobody knows",
        condition("=>", "orders_12m => 1"),
        condition("a word", "orders_12m exceeds 1"),
    ),
    row(
        "23",
        "a value the picklist has not",
        in_the_crm("a tier", (MAPPING, "{vip: VIP}", "{vip: Golden}")),
        in_the_crm(
            "in a condition", (MAPPING, "where: Stage is Closed Won", "where: Stage is Closed Wun")
        ),
        in_the_crm("of a task", (MAPPING, "closed: Completed", "closed: Finished")),
    ),
)

LOGIC = (
    row(
        "24",
        "a rule that is never reached",
        slip("a line of points", (RULES, POINTS, "{≥ 6: 20, ≥ 12: 15, ≥ 1: 5, otherwise: 0}")),
        slip(
            "an exception",
            (
                RULES,
                "when: blacklisted, set: blocked}",
                "when: blacklisted, set: blocked}\n    - {id: again, reason: 再次 | Again, when: blacklisted, at_most: key}",
            ),
        ),
        slip(
            "a move",
            (
                RULES,
                "{from: quiet, to: active, when: days ≤ 30}",
                "{from: quiet, to: active, when: days ≤ 30}\n    - {from: quiet, to: prospect, when: days ≤ 30}",
            ),
        ),
    ),
    row(
        "25",
        "ranges that overlap or leave a gap",
        slip("a gap of points", (RULES, POINTS, "{≥ 12: 20, 6..10: 15, ≤ 5: 0}")),
        slip("an overlap of bands", (RULES, "strong: 20..40", "strong: 15..40")),
        slip("a gap between bands", (RULES, "strong: 20..40", "strong: 25..40")),
    ),
    row(
        "26",
        "a fact that reads what is written",
        slip("the tier", (MAPPING, "judged:        Judged", "judged:        C_Tier")),
    ),
    row(
        "27",
        "formulas in a circle",
        slip(
            "of two",
            (
                RULES,
                "  days: {type: number, label: 未下单天数 | Days since, formula: days_since(last_order_on)}",
                "  gap: {type: number, formula: days * 2}\n  days: {type: number, formula: gap + 1}",
            ),
        ),
        slip("of one", (RULES, "formula: days_since(last_order_on)", "formula: days + 1")),
    ),
    row("28", "a pattern that explodes", condition("(a+)+b", "potential matches “(a+)+b”")),
    row(
        "29",
        "too much",
        slip("rules", (RULES, "  exceptions:\n", "  exceptions:\n" + "    - x\n" * 2001)),
        slip(
            "conditions of one list",
            (RULES, MOVE + "}", "when: [" + ", ".join(["orders_12m ≥ 1"] * 51) + "]}"),
        ),
        slip("characters of one condition", (RULES, MOVE, "when: orders_12m ≥ " + "1" * 2000)),
    ),
)

WORDS = (
    row(
        "30",
        "dates",
        condition("another order", "last_order_on > 31/12/2026"),
        condition("a day that is none", "last_order_on > 2026-02-30"),
        slip("in a case", (CASES, "last_order_on: 2026-11-01", "last_order_on: 2026-11-1")),
        slip("today", (CASES, "today: 2026-11-22", "today: 22.11.2026")),
    ),
    row("31", "a unit misspelt", slip("dys", (RULES, "lasting: 7 days", "lasting: 90 dys"))),
    row(
        "32",
        "placeholders",
        slip("unknown", (RULES, ANSWERS, "请评分 {nme} {missing_scores} |")),
        slip("an attribute", (RULES, ANSWERS, "请评分 {name.__class__} {missing_scores} |")),
        slip("a brace alone", (RULES, ANSWERS, "请评分 {name {missing_scores} |")),
    ),
    row(
        "33",
        "one name twice",
        slip("in a file", (RULES, "  - id: ask", "  - id: call")),
        folder("in two files", twin),
    ),
    row(
        "34",
        "a field that cannot be written",
        in_the_crm("not there", (MAPPING, "{label: 等级起始日}", "C_Sinse")),
        in_the_crm(
            "a formula", (MAPPING, "tier_since: {label: 等级起始日}", "score: Score_Formula")
        ),
    ),
    row(
        "35",
        "a secret in the file",
        slip("under its name", (CONF, "secret:shop/refresh_token", TOKEN)),
        slip("under another name", (CONF, "data_centre: cn", f"data_centre: {TOKEN}")),
        slip(
            "beside another mistake",
            (
                CONF,
                "    refresh_token: secret:shop/refresh_token\npeople:",
                f"    refresh_token: {TOKEN}\n\tpeople:",
            ),
        ),
    ),
    row(
        "37",
        "cron",
        slip("1-5 is Monday to Friday", (CONF, 'at: "02:00"', 'cron: "0 2 * * 1-5"'), fine=True),
        slip("a day that is none", (CONF, 'at: "02:00"', 'cron: "0 2 * * 1-9"')),
        slip("a field too few", (CONF, 'at: "02:00"', 'cron: "0 2 * *"')),
        slip("day and weekday", (CONF, 'at: "02:00"', 'cron: "0 2 1 * 1"')),
    ),
    row(
        "38",
        "time zones",
        slip("EST", (CONF, "time_zone: Asia/Shanghai", "time_zone: EST")),
        slip("UTC+8", (RULES, "time_zone: Asia/Shanghai", "time_zone: UTC+8")),
    ),
    row(
        "39",
        "percentages",
        slip("90", (RULES, "answer_target: 90%", "answer_target: 90")),
        slip("0.1", (RULES, "tier_changes: 10%", "tier_changes: 0.1")),
        slip(
            "0.3 of a percent fact",
            (RULES, PERCENT, "  share: {type: percent}\n" + PERCENT),
            (RULES, MOVE, "when: share > 0.3"),
        ),
    ),
    row(
        "40",
        "no file that can be read",
        folder("a folder", replaced_by(RULES, Path.mkdir)),
        folder("a pipe", replaced_by(RULES, os.mkfifo)),
        folder("links in a circle", replaced_by(RULES, lambda path: path.symlink_to(path))),
        folder("a pipe for the settings", replaced_by(CONF, os.mkfifo)),
        folder(
            "links in a circle for the settings",
            replaced_by(CONF, lambda path: path.symlink_to(path)),
        ),
    ),
)

PEOPLE = (
    row(
        "A",
        "a full-width colon",
        slip(
            "max：20",
            (
                RULES,
                "  - id: money\n    of: revenue\n    max: 20",
                "  - id: money\n    of: revenue\n    max：20",
            ),
        ),
    ),
    row(
        "B",
        "a value that begins with >",
        slip(
            "days: > 90", (RULES, "    close_when: lifecycle is not quiet", "    close_when: > 90")
        ),
    ),
    row(
        "C", "a full-width space as indent", slip("levels", (RULES, "\n  levels:", "\n　　levels:"))
    ),
    row(
        "D",
        "a full-width comma",
        slip("in braces", (RULES, "{id: key, label: 重要 | Key,", "{id: key，label: 重要 | Key,")),
    ),
    row(
        "E",
        "a comma in a text",
        slip(
            "in braces",
            (
                RULES,
                "label: 未下单天数 | Days since, formula",
                "label: 天数 | Days, overdue, formula",
            ),
        ),
    ),
    row(
        "F",
        "the same key twice",
        slip("in one level", (RULES, "enter: 50, keep: 45}", "enter: 50, keep: 45, enter: 55}")),
    ),
    row(
        "G",
        "a file saved as GBK",
        Slip(
            "rules.yaml",
            whole={
                RULES: SOUND.replace("【", "")
                .replace("】", "")
                .replace("≥", ">=")
                .replace("≤", "<=")
                .encode("gbk")
            },
        ),
    ),
    row(
        "H",
        "a tab, a second colon",
        slip("a tab", (CONF, "\n  nightly:", "\n\tnightly:")),
        slip("a second colon", (RULES, TITLE, "title: 小规则集: 试用")),
    ),
    row(
        "I",
        "misspelt names",
        slip("a key", (RULES, "lifecycle:\n  start:", "lifecicle:\n  start:")),
        condition("a fact", "orders_12n ≥ 1"),
        condition("a fact in Chinese", "订单术 大于 1"),
        slip(
            "a tier", (RULES, "when: blacklisted, set: blocked", "when: blacklisted, set: blokced")
        ),
        slip("a stage", (RULES, "{from: prospect, to: active,", "{from: prospect, to: activ,")),
        slip("an option", (RULES, MOVE, "when: potential is 高高")),
        slip(
            "a policy for merges",
            (RULES, "lifecycle:\n  start:", f"{MERGE}\nlifecycle:\n  start:"),
        ),
    ),
)

ROWS = (*WRITING, *CRM_AND_TYPES, *LOGIC, *WORDS, *PEOPLE)
ELSEWHERE = {"36": "test_a_secret_file_others_can_read"}
"""Rows with a test of their own."""
