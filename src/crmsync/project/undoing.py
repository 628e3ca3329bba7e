"""``undo``: a plan that takes a run back; like every plan it is written by ``apply`` alone."""

from __future__ import annotations

import uuid
from pathlib import Path

from crmsync import __version__
from crmsync.plan import PlanInputs, PlanStamp, UndoAsk, read_plan, undo, write_plan
from crmsync.project.ground import stand
from crmsync.project.opening import Project
from crmsync.project.planning import VALID_FOR, PlanMade


def make_undo(project: Project, run_id: int, out: Path) -> PlanMade:
    """Compare what the run wrote with the CRM as it stands and save the plan.

    Raises UsageError for an unknown run, PlanRefused where it cannot be taken back.
    """
    now = project.now()
    with project.store() as store:
        header = store.runs.header(run_id)
        connection = project.connection(header.connection)
        folder = project.folder_of(header.ruleset)
        with project.reader(connection) as reader:
            ground = stand(reader, folder, connection)
            inputs = PlanInputs(
                ruleset=ground.rules,
                mapping=ground.mapping,
                origin=ground.origin(connection.name, now),
                stamp=PlanStamp(
                    plan_id=uuid.uuid4().hex,
                    created_at=now,
                    expires_at=now + VALID_FOR,
                    tool_version=__version__,
                ),
                as_of=project.as_of(ground.rules),
            )
            with undo(inputs, UndoAsk(store, reader, run_id)) as draft:
                out.parent.mkdir(parents=True, exist_ok=True)
                digest = write_plan(out, draft, project.key())
                store.plans.register(draft.header, digest=digest, path=str(out))
    return PlanMade(read_plan(out, project.key()), out, ground.rules)
