"""Two records made one in a practice CRM, as a person does it on a vendor's "merge" page."""

from __future__ import annotations

from collections.abc import Mapping

from crmsync.model.record import Value
from crmsync.testing.records import RecordStore
from crmsync.testing.rows import Actor, Row


def merge_records(
    store: RecordStore,
    object: str,
    lost: str,
    survivor: str,
    by: Actor,
    *,
    values: Mapping[str, Value] | None = None,
) -> Row:
    """Give every record below *lost* to *survivor*; the caller then deletes the loser.

    *values* are those of the loser that were chosen for the survivor. Ids are unlike any other
    text in the store, so a value that equals one is a look-up.
    """
    store.get(object, lost)
    kept = store.get(object, survivor)
    for name in store.objects():
        for row in store.rows(name):
            moved = {
                field: survivor
                for field, value in row.values.items()
                if value == lost and row.id != survivor
            }
            if moved:
                store.update(name, row.id, moved, by)
    return store.update(object, survivor, values, by) if values else kept
