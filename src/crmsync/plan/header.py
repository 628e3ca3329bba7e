"""The header of a plan: provenance from the inputs, figures from the making."""

from __future__ import annotations

from dataclasses import dataclass

from crmsync.model.override import Override
from crmsync.model.plan import (
    GuardResult,
    PlanCounts,
    PlanHeader,
    PlanKind,
    PlanNotice,
    Withheld,
)
from crmsync.plan.inputs import PlanInputs
from crmsync.plan.provenance import fingerprint_of, owned_fields, task_fields_of
from crmsync.plan.values import field_name

MOST_LISTED = 1000
"""Withheld rows of one kind, and notices, that a header lists; the counts are always whole."""
STALE = "stale_source"
"""A demotion or a move held back because a source is not fresh or not whole."""
NOTE = "bad_value"
"""Listed beside the withheld rows, but it holds no row back by itself."""
UNPLACED = "unplaced"
"""A customer nothing is measured of: no scorecard applies, or no row of the table of tiers fits."""
NOTES = (NOTE, UNPLACED)
"""What is listed and holds no row back."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What the making of a plan came to."""

    counts: PlanCounts
    guards: tuple[GuardResult, ...]
    withheld: tuple[Withheld, ...]
    adoptions: tuple[Override, ...] = ()
    notices: tuple[PlanNotice, ...] = ()


def header(
    inputs: PlanInputs, figures: Figures, *, kind: PlanKind, undoes: int | None = None
) -> PlanHeader:
    """Everything a plan is checked against before it is applied."""
    rules, mapping = inputs.ruleset, inputs.mapping
    origin, stamp = inputs.origin, inputs.stamp
    return PlanHeader(
        plan_id=stamp.plan_id,
        kind=kind,
        created_at=stamp.created_at,
        expires_at=stamp.expires_at,
        as_of=inputs.as_of,
        ruleset=rules.id,
        ruleset_version=rules.version,
        ruleset_digest=rules.digest,
        mapping_digest=mapping.digest,
        connection=origin.connection,
        connector=mapping.connector,
        account_id=origin.account_id,
        environment=origin.environment,
        object=mapping.object,
        owned_fields=owned_fields(mapping),
        task_object=mapping.tasks.object if mapping.tasks else None,
        task_fields=task_fields_of(mapping),
        schema_fingerprint=fingerprint_of(mapping, origin),
        pulled_at=origin.pulled_at,
        tool_version=stamp.tool_version,
        counts=figures.counts,
        guards=figures.guards,
        withheld=figures.withheld,
        undoes=undoes,
        run_automation=inputs.policy.run_automation,
        owned={role: field_name(target) for role, target in mapping.write.items()},
        adoptions=figures.adoptions,
        notices=figures.notices,
        unfresh=inputs.unfresh,
        frozen=inputs.frozen,
        notes=inputs.notes,
    )
