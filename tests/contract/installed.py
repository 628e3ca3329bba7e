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
    """``tests/contract/harness_NAME.py`` of each connector; each names its class ``Harness``."""
    return {
        name: importlib.import_module(f"tests.contract.harness_{name}").Harness
        for name in CONNECTORS
        if (ROOT / "tests" / "contract" / f"harness_{name}.py").exists()
    }
