"""What a plan costs in the vendor's own units, and the refusal of one that would not fit."""

from __future__ import annotations

from dataclasses import replace

from crmsync.connector import QuotaReporter, Reader
from crmsync.errors import QuotaExhausted
from crmsync.model.metering import PlanCost, Workload
from crmsync.model.plan import PlanCounts, PlanHeader
from crmsync.model.text import Text

_ZH = {"API credits": "API 额度", "calls": "次调用"}


def cost_of(
    crm: Reader, counts: PlanCounts, *, strict: bool, look_back: int | None = 0
) -> PlanCost | None:
    """What applying so much will take, with what is free now; ``None`` where the vendor counts
    nothing. *look_back* caps the rows looked back at (``None``: all)."""
    if not isinstance(crm, QuotaReporter):
        return None
    customers = counts.firsts + counts.rises + counts.falls + counts.stage_only + counts.other
    work = Workload(
        updates=customers,
        creations=counts.new_tasks,
        closings=counts.closed_tasks,
        strict=strict,
    )
    quota, price = crm.quota(), crm.price_of(work)
    looks = 0
    if crm.capabilities.field_history and not strict:
        changes = work.updates + work.closings
        looks = changes if look_back is None else min(changes, look_back)
    return PlanCost(
        unit=quota.unit,
        price=price,
        limit=quota.limit,
        free=quota.free,
        kept=quota.kept,
        look_back=crm.price_of(replace(work, look_backs=looks)) - price,
    )


def require_budget(crm: Reader, header: PlanHeader, *, strict: bool) -> None:
    """Raise QuotaExhausted, before the first write, for a plan that costs more than is free."""
    cost = cost_of(crm, header.counts, strict=strict)
    if cost is None or cost.free is None or cost.price <= cost.free:
        return
    assert isinstance(crm, QuotaReporter)
    resets = crm.quota().resets_at
    raise QuotaExhausted(
        Text(
            zh=f"这份计划约需 {cost.price} {_ZH.get(cost.unit, cost.unit)}，"
            f"现在只能用 {cost.free}（另留 {cost.kept} 给人和其他程序）：没有写入",
            en=f"this plan takes about {cost.price} {cost.unit}; only {cost.free} may be used now "
            f"({cost.kept} more are kept for people and other programs): nothing was written",
        ),
        resets_at=resets,
        mend=Text(
            zh="额度恢复后再执行；或加 --in-parts：先写额度之内的，其余之后用 --resume 继续。",
            en="Apply it when there is room again; or give --in-parts to write what fits now and "
            "go on later with --resume.",
        ),
    )
