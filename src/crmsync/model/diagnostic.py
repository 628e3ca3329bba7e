"""One finding about a file: a stable code, a place, a cause and a mend."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from crmsync.model.position import Span
from crmsync.model.text import Text


class Severity(StrEnum):
    """ERROR stops the file from being used; WARNING does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Label:
    """A second place that belongs to the finding ("first written here")."""

    span: Span
    text: Text


@dataclass(frozen=True, slots=True)
class Fix:
    """A mechanical mend: put ``replacement`` where ``span`` stands."""

    span: Span
    replacement: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """What ``crmsync check`` prints. Codes: YAML0xx, RULE0xx shape, RULE1xx names, RULE2xx logic,
    MAPxxx, TESTxxx, TABLExxx, CONFxxx."""

    code: str
    severity: Severity
    span: Span
    message: Text
    mend: Text | None = None
    labels: tuple[Label, ...] = ()
    fix: Fix | None = None
