"""Pausing, resuming, releasing a review: a person's words, kept with author and time."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from crmsync.config.project_file import ConnectionConfig
from crmsync.project.loading import load_rules
from crmsync.project.opening import Project
from crmsync.store import Hold


def pause(
    project: Project, folder: Path, connection: ConnectionConfig, *, by: str, reason: str
) -> None:
    """Stop the ruleset from writing on the connection until somebody resumes it."""
    rules = load_rules(folder)
    with project.store() as store:
        store.holds.pause(
            Hold(0, connection.name, rules.id, project.now(), by, reason, run_id=None)
        )
        _note(project, store_what="pause", where=(connection.name, rules.id), by=by, why=reason)


def resume(project: Project, folder: Path, connection: ConnectionConfig, *, by: str) -> bool:
    """End the pause; says whether there was one."""
    rules = load_rules(folder)
    with project.store() as store:
        ended = store.holds.resume(connection.name, rules.id, by=by, at=project.now())
    _note(project, store_what="resume", where=(connection.name, rules.id), by=by, why="")
    return ended


def release_review(
    project: Project, folder: Path, connection: ConnectionConfig, *, by: str, reason: str | None
) -> date:
    """Let demotions that wait for a review happen on the present local day; gives that day."""
    rules = load_rules(folder)
    day = project.as_of(rules)
    with project.store() as store:
        store.reviews.release(
            connection.name, rules.id, on=day, by=by, at=project.now(), reason=reason
        )
    _note(project, store_what="review", where=(connection.name, rules.id), by=by, why=reason or "")
    return day


def _note(project: Project, *, store_what: str, where: tuple[str, str], by: str, why: str) -> None:
    connection, ruleset = where
    with project.store() as store:
        store.audit.add(
            at=project.now(),
            who=by,
            what=store_what,
            detail={"connection": connection, "ruleset": ruleset, "reason": why},
        )
