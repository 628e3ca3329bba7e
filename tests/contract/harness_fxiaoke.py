"""The contract harness of the Fxiaoke connector, on its sandbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from types import TracebackType

from crmsync.connector import Connector
from crmsync.connector.spec import ConnectorSpec
from crmsync.model.change import CreateRecord
from crmsync.model.record import Value
from crmsync.testing import Reply
from crmsync.testing.contract import CANARY, Sample
from crmsync.testing.faults import Fault
from crmsync.testing.memory_crm import Trouble
from crmsync.testing.sandbox_harness import SandboxHarness
from crmsync_fxiaoke import SPEC
from crmsync_fxiaoke.sandbox import FxiaokeSandbox


def _answer(code: int, *, commit: bool = False) -> Reply:
    body = {"errorCode": code, "errorMessage": f"{CANARY}", "traceId": "E-O.crmsyncdemo.1000-1"}
    return Reply(body=body, commit=commit)


class Harness(SandboxHarness):
    """Customers of the practice tenant, and tasks in the object its administrator made."""

    object = "AccountObj"
    text_field = "industry__c"
    across_pages = 201

    def __init__(self) -> None:
        super().__init__()
        sandbox = self.sandbox
        assert isinstance(sandbox, FxiaokeSandbox)
        self._multi = sandbox.admin_add_field("AccountObj", "渠道", "multi_picklist", ["甲", "乙"])
        self._day = sandbox.admin_add_field("AccountObj", "等级起始日", "date")
        self._score = sandbox.admin_add_field("AccountObj", "客户评分", "decimal")
        self._share = sandbox.admin_add_field("AccountObj", "占比", "percent")
        self._person = sandbox.admin_add_field("AccountObj", "客户经理", "user")
        self._flag = sandbox.admin_add_field("AccountObj", "锁定等级", "boolean")

        self._opened: list[Connector] = []

    def open(self) -> Connector:
        """A connector; closed with the harness if a failing check leaves it open."""
        connector = super().open()
        self._opened.append(connector)
        return connector

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for connector in self._opened:
            connector.close()
        super().__exit__(kind, problem, trace)

    def spec(self) -> ConnectorSpec:
        """The connector's declaration."""
        return SPEC

    def sandbox_class(self) -> type[FxiaokeSandbox]:
        """The practice tenant."""
        return FxiaokeSandbox

    def record(self, number: int) -> Mapping[str, Value]:
        """An invented customer."""
        return {"name": f"示例客户{number:04d}", "industry__c": f"示例行业{number}"}

    def samples(self) -> Sequence[Sample]:
        """One and more per kind of field."""
        channels = tuple(sorted(value for value, _ in self._multi.options))
        return (
            Sample("industry__c", "机械 “引号” <b> 🙂"),
            Sample("industry__c", "", same=False, reads_as=None),
            Sample("remark", "两\n行"),
            Sample("account_level", "2"),
            Sample("account_level", None),
            Sample(self._multi.api_name, channels),
            Sample(self._flag.api_name, value=True),
            Sample(self._flag.api_name, value=False),
            Sample("employee_number", 0),
            Sample("employee_number", 2**53 + 1),
            Sample(self._score.api_name, Decimal("77.5")),
            Sample(self._share.api_name, Decimal(20)),
            Sample("annual_revenue", Decimal("-1234567890.12")),
            Sample(self._day.api_name, date(2026, 2, 28)),
            Sample(self._day.api_name, date(1969, 12, 31)),
            Sample("last_followed_time", datetime(2026, 11, 20, 16, 30, 1, 234000, tzinfo=UTC)),
            Sample(self._person.api_name, "1001"),
            Sample("url", "https://demo.invalid/?a=1&b=2"),
        )

    def bad_value(self) -> tuple[str, Value]:
        """A parent that is not there: the CRM's message repeats what it was sent."""
        return "parent_account_id", CANARY

    def new_record(self, key: str) -> CreateRecord:
        """A task."""
        values: Mapping[str, Value] = {
            "name": "回访",
            "key__c": key,
            "due__c": date(2026, 12, 1),
            "owner": "1001",
            "status__c": "open",
        }
        return CreateRecord(f"create {key}", "crmsync_task__c", values, "key__c")

    def fault(self, kind: Trouble) -> Fault | None:
        """This vendor answers 200 with a code, and puts a customer's data into its messages."""
        codes = {Trouble.THROTTLED: 30004, Trouble.QUOTA: 30002, Trouble.SIGN_IN: 20016}
        if kind in codes:
            return _answer(codes[kind])
        if kind is Trouble.ERROR_AFTER_COMMIT:
            return _answer(50009, commit=True)
        return super().fault(kind)
