"""README.md and README.zh-CN.md say the same things in the same order."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FILES = ("README.md", "README.zh-CN.md")
PAGES = {file: (ROOT / file).read_text(encoding="utf-8") for file in FILES}
ENGLISH, CHINESE = (PAGES[file] for file in FILES)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def without_code(text: str) -> str:
    return FENCE.sub("", text)


def outline(text: str) -> list[str]:
    """The signs that carry the structure: headings by depth, steps, list items, table rows."""
    shape = re.compile(r"^(#+ |\*\*\d+ · |- |\||<!-- )", re.MULTILINE)
    return [found.strip() for found in shape.findall(without_code(text))]


def code_words(text: str) -> set[str]:
    return set(re.findall(r"`([^`\n]+)`", without_code(text)))


def test_the_outline_is_the_same() -> None:
    assert outline(CHINESE) == outline(ENGLISH)


def test_code_blocks_are_the_same_in_number_and_kind() -> None:
    assert [kind for kind, _ in FENCE.findall(CHINESE)] == [
        kind for kind, _ in FENCE.findall(ENGLISH)
    ]


def test_commands_keys_and_files_are_named_alike() -> None:
    assert code_words(CHINESE) == code_words(ENGLISH)


@pytest.mark.parametrize("file", FILES)
def test_every_link_into_the_repository_leads_somewhere(file: str) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)]+)\)", PAGES[file])
    assert links
    assert [link for link in links if not (ROOT / link.partition("#")[0]).exists()] == []


@pytest.mark.parametrize("file", FILES)
def test_every_crmsync_command_in_it_exists(file: str) -> None:
    from crmsync.cli.main import VERBS

    named = set(re.findall(r"(?:`|^\$ )crmsync ([a-z]+)", PAGES[file], re.MULTILINE))
    assert named <= set(VERBS)


@pytest.mark.parametrize("file", FILES)
def test_the_sample_of_settings_is_accepted(file: str, tmp_path: Path) -> None:
    from crmsync.config.project_file import load_project
    from crmsync.connector import connector

    (sample,) = [
        body for _, body in FENCE.findall(PAGES[file]) if body.startswith("# crmsync.yaml")
    ]
    (tmp_path / "crmsync.yaml").write_text(sample, encoding="utf-8")
    config = load_project(tmp_path)
    (job,) = config.jobs.values()
    connection = config.connections[job.connection]
    connector(connection.connector).load("settings").model_validate(dict(connection.keys))
