"""Who gets a task: users of the mapping, people of the project, and nobody who has left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.unit.rules.writing import only, typed

from crmsync.config import read_mapping
from crmsync.errors import AccessDenied
from crmsync.model.decision import TaskOpening
from crmsync.model.mapping import CrmMapping
from crmsync.model.ruleset import Ruleset
from crmsync.model.text import Text
from crmsync.model.user import User, UserList
from crmsync.project.people import Staff, owner_resolver, staff_of

USERS = UserList(
    (
        User("u1", "王芳"),
        User("u2", "张敏", active=False),
        User("u3", "李强"),
        User("u4", "李强"),
        User("u5", "李强 (旧)", active=False),
    )
)
MAPPING = """\
connector: zett
object: A
identity: {name: N}
tasks: {object: T, key: K, subject: S, due: D, owner: O, about: W, status: X, open: o, closed: c}
"""
MANAGER = (
    "    owner: account owner\n    due: 2 workdays",
    "    owner: role:主管\n    due: 2 workdays",
)


def opening(*owner: str) -> TaskOpening:
    return TaskOpening("k", "call", Text.same("call"), owner, date(2026, 11, 22), "normal")


def owner(staff: Staff, *words: str, record: str | None = "u1") -> str | None:
    return owner_resolver(staff)(opening(*words), record)


def test_the_first_active_owner_of_a_list_wins() -> None:
    staff = Staff({"role:lead": "u2", "queue:care": "u3"}, listed=USERS)
    assert owner(staff, "role:lead", "account owner") == "u1"
    assert owner(staff, "role:lead", "queue:care") == "u3"
    assert owner(staff, "account owner", "queue:care", record="u2") == "u3"
    assert owner(staff, "account owner", record="u2") is None
    assert owner(staff, "account owner", record="nobody") is None
    assert owner(staff, "role:lead") is None


def test_the_mapping_stands_above_the_project() -> None:
    staff = Staff({"role:lead": "u3"}, {"role:lead": "王芳"}, USERS)
    assert owner(staff, "role:lead") == "u1"


@pytest.mark.parametrize(
    ("named", "found"),
    [("u1", "u1"), ("王芳", "u1"), ("u2", None), ("张敏", None), ("李强", None), ("nobody", None)],
)
def test_users_go_by_id_or_by_a_name_only_one_active_user_has(
    named: str, found: str | None
) -> None:
    staff = Staff(own={"role:lead": named}, listed=USERS)
    assert owner(staff, "role:lead") == found
    assert bool(list(staff.notes())) is (found is None)


def test_where_the_crm_tells_no_users_nobody_is_taken_for_gone() -> None:
    staff = Staff({"role:lead": "u2"})
    assert owner(staff, "role:lead") == "u2"
    assert owner(staff, "u2") == "u2"
    assert owner(staff, "u7") is None
    assert owner(staff, "account owner", record="gone") == "gone"
    assert list(staff.notes()) == []


def test_owners_without_a_user_are_told() -> None:
    (note,) = Staff(own={"role:lead": "张敏"}, listed=USERS).notes()
    assert note.zh.startswith("role:lead → 张敏：")
    assert "no such active user" in note.en


class _Directory:
    """A reader that tells its users, or keeps them to itself."""

    def __init__(self, *, closed: bool = False) -> None:
        self.asked = 0
        self._closed = closed

    def users(self) -> Sequence[User]:
        self.asked += 1
        if self._closed:
            raise AccessDenied(Text(zh="没有权限", en="not allowed"))
        return (User("u1", "王芳"),)


def read(folder: Path, rules: Ruleset, more: str = "") -> CrmMapping:
    path = folder / "zett.yaml"
    path.write_text(MAPPING + more, encoding="utf-8")
    mapping, findings = read_mapping(path, rules)
    assert findings == []
    assert mapping is not None
    return mapping


def test_users_are_asked_only_where_tasks_want_an_owner(tmp_path: Path) -> None:
    rules = typed(tmp_path, MANAGER)
    mapping = read(tmp_path, rules)
    told = _Directory()

    def staff(reader: object, rules: Ruleset, mapping: CrmMapping) -> Staff:
        return staff_of(reader, {"role:主管": "u1"}, rules, mapping)  # type: ignore[arg-type]

    listed = staff(told, rules, mapping).listed
    assert listed is not None
    assert listed.active("u1")
    assert staff(told, replace(rules, tasks=()), mapping).listed is None
    assert staff(told, rules, replace(mapping, tasks=None)).listed is None
    assert told.asked == 1
    assert list(staff(SimpleNamespace(), rules, mapping).notes()) == []
    closed = staff(_Directory(closed=True), rules, mapping)
    assert closed.listed is None
    (note,) = closed.notes()
    assert "was not checked" in note.en


def test_a_mapping_names_the_users_of_its_crm(tmp_path: Path) -> None:
    rules = typed(tmp_path, MANAGER)
    mapping = read(tmp_path, rules, "users: {role:主管: 王芳}\n")
    assert mapping.users == {"role:主管": "王芳"}
    assert mapping.digest != read(tmp_path, rules).digest


def test_an_owner_no_task_names_is_a_warning_with_the_nearest(tmp_path: Path) -> None:
    rules = typed(tmp_path, MANAGER)
    path = tmp_path / "zett.yaml"
    path.write_text(f"{MAPPING}users: {{role:主官: 王芳}}\n", encoding="utf-8")
    found = only(read_mapping(path, rules)[1], "MAP025")
    assert found.fix is not None
    assert found.fix.replacement == "role:主管"
    path.write_text(f"{MAPPING}users: {{role:主管: [王芳]}}\n", encoding="utf-8")
    only(read_mapping(path, rules)[1], "MAP005")
