"""The strategy most scripts use, as a negative control: write, retry on error, note it afterwards.

A harness this strategy survives would prove nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from crmsync.connector import Connector, WriteOptions
from crmsync.errors import ConnectorError
from crmsync.model.change import Change, CreateRecord, SetFields
from crmsync.model.plan import PlanSource, RecordChange, TaskCreate

TRIES = 3


def naive_apply(
    connector: Connector,
    plan: PlanSource,
    notes: Path,
    *,
    checkpoint: Callable[[str], None] = lambda name: None,
) -> None:
    """Write every line of the plan that *notes* does not say is done."""
    done = set(json.loads(notes.read_text())) if notes.exists() else set()
    for change in _changes(plan):
        if change.change_id in done:
            continue
        for attempt in range(TRIES):
            checkpoint("before the call")
            try:
                connector.write([change], WriteOptions())
            except ConnectorError:
                if attempt + 1 == TRIES:
                    raise
                continue
            break
        checkpoint("after the call")
        done.add(change.change_id)
        notes.write_text(json.dumps(sorted(done)))


def _changes(plan: PlanSource) -> Iterator[Change]:
    for line in plan.lines():
        if isinstance(line, RecordChange) and line.fields:
            before = {delta.field: delta.before for delta in line.fields}
            after = {delta.field: delta.after for delta in line.fields if delta.role != "run"}
            yield SetFields(line.change_id, line.ref, before, after)
        elif isinstance(line, TaskCreate):
            yield CreateRecord(line.change_id, line.object, line.values, line.key_field, line.about)
