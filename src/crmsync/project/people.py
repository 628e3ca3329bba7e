"""Who gets a task: the words of a rule turned into a user of the CRM who is still there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from crmsync.connector import Reader, UserDirectory
from crmsync.errors import AccessDenied, UnexpectedReply
from crmsync.model.decision import TaskOpening
from crmsync.model.mapping import CrmMapping
from crmsync.model.ruleset import Ruleset
from crmsync.model.text import Text
from crmsync.model.user import UserList

ACCOUNT_OWNER = ("account owner", "客户负责人", "负责人")


@dataclass(frozen=True, slots=True)
class Staff:
    """Who stands behind the owners that rules name.

    ``people`` are of all connections (``crmsync.yaml``), ``own`` of this CRM (``users`` of its
    mapping) and stand above them. ``listed``: the CRM's own list of users; ``None`` where it tells
    none, and then nobody is taken for gone.
    """

    people: Mapping[str, str] = field(default_factory=dict)
    own: Mapping[str, str] = field(default_factory=dict)
    listed: UserList | None = None
    closed: bool = False
    """The CRM has a list of users and does not show it to our sign-in."""

    def user(self, word: str) -> str | None:
        """The id behind an owner's word, if it is that of an active user."""
        named = self.own.get(word, self.people.get(word))
        if named is None:
            bare = {*self.people.values(), *self.own.values()}
            named = word if word in bare else None
        if named is None or self.listed is None:
            return named
        return self.listed.find(named)

    def here(self, owner: str | None) -> str | None:
        """A record's owner, unless that user has left."""
        if not owner or (self.listed is not None and not self.listed.active(owner)):
            return None
        return owner

    def notes(self) -> Iterator[Text]:
        """A sentence for every owner whose user the CRM does not know or no longer has."""
        if self.closed:
            yield Text(
                zh="CRM 不向这个登录身份提供用户名单，没有核对任务负责人是否在职",
                en="the CRM does not show its users to this sign-in: whether owners of tasks are "
                "still there was not checked",
            )
        if self.listed is None:
            return
        for word, named in sorted({**self.people, **self.own}.items()):
            if self.listed.find(named) is None and (word in self.own or not self.own):
                yield Text(
                    zh=f"{word} → {named}：CRM 里没有这个在职用户，任务会派给下一个负责人",
                    en=f"{word} → {named}: no such active user in the CRM; tasks go to the next "
                    "owner",
                )


def owner_resolver(staff: Staff) -> Callable[[TaskOpening, str | None], str | None]:
    """A resolver over *staff*.

    ``account owner`` is the record's owner; ``judge`` must have been replaced by whoever judges the
    missing fact. A bare user id stands for itself only when *staff* lists it as a value. The first
    word that resolves to an active user wins; none means the task is listed instead of created.
    """

    def resolve(opening: TaskOpening, record_owner: str | None) -> str | None:
        for word in opening.owner:
            found = staff.here(record_owner) if word in ACCOUNT_OWNER else staff.user(word)
            if found is not None:
                return found
        return None

    return resolve


def staff_of(
    reader: Reader, people: Mapping[str, str], rules: Ruleset, mapping: CrmMapping
) -> Staff:
    """Everybody owners may stand for; the CRM's users are asked only where tasks want an owner."""
    staff = Staff(people, mapping.users)
    if not rules.tasks or mapping.tasks is None or not isinstance(reader, UserDirectory):
        return staff
    try:
        return replace(staff, listed=UserList(reader.users()))
    except (AccessDenied, UnexpectedReply):
        return replace(staff, closed=True)
