"""On whom nothing can change: the filter in front of the policy, as columns of one statement.

It is conservative. A row is *steady* only when the policy, asked, would leave its standing and
every clock but the day as they are, open and close no task, and hold nothing back. Whatever this
module does not know of (a key of the rules that came later, a clock, an event) makes rows not
steady. Rules with company groups, newcomers or a season are among it, so the policy is asked about
everybody: a member of a group hangs on the tier of another customer, which may move on the same
day; the floor of newcomers and clocks that stand still can be said in SQL, but the drawn customers
the filter is proved by do not yet give away a filter that gets the floor wrong.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

from sqlglot import exp

from crmsync.condition.sql import day_literal
from crmsync.evaluate.compiled import CompiledRuleset, Test
from crmsync.evaluate.due_sql import NotDue, call, either, texts
from crmsync.evaluate.score_sql import tenths_of
from crmsync.evaluate.tier_words import keep_line
from crmsync.evaluate.verdict_sql import Place, SqlVerdict, column
from crmsync.model.lifecycle import LifecycleRules, Move
from crmsync.model.ruleset import Ruleset
from crmsync.model.scorecard import AsGiven, Criterion, PointsTable, Scale, Scorecard
from crmsync.model.segment import Segment
from crmsync.model.task import (
    BecomesTrue,
    EntersStage,
    EveryPeriod,
    LeavesStage,
    OnDay,
    ScoreMissing,
    TaskRule,
    TierFalls,
    TierRises,
)
from crmsync.model.tier import (
    DownChange,
    Level,
    TierException,
    TierRow,
    TierRules,
    TierTable,
    UpChange,
)

_KEYS: Mapping[type, str] = {
    Ruleset: "id version title record languages time_zone currency workdays facts scorecards tier "
    "lifecycle service tasks guards digest file task_capacity segments year_starts "
    "rfm clv frozen applies_to scope on_merge",
    Scorecard: "id criteria when span",
    Criterion: "id label maximum points missing missing_points bands note edges evidence span",
    TierRules: "levels up down exceptions freeze drawn table span",
    TierTable: "file hit rows span",
    TierRow: "when level keep number text span",
    Level: "id label enter keep enter_cut keep_cut by_exception_only span",
    UpChange: "hold max_step span",
    DownChange: "demote_after hold grace max_step at_review notice span",
    TierException: "id reason when action level span",
    LifecycleRules: "start stages moves span",
    Move: "id sources to when lasting span",
    Segment: "id label when span",
    TaskRule: "id title event owner due when fallback_owner priority once_per close_when was span "
    "counts_as_done via result start capacity may_reassign_owner "
    "for_each",
}
KNOWN: Mapping[type, frozenset[str]] = {
    kind: frozenset(keys.split()) for kind, keys in _KEYS.items()
}
"""The keys whose meaning the filter was written for. Any other key that is set switches it off."""

_PASSING = EntersStage | LeavesStage | TierRises | TierFalls
"""Events that need a move or a change of tier."""


def understood(ruleset: Ruleset) -> bool:
    """Whether the filter knows everything these rules use."""
    tier, lifecycle = ruleset.tier, ruleset.lifecycle
    if tier is not None and (tier.undrawn or not (ruleset.scorecards or tier.table)):
        return False
    parts: list[object] = [ruleset, *ruleset.scorecards, *ruleset.tasks, *ruleset.segments]
    if tier is not None:
        parts += [tier, tier.up, tier.down, *tier.levels, *tier.exceptions]
        parts += [] if tier.table is None else [tier.table, *tier.table.rows]
    if lifecycle is not None:
        parts += [lifecycle, *lifecycle.moves]
    criteria = [criterion for card in ruleset.scorecards for criterion in card.criteria]
    ways = [way for criterion in criteria for way in criterion.ways]
    return (
        all(map(_plain, [*parts, *criteria]))
        and all(isinstance(way, PointsTable | Scale | AsGiven) for way in ways)
        and all(_known_event(task) for task in ruleset.tasks)
    )


def _plain(part: object) -> bool:
    """Whether every key beyond the known ones has its default."""
    known = KNOWN[type(part)]
    for field in dataclasses.fields(part):  # type: ignore[arg-type]
        if field.name in known:
            continue
        value = getattr(part, field.name)
        default = field.default
        if default is dataclasses.MISSING and field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        if value != default and value not in (None, (), {}):
            return False
    return True


def _known_event(task: TaskRule) -> bool:
    if isinstance(task.event, BecomesTrue) and task.was is not None:
        return False  # it may be remembered under its former id
    return isinstance(task.event, _PASSING | EveryPeriod | OnDay | BecomesTrue | ScoreMissing)


class Steady:
    """The filter of one ruleset for one day, over the columns of the statement.

    *verdict* gives the verdict of a condition, with the state names read as the day opens;
    `score_sql` has made the score columns, the opening table the ``o_`` columns.
    """

    def __init__(self, engine: CompiledRuleset, verdict: Place, as_of: date) -> None:
        self._engine = engine
        self._rules = engine.ruleset
        self._verdict = verdict
        self._as_of = as_of
        self._due = NotDue(engine, as_of)

    def conditions(self) -> dict[str, exp.Expr]:
        """What must hold, each part by name; a row is steady when all are TRUE."""
        parts = {
            "state": column("o_plain"),
            "values": _equal(call("LEN", column("rejected")), exp.Literal.number(0)),
        }
        if self._rules.tier is not None:
            table = self._rules.tier.table
            whole = self._tier if table is None else self._tabled
            parts["tier"] = whole(self._rules.tier)
            parts["exceptions"] = self._exceptions(self._rules.tier)
        if self._rules.scorecards:
            parts["score"] = exp.Not(this=column("s_doubt"))
        if self._rules.lifecycle is not None:
            parts["lifecycle"] = self._stages(self._rules.lifecycle)
        else:
            parts["lifecycle"] = self._nothing_pending([])
        parts["segments"] = self._segments()
        parts["watched"] = self._watched()
        for number, task in enumerate(self._rules.tasks):
            event = self._event(task)
            if event is not None:
                parts[f"task {number}"] = event
            if task.close_when is not None:
                parts[f"close {number}"] = self._open(task)
        return parts

    def incomplete(self) -> exp.Expr:
        """Whether a steady row lacks something: a criterion, or a condition left undecided."""
        lacking: list[exp.Expr] = [column("s_missing")] if self._rules.scorecards else []
        if self._rules.tier is not None:
            lacking += [self._unknown(item.when) for item in self._rules.tier.exceptions]
        if self._rules.lifecycle is not None:
            for stage, moves in _leaving(self._rules.lifecycle):
                undecided = [self._unknown(move.when) for move in moves]
                here = _equal(column("o_lifecycle"), exp.Literal.string(stage))
                if undecided:
                    lacking.append(exp.and_(here, exp.or_(*undecided, copy=False), copy=False))
        lacking += [self._unknown(item.when) for item in self._rules.segments]
        return either(lacking)

    def _tier(self, rules: TierRules) -> exp.Expr:
        """Whether the whole range of the score stays on the level the customer has."""
        ways = []
        for rank, level in enumerate(rules.ranked):
            lines = [better.enter for better in rules.ranked[:rank]]
            if None in lines:
                continue
            here: list[exp.Expr] = [_equal(column("o_tier"), exp.Literal.string(level.id))]
            here += [
                exp.LT(this=column("s_high"), expression=tenths_of(line))
                for line in lines
                if line is not None
            ]
            keep = keep_line(level)
            # the lowest level keeps whatever keeps nothing else
            if keep is not None and rank < len(rules.ranked) - 1:
                here.append(exp.GTE(this=column("s_low"), expression=tenths_of(keep)))
            ways.append(exp.paren(exp.and_(*here, copy=False)))
        return either(ways)

    def _tabled(self, rules: TierRules) -> exp.Expr:
        """Whether the first row that fits leaves the customer on its level; not before every row
        above it is decided."""
        assert rules.table is not None
        ranks = {level.id: rank for rank, level in enumerate(rules.ranked)}
        choice = exp.case()
        for row in rules.table.rows:
            staying = [level.id for level in rules.ranked[ranks[row.keep] : ranks[row.level] + 1]]
            stays = call("LIST_CONTAINS", texts(staying), column("o_tier"))
            if row.when is None:
                choice = choice.when(exp.true(), stays)
                break
            holds = self._of(row.when)
            choice = choice.when(holds.true, stays).when(holds.possible, exp.false())
        return choice.else_(exp.false())

    def _exceptions(self, rules: TierRules) -> exp.Expr:
        """No exception holds; one left unknown holds only where it did before."""
        return exp.Not(this=either([self._true(item.when) for item in rules.exceptions]))

    def _stages(self, rules: LifecycleRules) -> exp.Expr:
        """No move out of the stage is made, and those that must last go on or do not hold."""
        ways = []
        for stage, moves in _leaving(rules):
            here = _equal(column("o_lifecycle"), exp.Literal.string(stage))
            staying = [self._stays(move) for move in moves]
            lasting = [move.id for move in moves if move.lasting]
            ways.append(
                exp.paren(exp.and_(here, *staying, self._nothing_pending(lasting), copy=False))
            )
        since = exp.Not(this=exp.Is(this=column("o_lifecycle_since"), expression=exp.null()))
        return exp.paren(exp.and_(since, either(ways), copy=False))

    def _stays(self, move: Move) -> exp.Expr:
        """A move that does not hold; one that must last may hold and wait as it did before.

        One left unknown leaves its clock as it was.
        """
        if not move.lasting:
            return exp.Not(this=self._true(move.when))
        started = call("MAP_EXTRACT_VALUE", column("o_pending"), exp.Literal.string(move.id))
        since = day_literal(self._as_of - timedelta(days=move.lasting))
        waiting = exp.Coalesce(
            this=exp.GT(this=started, expression=since), expressions=[exp.false()]
        )
        idle = exp.paren(exp.Is(this=started.copy(), expression=exp.null()))
        holds = self._of(move.when)
        choice = exp.case().when(holds.true, waiting).when(holds.false, idle)
        return choice.else_(exp.true())

    @staticmethod
    def _nothing_pending(but: Sequence[str]) -> exp.Expr:
        """That no other clock of a move runs."""
        keys = call("MAP_KEYS", column("o_pending"))
        return call("LIST_HAS_ALL", texts(but), keys)

    def _segments(self) -> exp.Expr:
        """The customer is in the same segments as before; one left unknown stays."""
        segments = self._rules.segments
        inside: list[exp.Expr] = []
        for item in segments:
            holds = self._of(item.when)
            before = call("LIST_CONTAINS", column("o_segments"), exp.Literal.string(item.id))
            stays = exp.Coalesce(this=before, expressions=[exp.false()])
            choice = exp.case().when(holds.true, exp.true()).when(holds.possible, stays)
            inside.append(choice.else_(exp.false()))
        now = call(
            "LIST_WHERE",
            texts([item.id for item in segments]),
            exp.cast(exp.Array(expressions=inside), "BOOLEAN[]"),
        )
        return _equal(now, column("o_segments"))

    def _watched(self) -> exp.Expr:
        """Every watched condition is as it was remembered; one left unknown stays."""
        same: list[exp.Expr] = []
        watched: list[str] = []
        for task in self._rules.tasks:
            if not isinstance(task.event, BecomesTrue):
                continue
            watched.append(task.id)
            held = call("MAP_EXTRACT_VALUE", column("o_held"), exp.Literal.string(task.id))
            holds = self._of(task.event.condition)
            still = _equal(held, holds.true)
            same.append(exp.case().when(holds.unknown, exp.true()).else_(still))
        keys = call("MAP_KEYS", column("o_held"))
        return exp.paren(exp.and_(*same, call("LIST_HAS_ALL", texts(watched), keys), copy=False))

    def _event(self, task: TaskRule) -> exp.Expr | None:
        """That the event cannot have happened to a steady row; ``None`` where that is plain."""
        if isinstance(task.event, ScoreMissing):
            return self._not_asked(task) if self._rules.scorecards else None
        if isinstance(task.event, EveryPeriod):
            return self._due.every(task.event)
        return self._due.on_day(task.event) if isinstance(task.event, OnDay) else None

    def _not_asked(self, task: TaskRule) -> exp.Expr:
        """Nobody is to be asked, or the open episode is the one that asks today."""
        asked = call("LIST_CONTAINS", column("o_asked"), exp.Literal.string(task.id))
        return exp.paren(exp.or_(exp.Not(this=column("s_asked")), asked, copy=False))

    def _open(self, task: TaskRule) -> exp.Expr:
        """That no open episode of the task is to be closed."""
        assert task.close_when is not None
        ids = [id for id in dict.fromkeys((task.id, task.was)) if id]
        ours = call("LIST_HAS_ANY", column("o_open"), texts(ids))
        return exp.Not(this=exp.paren(exp.and_(ours, self._true(task.close_when), copy=False)))

    def _true(self, condition: object) -> exp.Expr:
        return self._of(condition).true

    def _unknown(self, condition: object) -> exp.Expr:
        return self._of(condition).unknown

    def _of(self, condition: object) -> SqlVerdict:
        test: Test = self._engine.test(condition)  # type: ignore[arg-type]
        return self._verdict(test)


def _leaving(rules: LifecycleRules) -> Iterable[tuple[str, list[Move]]]:
    """Each stage with the moves that lead out of it."""
    for stage in rules.stages:
        yield (
            stage.id,
            [move for move in rules.moves if stage.id in move.sources and move.to != stage.id],
        )


def _equal(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    return exp.EQ(this=left, expression=right)
