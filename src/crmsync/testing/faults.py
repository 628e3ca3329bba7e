"""The fault script: which request fails, and how, decided before it arrives."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

from crmsync.testing.recorder import RequestKind, RequestRecord


@dataclass(frozen=True, slots=True)
class Reply:
    """Answer with this instead of the vendor's answer.

    ``body`` is bytes or text as they are, anything else as JSON. ``commit``: let the vendor's code
    carry the request out first (a write that succeeded and was answered 500).
    """

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    commit: bool = False

    def content(self) -> bytes:
        """The bytes to send."""
        if self.body is None:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        if isinstance(self.body, str):
            return self.body.encode()
        return json.dumps(self.body, ensure_ascii=False).encode()

    def content_type(self) -> str:
        """``application/json`` for JSON, ``text/html`` for text; headers may say otherwise."""
        return "text/html; charset=utf-8" if isinstance(self.body, str | bytes) else JSON_TYPE


JSON_TYPE = "application/json;charset=UTF-8"


@dataclass(frozen=True, slots=True)
class Delay:
    """Wait real seconds, then act as usual; ``after_commit``: act first, answer late.

    The request is carried out even when the client has given up by then.
    """

    seconds: float
    after_commit: bool = False


@dataclass(frozen=True, slots=True)
class Drop:
    """Close the connection without an answer: after carrying the request out, or before."""

    commit: bool


@dataclass(frozen=True, slots=True)
class Truncate:
    """Act as usual, but close the connection after ``sent`` bytes of the answer's body."""

    sent: int


@dataclass(frozen=True, slots=True)
class CommitLate:
    """Answer at once (``None``: drop), carry the request out when the sandbox's clock has moved on.

    This is the CRM that commits a write long after its gateway gave up on it.
    """

    seconds: float
    answer: Reply | None = Reply(504, body="<html><title>Gateway Time-out</title></html>")


Fault: TypeAlias = Reply | Delay | Drop | Truncate | CommitLate


def throttled(
    retry_after: int | str | None = None, *, status: int = 429, body: object = None
) -> Reply:
    """A refusal for too many calls, with ``Retry-After`` where given."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Reply(
        status, body={"message": "too many requests"} if body is None else body, headers=headers
    )


@dataclass(slots=True)
class PlannedFault:
    """One line of the script; ``hits`` tells how often it has struck."""

    method: str
    path: str
    action: Fault
    times: int
    skip: int
    when: Callable[[Any], bool] | None
    kind: RequestKind | None = None
    hits: int = 0

    def fits(self, request: RequestRecord) -> bool:
        """Whether this line is about that request."""
        return (
            self.method in {"*", request.method}
            and self.kind in {None, request.kind}
            and fnmatchcase(request.path, self.path)
            and (self.when is None or self.when(request.body))
        )

    @property
    def spent(self) -> bool:
        """Whether it will not strike again."""
        return self.hits >= self.times


class FaultScript:
    """Faults waiting for their request; thread-safe. Earlier lines strike first."""

    def __init__(self) -> None:
        self._planned: list[PlannedFault] = []
        self._guard = threading.Lock()

    def next(
        self,
        method: str,
        path: str,
        action: Fault,
        *,
        times: int = 1,
        skip: int = 0,
        when: Callable[[Any], bool] | None = None,
    ) -> PlannedFault:
        """Let *action* strike the next *times* requests that match, after *skip* others.

        *method* is ``*`` for any, *path* a shell pattern over the path, *when* looks at the parsed
        body. The returned line counts its hits.
        """
        planned = PlannedFault(method.upper(), path, action, times, skip, when)
        with self._guard:
            self._planned.append(planned)
        return planned

    def next_of(
        self, kind: RequestKind, action: Fault, *, times: int = 1, skip: int = 0
    ) -> PlannedFault:
        """Let *action* strike the next *times* requests of that kind, whatever their path, after
        *skip* others."""
        planned = PlannedFault("*", "*", action, times, skip, when=None, kind=kind)
        with self._guard:
            self._planned.append(planned)
        return planned

    def take(self, request: RequestRecord) -> Fault | None:
        """The fault that strikes this request, if any; called by the sandbox."""
        with self._guard:
            for planned in self._planned:
                if planned.spent or not planned.fits(request):
                    continue
                if planned.skip > 0:
                    planned.skip -= 1
                    continue
                planned.hits += 1
                return planned.action
            return None

    def waiting(self) -> tuple[PlannedFault, ...]:
        """Lines that have not struck as often as they were asked to."""
        with self._guard:
            return tuple(planned for planned in self._planned if not planned.spent)

    def clear(self) -> None:
        """Take every line back."""
        with self._guard:
            self._planned.clear()
