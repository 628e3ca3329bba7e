"""The practice CRM as a program of its own: it starts with customers, and a shell can reach it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.end_to_end.world import run

from crmsync.connector import connectors

NAMES = [spec.name for spec in connectors() if spec.sandbox]
PROGRAM = "from crmsync.cli.main import main; main()"


@pytest.mark.parametrize("name", NAMES)
def test_what_it_prints_is_enough_to_plan(name: str, tmp_path: Path) -> None:
    words = ["sandbox", name, "--customers", "20", "--fields", "retail-rfm", "--json"]
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as server:
        try:
            document = _first_document(server)
            _plan(tmp_path, document)
        finally:
            server.send_signal(signal.SIGTERM)
        assert server.wait(10) == 143
    assert next(iter(document)) == "schema"


def _first_document(server: subprocess.Popen[str]) -> dict[str, object]:
    assert server.stdout is not None
    text, deadline = "", time.monotonic() + 30
    while time.monotonic() < deadline:
        text += server.stdout.readline()
        if text.rstrip().endswith("\n}"):
            return dict(json.loads(text))
    raise AssertionError(text)


def _plan(folder: Path, document: dict[str, object]) -> None:
    keys = dict(document["connection"])  # type: ignore[call-overload]
    crm = keys.pop("connector")
    given = [
        word
        for key, value in keys.items()
        for word in ("--set", f"{key}={str(value).lower() if value is True else value}")
    ]
    where = ("--project", str(folder))
    assert run("init", *where, "--crm", crm, "--ruleset", "retail-rfm", *given).code == 0
    for secret, value in dict(document["secrets"]).items():  # type: ignore[call-overload]
        path = folder / "var" / "secrets" / secret
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(value)
    assert run("connect", *where, "--yes").code == 0
    planned = run("plan", *where, "--json")
    assert planned.document["summary"]["evaluated"] == 20


def test_a_port_that_cannot_be_used_is_a_sentence_not_a_bug() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        busy = run("sandbox", "zoho", "--port", str(taken.getsockname()[1]))
    assert busy.code == 2
    assert "cannot be used" in busy.err
    assert run("sandbox", "zoho", "--port", "99999").code == 2
