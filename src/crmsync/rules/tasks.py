"""The tasks block: when to create which task, for whom, and what makes it one episode."""

from __future__ import annotations

from dataclasses import dataclass, replace

from crmsync.condition import Unit
from crmsync.model.ruleset import FactDefinition
from crmsync.model.task import ACCOUNT_OWNER, Due, Priority, TaskRule
from crmsync.model.text import Text
from crmsync.rules.events import EventNames, read_event
from crmsync.rules.language import Language
from crmsync.rules.placeholders import check_placeholders
from crmsync.rules.shape import Block, Findings, Seen, identifier, items, words
from crmsync.rules.task_extras import read_extras, read_start
from crmsync.rules.task_table import is_table, task_rows
from crmsync.source import Mapping as MappingNode
from crmsync.source import Node, Scalar

PLACEHOLDERS = ("name", "tier", "tier_before", "stage", "missing_scores")
"""What a title may name besides facts."""
PERSON = "person"
"""What the title of a task for each person may name as well."""

ONCE_PER = (
    "customer",
    "lifecycle spell",
    "tier change",
    "period",
    "month",
    "quarter",
    "year",
    "ever",
)
_OWNERS = {ACCOUNT_OWNER: ACCOUNT_OWNER, "客户负责人": ACCOUNT_OWNER, "judge": "judge"}
_MAX_DUE = 3660
MAX_TASKS = 500


@dataclass(frozen=True, slots=True)
class _Around:
    """What every task of the block is read with."""

    names: EventNames
    facts: tuple[FactDefinition, ...]
    language: Language
    seen: Seen

    @property
    def placeholders(self) -> tuple[str, ...]:
        return (*PLACEHOLDERS, *(fact.id for fact in self.facts))


def read_tasks(
    node: Node | None, names: EventNames, facts: tuple[FactDefinition, ...], language: Language
) -> tuple[tuple[TaskRule, ...], int | None]:
    """Read the task rules, and how many tasks one owner gets for one day.

    The block is a list of rules, or ``{start: DATE, capacity: N, rules: […]}``; an entry with
    ``table:`` stands for as many rules as the table has rows.
    """
    start, capacity = None, None
    if node is None:
        return (), None
    if isinstance(node, MappingNode) and not is_table(node):
        block = Block(node, language.findings)
        start, capacity = read_start(block, language), block.whole("capacity", least=1)
        listed = block.need("rules")
        block.finish()
    else:
        listed = node
    table = listed is not None and is_table(listed)
    entries = (listed,) if listed is not None and table else items(listed, language.findings)
    if len(entries) > MAX_TASKS:
        language.findings.add(
            "RULE021",
            node.span,
            Text(
                zh=f"有 {len(entries)} 个任务，上限 {MAX_TASKS}",
                en=f"{len(entries)} tasks; the limit is {MAX_TASKS}",
            ),
            Text(zh="合并几个任务，或拆成几个规则集", en="Join tasks, or make several rulesets."),
        )
        return (), None
    around = _Around(names, facts, language, Seen(language.findings))
    found = [task for entry in entries for task in _entry(entry, around)]
    tasks = tuple(replace(task, start=task.start or start) for task in found if task is not None)
    ids = {task.id for task in tasks}
    for task in tasks:
        if task.was in ids:
            language.findings.add(
                "RULE007",
                task.span,
                Text(
                    zh=f"was: {task.was} 仍是另一个任务的名称，两者的任务会混在一起",
                    en=f"was: {task.was} still names a task: the two would share their episodes",
                ),
                Text(
                    zh="去掉 was，或改掉另一个任务的名称", en="Drop was, or rename the other task."
                ),
            )
    return tasks, capacity


def _entry(entry: Node, around: _Around) -> list[TaskRule | None]:
    """One task, or one for each row of a table."""
    if not isinstance(entry, MappingNode) or not is_table(entry):
        return [_task(entry, around)]
    found: list[TaskRule | None] = []
    for row in task_rows(entry, around.language):
        own = replace(around, seen=Seen(around.language.findings)) if row.again else around
        task = _task(row.node, own)
        found.append(None if task is None else row.under(task))
    return found


def _task(node: Node, around: _Around) -> TaskRule | None:
    language = around.language
    findings = language.findings
    block = Block.of(node, findings, languages=language.languages)
    if block is None:
        return None
    name = block.scalar("id", required=True)
    title = block.label("title")
    written = block.node.get("title")
    if isinstance(written, Scalar):
        person = (PERSON,) if block.node.get("for_each") is not None else ()
        check_placeholders(written, (*around.placeholders, *person), findings)
    sentence = block.scalar("event", required=True)
    event = None if sentence is None else read_event(sentence, around.names, language)
    when = block.take("when")
    condition = None if when is None else language.condition(when)
    close = block.take("close_when")
    closing = None if close is None else language.condition(close)
    owners = tuple(
        owner for item in words(block.need("owner"), findings) if (owner := _owner(item, findings))
    )
    fallback = block.scalar("fallback_owner")
    due = _due(block.scalar("due", required=True), language)
    priority = block.one_of("priority", [item.value for item in Priority])
    once = _once_per(block, findings)
    was = block.scalar("was")
    extras = read_extras(block, event, around.facts, language)
    block.finish()
    if name is None:
        return None
    around.seen.add(identifier(name, findings), name.span)
    if event is None or title is None or due is None:
        return None
    return TaskRule(
        id=name.text,
        title=title,
        event=event,
        owner=owners,
        due=due,
        when=condition,
        fallback_owner=None if fallback is None else _owner(fallback, findings),
        priority=Priority.NORMAL if priority is None else Priority(priority),
        once_per=once,
        close_when=closing,
        was=None if was is None else identifier(was, findings),
        counts_as_done=extras.counts_as_done,
        via=extras.via,
        result=extras.result,
        start=extras.start,
        capacity=extras.capacity,
        may_reassign_owner=extras.may_reassign_owner,
        for_each=extras.for_each,
        span=block.span,
    )


def _owner(found: Scalar, findings: Findings) -> str:
    text = found.text.strip()
    if text in _OWNERS:
        return _OWNERS[text]
    kind, colon, name = text.partition(":")
    if kind in {"role", "queue", "user"} and colon and name.strip():
        return f"{kind}:{name.strip()}" if kind != "user" else name.strip()
    if text.isascii() and text.isdigit():
        return text
    findings.unknown(
        "RULE016",
        found.span,
        Text(zh=f"“{text}”不能作任务负责人", en=f"“{text}” cannot own a task"),
        text,
        (ACCOUNT_OWNER, "judge", "role:NAME", "queue:NAME", "user:ID"),
    )
    return ""


def _due(found: Scalar | None, language: Language) -> Due | None:
    """A count of work days, days or weeks; the unit must be written."""
    duration = None if found is None else language.duration(found)
    if found is None or duration is None:
        return None
    if duration.unit is Unit.WORKDAY and duration.number == int(duration.number):
        due = Due(int(duration.number))
    elif duration.days is not None:
        due = Due(duration.days, calendar_days=True)
    else:
        due = None
    if due is None or due.days > _MAX_DUE:
        language.findings.add(
            "RULE014",
            found.span,
            Text(zh=f"“{found.text}”不能作期限", en=f"“{found.text}” cannot be a task's due time"),
            Text(zh="写成 2 workdays 或 10 天 这样", en="Write it like 2 workdays or 10 days."),
        )
        return None
    return due


def _once_per(block: Block, findings: Findings) -> tuple[str, ...]:
    node = block.take("once_per")
    if node is None:
        return ("customer",)
    found: list[str] = []
    for item in words(node, findings):
        if item.text in ONCE_PER:
            found.append(item.text)
            continue
        findings.unknown(
            "RULE017",
            item.span,
            Text(zh=f"once_per 里没有“{item.text}”", en=f"once_per has no “{item.text}”"),
            item.text,
            ONCE_PER,
        )
    spells = [word for word in dict.fromkeys(found) if word != "customer"]
    if len(spells) > 1:
        findings.add(
            "RULE017",
            node.span,
            Text(
                zh=f"customer 之外只能再写一项，这里有：{'、'.join(spells)}",
                en=f"besides customer only one may stand here; found {', '.join(spells)}",
            ),
            Text(zh="只留一项", en="Keep one of them."),
        )
    return ("customer", *spells[:1])
