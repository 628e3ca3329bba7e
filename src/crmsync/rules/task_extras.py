"""What a task rule may say beside its event: what counts as done, its result, when it begins."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from crmsync.condition import Scope
from crmsync.model.condition import Condition
from crmsync.model.fact import FactType
from crmsync.model.ruleset import FactDefinition
from crmsync.model.task import DoneWithin, Event, EveryPeriod, ForEach, TaskResult
from crmsync.model.text import Text
from crmsync.rules.language import Language, at
from crmsync.rules.shape import Block, identifier, words
from crmsync.source import Node, Scalar

_WITHIN_PERIOD = re.compile(r"(.+?)\s*(?:within\s+(?:the\s+)?period|在?本?周期内)\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Extras:
    """The less usual keys of one task."""

    counts_as_done: Condition | DoneWithin | None = None
    via: str | None = None
    result: TaskResult | None = None
    start: date | None = None
    capacity: int | None = None
    may_reassign_owner: bool = False
    for_each: ForEach | None = None


def read_extras(
    block: Block, event: Event | None, facts: tuple[FactDefinition, ...], language: Language
) -> Extras:
    """Read ``counts_as_done``, ``via``, ``result``, ``start``, ``capacity``, ``may_reassign_owner``
    and ``for_each``."""
    done = block.take("counts_as_done")
    via = block.scalar("via")
    result, each = block.take("result"), block.take("for_each")
    return Extras(
        counts_as_done=None if done is None else _done(done, event, language),
        via=None if via is None else identifier(via, language.findings),
        result=None if result is None else _result(result, facts, language),
        start=read_start(block, language),
        capacity=block.whole("capacity", least=1),
        may_reassign_owner=block.flag("may_reassign_owner"),
        for_each=None if each is None else _for_each(each, language),
    )


def _for_each(node: Node, language: Language) -> ForEach | None:
    """``{related: contacts, where: role is 决策人}``: people's fields have the mapping's names."""
    block = Block.of(node, language.findings, languages=language.languages)
    if block is None:
        return None
    related, where = block.scalar("related", required=True), block.take("where")
    block.finish()
    people = language.within(Scope(open_names=True, year_starts=language.scope.year_starts))
    condition = None if where is None else people.condition(where)
    if related is None or (where is not None and condition is None):
        return None
    return ForEach(identifier(related, language.findings), condition, block.span)


def read_start(block: Block, language: Language) -> date | None:
    """``start: 2026-12-01``: no task before that day."""
    found = block.scalar("start")
    value = None if found is None else language.value(found, FactType.DATE)
    return value if isinstance(value, date) else None


def _done(node: Node, event: Event | None, language: Language) -> Condition | DoneWithin | None:
    match = _WITHIN_PERIOD.match(node.text.strip()) if isinstance(node, Scalar) else None
    if match is None or not isinstance(node, Scalar):
        return language.condition(node)
    if event is not None and not isinstance(event, EveryPeriod):
        language.findings.add(
            "RULE015",
            node.span,
            Text(
                zh="“周期内”只用于 every … 的任务",
                en="“within period” is for tasks of the event every …",
            ),
            Text(zh="写出时段，如 within 30 days", en="Write the window: within 30 days."),
        )
        return None
    word = match[1].strip()
    start = len(node.text) - len(node.text.lstrip())
    place = at(node, word, node.part(start, start + len(word)))
    fact = _date_fact(place, language)
    return None if fact is None else DoneWithin(fact)


def _date_fact(found: Scalar, language: Language) -> str | None:
    named = language.scope.named(found.text.strip("“”"))
    if named and named[0].type is FactType.DATE:
        return named[0].id
    dates = [name for name in language.scope.names if name.type is FactType.DATE]
    language.findings.unknown(
        "RULE101",
        found.span,
        Text(zh=f"没有名为“{found.text}”的日期事实", en=f"no date fact is called “{found.text}”"),
        found.text,
        [spelling for name in dates for spelling in name.spellings],
    )
    return None


def _result(node: Node, facts: tuple[FactDefinition, ...], language: Language) -> TaskResult | None:
    block = Block.of(node, language.findings, languages=language.languages)
    if block is None:
        return None
    field = block.scalar("field", required=True)
    options = words(block.take("choices"), language.findings)
    required = block.flag("required")
    block.finish()
    if field is None:
        return None
    fact = next((one for one in facts if field.text in (one.id, *one.label.all())), None)
    if fact is None or fact.formula is not None:
        language.findings.unknown(
            "RULE101",
            field.span,
            Text(
                zh=f"没有可以填写的事实“{field.text}”",
                en=f"no fact people can fill in is called “{field.text}”",
            ),
            field.text,
            [one.id for one in facts if one.formula is None],
        )
        return None
    for option in options:
        if fact.type is FactType.CHOICE and option.text not in fact.choices:
            language.findings.unknown(
                "RULE103",
                option.span,
                Text(
                    zh=f"“{option.text}”不是“{fact.id}”的选项",
                    en=f"“{option.text}” is not an option of “{fact.id}”",
                ),
                option.text,
                fact.choices,
            )
    chosen = tuple(option.text for option in options) or fact.choices
    return TaskResult(fact.id, chosen, required)
