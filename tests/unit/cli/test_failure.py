"""However a run fails, the shell gets a documented code and the person a message with its mend."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

import click
import pytest

from crmsync.cli.failure import report_bug, report_error
from crmsync.cli.main import VERBS, main
from crmsync.errors import (
    ConfigError,
    CrmSyncError,
    ExitCode,
    PlanRefused,
    RulesetError,
    Throttled,
    UsageError,
)
from crmsync.model.diagnostic import Diagnostic, Severity
from crmsync.model.position import Span
from crmsync.model.text import Text

SECRET = "顾客张三 phone 13800000000"
HELP = Text(zh="怎么办", en="what to do")


def every(kind: type[CrmSyncError]) -> list[type[CrmSyncError]]:
    below = [kind for child in kind.__subclasses__() for kind in every(child)]
    return [kind, *below] if kind.__module__ == "crmsync.errors" else below


def leave(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """Run the command line in this process and give its exit code."""
    monkeypatch.setattr(sys, "argv", ["crmsync", *words])
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(SystemExit) as leaving:
            main()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert isinstance(leaving.value.code, int)
    return leaving.value.code


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Give the command line one more verb, ``boom``, that does what a test says."""

    def add(act: Callable[[], object]) -> None:
        module = ModuleType("crmsync.cli.boom")
        module.boom_command = click.command(act)  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "crmsync.cli.boom", module)
        monkeypatch.setitem(VERBS, "boom", ("boom", "explode"))

    return add


def failing(error: BaseException) -> Callable[[], object]:
    def act() -> object:
        raise error

    return act


@pytest.mark.parametrize("kind", every(CrmSyncError), ids=lambda kind: kind.__name__)
def test_an_error_of_ours_leaves_with_its_own_code(
    kind: type[CrmSyncError],
    verb: Callable[[Callable[[], object]], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    verb(failing(kind(Text(zh="出错", en="it failed"), mend=HELP)))
    assert leave(monkeypatch, "boom") == kind.exit
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f"error[{kind.code}]: it failed\n  = help: what to do\n"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (click.Abort(), ExitCode.INTERRUPTED),
        (KeyboardInterrupt(), ExitCode.INTERRUPTED),
        (click.UsageError("no"), ExitCode.USAGE),
        (click.ClickException("no"), ExitCode.USAGE),
        (click.exceptions.Exit(ExitCode.CHANGES), ExitCode.CHANGES),
        (SystemExit(ExitCode.TERMINATED), ExitCode.TERMINATED),
    ],
    ids=lambda item: type(item).__name__,
)
def test_every_other_end_has_its_code_too(
    error: BaseException,
    code: ExitCode,
    verb: Callable[[Callable[[], object]], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    verb(failing(error))
    assert leave(monkeypatch, "boom") == code
    assert "Traceback" not in capsys.readouterr().err


def test_a_verb_s_own_code_is_passed_on(
    verb: Callable[[Callable[[], object]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    verb(lambda: ExitCode.PARTIAL)
    assert leave(monkeypatch, "boom") == ExitCode.PARTIAL


def test_with_json_an_error_is_one_document_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    error = Throttled(Text(zh="太快", en="too fast"), mend=HELP, retry_after=3.0)
    assert report_error(error, ["plan", "--json"]) == ExitCode.TRY_LATER
    said = capsys.readouterr()
    assert said.err == ""
    document = json.loads(said.out)
    assert next(iter(document)) == "schema"
    assert document == {
        "schema": "crmsync.error/1",
        "code": "THROTTLED",
        "exit": 9,
        "message": "too fast",
        "help": "what to do",
    }


def finding(file: str) -> Diagnostic:
    return Diagnostic(
        code="RULE101",
        severity=Severity.ERROR,
        span=Span(file, 2, 3, 2, 6),
        message=Text(zh="没有这个事实", en="no such fact"),
        mend=HELP,
    )


def test_a_wrong_file_is_shown_with_every_finding_at_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text("a: 1\nb: xyz\n", encoding="utf-8")
    error = RulesetError(Text.same("wrong"), diagnostics=[finding(str(file)), finding(str(file))])
    assert report_error(error, ["plan"]) == ExitCode.FINDINGS
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("error[RULE101]: no such fact") == 2
    assert f"{file}:2:3" in said.err
    assert "b: xyz" in said.err


def test_with_json_the_findings_are_data(capsys: pytest.CaptureFixture[str]) -> None:
    error = ConfigError(Text.same("wrong"), diagnostics=[finding("rules.yaml")])
    report_error(error, ["plan", "--json"])
    assert json.loads(capsys.readouterr().out)["findings"] == [
        {
            "code": "RULE101",
            "severity": "error",
            "file": "rules.yaml",
            "line": 2,
            "column": 3,
            "message": "no such fact",
            "help": "what to do",
        }
    ]


def test_what_a_crm_answered_cannot_command_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    report_error(PlanRefused(Text.same("says \x1b[2J\u202e"), mend=Text.same("two\nlines")), [])
    assert capsys.readouterr().err == ("error[PLAN_REFUSED]: says �[2J�\n  = help: two\nlines\n")


def crash() -> None:
    customer = SECRET
    try:
        raise KeyError(customer)
    except KeyError as problem:
        raise RuntimeError(f"cannot handle {customer}") from problem


def test_a_bug_leaves_a_private_report_and_no_traceback(
    verb: Callable[[Callable[[], object]], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    verb(crash)
    assert leave(monkeypatch, "boom") == ExitCode.BUG
    (report,) = tmp_path.iterdir()
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error[BUG]: something went wrong inside crmsync (RuntimeError)\n")
    assert str(report) in said.err
    assert "Traceback" not in said.err
    text = report.read_text(encoding="utf-8")
    assert "verb: boom" in text
    assert "in crash" in text
    assert text.index("error: RuntimeError") < text.index("error: KeyError")
    for told in (text, said.err):
        assert "张三" not in told
        assert "13800000000" not in told
    assert stat.S_IMODE(report.stat().st_mode) == 0o600


def test_a_bug_is_a_document_where_documents_were_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    report_bug(RuntimeError(SECRET), ["explain", "张三", "--json"])
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert (document["code"], document["exit"]) == ("BUG", 70)
    assert Path(document["report"]).read_text(encoding="utf-8").splitlines()[1] == "verb: explain"
    assert "张三" not in said.out + said.err


def test_a_bug_is_told_even_where_no_report_can_be_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    assert report_bug(RuntimeError(SECRET), ["plan"]) == ExitCode.BUG
    assert "the report file could not be written" in capsys.readouterr().err


def test_who_asks_for_it_sees_the_stack(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("CRMSYNC_DEBUG", "1")
    report_bug(RuntimeError("x"), ["plan"])
    assert "RuntimeError: x" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message", "mend"),
    [
        (["aply"], "there is no command “aply”", "Did you mean “apply”?"),
        (["xyzzy"], "there is no command “xyzzy”", "crmsync --help"),
        (["plan", "--onyl", "A1"], "there is no option --onyl", "Did you mean --only?"),
        (["explain"], "RECORD is missing", "crmsync explain --help"),
        (["runs", "x"], "RUN: 'x' is not a valid integer.", "crmsync runs --help"),
        (["undo", "1", "2"], "Got unexpected extra argument (2)", "crmsync undo --help"),
    ],
    ids=lambda item: " ".join(item) if isinstance(item, list) else None,
)
def test_wrong_use_names_what_was_meant(
    words: Sequence[str],
    message: str,
    mend: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert leave(monkeypatch, *words) == ExitCode.USAGE
    assert capsys.readouterr().err == f"error[USAGE]: {message}\n  = help: {mend}\n"
    assert leave(monkeypatch, *words, "--json") == ExitCode.USAGE
    document = json.loads(capsys.readouterr().out)
    assert (document["code"], document["exit"], document["help"]) == ("USAGE", 2, mend)


def test_the_command_alone_shows_its_help(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert leave(monkeypatch) == ExitCode.USAGE
    assert "Start here: crmsync demo" in capsys.readouterr().err


def shell(language: str, *words: str) -> subprocess.CompletedProcess[str]:
    code = f"import sys; sys.path[:0] = {sys.path!r}\nfrom crmsync.cli.main import main\nmain()"
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        check=False,
        env={**os.environ, "CRMSYNC_LANG": language},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["aply"], "错误[USAGE]: 没有命令“aply”\n  = 建议: 是不是“apply”？\n"),
        (["plan", "--onyl"], "错误[USAGE]: 没有选项 --onyl\n  = 建议: 是不是 --only？\n"),
        (["explain"], "错误[USAGE]: 缺少 RECORD\n  = 建议: crmsync explain --help\n"),
        (["undo", "x"], "错误[USAGE]: RUN 的值不对：要一个整数\n  = 建议: crmsync undo --help\n"),
        (
            ["report", "1", "--format", "pdf"],
            "错误[USAGE]: --format 的值不对：只能是 md、html、csv、json\n"
            "  = 建议: crmsync report --help\n",
        ),
    ],
    ids=lambda item: " ".join(item) if isinstance(item, list) else None,
)
def test_wrong_use_is_told_in_chinese_too(words: Sequence[str], told: str) -> None:
    done = shell("zh", *words)
    assert (done.returncode, done.stdout, done.stderr) == (ExitCode.USAGE, "", told)


@pytest.mark.parametrize("words", [["--help"], ["adopt", "--help"], ["runs", "-h"], []])
def test_help_is_chinese_to_the_last_heading(words: Sequence[str]) -> None:
    done = shell("zh", *words)
    text = done.stdout + done.stderr
    assert done.returncode == (ExitCode.DONE if words else ExitCode.USAGE)
    assert text.startswith("用法： crmsync ")
    for english in ("Usage", "Options:", "Commands:", "Show ", "default:", "required"):
        assert english not in text


def test_a_reader_that_goes_away_is_no_failure() -> None:
    """As in ``crmsync completion bash | head -0``."""
    code = f"import sys; sys.path[:0] = {sys.path!r}\nfrom crmsync.cli.main import main\nmain()"
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, "completion", "bash"],
            check=False,
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (ExitCode.DONE, "")


def test_a_terminated_run_leaves_with_143() -> None:
    code = f"""
import sys; sys.path[:0] = {sys.path!r}
import time, types, click
from crmsync.cli import main
module = types.ModuleType("crmsync.cli.nap")
module.nap_command = click.command(lambda: (print("ready", flush=True), time.sleep(60)))
sys.modules["crmsync.cli.nap"] = module
main.VERBS["nap"] = ("nap", "sleep")
main.main()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code, "nap"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as napping:
        assert napping.stdout is not None
        assert napping.stdout.readline() == "ready\n"
        napping.terminate()
        _, told = napping.communicate(timeout=20)
    assert (napping.returncode, told) == (ExitCode.TERMINATED, "")


def test_usage_errors_of_our_own_name_their_flag(capsys: pytest.CaptureFixture[str]) -> None:
    report_error(UsageError(Text.same("needs a yes"), mend=Text.same("--yes")), [])
    assert capsys.readouterr().err.endswith("= help: --yes\n")
