"""The plan file and its provenance: altered, truncated, old, foreign or used plans are refused."""

from __future__ import annotations

import random
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.unit.plan.builders import NOW, customer, inputs, opening

from crmsync.errors import PlanRefused
from crmsync.model.plan import PlanSource, short_digest
from crmsync.plan import (
    PlanFile,
    Present,
    approves,
    build,
    check_plan,
    read_plan,
    write_plan,
)
from crmsync.store import StoredPlan

KEY = b"k" * 32


@pytest.fixture
def path(tmp_path: Path) -> Path:
    target = tmp_path / "plan.json"
    with build(inputs(), [customer(n, opens=(opening(n),)) for n in range(1, 5)]) as draft:
        write_plan(target, draft, KEY)
    return target


def test_a_plan_comes_back_as_it_was_written(tmp_path: Path) -> None:
    items = [customer(n, opens=(opening(n),)) for n in range(1, 5)]
    with build(inputs(), items) as draft:
        digest = write_plan(tmp_path / "p", draft, KEY)
        plan = read_plan(tmp_path / "p", KEY)
        assert plan.header == draft.header
        assert list(plan.lines()) == list(draft.lines())
        assert plan.digest == digest
    assert stat.S_IMODE((tmp_path / "p").stat().st_mode) == 0o600
    assert [item.name for item in tmp_path.iterdir()] == ["p"]


def refused(path: Path, key: bytes = KEY) -> None:
    with pytest.raises(PlanRefused) as caught:
        list(read_plan(path, key).lines())
    assert caught.value.exit == 5


def test_any_flipped_bit_is_refused(path: Path) -> None:
    whole = path.read_bytes()
    chance = random.Random(7)
    for _ in range(1000):
        place = chance.randrange(len(whole))
        broken = bytearray(whole)
        broken[place] ^= 1 << chance.randrange(8)
        path.write_bytes(broken)
        refused(path)


LINES: list[Callable[[list[bytes]], list[bytes]]] = [
    lambda lines: lines[:-1],
    lambda lines: lines[:-2],
    lambda lines: lines[:2] + lines[3:],
    lambda lines: lines[:2] + lines[1:],
    lambda lines: [*lines, lines[1]],
    lambda lines: [*lines, lines[-1]],
    lambda lines: [lines[0], lines[2], lines[1], *lines[3:]],
    lambda lines: [*lines[:-1], lines[-1].rstrip(b"\n")],
    lambda lines: [*lines, b"\n"],
    lambda lines: [],
]


@pytest.mark.parametrize("damage", LINES)
def test_missing_added_and_moved_lines_are_refused(
    path: Path, damage: Callable[[list[bytes]], list[bytes]]
) -> None:
    path.write_bytes(b"".join(damage(path.read_bytes().splitlines(keepends=True))))
    refused(path)


def test_another_key_a_missing_file_and_a_newer_format_are_refused(path: Path) -> None:
    refused(path, b"other")
    refused(path.with_name("none"))
    from crmsync.plan import planfile

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planfile, "VERSION", 2)
        with build(inputs(), [customer(1)]) as draft:
            write_plan(path, draft, KEY)
    refused(path)


def test_a_file_changed_between_the_check_and_the_use_is_refused(path: Path) -> None:
    plan = read_plan(path, KEY)
    with build(inputs(), [customer(9)]) as draft:
        write_plan(path, draft, KEY)
    with pytest.raises(PlanRefused):
        list(plan.lines())


def test_approvals_name_the_digest() -> None:
    digest = "7f3a" + "0" * 56 + "c91e"
    assert short_digest(digest) == "7f3a…c91e"
    for given in ("7f3a…c91e", "7F3A0000", digest):
        assert approves(given, digest)
    for given in ("7f3a", "", "7f3a…c91f", "00000000", digest + "0"):
        assert not approves(given, digest)


def present(plan: PlanSource, **changes: Any) -> Present:
    header = plan.header
    known = Present(
        now=NOW + timedelta(minutes=4),
        connection=header.connection,
        account_id=header.account_id,
        ruleset_digest=header.ruleset_digest,
        mapping_digest=header.mapping_digest,
        owned_fields=header.owned_fields,
        task_fields=header.task_fields,
        schema_fingerprint=header.schema_fingerprint,
    )
    return replace(known, **changes)


def stored(plan: PlanFile, **changes: Any) -> StoredPlan:
    header = plan.header
    known = StoredPlan(
        header.plan_id, plan.digest, None, header.created_at, header, run_id=None, ended=False
    )
    return replace(known, **changes)


def test_a_fresh_plan_may_be_applied(path: Path) -> None:
    plan = read_plan(path, KEY)
    assert check_plan(plan, present(plan), stored(plan)) is None


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"now": NOW + timedelta(hours=25)}, "expired"),
        ({"now": NOW - timedelta(minutes=1)}, "clock"),
        ({"connection": "other"}, "connection"),
        ({"account_id": "org-2"}, "account"),
        ({"ruleset_digest": "x"}, "rules"),
        ({"mapping_digest": "x"}, "mapping"),
        ({"owned_fields": ("Tier",)}, "may write"),
        ({"task_fields": ("Subject",)}, "may write"),
        ({"schema_fingerprint": "x"}, "fields"),
        ({"applied_since": 7}, "run 7"),
    ],
)
def test_each_change_of_circumstance_refuses_the_plan(
    path: Path, changes: dict[str, Any], word: str
) -> None:
    plan = read_plan(path, KEY)
    with pytest.raises(PlanRefused, match=word) as caught:
        check_plan(plan, present(plan, **changes), stored(plan))
    assert caught.value.exit == 5


def test_a_plan_unknown_to_the_state_is_refused(path: Path) -> None:
    plan = read_plan(path, KEY)
    with pytest.raises(PlanRefused, match="does not know"):
        check_plan(plan, present(plan), None)
    with pytest.raises(PlanRefused, match="registered"):
        check_plan(plan, present(plan), stored(plan, digest="x"))


def test_a_completed_plan_is_told_by_its_run_and_an_unfinished_one_by_resume(path: Path) -> None:
    plan = read_plan(path, KEY)
    late = present(plan, now=NOW + timedelta(days=9))
    assert check_plan(plan, late, stored(plan, run_id=42, ended=True)) == 42
    with pytest.raises(PlanRefused) as caught:
        check_plan(plan, late, stored(plan, run_id=42, ended=False))
    assert caught.value.mend is not None
    assert "--resume 42" in caught.value.mend.en
