"""Each connector's checklist is whole, and what can be verified of it is verified."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from tests.contract.installed import CONNECTORS, ROOT, harnesses

from crmsync.testing import Sandbox
from crmsync.testing.quality import (
    QUALITY_RULES,
    Level,
    Quality,
    QualityError,
    RuleStatus,
    Status,
    read_quality,
)

NAMES = [name for rules in QUALITY_RULES.values() for name in rules]


@pytest.mark.parametrize("name", CONNECTORS)
def test_the_checklist_of_a_connector_is_whole(name: str) -> None:
    quality = read_quality(CONNECTORS[name] / "quality.yaml")
    assert quality.level is not Level.NONE
    for rule, status in quality.rules.items():
        if status.status is Status.DONE and status.note:
            evidence = status.note.split("::")[0]
            assert (ROOT / evidence).exists(), f"{rule}: {evidence} does not exist"
        if status.status is Status.EXEMPT:
            assert status.note, f"{rule}: an exemption needs its reason"


@pytest.mark.parametrize("name", CONNECTORS)
def test_what_is_called_done_can_be_seen(name: str) -> None:
    folder = CONNECTORS[name]
    rules = read_quality(folder / "quality.yaml").rules
    spec = importlib.import_module(folder.name).SPEC
    if rules["sandbox"].status is Status.DONE:
        assert issubclass(spec.load("sandbox"), Sandbox)
    if rules["contract_suite"].status is Status.DONE:
        assert name in harnesses()
    if rules["guide"].status is Status.DONE:
        guide = (folder / "GUIDE.md").read_text(encoding="utf-8").lower()
        for topic in ("scope", "field", "limit", "cost", "remov"):
            assert topic in guide, f"GUIDE.md says nothing of {topic}…"


def statuses(**changed: Status) -> Quality:
    return Quality({name: RuleStatus(changed.get(name, Status.DONE)) for name in NAMES})


def test_the_level_is_the_highest_without_gaps() -> None:
    assert statuses().level is Level.GOLD
    assert statuses(jobs=Status.EXEMPT).level is Level.GOLD
    assert statuses(jobs=Status.TODO).level is Level.SILVER
    assert statuses(resume=Status.TODO).level is Level.BRONZE
    assert statuses(check=Status.TODO).level is Level.NONE


def test_every_problem_of_a_checklist_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "quality.yaml"
    path.write_text("bronze: {check: maybe, chekc: done}\nsilver: {jobs: done}\ncopper: {}\n")
    with pytest.raises(QualityError) as caught:
        read_quality(path)
    told = str(caught.value)
    for part in (
        "check: write done",
        "unknown rule chekc",
        "describe is missing",
        "silver: unknown",
    ):
        assert part in told
    assert "unknown key copper" in told
