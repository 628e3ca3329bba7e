"""The self-test tells a good extension from a missing, wrong, crashing or endless one."""

from __future__ import annotations

import sys

import pytest
from tests.unit.rete.extension import needed

from crmsync.evaluate import rete_check
from crmsync.evaluate.rete_check import disagreements, rete_status
from crmsync.evaluate.rete_native import extension
from crmsync.project.doctoring import examine

WRAPPER = """
import importlib.util, sys
wrapper = sys.modules[__name__]
spec = importlib.util.spec_from_file_location("durable_rules_engine", {path!r})
real = importlib.util.module_from_spec(spec)
spec.loader.exec_module(real)
globals().update((name, value) for name, value in vars(real).items() if name[:2] != "__")
sys.modules[__name__] = wrapper

def create_ruleset(name, rules):
    return real.create_ruleset(name, rules.replace('"$gte"', '"$gt"'))
"""


@needed
def test_the_installed_extension_agrees():
    assert disagreements() == []
    assert rete_status().usable
    assert rete_status() is rete_status()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("raise ImportError('undefined symbol')", "undefined symbol"),
        ("import os; os.abort()", "signal 6"),
    ],
)
def test_a_bad_extension_is_not_used(text, reason, tmp_path, monkeypatch):
    (tmp_path / "durable_rules_engine.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)

    status = rete_status.__wrapped__()

    assert not status.usable
    assert reason in status.why.en
    assert reason in status.why.zh


def test_an_extension_that_never_ends_is_not_used(tmp_path, monkeypatch):
    (tmp_path / "durable_rules_engine.py").write_text("import time; time.sleep(60)")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(rete_check, "PATIENCE_SECONDS", 0.5)

    status = rete_status.__wrapped__()

    assert not status.usable
    assert "TimeoutExpired" in status.why.en


@needed
def test_an_extension_that_compares_wrongly_is_not_used(tmp_path, monkeypatch):
    (tmp_path / "durable_rules_engine.py").write_text(WRAPPER.format(path=extension().__file__))
    monkeypatch.syspath_prepend(tmp_path)

    status = rete_status.__wrapped__()

    assert not status.usable
    assert "wrong verdicts" in status.why.en


def test_a_python_that_cannot_start_is_no_extension(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")

    assert not rete_status.__wrapped__().usable


@needed
def test_doctor_says_which_matchers_there_are(tmp_path):
    findings = examine(tmp_path, now=None, fix=False)
    (engine,) = [item for item in findings if item.about == "engine"]

    assert engine.level == "ok"
    assert "passed its self-test" in engine.text.en
    assert "通过自检" in engine.text.zh
