"""``pull``: bring the mirror of one connection up to date for every ruleset that uses it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from crmsync.config.project_file import ConnectionConfig
from crmsync.connector import Reader
from crmsync.errors import UsageError
from crmsync.facts import wants
from crmsync.ingest import PullOptions, PullProgress, PullReport
from crmsync.ingest import pull as pull_objects
from crmsync.model.text import Text
from crmsync.project.echoing import settle_echoes
from crmsync.project.ground import Ground, stand
from crmsync.project.opening import Project
from crmsync.project.schemas import save_schemas
from crmsync.store import EchoState
from crmsync.store.mirror import MirrorSettings

Progress = Callable[[int, int | None], None]


def pull(
    project: Project, connection: ConnectionConfig, *, full: bool, progress: Progress
) -> PullReport:
    """Read what the project's rulesets map on this connection."""
    folders = [
        folder
        for folder in project.config.rulesets
        if (folder / "mapping" / f"{connection.connector}.yaml").is_file()
    ]
    if not folders:
        raise UsageError(
            Text(
                zh=f"没有规则集映射到 {connection.connector}",
                en=f"no ruleset of this project maps {connection.connector}",
            ),
            mend=Text(
                zh=f"在规则集里建立 mapping/{connection.connector}.yaml",
                en=f"write mapping/{connection.connector}.yaml in a ruleset",
            ),
        )
    with project.reader(connection) as reader:
        grounds = [stand(reader, folder, connection) for folder in folders]
        return pull_rules(project, connection, reader, grounds, full=full, progress=progress)


def pull_rules(
    project: Project,
    connection: ConnectionConfig,
    reader: Reader,
    grounds: Iterable[Ground],
    *,
    full: bool = False,
    progress: Progress,
) -> PullReport:
    """Pull with an open reader for rules already loaded."""
    done: dict[str, int] = {}

    def told(step: PullProgress) -> None:
        done[step.object] = step.read
        progress(sum(done.values()), None)

    stood = list(grounds)
    mirror = project.mirror_path(connection)
    report = pull_objects(
        reader,
        [want for item in stood for want in wants(item.rules, item.mapping, item.schemas)],
        mirror,
        options=_options(project, connection, full=full),
        progress=told,
    )
    for item in stood:
        save_schemas(project.schemas_path(connection), item.schemas)
    with project.store() as store:
        found = settle_echoes(store, connection.name, mirror, at=project.now())
    return replace(report, echoes=found[EchoState.ECHO], near_misses=found[EchoState.NEAR_MISS])


def _options(project: Project, connection: ConnectionConfig, *, full: bool) -> PullOptions:
    """With what the last runs did not find; a full read since has settled whatever is older."""
    options = PullOptions(now=project.now, full=full, mirror=MirrorSettings(project.config.memory))
    with project.store() as store:
        since = project.now() - options.full_every
        return replace(options, suspects=store.journal.gone(connection.name, since=since))
