"""Frozen lines in words and as JSON: the cut points, the period and the version."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from crmsync.condition.clv_facts import BG_NBD, GAMMA_GAMMA
from crmsync.condition.clv_facts import LINES as CLV
from crmsync.condition.numbers import number_text
from crmsync.condition.rfm_facts import comparison_of
from crmsync.model.frozen import FrozenLines
from crmsync.model.rfm import CutPoints, Part, RfmRules
from crmsync.model.ruleset import Ruleset
from crmsync.model.text import Text

_DIGITS = Decimal("0.0001")


def lines_document(lines: FrozenLines) -> dict[str, Any]:
    """For ``--json``; numbers as exact text."""
    return {
        "name": lines.name,
        "period": lines.period,
        "version": lines.version,
        "drawn_on": lines.drawn_on,
        "customers": lines.customers,
        "lines": {
            name: [number_text(value) for value in values] for name, values in lines.lines.items()
        },
    }


def lines_text(rules: Ruleset) -> Iterator[Text]:
    """Everything the facts of model blocks were worked out by, a line each."""
    for item in rules.frozen:
        yield frozen_line(item)
        if item.name == CLV:
            yield from _fit(item)
    if rules.rfm is not None:
        cuts = cut_points(rules)
        if cuts is not None:
            yield from _cuts(rules, rules.rfm, cuts)


def frozen_line(item: FrozenLines) -> Text:
    """Which lines are in force: period, version, when and from how many customers."""
    return Text(
        zh=f"{item.name}：{item.period} 第 {item.version} 版，{item.drawn_on} 由"
        f" {item.customers} 个客户得出",
        en=f"{item.name}: {item.period}, version {item.version}, drawn on {item.drawn_on}"
        f" from {item.customers} customers",
    )


def cut_points(rules: Ruleset) -> CutPoints | None:
    """The cut points in force: fixed ones, or the frozen ones the rules are bound to."""
    if rules.rfm is None or rules.rfm.cuts is not None:
        return None if rules.rfm is None else rules.rfm.cuts
    found = next((item for item in rules.frozen if item.name == "rfm"), None)
    return None if found is None else {part: found.lines[part.value] for part in Part}


def _cuts(rules: Ruleset, rfm: RfmRules, cuts: CutPoints) -> Iterator[Text]:
    for part in Part:
        sign = {"<=": "≤", ">=": "≥"}.get(comparison_of(rfm, part).value, ">")
        best = len(cuts[part]) + 1
        points = cuts[part] if part is Part.RECENCY else tuple(reversed(cuts[part]))
        shown = "  ".join(
            f"{best - place}: {sign} {number_text(value)}" for place, value in enumerate(points)
        )
        days = Text(zh=" 天", en=" days") if part is Part.RECENCY else Text.same("")
        label = rules.fact(rfm.reads[part]).label
        yield Text(
            zh=f"{part.value[0].upper()} {label.zh}{days.zh}  {shown}  1: 其余",
            en=f"{part.value[0].upper()} {label.en}{days.en}  {shown}  1: the rest",
        )


def _fit(item: FrozenLines) -> Iterator[Text]:
    for title, names, prefix in (("BG/NBD", BG_NBD, ""), ("Gamma-Gamma", GAMMA_GAMMA, "spend_")):
        if not set(names) <= item.lines.keys():
            continue
        shown = "  ".join(f"{name} = {_short(item.lines[name][0])}" for name in names)
        likelihood = _short(item.lines[f"{prefix}log_likelihood"][0])
        customers = number_text(item.lines[f"{prefix}customers"][0])
        yield Text(
            zh=f"{title}  {shown}  对数似然 {likelihood}（{customers} 个客户，已收敛）",
            en=f"{title}  {shown}  log-likelihood {likelihood} ({customers} customers, converged)",
        )


def _short(value: Decimal) -> str:
    return number_text(value.quantize(_DIGITS))
