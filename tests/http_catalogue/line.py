"""A connector, a fault proxy and a practice CRM in a row, over real sockets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from tests.contract.harness_fxiaoke import Harness as FxiaokeHarness
from tests.contract.harness_zoho import Harness as ZohoHarness

from crmsync.connector import Connector, Everything, ReadQuery, WriteOptions
from crmsync.model.change import ChangeResult, SetFields
from crmsync.model.record import Record, RecordRef
from crmsync.model.text import Text
from crmsync.testing import FaultProxy, RequestKind
from crmsync.testing.bad_wire import Behaviour
from crmsync.testing.sandbox_harness import SandboxHarness

HARNESSES: dict[str, type[SandboxHarness]] = {"zoho": ZohoHarness, "fxiaoke": FxiaokeHarness}
NAMES = tuple(HARNESSES)
PEOPLE = 3
SOON = 0.4
"""Seconds a call may take where a test is about deadlines."""


class Line:
    """One connection at a time; every connector it opened is closed at the end."""

    def __init__(self, name: str, harness: SandboxHarness, proxy: FaultProxy) -> None:
        self.name, self.harness, self.proxy = name, harness, proxy
        self.sandbox = harness.sandbox
        self.notices: list[Text] = []
        self.refs: Sequence[RecordRef] = harness.seed(PEOPLE)
        self._opened: list[Connector] = []

    def open(self, *, prime: bool = True, keys: dict[str, Any] | None = None, **world: Any) -> Any:
        """A connector behind the proxy; *world* changes its context, *keys* its settings. Signed
        in and with the fields known, so that the next call is the one a test is about."""
        spec = self.harness.spec()
        told = {
            name: value.replace(self.sandbox.url, self.proxy.url)
            if isinstance(value, str)
            else value
            for name, value in self.sandbox.connection_settings().keys.items()
            if name not in {"connector", "allow_private"}
        }
        settings = spec.load("settings").model_validate({**told, **(keys or {})})
        shelf = world.pop("shelf", None) or self.harness._shelf
        context = self.sandbox.context(shelf=shelf)
        usual = {"read_seconds": 5.0, "write_seconds": 5.0, "notice": self.notices.append}
        context = replace(context, **{**usual, **world})
        connector = self.harness.watched(spec.load("open")(settings, context))
        self._opened.append(connector)
        if prime:
            connector.describe(self.harness.object)
        return connector

    def close(self) -> None:
        for connector in self._opened:
            connector.close()

    def next(self, behaviour: Behaviour, kind: RequestKind = RequestKind.READ, **more: Any) -> Any:
        return self.proxy.next(behaviour, kind=kind, **more)

    def read(self, connector: Connector) -> list[Record]:
        query = ReadQuery(self.harness.object, (self.harness.text_field,), Everything())
        return [record for page in connector.read(query) for record in page.records]

    def write(self, connector: Connector, text: str = "new") -> Sequence[ChangeResult]:
        """One field of the first record."""
        field = self.harness.text_field
        change = SetFields("c1", self.refs[0], {field: None}, {field: text})
        return connector.write([change], WriteOptions())

    def stored(self) -> Any:
        return self.harness.stored(self.refs[0]).get(self.harness.text_field)

    def sent(self, kind: RequestKind) -> int:
        """Requests of a kind that reached the proxy."""
        count = 0
        for request in self.proxy.requests:
            head, _, body = request.partition(b"\r\n\r\n")
            method, target = head.decode("latin-1").split(" ", 2)[:2]
            path = target.partition("?")[0]
            count += self.sandbox.classify(method, path, body) is kind
        return count


@contextmanager
def line(name: str) -> Iterator[Line]:
    """A running line for one connector."""
    with HARNESSES[name]() as harness:
        sandbox = harness.sandbox
        with FaultProxy(sandbox.url, classify=sandbox.classify) as proxy:
            made = Line(name, harness, proxy)
            try:
                yield made
            finally:
                made.close()
                sandbox.invariants.check()
