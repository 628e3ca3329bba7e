"""``approve``: a person's yes to one plan file, up to figures; sealed with the project's key."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from crmsync.errors import PlanRefused, UsageError
from crmsync.model.approval import Approval, Budget, ceiling, covered, share_text
from crmsync.model.plan import (
    GuardResult,
    Observation,
    PlanHeader,
    PlanLine,
    PlanSource,
    TaskClose,
    TaskCreate,
)
from crmsync.model.record import RecordRef
from crmsync.model.text import Text
from crmsync.plan import PlanFile, read_plan
from crmsync.project.opening import Project
from crmsync.store import Store


@dataclass(frozen=True, slots=True)
class Approved:
    """A recorded approval with what it lets through and what it leaves behind.

    ``open_guards`` are tripped guards that no ceiling caps: they still need ``--allow``.
    """

    approval: Approval
    header: PlanHeader
    written: int
    withheld: int
    open_guards: tuple[GuardResult, ...]

    def as_document(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "plan": self.approval.plan_id,
            "digest": self.approval.digest,
            "by": self.approval.by,
            "at": self.approval.at,
            "reason": self.approval.reason,
            "max": [share_text(item) for item in self.approval.ceilings],
            "written": self.written,
            "withheld": self.withheld,
            "allow": [guard.allow for guard in self.open_guards],
        }


def approve(
    project: Project, path: Path, *, ceilings: Sequence[str], reason: str, by: str
) -> Approved:
    """Record that *by* agrees to the plan in *path*; nothing is sent.

    What lies beyond a ceiling (``demotions=40``) will be withheld by ``apply``, in the plan's
    order; the rest goes. Raises UsageError for a ceiling that cannot be read, PlanRefused for a
    plan that is altered, unknown here, expired or applied already.
    """
    caps = tuple(ceiling(item) for item in ceilings)
    if not reason.strip():
        raise UsageError(
            Text(zh="批准需要原因", en="an approval needs its reason"),
            mend=Text.same("--reason …"),
        )
    plan = read_plan(path, project.key())
    given = Approval(plan.header.plan_id, plan.digest, by, project.now(), reason, caps)
    given = replace(given, seal=_seal(project, given))
    with project.store() as store:
        _check(store, plan, given)
        store.approvals.record(given)
        caps_text = " ".join(share_text(item) for item in caps)
        store.audit.add(
            at=given.at,
            who=by,
            what="approve",
            detail={"plan": given.plan_id, "digest": given.digest, "max": caps_text,
                    "reason": reason},
        )  # fmt: skip
    written, withheld = _effect(plan, given)
    tripped = tuple(
        guard for guard in plan.header.guards if guard.tripped and not covered(guard.name, caps)
    )
    return Approved(given, plan.header, written, withheld, tripped)


def approval_of(
    project: Project, store: Store, plan: PlanSource, *, required: bool
) -> Approval | None:
    """The approval recorded for *plan*, verified.

    Raises PlanRefused where one is required and missing, and where the one there is was altered or
    is of another file: what cannot be verified is a refusal.
    """
    found = store.approvals.of(plan.header.plan_id)
    if found is None:
        if required:
            raise PlanRefused(
                Text(
                    zh=f"连接“{plan.header.connection}”要求先批准计划，这份还没有批准",
                    en=f"connection “{plan.header.connection}” takes approved plans only, and"
                    " nobody has approved this one",
                ),
                mend=Text(
                    zh="crmsync approve 计划文件 --reason …，然后再 crmsync apply",
                    en="crmsync approve PLAN --reason …, then crmsync apply",
                ),
            )
        return None
    intact = hmac.compare_digest(found.seal, _seal(project, found))
    if not intact or found.digest != plan.digest:
        raise PlanRefused(
            Text(
                zh="这份计划的批准无法核实：内容被改动过，或批准的是另一份文件",
                en="the approval of this plan cannot be verified: it was altered, or it is of"
                " another file",
            ),
            mend=Text(
                zh="核对后重新运行 crmsync approve",
                en="look at the plan again and run crmsync approve once more",
            ),
        )
    return found


def _check(store: Store, plan: PlanFile, given: Approval) -> None:
    stored = store.plans.get(plan.header.plan_id)
    if stored is None or stored.digest != plan.digest:
        reason = Text("本项目的状态库不认识它", "this project's state does not know it")
    elif stored.run_id is not None:
        reason = Text(f"已在运行 {stored.run_id} 中写入", f"it was applied as run {stored.run_id}")
    elif given.at > plan.header.expires_at:
        when = plan.header.expires_at.isoformat(timespec="minutes")
        reason = Text(f"已于 {when} 过期", f"it expired at {when}")
    else:
        return
    raise PlanRefused(
        Text(zh=f"这份计划不能批准：{reason.zh}", en=f"this plan cannot be approved: {reason.en}"),
        mend=Text("重新运行 crmsync plan。", "Run crmsync plan again."),
    )


def _effect(plan: PlanFile, given: Approval) -> tuple[int, int]:
    """Lines the approval lets through and lines it leaves behind."""
    budget = Budget(given.ceilings, plan.header.counts.evaluated)
    written = withheld = 0
    for group in customers(plan):
        for beyond in budget.beyond(group):
            written += beyond is None
            withheld += beyond is not None
    return written, withheld


def customers(plan: PlanSource) -> Iterator[list[PlanLine]]:
    """The changes of a plan, one list a customer, without observations."""
    changes = (line for line in plan.lines() if not isinstance(line, Observation))
    for _, group in groupby(changes, key=_about):
        yield list(group)


def _about(line: PlanLine) -> RecordRef:
    return line.about if isinstance(line, TaskCreate | TaskClose) else line.ref


def _seal(project: Project, given: Approval) -> str:
    return hmac.new(project.key(), given.content, hashlib.sha256).hexdigest()
