"""Tasks of one customer: those that should exist, and those whose time is over."""

from __future__ import annotations

from collections.abc import Mapping

from crmsync.model.decision import TaskClosing, TaskOpening
from crmsync.model.mapping import TaskTarget
from crmsync.model.plan import TaskClose, TaskCreate, Withheld
from crmsync.model.record import RecordRef, Value
from crmsync.model.state import Episode
from crmsync.model.text import Text
from crmsync.plan.identity import change_id
from crmsync.plan.inputs import Evaluated, PlanInputs

TASKS_OFF = Text(
    zh="这个 CRM 不能保证任务只建一次，所以不建任务；能接受重复时，在连接里写"
    " accept_duplicate_tasks: true",
    en="this CRM cannot create a task only once, so tasks are off; where duplicates do no harm,"
    " write accept_duplicate_tasks: true at the connection",
)


class Tasks:
    """Makes task lines for one plan; without a task mapping there are none."""

    def __init__(self, inputs: PlanInputs) -> None:
        self._inputs = inputs
        self._target = inputs.mapping.tasks
        languages = inputs.ruleset.languages
        self._language = languages[0] if languages else "en"

    def creations(
        self, item: Evaluated, known: Mapping[str, Episode]
    ) -> tuple[list[TaskCreate], list[Withheld]]:
        """Tasks not yet known; and those nobody can own or the CRM will not take."""
        made: list[TaskCreate] = []
        held: list[Withheld] = []
        for opening in item.decision.opens:
            if self._target is None or not known.keys().isdisjoint(opening.keys):
                continue
            refusal = self._inputs.refused.get(RecordRef(self._target.object, opening.key))
            if refusal is not None:
                held.append(Withheld(item.row.ref, item.row.name, "dead_letter", refusal.text))
                continue
            if not self._inputs.policy.create_tasks:
                held.append(Withheld(item.row.ref, item.row.name, "tasks_off", TASKS_OFF))
                continue
            owner = self._inputs.owner(opening, item.row.owner)
            if owner is None:
                held.append(_no_owner(item, opening))
            else:
                made.append(self._create(item, opening, owner, self._target))
        return made, held

    def closings(self, item: Evaluated, known: Mapping[str, Episode]) -> list[TaskClose]:
        """Our open tasks whose reason is gone."""
        if self._target is None:
            return []
        return [
            self._close(item, closing, known[closing.key].crm_id or "", self._target)
            for closing in item.decision.closes
            if closing.key in known and known[closing.key].closed_on is None
        ]

    def _create(
        self, item: Evaluated, opening: TaskOpening, owner: str, target: TaskTarget
    ) -> TaskCreate:
        values: dict[str, Value] = {
            target.key: opening.key,
            target.subject: opening.title.to(self._language),
            target.due: opening.due,
            target.owner: owner,
            target.about: item.row.ref.id,
            target.status: target.open,
        }
        if target.priority is not None:
            values[target.priority] = target.priorities.get(opening.priority, opening.priority)
        if target.via is not None and opening.via is not None:
            values[target.via] = target.channels.get(opening.via, opening.via)
        if target.person is not None and opening.person is not None:
            values[target.person] = opening.person
        if target.note is not None and opening.note is not None:
            values[target.note] = opening.note.to(self._language)
        return TaskCreate(
            change_id=change_id(self._inputs.ruleset.id, "task", opening.key),
            key=opening.key,
            task_id=opening.task_id,
            about=item.row.ref,
            name=item.row.name,
            title=opening.title,
            due=opening.due,
            owner=owner,
            priority=opening.priority,
            object=target.object,
            key_field=target.key,
            values=values,
        )

    def _close(
        self, item: Evaluated, closing: TaskClosing, crm_id: str, target: TaskTarget
    ) -> TaskClose:
        return TaskClose(
            change_id=change_id(self._inputs.ruleset.id, "close", closing.key),
            key=closing.key,
            task_id=closing.task_id,
            about=item.row.ref,
            name=item.row.name,
            ref=RecordRef(target.object, crm_id),
            before={target.status: target.open},
            values={target.status: target.closed},
            text=closing.text,
            key_field=target.key,
        )


def _no_owner(item: Evaluated, opening: TaskOpening) -> Withheld:
    wanted = ", ".join(opening.owner)
    text = Text(
        zh=f"任务 {opening.task_id} 找不到在职的负责人（{wanted}），未创建",
        en=f"no active user for task {opening.task_id} ({wanted}): not created",
    )
    return Withheld(item.row.ref, item.row.name, "no_owner", text)
