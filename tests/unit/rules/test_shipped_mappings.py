"""Every shipped ruleset has a mapping for both CRMs that gives each fact a source."""

from __future__ import annotations

import pytest
from tests.unit.rules.writing import RULESETS

from crmsync.config import read_mapping
from crmsync.model.mapping import CrmMapping
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


@pytest.mark.parametrize("name", NAMES)
def test_every_ruleset_is_explained_in_both_languages(name: str) -> None:
    text = (RULESETS / name / "README.md").read_text(encoding="utf-8")
    assert "## 中文说明" in text
    assert text.startswith(f"# {name}\n")
