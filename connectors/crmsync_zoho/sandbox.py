"""A practice Zoho CRM on 127.0.0.1: a model of Zoho's API v8, bad habits and limits included.

It is a model of documentation: Zoho's published OpenAPI files, reference pages and developer posts.
It is exercised by Zoho's own Python SDK (zohocrmsdk8_0 7.0.0) and was never compared with a live
account. Modelled: tokens and their limits; record lists with both kinds of paging; COQL; inserts,
updates and upserts with per-record results; ``If-Unmodified-Since``; automation that runs unless
``"trigger": []`` says no; locked records; soft deletion; modules, fields, users; credits and
concurrency. Not modelled: bulk jobs, watch channels, search, composite calls, COQL's aggregates.
Where the documents are silent the worse behaviour was chosen; each such place says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from crmsync.model.record import Value
from crmsync.testing import (
    FieldWrite,
    LoadReport,
    PracticeCustomer,
    PracticeOrder,
    RequestKind,
    Row,
    Sandbox,
    SandboxClock,
    SandboxConnection,
)
from crmsync_zoho.sandbox_api import ZohoApi, classify
from crmsync_zoho.sandbox_auth import ZohoAccounts
from crmsync_zoho.sandbox_limits import ZohoLimits
from crmsync_zoho.sandbox_loading import load
from crmsync_zoho.sandbox_people import ZohoUser
from crmsync_zoho.sandbox_records import RUNS_FIELD, Organisation, Workflow, zoho_id

CUSTOMER_FIELDS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Margin 12M", "percent", ()),
    ("Max Overdue Days", "integer", ()),
    ("Demand Potential", "picklist", ("High", "Medium", "Low")),
    ("Strategic Account", "boolean", ()),
    ("Blacklisted", "boolean", ()),
)
"""What the practice company added to its accounts before crmsync came."""


class ZohoSandbox(Sandbox):
    """A practice Zoho account; see the module for what it models.

    ``limits`` may be made smaller while it runs. ``order_module`` decides what practice orders
    become: ``Deals`` (won or lost) or ``Sales_Orders``.
    """

    order_module = "Deals"

    def __init__(self, clock: SandboxClock | None = None, limits: ZohoLimits | None = None) -> None:
        self.limits = limits or ZohoLimits()
        super().__init__(clock)

    def prepare(self) -> None:
        """Make the account: standard modules, the company's own fields, users."""
        self.org = Organisation(self.store)
        self.accounts = ZohoAccounts(self.clock, self.limits)
        self.org.lag = lambda: self.index_lag
        self.api = ZohoApi(self.org, self.accounts, self.limits)
        self.api.base_url = lambda: self.url
        self.api.is_loading = lambda: self.recorder.is_loading
        for label, data_type, choices in CUSTOMER_FIELDS:
            self.add_field("Accounts", label, data_type, choices)
        for module in ("Accounts", "Tasks"):
            self.add_field(module, RUNS_FIELD.replace("_", " "), "integer")

    def app(self) -> Any:  # noqa: ANN401 - Starlette's type is its own
        """The API as an ASGI application."""
        return self.api.app()

    def classify(self, method: str, path: str, body: Any) -> RequestKind:  # noqa: ANN401
        """What a request does, by its address."""
        return classify(method, path)

    def new_id(self, object: str, number: int) -> str:
        """Nineteen digits, beyond what a double holds exactly."""
        return zoho_id(300_000_000 + number)

    @classmethod
    def for_practice(cls, clock: SandboxClock | None = None) -> ZohoSandbox:
        """A sandbox whose practice orders are sales orders, invoices and credit notes alike."""
        sandbox = cls(clock)
        sandbox.order_module = "Sales_Orders"
        return sandbox

    def connection_settings(self) -> SandboxConnection:
        """Keys and secrets to reach this sandbox."""
        return SandboxConnection(
            keys={
                "connector": "zoho",
                "accounts_url": self.url,
                "api_domain": self.url,
                "client_id": self.accounts.client_id,
                "client_secret": "secret:zoho/client_secret",
                "refresh_token": "secret:zoho/refresh_token",
                "allow_private": True,
            },
            secrets={
                "zoho/client_secret": self.accounts.client_secret,
                "zoho/refresh_token": self.accounts.refresh_token,
            },
        )

    def load_over_http(
        self, customers: Sequence[PracticeCustomer], orders: Sequence[PracticeOrder]
    ) -> LoadReport:
        """Create accounts and their orders through the API, a hundred a call, automation quiet."""
        with self.loading():
            return load(self.url, self.accounts, self.org, (customers, orders, self.order_module))

    # the account's own people and rules

    def add_field(
        self, module: str, label: str, data_type: str, choices: Iterable[str] = ()
    ) -> str:
        """Add a custom field as an administrator does; returns its API name."""
        made = self.org.add_field(module, label, data_type, choices=tuple(choices))
        return made.api_name

    def add_user(self, name: str) -> ZohoUser:
        """Add a user to the account."""
        return self.org.people.add(name)

    def add_workflow(self, workflow: Workflow) -> None:
        """Add a workflow rule."""
        self.org.workflows.append(workflow)

    def automation_writes(self) -> tuple[FieldWrite, ...]:
        """What the account's automation wrote so far."""
        return self.org.automation_runs()

    def edit_as_person(
        self, object: str, id: str, values: Mapping[str, Value], *, by: str = "Wang Colleague"
    ) -> Row:
        """Somebody changes a record in Zoho's pages."""
        return super().edit_as_person(object, id, values, by=self.org.people.add(by).id)

    def delete_as_person(self, object: str, id: str, *, by: str = "Wang Colleague") -> Row:
        """Somebody deletes a record; it goes to the recycle bin."""
        return super().delete_as_person(object, id, by=self.org.people.add(by).id)

    def merge_as_person(
        self,
        object: str,
        lost: str,
        survivor: str,
        *,
        values: Mapping[str, Value] | None = None,
        by: str = "Wang Colleague",
    ) -> None:
        """Somebody merges on the "Find and merge" page: the loser is gone for good at once, so the
        list of deletions calls it ``permanent`` and, as documented, does not say where it went."""
        super().merge_as_person(object, lost, survivor, values=values, by=by)
        self.purge(object, lost)

    def purge(self, object: str, id: str) -> None:
        """Somebody empties the recycle bin of this record."""
        self.org.purged.add((object, id))

    def lock(self, object: str, id: str, *, locked: bool = True) -> None:
        """Lock a record, or unlock it."""
        (self.org.locked.add if locked else self.org.locked.discard)((object, id))

    def await_approval(self, object: str, id: str, *, waiting: bool = True) -> None:
        """Send a record into an approval process, or let it out."""
        (self.org.waiting.add if waiting else self.org.waiting.discard)((object, id))
