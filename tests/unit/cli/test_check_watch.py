"""``check --watch`` looks again at every change and ends quietly on Ctrl-C."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from tests.unit.rules.writing import RULESETS

from crmsync.cli.watching import snapshot


def test_a_changed_file_is_checked_again_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    folder = tmp_path / "b2b-standard"
    shutil.copytree(RULESETS / "b2b-standard", folder)
    rules = folder / "rules.yaml"
    # a job in the background is told to ignore Ctrl-C; this one is to be in front
    front = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    command = [sys.executable, "-c", f"{front}; from crmsync.cli.main import main; main()"]
    with subprocess.Popen(
        [*command, "check", str(folder), "--watch", "--lang", "en"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.readline() == "4 files: no problems.\n"
        assert "Ctrl-C" in running.stderr.readline()
        rules.write_text(
            rules.read_text(encoding="utf-8").replace(
                "when: overdue_days >", "when: overdue_day >"
            ),
            encoding="utf-8",
        )
        assert running.stdout.readline().startswith("error[RULE101]: no fact is called")
        assert "Ctrl-C" in running.stderr.readline()
        running.send_signal(signal.SIGINT)
        rest = running.stderr.read()
        assert running.wait(timeout=60) == 0
        assert "Traceback" not in rest


def test_only_rule_files_are_watched(tmp_path: Path) -> None:
    before = snapshot([tmp_path])
    (tmp_path / "notes.txt").write_text("x")
    assert snapshot([tmp_path]) == before
    (tmp_path / "rules.yaml").write_text("x")
    changed = snapshot([tmp_path])
    assert changed != before
    (tmp_path / "rules.yaml").write_text("longer")
    assert snapshot([tmp_path]) != changed
