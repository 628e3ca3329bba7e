"""Why a run cannot be taken back."""

from __future__ import annotations

from crmsync.errors import PlanRefused
from crmsync.model.text import Text


def elsewhere(run_id: int) -> PlanRefused:
    """The run is not of this connection, ruleset or account."""
    return PlanRefused(
        Text(
            zh=f"第 {run_id} 次运行属于另一个连接、规则集或 CRM 账户",
            en=f"run {run_id} belongs to another connection, ruleset or CRM account",
        )
    )


def nothing(run_id: int) -> PlanRefused:
    """The run wrote nothing: an undo would only pause the ruleset."""
    return PlanRefused(
        Text(
            zh=f"第 {run_id} 次运行没有写入任何内容，没有可以撤销的",
            en=f"run {run_id} wrote nothing: there is nothing to take back",
        ),
        mend=Text(zh="运行列表： crmsync runs", en="The runs: crmsync runs"),
    )


def purged(run_id: int) -> PlanRefused:
    """The run's old values are forgotten."""
    return PlanRefused(
        Text(
            zh=f"第 {run_id} 次运行的旧值已按保留期限清除，无法撤销",
            en=f"the old values of run {run_id} were purged by the retention period: it cannot be "
            "undone",
        )
    )
