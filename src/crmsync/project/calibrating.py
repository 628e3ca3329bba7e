"""``calibrate``: tier lines and weights fitted to customers whose right tier people know."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from crmsync.condition.binding import bind
from crmsync.condition.numbers import number_text
from crmsync.config.project_file import ConnectionConfig
from crmsync.errors import UsageError
from crmsync.evaluate import Engine, EvaluationContext, decide, match, row_from_facts
from crmsync.model.decision import Decision
from crmsync.model.fact import FactRow
from crmsync.model.ruleset import Ruleset
from crmsync.model.scorecard import Criterion, PointsTable, Scorecard
from crmsync.model.state import CustomerState
from crmsync.model.text import Text
from crmsync.model.tier import Level, TierRules
from crmsync.project.calibration import (
    Bounds,
    Sample,
    Setting,
    agreement,
    best_setting,
    held_out,
)
from crmsync.project.calibration_text import respelled
from crmsync.project.evaluating import OpenPopulation, Population
from crmsync.project.explaining import mirrored_mapping
from crmsync.project.labels import Label, read_labels
from crmsync.project.loading import load_rules
from crmsync.project.opening import Project
from crmsync.source import read_file

MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class CalibrateAsk:
    """What ``calibrate`` was asked for; lines move at most ``lines`` points either way, the most
    points of a criterion at most by the share ``weights``."""

    folder: Path
    connection: ConnectionConfig
    labels: Path
    lines: int = 15
    weights: Decimal = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A labelled customer whose tier by the proposed rules is another one, and why."""

    id: str
    name: str
    label: str
    tier: str
    score: Decimal | None
    why: Text


@dataclass(frozen=True, slots=True)
class Calibration:
    """A proposal: what would change, in words, and how far it agrees with people.

    ``before`` and ``after`` count agreeing customers among all ``labels``, by the whole rules;
    ``held`` those of ``used`` that agree with a proposal made without them, in ``parts`` parts.
    ``set_apart`` are customers lines cannot move: an exception decides, or the score is a range.
    """

    ruleset: Ruleset
    labels: int
    used: int
    before: int
    after: int
    held: int
    parts: int
    changes: tuple[Text, ...]
    fixed: tuple[Text, ...]
    set_apart: tuple[Disagreement, ...]
    disagreements: tuple[Disagreement, ...]
    text: str = field(repr=False)
    """The rules file with the proposal in it, comments kept."""

    def as_document(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "ruleset": self.ruleset.id,
            "labels": self.labels,
            "used": self.used,
            "agree": {"before": self.before, "after": self.after, "held_out": self.held},
            "parts": self.parts,
            "changes": list(self.changes),
            "fixed": list(self.fixed),
            "set_apart": [_document(item) for item in self.set_apart],
            "disagreements": [_document(item) for item in self.disagreements],
        }


def _document(item: Disagreement) -> dict[str, Any]:
    return {
        "id": item.id,
        "name": item.name,
        "label": item.label,
        "tier": item.tier,
        "score": item.score,
        "why": item.why,
    }


@dataclass(frozen=True, slots=True)
class _Known:
    """A labelled customer, found in the mirror."""

    row: FactRow
    tier: str


def calibrate(project: Project, ask: CalibrateAsk) -> Calibration:
    """Propose lines and weights from labels; writes nothing.

    Every customer is looked at as at its first assignment, from the mirror. Raises UsageError for
    rules without one scorecard and score lines, and for labels that name unknown records or tiers.
    """
    rules = load_rules(ask.folder)
    tier, card = _calibratable(rules)
    labels = read_labels(ask.labels)
    mapping = mirrored_mapping(project, ask.folder, ask.connection, rules)
    as_of = project.as_of(rules)
    with project.store() as store:
        people = Population(project, store, rules, mapping, ask.connection.name, as_of)
        with people.open() as opened:
            known = _known(opened, labels, tier)
            bound = opened.rules
    context = EvaluationContext(as_of=as_of, placing=True)
    engine = Engine(bound)
    decided = [_decide(engine, item.row, context) for item in known]
    now = Setting(
        tuple(_line(level) for level in tier.ranked[:-1]),
        tuple(criterion.maximum for criterion in card.criteria),
    )
    bounds = Bounds(ask.lines, ask.weights, tuple(_free(item) for item in card.criteria))
    ranks = {level.id: rank for rank, level in enumerate(tier.ranked)}
    samples, apart = _samples(known, decided, card, ranks)
    if not samples:
        raise _no_use()
    setting = best_setting(samples, now, bounds)
    held, parts = held_out(samples, now, bounds)
    if agreement(samples, setting, now) <= agreement(samples, now, now):
        setting = now
    source = read_file(ask.folder / "rules.yaml")
    assert source.node is not None
    text = respelled(source.text, source.node, setting, now)
    after_rules = bind(_loaded(ask.folder, text), bound.frozen)
    proposed = Engine(after_rules)
    after = [_again(proposed, item.row, context) for item in known]
    differ = [
        _disagreement(item, decision, after_rules)
        for item, decision in zip(known, after, strict=True)
        if _tier(decision) != item.tier
    ]
    return Calibration(
        ruleset=rules,
        labels=len(known),
        used=len(samples),
        before=sum(_tier(one) == item.tier for item, one in zip(known, decided, strict=True)),
        after=len(known) - len(differ),
        held=held,
        parts=parts,
        changes=tuple(_changes(tier, card, now, setting)),
        fixed=tuple(_fixed(card)),
        set_apart=tuple(_disagreement(item, one, bound) for item, one in apart),
        disagreements=tuple(differ),
        text=text,
    )


def write(ask: CalibrateAsk, made: Calibration) -> None:
    """Put the proposal into the rules file, and nothing else."""
    (ask.folder / "rules.yaml").write_text(made.text, encoding="utf-8")


# ── what can be calibrated ─────────────────────────────────────────────────────────────────────


def _calibratable(rules: Ruleset) -> tuple[TierRules, Scorecard]:
    tier = rules.tier
    lined = tier is not None and len(tier.ranked) > 1
    lined = lined and all(
        isinstance(level.enter, Decimal) for level in (tier.ranked[:-1] if tier else ())
    )
    if tier is None or not lined or len(rules.scorecards) != 1 or rules.scorecards[0].when:
        raise UsageError(
            Text(
                zh="calibrate 只用于一张评分卡、等级按分数线划分的规则集",
                en="calibrate is for rulesets with one scorecard and tiers by score lines",
            ),
            mend=Text(zh="用 score: 和 enter 分数线", en="use score: and enter lines"),
        )
    return tier, rules.scorecards[0]


def _line(level: Level) -> Decimal:
    assert isinstance(level.enter, Decimal)
    return level.enter


def _free(criterion: Criterion) -> bool:
    """Weighted anew are plain points tables: every line is scaled alike, and nothing else."""
    table = isinstance(criterion.points, PointsTable)
    return table and not criterion.bands and criterion.missing_points is None


def _fixed(card: Scorecard) -> Iterator[Text]:
    for criterion in card.criteria:
        if not _free(criterion):
            yield Text(
                zh=f"评分项“{criterion.label.zh}”不是单纯的得分表，权重不动",
                en=f"criterion “{criterion.label.en}” is no plain points table: its weight stays",
            )


def _no_use() -> UsageError:
    return UsageError(
        Text(
            zh="没有一个客户的等级由分数线决定：例外或缺失的数据决定了全部",
            en="no labelled customer's tier comes from the lines: exceptions or missing data"
            " decide them all",
        ),
        mend=Text(zh="标注其他客户", en="label other customers"),
    )


# ── labels ─────────────────────────────────────────────────────────────────────────────────────


def _known(opened: OpenPopulation, labels: Sequence[Label], tier: TierRules) -> list[_Known]:
    spellings = {level.id: level.id for level in tier.levels}
    for level in tier.levels:
        for spelling in level.label.all():
            spellings.setdefault(spelling, level.id)
    rows = opened.rows([label.record for label in labels])
    by_id = {row.ref.id: row for row in rows}
    found, lost = dict[str, tuple[_Known, int]](), list[Text]()
    for label in labels:
        named = [row for row in rows if row.name == label.record]
        row = by_id.get(label.record) or (named[0] if len(named) == 1 else None)
        wanted = spellings.get(label.tier)
        if row is None or wanted is None or row.ref.id in found:
            before = found[row.ref.id][1] if row is not None and row.ref.id in found else None
            lost.append(_lost(label, len(named), before, known=row is not None))
            continue
        found[row.ref.id] = _Known(row, wanted), label.row
    if lost:
        raise _refused(lost, spellings)
    return [item for item, _ in found.values()]


def _lost(label: Label, named: int, before: int | None, *, known: bool) -> Text:
    """Why a label cannot be used."""
    if before is not None:
        why = Text(zh=f"与第 {before} 行是同一个客户", en=f"the same customer as row {before}")
    elif known:
        why = Text(zh=f"没有等级“{label.tier}”", en=f"there is no tier “{label.tier}”")
    elif named:
        why = Text(
            zh=f"有 {named} 个客户叫“{label.record}”，请用编号",
            en=f"{named} customers are called “{label.record}”; use an id",
        )
    else:
        why = Text(
            zh=f"镜像里没有客户“{label.record}”",
            en=f"no customer “{label.record}” in the mirror",
        )
    return Text(zh=f"第 {label.row} 行：{why.zh}", en=f"row {label.row}: {why.en}")


def _refused(lost: Sequence[Text], tiers: Iterable[str]) -> UsageError:
    more = len(lost) - MOST_NAMED
    zh = [item.zh for item in lost[:MOST_NAMED]] + ([f"… 另有 {more} 处"] if more > 0 else [])
    en = [item.en for item in lost[:MOST_NAMED]] + ([f"… {more} more"] if more > 0 else [])
    return UsageError(
        Text(zh="；".join(zh), en="; ".join(en)),
        mend=Text(
            zh="客户写编号或完整名称，等级可写：" + "、".join(tiers),
            en="name customers by id or whole name; tiers are: " + ", ".join(tiers),
        ),
    )


def _samples(
    known: Sequence[_Known],
    decided: Sequence[Decision],
    card: Scorecard,
    ranks: dict[str, int],
) -> tuple[list[Sample], list[tuple[_Known, Decision]]]:
    samples, apart = [], []
    for item, decision in zip(known, decided, strict=True):
        score, tier = decision.score, decision.tier
        lines = {} if score is None else {line.id: line for line in score.criteria}
        plain = score is not None and score.total is not None and not score.missing
        if not plain or tier is None or tier.because != "enter line" or item.tier not in ranks:
            apart.append((item, decision))
            continue
        points = tuple(lines[criterion.id].low for criterion in card.criteria)
        samples.append(Sample(points, ranks[item.tier]))
    return samples, apart


# ── deciding and telling ───────────────────────────────────────────────────────────────────────


def _decide(engine: Engine, row: FactRow, context: EvaluationContext) -> Decision:
    (matched,) = match((row,), engine, context.as_of)
    return decide(engine, matched, CustomerState(row.ref), context)


def _again(engine: Engine, row: FactRow, context: EvaluationContext) -> Decision:
    given = {f.id: row.facts[f.id] for f in engine.ruleset.facts if f.formula is None}
    fresh = row_from_facts(engine, row.ref, given, context.as_of)
    return _decide(engine, fresh, context)


def _tier(decision: Decision) -> str | None:
    return None if decision.tier is None else decision.tier.after


def _disagreement(item: _Known, decision: Decision, rules: Ruleset) -> Disagreement:
    assert rules.tier is not None
    tier = decision.tier
    nothing = Text(zh="没有等级", en="no tier")
    return Disagreement(
        id=item.row.ref.id,
        name=item.row.name,
        label=item.tier,
        tier=_tier(decision) or "–",
        score=None if decision.score is None else decision.score.total,
        why=nothing if tier is None else tier.text,
    )


def _changes(tier: TierRules, card: Scorecard, now: Setting, new: Setting) -> Iterator[Text]:
    for level, old, line in zip(tier.ranked, now.lines, new.lines, strict=False):
        if old != line:
            keep = level.keep
            moved = None if keep is None else keep + line - old
            zh = "" if keep is None else f"，保级线 {_n(keep)} → {_n(moved)}"
            en = "" if keep is None else f", keep {_n(keep)} → {_n(moved)}"
            yield Text(
                zh=f"等级“{level.label.zh}”的升级线 {_n(old)} → {_n(line)}{zh}",
                en=f"tier “{level.label.en}”: enter {_n(old)} → {_n(line)}{en}",
            )
    for criterion, old, most in zip(card.criteria, now.maxima, new.maxima, strict=True):
        if old != most:
            yield Text(
                zh=f"评分项“{criterion.label.zh}”的满分 {_n(old)} → {_n(most)}，各行按比例",
                en=f"criterion “{criterion.label.en}”: most points {_n(old)} → {_n(most)}, its"
                " lines in proportion",
            )


def _n(value: Decimal | None) -> str:
    return "–" if value is None else number_text(value)


def _loaded(folder: Path, text: str) -> Ruleset:
    """The rules with *text* in place of the file's, read as any other."""
    with tempfile.TemporaryDirectory(prefix="crmsync-calibrate-") as temporary:
        target = Path(temporary) / folder.name
        shutil.copytree(folder, target)
        (target / "rules.yaml").write_text(text, encoding="utf-8")
        return load_rules(target)
