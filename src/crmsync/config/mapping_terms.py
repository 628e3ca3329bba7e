"""Reads ``sources`` of a mapping: when each object is fresh and whole."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from crmsync.condition import parse_days
from crmsync.config.keys import Keys, not_a_mapping
from crmsync.model.diagnostic import Diagnostic
from crmsync.model.source import SourceTerms
from crmsync.model.text import Text
from crmsync.source import Mapping, Scalar, did_you_mean, error

KEYS = ("fresh_within", "whole_from")


def read_terms(
    node: Mapping | None, objects: Iterable[str], problems: list[Diagnostic]
) -> dict[str, SourceTerms]:
    """The terms by object; an object the mapping does not read is a finding with the nearest."""
    known = sorted(set(objects))
    found: dict[str, SourceTerms] = {}
    for name, body in node.entries if node else ():
        if name.text not in known:
            problems.append(_unknown(name, known))
            continue
        if not isinstance(body, Mapping):
            problems.append(not_a_mapping(name, family="MAP"))
            continue
        Keys(body, KEYS, problems, family="MAP")
        found[name.text] = SourceTerms(
            name.text,
            fresh_within=_days(body.get("fresh_within"), problems),
            whole_from=_share(body.get("whole_from"), problems),
            span=name.span,
        )
    return found


def _days(node: object, problems: list[Diagnostic]) -> int | None:
    if not isinstance(node, Scalar):
        return None
    days, trouble = parse_days(node.text, node.span)
    problems.extend(trouble)
    return days


def _share(node: object, problems: list[Diagnostic]) -> Decimal | None:
    if not isinstance(node, Scalar):
        return None
    written = node.text.strip().replace("％", "%")
    digits = written.removesuffix("%")
    if written.endswith("%") and digits.isascii() and digits.isdecimal() and 0 < int(digits) <= 100:
        return Decimal(digits) / 100
    problems.append(
        error(
            "MAP007",
            node.span,
            Text(zh=f"“{node.text}”不是百分比", en=f"“{node.text}” is no percentage"),
            Text(zh="写成 80% 这样，1% 到 100%", en="Write it like 80%, from 1% to 100%."),
        )
    )
    return None


def _unknown(name: Scalar, known: list[str]) -> Diagnostic:
    mend, near = did_you_mean(name.text, known)
    return error(
        "MAP004",
        name.span,
        Text(
            zh=f"这份映射不读对象“{name.text}”",
            en=f"this mapping reads no object “{name.text}”",
        ),
        mend,
        fix=near,
    )
