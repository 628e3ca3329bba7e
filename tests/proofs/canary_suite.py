"""P19: the whole suite of tests, watched for secrets outside the secret store."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path

from tests.canary_watch import FIGURE, Watched
from tests.proofs.proof import Figure, Proof, Scale

from crmsync.model.text import Text

ROOT = Path(__file__).parents[2]
PIECE = "tests/unit/connector/test_tokens.py"
"""What the short form watches: it runs inside the whole suite, which watches the rest."""
LEAK = """from pathlib import Path
import logging
import pytest
from crmsync.testing.canaries import canary

def test_a_file(tmp_path: Path) -> None:
    (tmp_path / "left.txt").write_text(canary())

def test_a_line() -> None:
    print(canary())

def test_a_log() -> None:
    logging.getLogger("crmsync.leak").info(canary())

@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shared")

def test_a_shared_folder(shared: Path) -> None:
    (shared / "left.txt").write_text(canary())
"""
CAUGHT = Watched(tests=4, found=5)
"""A log line shows twice: to the watch that listens, and in what pytest kept of the test."""
ALONE = ("-p", "no:xdist")
ELSEWHERE = ("-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT), "-p", "tests.conftest")
"""For a file of tests that lies apart: tests that read the tree must not meet it."""


def suite(scale: Scale, place: Path) -> Figure:
    """Every test, by as many processes as ``make test`` starts; then tests that let a secret out
    in every way that is watched, each of which must be found."""
    words = ("-n", str(2 * min(os.cpu_count() or 1, 4)), "--dist", "worksteal")
    passed, watched = watch(place / "suite", *(words if scale.full else (*ALONE, PIECE)))
    leaking = place / "test_leaks.py"
    leaking.write_text(LEAK, encoding="utf-8")
    _, caught = watch(place / "control", *ALONE, *ELSEWHERE, str(leaking))
    bad = {
        "secrets found": watched.found,
        "tests that failed": int(not passed),
        "harnesses that let it pass": int(caught != CAUGHT),
    }
    return Figure(watched.tests, "tests", bad, f"{caught.found} of {CAUGHT.found} leaks found")


def watch(place: Path, *words: str) -> tuple[bool, Watched]:
    """Run tests in a process of their own, with secrets of their own; whether all passed."""
    place.mkdir()
    told = place / "figure"
    around = {FIGURE: str(told), "CRMSYNC_CANARIES": secrets.token_hex(3)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **around}, capture_output=True, check=False
    )
    (place / "output").write_bytes(done.stdout + done.stderr)
    return done.returncode == 0, Watched.told(told)


PROOFS = (
    Proof(
        "P19",
        "suite",
        Text(
            zh="密钥从不出现在密钥存放处以外",
            en="Secrets never appear outside the secret store",
        ),
        Text(
            zh="整个测试集：每个测试的输出、日志和留下的文件，全程的进程列表，最后的整个临时文件夹；"
            "故意泄漏的测试必须被查出",
            en="the whole suite: what every test prints, logs and leaves, the process list all the"
            " time, the whole temporary folder at the end; tests that leak must be caught",
        ),
        suite,
    ),
)
