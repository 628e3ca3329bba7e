"""The one policy: everything that happens after the match, written once for every engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from crmsync.evaluate.chaining import Chain
from crmsync.evaluate.compiled import Answers, CompiledRuleset, Test
from crmsync.evaluate.context import EvaluationContext
from crmsync.evaluate.exceptions import Departure, ExceptionList, InForce, departure
from crmsync.evaluate.happening import Moved
from crmsync.evaluate.measure import Measure, Unmeasured, measure_of
from crmsync.evaluate.notices import notice_of
from crmsync.evaluate.reasons import reason
from crmsync.evaluate.scoring import Scored, ScoreSheet
from crmsync.evaluate.segments import SegmentList
from crmsync.evaluate.stages import Lifecycle, Staged
from crmsync.evaluate.tasks import Agenda, TaskOutcome
from crmsync.evaluate.tier import Computed, Setting, compute, track_of
from crmsync.evaluate.tier_table import TableOfTiers
from crmsync.model.decision import Because, Decision, StageResult, TierResult, Verdict
from crmsync.model.fact import MatchedRow
from crmsync.model.group import ParentTier
from crmsync.model.state import Clocks, CustomerState, Standing
from crmsync.model.tier import TierException, TierRules


class _Tiered(NamedTuple):
    """The tier with all that was weighed for it."""

    result: TierResult
    computed: Computed
    in_force: InForce
    beside: tuple[str | None, date | None]


class _Outcome(NamedTuple):
    answers: Answers
    scored: Scored
    tiered: _Tiered | None
    staged: Staged | None


@dataclass(frozen=True, slots=True)
class Policy:
    """The policy of one ruleset; build it once with `policy_of`."""

    engine: CompiledRuleset
    sheet: ScoreSheet
    exceptions: ExceptionList
    lifecycle: Lifecycle | None
    segments: SegmentList
    agenda: Agenda
    population: Test | None = None
    """Whether the rules are for somebody."""
    new: Test | None = None
    """Whether somebody is a new customer."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Former names of facts, under which the state may remember them."""
    table: TableOfTiers | None = None
    """The table tiers come from, where they do."""

    def decide(
        self,
        matched: MatchedRow,
        state: CustomerState,
        context: EvaluationContext,
        chain: Chain | None = None,
    ) -> Decision:
        """The decision for one customer; see `crmsync.evaluate.decide`."""
        if self.renamed:
            known = frozenset(self.renamed.get(fact, fact) for fact in state.known_facts)
            state = replace(state, known_facts=known)
        standing = state.standing
        opening = Answers(self.engine, matched, context.as_of).under(
            tier=standing.tier,
            tier_before=standing.tier,
            tier_since=standing.tier_since,
            lifecycle=standing.lifecycle,
            lifecycle_before=standing.lifecycle,
            lifecycle_since=standing.lifecycle_since,
        )
        scored = self.sheet.score(opening)
        total = scored.result.total if scored.result is not None else None
        answers = opening.under(score=total)
        tiered = self._tier(answers, scored, state, context)
        if tiered is not None:
            answers = answers.under(tier=tiered.result.after, tier_since=tiered.result.since)
        staged: Staged | None = None
        if self.lifecycle is not None:
            staged, answers = self.lifecycle.decide(answers, state, context)
        outcome = _Outcome(answers, scored, tiered, staged)
        moved = Moved(
            None if tiered is None else tiered.result,
            None if staged is None else staged.result,
            scored.asked,
        )
        asked = (answers, moved, state, context)
        agenda = self.agenda
        tasks = agenda.tasks(*asked) if chain is None else agenda.followed(*asked, chain)
        return self._decision(outcome, tasks, state, context)

    def _tier(
        self, answers: Answers, scored: Scored, state: CustomerState, context: EvaluationContext
    ) -> _Tiered | None:
        rules = self.engine.ruleset.tier
        if rules is None:
            return None
        measure = self._measure(rules, answers, scored)
        computed = compute(rules, measure, state, self._setting(answers, context))
        in_force = self.exceptions.in_force(answers, state.clocks.exceptions, context.stale)
        overrides = context.overrides.get(state.ref, ())
        exceptions = self._with_group(rules, in_force.exceptions, context.parents.get(state.ref))
        departed = departure(rules, computed.tier, exceptions, overrides, context.as_of)
        result = _tier_result(state.standing, computed, departed, context.as_of)
        if departed is None and computed.waiting is not None:
            told = notice_of(rules, computed, exceptions, overrides, context.as_of)
            result = replace(result, notice=told)
        return _Tiered(result, computed, in_force, _beside(rules, result, computed, state, context))

    def _measure(self, rules: TierRules, answers: Answers, scored: Scored) -> Measure | Unmeasured:
        if self.table is not None:
            return self.table.measure(answers, scored)
        return measure_of(rules, scored, answers)

    def _applies(self, answers: Answers) -> bool:
        return self.population is None or answers.holds(self.population) is Verdict.TRUE

    def _with_group(
        self, rules: TierRules, exceptions: tuple[TierException, ...], parent: ParentTier | None
    ) -> tuple[TierException, ...]:
        """The exceptions in force and, after them, what the company group asks for."""
        group = self.engine.ruleset.group
        said = None if group is None or parent is None else parent.exception(group, rules)
        return exceptions if said is None else (*exceptions, said)

    def _setting(self, answers: Answers, context: EvaluationContext) -> Setting:
        rules, protected = self.engine.ruleset, None
        newcomer = rules.newcomer
        if newcomer is not None and newcomer.no_demotion and self.new is not None:
            began = answers.value(newcomer.fact)
            if answers.holds(self.new) is Verdict.TRUE and isinstance(began, date):
                zone = ZoneInfo(rules.time_zone)
                day = began.astimezone(zone).date() if isinstance(began, datetime) else began
                protected = max(newcomer.period.after(day), context.as_of + timedelta(days=1))
        return Setting(context, rules.season, protected)

    def _decision(
        self,
        outcome: _Outcome,
        tasks: TaskOutcome,
        state: CustomerState,
        context: EvaluationContext,
    ) -> Decision:
        answers, scored, tiered, staged = outcome
        row, before = answers.matched.row, state.standing
        tier = None if tiered is None else tiered.result
        stage = None if staged is None else staged.result
        segments, undecided = self.segments.decide(answers, state.clocks.segments)
        clocks = replace(
            _clocks(state.clocks, tiered, staged, context.as_of),
            held=self.agenda.happening.held(answers, state.clocks.held),
            segments=() if segments is None else segments.after,
        )
        known = {name for name, value in row.facts.items() if value is not None}
        unknown = (
            *scored.unknown,
            *(() if tiered is None else (*tiered.computed.unknown, *tiered.in_force.unknown)),
            *(() if staged is None else staged.unknown),
            *undecided,
            *tasks.unknown,
        )
        of_tier = () if tiered is None else tiered.computed.withheld
        of_stage = () if staged is None else staged.withheld
        stale = tiered is not None and tiered.computed.because == Because.STALE_SOURCE
        return Decision(
            ref=row.ref,
            name=row.name,
            owner=row.owner,
            as_of=context.as_of,
            first=_first(before, tier, stage),
            facts=row.facts,
            score=scored.result,
            tier=tier,
            lifecycle=stage,
            service=tasks.service,
            opens=tasks.opens,
            closes=tasks.closes,
            standing=_standing(before, tier, stage, context.as_of),
            clocks=clocks,
            reason=reason(self.engine.ruleset, tier, stage),
            unknown=unknown,
            withheld=() if stale else of_tier,
            unfresh=(
                *(of_tier if stale else ()),
                *(() if tiered is None else tiered.in_force.unfresh),
                *of_stage,
            ),
            exceptions=clocks.exceptions,
            known_facts=state.known_facts | known,
            segments=segments,
            unplaced=None if tiered is None else tiered.computed.unplaced,
            judged=row.judged,
            applies=self._applies(answers),
        )


def _first(before: Standing, tier: TierResult | None, stage: StageResult | None) -> bool:
    """Whether the customer is assigned for the first time."""
    if tier is not None:
        return before.tier is None and tier.after is not None
    return stage is not None and before.lifecycle is None


def policy_of(engine: CompiledRuleset) -> Policy:
    """The policy of the engine's ruleset, its parts compiled."""
    rules, newcomer = engine.ruleset.lifecycle, engine.ruleset.newcomer
    people, tier = engine.ruleset.population, engine.ruleset.tier
    return Policy(
        engine=engine,
        sheet=ScoreSheet(engine),
        exceptions=ExceptionList(engine),
        lifecycle=None if rules is None else Lifecycle(engine, rules),
        segments=SegmentList(engine),
        agenda=Agenda(engine),
        population=None if people is None else engine.test(people),
        new=None if newcomer is None else engine.test(newcomer.when),
        renamed=engine.ruleset.renamed,
        table=None
        if tier is None or tier.table is None
        else TableOfTiers(engine, tier, tier.table),
    )


def _tier_result(
    standing: Standing, computed: Computed, departed: Departure | None, today: date
) -> TierResult:
    after = computed.tier if departed is None else departed.tier
    if after is None:
        after = standing.tier
    return TierResult(
        before=standing.tier,
        after=after,
        computed=computed.tier,
        because=computed.because if departed is None else departed.because,
        text=computed.text if departed is None else departed.text,
        since=standing.tier_since if after == standing.tier else today,
        due_on=computed.due_on if departed is None else None,
        span=computed.span if departed is None else departed.span,
        row=computed.row,
    )


def _beside(
    rules: TierRules,
    result: TierResult,
    computed: Computed,
    state: CustomerState,
    context: EvaluationContext,
) -> tuple[str | None, date | None]:
    """The computed tier to remember beside the standing one, and since when it holds.

    It is remembered while something else decides, and until the return to it is confirmed.
    """
    if computed.tier is None:
        return None, None
    returning = state.clocks.beside is not None and state.standing.tier != computed.tier
    if result.after == computed.tier and not returning:
        return None, None
    track = track_of(rules, state)
    return computed.tier, track.since if track.tier == computed.tier else context.as_of


def _clocks(before: Clocks, tiered: _Tiered | None, staged: Staged | None, today: date) -> Clocks:
    after = replace(
        before,
        first_seen=before.first_seen or today,
        evaluated=today,
        pending={} if staged is None else dict(sorted(staged.pending.items())),
    )
    if tiered is None:
        return after
    return replace(
        after,
        below_keep_since=tiered.computed.below_since,
        below_keep_evaluations=tiered.computed.below_evaluations,
        beside=tiered.beside[0],
        beside_since=tiered.beside[1],
        exceptions=tuple(item.id for item in tiered.in_force.exceptions),
    )


def _standing(
    before: Standing, tier: TierResult | None, stage: StageResult | None, today: date
) -> Standing:
    after = before
    if tier is not None:
        new = before.tier is None and tier.after is not None
        first = before.tier_first or (today if new else None)
        after = replace(after, tier=tier.after, tier_since=tier.since, tier_first=first)
    if stage is not None:
        after = replace(after, lifecycle=stage.after, lifecycle_since=stage.since)
    return after
