"""Tiers straight from one fact, and lines drawn across the population."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.rules.writing import cases_text, codes, load_text, sound

from crmsync.evaluate import (
    Engine,
    EvaluationContext,
    decide,
    explain,
    match_compiled,
    row_from_facts,
    score_lines,
)
from crmsync.model.cut import Cut, CutKind
from crmsync.model.decision import Because, Decision
from crmsync.model.fact import FactValue
from crmsync.model.frozen import Freeze, FrozenLines, period_of
from crmsync.model.record import RecordRef
from crmsync.model.ruleset import Ruleset
from crmsync.model.state import CustomerState, Standing
from crmsync.project.deciding import decide_case
from crmsync.rules import case_text, check, compare

DAY = date(2026, 11, 22)
REF = RecordRef("Accounts", "A1")
VIP = "{id: vip, label: 贵宾 | VIP, enter: 80, keep: 72}"
KEY = "{id: key, label: 重要 | Key, enter: 50, keep: 45}"


def rules(folder: Path, vip: str, key: str, *, of: str | None = None) -> Ruleset:
    text = sound((VIP, vip), (KEY, key))
    if of is not None:
        text = text.replace("tier:\n", f"tier:\n  of: {of}\n")
    ruleset, findings = load_text(folder, text)
    assert ruleset is not None, [f"{item.code} {item.message.en}" for item in findings]
    assert findings == []
    return ruleset


def of_revenue(folder: Path) -> Ruleset:
    return rules(
        folder,
        "{id: vip, label: 贵宾 | VIP, enter: 50万, keep: 40万}",
        "{id: key, label: 重要 | Key, enter: 10万}",
        of="revenue",
    )


def drawn(ruleset: Ruleset, lines: Mapping[str, object]) -> Ruleset:
    assert ruleset.tier is not None
    frozen = FrozenLines(
        "tier", "2026-Q4", 1, "", DAY, 3, {k: (Decimal(str(v)),) for k, v in lines.items()}
    )
    return replace(ruleset, tier=ruleset.tier.drawn_by(frozen))


def decided(
    ruleset: Ruleset, facts: Mapping[str, FactValue], *, was: str | None = None, day: date = DAY
) -> Decision:
    engine = Engine(ruleset)
    row = row_from_facts(engine, REF, facts, day)
    (matched,) = match_compiled((row,), engine, day)
    long_ago = DAY - timedelta(days=400)
    standing = Standing(was, long_ago, long_ago) if was else Standing()
    state = CustomerState(REF, standing, known_facts=frozenset(engine.facts))
    return decide(engine, matched, state, EvaluationContext(as_of=day))


@pytest.mark.parametrize(
    ("revenue", "tier"), [(500_000, "vip"), (499_999, "key"), (100_000, "key"), (99_999, "basic")]
)
def test_thresholds_on_one_fact_need_no_score(tmp_path: Path, revenue: int, tier: str) -> None:
    decision = decided(of_revenue(tmp_path), {"revenue": Decimal(revenue)})
    assert decision.tier is not None
    assert decision.tier.after == tier


def test_the_reason_names_the_fact_and_its_line(tmp_path: Path) -> None:
    tier = decided(of_revenue(tmp_path), {"revenue": Decimal(600_000)}).tier
    assert tier is not None
    assert tier.text.zh == "成交额 60万 ≥ 升级线 50万"
    assert tier.text.en == "Revenue 600,000 ≥ enter line 500,000"


def test_a_fall_by_the_fact_waits_like_any_other(tmp_path: Path) -> None:
    tier = decided(of_revenue(tmp_path), {"revenue": Decimal(20_000)}, was="vip").tier
    assert tier is not None
    assert (tier.after, tier.because) == ("vip", Because.PATIENCE)
    assert "Revenue 20,000, below the keep line 400,000" in tier.text.en


def test_an_unknown_fact_moves_nobody(tmp_path: Path) -> None:
    text = sound((VIP, "{id: vip, enter: 30}"), (KEY, "{id: key, enter: 10}"))
    text = text.replace("tier:\n", "tier:\n  of: judged\n")
    ruleset, findings = load_text(tmp_path, text)
    assert ruleset is not None
    assert findings == []
    for was in ("vip", "key", None):
        decision = decided(ruleset, {}, was=was)
        assert decision.tier is not None
        assert decision.tier.after == was
        assert decision.withheld


def test_the_what_if_of_a_fact_is_true_when_fed_back(tmp_path: Path) -> None:
    engine = Engine(of_revenue(tmp_path))
    facts = {"revenue": Decimal(90_000)}
    row = row_from_facts(engine, REF, facts, DAY)
    shown = explain(engine, row, CustomerState(REF), EvaluationContext(as_of=DAY))
    (up,) = [item for item in shown.what_if if item.fact == "revenue" and item.tier == "key"]
    assert up.value == Decimal(100_000)


# ── lines across the population ────────────────────────────────────────────────────────────────


def test_cuts_are_read_in_both_languages(tmp_path: Path) -> None:
    english = rules(tmp_path, "{id: vip, enter: top 50, keep: top 60}", "{id: key, enter: top 20%}")
    chinese = rules(tmp_path, "{id: vip, enter: 前 50 名, keep: 前60}", "{id: key, enter: 前 20%}")
    assert english.tier is not None
    assert chinese.tier is not None
    assert dict(english.tier.cuts) == {
        "vip.enter": Cut(CutKind.TOP, Decimal(50), span=english.tier.cuts["vip.enter"].span),
        "vip.keep": Cut(CutKind.TOP, Decimal(60), span=english.tier.cuts["vip.keep"].span),
        "key.enter": Cut(CutKind.SHARE, Decimal("0.2"), span=english.tier.cuts["key.enter"].span),
    }
    assert english.digest == chinese.digest


def test_covering_one_fact_everywhere_needs_no_of(tmp_path: Path) -> None:
    ruleset = rules(
        tmp_path,
        "{id: vip, enter: covers 50% of revenue}",
        "{id: key, enter: 覆盖 成交额 的 80%}",
    )
    assert ruleset.tier is not None
    assert ruleset.tier.of == "revenue"
    assert ruleset.tier.cuts["key.enter"].amount == Decimal("0.8")


@pytest.mark.parametrize(
    ("vip", "key", "code"),
    [
        ("{id: vip, enter: top 50, keep: top 40}", KEY, "RULE204"),
        ("{id: vip, enter: top 50}", "{id: key, enter: top 50}", "RULE205"),
        ("{id: vip, enter: top 0}", KEY, "RULE262"),
        ("{id: vip, enter: top 2.5}", KEY, "RULE262"),
        ("{id: vip, enter: covers 100% of revenue}", KEY, "RULE262"),
        ("{id: vip, enter: covers some of revenue}", KEY, "RULE262"),
        ("{id: vip, enter: covers 80% of potential}", KEY, "RULE260"),
        ("{id: vip, enter: covers 80% of nothing}", KEY, "RULE101"),
    ],
)
def test_mistakes_in_cuts_are_named(tmp_path: Path, vip: str, key: str, code: str) -> None:
    ruleset, findings = load_text(tmp_path, sound((VIP, vip), (KEY, key)))
    assert ruleset is None
    assert code in codes(findings)


def test_a_ranking_by_nothing_is_found(tmp_path: Path) -> None:
    text = sound((VIP, "{id: vip, enter: top 5}"), (KEY, "{id: key, enter: top 9}"))
    start, end = text.index("score:\n"), text.index("tier:\n")
    ruleset, _ = load_text(tmp_path, text[:start] + text[end:])
    assert ruleset is not None
    assert "RULE264" in codes(check(ruleset))


def test_a_drawn_line_decides_and_names_its_period(tmp_path: Path) -> None:
    ruleset = rules(tmp_path, "{id: vip, enter: top 2, keep: top 3}", "{id: key, enter: top 50%}")
    bound = drawn(ruleset, {"vip.enter": 35, "vip.keep": 30, "key.enter": 20})
    facts = {"orders_12m": 12, "revenue": Decimal(500_000), "potential": "低", "judged": 0.0}
    tier = decided(bound, facts).tier
    assert tier is not None
    assert (tier.after, tier.because) == ("vip", Because.ENTER_LINE)
    assert tier.text.en == "42 points ≥ enter line 35 (top 2, 2026-Q4)"
    assert tier.text.zh == "42 分 ≥ 升级线 35（前 2 名，2026-Q4）"


def test_without_a_line_the_tier_stays(tmp_path: Path) -> None:
    ruleset = rules(tmp_path, "{id: vip, enter: top 2}", "{id: key, enter: top 50%}")
    for was, because in ((None, Because.NO_TIER), ("key", Because.NO_LINE)):
        tier = decided(ruleset, {"orders_12m": 12}, was=was).tier
        assert tier is not None
        assert (tier.after, tier.because) == (was, because)


def test_a_keep_line_never_lies_above_the_drawn_enter_line(tmp_path: Path) -> None:
    ruleset = rules(tmp_path, "{id: vip, enter: top 2, keep: 60}", "{id: key, enter: top 50%}")
    bound = drawn(ruleset, {"vip.enter": 55, "key.enter": 20})
    assert bound.tier is not None
    assert bound.tier.levels[0].keep == Decimal(55)


@given(st.lists(st.integers(0, 40), max_size=30), st.integers(1, 8), st.integers(1, 99))
@settings(max_examples=60, deadline=None)
def test_score_lines_are_what_they_promise(judged: list[int], count: int, part: int) -> None:
    engine = _judging()
    cuts = {
        "vip.enter": Cut(CutKind.TOP, Decimal(count)),
        "key.enter": Cut(CutKind.SHARE, Decimal(part) / 100),
    }
    facts = [{"judged": float(n), "potential": "低"} for n in judged]
    rows = [row_from_facts(engine, REF, item, DAY) for item in [*facts, {}]]
    lines, people = score_lines(engine, match_compiled(rows, engine, DAY), cuts, DAY)
    ranked = sorted((Decimal(n + 2) for n in judged), reverse=True)
    assert people == len(judged)
    inside = min(count, len(ranked)), -(-part * len(ranked) // 100)
    expected = dict(zip(cuts, (ranked[n - 1] if n else None for n in inside), strict=True))
    assert lines == {name: line for name, line in expected.items() if line is not None}


_ENGINES: list[Engine] = []


def _judging() -> Engine:
    if not _ENGINES:
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            ruleset, _ = load_text(Path(folder), sound())
        assert ruleset is not None
        _ENGINES.append(Engine(ruleset))
    return _ENGINES[0]


# ── cases ──────────────────────────────────────────────────────────────────────────────────────

CASES = """\
today: 2026-11-22
cut_lines: {vip: {enter: 35, keep: 30}, key: 20}
cases:
  - name: best
    facts: {orders_12m: 12, revenue: 50万, potential: 低, judged: 0}
    expect: {tier: vip, tier_because: enter line}
  - name: higher line
    facts: {orders_12m: 12, revenue: 50万, potential: 低, judged: 0}
    cut_lines: {贵宾: 90}
    expect: {tier: key}
"""


def test_cases_say_where_the_lines_lie(tmp_path: Path) -> None:
    ruleset = rules(
        tmp_path,
        "{id: vip, label: 贵宾 | VIP, enter: top 2, keep: top 3}",
        "{id: key, enter: top 50%}",
    )
    file, findings = cases_text(tmp_path, ruleset, CASES)
    assert file is not None, [str(item) for item in findings]
    engine = Engine(ruleset)
    assert [compare(case, decide_case(engine, case)) for case in file.cases] == [(), ()]
    written = "today: 2026-11-22\ncases:\n" + case_text(file.cases[1], ruleset, today=DAY)
    again, findings = cases_text(tmp_path, ruleset, written)
    assert again is not None, [str(item) for item in findings]
    assert again.cases[0].cut_lines == file.cases[1].cut_lines


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("cut_lines: {vip: {enter: 35, keep: 30}, key: 20}\n", "", "TEST017"),
        ("key: 20}", "key: 20, basic: 3}", "TEST018"),
        ("key: 20}", "key: {enter: 20, keep: 3}}", "TEST018"),
    ],
)
def test_cases_without_their_lines_are_refused(
    tmp_path: Path, old: str, new: str, code: str
) -> None:
    ruleset = rules(tmp_path, "{id: vip, enter: top 2, keep: top 3}", "{id: key, enter: top 50%}")
    text = CASES.replace("贵宾", "vip").replace(old, new)
    file, findings = cases_text(tmp_path, ruleset, text)
    assert file is None
    assert code in codes(findings)


def test_periods_have_names() -> None:
    assert period_of(Freeze.QUARTER, DAY) == "2026-Q4"
