"""A local server that behaves like a CRM: the frame every vendor's sandbox fills in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

from crmsync.connector.context import ConnectionContext
from crmsync.model.record import Value
from crmsync.model.schema import FieldSchema
from crmsync.testing.clock import SandboxClock
from crmsync.testing.context import MemoryTokenShelf, practice_context
from crmsync.testing.faults import FaultScript
from crmsync.testing.invariants import Invariants
from crmsync.testing.merging import merge_records
from crmsync.testing.practice import LoadReport, PracticeCustomer, PracticeOrder, SandboxConnection
from crmsync.testing.recorder import Recorder, RequestKind, RequestRecord
from crmsync.testing.records import RecordStore
from crmsync.testing.rows import Actor, FieldWrite, Origin, Row
from crmsync.testing.server import ASGIApp, ServerThread
from crmsync.testing.wire import Wire


class Sandbox(ABC):
    """A practice CRM on 127.0.0.1. Use it as a context manager, or ``start`` and ``stop`` it.

    A vendor's sandbox MUST give ``app``, ``classify``, ``connection_settings`` and
    ``load_over_http``; it MAY set the class values below and MAY override ``prepare`` and
    ``new_id``. Its handlers read and write ``self.store`` as ``self.api_actor(user)``.

    Places for the world's bad habits: ``on_request`` (a person edits while we work), ``faults``
    (replies, delays, lost connections, late commits), ``store.watch`` (workflows) and ``index_lag``
    (searches that see the past through ``store.rows(…, lag=self.index_lag)``).
    """

    resolution = timedelta(seconds=1)
    """The grain of the vendor's modified times."""
    index_lag = timedelta()
    """How late searches see a change; settable while running."""

    keep_past = True
    """Remember every version of every record, for lagging searches."""

    def __init__(self, clock: SandboxClock | None = None) -> None:
        self.clock = clock or SandboxClock()
        self.recorder = Recorder()
        self.faults = FaultScript()
        self.store = RecordStore(
            self.clock, resolution=self.resolution, new_id=self.new_id, keep_past=self.keep_past
        )
        self.invariants = Invariants(self.store, self.recorder)
        self.store.is_read_only = lambda: self._read_only > 0
        self._read_only = 0
        self._wire = Wire(self.clock, self.recorder, self.faults, self.classify, self.app)
        self._server = ServerThread(self._wire)
        self.prepare()

    # What a vendor fills in

    @abstractmethod
    def app(self) -> ASGIApp:
        """The vendor's API as an ASGI application (a Starlette); made once, on first use."""

    @abstractmethod
    def classify(self, method: str, path: str, body: Any) -> RequestKind:  # noqa: ANN401 - any JSON
        """What a request does: read, write, auth or meta (descriptions, users, quota)."""

    @abstractmethod
    def connection_settings(self) -> SandboxConnection:
        """The keys and secrets with which a connector reaches this sandbox; it must be running."""

    @abstractmethod
    def load_over_http(
        self, customers: Sequence[PracticeCustomer], orders: Sequence[PracticeOrder]
    ) -> LoadReport:
        """Fill in practice data through the vendor's own API, in batches as large as it takes.

        MUST run inside ``self.loading()``, so that it counts as practice data.
        """

    def prepare(self) -> None:  # noqa: B027 - a vendor may need none
        """Make the organisation: users, objects with their fields, a task object. Called once."""

    def new_id(self, object: str, number: int) -> str:
        """The id of the *number*-th record made, in the vendor's shape."""
        return f"{object.lower()}-{number:08d}"

    @classmethod
    def for_practice(cls, clock: SandboxClock | None = None) -> Self:
        """A sandbox for people to try things on, on the real clock unless one is given. A vendor
        whose standard limits would make that tedious MAY widen them here, saying so; tests of the
        limits never use this."""
        return cls(clock)

    def make_fields_by_hand(self, object: str, fields: Sequence[FieldSchema]) -> None:
        """Do what a `FieldWorksheet` asks an administrator to do in the CRM's own pages.

        Only for vendors whose API cannot create fields; fields are matched by label.
        """
        raise NotImplementedError("this vendor's API creates fields itself")

    # Running it

    def start(self, port: int = 0) -> None:
        """Serve on 127.0.0.1; returns once requests are answered."""
        self._server.start(port)

    def stop(self) -> None:
        """Stop serving; twice is fine."""
        self._server.stop()

    def serve_forever(self, port: int, on_ready: Callable[[str], None]) -> None:
        """Serve in this thread until a signal; *on_ready* is told the address.

        Ctrl-C then raises KeyboardInterrupt, SIGTERM ends the process.
        """
        self._server.serve_forever(port, lambda _: on_ready(self.url))

    @property
    def url(self) -> str:
        """The address, without a slash at the end."""
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def running(self) -> bool:
        """Whether it serves."""
        return self._server.running

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    # What tests and the demo do with it

    def context(
        self, *, connection: str = "practice", shelf: MemoryTokenShelf | None = None
    ) -> ConnectionContext:
        """A connection context with this sandbox's secrets, clock and sleep."""
        secrets = self.connection_settings().secrets
        return practice_context(secrets, self.clock, connection=connection, shelf=shelf)

    def api_actor(self, user: str) -> Actor:
        """Who writes when a request does: the API, or the loading of practice data."""
        return Actor(user, Origin.LOADED if self.recorder.is_loading else Origin.API)

    def seed(self, object: str, records: Sequence[Mapping[str, Value]]) -> tuple[Row, ...]:
        """Put records straight into the store, past the API and its checks."""
        actor = Actor("seed", Origin.LOADED)
        return tuple(self.store.create(object, values, actor) for values in records)

    def edit_as_person(
        self, object: str, id: str, values: Mapping[str, Value], *, by: str = "colleague"
    ) -> Row:
        """Somebody changes a record in the CRM's own pages."""
        return self.store.update(object, id, values, Actor(by, Origin.PERSON))

    def delete_as_person(self, object: str, id: str, *, by: str = "colleague") -> Row:
        """Somebody deletes a record in the CRM's own pages."""
        return self.store.delete(object, id, Actor(by, Origin.PERSON))

    def merge_as_person(
        self,
        object: str,
        lost: str,
        survivor: str,
        *,
        values: Mapping[str, Value] | None = None,
        by: str = "colleague",
    ) -> None:
        """Somebody merges a record into another: what hangs on it moves over, it is deleted.

        *values* are those chosen from the record that goes. A vendor adds what its own merge does
        besides.
        """
        merge_records(self.store, object, lost, survivor, Actor(by, Origin.PERSON), values=values)
        self.delete_as_person(object, lost, by=by)

    def restore_as_person(self, object: str, id: str, *, by: str = "colleague") -> Row:
        """Somebody takes a record out of the recycle bin."""
        return self.store.bring_back(object, id, Actor(by, Origin.PERSON))

    def field_writes(self, *, origin: Origin | None = Origin.API) -> tuple[FieldWrite, ...]:
        """Every field written, in order: by the API unless another origin (or ``None``, all)."""
        return self.store.writes(origin=origin)

    def on_request(self, hook: Callable[[RequestRecord], None]) -> None:
        """Call *hook* when a request has arrived and before it is carried out.

        The place for a human editor: the hook runs on the server's thread and may use
        ``edit_as_person`` and the store; an exception in it breaks the request.
        """
        self._wire.before_each.append(hook)

    def settle(self) -> None:
        """Carry out late commits that are due; every request does so first, too."""
        if self._server.running and not self._server.on_own_thread():
            self._server.run(self._wire.settle())

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Mark a part (planning, explaining) in which nothing may be written."""
        self._read_only += 1
        try:
            with self.recorder.read_only():
                yield
        finally:
            self._read_only -= 1

    @contextmanager
    def loading(self) -> Iterator[None]:
        """Mark the loading of practice data: left out of logs, counts and invariants."""
        with self.recorder.loading():
            yield
