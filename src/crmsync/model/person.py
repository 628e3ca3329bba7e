"""People below a customer, as far as a task needs to know them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """One of them: the record's id and what the person is called (the id where nobody says)."""

    id: str
    name: str
