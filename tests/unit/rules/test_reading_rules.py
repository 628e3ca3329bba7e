"""A ruleset is read whole or not at all, and every mistake is named with its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.rules.writing import RULESETS, SOUND, codes, load_text, only, sound, typed

from crmsync.condition import names
from crmsync.model.condition import Compare, Comparison, Not, Within
from crmsync.model.diagnostic import Severity
from crmsync.model.fact import FactType
from crmsync.model.period import CalendarUnit, CalendarWindow, Period
from crmsync.model.scorecard import (
    AsGiven,
    Combined,
    Combining,
    Edges,
    MissingPoints,
    PointsTable,
    Scale,
)
from crmsync.model.task import (
    Due,
    EntersStage,
    EveryPeriod,
    LeavesStage,
    Priority,
    ScoreMissing,
    TierFalls,
    TierRises,
)
from crmsync.model.text import Text
from crmsync.model.tier import ExceptionAction, Patience
from crmsync.rules import load
from crmsync.source import Mapping, Node, Scalar, Sequence, apply_fixes, read_yaml


@pytest.mark.parametrize("name", ["b2b-standard", "real-estate", "retail-rfm", "saas-health"])
def test_shipped_rulesets_read_without_a_finding(name: str) -> None:
    ruleset, findings = load(RULESETS / name)
    assert findings == []
    assert ruleset is not None
    assert ruleset.tier is not None


def test_header_is_typed(tmp_path: Path) -> None:
    ruleset = typed(tmp_path)
    assert (ruleset.id, ruleset.version, ruleset.record) == ("small", 1, "account")
    assert ruleset.title == Text(zh="小规则集", en="Small ruleset")
    assert (ruleset.time_zone, ruleset.currency, ruleset.workdays) == ("Asia/Shanghai", "CNY", "CN")


def test_facts_are_typed(tmp_path: Path) -> None:
    ruleset = typed(tmp_path)
    assert ruleset.fact("orders_12m").missing == 0
    assert ruleset.fact("revenue").missing == Decimal(0)
    assert ruleset.fact("blacklisted").missing is False
    assert ruleset.fact("judged").between == (Decimal(0), Decimal(40))
    assert ruleset.fact("judged").judged_by == "account owner"
    assert ruleset.fact("potential").choices == ("高", "中", "低")
    assert ruleset.fact("days").formula is not None
    assert ruleset.fact("last_order_on").missing is None


def test_score_is_typed(tmp_path: Path) -> None:
    (card,) = typed(tmp_path).scorecards
    frequency, money, potential, judged = card.criteria
    assert isinstance(frequency.points, PointsTable)
    first = frequency.points.lines[0]
    assert isinstance(first.when, Compare)
    assert (first.when.comparison, first.points, first.text) == (Comparison.GE, 20, "≥ 12")
    assert frequency.points.lines[-1].when is None
    assert isinstance(money.points, Scale)
    assert money.points.anchors[1] == (Decimal(100_000), Decimal(10))
    assert potential.missing is MissingPoints.HOLD
    assert isinstance(judged.points, AsGiven)
    assert judged.missing is MissingPoints.ASK
    assert judged.label == Text.same("judged")


def test_a_sum_has_typed_parts() -> None:
    ruleset, _ = load(RULESETS / "real-estate")
    assert ruleset is not None
    profit = ruleset.scorecards[0].criteria[3]
    assert isinstance(profit.points, Combined)
    assert [part.maximum for part in profit.points.parts] == [Decimal("7.5"), Decimal("7.5")]


PARTS = (
    "scale: {0: 0, 10万: 10, 50万: 20}",
    "HOW: [{of: orders_12m, max: FIRST, points: {≥ 6: 5, otherwise: 0}}, "
    "{of: revenue, max: SECOND, scale: {0: 0, 10万: 14}}]",
)


@pytest.mark.parametrize(
    ("how", "first", "second"), [("sum_of", 5, 15), ("best_of", 15, 20), ("average_of", 15, 25)]
)
def test_parts_make_up_their_criterion(tmp_path: Path, how: str, first: int, second: int) -> None:
    text = sound((f"    of: revenue\n    max: 20\n    {PARTS[0]}", f"    max: 20\n    {PARTS[1]}"))
    text = text.replace("HOW", how).replace("FIRST", str(first))
    ruleset, findings = load_text(tmp_path, text.replace("SECOND", str(second)))
    wrong = [item for item in findings if item.code == "RULE202" and "maxima" in item.message.en]
    assert wrong == []
    if ruleset is not None:
        points = ruleset.scorecards[0].criteria[1].points
        assert isinstance(points, Combined)
        assert points.how is Combining(how)
    _, findings = load_text(tmp_path, text.replace("SECOND", str(second - 1)))
    assert "RULE202" in codes(findings)


def test_parts_do_not_nest(tmp_path: Path) -> None:
    inner = "{max: 20, best_of: [{of: revenue, max: 20, scale: {0: 0, 10万: 20}}]}"
    text = sound(
        (f"    of: revenue\n    max: 20\n    {PARTS[0]}", f"    max: 20\n    best_of: [{inner}]")
    )
    _, findings = load_text(tmp_path, text)
    assert {"RULE001", "RULE002"} <= set(codes(findings))


def test_several_scorecards_each_have_their_condition(tmp_path: Path) -> None:
    head, _, rest = SOUND.partition("score:\n")
    body, _, tail = rest.partition("\ntier:")
    indented = "\n".join(f"    {line}" if line else line for line in body.split("\n"))
    second = (
        "  - id: newcomers\n    when: orders_12m is 0\n    score:\n"
        "      - {id: only, of: judged, max: 100, points: as given}\n"
    )
    text = (
        f"{head}scorecards:\n  - id: known\n    when: orders_12m ≥ 1\n    score:\n{indented}\n"
        f"{second}\ntier:{tail}"
    )
    ruleset, findings = load_text(tmp_path, text)
    assert findings == []
    assert ruleset is not None
    assert [card.id for card in ruleset.scorecards] == ["known", "newcomers"]
    assert all(card.when is not None for card in ruleset.scorecards)


def test_a_task_may_be_for_each_person_below_the_customer(tmp_path: Path) -> None:
    people = "{related: contacts, where: [role is 采购, Age ≥ 30]}"
    each = f"    due: 2 workdays\n    for_each: {people}\n"
    ruleset = typed(
        tmp_path, ("    due: 2 workdays\n", each), ("{name}：{days} 天", "{person}：{days} 天")
    )
    found = ruleset.tasks[0].for_each
    assert found is not None
    assert (found.related, found.span.line > 1) == ("contacts", True)
    assert found.where is not None
    assert names(found.where) == {"role", "Age"}
    assert ruleset.digest != typed(tmp_path).digest


def test_percent_scale_anchors_are_ratios() -> None:
    ruleset, _ = load(RULESETS / "real-estate")
    assert ruleset is not None
    growth = ruleset.scorecards[0].criteria[2]
    assert isinstance(growth.points, Scale)
    assert [at for at, _ in growth.points.anchors] == [
        Decimal(text) for text in ("-0.1", "0.05", "0.15", "0.3")
    ]


def test_bands_fall_where_edges_say(tmp_path: Path) -> None:
    lower = typed(tmp_path).scorecards[0].criteria[3]
    assert lower.edges is Edges.LOWER
    assert lower.band(Decimal(20)).name == "strong"  # type: ignore[union-attr]
    upper = typed(tmp_path, ("edges: lower", "edges: upper")).scorecards[0].criteria[3]
    assert upper.band(Decimal(20)).name == "weak"  # type: ignore[union-attr]


def test_tier_is_typed(tmp_path: Path) -> None:
    tier = typed(tmp_path).tier
    assert tier is not None
    assert [level.id for level in tier.ranked] == ["vip", "key", "basic"]
    assert tier.level("key").keep == 45
    assert tier.down.demote_after == Patience(days=30)
    assert (tier.down.hold, tier.down.max_step, tier.up.max_step) == (90, 1, None)
    (blacklist,) = tier.exceptions
    assert (blacklist.action, blacklist.level) == (ExceptionAction.SET, "blocked")


CHANGE = """\
  change:
    up: {hold: 0 days}
    down: {demote_after: 30 days, hold: 90 days, max_step: 1}
"""


@pytest.mark.parametrize(
    ("written", "up", "down"),
    [
        ("  change: {demote_after: 10, hold: 5 days, max_step: 2}\n", (0, 2), (10, 5, 2)),
        ("  change: {hold: 5, up: {hold: 3}}\n", (3, None), (30, 5, None)),
        ("  change: {max_step: 1, down: {max_step: 2}}\n", (0, 1), (30, 0, 2)),
        ("  change: {down: {demote_after: 2 weeks}}\n", (0, None), (14, 0, None)),
        ("", (0, None), (30, 0, None)),
    ],
)
def test_flat_change_keys_mean_down_but_max_step_both(
    tmp_path: Path, written: str, up: tuple[int, int | None], down: tuple[int, int, int | None]
) -> None:
    tier = typed(tmp_path, (CHANGE, written)).tier
    assert tier is not None
    assert (tier.up.hold, tier.up.max_step) == up
    assert (tier.down.demote_after.days, tier.down.hold, tier.down.max_step) == down


def test_patience_may_count_evaluations(tmp_path: Path) -> None:
    tier = typed(tmp_path, ("demote_after: 30 days", "demote_after: 2 evaluations")).tier
    assert tier is not None
    assert tier.down.demote_after == Patience(evaluations=2)


def test_lifecycle_is_typed(tmp_path: Path) -> None:
    cycle = typed(tmp_path).lifecycle
    assert cycle is not None
    assert [move.id for move in cycle.moves] == ["prospect>active", "active>quiet", "quiet>active"]
    assert [move.lasting for move in cycle.moves] == [0, 7, 0]
    assert cycle.stage("quiet").label == Text(zh="沉默", en="Quiet")


def test_moves_between_the_same_stages_get_different_names(tmp_path: Path) -> None:
    twice = "    - {from: quiet, to: active, when: days ≤ 30}\n"
    again = "    - {from: quiet, to: active, when: orders_12m ≥ 12}\n"
    cycle = typed(tmp_path, (twice, twice + again)).lifecycle
    assert cycle is not None
    assert [move.id for move in cycle.moves][2:] == ["quiet>active", "quiet>active#2"]


def test_service_is_typed(tmp_path: Path) -> None:
    vip = typed(tmp_path).service["vip"]
    visit, answer = vip.value("visit_every"), vip.value("answer_within")
    assert visit is not None
    assert answer is not None
    assert visit.period == Period(months=1)
    assert answer.text == Text(zh="20 秒", en="20 s")
    assert answer.label == Text(zh="接通时间", en="answered within")


def test_service_may_declare_its_own_columns(tmp_path: Path) -> None:
    ruleset = typed(
        tmp_path,
        ("service:\n", "service:\n  columns: {discount: percent, plan: text}\n"),
        ("{manager: none, queue: normal}", "{discount: 5%, plan: 季度拜访 | Quarterly}"),
    )
    plan = ruleset.service["basic"].value("plan")
    assert plan is not None
    assert plan.text == Text(zh="季度拜访", en="Quarterly")


def test_tasks_are_typed(tmp_path: Path) -> None:
    call, ask, visit = typed(tmp_path).tasks
    assert call.event == EntersStage("quiet")
    assert (call.due, ask.due, visit.due) == (Due(2), Due(5), Due(10, calendar_days=True))
    assert call.once_per == ("customer", "lifecycle spell")
    assert call.priority is Priority.NORMAL
    assert isinstance(ask.event, ScoreMissing)
    assert ask.owner == ("judge",)
    assert visit.event == EveryPeriod(service_value="visit_every")


@pytest.mark.parametrize(
    ("sentence", "event"),
    [
        ("leaves active", LeavesStage("active")),
        ("进入 沉默", EntersStage("quiet")),
        ("离开沉默", LeavesStage("quiet")),
        ("rises", TierRises()),
        ("rises to vip", TierRises("vip")),
        ("升级到贵宾", TierRises("vip")),
        ("falls to 普通", TierFalls("basic")),
        ("降级", TierFalls()),
        ("every 1 quarter", EveryPeriod(Period(months=3))),
        ("每 2 周", EveryPeriod(Period(days=14))),
    ],
)
def test_events_are_understood_in_both_languages(
    tmp_path: Path, sentence: str, event: object
) -> None:
    ruleset = typed(tmp_path, ("event: enters quiet", f"event: {sentence}"))
    assert ruleset.tasks[0].event == event


def test_guards_are_shares_or_counts(tmp_path: Path) -> None:
    guards = {guard.name: guard for guard in typed(tmp_path).guards}
    assert (guards["tier_changes"].limit, guards["tier_changes"].share) == (Decimal("0.1"), True)
    assert (guards["new_tasks"].limit, guards["new_tasks"].share) == (Decimal(200), False)


def test_tier_labels_are_choices_in_tasks_only(tmp_path: Path) -> None:
    ruleset = typed(tmp_path, ("when: tier in vip, key", "when: 等级 属于 贵宾、重要"))
    assert ruleset.tasks[0].when == typed(tmp_path).tasks[0].when
    _, findings = load_text(tmp_path, sound(("when: blacklisted, set", "when: tier is vip, set")))
    assert "RULE101" in codes(findings)


WRONG = [
    # (old, new, code, the text the finding must point at)
    ("version: 1", "version: 0", "RULE005", "0"),
    ("version: 1", "version: true", "RULE005", "true"),
    ("record: account", "record: acount", "RULE004", "acount"),
    ("time_zone: Asia/Shanghai", "time_zone: EST", "RULE010", "EST"),
    ("time_zone: Asia/Shanghai", "time_zone: UTC+8", "RULE010", "UTC+8"),
    ("time_zone: Asia/Shanghai", "time_zone: Asia/Shanghia", "RULE010", "Asia/Shanghia"),
    ("currency: CNY", "currency: yuan", "RULE011", "yuan"),
    ("currency: CNY\n", "", "RULE012", "revenue"),
    ("workdays: CN", "workdays: China", "RULE011", "China"),
    ("workdays: CN\n", "", "RULE002", "ruleset"),
    ("ruleset: small", "ruleset: 1small", "RULE006", "1small"),
    ("ruleset: small\n", "", "RULE002", "version"),
    ("title: 小规则集 | Small ruleset", "title: a | b | c", "RULE019", "a | b | c"),
    ("{type: date,", "{type: dat,", "RULE004", "dat"),
    ("{type: date,", "{typ: date, type: date,", "RULE001", "typ"),
    ("  days: {type: number", "  tier: {type: number", "RULE006", "tier"),
    (", choices: [高, 中, 低]}", "}", "RULE002", "type"),
    ("label: 订单数 | Orders,", "label: 成交额 | Orders,", "RULE007", "revenue"),
    ("between: 0..40", "between: 40..0", "RULE067", "40..0"),
    (
        "days_since(last_order_on)",
        "days_since(last_ordr_on)",
        "RULE101",
        "last_ordr_on",
    ),
    ("formula: days_since(last_order_on)", "formula: days + 1", "RULE215", "days + 1"),
    ("≥ 12: 20,", "≥ 12: 25,", "RULE202", "25"),
    ("≥ 12: 20,", "≥ 12: much,", "RULE005", "much"),
    ("points: {高: 20,", "points: {很高: 20,", "RULE103", "很高"),
    ("scale: {0: 0, 10万: 10, 50万: 20}", "scale: {0: 0}", "RULE022", "{0: 0}"),
    ("scale: {0: 0, 10万: 10, 50万: 20}", "scale: {0: 0, 50万: 10, 10万: 20}", "RULE022", "10万"),
    ("    scale: {0: 0, 10万: 10, 50万: 20}\n", "", "RULE002", None),
    ("missing: hold", "missing: wait", "RULE004", "wait"),
    ("missing: ask", "missing: 50", "RULE202", "50"),
    ("    edges: lower\n", "", "RULE018", "bands"),
    ("bands: {strong: 20..40,", "bands: {strong: 15..40,", "RULE022", "bands"),
    ("points: as given", "best_of: [a]", "RULE003", None),
    ("enter: 80, keep: 72", "enter: 80, keep: 85", "RULE204", "keep"),
    ("enter: 50, keep: 45", "enter: 85, keep: 45", "RULE205", "enter"),
    ("enter: 50, keep: 45}", "keep: 45}", "RULE002", None),
    (
        "{id: basic, label: 普通 | Basic}",
        "{id: basic, label: 普通 | Basic, enter: 1}",
        "RULE205",
        "enter",
    ),
    ("enter: 80, keep", "enter: top 120%, keep", "RULE262", "top 120%"),
    ("enter: 80, keep", "enter: covers 80% of revenue, keep", "RULE261", "covers 80% of revenue"),
    ("tier:\n", "tier:\n  of: potential\n", "RULE260", "potential"),
    ("tier:\n", "tier:\n  freeze: month\n", "RULE263", "freeze"),
    ("{id: key, label: 重要", "{id: vip, label: 重要", "RULE007", "vip"),
    ("set: blocked", "set: bloked", "RULE110", "bloked"),
    ("set: blocked", "at_most: blocked", "RULE211", "blocked"),
    ("set: blocked}", "set: blocked, at_most: key}", "RULE020", "id"),
    ("max_step: 1}", "max_step: 0}", "RULE005", "0"),
    ("hold: 90 days", "hold: 90 dys", "RULE057", "dys"),
    ("hold: 90 days", "hold: 3 months", "RULE057", "3 months"),
    ("hold: 90 days", "when: next year", "RULE004", "next year"),
    ("start: prospect", "start: prospekt", "RULE111", "prospekt"),
    ("to: quiet, when", "to: quit, when", "RULE111", "quit"),
    ("{from: active, to: quiet,", "{from: active, to: active,", "RULE210", "active"),
    ("when: days ≤ 30}", "when: dayz ≤ 30}", "RULE101", "dayz"),
    ("manager: dedicated", "manager: deticated", "RULE004", "deticated"),
    ("answer_within: 20 s", "answer_within: soon", "RULE057", "soon"),
    ("visit_every: 1 month", "visit_every: 2 workdays", "RULE014", "2 workdays"),
    ("answer_target: 90%", "answer_target: 0.9", "RULE005", "0.9"),
    ("  blocked: {manager", "  bloked: {manager", "RULE110", "bloked"),
    (
        "  vip: {manager",
        "  table: tables/service.csv\n  vip: {manager",
        "TABLE001",
        "tables/service.csv",
    ),
    ("event: enters quiet", "event: enters quit", "RULE111", "quit"),
    ("event: enters quiet", "event: sometimes", "RULE015", "sometimes"),
    ("event: enters quiet", "event: birthday", "RULE015", "birthday"),
    (
        "event: enters quiet",
        "event: 60 days before orders_12m",
        "RULE015",
        "orders_12m",
    ),
    ("service.visit_every", "service.visit_evry", "RULE113", None),
    ("{name}：{days} 天", "{name}：{dais} 天", "RULE112", "{dais}"),
    ("{name}：{days} 天", "{name}：{name.__class__} 天", "RULE112", "{name.__class__}"),
    ("{name}：{days} 天", "{name}：{ 天", "RULE112", None),
    ("owner: judge", "owner: my boss", "RULE016", "my boss"),
    ("due: 2 workdays", "due: 2", "RULE057", "2"),
    ("due: 2 workdays", "due: 2 months", "RULE014", "2 months"),
    ("once_per: customer, quarter", "once_per: customer, quartre", "RULE017", "quartre"),
    ("once_per: customer, quarter", "once_per: customer, quarter, year", "RULE017", None),
    ("    owner: judge\n", "    owner: judge\n    for_each: a\n", "RULE003", "a"),
    ("    owner: judge\n", "    owner: judge\n    for_each: {where: a is b}\n", "RULE002", "where"),
    ("{name}：{days} 天", "{name}：{person} {days} 天", "RULE112", "{person}"),
    ("    owner: judge\n", "    owner: judge\n    may_reassign_owner: a\n", "RULE004", "a"),
    ("    owner: judge\n", "    owner: judge\n    was: call\n", "RULE007", "id: ask"),
    ("tier_changes: 10%", "tier_changes: 0.1", "RULE013", "0.1"),
    ("tier_changes: 10%", "missing_rise: 30", "RULE013", "30"),
    ("tier_changes: 10%", "tier_change: 10%", "RULE001", "tier_change"),
    ("tier_changes: 10%", "demotions_by_pair: {key→vip: 5}", "RULE013", "key→vip"),
    ("tier_changes: 10%", "demotions_by_pair: {vip→kee: 5}", "RULE110", "kee"),
    ("tier_changes: 10%", "demotions_by_pair: {vip: 5}", "RULE013", "vip"),
    ("tier_changes: 10%", "demotions_by_pair: {vip→key: 0.5}", "RULE013", "0.5"),
    ("tier_changes: 10%", "demotions_by_pair: {vip→key: 5, 贵宾 -> 重要: 6}", "RULE007", None),
    ("tier_changes: 10%", "tier_shift: 20", "RULE013", "20"),
    ("guards:\n", "on_merge: {tier: hihger}\nguards:\n", "RULE004", "hihger"),
    ("guards:\n", "on_merge: {since: earliest}\nguards:\n", "RULE004", "earliest"),
    ("guards:\n", "on_merge: {overrides: drops}\nguards:\n", "RULE004", "drops"),
    ("guards:\n", "on_merge: {tasks: close double}\nguards:\n", "RULE004", "close double"),
    ("guards:\n", "on_merge: {teir: higher}\nguards:\n", "RULE001", "teir"),
    ("guards:\n", "on_merge: higher\nguards:\n", "RULE003", "higher"),
    ("guards:\n", "gards:\n", "RULE001", "gards"),
    ("guards:\n", "applies_to: [a is b]\nguards:\n", "RULE101", "a"),
]


@pytest.mark.parametrize(("old", "new", "code", "at"), WRONG)
def test_a_mistake_is_named_at_its_place(
    tmp_path: Path, old: str, new: str, code: str, at: str | None
) -> None:
    text = sound((old, new))
    ruleset, findings = load_text(tmp_path, text)
    assert ruleset is None
    assert code in codes(findings)
    found = next(item for item in findings if item.code == code)
    assert found.message.zh
    assert found.message.en
    assert found.message.zh != found.message.en
    if at is not None:
        line = text.split("\n")[found.span.line - 1]
        assert line[found.span.column - 1 :].lstrip("\"'").startswith(at)


def test_all_mistakes_are_found_in_one_go(tmp_path: Path) -> None:
    text = sound(
        ("record: account", "record: acount"),
        ("≥ 12: 20,", "≥ 12: 25,"),
        ("set: blocked", "set: bloked"),
        ("to: quiet, when", "to: quit, when"),
        ("due: 2 workdays", "due: soon"),
        ("tier_changes: 10%", "tier_changes: 0.1"),
    )
    _, findings = load_text(tmp_path, text)
    assert codes(findings) == ["RULE004", "RULE202", "RULE110", "RULE111", "RULE057", "RULE013"]


def test_lints_of_what_could_be_read_come_beside_the_errors(tmp_path: Path) -> None:
    text = sound(
        ("{≥ 12: 20, ≥ 6: 15, ≥ 1: 5,", "{≥ 6: 20, ≥ 12: 15, ≥ 1: 5,"),
        ("when: blacklisted", "when: blacklistd"),
    )
    ruleset, findings = load_text(tmp_path, text)
    assert ruleset is None
    assert codes(findings) == ["RULE203", "RULE101"]


def test_a_misspelt_name_offers_the_nearest_with_a_mechanical_mend(tmp_path: Path) -> None:
    _, findings = load_text(tmp_path, sound(("set: blocked", "set: bloked")))
    found = only(findings, "RULE110")
    assert found.mend == Text(zh="是不是“blocked”？", en="Did you mean “blocked”?")
    assert found.fix is not None
    assert found.fix.replacement == "blocked"


def test_a_misspelt_key_is_told_without_all_that_hangs_on_it(tmp_path: Path) -> None:
    """Every key of the file once: the slip is one finding, whatever the key was to hold."""
    root, _ = read_yaml("rules.yaml", SOUND.encode())
    assert root is not None
    tried = 0
    for key in keys_of(root):
        wrong = key.text[:2] + "x" + key.text[2:]
        lines = SOUND.split("\n")
        at = key.span.column - 1
        line = lines[key.span.line - 1]
        lines[key.span.line - 1] = line[:at] + wrong + line[at + len(key.text) :]
        ruleset, findings = load_text(tmp_path, "\n".join(lines))
        assert ruleset is None, key
        errors = [item for item in findings if item.severity is Severity.ERROR]
        assert [(item.code, item.span) for item in errors][:1] == [
            ("RULE001", replace(key.span, end_column=key.span.end_column + 1))
        ], key
        assert len(errors) == 1, (key, errors)
        tried += 1
    assert tried > 40


NAMED = {"facts", "stages", "service", "points", "scale", "bands", "guards"}
"""Below these stand names and values people choose."""


def keys_of(node: Mapping) -> Iterator[Scalar]:
    """The keys of the language, one of each way to it; not the names people choose."""
    seen: set[tuple[str, ...]] = set()

    def below(node: Node, way: tuple[str, ...]) -> Iterator[Scalar]:
        for key, value in node.entries if isinstance(node, Mapping) else ():
            here = (*way, key.text)
            named = way and way[-1] in NAMED
            if key.text.isascii() and not named and here not in seen:
                seen.add(here)
                yield key
            yield from below(value, (*way, "*") if named else here)
        for item in node.items if isinstance(node, Sequence) else ():
            yield from below(item, way)

    return below(node, ())


def test_what_is_wrong_below_a_misspelt_key_is_told_beside_it(tmp_path: Path) -> None:
    text = sound(
        ("lifecycle:", "lifecicle:"),
        ("to: quiet, when", "to: quit, whem"),
        ("{≥ 12: 20, ≥ 6: 15, ≥ 1: 5,", "{≥ 6: 20, ≥ 12: 15, ≥ 1: 5,"),
    )
    _, findings = load_text(tmp_path, text)
    assert sorted(codes(findings)) == ["RULE001", "RULE001", "RULE111", "RULE203"]


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ("set: blocked", 'set: "bloked"', "blocked"),
        ("from: active, to: quiet", "from: [active, prospekt], to: quiet", "prospect"),
        ("{name}：{days} 天", "{name}：{dais} 天", "{days}"),
        ("time_zone: Asia/Shanghai", "time_zone: Asia/Shanghia", "Asia/Shanghai"),
        ("manager: dedicated", "manager: deticated", "dedicated"),
    ],
)
def test_a_mechanical_mend_makes_the_file_sound_again(
    tmp_path: Path, old: str, new: str, wanted: str
) -> None:
    text = sound((old, new))
    _, findings = load_text(tmp_path, text)
    mended, count = apply_fixes(text, findings)
    assert count == 1
    assert wanted in mended
    ruleset, left = load_text(tmp_path, mended)
    assert left == []
    assert ruleset is not None


def test_a_word_written_with_escapes_is_not_mended_mechanically(tmp_path: Path) -> None:
    _, findings = load_text(tmp_path, sound(("set: blocked", r'set: "blo\x6bd"')))
    found = only(findings, "RULE110")
    assert found.mend is not None
    assert found.fix is None


def test_a_bare_guard_number_is_mended_to_the_percent_it_means(tmp_path: Path) -> None:
    for bare, meant in (("0.3", "30%"), ("30", "30%")):
        _, findings = load_text(tmp_path, sound(("tier_changes: 10%", f"missing_rise: {bare}")))
        found = only(findings, "RULE013")
        assert found.fix is not None
        assert found.fix.replacement == meant


def test_points_above_max_show_both_places(tmp_path: Path) -> None:
    text = sound(("≥ 12: 20,", "≥ 12: 25,"))
    _, findings = load_text(tmp_path, text)
    found = only(findings, "RULE202")
    (label,) = found.labels
    assert text.split("\n")[label.span.line - 1].strip() == "max: 20"


def test_a_formula_circle_is_shown(tmp_path: Path) -> None:
    facts = "  a: {type: number, formula: b + 1}\n  b: {type: number, formula: a + 1}\n"
    _, findings = load_text(tmp_path, sound(("  days: {type", facts + "  days: {type")))
    assert "a → b → a" in only(findings, "RULE215").message.en


def test_no_rules_file_is_said_so(tmp_path: Path) -> None:
    ruleset, findings = load(tmp_path)
    assert ruleset is None
    assert only(findings, "RULE008").mend is not None


def test_a_ruleset_that_decides_nothing_is_refused(tmp_path: Path) -> None:
    head = SOUND.split("facts:", maxsplit=1)[0] + "facts:\n  a: {type: text}\n"
    ruleset, findings = load_text(tmp_path, head)
    assert ruleset is None
    assert codes(findings) == ["RULE002"]


@pytest.mark.parametrize(
    "block", ["facts", "score", "tier", "lifecycle", "service", "tasks", "guards"]
)
@pytest.mark.parametrize("instead", ["word", "[a, b]", "{a: {b: c}}", "[[]]", "{}", "~"])
def test_a_block_of_another_shape_never_crashes(tmp_path: Path, block: str, instead: str) -> None:
    lines, keep, out = SOUND.split("\n"), True, []
    for line in lines:
        if line and not line.startswith((" ", "-")):
            keep = not line.startswith(f"{block}:")
        if keep:
            out.append(line)
    ruleset, findings = load_text(tmp_path, "\n".join(out) + f"\n{block}: {instead}\n")
    harmless = block in {"service", "tasks", "guards"} and instead == "{}"
    assert (ruleset is not None) == harmless or findings


PIECES = (":", "{", "]", ",", "：", "万", "%", "''", " - ", "\t", "≥", "9" * 50)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_mutation_of_a_ruleset_crashes_the_reader(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    lines = SOUND.split("\n")
    number = data.draw(st.integers(0, len(lines) - 1))
    kind = data.draw(st.sampled_from(["drop", "double", "cut", "swap", "insert"]))
    line = lines[number]
    place = data.draw(st.integers(0, len(line)))
    if kind == "drop":
        del lines[number]
    elif kind == "double":
        lines.insert(number, line)
    elif kind == "cut":
        lines[number] = line[:place]
    elif kind == "swap":
        lines[number], lines[number - 1] = lines[number - 1], line
    else:
        piece = data.draw(st.sampled_from(PIECES))
        lines[number] = line[:place] + piece + line[place:]
    ruleset, findings = load_text(tmp_path_factory.mktemp("fuzz"), "\n".join(lines))
    if ruleset is None:
        assert findings
        assert all(item.span.line >= 1 for item in findings)


def test_every_fact_type_may_be_declared(tmp_path: Path) -> None:
    extra = "".join(
        f"  x{number}: {{type: {kind}}}\n"
        for number, kind in enumerate(FactType)
        if kind is not FactType.CHOICE
    )
    ruleset = typed(tmp_path, ("  days: {type", extra + "  days: {type"))
    assert ruleset.fact("x0").type is FactType.DATE


@pytest.mark.parametrize("written", ["4月", "4", "April", "apr", "04月"])
def test_years_begin_with_the_month_the_file_says(tmp_path: Path, written: str) -> None:
    text = sound(
        ("workdays: CN\n", f"workdays: CN\nyear_starts: {written}\n"),
        ("when: days > 90, lasting", "when: last_order_on not in last year, lasting"),
    )
    ruleset, findings = load_text(tmp_path, text)

    assert ruleset is not None, findings
    assert ruleset.year_starts == 4
    assert ruleset.lifecycle is not None
    condition = ruleset.lifecycle.moves[1].when
    assert isinstance(condition, Not)
    assert isinstance(condition.item, Within)
    assert condition.item.window == CalendarWindow(CalendarUnit.YEAR, 1, 4)


@pytest.mark.parametrize("written", ["13", "0", "ju", "四月", "[4]"])
def test_a_month_nobody_knows_is_named(tmp_path: Path, written: str) -> None:
    text = sound(("workdays: CN\n", f"workdays: CN\nyear_starts: {written}\n"))
    ruleset, findings = load_text(tmp_path, text)

    assert ruleset is None
    assert {item.code for item in findings} <= {"RULE005", "RULE003"}
