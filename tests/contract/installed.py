"""The connectors of this repository and the harnesses their authors wrote."""

from __future__ import annotations

import importlib
from pathlib import Path

from crmsync.testing.contract import ContractHarness

ROOT = Path(__file__).resolve().parents[2]
CONNECTORS = {
    folder.name.removeprefix("crmsync_"): folder
    for folder in sorted((ROOT / "connectors").iterdir())
    if (folder / "__init__.py").exists()
}


def harnesses() -> dict[str, type[ContractHarness]]:
    """The one harness class in ``tests/contract/harness_NAME.py`` of each connector."""
    return {
        name: _harness(f"tests.contract.harness_{name}")
        for name in CONNECTORS
        if (ROOT / "tests" / "contract" / f"harness_{name}.py").exists()
    }


def _harness(module: str) -> type[ContractHarness]:
    own = [
        item
        for item in vars(importlib.import_module(module)).values()
        if isinstance(item, type)
        and issubclass(item, ContractHarness)
        and item.__module__ == module
    ]
    assert len(own) == 1, f"{module} must define one harness, not {len(own)}"
    return own[0]
