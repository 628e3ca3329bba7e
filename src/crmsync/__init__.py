"""crmsync: tiers and lifecycle stages as code, for the CRM you already have.

What a program that embeds crmsync may rely on is `__all__`; every name is imported when it is first
asked for, so ``import crmsync`` itself costs next to nothing::

    project = crmsync.open_project(Path("."), now=lambda: datetime.now(UTC))
    ask = crmsync.PlanAsk(
        folder=project.ruleset_folder(None),
        connection=project.connection(None),
        out=Path("plan.json"),
    )
    plan = crmsync.make_plan(project, ask)
    with crmsync.Applying(project, crmsync.ApplyAsk(plan=plan.path, by="batch")) as applying:
        report = applying.run()

Connectors are written against `crmsync.connector` and tested with `crmsync.testing`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crmsync.errors import CrmSyncError
    from crmsync.model.decision import Decision
    from crmsync.model.ruleset import Ruleset
    from crmsync.model.run import ApplyReport
    from crmsync.project.applying import ApplyAsk, Applying
    from crmsync.project.checking import check
    from crmsync.project.explaining import explain_record
    from crmsync.project.loading import load_rules
    from crmsync.project.opening import Project, open_project
    from crmsync.project.planning import PlanAsk, PlanMade, load_plan, make_plan
    from crmsync.project.syncing import sync
    from crmsync.project.undoing import make_undo

__version__ = "0.1.0"

__all__ = [
    "ApplyAsk",
    "ApplyReport",
    "Applying",
    "CrmSyncError",
    "Decision",
    "PlanAsk",
    "PlanMade",
    "Project",
    "Ruleset",
    "__version__",
    "check",
    "explain_record",
    "load_plan",
    "load_rules",
    "make_plan",
    "make_undo",
    "open_project",
    "sync",
]

_HOMES = {
    "ApplyAsk": "crmsync.project.applying",
    "ApplyReport": "crmsync.model.run",
    "Applying": "crmsync.project.applying",
    "CrmSyncError": "crmsync.errors",
    "Decision": "crmsync.model.decision",
    "PlanAsk": "crmsync.project.planning",
    "PlanMade": "crmsync.project.planning",
    "Project": "crmsync.project.opening",
    "Ruleset": "crmsync.model.ruleset",
    "check": "crmsync.project.checking",
    "explain_record": "crmsync.project.explaining",
    "load_plan": "crmsync.project.planning",
    "load_rules": "crmsync.project.loading",
    "make_plan": "crmsync.project.planning",
    "make_undo": "crmsync.project.undoing",
    "open_project": "crmsync.project.opening",
    "sync": "crmsync.project.syncing",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'crmsync' has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
