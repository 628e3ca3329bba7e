"""Who gets a task: the words of a rule turned into a user of the CRM."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from crmsync.model.decision import TaskOpening

ACCOUNT_OWNER = ("account owner", "客户负责人", "负责人")


def owner_resolver(people: Mapping[str, str]) -> Callable[[TaskOpening, str | None], str | None]:
    """A resolver over *people* (``role:客服主管`` → user id, from ``crmsync.yaml``).

    ``account owner`` is the record's owner; ``judge`` must have been replaced by whoever judges the
    missing fact. A bare user id stands for itself only when *people* lists it as a value. The first
    word that resolves wins; none means the task is listed instead of created.
    """
    known = set(people.values())

    def resolve(opening: TaskOpening, record_owner: str | None) -> str | None:
        for word in opening.owner:
            if word in ACCOUNT_OWNER:
                if record_owner:
                    return record_owner
            elif word in people:
                return people[word]
            elif word in known:
                return word
        return None

    return resolve
