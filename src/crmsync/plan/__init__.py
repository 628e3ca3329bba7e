"""Plans: decisions set against records, guards, the signed plan file, and undo as a plan."""

from crmsync.plan.build import build
from crmsync.plan.draft import Draft
from crmsync.plan.identity import change_id, schema_fingerprint
from crmsync.plan.inputs import (
    Evaluated,
    HumanEdits,
    Origin,
    PlanInputs,
    PlanStamp,
    WritePolicy,
)
from crmsync.plan.planfile import PlanFile, approves, read_plan, short_digest, write_plan
from crmsync.plan.provenance import (
    Present,
    check_plan,
    fingerprint_of,
    owned_fields,
    task_fields_of,
)
from crmsync.plan.undo import UndoAsk, undo
from crmsync.plan.values import FieldValues

__all__ = [
    "Draft",
    "Evaluated",
    "FieldValues",
    "HumanEdits",
    "Origin",
    "PlanFile",
    "PlanInputs",
    "PlanStamp",
    "Present",
    "UndoAsk",
    "WritePolicy",
    "approves",
    "build",
    "change_id",
    "check_plan",
    "fingerprint_of",
    "owned_fields",
    "read_plan",
    "schema_fingerprint",
    "short_digest",
    "task_fields_of",
    "undo",
    "write_plan",
]
