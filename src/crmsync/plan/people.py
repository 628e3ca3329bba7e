"""A task for every person: openings multiplied by the people below the customer."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from crmsync.model.decision import TaskOpening
from crmsync.model.person import Person
from crmsync.model.text import Text
from crmsync.plan.inputs import Evaluated, PlanInputs, Unchanged

PLACE = "{person}"
"""Stands in a title where the person's name goes."""
_KEPT = 4
"""Characters of a key that tell whose it is; the rest is a hash."""


def with_people(
    piece: Sequence[Evaluated | Unchanged], inputs: PlanInputs
) -> list[Evaluated | Unchanged]:
    """The customers with one opening for each person in place of those that stand for all.

    Everybody is looked up with one question for each task. A customer without such people opens
    nothing.
    """
    asked: dict[str, dict[str, None]] = {}
    for item in piece:
        if not isinstance(item, Evaluated):
            continue
        for opening in item.decision.opens:
            if opening.for_each:
                asked.setdefault(opening.task_id, {})[item.row.ref.id] = None
    if not asked:
        return list(piece)
    people = {task: inputs.people(task, list(ids)) for task, ids in asked.items()}
    return [_opened(item, people) if isinstance(item, Evaluated) else item for item in piece]


def _opened(item: Evaluated, people: Mapping[str, Mapping[str, Sequence[Person]]]) -> Evaluated:
    opens = tuple(
        each for opening in item.decision.opens for each in _each(opening, item.row.ref.id, people)
    )
    return replace(item, decision=replace(item.decision, opens=opens))


def _each(
    opening: TaskOpening, customer: str, people: Mapping[str, Mapping[str, Sequence[Person]]]
) -> Iterator[TaskOpening]:
    if not opening.for_each:
        yield opening
        return
    for person in people.get(opening.task_id, {}).get(customer, ()):
        title = Text(
            zh=opening.title.zh.replace(PLACE, person.name),
            en=opening.title.en.replace(PLACE, person.name),
        )
        key = person_key(opening.key, person.id)
        also = tuple(person_key(other, person.id) for other in opening.also)
        named = replace(opening, key=key, also=also, title=title)
        yield replace(named, person=person.id, for_each=False)


def person_key(key: str, person: str) -> str:
    """The key of one person's episode, as long as the *key* of the customer's."""
    digest = hashlib.blake2b(f"{key}\x1f{person}".encode(), digest_size=20).digest()
    letters = base64.b32encode(digest).decode("ascii")
    return key[:_KEPT] + letters[: len(key) - _KEPT]
