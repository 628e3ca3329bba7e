"""Cases written by the tool read back as the same cases."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.rules.writing import RULESETS, cases_text, typed

from crmsync.model.case import Case, CaseEpisode, Expectation
from crmsync.model.record import RecordRef
from crmsync.model.ruleset import Ruleset
from crmsync.rules import CASE_OBJECT, case_text, load, load_cases
from crmsync.rules.case_state import Opening

TODAY = date(2026, 11, 22)
DAYS = st.dates(date(2020, 1, 1), TODAY)
NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20).filter(
    lambda text: bool(text.strip())
)


def small() -> Ruleset:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        return typed(Path(folder))


SMALL = small()


def numbers(places: int, low: int, high: int) -> st.SearchStrategy[Decimal]:
    return st.decimals(low, high, places=places)


FACTS = st.fixed_dictionaries(
    {},
    optional={
        "last_order_on": DAYS,
        "orders_12m": st.integers(-5, 10**6),
        "revenue": numbers(2, -100, 10**9),
        "potential": st.sampled_from(["高", "中", "低"]),
        "judged": numbers(1, 0, 40).map(float),
        "blacklisted": st.booleans(),
    },
)
OPENINGS = st.builds(
    Opening,
    tier=st.sampled_from(["vip", "key", "basic", "blocked"]),
    tier_since=st.none() | DAYS,
    lifecycle=st.just("active"),
    lifecycle_since=st.none() | DAYS,
    below_keep_since=st.none() | DAYS,
    pending=st.just({}) | DAYS.map(lambda day: {"active>quiet": day}),
    evaluated=st.none() | st.dates(date(2026, 10, 1), TODAY),
)
EXPECTED = st.builds(
    Expectation,
    score=st.none() | numbers(1, 0, 100).map(lambda n: (n, n + 1)),
    tier=st.none() | st.sampled_from(["", "vip"]),
    tier_because=st.none() | st.sampled_from(["blacklist", "enter line"]),
    lifecycle=st.none() | st.just("quiet"),
    tasks=st.none() | st.sampled_from([frozenset(), frozenset({"call", "ask"})]),
    closes=st.none() | st.sampled_from([frozenset(), frozenset({"call"})]),
    service=st.none() | st.sampled_from(["", "key"]),
    notice=st.none() | st.sampled_from(["", "key"]),
)


@settings(deadline=None)
@given(NAMES, FACTS, OPENINGS, EXPECTED, st.booleans(), st.none() | DAYS)
def test_what_is_written_is_what_is_read(
    name: str,
    facts: dict[str, object],
    opening: Opening,
    expect: Expectation,
    released: bool,
    opened: date | None,
) -> None:
    ref = RecordRef(CASE_OBJECT, "1")
    episodes = () if opened is None else (CaseEpisode("call", opened),)
    case = Case(name, TODAY, facts, opening.state(ref, TODAY), episodes, expect, released=released)
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        text = f"ruleset: small\ntoday: {TODAY}\ncases:\n" + case_text(case, SMALL, today=TODAY)
        file, findings = cases_text(Path(folder), SMALL, text)
    assert file is not None, [str(item) for item in findings]
    (read,) = file.cases
    assert replace(read, expect=replace(read.expect, spans={})) == case


def test_the_cases_of_a_shipped_ruleset_survive_the_way_round(tmp_path: Path) -> None:
    folder = RULESETS / "b2b-standard"
    ruleset, _ = load(folder)
    assert ruleset is not None
    file, _ = load_cases(folder, ruleset)
    assert file is not None
    text = "cases:\n" + "".join(case_text(case, ruleset) for case in file.cases)
    again, findings = cases_text(tmp_path, ruleset, text)
    assert findings == []
    assert again is not None
    assert [replace(c, expect=replace(c.expect, spans={})) for c in again.cases] == [
        replace(c, expect=replace(c.expect, spans={})) for c in file.cases
    ]
