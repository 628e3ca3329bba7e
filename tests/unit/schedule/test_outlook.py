"""What ``doctor`` says of the schedule: the next runs, missed slots, a clock that went back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crmsync.project.finding import Finding
from crmsync.project.opening import Project, open_project
from crmsync.schedule.outlook import job_findings
from crmsync.store import Slot, SlotState

NOW = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
SETTINGS = """\
version: 1
connections:
  practice: {connector: zoho}
jobs:
  nightly: {ruleset: any, connection: practice, cron: "0 2 * * 1-5", time_zone: Asia/Shanghai}
"""
NIGHT = datetime(2026, 11, 19, 18, tzinfo=UTC)
"""Friday, 2 o'clock in Shanghai."""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "crmsync.yaml").write_text(SETTINGS)
    return open_project(tmp_path, now=lambda: NOW)


def found(project: Project, *slots: tuple[datetime, SlotState]) -> list[Finding]:
    with project.store() as store:
        for moment, state in slots:
            store.slots.claim(Slot("nightly", moment, state, "here:1", moment, moment))
    return list(job_findings(project))


def test_the_next_three_runs_stand_in_local_time(project: Project) -> None:
    (line,) = found(project, (NIGHT, SlotState.DONE))
    assert line.level == "ok"
    assert "2026-11-23 02:00, 2026-11-24 02:00, 2026-11-25 02:00 (Asia/Shanghai)" in line.text.en
    assert line.text.en.endswith("last: done")
    assert line.text.zh.endswith("最近：完成")


def test_a_job_that_never_ran_is_no_fault(project: Project) -> None:
    (line,) = found(project)
    assert line.level == "ok"
    assert line.text.en.endswith("last: –")


def test_slots_that_nobody_claimed_are_named_with_what_to_do(project: Project) -> None:
    _, line = found(project, (NIGHT - timedelta(days=3), SlotState.DONE))
    assert line.level == "warning"
    assert line.mend is not None
    assert line.mend.en == "crmsync serve"
    assert "3 slots came due" in line.text.en
    assert "2026-11-17 18:00, 2026-11-18 18:00, 2026-11-19 18:00" in line.text.en


def test_missed_slots_are_counted_and_named(project: Project) -> None:
    nights = [NIGHT - timedelta(days=n) for n in range(3)]
    states = [SlotState.DONE, SlotState.MISSED, SlotState.MISSED]
    first, line = found(project, *zip(nights, states, strict=True))
    assert first.level == "ok"
    assert "last: done, missed, missed" in first.text.en
    assert line.level == "warning"
    assert "2 of the last 3 slots were missed" in line.text.en
    assert "2026-11-17 18:00, 2026-11-18 18:00" in line.text.en


def test_a_latest_slot_that_failed_is_a_warning(project: Project) -> None:
    (line,) = found(project, (NIGHT, SlotState.FAILED))
    assert line.level == "warning"


def test_a_clock_before_the_latest_slot_went_back(project: Project) -> None:
    _, line = found(project, (NOW + timedelta(hours=5), SlotState.DONE))
    assert line.level == "warning"
    assert "went back" in line.text.en
    assert "倒退" in line.text.zh
