"""The guide for connector authors names only what is there."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import crmsync.connector
import crmsync.testing

GUIDE = Path(crmsync.connector.__file__).with_name("GUIDE.md").read_text(encoding="utf-8")
PARTS = re.findall(r"`(http|tokens|retry|pace|paging)\.(\w+)", GUIDE)
KIT = re.findall(r"`(\w+)`", GUIDE.split("## The sandbox")[1])


def test_every_part_named_exists() -> None:
    assert len(PARTS) >= 6
    for module, name in PARTS:
        found = importlib.import_module(f"crmsync.connector.{module}")
        assert hasattr(found, name), f"crmsync.connector.{module} has no {name}"


def test_every_fault_and_class_of_the_kit_exists() -> None:
    named = {name for name in KIT if name[:1].isupper()} - {"REJECTED"}
    assert {"RecordStore", "Drop", "CommitLate", "MemoryConnector"} <= named
    kit = {*dir(crmsync.testing), "MemoryHarness", "SandboxHarness"}
    assert named <= kit, named - kit
