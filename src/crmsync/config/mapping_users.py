"""``users`` of a mapping: who stands in this CRM behind the owners that rules name."""

from __future__ import annotations

from collections.abc import Iterable

from crmsync.model.diagnostic import Diagnostic
from crmsync.model.ruleset import Ruleset
from crmsync.model.text import Text
from crmsync.source import Mapping, Scalar, did_you_mean, error, warning

_OF_THE_RECORD = frozenset({"account owner", "judge"})


def read_users(
    node: Mapping | None, ruleset: Ruleset, problems: list[Diagnostic]
) -> dict[str, str]:
    """Owner → user, by id or name; an owner nobody names is a warning with the nearest one."""
    named = sorted(_owners(ruleset))
    found: dict[str, str] = {}
    for owner, user in node.entries if node else ():
        if not isinstance(user, Scalar) or user.empty:
            problems.append(
                error(
                    "MAP005",
                    user.span,
                    Text(zh="这里应是一个用户", en="a single user is expected"),
                    Text(
                        zh="写 CRM 里的用户编号或姓名", en="Write a user of the CRM, by id or name."
                    ),
                )
            )
            continue
        if owner.text not in named:
            problems.append(_idle(owner, named))
        found[owner.text] = user.text
    return found


def _owners(ruleset: Ruleset) -> Iterable[str]:
    for task in ruleset.tasks:
        yield from (owner for owner in task.owner if owner not in _OF_THE_RECORD)
        if task.fallback_owner is not None:
            yield task.fallback_owner
    for fact in ruleset.facts:
        if fact.judged_by is not None and fact.judged_by not in _OF_THE_RECORD:
            yield fact.judged_by


def _idle(owner: Scalar, named: list[str]) -> Diagnostic:
    mend, near = did_you_mean(owner.text, named)
    listed = ", ".join(named) or "–"
    return warning(
        "MAP025",
        owner.span,
        Text(
            zh=f"没有任务派给“{owner.text}”，这一行不起作用",
            en=f"no task goes to “{owner.text}”: this line does nothing",
        ),
        mend
        if near is not None
        else Text(zh=f"任务里写到的有：{listed}", en=f"Tasks name: {listed}."),
        fix=near,
    )
