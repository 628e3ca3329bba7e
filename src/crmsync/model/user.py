"""The users of a CRM: who may own a task today."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class User:
    """One user; ``active``: works there and may sign in."""

    id: str
    name: str
    active: bool = True


class UserList:
    """The users of one CRM account, as they were when a plan was made."""

    def __init__(self, users: Iterable[User]) -> None:
        self._users = {user.id: user for user in users}

    def active(self, id: str) -> bool:
        """Whether that id is a user who is still there."""
        user = self._users.get(id)
        return user is not None and user.active

    def find(self, word: str) -> str | None:
        """The active user of that id, else the only active one of that name."""
        if word in self._users:
            return word if self.active(word) else None
        named = [user.id for user in self._users.values() if user.active and user.name == word]
        return named[0] if len(named) == 1 else None
