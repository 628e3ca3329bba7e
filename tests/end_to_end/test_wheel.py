"""The built wheel, installed into an empty environment outside the repository, runs the demo."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import uv

ROOT = Path(__file__).resolve().parents[2]


def call(*words: str | Path, cwd: Path) -> str:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in {"PYTHONPATH", "VIRTUAL_ENV", "CRMSYNC_LANG"}
    }
    done = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        check=False,
        env=environment | {"CRMSYNC_LANG": "en"},
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    tool = uv.find_uv_bin()
    call(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder / "dist", cwd=ROOT)
    (wheel,) = (folder / "dist").glob("*.whl")
    home = folder / "environment"
    call(tool, "venv", "--quiet", "--python", sys.executable, home, cwd=folder)
    python = home / "bin" / "python"
    lock = ROOT / "requirements.lock"
    sync = ("pip", "sync", "--quiet", "--require-hashes", "--python", python, lock)
    call(tool, *sync, cwd=folder)
    call(tool, "pip", "install", "--quiet", "--no-deps", "--python", python, wheel, cwd=folder)
    return home


def test_the_installed_demo_ends_well(installed: Path, tmp_path: Path) -> None:
    out = call(installed / "bin" / "crmsync", "demo", "--customers", "40", cwd=tmp_path)
    assert out.splitlines()[-1] == "demo: ok"


def test_the_wheel_brings_rulesets_connectors_and_types(installed: Path, tmp_path: Path) -> None:
    listed = call(installed / "bin" / "crmsync", "connectors", cwd=tmp_path)
    assert [line.split()[0] for line in listed.splitlines()] == ["fxiaoke", "zoho"]
    code = (
        "from importlib.resources import files; import crmsync, crmsync_zoho;"
        "from crmsync.project.shipped import shipped_rulesets;"
        "print(*shipped_rulesets());"
        "assert files('crmsync').joinpath('py.typed').is_file();"
        "assert files('crmsync_zoho').joinpath('GUIDE.md').is_file()"
    )
    names = call(installed / "bin" / "python", "-c", code, cwd=tmp_path)
    assert names.split() == ["b2b-standard", "real-estate", "retail-rfm", "saas-health"]
