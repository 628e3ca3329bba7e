"""``mapping/<crm>.yaml``: where facts come from in one CRM, and what crmsync writes there."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from pathlib import Path

from crmsync.condition import Scope, read_condition
from crmsync.config.keys import Keys
from crmsync.config.mapping_digest import mapping_digest
from crmsync.config.mapping_money import read_money, undeclared_amounts
from crmsync.config.mapping_sources import SourceReader
from crmsync.config.mapping_terms import read_terms
from crmsync.config.mapping_users import read_users
from crmsync.config.picks import pick_of, translations
from crmsync.model.condition import Condition
from crmsync.model.diagnostic import Diagnostic, Label
from crmsync.model.mapping import (
    WRITE_ROLES,
    CrmMapping,
    FieldPick,
    PeopleSource,
    Related,
    TaskTarget,
    WriteTarget,
)
from crmsync.model.position import Span
from crmsync.model.ruleset import Ruleset
from crmsync.model.task import ForEach
from crmsync.model.text import Text
from crmsync.source import (
    Mapping,
    Node,
    Scalar,
    did_you_mean,
    error,
    forgiving,
    read_file,
    warning,
    without_echoes,
)

TOP = (
    "connector", "object", "applies_to", "identity", "related", "read", "write", "lock_field",
    "tasks", "sources", "currency", "currencies", "rates", "users",
)  # fmt: skip
ELSEWHERE = {
    key: Text(zh=f"{key} 写在 rules.yaml 的最外层", en=f"{key} stands at the top of rules.yaml.")
    for key in ("group", "scope", "segments", "active_months", "overrides", "on_merge")
}
RELATED = ("object", "via", "date", "where", "called", "do_not_contact", "fields")
TASKS = (
    "object", "key", "subject", "due", "owner", "about", "status", "open", "closed", "priority",
    "priorities", "via", "channels", "note", "person",
)  # fmt: skip
NEEDED = TASKS[:9]


def read_mapping(
    path: Path, ruleset: Ruleset, *, name: str | None = None
) -> tuple[CrmMapping | None, list[Diagnostic]]:
    """Read one mapping file for *ruleset*; *name* is what messages call the file.

    Every problem is found at once. The mapping comes back whenever object and identity could be
    read, so that the rules can be checked against it; it must not be used beside an error.
    Fields are not looked up here: `resolve` does that against the CRM.
    """
    source = read_file(path, name=name)
    if source.node is None:
        return None, source.diagnostics

    def read(root: Mapping) -> tuple[CrmMapping | None, list[Diagnostic]]:
        reader = _Reader(source.name, ruleset, [])
        return reader.read(root, path.stem), reader.problems

    found, problems = forgiving(source.node, read)
    return found, without_echoes([*source.diagnostics, *problems])


class _Reader:
    def __init__(self, file: str, ruleset: Ruleset, problems: list[Diagnostic]) -> None:
        self.problems = problems
        self._file = file
        self._ruleset = ruleset
        self._fields = Scope(open_names=True, year_starts=ruleset.year_starts)

    def read(self, root: Mapping, stem: str) -> CrmMapping | None:
        keys = Keys(root, TOP, self.problems, family="MAP", elsewhere=ELSEWHERE)
        connector = keys.word("connector", required=True)
        target = keys.word("object", required=True)
        if connector is not None and connector != stem:
            self.problems.append(_other_stem(keys, connector, stem))
        identity = self._identity(keys)
        related = self._related(keys.mapping("related"))
        sources = SourceReader(self._ruleset, related, self.problems, self._fields)
        read = sources.read(keys.mapping("read"))
        money = read_money(keys, self._ruleset, self.problems)
        self.problems.extend(undeclared_amounts(read, money, self._ruleset))
        write = self._write(keys.mapping("write"))
        lock = root.get("lock_field")
        objects = [target or "", *(item.object for item in sources.related.values())]
        found = CrmMapping(
            connector=connector or "",
            object=target or "",
            applies_to=self._condition(root.get("applies_to")),
            identity_name=identity[0] or FieldPick(),
            identity_owner=identity[1],
            related=sources.related,
            read=read,
            write=write,
            lock_field=None if lock is None else pick_of(lock, self.problems),
            tasks=self._tasks(keys),
            digest="",
            sources=read_terms(keys.mapping("sources"), objects, self.problems),
            people=self._people(sources.related),
            file=self._file,
            money=money,
            users=read_users(keys.mapping("users"), self._ruleset, self.problems),
        )
        if target is None or identity[0] is None:
            return None
        return mapping_digest(found, self._ruleset.renamed)

    def _keys(self, node: Mapping, known: tuple[str, ...]) -> Keys:
        return Keys(node, known, self.problems, family="MAP")

    def _condition(self, node: Node | None) -> Condition | None:
        if node is None:
            return None
        condition, found = read_condition(node, self._fields)
        self.problems.extend(found)
        return condition

    def _identity(self, keys: Keys) -> tuple[FieldPick | None, FieldPick | None]:
        node = keys.mapping("identity")
        if node is None:
            keys.lacks("identity")
            return None, None
        inner = self._keys(node, ("name", "owner"))
        name, owner = node.get("name"), node.get("owner")
        if name is None:
            inner.lacks("name")
        return (
            None if name is None else pick_of(name, self.problems),
            None if owner is None else pick_of(owner, self.problems),
        )

    def _related(self, node: Mapping | None) -> dict[str, Related]:
        found: dict[str, Related] = {}
        for name, body in node.entries if node else ():
            if not isinstance(body, Mapping):
                self.problems.append(_lines(name))
                continue
            found[name.text] = self.relation(name, body)
        return found

    def relation(self, name: Scalar, body: Mapping) -> Related:
        keys = self._keys(body, RELATED)
        object, via, date = (
            keys.word(key, required=True) or "" for key in ("object", "via", "date")
        )
        called, peace = (
            None if (node := body.get(key)) is None else pick_of(node, self.problems)
            for key in ("called", "do_not_contact")
        )
        named = keys.mapping("fields")
        fields = {
            key.text: pick
            for key, node in (named.entries if named else ())
            if (pick := pick_of(node, self.problems)) is not None
        }
        where = self._condition(body.get("where"))
        return Related(name.text, object, via, date, where, called, peace, fields, name.span)

    def _people(self, related: MappingOf[str, Related]) -> dict[str, PeopleSource]:
        """Whom the rules' tasks for each person are for; an undeclared relation is a problem."""
        found: dict[str, PeopleSource] = {}
        for task in self._ruleset.tasks:
            if task.for_each is None:
                continue
            if task.for_each.related in related:
                found[task.id] = PeopleSource(task.for_each.related, task.for_each.where)
            else:
                self.problems.append(_no_people(task.for_each, related))
        return found

    def _write(self, node: Mapping | None) -> dict[str, WriteTarget]:
        found: dict[str, WriteTarget] = {}
        if node is None:
            return found
        self._keys(node, WRITE_ROLES)
        for role, body in node.entries:
            if role.text not in WRITE_ROLES:
                continue
            pick = pick_of(body, self.problems, also=("values",))
            if pick is None:
                continue
            first = next((one for one in found.values() if one.field == pick), None)
            if first is not None:
                self.problems.append(_written_twice(role, pick, first))
                continue
            values = body.get("values") if isinstance(body, Mapping) else None
            table = {} if values is None else self._stored(role, values)
            found[role.text] = WriteTarget(role.text, pick, table, _places(values))
        return found

    def _stored(self, role: Scalar, values: Node) -> dict[str, str]:
        rules = self._ruleset
        known: tuple[str, ...] = ()
        if role.text in {"tier", "service"} and rules.tier is not None:
            known = tuple(level.id for level in rules.tier.levels)
        elif role.text == "lifecycle" and rules.lifecycle is not None:
            known = tuple(stage.id for stage in rules.lifecycle.stages)
        elif role.text == "segments":
            known = tuple(segment.id for segment in rules.segments)
        return translations(values, self.problems, keys=known or None)

    def _tasks(self, keys: Keys) -> TaskTarget | None:
        node = keys.mapping("tasks")
        if node is None:
            return None
        inner = self._keys(node, TASKS)
        parts = {key: inner.word(key, required=True) for key in NEEDED}
        priorities = node.get("priorities")
        table = (
            {}
            if priorities is None
            else translations(priorities, self.problems, keys=("high", "normal", "low"))
        )
        channels = node.get("channels")
        used = tuple(dict.fromkeys(task.via for task in self._ruleset.tasks if task.via))
        spoken = {} if channels is None else translations(channels, self.problems, keys=used)
        if not all(parts.values()):
            return None
        named = {key: part or "" for key, part in parts.items()}
        return TaskTarget(
            **named,
            priority=inner.word("priority"),
            priorities=table,
            via=inner.word("via"),
            channels=spoken,
            note=inner.word("note"),
            person=inner.word("person"),
            places=_places(node),
        )


def _places(node: Node | None, before: str = "") -> dict[str, Span]:
    """Where the value of every key stands; those of an inner table as ``table.entry``."""
    found: dict[str, Span] = {}
    for key, value in node.entries if isinstance(node, Mapping) else ():
        found[before + key.text] = value.span
        found |= _places(value, f"{before}{key.text}.")
    return found


def _other_stem(keys: Keys, connector: str, stem: str) -> Diagnostic:
    return warning(
        "MAP010",
        keys.value_place("connector"),
        Text(
            zh=f"文件名是 {stem}.yaml，但 connector 是 {connector}",
            en=f"the file is {stem}.yaml, but its connector is {connector}",
        ),
        Text(
            zh=f"把文件改名为 {connector}.yaml，crmsync 按文件名找映射",
            en=f"Rename the file to {connector}.yaml: mappings are found by their file name.",
        ),
    )


def _lines(name: Scalar) -> Diagnostic:
    return error(
        "MAP005",
        name.span,
        Text(zh=f"“{name.text}”下面应是“键: 值”", en=f"“{name.text}” must hold “key: value” lines"),
        Text(
            zh="另起一行缩进写“键: 值”",
            en="Write “key: value” on lines of their own, indented below it.",
        ),
    )


def _no_people(each: ForEach, related: MappingOf[str, Related]) -> Diagnostic:
    mend, _ = did_you_mean(each.related, related)
    return error(
        "MAP013",
        each.span,
        Text(
            zh=f"映射没有声明关联“{each.related}”",
            en=f"the mapping declares no relation “{each.related}”",
        ),
        mend or Text(zh="在映射的 related: 中声明它", en="Declare it under related: there."),
    )


def _written_twice(role: Scalar, pick: FieldPick, first: WriteTarget) -> Diagnostic:
    return error(
        "MAP011",
        role.span,
        Text(
            zh=f"{role.text} 和 {first.role} 写的是同一个字段 {pick}",
            en=f"{role.text} and {first.role} write the same field {pick}",
        ),
        Text(zh="每个内容用自己的字段", en="Give each its own field."),
        labels=(Label(first.field.span, Text(zh="已用在这里", en="already used here")),),
    )
