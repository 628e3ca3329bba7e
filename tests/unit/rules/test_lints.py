"""What is legal to write and hardly meant is found, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.rules.writing import RULESETS, only, sound, typed

from crmsync.model.diagnostic import Diagnostic, Severity
from crmsync.model.mapping import (
    Aggregate,
    AggregateSource,
    CrmMapping,
    FieldPick,
    FieldSource,
    Source,
    TaskTarget,
    WriteTarget,
)
from crmsync.rules import check, load


def found(folder: Path, *changes: tuple[str, str]) -> list[Diagnostic]:
    return check(typed(folder, *changes))


@pytest.mark.parametrize("name", ["b2b-standard", "real-estate", "retail-rfm", "saas-health"])
def test_shipped_rulesets_have_no_lint(name: str) -> None:
    ruleset, _ = load(RULESETS / name)
    assert ruleset is not None
    assert check(ruleset) == []


def test_the_sound_ruleset_has_no_lint(tmp_path: Path) -> None:
    assert found(tmp_path) == []


POINTS = "points: {≥ 12: 20, ≥ 6: 15, ≥ 1: 5, otherwise: 0}"


@pytest.mark.parametrize(
    ("points", "code", "severity", "words"),
    [
        ("{≥ 6: 20, ≥ 12: 15, otherwise: 0}", "RULE203", "error", "≥ 12"),
        ("{大于 5: 20, ≥ 6: 15, otherwise: 0}", "RULE203", "error", "≥ 6"),
        ("{< 6: 20, ≥ 6: 15, otherwise: 0}", "RULE203", "warning", "otherwise"),
        ("{< 6: 20, ≥ 9: 15, 6..8: 3, = 7: 2}", "RULE203", "error", "= 7"),
        ("{≥ 9: 20, ≤ 8: 15, 5: 3}", "RULE203", "error", "5"),
        ("{≥ 12: 20, ≥ 6: 15}", "RULE219", "warning", "5"),
        ("{≥ 12: 20, ≤ 10: 15}", "RULE219", "warning", "11"),
        ("{≥ 12: 19, otherwise: 0}", "RULE220", "warning", "19"),
        ("{≥ 12: 20, otherwise: 0, ≥ 6: 10}", "RULE203", "error", "“otherwise” above it"),
    ],
)
def test_point_lines_of_whole_numbers(
    tmp_path: Path, points: str, code: str, severity: str, words: str
) -> None:
    item = only(found(tmp_path, (POINTS, f"points: {points}")), code)
    assert item.severity == Severity(severity)
    assert words in item.message.en
    assert words.split(" above", maxsplit=1)[0] in item.message.zh


def test_gaps_between_whole_numbers_are_no_gaps(tmp_path: Path) -> None:
    assert found(tmp_path, (POINTS, "points: {≥ 6: 20, 1..5: 10, ≤ 0: 0}")) == []


def test_numbers_that_are_not_whole_do_leave_a_gap(tmp_path: Path) -> None:
    item = only(
        found(
            tmp_path,
            ("of: orders_12m", "of: revenue"),
            (POINTS, "points: {≥ 6: 20, 1..5: 10, < 1: 0}"),
            ("orders_12m ≥ 1", "orders_12m ≥ 1"),
        ),
        "RULE219",
    )
    assert "5.5" in item.message.en


def test_an_unreachable_line_shows_the_line_that_wins(tmp_path: Path) -> None:
    item = only(found(tmp_path, (POINTS, "points: {≥ 6: 20, ≥ 12: 15, otherwise: 0}")), "RULE203")
    (label,) = item.labels
    assert label.text.en == "this line wins"
    assert label.span.column < item.span.column
    assert item.mend is not None
    assert item.mend.en == "Put the highest line first."


CHOICES = "points: {高: 20, 中: 10, 低: 2}"


@pytest.mark.parametrize(
    ("points", "code", "words"),
    [
        ("{高: 20, 中: 10}", "RULE219", "低"),
        ('{"高, 中": 20, 中: 10, 低: 2}', "RULE203", "中"),
        ("{高: 20, 中: 10, 低: 2, otherwise: 0}", "RULE203", "otherwise"),
    ],
)
def test_point_lines_of_choices(tmp_path: Path, points: str, code: str, words: str) -> None:
    assert words in only(found(tmp_path, (CHOICES, f"points: {points}")), code).message.en


def test_lines_beyond_the_range_of_a_fact_are_unreachable(tmp_path: Path) -> None:
    item = only(
        found(
            tmp_path,
            ("points: as given", "points: {≥ 50: 40, ≥ 20: 40, otherwise: 0}"),
        ),
        "RULE203",
    )
    assert "≥ 50" in item.message.en


def test_a_total_that_is_not_100_is_a_warning(tmp_path: Path) -> None:
    findings = found(tmp_path, ("max: 40", "max: 30"), ("between: 0..40", "between: 0..30"))
    assert only(findings, "RULE201").severity is Severity.WARNING


def test_a_judged_range_must_fit_the_maximum(tmp_path: Path) -> None:
    assert (
        "0..30" in only(found(tmp_path, ("between: 0..40", "between: 0..30")), "RULE220").message.en
    )
    assert "judged" in only(found(tmp_path, ("between: 0..40, ", "")), "RULE220").message.en


def test_a_line_above_the_full_score_is_unreachable(tmp_path: Path) -> None:
    item = only(found(tmp_path, ("enter: 80", "enter: 101")), "RULE206")
    assert item.severity is Severity.ERROR


def test_a_level_no_exception_sets_is_unreachable(tmp_path: Path) -> None:
    item = only(found(tmp_path, ("set: blocked", "at_most: key")), "RULE206")
    assert "blocked" in item.message.en


def test_a_tier_without_service_is_a_warning(tmp_path: Path) -> None:
    item = only(found(tmp_path, ("  basic: {manager: none, queue: normal}\n", "")), "RULE207")
    assert item.severity is Severity.WARNING


def test_waiting_by_evaluations_is_a_warning(tmp_path: Path) -> None:
    change = ("demote_after: 30 days", "demote_after: 2 evaluations")
    assert only(found(tmp_path, change), "RULE217").severity is Severity.WARNING


def test_keep_at_enter_without_waiting_flaps(tmp_path: Path) -> None:
    findings = found(
        tmp_path,
        ("keep: 72", "keep: 80"),
        ("{demote_after: 30 days, hold: 90 days, max_step: 1}", "{demote_after: 0 days}"),
    )
    assert "vip" in only(findings, "RULE218").message.en


def test_grace_no_longer_than_hold_does_nothing(tmp_path: Path) -> None:
    only(found(tmp_path, ("max_step: 1}", "grace: 90 days}")), "RULE222")
    assert found(tmp_path, ("max_step: 1}", "grace: 91 days}")) == []


BLACKLIST = "    - {id: blacklist, reason: 黑名单 | Blacklisted, when: blacklisted, set: blocked}\n"


@pytest.mark.parametrize(
    ("extra", "code"),
    [
        ("{id: x, when: blacklisted, at_least: key}", "RULE211"),
        ("{id: x, when: orders_12m > 5, at_most: vip}", "RULE211"),
        ("{id: x, when: orders_12m > 5, at_least: basic}", "RULE211"),
        ("{id: x, when: orders_12m > 5, at_least: key}", None),
    ],
)
def test_exceptions_that_contradict(tmp_path: Path, extra: str, code: str | None) -> None:
    findings = found(tmp_path, (BLACKLIST, f"{BLACKLIST}    - {extra}\n"))
    assert [item.code for item in findings] == ([] if code is None else [code])


def test_a_floor_above_a_cap_of_the_same_condition_contradicts(tmp_path: Path) -> None:
    pair = (
        "    - {id: a, when: orders_12m > 5, at_most: key}\n"
        "    - {id: b, when: 订单数 大于 5, at_least: vip}\n"
    )
    item = only(found(tmp_path, (BLACKLIST, BLACKLIST + pair)), "RULE211")
    assert "the cap wins" in item.message.en


STAGE = "    quiet: 沉默 | Quiet\n"
BACK = "    - {from: quiet, to: active, when: days ≤ 30}\n"


def test_a_stage_nobody_reaches(tmp_path: Path) -> None:
    moves = (BACK, BACK + "    - {from: lost, to: active, when: days ≤ 30}\n")
    findings = found(tmp_path, (STAGE, STAGE + "    lost: 流失 | Lost\n"), moves)
    assert "lost" in only(findings, "RULE208").message.en


def test_a_stage_with_no_way_out(tmp_path: Path) -> None:
    assert "quiet" in only(found(tmp_path, (BACK, "")), "RULE209").message.en


def test_a_move_behind_one_of_the_same_condition(tmp_path: Path) -> None:
    again = "    - {from: quiet, to: prospect, when: 未下单天数 不超过 30}\n"
    assert only(found(tmp_path, (BACK, BACK + again)), "RULE210").labels


def test_leaving_easier_than_entering_flaps(tmp_path: Path) -> None:
    assert "flap" in only(found(tmp_path, ("days ≤ 30}", "days ≤ 95}")), "RULE218").message.en
    assert found(tmp_path, ("days ≤ 30}", "days ≤ 90}")) == []


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("once_per: customer, period", "once_per: customer, ever", "RULE212"),
        ("lifecycle is not quiet", "lifecycle is quiet", "RULE212"),
        ("    missing: ask\n", "", "RULE221"),
        ("event: score missing", "event: rises", "RULE221"),
        ("event: enters quiet", "event: rises to basic", "RULE221"),
        ("event: enters quiet", "event: falls to vip", "RULE221"),
    ],
)
def test_tasks_that_never_happen_or_never_end(
    tmp_path: Path, old: str, new: str, code: str
) -> None:
    assert code in [item.code for item in found(tmp_path, (old, new))]


def test_a_customer_cannot_be_handed_to_the_owner_it_has(tmp_path: Path) -> None:
    hands = "    due: 2 workdays\n    may_reassign_owner: true\n"
    said = found(tmp_path, ("    due: 2 workdays\n", hands))
    assert "its owner is the one the customer has" in only(said, "RULE223").message.en
    (tmp_path / "b").mkdir()
    others = f"    fallback_owner: role:lead\n{hands}"
    assert found(tmp_path / "b", ("    due: 2 workdays\n", others)) == []


def test_a_fact_nobody_reads(tmp_path: Path) -> None:
    extra = "  idle: {type: number}\n  days: {type"
    assert "idle" in only(found(tmp_path, ("  days: {type", extra)), "RULE213").message.en


def test_a_fact_read_through_a_formula_or_title_is_read(tmp_path: Path) -> None:
    extra = "  a: {type: number}\n  b: {type: number, formula: a + 1}\n  days: {type"
    assert found(tmp_path, ("  days: {type", extra), ("【预警】{name}", "【预警】{name} {b}")) == []


# ── with mappings ──────────────────────────────────────────────────────────────────────────────


def mapping(read: dict[str, Source], *, write: str = "Crmsync_Tier") -> CrmMapping:
    return CrmMapping(
        connector="example",
        object="Accounts",
        applies_to=None,
        identity_name=FieldPick("Name"),
        identity_owner=None,
        related={},
        read=read,
        write={
            "tier": WriteTarget("tier", FieldPick(write)),
            "lifecycle": WriteTarget("lifecycle", FieldPick("Stage")),
        },
        lock_field=None,
        tasks=TaskTarget("Tasks", "K", "S", "D", "O", "A", "St", "open", "closed"),
        digest="",
        file="mapping/example.yaml",
    )


def whole() -> dict[str, Source]:
    """A source for every fact that needs one."""
    return {
        "last_order_on": AggregateSource("orders", Aggregate.MAX, FieldPick("On")),
        "orders_12m": AggregateSource("orders", Aggregate.COUNT),
        "revenue": AggregateSource("orders", Aggregate.SUM, FieldPick("Amount")),
        "potential": FieldSource(FieldPick("Potential")),
        "judged": FieldSource(FieldPick("Judged")),
        "blacklisted": FieldSource(FieldPick("Black")),
    }


def test_a_mapping_that_fits_has_no_finding(tmp_path: Path) -> None:
    assert check(typed(tmp_path), [mapping(whole())]) == []


def test_a_mapping_must_say_whom_tasks_hand_over_and_are_about(tmp_path: Path) -> None:
    more = (
        "    fallback_owner: role:lead\n    may_reassign_owner: true\n    for_each: {related: x}\n"
    )
    due = "    due: 2 workdays\n"
    said = check(typed(tmp_path, (due, due + more)), [mapping(whole())])
    assert [item.code for item in said] == ["MAP003", "MAP003"]
    assert "no field for the person" in said[0].message.en
    assert "names no identity.owner" in said[1].message.en


def test_a_fact_without_source_is_named(tmp_path: Path) -> None:
    read = whole()
    del read["potential"]
    item = only(check(typed(tmp_path), [mapping(read)]), "MAP001")
    assert "potential" in item.message.en
    assert item.span.file == "mapping/example.yaml"


@pytest.mark.parametrize(
    "source",
    [
        FieldSource(FieldPick("Revenue_12M")),
        AggregateSource("orders", Aggregate.AVG, FieldPick("Amount")),
        AggregateSource("orders", Aggregate.GAP),
    ],
)
def test_missing_stands_only_on_counts_and_sums(tmp_path: Path, source: Source) -> None:
    item = only(check(typed(tmp_path), [mapping({**whole(), "revenue": source})]), "RULE214")
    assert item.severity is Severity.ERROR
    assert "revenue" in item.message.en


def test_a_rule_may_not_read_the_field_it_writes(tmp_path: Path) -> None:
    item = only(check(typed(tmp_path), [mapping(whole(), write="Potential")]), "RULE216")
    assert "potential" in item.message.en


def test_what_is_decided_must_be_written(tmp_path: Path) -> None:
    base = mapping(whole())
    bare = CrmMapping(
        **{
            **{name: getattr(base, name) for name in base.__dataclass_fields__},
            "write": {"lifecycle": base.write["lifecycle"]},
            "tasks": None,
        }
    )
    findings = check(typed(tmp_path), [bare])
    assert [item.code for item in findings] == ["MAP003", "MAP003"]


def test_findings_of_the_mutated_file_are_stable(tmp_path: Path) -> None:
    changes = (("enter: 80", "enter: 101"), (BACK, ""))
    assert found(tmp_path, *changes) == found(tmp_path, *changes)
    assert sound(*changes) != sound()
