"""The fields beside a value that people type in: who gave it, when, why, and how long it counts."""

from __future__ import annotations

from crmsync.condition import parse_period
from crmsync.config.picks import pick_of
from crmsync.model.diagnostic import Diagnostic
from crmsync.model.mapping import FieldPick, FieldSource, JudgedFields, Source
from crmsync.model.period import Period
from crmsync.model.ruleset import FactDefinition
from crmsync.model.text import Text
from crmsync.source import Mapping, Node, Scalar, error

JUDGED_KEYS = ("author", "date", "remark", "valid_for")


def read_judged(
    body: Mapping, fact: FactDefinition | None, problems: list[Diagnostic]
) -> JudgedFields | None:
    """What *body*, the source of *fact*, says of its judgements; ``None`` when nothing."""
    written = [key for key, _ in body.entries if key.text in JUDGED_KEYS]
    if written and fact is not None and fact.judged_by is None:
        problems.append(_not_judged(written[0], fact))
        return None
    if not written:
        return None
    picks: dict[str, FieldPick | None] = {
        key: None if (node := body.get(key)) is None else pick_of(node, problems)
        for key in ("author", "date", "remark")
    }
    terms = body.get("valid_for")
    valid_for = None if terms is None else _period(terms, problems)
    return JudgedFields(**picks, valid_for=valid_for)


def without_day(name: Scalar, source: Source, fact: FactDefinition) -> Diagnostic | None:
    """The finding for a judgement whose age is asked for and cannot be known."""
    judged = source.judged if isinstance(source, FieldSource) else None
    asked = fact.valid_for is not None or (judged is not None and judged.valid_for is not None)
    if not asked or (judged is not None and judged.date is not None):
        return None
    return error(
        "MAP020",
        name.span,
        Text(
            zh=f"“{fact.id}”有 valid_for，却没有说评分日期在哪个字段",
            en=f"“{fact.id}” has valid_for, but no field says on which day it was judged",
        ),
        Text(zh="写成 {field: …, date: 日期字段}", en="Write {field: …, date: THE DAY'S FIELD}."),
    )


def _period(node: Node, problems: list[Diagnostic]) -> Period | None:
    if not isinstance(node, Scalar):
        problems.append(
            error(
                "MAP005",
                node.span,
                Text(zh="这里应是一段时间", en="a span of time is expected here"),
                Text(zh="写成 12 months 这样", en="Write it like 12 months."),
            )
        )
        return None
    period, found = parse_period(node.text, node.inner)
    problems.extend(found)
    return period


def _not_judged(key: Scalar, fact: FactDefinition) -> Diagnostic:
    return error(
        "MAP019",
        key.span,
        Text(
            zh=f"事实“{fact.id}”不是由人评分的，不能写 {key.text}",
            en=f"the fact “{fact.id}” is not judged by a person, so it takes no {key.text}",
        ),
        Text(
            zh=f"在规则里给它写 judged_by，或去掉 {key.text}",
            en=f"Give it judged_by in the rules, or remove {key.text}.",
        ),
    )
