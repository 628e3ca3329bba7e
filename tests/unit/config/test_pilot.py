"""A pilot limits writing to a group; without one everybody belongs to it."""

from pathlib import Path

import pytest

from crmsync.config.project_file import load_project
from crmsync.errors import ConfigError


def write(folder: Path, text: str) -> Path:
    (folder / "crmsync.yaml").write_text("version: 1\n" + text, encoding="utf-8")
    return folder


def test_without_a_pilot_everybody_is_admitted(tmp_path: Path) -> None:
    assert load_project(write(tmp_path, "")).pilot.admits("any", None)


def test_a_pilot_admits_its_owners_and_its_records(tmp_path: Path) -> None:
    pilot = load_project(write(tmp_path, 'pilot: {owners: ["1000"], ids: [a1]}\n')).pilot
    assert pilot.admits("x", "1000")
    assert pilot.admits("a1", None)
    assert not pilot.admits("x", "1001")


def test_a_pilot_that_is_no_list_is_refused_at_its_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_project(write(tmp_path, "pilot: {owners: 1000}\n"))
    assert [(item.code, item.span.line) for item in caught.value.diagnostics] == [("CONF005", 2)]
