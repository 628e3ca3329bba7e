"""Practice data and practice connections: what a sandbox can be filled with and reached by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeCustomer:
    """One invented customer. ``margin`` and ``growth`` are in percent (20 = 20 %).

    ``potential`` is High, Medium or Low. ``owner`` is a person's name in the sandbox's user list;
    ``None`` leaves the record with the loading user. ``None`` in a value leaves the field empty.
    """

    key: str
    name: str
    industry: str | None = None
    country: str | None = None
    employees: int | None = None
    annual_revenue: Decimal | None = None
    owner: str | None = None
    margin: Decimal | None = None
    overdue_days: int | None = None
    potential: str | None = None
    strategic: bool = False
    blacklisted: bool = False
    is_customer: bool = True
    parent: str | None = None
    """The key of the parent company."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeOrder:
    """One invented order of the customer with that key; an order that is not won is a lost deal."""

    key: str
    customer: str
    placed_on: date
    amount: Decimal
    title: str = ""
    won: bool = True
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What loading made: our keys → the CRM's ids, and how many calls it took."""

    customers: Mapping[str, str]
    orders: Mapping[str, str]
    calls: int


@dataclass(frozen=True, slots=True)
class SandboxConnection:
    """How to reach a running sandbox.

    ``keys`` are the connection's keys for ``crmsync.yaml`` (``connector`` and ``allow_private``
    among them), with secrets written ``secret:NAME``; ``secrets`` maps NAME to its invented value.
    """

    keys: Mapping[str, object]
    secrets: Mapping[str, str] = field(repr=False)
