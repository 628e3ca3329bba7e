"""Decisions set against records: the changes, what is withheld, the figures and the guards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from crmsync.model.decision import Cause, Decision
from crmsync.model.fact import FactType
from crmsync.model.override import Override
from crmsync.model.plan import (
    Direction,
    Observation,
    PlanCounts,
    PlanHeader,
    PlanKind,
    PlanLine,
    PlanNotice,
    RecordChange,
    TaskCreate,
    Withheld,
)
from crmsync.model.state import Episode
from crmsync.model.text import Text
from crmsync.plan.capacity import OVERFLOW, Capacity
from crmsync.plan.changes import Changes, Outcome, confirmed_standing
from crmsync.plan.draft import Draft, Spool
from crmsync.plan.guards import Tally, judge
from crmsync.plan.header import MOST_LISTED, NOTE, NOTES, STALE, UNPLACED, Figures, header
from crmsync.plan.identity import facts_digest, firm_facts
from crmsync.plan.inputs import Evaluated, PlanInputs, Unchanged
from crmsync.plan.merging import doubles, takeover
from crmsync.plan.people import with_people
from crmsync.plan.tasks import Tasks
from crmsync.plan.values import FieldValues
from crmsync.store.batching import batched


def build(inputs: PlanInputs, evaluated: Iterable[Evaluated | Unchanged]) -> Draft:
    """Make the plan; *evaluated* is streamed and its order (by record id) is the plan's.

    Customers on whom nothing can change may come as `Unchanged`: the plan is the same. The same
    inputs give the same lines, byte for byte: plan id and clock stand in the header.
    """
    making = _Making(inputs)
    try:
        for piece in batched(evaluated):
            making.add(piece)
        making.dated()
        return Draft(making.header(), making.spool)
    except BaseException:
        making.spool.close()
        raise


class _Making:
    """The running figures of one plan."""

    def __init__(self, inputs: PlanInputs) -> None:
        self.inputs = inputs
        self.values = FieldValues(inputs.ruleset, inputs.mapping, inputs.origin.schema)
        self.changes = Changes(inputs, self.values)
        self.tasks = Tasks(inputs)
        self.firm = firm_facts(inputs.ruleset, inputs.mapping)
        facts = inputs.ruleset.facts
        self.money = frozenset(fact.id for fact in facts if fact.type is FactType.MONEY)
        self.spool = Spool()
        self.tally = Tally()
        self.capacity = Capacity(inputs.ruleset, inputs.booked, inputs.next_workday)
        self.count: Counter[str] = Counter()
        self.causes: Counter[str] = Counter()
        self.missing: Counter[str] = Counter()
        self.before: Counter[str] = Counter()
        self.after: Counter[str] = Counter()
        self.withheld: list[Withheld] = []
        self.kinds: Counter[str] = Counter()
        self.adoptions: list[Override] = []
        self.notices: list[PlanNotice] = []

    def add(self, piece: Sequence[Evaluated | Unchanged]) -> None:
        """Plan some customers; people and task keys are looked up for all of them at once."""
        piece = [self._undoubled(item) for item in with_people(piece, self.inputs)]
        keys = [
            key for item in piece if isinstance(item, Evaluated) for key in _keys(item.decision)
        ]
        known = self.inputs.episodes(keys) if keys else {}
        for item in piece:
            if isinstance(item, Unchanged):
                self._unchanged(item)
            else:
                self._customer(item, known)

    def _unchanged(self, item: Unchanged) -> None:
        """Observations as they come, and the figures of customers nobody looked at."""
        self.spool.add_encoded(item.lines)
        self.count["evaluated"] += item.rows
        self.count["unchanged"] += item.rows
        self.count["missing"] += item.incomplete
        self.missing.update(item.missing)
        for counted in (self.before, self.after):
            counted.update(item.tiers)

    def _customer(self, item: Evaluated, known: Mapping[str, Episode]) -> None:
        digest = facts_digest(item.row, self.firm)
        outcome, lines, withheld = self._planned(item, known, digest)
        self._list_notes(item)
        for held in withheld:
            self._list(held)
        if outcome.adoption is not None:
            self.adoptions.append(outcome.adoption)
        self._announce(item, outcome)
        for line in lines:
            self._add_line(line)
            if isinstance(line, TaskCreate) and self.capacity.limited:
                self.capacity.add(line, item.decision.standing.tier)
        if lines:
            self.inputs.keep(item.decision)
        self._count_customer(item, outcome.change)
        if item.inherits is None and item.state.observed != item.decision.clocks:
            self.spool.add(_observation(item, digest))

    def _planned(
        self, item: Evaluated, known: Mapping[str, Episode], digest: str
    ) -> tuple[Outcome, list[PlanLine], list[Withheld]]:
        made, ownerless = self.tasks.creations(item, known)
        outcome = self.changes.of(
            item, self._cause(item, digest), owner=_handed_to(item.decision, made)
        )
        withheld = list(outcome.withheld)
        closings = self.tasks.closings(item, known)
        change: list[PlanLine] = [] if outcome.change is None else [outcome.change]
        over = self._over(item, digest)
        if outcome.held_back:
            return outcome, [*over, *closings], withheld
        held = self._hands_off(item)
        if held is not None:
            would = bool(made or closings or (outcome.change and outcome.change.fields))
            return Outcome(None, held_back=True), [], [held] if would or over else []
        return outcome, [*over, *change, *made, *closings], [*withheld, *ownerless]

    def _over(self, item: Evaluated, digest: str) -> list[PlanLine]:
        """What the customer takes over from records that were merged into it."""
        if item.inherits is None:
            return []
        return [takeover(self.inputs.ruleset, item, item.inherits, digest)]

    def _undoubled(self, item: Evaluated | Unchanged) -> Evaluated | Unchanged:
        """The customer with the tasks closed that are there twice after a merge."""
        if isinstance(item, Unchanged) or item.inherits is None:
            return item
        closes = {closing.key: closing for closing in item.decision.closes}
        for closing in doubles(self.inputs.ruleset, item.inherits):
            closes.setdefault(closing.key, closing)
        return replace(item, decision=replace(item.decision, closes=tuple(closes.values())))

    def _hands_off(self, item: Evaluated) -> Withheld | None:
        row, scope = item.row, self.inputs.policy.in_scope
        if row.locked:
            text = Text("客户已锁定，不做改动", "the record is locked: hands off")
            return Withheld(row.ref, row.name, "locked", text)
        if scope is not None and not scope(row):
            text = Text("不在本次写入范围内", "outside the group this plan writes to")
            return Withheld(row.ref, row.name, "outside_pilot", text)
        return None

    def _cause(self, item: Evaluated, digest: str) -> Cause:
        """Why the customer changes.

        With other rules than at the evaluation before, it is the rules, even where data changed
        too: telling them apart would take a second evaluation.
        """
        state = item.state
        if item.inherits is not None:
            return Cause.MERGED
        if item.decision.first and confirmed_standing(item).tier is None:
            return Cause.FIRST
        if state.ruleset_digest not in {None, self.inputs.ruleset.digest}:
            return Cause.RULE
        return Cause.TIME if state.facts_digest == digest else Cause.DATA

    def _list_notes(self, item: Evaluated) -> None:
        """What missing, stale or misfit data held back or left unknown."""
        decision, row = item.decision, item.row
        for kind, texts in ((STALE, decision.unfresh), ("fact_lost", decision.withheld)):
            for text in texts:
                self._list(Withheld(row.ref, row.name, kind, text))
        if decision.unplaced is not None:
            self._list(Withheld(row.ref, row.name, UNPLACED, decision.unplaced))
        for fact in row.rejected:
            text = Text(
                zh=f"{fact} 的值不符合声明的类型、范围或选项，按未知处理",
                en=f"the value of {fact} does not fit its type, range or choices: unknown",
            )
            if self.inputs.mapping.money is not None and fact in self.money:
                text = Text(
                    zh=f"{fact} 的金额不合规格，或有货币没有汇率，按未知处理",
                    en=f"an amount of {fact} does not fit, or its currency has no rate: unknown",
                )
            self._list(Withheld(row.ref, row.name, NOTE, text, fact))
        for declared in self.inputs.ruleset.facts:
            if row.facts.get(declared.id) is None:
                self.missing[declared.id] += 1

    def _list(self, held: Withheld) -> None:
        self.kinds[held.kind] += 1
        if self.kinds[held.kind] <= MOST_LISTED:
            self.withheld.append(held)

    def _announce(self, item: Evaluated, outcome: Outcome) -> None:
        """List the notice of a customer whose change does not carry it as a note."""
        tier, change = item.decision.tier, outcome.change
        if tier is None or tier.notice is None or outcome.held_back:
            return
        if change is not None and change.fields:
            return
        self.count["notices"] += 1
        if len(self.notices) < MOST_LISTED:
            told = tier.notice
            self.notices.append(
                PlanNotice(item.row.ref, item.row.name, told.tier, told.due_on, told.text)
            )

    def _add_line(self, line: PlanLine) -> None:
        self.spool.add(line)
        self.tally.add(line)
        if isinstance(line, RecordChange):
            if line.fields:
                self.count[line.direction] += 1
                self.count["fields"] += len(line.fields)
                self.causes[line.cause] += 1
        else:
            self.count[type(line).__name__] += 1

    def _count_customer(self, item: Evaluated, change: RecordChange | None) -> None:
        self.count["evaluated"] += 1
        self.count["unchanged"] += change is None or not change.fields
        self.count["missing"] += _incomplete(item.decision)
        before = confirmed_standing(item).tier
        after = before if change is None else change.tier_after
        if before is not None:
            self.before[before] += 1
        if after is not None:
            self.after[after] += 1

    def dated(self) -> None:
        """Date later, and list, the tasks beyond what their owners can do in a day."""
        moved = self.capacity.moved()
        if not moved:
            return
        self.spool = self.spool.exchanged(moved)
        for note in self.capacity.notes(moved):
            self._list(note)

    def header(self) -> PlanHeader:
        """The header with the whole provenance, once every customer is in."""
        inputs, counts = self.inputs, self._counts()
        guards = judge(
            self.tally,
            counts,
            inputs.ruleset.guards,
            previous=inputs.previous,
            source_ages=inputs.source_ages,
        )
        figures = Figures(
            counts, guards, tuple(self.withheld), tuple(self.adoptions), tuple(self.notices)
        )
        return header(inputs, figures, kind=PlanKind.RULES)

    def _counts(self) -> PlanCounts:
        count = self.count
        return PlanCounts(
            evaluated=count["evaluated"],
            excluded=self.inputs.excluded,
            rises=count[Direction.RISE],
            falls=count[Direction.FALL],
            firsts=count[Direction.FIRST],
            stage_only=count[Direction.STAGE],
            other=count[Direction.OTHER],
            unchanged=count["unchanged"],
            new_tasks=count["TaskCreate"],
            closed_tasks=count["TaskClose"],
            withheld=self.kinds.total() - sum(self.kinds[kind] for kind in (*NOTES, OVERFLOW)),
            missing=count["missing"],
            by_cause=dict(self.causes),
            tiers_before=dict(self.before),
            tiers_after=dict(self.after),
            fields=count["fields"],
            withheld_by_kind=dict(self.kinds),
            missing_facts=dict(self.missing),
            notices=count["notices"],
            merged=count["Takeover"],
            sources=dict(self.inputs.source_rows),
        )


def _handed_to(decision: Decision, made: Sequence[TaskCreate]) -> str | None:
    """Who gets the customer: the owner of the first new task that hands it over."""
    handing = {opening.key for opening in decision.opens if opening.hands_over}
    return next((task.owner for task in made if task.key in handing), None)


def _observation(item: Evaluated, digest: str) -> Observation:
    known = (name for name, value in item.row.facts.items() if value is not None)
    return Observation(
        ref=item.row.ref,
        clocks=item.decision.clocks,
        opening=item.state.standing,
        known_facts=item.decision.known_facts | frozenset(known),
        facts_digest=digest,
    )


def _incomplete(decision: Decision) -> bool:
    return bool(decision.unknown or (decision.score and decision.score.missing))


def _keys(decision: Decision) -> list[str]:
    opening = [key for task in decision.opens for key in task.keys]
    return [*opening, *(task.key for task in decision.closes)]
