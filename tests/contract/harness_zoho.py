"""Zoho for the contract suite: names, samples per field type, and how Zoho words its troubles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from crmsync.connector.spec import ConnectorSpec
from crmsync.model.change import CreateRecord
from crmsync.model.record import RecordRef, Value
from crmsync.testing import Reply, Sandbox
from crmsync.testing.contract import CANARY, Sample
from crmsync.testing.faults import Fault
from crmsync.testing.memory_crm import Trouble
from crmsync.testing.sandbox_harness import START, SandboxHarness
from crmsync_zoho import SPEC
from crmsync_zoho.sandbox import ZohoSandbox


def flat(code: str) -> dict[str, object]:
    return {"code": code, "details": {}, "message": "no", "status": "error"}


class Harness(SandboxHarness):
    """One practice Zoho account with a field of every type on its accounts."""

    object = "Accounts"
    text_field = "Account_Site"
    across_pages = 450

    def __init__(self) -> None:
        super().__init__()
        assert isinstance(self.sandbox, ZohoSandbox)
        self.zoho = self.sandbox
        self.zoho.add_field("Tasks", "Crmsync Key", "text")
        self.zoho.add_field("Accounts", "Regions", "multiselectpicklist", ("North", "South", "西"))
        self.zoho.add_field("Accounts", "Signed on", "date")
        self.zoho.add_field("Accounts", "Called at", "datetime")
        self.zoho.add_field("Accounts", "Long number", "bigint")
        self.zoho.add_field("Accounts", "Ratio", "double")
        self.zoho.add_field("Accounts", "Guide", "userlookup")
        self.user = self.zoho.add_user("Zhang Invented").id

    def spec(self) -> ConnectorSpec:
        return SPEC

    def sandbox_class(self) -> type[Sandbox]:
        return ZohoSandbox

    def record(self, number: int) -> Mapping[str, Value]:
        return {"Account_Name": f"Invented {number}", "Account_Site": f"Site {number}"}

    def samples(self) -> Sequence[Sample]:
        (parent,) = self.seed(1)
        eight = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
        return (
            Sample("Account_Site", "Plain text"),
            Sample("Account_Site", "", same=False),
            Sample("Account_Site", None),
            Sample("Account_Site", '客户 ‘引号’ "quoted" é 🙂'),
            Sample("Description", "line one\nline two"),
            Sample("Website", "https://customer.example/?a=1&b=2"),
            Sample("Phone", "+86 10 0000 0000"),
            Sample("Rating", "Active"),
            Sample("Rating", None),
            Sample("Regions", ("North", "西")),
            Sample("Regions", None),
            Sample("Strategic_Account", True),
            Sample("Strategic_Account", False),
            Sample("Employees", 0),
            Sample("Employees", 999_999_999),
            Sample("Employees", None),
            Sample("Long_number", 9_007_199_254_740_993),
            Sample("Annual_Revenue", Decimal("1234567.89")),
            Sample("Annual_Revenue", Decimal(0)),
            Sample("Annual_Revenue", Decimal("-0.01")),
            Sample("Margin_12M", Decimal("12.5")),
            Sample("Ratio", Decimal("0.33")),
            Sample("Signed_on", date(2024, 2, 29)),
            Sample("Called_at", eight),
            Sample("Called_at", eight.astimezone(UTC) - timedelta(hours=8)),
            Sample("Parent_Account", parent.id),
            Sample("Parent_Account", None),
            Sample("Guide", self.user),
            Sample("Owner", self.user),
        )

    def bad_value(self) -> tuple[str, Value]:
        return "Rating", CANARY

    def new_record(self, key: str) -> CreateRecord:
        (about,) = self.seed(1)
        values: dict[str, Value] = {
            "Subject": "Call the customer",
            "Status": "Not Started",
            "Due_Date": date(2026, 12, 1),
            "What_Id": about.id,
            "Crmsync_Key": key,
        }
        return CreateRecord(f"create {key}", "Tasks", values, "Crmsync_Key", about)

    def fault(self, kind: Trouble) -> Fault | None:
        match kind:
            case Trouble.THROTTLED:
                return Reply(429, body=flat("TOO_MANY_REQUESTS"))
            case Trouble.QUOTA:
                headers = {"X-API-CREDITS-REMAINING": "0"}
                return Reply(429, body=flat("TOO_MANY_REQUESTS"), headers=headers)
            case Trouble.SIGN_IN:
                return Reply(401, body=flat("INVALID_TOKEN"))
            case Trouble.ERROR_AFTER_COMMIT:
                return Reply(500, body=flat("INTERNAL_ERROR"), commit=True)
        return super().fault(kind)


__all__ = ["START", "Harness", "RecordRef"]
