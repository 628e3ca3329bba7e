"""The service block: what each tier is entitled to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from crmsync.condition import Duration, Unit
from crmsync.model.service import ServiceLevel, ServiceValue
from crmsync.model.text import Text
from crmsync.rules.language import Language
from crmsync.rules.level_names import Levels
from crmsync.rules.service_table import service_rows
from crmsync.rules.shape import Block, Findings, Seen, bilingual, identifier, one_of, scalar
from crmsync.rules.tables import KEYS
from crmsync.source import Mapping as MappingNode
from crmsync.source import Node, Scalar, Sequence


class Kind(StrEnum):
    """How a column of the service block holds its value."""

    WORD = "text"
    CHOICE = "choice"
    PERCENT = "percent"
    NUMBER = "number"
    TIME = "duration"
    PERIOD = "period"


@dataclass(frozen=True, slots=True)
class Column:
    """One kind of entitlement: its name for people and the words it may hold."""

    label: Text
    kind: Kind
    words: Mapping[str, Text] | None = None


COLUMNS: Mapping[str, Column] = {
    "manager": Column(
        Text(zh="客户经理", en="manager"),
        Kind.CHOICE,
        {
            "dedicated": Text(zh="专属", en="dedicated"),
            "shared": Text(zh="共享", en="shared"),
            "pool": Text(zh="公共", en="pool"),
            "agent": Text(zh="代理商", en="agent"),
            "none": Text(zh="无", en="none"),
        },
    ),
    "queue": Column(
        Text(zh="排队", en="queue"),
        Kind.CHOICE,
        {
            "front": Text(zh="优先", en="front"),
            "normal": Text(zh="正常", en="normal"),
            "last": Text(zh="最后", en="last"),
        },
    ),
    "answer_within": Column(Text(zh="接通时间", en="answered within"), Kind.TIME),
    "answer_target": Column(Text(zh="接通率", en="answer target"), Kind.PERCENT),
    "callback_within": Column(Text(zh="回拨时限", en="called back within"), Kind.TIME),
    "visit_every": Column(Text(zh="回访周期", en="visit every"), Kind.PERIOD),
}
"""The entitlements every ruleset may use without declaring them."""

_UNITS: Mapping[Unit, Text] = {
    Unit.SECOND: Text(zh="秒", en="s"),
    Unit.MINUTE: Text(zh="分钟", en="min"),
    Unit.HOUR: Text(zh="小时", en="hour"),
    Unit.WORKDAY: Text(zh="个工作日", en="workday"),
    Unit.DAY: Text(zh="天", en="day"),
    Unit.WEEK: Text(zh="周", en="week"),
    Unit.MONTH: Text(zh="个月", en="month"),
    Unit.QUARTER: Text(zh="个季度", en="quarter"),
    Unit.YEAR: Text(zh="年", en="year"),
}
_PLAIN: Mapping[Kind, re.Pattern[str]] = {
    Kind.PERCENT: re.compile(r"[0-9]+(?:\.[0-9]+)?\s*[%％]\Z", re.ASCII),
    Kind.NUMBER: re.compile(r"[0-9]+(?:\.[0-9]+)?\Z", re.ASCII),
}


def read_service(node: Node, levels: Levels, language: Language) -> dict[str, ServiceLevel]:
    """Read the service block into one level of service per tier."""
    findings = language.findings
    block = Block.of(node, findings, languages=language.languages)
    if block is None:
        return {}
    columns = dict(COLUMNS)
    declared = block.take("columns")
    if declared is not None:
        columns.update(_declared(declared, findings))
    found: dict[str, ServiceLevel] = {}
    if block.node.get("table") is not None:
        found = service_levels(block, columns, language)
    seen, lines = Seen(findings), set[str]()
    for key, value in block.node.entries:
        if key.text in {"columns", *KEYS}:
            continue
        block.take(key.text)
        level = levels.find(key, findings)
        values = _values(value, columns, language)
        if level is not None and level.id in found and level.id not in lines:
            _in_table(key, findings)
        elif level is not None and seen.add(level.id, key.span):
            lines.add(level.id)
            found[level.id] = ServiceLevel(level.id, values, key.span)
    block.finish()
    return found


def _declared(node: Node, findings: Findings) -> dict[str, Column]:
    """``columns: {sales_plan: text, manager_level: choice [总监, 经理]}``."""
    if not isinstance(node, MappingNode):
        Block.of(node, findings)
        return {}
    found = {}
    for key, value in node.entries:
        identifier(key, findings)
        single = scalar(value, findings) if not isinstance(value, Sequence) else None
        if single is None:
            continue
        kind, _, rest = single.text.partition(" ")
        words = None
        if kind == Kind.CHOICE:
            listed = [word.strip() for word in re.split("[,，、]", rest.strip(" []"))]
            words = {word: Text.same(word) for word in listed if word}
        named = Scalar(kind, kind, single.style, single.span, single.inner)
        known = one_of(named, [item.value for item in Kind], findings)
        if known is not None:
            found[key.text] = Column(Text.same(key.text), Kind(known), words)
    return found


def _values(
    node: Node, columns: Mapping[str, Column], language: Language
) -> tuple[ServiceValue, ...]:
    block = Block.of(node, language.findings, languages=language.languages)
    if block is None:
        return ()
    found = []
    for name, column in columns.items():
        single = block.scalar(name)
        if single is not None:
            value = _value(name, column, single, language)
            if value is not None:
                found.append(value)
    block.finish()
    return tuple(found)


def _value(name: str, column: Column, found: Scalar, language: Language) -> ServiceValue | None:
    findings = language.findings
    text: Text | None = None
    period = None
    if column.kind is Kind.CHOICE and column.words is not None:
        word = one_of(found, column.words, findings)
        text = None if word is None else column.words[word]
        if text is None:
            return None
    elif column.kind is Kind.WORD:
        text = bilingual(found, language.languages, findings)
    elif column.kind in _PLAIN and _PLAIN[column.kind].match(found.text):
        text = Text.same(found.text)
    elif column.kind in {Kind.TIME, Kind.PERIOD}:
        duration = language.duration(found)
        if duration is None:
            return None
        period = duration.period
        if period is not None or column.kind is Kind.TIME:
            text = _time(duration)
    if text is None:
        _wrong(column, found, findings)
        return None
    return ServiceValue(name, text, period, label=column.label, span=found.span)


def _in_table(key: Scalar, findings: Findings) -> None:
    findings.add(
        "RULE020",
        key.span,
        Text(zh=f"“{key.text}”在表格里已有一行", en=f"“{key.text}” has a row in the table already"),
        Text(zh="写在表格里，或写在这里，只留一处", en="Keep the row or this line, not both."),
    )


def service_levels(
    block: Block, columns: Mapping[str, Column], language: Language
) -> dict[str, ServiceLevel]:
    """The levels of a table of tiers (and stages), by `ServiceLevel.id`."""
    grid = service_rows(
        block,
        language,
        {name: (column.label, column.words) for name, column in columns.items()},
    )
    values = {number: _values(entry, columns, language) for number, entry in grid.rows.items()}
    return {
        level.id: level
        for tier, stage, number in grid.places
        for level in (ServiceLevel(tier, values[number], grid.rows[number].span, stage),)
    }


def _time(duration: Duration) -> Text:
    words = _UNITS[duration.unit]
    count = f"{duration.number.normalize():f}"
    plural = "" if count == "1" or words.en in {"s", "min"} else "s"
    return Text(zh=f"{count} {words.zh}", en=f"{count} {words.en}{plural}")


def _wrong(column: Column, found: Scalar, findings: Findings) -> None:
    example = {Kind.PERCENT: "90%", Kind.NUMBER: "5", Kind.PERIOD: "1 month"}
    wanted = example.get(column.kind, "")
    findings.add(
        "RULE014" if column.kind is Kind.PERIOD else "RULE005",
        found.span,
        Text(zh=f"“{found.text}”不能写在这里", en=f"“{found.text}” cannot stand here"),
        Text(zh=f"写成 {wanted} 这样", en=f"Write it like {wanted}."),
    )
