"""Credentials that end on a known day: told two weeks, one week and one day before."""

from __future__ import annotations

from datetime import date

from crmsync.config.project_file import ConnectionConfig
from crmsync.model.text import Text
from crmsync.project.finding import Finding

WARN, SOON, LAST = 14, 7, 1
"""Days before the end from which it is told, told as near, and told as a problem."""


def expiry_finding(connection: ConnectionConfig, today: date) -> Finding | None:
    """What to say today of the day the connection's credentials end; ``None`` while it is far."""
    if connection.expires is None:
        return None
    left = (connection.expires - today).days
    if left > WARN:
        return None
    name, on = connection.name, connection.expires.isoformat()
    if left < 0:
        text = Text(
            zh=f"连接“{name}”的凭证已于 {on} 到期",
            en=f"the credentials of connection “{name}” ended on {on}",
        )
    else:
        near = Text("马上", "very soon: ") if left <= LAST else Text("快", "soon: ")
        near = near if left <= SOON else Text("", "")
        text = Text(
            zh=f"连接“{name}”的凭证{near.zh}要到期：{on}，还有 {left} 天",
            en=f"the credentials of connection “{name}” end {near.en}{on}, in {left} "
            f"day{'s' * (left != 1)}",
        )
    return Finding(
        "problem" if left <= LAST else "warning",
        f"{name} credentials",
        text,
        Text(
            zh=f"按连接器指南换新凭证，再把 {connection.span.short} 处的 expires 改成新日期。",
            en="Renew them as the connector's guide says, then set expires at "
            f"{connection.span.short} to the new day.",
        ),
    )
