"""Whether a plan may still be applied: one place for every reason to refuse it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from crmsync.errors import PlanRefused
from crmsync.model.mapping import CrmMapping
from crmsync.model.plan import PlanHeader, PlanSource
from crmsync.model.text import Text
from crmsync.plan.identity import schema_fingerprint
from crmsync.plan.inputs import Origin
from crmsync.plan.values import field_name
from crmsync.store import StoredPlan


def owned_fields(mapping: CrmMapping) -> tuple[str, ...]:
    """Every field of a customer that crmsync may write."""
    return tuple(sorted(field_name(target) for target in mapping.write.values()))


def task_fields_of(mapping: CrmMapping) -> tuple[str, ...]:
    """Every field of a task that crmsync may write."""
    target = mapping.tasks
    if target is None:
        return ()
    names = {target.key, target.subject, target.due, target.owner, target.about, target.status}
    more = {target.priority, target.via, target.note, target.person}
    return tuple(sorted(names | {name for name in more if name is not None}))


def fingerprint_of(mapping: CrmMapping, origin: Origin) -> str:
    """The fingerprint of the fields a plan writes; planning and applying compute it alike."""
    used = [(origin.schema, owned_fields(mapping))]
    if origin.task_schema is not None:
        used.append((origin.task_schema, task_fields_of(mapping)))
    return schema_fingerprint(used)


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """How things stand now; ``account_id`` and the schema are asked from the CRM itself.

    ``applied_since`` is the number of a run on the same connection and ruleset that began after
    the plan was made, if any.
    """

    now: datetime
    connection: str
    account_id: str
    ruleset_digest: str
    mapping_digest: str
    owned_fields: tuple[str, ...]
    task_fields: tuple[str, ...]
    schema_fingerprint: str
    applied_since: int | None = None


def applied_already(plan: PlanSource, stored: StoredPlan | None) -> int | None:
    """The run that applied the plan, if any; our own books know, the CRM need not be asked.

    Raises PlanRefused, naming the way to go on, when that run is not finished.
    """
    if stored is not None and stored.run_id is not None and stored.digest == plan.digest:
        if stored.ended:
            return stored.run_id
        raise PlanRefused(
            Text(
                zh=f"这份计划在第 {stored.run_id} 次运行中没有写完",
                en=f"run {stored.run_id} began to apply this plan and did not finish",
            ),
            mend=Text(
                zh=f"继续：crmsync apply --resume {stored.run_id}",
                en=f"Go on with: crmsync apply --resume {stored.run_id}",
            ),
        )
    return None


def check_plan(plan: PlanSource, present: Present, stored: StoredPlan | None) -> int | None:
    """The run that applied the plan already, or ``None`` when it may be applied.

    Raises PlanRefused naming every reason at once; nothing was sent.
    """
    done = applied_already(plan, stored)
    if done is not None:
        return done
    header = plan.header
    reasons = [*_unknown(plan, stored), *_changed(header, present)]
    if reasons:
        raise PlanRefused(
            Text(
                zh="计划已不适用：" + "；".join(reason.zh for reason in reasons),
                en="the plan no longer applies: " + "; ".join(reason.en for reason in reasons),
            ),
            mend=Text("重新运行 crmsync plan。", "Run crmsync plan again."),
        )
    return None


def _unknown(plan: PlanSource, stored: StoredPlan | None) -> Iterator[Text]:
    if stored is None:
        yield Text("本项目的状态库不认识它", "this project's state does not know it")
    elif stored.digest != plan.digest:
        yield Text("内容与登记的不同", "its content is not what was registered")


def _changed(header: PlanHeader, present: Present) -> Iterator[Text]:
    if present.now > header.expires_at:
        when = header.expires_at.isoformat(timespec="minutes")
        yield Text(f"已于 {when} 过期", f"it expired at {when}")
    if header.created_at > present.now:
        yield Text("制作时间在未来，请检查时钟", "it was made in the future: check the clock")
    if header.connection != present.connection:
        yield Text(f"它属于连接 {header.connection}", f"it is for connection {header.connection}")
    if header.account_id != present.account_id:
        yield Text("它属于另一个 CRM 账户", "it was made for another CRM account")
    if header.ruleset_digest != present.ruleset_digest:
        yield Text("规则已改动", "the rules have changed")
    if header.mapping_digest != present.mapping_digest:
        yield Text("字段映射已改动", "the mapping has changed")
    owned = header.owned_fields, header.task_fields
    if owned != (present.owned_fields, present.task_fields):
        yield Text("可写字段已改动", "the fields crmsync may write have changed")
    if header.schema_fingerprint != present.schema_fingerprint:
        yield Text("CRM 的字段定义已改动", "the CRM's fields have changed")
    if present.applied_since is not None:
        yield Text(
            zh=f"之后已有第 {present.applied_since} 次运行写入",
            en=f"run {present.applied_since} has been applied since",
        )
