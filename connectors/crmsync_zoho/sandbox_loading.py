"""Practice data into the Zoho sandbox through its own API, a hundred records a call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

import httpx

from crmsync.testing import LoadReport, PracticeCustomer, PracticeOrder
from crmsync_zoho.sandbox_auth import ZohoAccounts
from crmsync_zoho.sandbox_records import Organisation
from crmsync_zoho.sandbox_replies import Json

_T = TypeVar("_T")
BATCH = 100


def load(
    url: str,
    accounts: ZohoAccounts,
    organisation: Organisation,
    what: tuple[Sequence[PracticeCustomer], Sequence[PracticeOrder], str],
) -> LoadReport:
    """Create customers, their parents and their orders; *what* ends with the orders' module."""
    customers, orders, order_module = what
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        loader = _Loader(client, accounts, organisation)
        made = loader.create("Accounts", [(c.key, loader.account(c)) for c in customers])
        loader.link(made, customers)
        shape = loader.deal if order_module == "Deals" else loader.order
        done = loader.create(
            order_module, [(order.key, shape(order, made[order.customer])) for order in orders]
        )
    return LoadReport(made, done, loader.calls)


class _Loader:
    def __init__(
        self, client: httpx.Client, accounts: ZohoAccounts, organisation: Organisation
    ) -> None:
        self.calls = 1
        self._client = client
        self._organisation = organisation
        self._people = organisation.people
        form = {
            "grant_type": "refresh_token",
            "client_id": accounts.client_id,
            "client_secret": accounts.client_secret,
            "refresh_token": accounts.refresh_token,
        }
        token = client.post("/oauth/v2/token", data=form).json()["access_token"]
        client.headers["Authorization"] = f"Zoho-oauthtoken {token}"

    def create(self, module: str, items: list[tuple[str, dict[str, Json]]]) -> dict[str, str]:
        """Insert records; our keys → their ids."""
        made: dict[str, str] = {}
        for batch in _batches(items):
            results = self._send("POST", module, [values for _, values in batch])
            for (key, _), result in zip(batch, results, strict=True):
                made[key] = result["details"]["id"]
        return made

    def link(self, made: dict[str, str], customers: Iterable[PracticeCustomer]) -> None:
        """Set the parent companies, once all of them exist."""
        links = [
            {"id": made[customer.key], "Parent_Account": {"id": made[customer.parent]}}
            for customer in customers
            if customer.parent is not None and customer.parent in made
        ]
        for batch in _batches(links):
            self._send("PUT", "Accounts", batch)

    def account(self, customer: PracticeCustomer) -> dict[str, Json]:
        """A customer as an account."""
        return {
            "Account_Name": customer.name,
            "Account_Number": customer.key,
            "Account_Type": "Customer" if customer.is_customer else "Prospect",
            "Industry": self._industry(customer.industry),
            "Billing_Country": customer.country,
            "Employees": customer.employees,
            "Annual_Revenue": _number(customer.annual_revenue),
            "Margin_12M": _number(customer.margin),
            "Max_Overdue_Days": customer.overdue_days,
            "Demand_Potential": customer.potential,
            "Strategic_Account": customer.strategic,
            "Blacklisted": customer.blacklisted,
            **self._owner(customer.owner),
        }

    def deal(self, order: PracticeOrder, account: str) -> dict[str, Json]:
        """An order as a deal, won or lost."""
        return {
            "Deal_Name": order.title or order.key,
            "Account_Name": {"id": account},
            "Stage": "Closed Won" if order.won else "Closed Lost",
            "Amount": _number(order.amount),
            "Closing_Date": order.placed_on.isoformat(),
            **self._owner(order.owner),
        }

    def order(self, order: PracticeOrder, account: str) -> dict[str, Json]:
        """An order as a sales order."""
        return {
            "Subject": order.title or order.key,
            "Account_Name": {"id": account},
            "Status": "Delivered" if order.won else "Cancelled",
            "Grand_Total": _number(order.amount),
            "Order_Date": order.placed_on.isoformat(),
            **self._owner(order.owner),
        }

    def _owner(self, name: str | None) -> dict[str, Json]:
        return {} if name is None else {"Owner": {"id": self._people.add(name).id}}

    def _industry(self, name: str | None) -> str | None:
        """The account's own spelling of an industry; a new one becomes a picklist value."""
        if name is None:
            return None
        choices = self._organisation.modules["Accounts"].fields["Industry"].choices
        found = next((choice for choice in choices if choice.lower() == name.lower()), None)
        if found is None:
            found = name[:1].upper() + name[1:]
            choices.append(found)
            self._organisation.sync("Accounts")
        return found

    def _send(self, method: str, module: str, data: list[dict[str, Json]]) -> list[Json]:
        self.calls += 1
        reply = self._client.request(
            method, f"/crm/v8/{module}", json={"data": data, "trigger": []}
        )
        results: list[Json] = reply.json().get("data", [])
        bad = [result for result in results if result["status"] != "success"]
        if reply.status_code not in {200, 201} or bad:
            what = bad[:1] or reply.text
            raise RuntimeError(f"loading {module}: HTTP {reply.status_code}, {what}")
        return results


def _number(value: object) -> float | None:
    return None if value is None else float(str(value))


def _batches(items: Sequence[_T]) -> Iterator[list[_T]]:
    source = iter(items)
    while batch := list(islice(source, BATCH)):
        yield batch
