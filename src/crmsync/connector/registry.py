"""Finds connectors by their entry points; the core never names one."""

from __future__ import annotations

import difflib
from importlib.metadata import entry_points

from crmsync.connector.spec import ConnectorSpec
from crmsync.errors import ConfigError
from crmsync.model.text import Text

GROUP = "crmsync.connectors"


def connectors() -> tuple[ConnectorSpec, ...]:
    """Every installed connector, by name."""
    specs = (point.load() for point in entry_points(group=GROUP))
    return tuple(sorted(specs, key=lambda spec: spec.name))


def connector(name: str) -> ConnectorSpec:
    """The connector called *name*; raises ConfigError with the nearest known name."""
    found = {point.name: point for point in entry_points(group=GROUP)}
    if name in found:
        spec = found[name].load()
        assert isinstance(spec, ConnectorSpec)
        return spec
    near = difflib.get_close_matches(name, found, n=1)
    known = ", ".join(sorted(found))
    raise ConfigError(
        Text(zh=f"没有名为“{name}”的连接器", en=f"no connector is called “{name}”"),
        mend=Text(
            zh=f"是不是“{near[0]}”？" if near else f"已安装：{known}",
            en=f"Did you mean “{near[0]}”?" if near else f"Installed: {known}",
        ),
        code="CONF004",
    )
