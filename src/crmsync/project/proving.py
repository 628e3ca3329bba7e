"""What `check` proves of calm: whether tiers and stages can flap while facts wobble."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from crmsync.errors import UsageError
from crmsync.evaluate import Engine, circles_flap, exceptions_flap, stages_flap, tiers_flap
from crmsync.evaluate.wording import points, shown
from crmsync.model.diagnostic import Diagnostic
from crmsync.model.flapping import Claim, FlapFinding, FlapStep, Proof, Settings
from crmsync.model.ruleset import Ruleset
from crmsync.model.text import Text
from crmsync.model.wobble import Wobble
from crmsync.rules import parse_wobble
from crmsync.source import warning

STAY = 30
"""Days a customer should stay where it is, unless asked otherwise."""


@dataclass(frozen=True, slots=True)
class Calm:
    """What was proved and shown of one ruleset."""

    ruleset: str
    claim: Claim
    findings: tuple[FlapFinding, ...]

    def summary(self) -> Text:
        """One sentence: what is claimed, and how each part fared."""
        zh, en = [], []
        for kind, (name_zh, name_en) in _KINDS.items():
            counts = Counter(item.proof for item in self.findings if item.kind == kind)
            if counts:
                zh.append(f"{name_zh} {_counted(counts, 0)}")
                en.append(f"{name_en} {_counted(counts, 1)}")
        days = self.claim.stay
        return Text(
            zh=f"{self.ruleset}：{days} 天内不来回变？{'；'.join(zh) or '没有可查的'}",
            en=f"{self.ruleset}: no change taken back within {days} days? "
            f"{'; '.join(en) or 'nothing to look at'}",
        )

    def as_document(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "ruleset": self.ruleset,
            "stay": self.claim.stay,
            "findings": [_document(item) for item in self.findings],
        }


def asked_claim(wobbles: Sequence[str], stay: int | None) -> Claim | None:
    """The claim of ``--wobble``: ``5%`` for every numeric fact, ``FACT=5%`` or ``FACT=2`` for one.

    ``None`` when nothing was asked; raises UsageError for what is no wobble.
    """
    if not wobbles and stay is None:
        return None
    single: dict[str, Wobble] = {}
    everywhere = Wobble()
    for text in wobbles:
        fact, equals, value = text.rpartition("=")
        wobble = parse_wobble(value)
        if wobble is None or (not equals and wobble.amount):
            raise UsageError(
                Text(zh=f"“{text}”不是波动幅度", en=f"“{text}” is no wobble"),
                mend=Text(
                    zh="写 --wobble 5%，或 --wobble 事实=5%、事实=2",
                    en="write --wobble 5%, or --wobble FACT=5%, FACT=2",
                ),
            )
        if equals:
            single[fact] = wobble
        else:
            everywhere = wobble
    return Claim(single, everywhere, STAY if stay is None else stay)


def calm(rules: Ruleset, asked: Claim | None, day: date) -> Calm | None:
    """Prove or refute; ``None`` when neither the file nor the command states a wobble."""
    stated = {fact.id: fact.wobble for fact in rules.facts if fact.wobble is not None}
    if asked is None and not stated:
        return None
    claim = Claim(stay=STAY) if asked is None else asked
    known = {fact.id for fact in rules.facts}
    for name in claim.wobble.keys() - known:
        raise UsageError(
            Text(zh=f"{rules.id} 没有事实“{name}”", en=f"{rules.id} has no fact “{name}”")
        )
    whole = Claim({**stated, **claim.wobble}, claim.everywhere, claim.stay)
    engine = Engine(rules)
    findings = (
        *tiers_flap(engine, whole, day),
        *exceptions_flap(engine, whole, day),
        *stages_flap(engine, whole, day),
        *circles_flap(engine, whole, day),
    )
    return Calm(rules.id, whole, findings)


def calm_diagnostics(rules: Ruleset, found: Calm) -> list[Diagnostic]:
    """A warning for everything that flaps, with the steps and the smallest mend."""
    return [_diagnostic(rules, item) for item in found.findings if item.proof is Proof.FLAPS]


def _diagnostic(rules: Ruleset, item: FlapFinding) -> Diagnostic:
    code = _CODES[item.kind]
    label, steps = _label(rules, item), _steps(rules, item)
    message = Text(
        zh=f"“{label.zh}”会随数据波动来回变，相隔 {item.gap} 天：{steps.zh}",
        en=f"“{label.en}” flaps while its facts wobble, {_days(item.gap or 0)} apart: {steps.en}",
    )
    return warning(code, item.span, message, _mend(item))


def _label(rules: Ruleset, item: FlapFinding) -> Text:
    if item.kind == "tier" and rules.tier is not None:
        return rules.tier.level(item.place).label
    if item.kind == "circle" and rules.lifecycle is not None:
        labels = [rules.lifecycle.stage(id).label for id in item.place.split(">")]
        return Text(
            zh=" → ".join(label.zh for label in labels), en=" → ".join(label.en for label in labels)
        )
    return Text.same(item.place)


def _steps(rules: Ruleset, item: FlapFinding) -> Text:
    moving = _moving(item)
    texts = [_step(rules, step, moving) for step in item.steps]
    return Text(zh="；".join(text.zh for text in texts), en="; ".join(text.en for text in texts))


def _moving(item: FlapFinding) -> list[str]:
    """The facts whose values differ between the two sides."""
    if len(item.facts) < 2:
        return []
    one, other = item.facts[:2]
    return [name for name, value in one.items() if other.get(name) != value]


def _step(rules: Ruleset, step: FlapStep, moving: Sequence[str]) -> Text:
    labels = {} if rules.tier is None else {it.id: it.label for it in rules.tier.levels}
    if rules.lifecycle is not None:
        labels |= {stage.id: stage.label for stage in rules.lifecycle.stages}
    place = labels.get(step.place, Text.same(step.place))
    zh, en = [], []
    for name in moving:
        fact = rules.fact(name)
        value = shown(step.facts.get(name), fact.type)
        zh.append(f"{fact.label.zh} {value.zh}")
        en.append(f"{fact.label.en} {value.en}")
    if step.score is not None:
        zh.append(f"{points(step.score)} 分")
        en.append(f"{points(step.score)} points")
    return Text(
        zh=f"{step.on} {'、'.join(zh)} → {place.zh}", en=f"{step.on} {', '.join(en)} → {place.en}"
    )


def _mend(item: FlapFinding) -> Text:
    if item.kind == "exception":
        return Text(
            zh="换一个不波动的事实，或改用评分；例外不受 hold 和 demote_after 约束",
            en="Use a fact that does not wobble, or give points instead: exceptions know neither "
            "hold nor demote_after.",
        )
    if item.kind == "circle" and item.by_clock is not None:
        days = item.by_clock.lasting
        return Text(
            zh=f"让这一圈的每条移动都写 lasting: {days} days 或更长",
            en=f"Write lasting: {days} days or more at every move of the circle.",
        )
    ways = [text for way in (item.by_line, item.by_clock) if way and (text := _settings(way))]
    if not ways:
        return Text(zh="把两条界线拉得更开", en="Set the two thresholds further apart.")
    return Text(
        zh="写 " + "；或 ".join(text.zh for text in ways),
        en="Write " + "; or ".join(text.en for text in ways) + ".",
    )


def _settings(settings: Settings) -> Text | None:
    parts = []
    if settings.keep is not None:
        parts.append(f"keep: {_plain(settings.keep)}")
    if settings.demote_after is not None:
        parts.append(f"down: {{demote_after: {settings.demote_after} days}}")
    if settings.hold_up is not None:
        parts.append(f"up: {{hold: {settings.hold_up} days}}")
    if settings.lasting is not None:
        parts.append(f"lasting: {settings.lasting} days")
    return Text(zh="，".join(parts), en=", ".join(parts)) if parts else None


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _days(count: int) -> str:
    return f"{count} day{'s' * (count != 1)}"


_CODES = {"tier": "RULE230", "exception": "RULE231", "stage": "RULE232", "circle": "RULE232"}
_KINDS = {
    "tier": ("等级", "tiers"),
    "exception": ("例外", "exceptions"),
    "stage": ("阶段移动", "moves and the way back"),
    "circle": ("更长的移动圈", "longer circles of moves"),
}
_PROOFS = {
    Proof.APART: ("已证界线够远", "proved by distance"),
    Proof.SLOW: ("已证等待够长", "kept apart by waiting"),
    Proof.FLAPS: ("会来回变", "flapping"),
    Proof.OPEN: ("未能证明", "undecided"),
}


def _counted(counts: Counter[Proof], language: int) -> str:
    parts = [
        f"{counts[proof]} {words[language]}" for proof, words in _PROOFS.items() if counts[proof]
    ]
    return ("，", ", ")[language].join(parts)


def _document(item: FlapFinding) -> dict[str, Any]:
    return {
        "kind": item.kind,
        "id": item.place,
        "proof": item.proof.value,
        "gap": item.gap,
        "place": item.span.short if item.span.file else None,
        "steps": [
            {
                "on": step.on,
                "facts": {key: value for key, value in step.facts.items() if value is not None},
                "score": step.score,
                "to": step.place,
            }
            for step in item.steps
        ],
        "by_line": _written(item.by_line),
        "by_clock": _written(item.by_clock),
    }


def _written(settings: Settings | None) -> dict[str, Any] | None:
    if settings is None:
        return None
    every = {
        "keep": settings.keep,
        "demote_after": settings.demote_after,
        "up.hold": settings.hold_up,
        "lasting": settings.lasting,
    }
    return {key: value for key, value in every.items() if value is not None}
