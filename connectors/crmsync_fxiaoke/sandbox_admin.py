"""What an administrator does by hand in the product's own pages: fields, people, imports.

None of this is in the vendor's API. The real product has a page for each: a form for custom
fields and a spreadsheet import, whose columns are field labels. Here they are also small HTTP
interfaces below ``/sandbox/admin/``, so that a demonstration can play the administrator.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import httpx

from crmsync.model.record import Value
from crmsync.model.schema import FieldSchema
from crmsync.testing import Actor, LoadReport, Origin, PracticeCustomer, PracticeOrder
from crmsync_fxiaoke.sandbox_schema import WireField, WireObject
from crmsync_fxiaoke.sandbox_tenant import FxiaokeTenant
from crmsync_fxiaoke.sandbox_values import BadValue, accept, render

ADMIN = "/sandbox/admin/"
FACT_FIELDS: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...] = (
    ("近12个月毛利率", "percent", ()),
    ("最长逾期天数", "integer", ()),
    ("需求潜力", "picklist", (("High", "高"), ("Medium", "中"), ("Low", "低"))),
    ("战略客户", "boolean", ()),
    ("黑名单", "boolean", ()),
    ("国家名称", "text", ()),
)
"""Custom fields of the practice company that were there before crmsync came."""
ROWS_A_FILE = 500
Cells = dict[str, Any]


class AdminPages:
    """Plays the administrator of one tenant."""

    def __init__(self, tenant: FxiaokeTenant) -> None:
        self._tenant = tenant

    def settle_in(self) -> None:
        """The company as crmsync finds it: people, and the fields the rules will read."""
        for name, admin in (("系统管理员", True), ("李销售", False), ("王客服", False)):
            self._tenant.hire(name, admin=admin)
        for label, kind, options in FACT_FIELDS:
            self._tenant.add_field("AccountObj", label, kind, options)

    def answer(self, page: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """One request below ``/sandbox/admin/``: ``fields`` or ``import``."""
        if page == "fields":
            options = tuple(
                option if isinstance(option, str) else (option[0], option[1])
                for option in body.get("options", ())
            )
            field = self._tenant.add_field(body["object"], body["label"], body["type"], options)
            return {"api_name": field.api_name, "options": [list(pair) for pair in field.options]}
        if page == "import":
            return {"ids": self.import_rows(body["object"], body["rows"])}
        raise LookupError(page)

    def make_fields(self, object_name: str, fields: Iterable[FieldSchema]) -> None:
        """Make what a worksheet asks for, by label; where a choice is missing, add it."""
        item = self._tenant.objects[object_name]
        for wanted in fields:
            have = item.fields.get(wanted.name) or item.labelled(wanted.label)
            labels = [choice.label for choice in wanted.choices]
            if have is None:
                self._tenant.add_field(object_name, wanted.label, wanted.type.value, labels)
            else:
                self._tenant.add_options(object_name, have, labels)

    def import_rows(self, object_name: str, rows: Iterable[Mapping[str, Any]]) -> list[str]:
        """Import rows whose columns are field labels; unknown people are hired first.

        Like the product's import it takes the labels of options and the names of people, and it
        does set fields the API keeps from writers (the life status of old records).
        """
        item = self._tenant.objects[object_name]
        actor = Actor(next(iter(self._tenant.people)), Origin.LOADED)
        return [
            self._tenant.import_row(object_name, self._values(item, row), actor).id for row in rows
        ]

    def _values(self, item: WireObject, row: Mapping[str, Any]) -> dict[str, Value]:
        values: dict[str, Value] = {}
        for label, cell in row.items():
            field = item.labelled(label)
            if field is None:
                raise BadValue(f"导入列{label}没有对应的字段")
            values[field.api_name] = self._value(field, cell)
        return values

    def _value(self, field: WireField, cell: Any) -> Value:  # noqa: ANN401 - wire JSON
        if field.type == "employee" and cell is not None:
            return self._tenant.hire(cell).id
        if field.type == "select_one" and cell is not None:
            stored = {label: value for value, label in field.options}
            return accept(field, stored.get(cell, cell), frozenset())
        return accept(field, cell, frozenset())


def load_practice(
    url: str,
    tenant: FxiaokeTenant,
    customers: Sequence[PracticeCustomer],
    orders: Sequence[PracticeOrder],
) -> LoadReport:
    """Fill the tenant through the import page, some hundred rows a file."""
    with httpx.Client(base_url=url, trust_env=False, timeout=60) as http:
        upload = _Upload(http)
        rows = [_customer(tenant, each) for each in customers]
        ids = upload.send("AccountObj", rows)
        known = dict(zip((each.key for each in customers), ids, strict=True))
        for each in customers:
            if each.parent in known:
                row = tenant.store.get("AccountObj", known[each.key])
                parent: dict[str, Value] = {"parent_account_id": known[each.parent]}
                tenant.store.update("AccountObj", row.id, parent, Actor("1000", Origin.LOADED))
        made = upload.send("SalesOrderObj", [_order(tenant, each, known) for each in orders])
        placed = dict(zip((each.key for each in orders), made, strict=True))
        return LoadReport(customers=known, orders=placed, calls=upload.calls)


class _Upload:
    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self.calls = 0

    def send(self, object_name: str, rows: Sequence[Cells]) -> list[str]:
        ids: list[str] = []
        for start in range(0, len(rows), ROWS_A_FILE):
            body = {"object": object_name, "rows": rows[start : start + ROWS_A_FILE]}
            reply = self._http.post(f"{ADMIN}import", json=body)
            reply.raise_for_status()
            ids.extend(reply.json()["ids"])
            self.calls += 1
        return ids


def _cells(tenant: FxiaokeTenant, object_name: str, values: Mapping[str, Value]) -> Cells:
    item = tenant.objects[object_name]
    cells: Cells = {}
    for label, value in values.items():
        field = item.labelled(label)
        if field is None:
            raise LookupError(label)
        plain = field.type in {"employee", "select_one"}
        cells[label] = value if plain or value is None else render(field, value)
    return cells


def _customer(tenant: FxiaokeTenant, each: PracticeCustomer) -> Cells:
    values: dict[str, Value] = {
        "客户名称": each.name,
        "行业": each.industry,
        "国家名称": each.country,
        "人数": each.employees,
        "年收入": each.annual_revenue,
        "客户类型": "终端客户" if each.is_customer else "供应商",
        "生命状态": "正常" if each.is_customer else "未生效",
        "近12个月毛利率": each.margin,
        "最长逾期天数": each.overdue_days,
        "需求潜力": each.potential,
        "战略客户": each.strategic,
        "黑名单": each.blacklisted,
    }
    if each.owner is not None:
        values["负责人"] = each.owner
    return _cells(tenant, "AccountObj", values)


def _order(tenant: FxiaokeTenant, each: PracticeOrder, accounts: Mapping[str, str]) -> Cells:
    values: dict[str, Value] = {
        "销售订单编号": each.title or each.key,
        "客户名称": accounts[each.customer],
        "下单日期": each.placed_on,
        "销售订单金额(元)": Decimal(each.amount),
        "生命状态": "正常" if each.won else "未生效",
    }
    if each.owner is not None:
        values["负责人"] = each.owner
    return _cells(tenant, "SalesOrderObj", values)
