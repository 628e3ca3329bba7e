"""One customer's decision set against what the CRM holds: the fields that will change, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from crmsync.model.decision import Because, Cause, Decision, SegmentResult
from crmsync.model.equality import same_value
from crmsync.model.lifecycle import LifecycleRules
from crmsync.model.mapping import OWNER
from crmsync.model.override import Override, OverrideKind
from crmsync.model.plan import Direction, FieldDelta, RecordChange, Withheld
from crmsync.model.record import Value
from crmsync.model.state import Standing
from crmsync.model.text import Text
from crmsync.plan.identity import change_id
from crmsync.plan.inputs import Evaluated, HumanEdits, PlanInputs
from crmsync.plan.values import ROLE_LABELS, FieldValues

LEADING = ("tier", "lifecycle", "service", "segments")
"""Roles whose change is a change of the customer; the others are written beside it."""
_WAITING = {
    Because.HOLD,
    Because.PATIENCE,
    Because.GRACE,
    Because.NEWCOMER,
    Because.STEP,
    Because.REVIEW,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What planning made of one customer. ``held_back``: its tasks must wait as well."""

    change: RecordChange | None
    withheld: tuple[Withheld, ...] = ()
    adoption: Override | None = None
    held_back: bool = False


class Changes:
    """Makes record changes for one plan."""

    def __init__(self, inputs: PlanInputs, values: FieldValues) -> None:
        self._inputs = inputs
        self._values = values
        self._fields = values.fields
        levels = inputs.ruleset.tier.levels if inputs.ruleset.tier else ()
        self._rank = {level.id: place for place, level in enumerate(levels)}

    def of(self, item: Evaluated, cause: Cause, *, owner: str | None = None) -> Outcome:
        """The change of one customer, what is withheld of it, and what a person's edit becomes.

        *owner*: who gets the customer with a task, if somebody does.
        """
        desired = self._values.desired(item.decision)
        if owner is not None and OWNER in self._fields:
            desired[OWNER] = owner
        edited = self._edited(item, desired)
        leading = [role for role in ("tier", "lifecycle") if role in edited]
        if leading:
            return self._left_alone(item, leading[0], edited[leading[0]])
        deltas = self._deltas(item, desired, set(edited))
        withheld = tuple(
            self._edit(item, role, edited[role], adopted=None)
            for role in edited
            if role in self._moving(item, desired, set())
        )
        given_up = self._given_up(item, deltas)
        if given_up is not None:
            return Outcome(None, (*withheld, given_up), held_back=True)
        confirmed = confirmed_standing(item)
        if not deltas and item.decision.standing == confirmed:
            return Outcome(None, withheld)
        return Outcome(self._change(item, deltas, confirmed, cause), withheld)

    def direction(self, item: Evaluated) -> Direction:
        """How the customer moves, seen from where it stands by confirmed writes."""
        before, after = confirmed_standing(item), item.decision.standing
        if after.tier != before.tier:
            if before.tier is None:
                return Direction.FIRST
            up = self._rank.get(after.tier or "", len(self._rank)) < self._rank.get(before.tier, 0)
            return Direction.RISE if up else Direction.FALL
        if after.lifecycle == before.lifecycle:
            return Direction.OTHER
        return Direction.FIRST if before == Standing() else Direction.STAGE

    def _change(
        self,
        item: Evaluated,
        deltas: tuple[FieldDelta, ...],
        confirmed: Standing,
        cause: Cause,
    ) -> RecordChange:
        decision = item.decision
        return RecordChange(
            change_id=change_id(self._inputs.ruleset.id, str(decision.ref), "fields"),
            ref=decision.ref,
            name=decision.name,
            owner=decision.owner,
            direction=self.direction(item),
            cause=cause,
            fields=deltas,
            version=item.row.version,
            standing=decision.standing,
            tier_before=confirmed.tier,
            tier_after=decision.standing.tier,
            notes=_notes(decision, confirmed),
        )

    def _edited(self, item: Evaluated, desired: Mapping[str, Value]) -> dict[str, Value]:
        """Role → the value a person put into a field we wrote, where it is not what we want."""
        if item.row.ref in self._inputs.overridden:
            return {}
        return {
            role: item.row.owned.get(role)
            for role, written in item.state.written.items()
            if role in self._fields
            and not same_value(item.row.owned.get(role), written)
            and not same_value(item.row.owned.get(role), desired.get(role))
        }

    def _given_up(self, item: Evaluated, deltas: tuple[FieldDelta, ...]) -> Withheld | None:
        """The dead letter this change is: the CRM refused the very same too often."""
        refusal = self._inputs.refused.get(item.row.ref)
        leading = {delta.field: delta.after for delta in deltas if delta.role in LEADING}
        if refusal is None or not leading:
            return None
        if not all(same_value(refusal.want.get(name), value) for name, value in leading.items()):
            return None
        return Withheld(item.row.ref, item.row.name, "dead_letter", refusal.text)

    def _left_alone(self, item: Evaluated, role: str, theirs: Value) -> Outcome:
        adoption = self._adoption(item, theirs) if role == "tier" else None
        withheld = self._edit(item, role, theirs, adopted=adoption)
        return Outcome(None, (withheld,), adoption, held_back=True)

    def _edit(
        self, item: Evaluated, role: str, theirs: Value, *, adopted: Override | None
    ) -> Withheld:
        """A person's value, left alone; of a stage it is said whether a move leads there at all."""
        held = _edit(item, self._fields[role], role, theirs, adopted=adopted)
        graph = self._inputs.ruleset.lifecycle
        if role != "lifecycle" or graph is None or theirs is None:
            return held
        illegal = _illegal(
            graph, confirmed_standing(item).lifecycle, self._values.id_of(role, theirs), theirs
        )
        if illegal is None:
            return held
        text = Text(f"{held.text.zh}；{illegal.zh}", f"{held.text.en}; {illegal.en}")
        return replace(held, text=text)

    def _adoption(self, item: Evaluated, theirs: Value) -> Override | None:
        policy, level = self._inputs.policy, self._values.id_of("tier", theirs)
        if policy.human_edits is not HumanEdits.ADOPT or level is None:
            return None
        return Override(
            ref=item.row.ref,
            kind=OverrideKind.PIN,
            level=level,
            by="crm",
            reason="edited in the CRM",
            start=self._inputs.as_of,
            until=self._inputs.as_of + timedelta(days=policy.adopt_days),
        )

    def _deltas(
        self, item: Evaluated, desired: Mapping[str, Value], left: set[str]
    ) -> tuple[FieldDelta, ...]:
        moving = self._moving(item, desired, left)
        return tuple(
            FieldDelta(
                field=field,
                role=role,
                label=ROLE_LABELS[role],
                before=item.row.owned.get(role),
                after=desired[role],
                why=_why(role, item.decision),
                before_label=self._values.seen(role, item.row.owned.get(role)),
                after_label=self._values.seen(role, desired[role]),
            )
            for role, field in self._fields.items()
            if role in moving
        )

    def _moving(
        self, item: Evaluated, desired: Mapping[str, Value], left: set[str]
    ) -> frozenset[str]:
        """The roles to write: leading ones that differ, then those that go beside them."""
        owned = item.row.owned
        differing = {
            role
            for role, value in desired.items()
            if role not in left and not same_value(owned.get(role), value)
        }
        if differing & set(LEADING[:3]):
            return frozenset(differing)
        # segments and owners change by themselves: what goes beside tier or stage stays as it is
        alone = differing & {"segments", OWNER}
        if alone:
            return frozenset(alone)
        if "score" in differing and self._score_moved(owned.get("score"), desired["score"]):
            return frozenset(differing & {"score", "reason"})
        return frozenset()

    def _score_moved(self, before: Value, after: Value) -> bool:
        if not isinstance(before, int | Decimal) or not isinstance(after, int | Decimal):
            return True
        return abs(Decimal(after) - Decimal(before)) >= self._inputs.policy.write_score_from


def confirmed_standing(item: Evaluated) -> Standing:
    """Where the customer stands by confirmed writes, else as its day opened."""
    return item.state.standing if item.state.confirmed is None else item.state.confirmed


def _why(role: str, decision: Decision) -> Text:
    if role == "tier" and decision.tier:
        return decision.tier.text
    if role == "lifecycle" and decision.lifecycle and decision.lifecycle.moves:
        return decision.lifecycle.moves[-1].text
    if role == "segments" and decision.segments is not None:
        return _came_and_went(decision.segments)
    return Text.same("")


def _came_and_went(segments: SegmentResult) -> Text:
    new = [name for name in segments.after if name not in segments.before]
    gone = [name for name in segments.before if name not in segments.after]
    signs = [*(f"+{name}" for name in new), *(f"-{name}" for name in gone)]
    return Text.same(" ".join(signs))


def _notes(decision: Decision, confirmed: Standing) -> tuple[Text, ...]:
    tier = decision.tier
    if tier is None:
        return ()
    waits = tier.after == confirmed.tier and tier.because in _WAITING
    said = (tier.text,) if waits else ()
    return said if tier.notice is None else (*said, tier.notice.text)


def _edit(
    item: Evaluated, field: str, role: str, theirs: Value, *, adopted: Override | None
) -> Withheld:
    ours = item.state.written.get(role)
    label, until = ROLE_LABELS[role], adopted.until if adopted else None
    zh = f"{label.zh}在 CRM 中被改为“{_shown(theirs)}”（我们写入的是“{_shown(ours)}”）"
    en = f"{label.en} was changed in the CRM to “{_shown(theirs)}” (we wrote “{_shown(ours)}”)"
    text = Text(f"{zh}，不覆盖", f"{en}: left alone")
    if until is not None:
        text = Text(f"{zh}，作为人工指定保留到 {until}", f"{en}: kept as an override until {until}")
    return Withheld(item.row.ref, item.row.name, "human_edit", text, field)


def _illegal(
    graph: LifecycleRules, here: str | None, there: str | None, theirs: Value
) -> Text | None:
    """Why the rules know no such move; ``None`` where they do, whatever its condition says."""
    if there is None:
        shown = _shown(theirs)
        return Text(f"规则里没有阶段“{shown}”", f"the rules have no stage “{shown}”")
    stages = {stage.id: stage.label for stage in graph.stages}
    if here not in stages or any(m.to == there and here in m.sources for m in graph.moves):
        return None
    one, other = stages[here], stages[there]
    return Text(
        f"没有从{one.zh}到{other.zh}的移动，不予承认",
        f"no move leads from {one.en} to {other.en}, so it is refused",
    )


def _shown(value: Value) -> str:
    if isinstance(value, tuple):
        return ", ".join(value) or "–"
    return "–" if value is None else str(value)
