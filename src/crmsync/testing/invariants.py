"""What must hold after every test, whatever the test was about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from crmsync.testing.recorder import Recorder, RequestKind
from crmsync.testing.records import RecordStore
from crmsync.testing.rows import Origin


class Invariants:
    """Looks at what a sandbox saw. Loading practice data is left out everywhere."""

    def __init__(self, store: RecordStore, recorder: Recorder) -> None:
        self._store = store
        self._recorder = recorder

    def check(
        self,
        *,
        owned: Mapping[str, Collection[str]] | None = None,
        task_key: tuple[str, str] | None = None,
    ) -> None:
        """Raise AssertionError with every violation at once.

        *owned* maps object → fields the API may write (``None``: anything goes); *task_key* names
        the object and field whose values must not repeat, deleted records included. Always checked:
        nothing written while reading only, no request before an announced ``Retry-After``.
        """
        found = [*self._written_while_reading(), *self._too_early()]
        if owned is not None:
            found.extend(self._foreign(owned))
        if task_key is not None:
            found.extend(self._repeated(*task_key))
        if found:
            raise AssertionError("the sandbox saw what must not happen:\n  " + "\n  ".join(found))

    def _foreign(self, owned: Mapping[str, Collection[str]]) -> Iterator[str]:
        for write in self._store.writes(origin=Origin.API):
            if write.field not in owned.get(write.object, ()):
                yield f"foreign field written: {write.object}/{write.id} {write.field}"

    def _written_while_reading(self) -> Iterator[str]:
        for record in self._recorder.all(kind=RequestKind.WRITE):
            if record.read_only:
                yield f"write request while reading only: {record.method} {record.path}"
        for write in self._store.writes(origin=Origin.API):
            if write.read_only:
                yield f"field changed while reading only: {write.object}/{write.id} {write.field}"

    def _too_early(self) -> Iterator[str]:
        for record in self._recorder.all():
            if record.early_by is not None:
                seconds = record.early_by.total_seconds()
                yield f"{seconds:.1f} s before Retry-After: {record.method} {record.path}"

    def _repeated(self, object: str, field: str) -> Iterator[str]:
        if object not in self._store.objects():
            return
        rows = [*self._store.rows(object), *self._store.rows(object, deleted=True)]
        counts = Counter(row.get(field) for row in rows if row.get(field) is not None)
        for key, count in counts.items():
            if count > 1:
                yield f"{count} records of {object} carry the key {key}"
