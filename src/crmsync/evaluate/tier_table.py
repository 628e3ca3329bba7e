"""Tiers straight from a decision table: which rows fit one customer, and what they say together.

A row that cannot be decided may still be the one that counts, so it widens the measure to a range;
the tier then changes only if every row that may count says the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from crmsync.condition import names
from crmsync.condition.shape import parts_of
from crmsync.evaluate.compiled import Answers, CompiledRuleset, Test
from crmsync.evaluate.measure import Measure, Place, Unmeasured
from crmsync.evaluate.scoring import Scored
from crmsync.model.condition import Condition, Expression, Known, Missing
from crmsync.model.decision import Because, UnknownCondition, Verdict
from crmsync.model.position import Span
from crmsync.model.text import Text
from crmsync.model.tier import Level, TierRow, TierRules, TierTable

SCORE = "score"
"""The one name of state a table of tiers may read."""
_NO = Verdict.FALSE
_OTHERS = Text(zh="其余客户", en="all others")


@dataclass(frozen=True, slots=True)
class _OnRows:
    """The level rows give, and the best one they let a customer keep."""

    enters: int
    keeps: int

    def aim(self, now: int) -> int:
        return self.enters if self.enters < now else max(now, self.keeps)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A row as it stands to one customer; ``reads`` are the facts it hangs on."""

    row: TierRow
    place: _OnRows
    test: Test | None
    reads: frozenset[str]
    direct: Mapping[str, frozenset[str]]
    """What its cells read, each with the facts that hangs on."""
    by_absence: frozenset[str]
    """Facts whose very absence it asks about."""


class TableOfTiers:
    """The table of one ruleset, compiled."""

    def __init__(self, engine: CompiledRuleset, rules: TierRules, table: TierTable) -> None:
        self._table = table
        self._ranks = {level.id: rank for rank, level in enumerate(rules.ranked)}
        self._rows = tuple(self._candidate(engine, row) for row in table.rows)
        self._reads = frozenset(name for item in self._rows for name in item.reads)
        self._of_score = any(SCORE in item.direct for item in self._rows)

    def measure(self, answers: Answers, scored: Scored) -> Measure | Unmeasured:
        """What the rows say of one customer, or why they say nothing."""
        found = [(item, holds) for item, holds in self._verdicts(answers) if holds is not _NO]
        if not found:
            return Unmeasured(self._none_fits(), listed=True)
        sure = found[-1][1] is Verdict.TRUE
        places = [item.place for item, _ in found]
        if not sure:  # perhaps none of them fits, and then the tier stays
            last = len(self._ranks) - 1
            places += [_OnRows(last, last), _OnRows(0, 0)]
        low = _OnRows(max(p.enters for p in places), max(p.keeps for p in places))
        high = _OnRows(min(p.enters for p in places), min(p.keeps for p in places))
        reads = self._reads | scored.reads if self._of_score else self._reads
        lacking = frozenset(name for name in reads if answers.value(name) is None)
        return TableMeasure(
            self._table.file,
            found[-1][0].row,
            low,
            high,
            _Best(self, answers, scored),
            self._apart([item.row.number for item, _ in found], sure=sure),
            reads,
            lacking,
            skipped=self._of_score and scored.skipped,
            missing=tuple(sorted(lacking)),
            undecided=None if low == high else self._undecided(found, answers),
        )

    def best(self, answers: Answers, scored: Scored, lost: frozenset[str]) -> _OnRows:
        """The best that may count if the *lost* facts had any value at all.

        A row that is unknown may fit then. So may one that does not fit, or no longer fit, which
        asks about the absence itself or reads a value that was worked out without a lost fact.
        """
        found = []
        for item in self._rows:
            holds = _holds(item, answers)
            turning = bool(self._turning(item, answers, scored) & lost)
            if holds is not _NO or turning:
                found.append(item.place)
            if holds is Verdict.TRUE and not turning:
                break
        if not found:
            return _OnRows(0, 0)
        return _OnRows(min(p.enters for p in found), min(p.keeps for p in found))

    # ── rows ───────────────────────────────────────────────────────────────────────────────────

    def _verdicts(self, answers: Answers) -> Iterator[tuple[_Candidate, Verdict]]:
        """Every row down to the first that is sure to fit."""
        for item in self._rows:
            holds = _holds(item, answers)
            yield item, holds
            if holds is Verdict.TRUE:
                return

    @staticmethod
    def _turning(item: _Candidate, answers: Answers, scored: Scored) -> frozenset[str]:
        """The facts whose return may turn the verdict on a row round."""
        found = item.by_absence
        for name, inputs in item.direct.items():
            if answers.value(name) is not None:
                found |= inputs
        return found | scored.reads if SCORE in item.direct else found

    @staticmethod
    def _undecided(
        found: Sequence[tuple[_Candidate, Verdict]], answers: Answers
    ) -> UnknownCondition:
        """The rows that could not be decided, as one entry of what is missing."""
        waiting = [item for item, holds in found if holds is Verdict.UNKNOWN]
        lacking = {n for item in waiting for n in item.reads if answers.value(n) is None}
        return UnknownCondition("tier", tuple(sorted(lacking)), waiting[0].row.span)

    def _candidate(self, engine: CompiledRuleset, row: TierRow) -> _Candidate:
        read = frozenset[str]() if row.when is None else names(row.when)
        absent = frozenset[str]() if row.when is None else frozenset(_absences(row.when))
        return _Candidate(
            row,
            _OnRows(self._ranks[row.level], self._ranks[row.keep]),
            None if row.when is None else engine.test(row.when),
            engine.inputs(read),
            {name: engine.inputs({name}) for name in read},
            engine.inputs(absent),
        )

    # ── words ──────────────────────────────────────────────────────────────────────────────────

    def _none_fits(self) -> Text:
        return Text(
            zh=f"{self._table.file} 没有一行适用，等级不变",
            en=f"no row of {self._table.file} fits, so the tier stays",
        )

    def _apart(self, told: Sequence[int], *, sure: bool) -> Text:
        zh, en = "、".join(map(str, told)), ", ".join(map(str, told))
        rest = Text(zh="", en="") if sure else Text(zh="，或没有一行", en=", or no row at all")
        one = len(told) == 1
        return Text(
            zh=f"{self._table.file} 适用的可能是第 {zh} 行{rest.zh}：缺少数据，等级不变",
            en=f"{'row' if one else 'rows'} {en} of {self._table.file}{rest.en} may be the one "
            "that fits: data is missing, so the tier stays",
        )


@dataclass(frozen=True, slots=True)
class _Best:
    """The table asked again, should it be needed, as if lost facts were back."""

    table: TableOfTiers
    answers: Answers
    scored: Scored

    def place(self, lost: frozenset[str]) -> _OnRows:
        """See `TableOfTiers.best`."""
        return self.table.best(self.answers, self.scored, lost)


@dataclass(frozen=True, slots=True)
class TableMeasure:
    """What the rows of a table say of one customer; see `Measure`."""

    file: str
    decides: TierRow
    low: _OnRows
    high: _OnRows
    best: _Best
    apart: Text
    reads: frozenset[str]
    lacking: frozenset[str]
    skipped: bool = False
    missing: tuple[str, ...] = ()
    because: Because = Because.FACT_LOST
    undecided: UnknownCondition | None = None

    @property
    def row(self) -> int | None:
        """The row that decides; none while several may."""
        return self.decides.number if self.low == self.high else None

    def ends(self, levels: Sequence[Level]) -> tuple[Place, Place]:
        """The worst and the best that may be."""
        return self.low, self.high

    def at_best(self, levels: Sequence[Level], lost: frozenset[str]) -> Place:
        """The best that may be once the *lost* facts are back."""
        return self.best.place(lost)

    def span(self, level: Level) -> Span:
        """The row's place."""
        return self.decides.span

    def lifting(self) -> tuple[Text, str]:
        """The row."""
        said = self._said()
        return Text(zh=f"{said.zh} ", en=said.en), "reaches"

    def entering(self, rules: TierRules, level: Level) -> Text:
        """The row and what it gives."""
        said, given = self._said(), rules.level(self.decides.level).label
        return Text(zh=f"{said.zh}：{given.zh}", en=f"{said.en}: {given.en}")

    def keeping(self, rules: TierRules, level: Level) -> Text:
        """The row, what it gives and what it lets the customer keep."""
        said, given = self._said(), rules.level(self.decides.level).label
        return Text(
            zh=f"{said.zh}：{given.zh}，可保住{level.label.zh}",
            en=f"{said.en}: {given.en}, and {level.label.en} may be kept",
        )

    def falling(self, rules: TierRules, level: Level) -> Text:
        """The row and what it no longer lets the customer keep."""
        said, given = self._said(), rules.level(self.decides.level).label
        return Text(
            zh=f"{said.zh}：{given.zh}，保不住{level.label.zh}",
            en=f"{said.en}: {given.en}, which does not keep {level.label.en}",
        )

    def below(self, level: Level, count: int) -> Text:
        """The row, counted."""
        said = self._said()
        return Text(
            zh=f"{said.zh}保不住{level.label.zh}（第 {count} 次）",
            en=f"{said.en} does not keep {level.label.en} (evaluation {count})",
        )

    def saving(self, level: Level) -> Text:
        """That a row must fit which gives or keeps *level*."""
        return Text(
            zh=f"{self.file} 中给出或可保住{level.label.zh}的一行再次适用即可保住",
            en=f"a row of {self.file} that gives or keeps {level.label.en} saves it",
        )

    def short(self, level: Level) -> Decimal | None:
        """No amount: rows are not apart by a number."""
        return None

    def _said(self) -> Text:
        row = self.decides
        told = Text.same(row.text) if row.when is not None else _OTHERS
        return Text(
            zh=f"{self.file} 第 {row.number} 行（{told.zh}）",
            en=f"row {row.number} of {self.file} ({told.en})",
        )


def _absences(node: Condition | Expression) -> Iterator[str]:
    """The names whose absence a condition asks about."""
    if isinstance(node, Missing | Known):
        yield from names(node)
    for part in parts_of(node):
        yield from _absences(part)


def _holds(item: _Candidate, answers: Answers) -> Verdict:
    return Verdict.TRUE if item.test is None else answers.holds(item.test)
