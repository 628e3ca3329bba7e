"""What every verb shares: two streams, documents, questions that can or cannot be asked."""

from __future__ import annotations

import io
import json
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest
from click.testing import CliRunner

from crmsync.cli.face import Face, face_options
from crmsync.cli.run import ask_to_write
from crmsync.cli.start import init_command
from crmsync.connector import connectors
from crmsync.errors import UsageError
from crmsync.model.text import Text

QUESTION = Text(zh="建立字段？", en="Create the fields?")


class Terminal(io.StringIO):
    """A stream a person sits at."""

    def isatty(self) -> bool:
        return True


def face(**more: Any) -> Face:
    known: dict[str, Any] = {
        "folder": Path(),
        "json": False,
        "quiet": False,
        "color": False,
        "yes": False,
        "today": None,
    }
    return Face(**(known | more))


def types(monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    """Somebody sits at a terminal and types *words*."""
    # Streams are put in place inside the test: between set-up and call pytest renews its own.
    monkeypatch.setattr(sys, "stdin", Terminal(words))
    monkeypatch.setattr(sys, "stderr", Terminal())


def given(*words: str) -> Face:
    """The face a verb gets for these words."""
    got: list[Face] = []

    @click.command
    @face_options
    def verb(face: Face) -> None:
        got.append(face)

    result = CliRunner().invoke(verb, list(words), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return got[0]


def test_the_shared_options_arrive_in_one_object(tmp_path: Path) -> None:
    words = ("--project", str(tmp_path), "--json", "-q", "--yes", "--today", "2026-11-22")
    found = given(*words)
    assert (found.folder, found.json, found.quiet, found.yes) == (tmp_path, True, True, True)
    assert found.today == date(2026, 11, 22)


def test_the_project_is_the_working_folder_unless_named() -> None:
    assert given().folder == Path.cwd()


@pytest.mark.parametrize(
    ("words", "environment", "color"),
    [
        ([], {}, False),
        ([], {"CLICOLOR_FORCE": "1"}, True),
        (["--no-color"], {"CLICOLOR_FORCE": "1"}, False),
        ([], {"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_colour_is_for_terminals_and_for_who_asks(
    words: list[str], environment: dict[str, str], color: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_COLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert given(*words).color is color


def test_a_day_that_is_none_is_refused_with_the_form_it_should_have() -> None:
    @click.command
    @face_options
    def verb(face: Face) -> None:
        raise AssertionError

    result = CliRunner().invoke(verb, ["--today", "22.11.2026"])
    assert result.exit_code == 2
    assert "write 2026-11-22" in result.output


def test_without_a_terminal_a_question_is_refused_and_names_its_flag() -> None:
    with pytest.raises(UsageError) as refused:
        face().confirm(QUESTION, flag="--yes")
    assert refused.value.message.en == "this needs a yes: Create the fields?"
    assert refused.value.mend is not None
    assert "--yes" in refused.value.mend.zh
    assert "--yes" in refused.value.mend.en


def test_where_there_is_no_standard_input_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert not face().terminal


def test_with_json_nobody_is_asked_even_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    types(monkeypatch, "y\n")
    with pytest.raises(UsageError):
        face(json=True).confirm(QUESTION, flag="--yes")


def test_the_flag_answers_without_asking(capsys: pytest.CaptureFixture[str]) -> None:
    face(yes=True).confirm(QUESTION, flag="--yes")
    assert capsys.readouterr() == ("", "")


def test_a_yes_goes_on_and_a_no_stops(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    types(monkeypatch, "y\n")
    face().confirm(QUESTION, flag="--yes")
    types(monkeypatch, "n\n")
    with pytest.raises(click.Abort):
        face().confirm(QUESTION, flag="--yes")
    assert capsys.readouterr().out == "", "questions are no data"


def test_init_without_a_terminal_names_the_flag_and_the_choices(tmp_path: Path) -> None:
    result = CliRunner().invoke(init_command, ["--project", str(tmp_path)])
    assert isinstance(result.exception, UsageError)
    assert "--crm" in result.exception.message.en
    assert result.exception.mend is not None
    for spec in connectors():
        assert spec.name in result.exception.mend.en
    assert list(tmp_path.iterdir()) == []


def applying(environment: str) -> Any:
    """The part of an apply made ready that is asked about."""
    headline = Text(zh="计划 p1", en="Plan p1")
    return SimpleNamespace(environment=environment, connection="zoho-prod", headline=headline)


def test_production_is_never_written_without_a_word_from_somebody() -> None:
    with pytest.raises(UsageError) as refused:
        ask_to_write(face(), applying("production"), approved=False)
    assert refused.value.mend is not None
    for flag in ("--approve", "--yes"):
        assert flag in refused.value.mend.zh
        assert flag in refused.value.mend.en


@pytest.mark.parametrize(
    ("environment", "yes", "approved"),
    [("production", True, False), ("production", False, True), ("practice", False, False)],
)
def test_consent_may_be_given_beforehand_and_practice_needs_none(
    environment: str, yes: bool, approved: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    ask_to_write(face(yes=yes), applying(environment), approved=approved)
    assert capsys.readouterr() == ("", "Plan p1\n")


def test_at_a_terminal_the_name_of_the_connection_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    types(monkeypatch, "zoho-prod\n")
    ask_to_write(face(), applying("production"), approved=False)
    types(monkeypatch, "y\n")
    with pytest.raises(click.Abort):
        ask_to_write(face(), applying("production"), approved=False)


def test_talk_goes_to_stderr_and_quiet_ends_it(capsys: pytest.CaptureFixture[str]) -> None:
    face().talk("你好", "hello")
    face(quiet=True).talk("你好", "hello")
    assert capsys.readouterr() == ("", "hello\n")


def test_a_document_names_its_schema_first(capsys: pytest.CaptureFixture[str]) -> None:
    body = {
        "text": Text(zh="等级", en="tier"),
        "day": date(2026, 11, 22),
        "at": datetime(2026, 11, 22, 2, tzinfo=UTC),
        "score": Decimal("71.90"),
        "path": Path("plan.json"),
        "name": "客户",
    }
    face().document("crmsync.sample/1", body)
    out = capsys.readouterr().out
    assert next(iter(json.loads(out))) == "schema"
    assert json.loads(out) == {
        "schema": "crmsync.sample/1",
        "text": "tier",
        "day": "2026-11-22",
        "at": "2026-11-22T02:00:00+00:00",
        "score": "71.90",
        "path": "plan.json",
        "name": "客户",
    }
    assert "客户" in out, "people read documents too"


def test_on_a_pipe_lines_are_never_broken_and_never_coloured(
    capsys: pytest.CaptureFixture[str],
) -> None:
    line = "客户 " * 200 + "[red]:warning:"
    face(color=True).out().print(line, markup=False, emoji=False)
    assert capsys.readouterr().out == line + "\n"


def test_progress_leaves_no_trace_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with face().progress(Text(zh="读取", en="reading")) as progress:
        progress(1, None)
        progress(500, 500)
    assert capsys.readouterr() == ("", "")
