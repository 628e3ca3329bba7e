"""What a sandbox was asked: every request, what kind it was and how it ended."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any


class RequestKind(StrEnum):
    """What a request does to the CRM. Many vendors read by POST, so only the sandbox can tell."""

    READ = "read"
    WRITE = "write"
    AUTH = "auth"
    META = "meta"


@dataclass(slots=True)
class RequestRecord:
    """One request. ``status`` is ``None`` while it runs and when the connection was dropped.

    ``body`` is the parsed JSON (a form becomes a dict of text), or ``None``. Headers that carry
    credentials are not kept.
    """

    number: int
    method: str
    path: str
    query: Mapping[str, str]
    kind: RequestKind
    started: datetime
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Any = field(default=None, repr=False)
    status: int | None = None
    ended: datetime | None = None
    read_only: bool = False
    """Arrived while the test said that nothing may be written."""
    loading: bool = False
    """Arrived while practice data was being loaded; counts and invariants leave it out."""
    early_by: timedelta | None = None
    """How long before an announced ``Retry-After`` it came."""


CREDENTIAL_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key"})


class Recorder:
    """Keeps every request of a sandbox in order; thread-safe."""

    def __init__(self) -> None:
        self._records: list[RequestRecord] = []
        self._guard = threading.RLock()
        self._read_only = 0
        self._loading = 0
        self._not_before: datetime | None = None

    def open(self, record: RequestRecord) -> None:
        """Take in a request that has just arrived and number it."""
        with self._guard:
            record.number = len(self._records) + 1
            record.read_only = self._read_only > 0
            record.loading = self._loading > 0
            if self._not_before is not None and record.kind is not RequestKind.AUTH:
                if record.started < self._not_before:
                    record.early_by = self._not_before - record.started
                else:
                    self._not_before = None
            self._records.append(record)

    def close(self, record: RequestRecord, status: int | None, ended: datetime) -> None:
        """Note how the request ended; ``None`` says that no complete reply was sent."""
        with self._guard:
            record.status = status
            record.ended = ended

    def announce(self, not_before: datetime) -> None:
        """A reply told the client not to come back before this moment."""
        with self._guard:
            if self._not_before is None or not_before > self._not_before:
                self._not_before = not_before

    def all(
        self, *, kind: RequestKind | None = None, method: str | None = None, path: str = "*"
    ) -> tuple[RequestRecord, ...]:
        """The requests so far, without those of loading; *path* is a shell pattern."""
        with self._guard:
            return tuple(
                record
                for record in self._records
                if not record.loading
                and (kind is None or record.kind is kind)
                and (method is None or record.method == method.upper())
                and fnmatchcase(record.path, path)
            )

    def count(
        self, *, kind: RequestKind | None = None, method: str | None = None, path: str = "*"
    ) -> int:
        """How many requests ``all`` would give."""
        return len(self.all(kind=kind, method=method, path=path))

    def clear(self) -> None:
        """Forget the requests so far; an announced pause stays announced."""
        with self._guard:
            self._records.clear()

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Mark what arrives inside as belonging to a part that must not write."""
        with self._guard:
            self._read_only += 1
        try:
            yield
        finally:
            with self._guard:
                self._read_only -= 1

    @contextmanager
    def loading(self) -> Iterator[None]:
        """Mark what arrives inside as the loading of practice data."""
        with self._guard:
            self._loading += 1
        try:
            yield
        finally:
            with self._guard:
                self._loading -= 1

    @property
    def is_loading(self) -> bool:
        """Whether practice data is being loaded right now."""
        with self._guard:
            return self._loading > 0
