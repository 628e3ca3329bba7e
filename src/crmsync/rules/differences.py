"""Two versions of a ruleset compared in meaning: “A: enter 80 → 78”, not in cells or lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from crmsync.condition import Scope, to_text
from crmsync.model.condition import Condition
from crmsync.model.ruleset import Ruleset
from crmsync.model.scorecard import Criterion, PointsMatrix, PointsTable, Scale
from crmsync.model.task import TaskRule
from crmsync.model.text import Text
from crmsync.model.tier import TierRow
from crmsync.rules.language import state_scope


@dataclass(frozen=True, slots=True)
class _Said:
    """One thing a ruleset says. Of things in one *group* those that came and those that went are
    told side by side."""

    group: str
    key: str
    what: Text
    value: Text


def differences(before: Ruleset, after: Ruleset) -> tuple[Text, ...]:
    """What *after* says otherwise, in the order of the blocks; empty when both mean the same.

    Where the rulesets differ in something that is no matrix, the last line says so.
    """
    old, new = list(_said(before)), list(_said(after))
    found = [*_changed(old, new), *_come_and_gone(old, new)]
    if not found and before.digest != after.digest:
        found.append(Text(zh="其他内容有变化", en="something else has changed"))
    return tuple(found)


def _changed(old: list[_Said], new: list[_Said]) -> Iterator[Text]:
    known = {(item.group, item.key): item for item in old}
    for item in new:
        was = known.get((item.group, item.key))
        if was is not None and was.value != item.value:
            yield Text(
                zh=f"{item.what.zh} {was.value.zh} → {item.value.zh}",
                en=f"{item.what.en} {was.value.en} → {item.value.en}",
            )


def _come_and_gone(old: list[_Said], new: list[_Said]) -> Iterator[Text]:
    before = {(item.group, item.key) for item in old}
    after = {(item.group, item.key) for item in new}
    groups = dict.fromkeys(item.group for item in [*old, *new])
    for group in groups:
        gone = [i for i in old if i.group == group and (group, i.key) not in after]
        come = [i for i in new if i.group == group and (group, i.key) not in before]
        if len(gone) == len(come):
            for one, other in zip(gone, come, strict=True):
                yield Text(
                    zh=f"{one.what.zh} {one.value.zh} → {_short(one.what.zh, other.what.zh)} "
                    f"{other.value.zh}",
                    en=f"{one.what.en} {one.value.en} → {_short(one.what.en, other.what.en)} "
                    f"{other.value.en}",
                )
            continue
        for item in gone:
            yield Text(
                zh=f"去掉 {item.what.zh} {item.value.zh}",
                en=f"gone: {item.what.en} {item.value.en}",
            )
        for item in come:
            yield Text(
                zh=f"新增 {item.what.zh} {item.value.zh}",
                en=f"new: {item.what.en} {item.value.en}",
            )


def _short(first: str, second: str) -> str:
    """The second sentence without the label both begin with."""
    label = first.partition(": ")[0] + ": "
    return second.removeprefix(label)


def _said(ruleset: Ruleset) -> Iterator[_Said]:
    levels = () if ruleset.tier is None else ruleset.tier.levels
    stages = () if ruleset.lifecycle is None else ruleset.lifecycle.stages
    scope = state_scope(ruleset.facts, levels, stages)
    for card in ruleset.scorecards:
        for criterion in card.criteria:
            yield from _criterion(card.id, criterion, scope)
    for level in levels:
        for key, line, zh in (("enter", level.enter, "升级线"), ("keep", level.keep, "保级线")):
            if line is not None:
                what = Text(zh=f"{level.label.zh}: {zh}", en=f"{level.label.en}: {key}")
                yield _Said(f"tier.{level.id}", key, what, Text.same(f"{line.normalize():f}"))
    labels = {level.id: level.label for level in levels}
    table = None if ruleset.tier is None else ruleset.tier.table
    for row in () if table is None else table.rows:
        yield from _row(row, labels, scope)
    for service in ruleset.service.values():
        tier = labels.get(service.tier, Text.same(service.tier))
        stage = next((item.label for item in stages if item.id == service.stage), Text.same(""))
        for value in service.values:
            name = value.label or Text.same(value.name)
            zh = f"{tier.zh}{'·' if stage.zh else ''}{stage.zh}: {name.zh}"
            en = f"{tier.en}{' · ' if stage.en else ''}{stage.en}: {name.en}"
            yield _Said(f"service.{service.id}", value.name, Text(zh=zh, en=en), value.text)
    for number, task in enumerate(ruleset.tasks):
        yield from _task(number, task, scope)


def _row(row: TierRow, labels: Mapping[str, Text], scope: Scope) -> Iterator[_Said]:
    """What a row of a table of tiers gives and keeps; both go by what it asks."""
    test, tier = _test(row.when, scope), Text(zh="等级", en="tier")
    for group, verb, level in (("gives", "得", row.level), ("keeps", "可保", row.keep)):
        if group == "gives" or row.keep != row.level:
            what = Text(zh=f"{tier.zh}: {test.zh} {verb}", en=f"{tier.en}: {test.en} {group}")
            yield _Said(f"tier.table.{group}", test.en, what, labels[level])


def _criterion(card: str, criterion: Criterion, scope: Scope) -> Iterator[_Said]:
    group, label = f"{card}.{criterion.id}", criterion.label
    for number, way in enumerate(criterion.ways):
        if isinstance(way, Scale):
            for at, points in way.anchors:
                shown = Text.same(f"{at.normalize():f}")
                yield _line(f"{group}.{number}", shown, f"{points.normalize():f}", label)
        if isinstance(way, PointsTable | PointsMatrix):
            for line in way.lines:
                test = _test(line.when, scope)
                yield _line(f"{group}.{number}", test, f"{line.points.normalize():f}", label)


def _line(group: str, test: Text, points: str, label: Text) -> _Said:
    what = Text(zh=f"{label.zh}: {test.zh} 得", en=f"{label.en}: {test.en} gives")
    return _Said(group, test.en, what, Text.same(points))


def _test(when: Condition | None, scope: Scope) -> Text:
    if when is None:
        return Text(zh="其他", en="otherwise")
    return Text(zh=to_text(when, scope, spelling="zh"), en=to_text(when, scope, spelling="en"))


def _task(number: int, task: TaskRule, scope: Scope) -> Iterator[_Said]:
    group = f"tasks.{number}.{task.id}"
    unit = (
        Text(zh="天", en="days") if task.due.calendar_days else Text(zh="个工作日", en="workdays")
    )
    when = Text.same("–")
    if task.when is not None:
        when = Text(
            zh=to_text(task.when, scope, spelling="zh"), en=to_text(task.when, scope, spelling="en")
        )
    said = (
        ("owner", "负责人", Text.same(", ".join(task.owner))),
        ("due", "期限", Text(zh=f"{task.due.days} {unit.zh}", en=f"{task.due.days} {unit.en}")),
        ("priority", "优先级", Text.same(task.priority.value)),
        ("when", "条件", when),
        ("title", "标题", task.title),
    )
    for key, zh, value in said:
        what = Text(zh=f"任务 {task.id}: {zh}", en=f"task {task.id}: {key}")
        yield _Said(group, key, what, value)
