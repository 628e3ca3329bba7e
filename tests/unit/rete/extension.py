"""Whether durable-rules is there; where it must be, its absence is a failure and no skip."""

from __future__ import annotations

import os
import sys

import pytest

from crmsync.evaluate.rete_native import ReteError, extension

PROOFS = os.environ.get("CRMSYNC_PROOFS") == "1"


def missing() -> bool:
    try:
        extension()
    except ReteError:
        return True
    return False


needed = pytest.mark.skipif(
    sys.version_info >= (3, 13) and missing(),
    reason="durable-rules is optional from 3.13 on",
)
