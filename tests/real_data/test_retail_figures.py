"""The figures quoted in rulesets/retail-rfm/README.md are the ones the real data gives."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.real_data.online_retail import find, read
from tests.real_data.retail_figures import (
    RULESET,
    Quantiles,
    by_tier,
    decisions,
    population,
    quantiles,
    table_row,
)


def test_the_readme_quotes_what_the_rules_make_of_the_real_data() -> None:
    path = find()
    if path is None:
        pytest.skip("the real file is not here: name its folder in CRMSYNC_REAL_DATA")
    facts = population(read(path))
    readme = (RULESET / "README.md").read_text(encoding="utf-8")
    assert f"{len(facts):,} customers" in readme
    cuts = quantiles(facts)
    assert cuts == Quantiles((14, 32, 71, 179, 263), (1, 2, 3, 5, 8), (221, 449, 879, 1907, 3370))
    for values in (cuts.recency, cuts.frequency, cuts.monetary):
        assert table_row(values) in readme
    found = decisions(facts)
    for count, share, revenue in by_tier(found).values():
        assert f"| {count:,} | {share * 100:.1f} % | {revenue * 100:.1f} % |" in readme
    exceptions = Counter(name for item in found for name in item.exceptions)
    decided = Counter(item.tier.because for item in found if item.tier is not None)
    assert f"{exceptions['newcomer']} customers are newcomers" in readme
    assert f"{decided['newcomer']} of them stand higher" in readme
    assert f"caps {decided['many-returns']};" in readme
    assert decided["long-value"] == 1
