"""Opens the connector on a running sandbox, as the engine does."""

from __future__ import annotations

from typing import Any

from crmsync.testing import MemoryTokenShelf
from crmsync_fxiaoke.connector import FxiaokeConnector, open_connector
from crmsync_fxiaoke.sandbox import FxiaokeSandbox
from crmsync_fxiaoke.settings import FxiaokeSettings

OUTER = ("connector", "allow_private")


def opened(
    sandbox: FxiaokeSandbox, *, shelf: MemoryTokenShelf | None = None, **changed: Any
) -> FxiaokeConnector:
    keys = {**sandbox.connection_settings().keys, **changed}
    settings = FxiaokeSettings(**{k: v for k, v in keys.items() if k not in OUTER})
    return open_connector(settings, sandbox.context(shelf=shelf))
