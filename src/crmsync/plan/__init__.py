"""Plans: decisions set against records, guards, the signed plan file, and undo as a plan."""

from crmsync.plan.build import build
from crmsync.plan.draft import Draft
from crmsync.plan.identity import change_id, firm_facts, schema_fingerprint
from crmsync.plan.inputs import (
    Evaluated,
    HumanEdits,
    Inheritance,
    Origin,
    PlanInputs,
    PlanStamp,
    Unchanged,
    WritePolicy,
)
from crmsync.plan.planfile import PlanFile, approves, read_plan, write_plan
from crmsync.plan.provenance import (
    Present,
    applied_already,
    check_plan,
    fingerprint_of,
    owned_fields,
    task_fields_of,
)
from crmsync.plan.steady_rows import observation_sql, unmoved_sql
from crmsync.plan.undo import UndoAsk, undo
from crmsync.plan.values import FieldValues

__all__ = [
    "Draft",
    "Evaluated",
    "FieldValues",
    "HumanEdits",
    "Inheritance",
    "Origin",
    "PlanFile",
    "PlanInputs",
    "PlanStamp",
    "Present",
    "Unchanged",
    "UndoAsk",
    "WritePolicy",
    "applied_already",
    "approves",
    "build",
    "change_id",
    "check_plan",
    "fingerprint_of",
    "firm_facts",
    "observation_sql",
    "owned_fields",
    "read_plan",
    "schema_fingerprint",
    "task_fields_of",
    "undo",
    "unmoved_sql",
    "write_plan",
]
