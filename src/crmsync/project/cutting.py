"""Cut lines of the tier: those frozen for the period, else drawn across the snapshot at hand.

Drawing writes nothing. A plan carries the lines it decided by, and ``apply`` and ``sync`` keep
them; until then every look at the same snapshot draws the same lines.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import duckdb

from crmsync.evaluate import Engine, Mirrored, match, score_lines
from crmsync.facts import draw_cuts
from crmsync.model.cut import TIER_LINES
from crmsync.model.frozen import Freeze, FrozenLines, period_of
from crmsync.model.relation import FactRelation
from crmsync.model.ruleset import Ruleset
from crmsync.model.tier import TierRules
from crmsync.rules import digest_of_parts
from crmsync.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """The rules, and the population their lines are drawn across on one local day."""

    rules: Ruleset
    relation: FactRelation
    mirror: duckdb.DuckDBPyConnection
    connection: str
    as_of: date


def bind_cuts(drawing: Drawing, store: Store) -> Ruleset:
    """The rules with their cut lines drawn; ``frozen`` holds those lines as well.

    Lines kept for the period stand, whatever the population has become since. Only other rules (a
    different cut, scorecard or formula) draw new ones within it, as a new version.
    """
    rules, tier = drawing.rules, drawing.rules.tier
    if tier is None or not tier.cuts:
        return rules
    where = (drawing.connection, rules.id)
    review = None
    if tier.freeze is Freeze.REVIEW:
        review = store.reviews.last(*where, day=drawing.as_of)
    period, basis = period_of(tier.freeze, drawing.as_of, review=review), _basis(rules, tier)
    found = store.frozen.find(*where, TIER_LINES, period=period, basis=basis)
    if found is None:
        lines, customers = _drawn(drawing, tier)
        found = FrozenLines(
            name=TIER_LINES,
            period=period,
            version=store.frozen.next_version(*where, TIER_LINES),
            basis=basis,
            drawn_on=drawing.as_of,
            customers=customers,
            lines={name: (line,) for name, line in sorted(lines.items())},
        )
    return replace(rules, tier=tier.drawn_by(found), frozen=(*rules.frozen, found))


def _drawn(drawing: Drawing, tier: TierRules) -> tuple[dict[str, Decimal], int]:
    if tier.of is not None:
        return draw_cuts(drawing.mirror, drawing.relation, tier.of, tier.cuts)
    engine = Engine(drawing.rules)
    rows = match(Mirrored(drawing.mirror, drawing.relation), engine, drawing.as_of)
    return score_lines(engine, rows, tier.cuts, drawing.as_of)


def _basis(rules: Ruleset, tier: TierRules) -> str:
    """What the lines are drawn by: the cuts, and all that makes up what customers are ranked by."""
    cuts = tuple(sorted(tier.cuts.items()))
    cards = rules.scorecards if tier.of is None else ()
    of = None if tier.of is None else rules.fact(tier.of)
    return digest_of_parts(cuts, of, cards, rules.facts, renamed=rules.renamed)
