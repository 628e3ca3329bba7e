"""Zoho's API credits: what our calls cost by its table, what it grants, what a plan will take.

Facts (Zoho's API limits page, read 2026-11): one credit a call, a write one for every ten records,
a query by its LIMIT; over a rolling 24 hours. Zoho names the rest in a header, from half of it on.
"""

from __future__ import annotations

from datetime import timedelta

from crmsync.connector import ConnectionContext
from crmsync.connector.gate import Allowance
from crmsync.errors import QuotaExhausted
from crmsync.model.metering import Workload
from crmsync.model.schema import Quota
from crmsync.model.text import Text
from crmsync_zoho.settings import ZohoSettings

DAY = timedelta(hours=24)
LEFT_HEADER = "x-api-credits-remaining"
UNIT = "API credits"
BATCH = 100


def write_cost(records: int) -> int:
    """Credits of an insert or update of so many records."""
    return max(1, -(-records // 10))


def query_cost(limit: int) -> int:
    """Credits of a COQL query by its LIMIT."""
    return 1 if limit <= 200 else 2 if limit <= 1_000 else 3


def forecast(work: Workload) -> int:
    """Credits of a plan: every batch is looked at once and written once, new tasks are written
    only; strict changes go one a call; a record looked back at costs one."""
    looks = _batches(work.updates) + _batches(work.closings)
    changes = work.updates + work.closings
    writes = changes if work.strict else _written(work.updates) + _written(work.closings)
    return looks + writes + _written(work.creations) + work.look_backs


def allowance(settings: ZohoSettings, context: ConnectionContext) -> Allowance:
    """What the account grants, with the share that is left to people."""

    def spent_up(quota: Quota) -> QuotaExhausted:
        return out_of_credits(context, quota)

    return Allowance(
        unit=UNIT,
        since=lambda now: now - DAY,
        spent_up=spent_up,
        limit=settings.credits_per_day,
        keep_percent=settings.keep_credits_percent,
    )


def out_of_credits(
    context: ConnectionContext, quota: Quota | None, *, code: str | None = None
) -> QuotaExhausted:
    """The credits of the last 24 hours are used up, or only the reserve is left."""
    left, kept = "?", 0
    if quota is not None and quota.free is not None:
        left, kept = str(quota.free + quota.kept), quota.kept
    if quota is not None and quota.remaining is not None:
        left = str(quota.remaining)
    return QuotaExhausted(
        Text(
            zh=f"连接“{context.connection}”：Zoho 24 小时内的 API 额度已用完（剩 {left}，"
            f"其中 {kept} 留给人和其他程序）",
            en=f"connection “{context.connection}”: Zoho's API credits of the last 24 hours are "
            f"used up ({left} left, {kept} of them kept for people and other programs)",
        ),
        resets_at=(None if quota is None else quota.resets_at) or context.now() + DAY,
        remote_code=code,
    )


def _batches(records: int) -> int:
    return -(-records // BATCH)


def _written(records: int) -> int:
    full, rest = divmod(records, BATCH)
    return full * write_cost(BATCH) + (write_cost(rest) if rest else 0)
