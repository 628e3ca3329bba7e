"""Answers of the Zoho sandbox: flat errors, per-record results, and the refusal that carries one.

Codes and shapes are Zoho's (its published OpenAPI examples, read 2026-11); the messages are ours,
because no client may depend on their wording.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Json: TypeAlias = Any
"""A JSON value on its way in or out; its shape is the vendor's."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, JSON body (``None`` sends none) and extra headers."""

    status: int
    body: Json = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """Ends the handling of a request with a flat error object."""

    def __init__(
        self, status: int, code: str, details: Mapping[str, Json] | None = None, message: str = ""
    ) -> None:
        super().__init__(code)
        self.answer = Answer(status, problem(code, details, message))


class BadValue(Exception):
    """One record of a batch is refused: ``code`` and ``details`` become its result."""

    def __init__(self, code: str, message: str, **details: Json) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.details = details

    def result(self) -> dict[str, Json]:
        """The entry of ``data`` for this record."""
        return problem(self.code, self.details, self.message)


def problem(
    code: str, details: Mapping[str, Json] | None = None, message: str = ""
) -> dict[str, Json]:
    """The object Zoho describes an error with, alone or inside ``data``."""
    return {
        "code": code,
        "details": dict(details or {}),
        "message": message or code.replace("_", " ").lower(),
        "status": "error",
    }


def success(details: Mapping[str, Json], message: str) -> dict[str, Json]:
    """The result of one record that was written."""
    return {"code": "SUCCESS", "details": dict(details), "message": message, "status": "success"}


def collected(key: str, results: list[dict[str, Json]], *, all_well: int) -> Answer:
    """A batch answer: *all_well* when every part succeeded, 400 when none did, else 207."""
    good = sum(result["status"] == "success" for result in results)
    status = all_well if good == len(results) else 207 if good else 400
    return Answer(status, {key: results})


def invalid_module() -> Refusal:
    """There is no module of that name."""
    return Refusal(400, "INVALID_MODULE", {"resource_path_index": 0}, "no such module")


def missing_parameter(name: str) -> Refusal:
    """A query parameter is required."""
    return Refusal(
        400, "REQUIRED_PARAM_MISSING", {"param_name": name}, "a required parameter is missing"
    )
