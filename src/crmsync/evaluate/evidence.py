"""What whoever judges a criterion should look at for one customer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from crmsync.condition import names, to_text, trace
from crmsync.evaluate.titles import title
from crmsync.model.decision import Verdict
from crmsync.model.fact import FactValue
from crmsync.model.ruleset import Ruleset
from crmsync.model.scorecard import Criterion
from crmsync.model.text import Text


def evidence_of(
    ruleset: Ruleset,
    criterion: Criterion,
    facts: Mapping[str, FactValue],
    as_of: date,
    *,
    name: str = "",
) -> Text | None:
    """The first evidence that fits, its placeholders filled in.

    ``None`` where none fits, and where an earlier one is undecided: a judge is not sent to look at
    what may be the wrong thing.
    """
    for line in criterion.evidence:
        if line.when is not None:
            read = {fact: facts.get(fact) for fact in names(line.when)}
            verdict = trace(line.when, read, as_of, wording=to_text).verdict
            if verdict is Verdict.UNKNOWN:
                return None
            if verdict is Verdict.FALSE:
                continue
        return title(ruleset, line.text, facts, {"name": Text.same(name)})
    return None
