"""The smaller blocks of a ruleset, each of which stands by itself."""

from __future__ import annotations

from dataclasses import dataclass, replace

from crmsync.model.condition import Condition
from crmsync.model.group import Group
from crmsync.model.merge import MergeRules
from crmsync.model.newcomer import Newcomer
from crmsync.model.override import HumanEditRule
from crmsync.model.population import ScopeLine
from crmsync.model.ruleset import FactDefinition, Ruleset
from crmsync.model.season import ALL_YEAR, Season
from crmsync.model.segment import Segment
from crmsync.model.text import Text
from crmsync.model.tier import TierRules
from crmsync.rules.group import read_group
from crmsync.rules.language import Language
from crmsync.rules.level_names import Levels
from crmsync.rules.merging import read_on_merge
from crmsync.rules.newcomer import read_newcomer, read_season
from crmsync.rules.overrides import read_overrides
from crmsync.rules.population import read_applies_to, read_scope
from crmsync.rules.segments import read_segments
from crmsync.rules.shape import Block


@dataclass(frozen=True, slots=True)
class Smaller:
    """What the smaller blocks say."""

    segments: tuple[Segment, ...] = ()
    newcomer: Newcomer | None = None
    group: Group | None = None
    applies_to: Condition | None = None
    scope: tuple[ScopeLine, ...] = ()
    season: Season = ALL_YEAR
    human_edits: HumanEditRule | None = None
    on_merge: MergeRules | None = None

    def of(self, ruleset: Ruleset) -> Ruleset:
        """The ruleset with these blocks in it."""
        return replace(
            ruleset,
            segments=self.segments,
            newcomer=self.newcomer,
            group=self.group,
            applies_to=self.applies_to,
            scope=self.scope,
            season=self.season,
            human_edits=self.human_edits,
            on_merge=self.on_merge,
        )


def read_smaller(
    root: Block,
    declared: tuple[FactDefinition, ...],
    tier: TierRules | None,
    facts: Language,
    state: Language,
) -> Smaller:
    """Read every smaller block of *root*: *facts* reads names of facts, *state* the tier, stage
    and score as well."""
    segments, newcomer = root.take("segments"), root.take("newcomer")
    levels, exceptions = ((), ()) if tier is None else (tier.levels, tier.exceptions)
    if newcomer is not None and root.node.get("tier") is None:
        _needs_tier(root, "newcomer")
    season = read_season(root.scalar("active_months"), facts)
    overrides, group = root.take("overrides"), root.take("group")
    merge = root.take("on_merge")
    return Smaller(
        segments=() if segments is None else read_segments(segments, state),
        newcomer=None
        if newcomer is None
        else read_newcomer(newcomer, Levels(levels), exceptions, facts),
        group=None if group is None else read_group(group, declared, exceptions, facts),
        applies_to=read_applies_to(root.take("applies_to"), facts),
        scope=read_scope(root.take("scope"), declared, facts),
        season=season or ALL_YEAR,
        human_edits=None if overrides is None else read_overrides(overrides, facts),
        on_merge=None if merge is None else read_on_merge(merge, facts),
    )


def _needs_tier(root: Block, key: str) -> None:
    root.findings.add(
        "RULE002",
        root.place(key),
        Text(zh=f"{key} 要有 tier 块才有意义", en=f"{key} means nothing without a tier block"),
        Text(zh=f"加上 tier，或去掉 {key}", en=f"Add tier, or drop {key}."),
    )
