"""One line of what ``doctor`` found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from crmsync.errors import CrmSyncError
from crmsync.model.text import Text


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the examination; ``level`` is ``ok``, ``warning`` or ``problem``."""

    level: str
    about: str
    text: Text
    mend: Text | None = None

    def as_document(self) -> dict[str, Any]:
        """For ``--json``."""
        return {"level": self.level, "about": self.about, "text": self.text, "mend": self.mend}


def failed(about: str, error: CrmSyncError) -> Finding:
    """An error as a problem."""
    return Finding("problem", about, error.message, error.mend)
