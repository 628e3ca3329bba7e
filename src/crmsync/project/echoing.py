"""After a pull: which of our own writes came back, and which came back as something else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from crmsync.model.record import Value
from crmsync.store import EchoState, Sent, Store
from crmsync.store.mirror import open_mirror, read_meta


def settle_echoes(
    store: Store, connection: str, mirror: Path, *, at: datetime
) -> Counter[EchoState]:
    """Compare the published mirror with the ledger of our writes; how many were which."""
    if not store.echoes.objects(connection):
        return Counter()
    with open_mirror(mirror) as db:
        meta = read_meta(db)

        def read_back(object: str, sent: Sequence[Sent]) -> Mapping[tuple[str, str], Value]:
            """The values of records read after they were written."""
            known = meta.objects.get(object)
            if known is None:
                return {}
            names = {field.name for field in known.fields}
            due = [
                item for item in sent if item.field in names and item.written_at < known.watermark
            ]
            if not due:
                return {}
            fields = sorted({item.field for item in due})
            columns = ", ".join(f'"{name}"' for name in fields)
            ids = sorted({item.ref.id for item in due})
            query = f'SELECT id, {columns} FROM "{object}" WHERE id IN (SELECT unnest(?))'
            rows = {row[0]: row[1:] for row in db.execute(query, [ids]).fetchall()}
            place = {name: number for number, name in enumerate(fields)}
            return {
                (item.ref.id, item.field): _canonical(rows[item.ref.id][place[item.field]])
                for item in due
                if item.ref.id in rows
            }

        return store.echoes.settle(connection, read_back, at=at)


def _canonical(value: object) -> Value:
    """A mirrored value as our own writes are kept: moments are aware, lists are tuples."""
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    if isinstance(value, list):
        return tuple(value)
    return value  # type: ignore[return-value]
