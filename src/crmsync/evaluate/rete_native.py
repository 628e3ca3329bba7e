"""The one place that touches durable-rules: rules inside its C extension, facts in, names out.

Everything here keeps to what the extension does reliably (durable-rules 2.0.28, measured
2026-11-22). Only its low-level module is used: no threads and no swallowed errors. A record is a
fact, asserted, collected and retracted; never an event (an event fires one rule only), never a
batch, a session, a timer or a negated pattern. Values are small integers, 1 or null under field
names of our own, so its string, number, type and name-hash rules never come into play. At most
`MOST_RULES` rules share a network, which bounds its internal stack of 64. After any exception the
network is thrown away and built anew, because the half-processed fact would fire with the next
one.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from typing import NamedTuple, Protocol, TypeAlias, cast

MOST_RULES = 60
MOST_FIELDS = 200
"""Fields a fact may have; the extension takes 252 properties, its own included."""

MOST_TESTS = 24
_MOST_FIRINGS = 4096
_MOST_REBUILDS = 16
_HANDLED, _NO_MATCH = 0, 1
_ONE = '{"id":"k"}'
_PROBE_RULE = '"x":{"all":[{"m":{"c":1}}]}'
_PROBE = '{"id":"k","c":1}'

Tell: TypeAlias = Callable[[str], list[str]]


class Pattern(NamedTuple):
    """One test on one field: ``op`` is a durable-rules operator, ``code`` None for null."""

    field: str
    op: str
    code: int | None

    @property
    def text(self) -> str:
        """The test in the extension's JSON."""
        code = "null" if self.code is None else str(self.code)
        return f'{{"{self.op}":{{"{self.field}":{code}}}}}'


Rule: TypeAlias = tuple[str, tuple[tuple[Pattern, ...], ...]]
"""A name and the patterns that must all be met, each by a fact of its own."""


class ReteError(Exception):
    """durable-rules is missing or did not do what it should; the compiled matcher takes over."""


class Extension(Protocol):
    """The part of ``durable_rules_engine`` that is used; handles and states are numbers."""

    error: type[Exception]

    def create_ruleset(self, name: str, rules: str) -> int: ...
    def delete_ruleset(self, handle: int) -> None: ...
    def delete_state(self, handle: int, sid: None) -> None: ...
    def assert_fact(self, handle: int, fact: str) -> tuple[int, int]: ...
    def retract_fact(self, handle: int, fact: str) -> tuple[int, int]: ...
    def start_action_for_state(self, handle: int, state: int) -> tuple[str, str] | None: ...
    def complete_and_start_action(self, handle: int, state: int) -> str | None: ...


@cache
def extension() -> Extension:
    """The C extension; raises ReteError where it is not installed or cannot be loaded."""
    try:
        import durable_rules_engine  # noqa: PLC0415 - only who asks for it needs it
    except ImportError as problem:
        raise ReteError(str(problem)) from problem
    return cast("Extension", durable_rules_engine)


def fields(count: int) -> tuple[str, ...]:
    """The names facts use for their fields; their 32-bit hashes are all different."""
    if count > MOST_FIELDS:
        raise ReteError(f"{count} fields in one network")
    return tuple(f"f{number}" for number in range(count))


class Network:
    """Rules inside the extension. Any thread may call; calls go one after the other.

    ``rebuilt`` counts how often an exception cost the network its handle.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        if len(rules) > MOST_RULES:
            raise ReteError(f"{len(rules)} rules in one network")
        self._native = extension()
        self._text = _definition(rules)
        self._names = {name for name, _ in rules}
        self._lock = threading.Lock()
        self._handle: _Handle | None = None
        self.rebuilt = 0
        self._ready()

    def match(self, line: str) -> list[str]:
        """The names of the rules that one fact alone meets; *line* has the id ``k``."""
        with self._lock:
            handle = self._ready()
            try:
                fired = self._tell(handle.number, line)
                if fired:
                    self._native.retract_fact(handle.number, _ONE)
            except BaseException as problem:
                self._spoilt(handle, problem)
                raise
            return fired

    @contextmanager
    def memory(self) -> Iterator[Tell]:
        """Facts that stay together until the block ends.

        The value is a function: it adds one fact, given as the JSON of its fields without braces,
        and gives the names of the rules that fact completed.
        """
        with self._lock:
            handle, told = self._ready(), 0

            def tell(text: str) -> list[str]:
                nonlocal told
                told += 1
                return self._tell(handle.number, f'{{"id":"a{told}",{text}}}')

            try:
                yield tell
                for number in range(told):
                    self._native.retract_fact(handle.number, f'{{"id":"a{number + 1}"}}')
            except BaseException as problem:
                self._spoilt(handle, problem)
                raise

    def close(self) -> None:
        """Free the extension's memory; the next call builds the network again."""
        with self._lock:
            if self._handle is not None:
                self._handle.close()
                self._handle = None

    def _tell(self, handle: int, line: str) -> list[str]:
        status, state = self._native.assert_fact(handle, line)
        if status == _NO_MATCH:
            return []
        if status != _HANDLED:
            raise ReteError(f"a fact was taken for a known one ({status})")
        started = self._native.start_action_for_state(handle, state)
        message = started[1] if started else None
        following = self._native.complete_and_start_action
        fired: list[str] = []
        for _ in range(_MOST_FIRINGS):
            if not message:
                break
            fired.append(message[2 : message.index('"', 2)])
            message = following(handle, state)
        else:
            raise ReteError("rules fire without end")
        if not self._names.issuperset(fired):
            raise ReteError("a rule fired that is not in the network")
        return fired

    def _spoilt(self, handle: _Handle, problem: BaseException) -> None:
        """Throw the handle away; the extension's own errors become ReteError."""
        handle.drop()
        self._handle = None
        self.rebuilt += 1
        if isinstance(problem, self._native.error | MemoryError):
            raise ReteError(str(problem)) from problem

    def _ready(self) -> _Handle:
        if self._handle is None:
            if self.rebuilt > _MOST_REBUILDS:
                raise ReteError(f"rebuilt {self.rebuilt} times: given up")
            self._handle = _Handle(self._native, self._text)
            weakref.finalize(self, self._handle.close).atexit = False
        return self._handle


class _Handle:
    """One ruleset in the extension, with a probe rule that has fired once: only then may its state
    be deleted, and without that a deleted ruleset leaks a megabyte."""

    def __init__(self, native: Extension, text: str) -> None:
        self._native = native
        try:
            self.number: int = native.create_ruleset("r", text)
        except (native.error, MemoryError) as problem:
            raise ReteError(str(problem)) from problem
        self._open = True
        _, state = native.assert_fact(self.number, _PROBE)
        started = native.start_action_for_state(self.number, state)
        if not started or native.complete_and_start_action(self.number, state):
            self.drop()
            raise ReteError("the probe rule did not fire")
        native.retract_fact(self.number, _ONE)

    def close(self) -> None:
        """Give everything back; nothing may be under way."""
        if self._open:
            self._open = False
            with suppress(self._native.error, MemoryError):
                self._native.delete_state(self.number, None)
                self._native.delete_ruleset(self.number)

    def drop(self) -> None:
        """Let go of a handle whose state may be half-built: its state is left alone."""
        if self._open:
            self._open = False
            with suppress(self._native.error, MemoryError):
                self._native.delete_ruleset(self.number)


def _definition(rules: Sequence[Rule]) -> str:
    written = [f'"{name}":{{"all":[{_patterns(parts)}]}}' for name, parts in rules]
    return "{" + ",".join([_PROBE_RULE, *written]) + "}"


def _patterns(parts: Sequence[Sequence[Pattern]]) -> str:
    listed = []
    for number, tests in enumerate(parts):
        if not 0 < len(tests) <= MOST_TESTS:
            raise ReteError(f"{len(tests)} tests in one pattern")
        texts = [test.text for test in tests]
        whole = texts[0] if len(texts) == 1 else f'{{"$and":[{",".join(texts)}]}}'
        name = "m" if len(parts) == 1 else f"m_{number}"
        listed.append(f'{{"{name}":{whole}}}')
    return ",".join(listed)
