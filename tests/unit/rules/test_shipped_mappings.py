"""Every shipped ruleset has a mapping for both CRMs that gives each fact a source."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from tests.unit.rules.writing import RULESETS

from crmsync.config import read_mapping
from crmsync.model.mapping import CrmMapping, FieldPick, MoneyTerms, Rate
from crmsync.rules import check, load

NAMES = ("b2b-standard", "real-estate", "retail-rfm", "saas-health")


@pytest.mark.parametrize("name", NAMES)
def test_shipped_mappings_fit_their_rules(name: str) -> None:
    ruleset, _ = load(RULESETS / name)
    assert ruleset is not None
    mappings: list[CrmMapping] = []
    for crm in ("fxiaoke", "zoho"):
        mapping, findings = read_mapping(RULESETS / name / "mapping" / f"{crm}.yaml", ruleset)
        assert findings == []
        assert mapping is not None
        mappings.append(mapping)
    assert check(ruleset, mappings) == []


@pytest.mark.parametrize(("crm", "field"), [("zoho", "Currency"), ("fxiaoke", "mc_currency")])
def test_the_currencies_their_comments_speak_of_are_read(
    tmp_path: Path, crm: str, field: str
) -> None:
    """As the comment says: the comment lines without their sign, and the field at the source."""
    ruleset, _ = load(RULESETS / "b2b-standard")
    assert ruleset is not None
    text = (RULESETS / "b2b-standard" / "mapping" / f"{crm}.yaml").read_text(encoding="utf-8")
    assert f"currency: {field}，" in text
    text = text.replace("# rates:", "rates:").replace("sum: ", f"currency: {field}, sum: ")
    path = tmp_path / f"{crm}.yaml"
    path.write_text(text, encoding="utf-8")
    mapping, findings = read_mapping(path, ruleset)
    assert findings == []
    assert mapping is not None
    assert mapping.money == MoneyTerms(rates={"USD": (Rate(date(2026, 1, 1), Decimal("7.05")),)})
    assert mapping.read["revenue_12m"].currency == FieldPick(field)


@pytest.mark.parametrize("name", NAMES)
def test_every_ruleset_is_explained_in_both_languages(name: str) -> None:
    text = (RULESETS / name / "README.md").read_text(encoding="utf-8")
    assert "## 中文说明" in text
    assert text.startswith(f"# {name}\n")
