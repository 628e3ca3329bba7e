"""The graded checklist of a connector: what is done, what is not, and how far that takes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import yaml


class Level(StrEnum):
    """How far a connector has come."""

    NONE = "none"
    BRONZE = "bronze"
    SILVER = "silver"
    GOLD = "gold"


QUALITY_RULES: Mapping[Level, Mapping[str, str]] = {
    Level.BRONZE: {
        "check": "check signs in, names the account and writes nothing",
        "describe": "describe gives every field with its canonical type and choices",
        "full_read": "read walks the whole object past every cap of the platform",
        "per_record_results": "write gives one result per change; a bad record never raises",
        "sandbox": "a local sandbox behaves like the vendor, limits and bad habits included",
        "guide": "GUIDE.md tells an admin scopes, fields, limits, cost and how to remove it all",
        "contract_suite": "the ten contract checks pass against the sandbox",
    },
    Level.SILVER: {
        "resume": "an interrupted read continues from any page, also in another process",
        "retry_after": "pauses the vendor asks for are kept, and its rates are never exceeded",
        "token_refresh": "one refresh at a time, across processes; tokens survive a restart",
        "quiet_automation": "the vendor's workflows and approvals stay quiet unless asked",
        "least_scopes": "GUIDE.md lists the least scopes and permissions, and what each is for",
        "recorded_replies": "replies recorded from a real account are replayed in tests",
    },
    Level.GOLD: {
        "field_provisioning": "connect creates the fields it needs",
        "jobs": "bulk jobs are used where they pay",
        "quota_forecast": "the plan foretells the calls it will cost",
        "soak": "a million records were read and planned against the sandbox",
        "two_versions": "two versions of the vendor's API are spoken",
    },
}
"""Rule names by level, with what *done* means."""


class Status(StrEnum):
    """Where one rule stands. EXEMPT means that the platform has no such thing."""

    DONE = "done"
    TODO = "todo"
    EXEMPT = "exempt"


@dataclass(frozen=True, slots=True)
class RuleStatus:
    """One line of ``quality.yaml``. ``note`` is the evidence of what is done (a test's path), or
    the reason of what is not."""

    status: Status
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Quality:
    """A connector's checklist."""

    rules: Mapping[str, RuleStatus]

    @property
    def level(self) -> Level:
        """The highest level of which, as of all below, nothing is to do."""
        reached = Level.NONE
        for level, rules in QUALITY_RULES.items():
            if any(self.rules[name].status is Status.TODO for name in rules):
                break
            reached = level
        return reached


class QualityError(ValueError):
    """The checklist is incomplete or cannot be read; the message lists every problem."""


def read_quality(path: Path) -> Quality:
    """Read ``quality.yaml``: under each level, each rule with one of ``done``, ``done: EVIDENCE``,
    ``todo``, ``todo: REASON`` and ``exempt: REASON``.

    Raises QualityError unless exactly the known rules are there, each under its level.
    """
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(document, dict):
        raise QualityError(f"{path.name} must hold the levels bronze, silver and gold")
    found: dict[str, RuleStatus] = {}
    wrong: list[str] = []
    for level, rules in QUALITY_RULES.items():
        given = document.pop(level.value, None) or {}
        wrong += [f"{level}: unknown rule {name}" for name in given if name not in rules]
        for name in rules:
            try:
                found[name] = _status(given[name])
            except KeyError:
                wrong.append(f"{level}: {name} is missing")
            except ValueError as problem:
                wrong.append(f"{level}: {name}: {problem}")
    wrong += [f"unknown key {key}" for key in document]
    if wrong:
        raise QualityError("; ".join(wrong))
    return Quality(found)


def _status(value: object) -> RuleStatus:
    if isinstance(value, str) and value in {Status.DONE, Status.TODO}:
        return RuleStatus(Status(value))
    if isinstance(value, dict) and len(value) == 1:
        ((word, note),) = value.items()
        if word in set(Status) and isinstance(note, str) and note.strip():
            return RuleStatus(Status(word), note.strip())
    raise ValueError("write done, done: EVIDENCE, todo, todo: REASON or exempt: REASON")
