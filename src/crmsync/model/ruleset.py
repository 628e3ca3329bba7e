"""A whole ruleset, read and typed: what the engine runs, with the line each part came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from crmsync.model.clv import ClvRules
from crmsync.model.condition import All, Condition, Expression
from crmsync.model.fact import FactType, FactValue
from crmsync.model.frozen import FrozenLines
from crmsync.model.group import Group
from crmsync.model.guard import GuardLimit
from crmsync.model.lifecycle import LifecycleRules
from crmsync.model.merge import MergeRules
from crmsync.model.newcomer import Newcomer
from crmsync.model.override import HumanEditRule
from crmsync.model.period import Period
from crmsync.model.population import ScopeLine
from crmsync.model.position import NOWHERE, Span
from crmsync.model.rfm import RfmRules
from crmsync.model.scorecard import Scorecard
from crmsync.model.season import ALL_YEAR, Season
from crmsync.model.segment import Segment
from crmsync.model.service import ServiceLevel
from crmsync.model.task import TaskRule
from crmsync.model.text import Text
from crmsync.model.tier import TierException, TierRules
from crmsync.model.wobble import Wobble


@dataclass(frozen=True, slots=True)
class FactDefinition:
    """One declared fact. ``missing`` is the value used when nothing is known (None: unknown)."""

    id: str
    label: Text
    type: FactType
    choices: tuple[str, ...] = ()
    between: tuple[Decimal, Decimal] | None = None
    missing: FactValue = None
    judged_by: str | None = None
    valid_for: Period | None = None
    """How long a person's value counts from the day it was given; ``None``: for ever."""
    formula: Expression | None = None
    model: str = ""
    """The model block that works this fact out (``rfm``, ``clv``); empty for a declared fact."""
    choice_labels: tuple[Text, ...] = ()
    """What people call the choices, in their order, where that differs from the choices."""
    was: str | None = None
    """What the fact was called before: what is remembered under that name is this fact's."""
    wobble: Wobble | None = None
    """What `check` takes the value to do by itself; it decides nothing."""
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Ruleset:
    """Everything ``rules.yaml`` says, typed.

    ``digest`` is over the canonical typed content with its tables; comments, labels of nothing but
    people and layout do not change it. ``time_zone`` is an IANA name, ``workdays`` a country code.
    """

    id: str
    version: int
    title: Text
    record: str
    languages: tuple[str, ...]
    time_zone: str
    currency: str | None
    workdays: str
    facts: tuple[FactDefinition, ...]
    scorecards: tuple[Scorecard, ...]
    tier: TierRules | None
    lifecycle: LifecycleRules | None
    service: Mapping[str, ServiceLevel]
    tasks: tuple[TaskRule, ...]
    guards: tuple[GuardLimit, ...]
    digest: str
    file: str = ""
    rfm: RfmRules | None = None
    clv: ClvRules | None = None
    frozen: tuple[FrozenLines, ...] = ()
    """The lines the facts of model blocks are bound to; empty as read from the file."""
    segments: tuple[Segment, ...] = ()
    year_starts: int = 1
    """The month in which years (and with them quarters) of windows such as ``last year`` begin."""
    newcomer: Newcomer | None = None
    human_edits: HumanEditRule | None = None
    """``None``: as the project's own setting has it."""
    on_merge: MergeRules | None = None
    """``None``: the file says nothing; see `merging`."""
    group: Group | None = None
    applies_to: Condition | None = None
    scope: tuple[ScopeLine, ...] = ()
    """The business line: who else is left out, so that other rules may decide for them."""
    season: Season = ALL_YEAR
    """The months in which clocks run."""
    task_capacity: int | None = None
    """How many tasks one owner gets for one day; more are dated later, the highest tier first."""

    @property
    def merging(self) -> MergeRules:
        """What the survivor of a merge takes over."""
        return self.on_merge or MergeRules()

    @property
    def renamed(self) -> Mapping[str, str]:
        """The former name of every renamed fact → its name now."""
        return {fact.was: fact.id for fact in self.facts if fact.was is not None}

    @property
    def population(self) -> Condition | None:
        """What must hold of a customer for these rules to decide at all."""
        parts = [line.when for line in self.scope]
        parts += [] if self.applies_to is None else [self.applies_to]
        return All(tuple(parts)) if parts else None

    @property
    def departures(self) -> tuple[TierException, ...]:
        """Every exception, the floor of new customers among them."""
        exceptions = () if self.tier is None else self.tier.exceptions
        floor = None if self.newcomer is None else self.newcomer.exception
        return exceptions if floor is None else (*exceptions, floor)

    @property
    def reassigns(self) -> bool:
        """Whether some task hands customers to another owner."""
        return any(task.may_reassign_owner for task in self.tasks)

    def service_of(self, tier: str | None, stage: str | None) -> ServiceLevel | None:
        """What a customer of that tier in that stage is entitled to, if anything.

        ``service`` is keyed by `ServiceLevel.id`; a level for the stage stands above the tier's.
        """
        if tier is None:
            return None
        own = None if stage is None else self.service.get(f"{tier}/{stage}")
        return own if own is not None else self.service.get(tier)

    def fact(self, id: str) -> FactDefinition:
        """The fact of that id; raises KeyError when there is none."""
        for fact in self.facts:
            if fact.id == id:
                return fact
        raise KeyError(id)


STATE_NAMES: Mapping[str, FactType] = {
    "tier": FactType.CHOICE,
    "tier_before": FactType.CHOICE,
    "tier_since": FactType.DATE,
    "lifecycle": FactType.CHOICE,
    "lifecycle_before": FactType.CHOICE,
    "lifecycle_since": FactType.DATE,
    "score": FactType.NUMBER,
}
"""Names every condition may use besides facts. They come from the decision and its state, so a
condition that reads one is evaluated per record after the match, not in the columnar pass."""
