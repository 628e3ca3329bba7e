"""What a connector package declares about itself: names of things, nothing imported yet."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

from crmsync.model.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorSpec:
    """The one object an entry point of group ``crmsync.connectors`` points to.

    ``settings``, ``open`` and ``sandbox`` are ``"module:attribute"`` strings, loaded on use:
    ``settings`` a pydantic model of the connection's keys in ``crmsync.yaml``; ``open`` a callable
    ``(settings, ConnectionContext) -> Connector``; ``sandbox`` a `crmsync.testing.Sandbox` class.
    """

    name: str
    title: Text
    settings: str
    open: str
    sandbox: str | None = None
    account_object: str
    """The CRM's own object for customers, for ``init``."""

    def load(self, part: str) -> Any:  # noqa: ANN401 - three unrelated types behind one loader
        """Import ``settings``, ``open`` or ``sandbox``."""
        target = getattr(self, part)
        if target is None:
            raise LookupError(f"connector {self.name} has no {part}")
        module, _, attribute = target.partition(":")
        return getattr(importlib.import_module(module), attribute)
