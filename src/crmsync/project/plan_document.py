"""A plan as one JSON document: figures, guards, what is withheld, and every change."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from crmsync.model.canonical import encode_value
from crmsync.model.plan import PlanCounts, PlanLine, RecordChange, Takeover, TaskClose, TaskCreate
from crmsync.project.frozen_view import lines_document
from crmsync.project.planning import PlanMade


def plan_document(made: PlanMade) -> dict[str, Any]:
    """A plan for ``--json``: figures, guards and every change."""
    header = made.header
    return {
        "plan": header.plan_id,
        "digest": made.digest,
        "kind": header.kind.value,
        "file": str(made.path),
        "created_at": header.created_at,
        "expires_at": header.expires_at,
        "as_of": header.as_of,
        "connection": header.connection,
        "ruleset": header.ruleset,
        "ruleset_version": header.ruleset_version,
        "summary": _summary(header.counts),
        "cost": None if header.cost is None else asdict(header.cost),
        "guards": [
            {
                "name": guard.name,
                "count": guard.count,
                "of": guard.of,
                "limit": str(guard.limit),
                "share": guard.share,
                "tripped": guard.tripped,
                "allow": guard.allow,
            }
            for guard in header.guards
        ],
        "withheld": [
            {"id": item.ref.id, "kind": item.kind, "text": item.text} for item in header.withheld
        ],
        "unfresh": [
            {
                "object": item.object,
                "text": item.text,
                "facts": list(item.facts),
                "released": item.released,
            }
            for item in header.unfresh
        ],
        "notices": [
            {
                "id": item.ref.id,
                "name": item.name,
                "tier": item.tier,
                "due_on": item.due_on,
                "text": item.text,
            }
            for item in header.notices
        ],
        "frozen": [lines_document(item) for item in header.frozen],
        "notes": list(header.notes),
        "changes": [document for line in made.lines() if (document := _line(line)) is not None],
    }


def _summary(counts: PlanCounts) -> dict[str, int]:
    return {
        "evaluated": counts.evaluated,
        "excluded": counts.excluded,
        "first_assignments": counts.firsts,
        "rises": counts.rises,
        "falls": counts.falls,
        "stage_only": counts.stage_only,
        "other": counts.other,
        "unchanged": counts.unchanged,
        "new_tasks": counts.new_tasks,
        "closed_tasks": counts.closed_tasks,
        "withheld": counts.withheld,
        "fields": counts.fields,
        "notices": counts.notices,
        "merged": counts.merged,
    }


def _line(line: PlanLine) -> dict[str, Any] | None:
    if isinstance(line, RecordChange):
        return {
            "is": "fields",
            "object": line.ref.object,
            "id": line.ref.id,
            "name": line.name,
            "direction": line.direction.value,
            "cause": line.cause.value,
            "set": [
                {
                    "field": delta.field,
                    "before": encode_value(delta.before),
                    "after": encode_value(delta.after),
                    "why": delta.why,
                }
                for delta in line.fields
            ],
            "notes": list(line.notes),
        }
    if isinstance(line, TaskCreate):
        return {
            "is": "task",
            "key": line.key,
            "task": line.task_id,
            "about": line.about.id,
            "title": line.title,
            "due": line.due,
            "owner": line.owner,
        }
    if isinstance(line, TaskClose):
        return {"is": "close", "key": line.key, "task": line.task_id, "id": line.ref.id}
    if isinstance(line, Takeover):
        return {
            "is": "takeover",
            "object": line.ref.object,
            "id": line.ref.id,
            "name": line.name,
            "lost": [ref.id for ref in line.lost],
            "text": line.text,
            "back": line.back,
        }
    return None
