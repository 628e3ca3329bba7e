"""The sandbox's tenant: its objects, people and records, and what its rules make of a write.

Records live in the test kit's store in canonical form; here they are turned into the vendor's and
back. The codes of business refusals (a locked record, a missing permission) are not published:
`FxiaokeTenant.refusal_code` is a choice, 32000 ("parameter error") unless a test sets another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from decimal import Decimal
from random import Random
from typing import Any

from crmsync.model.record import Value
from crmsync.model.schema import Choice, FieldSchema, FieldType, ObjectSchema
from crmsync.testing import Actor, Origin, RecordStore, Row
from crmsync_fxiaoke.sandbox_query import PARAMETERS
from crmsync_fxiaoke.sandbox_schema import (
    CUSTOM,
    WireField,
    WireObject,
    fresh_tenant,
    handmade_field,
)
from crmsync_fxiaoke.sandbox_values import BEIJING, BadValue, accept, render

CANONICAL = {
    "text": FieldType.TEXT,
    "long_text": FieldType.LONG_TEXT,
    "select_one": FieldType.PICKLIST,
    "select_many": FieldType.MULTI_PICKLIST,
    "true_or_false": FieldType.BOOLEAN,
    "currency": FieldType.CURRENCY,
    "percentile": FieldType.PERCENT,
    "date": FieldType.DATE,
    "date_time": FieldType.DATETIME,
    "object_reference": FieldType.LOOKUP,
    "employee": FieldType.USER,
    "url": FieldType.URL,
}
WORKFLOW_NOTE = "（由工作流更新）"


@dataclass(frozen=True, slots=True)
class Employee:
    """Somebody in the tenant. Only administrators see records they do not own."""

    id: str
    name: str
    admin: bool = False
    stopped: bool = False

    @property
    def open_user_id(self) -> str:
        """The id of the older interfaces."""
        return f"FSUID_{self.id}"


class Refused(Exception):
    """The CRM refuses one call: its errorCode and message."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


@dataclass(frozen=True, slots=True)
class View:
    """One record seen through the vendor's eyes; fields are rendered when asked for."""

    tenant: FxiaokeTenant
    item: WireObject
    row: Row
    computed: bool = True

    def get(self, name: str) -> Any:  # noqa: ANN401 - wire JSON
        """The wire value of a field, ``None`` when empty."""
        row, field = self.row, self.item.fields.get(name)
        if field is None:
            return None
        if field.type == "count":
            return render(field, self.tenant.count_orders(row)) if self.computed else None
        system: dict[str, Value] = {
            "_id": row.id,
            "create_time": row.created_at,
            "last_modified_time": row.modified_at,
            "created_by": row.created_by,
            "last_modified_by": row.modified_by,
            "is_deleted": row.deleted,
        }
        if name in system:
            return render(field, system[name])
        return render(field, row.values.get(name, DEFAULTS.get(name)))


DEFAULTS: dict[str, Value] = {
    "life_status": "normal",
    "lock_status": "0",
    "record_type": "default__c",
}


class FxiaokeTenant:
    """One company's data in the vendor's cloud. ``automation`` logs what its flows did."""

    def __init__(self, store: RecordStore, *, seed: int) -> None:
        self.store = store
        self.dice = Random(seed)  # noqa: S311 - invented ids, not secrets
        self.objects = fresh_tenant()
        self.people: dict[str, Employee] = {}
        self.automation: list[tuple[str, str, str]] = []
        self.refusal_code = PARAMETERS
        self.shows_invalid = False
        """Whether queries return records that were made invalid; not documented either way."""
        for item in self.objects.values():
            self._publish(item)

    # Administration

    def hire(self, name: str, *, admin: bool = False, stopped: bool = False) -> Employee:
        """Add an employee, or return the one of that name."""
        for person in self.people.values():
            if person.name == name:
                return person
        person = Employee(str(1000 + len(self.people)), name, admin, stopped)
        self.people[person.id] = person
        return person

    def add_field(
        self, object_name: str, label: str, kind: str, options: Iterable[str | tuple[str, str]] = ()
    ) -> WireField:
        """Add a field as the administrator's form does: its API name is made up."""
        item = self.objects[object_name]
        field = handmade_field(label, kind, options, self.dice)
        item.add(field)
        self._publish(item)
        return field

    def add_options(self, object_name: str, field: WireField, labels: Iterable[str]) -> None:
        """Add the options *field* lacks, with values nobody could guess."""
        known = {label for _, label in field.options}
        new = [label for label in labels if label not in known]
        if new:
            more = handmade_field(field.label, "picklist", new, self.dice).options
            item = self.objects[object_name]
            item.add(replace(field, options=(*field.options, *more)))
            self._publish(item)

    def _publish(self, item: WireObject) -> None:
        fields = tuple(_canonical(field) for field in item.fields.values())
        self.store.add_object(ObjectSchema(item.api_name, item.label, fields))

    # Reading

    def item(self, name: Any) -> WireObject:  # noqa: ANN401 - wire JSON
        """The object of that API name; raises Refused."""
        found = self.objects.get(name) if isinstance(name, str) else None
        if found is None:
            raise Refused("对象不存在", PARAMETERS)
        return found

    def visible(
        self, item: WireObject, person: Employee, rows: Iterable[Row], *, computed: bool = True
    ) -> Iterator[View]:
        """The records of *rows* that *person* may see and a list shows."""
        for row in rows:
            if not self.shows_invalid and row.get("life_status") == "invalid":
                continue
            if self._may(person, row):
                yield View(self, item, row, computed)

    def count_orders(self, row: Row) -> int:
        """The roll-up field: how many orders point to this customer."""
        return len(self.store.find_by("SalesOrderObj", "account_id", row.id))

    def wire(
        self, view: View, names: Iterable[str] | None, *, include_null: bool
    ) -> dict[str, Any]:
        """A record as a reply holds it: nulls left out, derived fields added."""
        reply: dict[str, Any] = {}
        wanted = view.item.fields if names is None else [n for n in names if n in view.item.fields]
        for name in wanted:
            value = view.get(name)
            if value is None and not include_null:
                continue
            reply[name] = value
            derived = self._derived(view.item.fields[name], value)
            if derived is not None:
                reply[f"{name}__r"] = derived
        reply["_id"] = view.row.id
        return reply

    def _derived(self, field: WireField, value: Any) -> Any:  # noqa: ANN401 - wire JSON
        if field.type == "employee" and value:
            person = self.people.get(value[0])
            return {"id": value[0], "name": person.name if person else ""}
        if field.type == "object_reference" and value and field.target:
            target = self.store.find(field.target, value)
            return target.get("name") if target else None
        return None

    # Writing

    def create(
        self, item: WireObject, body: Mapping[str, Any], person: Employee, actor: Actor
    ) -> Row:
        """Carry out a create; raises Refused."""
        values = self._accept(item, body)
        for field in item.fields.values():
            if field.required and values.get(field.api_name) is None:
                raise Refused(f"{field.label}为必填项", PARAMETERS)
        values.setdefault("owner", person.id)
        self._unique(item, values, None)
        return self.import_row(item.api_name, values, actor)

    def import_row(self, object_name: str, values: Mapping[str, Value], actor: Actor) -> Row:
        """Store a new record with the system's defaults (also the spreadsheet import's way)."""
        row = self.store.create(object_name, values, actor, defaults=DEFAULTS)
        self._roll_up(row)
        return row

    def update(
        self, item: WireObject, body: Mapping[str, Any], person: Employee, actor: Actor
    ) -> Row:
        """Carry out an update: only the fields given change (assumed, not documented)."""
        row = self.record(item, body.get("_id"), person)
        if row.get("lock_status") == "1":
            raise Refused("数据已锁定，不能编辑", self.refusal_code)
        if row.get("life_status") == "invalid":
            raise Refused("数据已作废，不能编辑", self.refusal_code)
        if "owner" in body:
            raise Refused("负责人不能通过修改接口变更", self.refusal_code)
        values = self._accept(item, {name: v for name, v in body.items() if name != "_id"})
        self._unique(item, values, row.id)
        row = self.store.update(item.api_name, row.id, values, actor)
        self._roll_up(row)
        return row

    def record(self, item: WireObject, id: Any, person: Employee) -> Row:  # noqa: ANN401 - wire JSON
        """The record *person* wants to touch; raises Refused."""
        row = self.store.find(item.api_name, id) if isinstance(id, str) else None
        if row is None or row.deleted:
            raise Refused("数据不存在或已删除", self.refusal_code)
        if not self._may(person, row):
            raise Refused("无此操作的数据权限", self.refusal_code)
        return row

    def set_system(self, row: Row, values: Mapping[str, Value], actor: Actor) -> Row:
        """Set fields that only their own interfaces may set (owner, life and lock status)."""
        return self.store.update(row.object, row.id, values, actor)

    def run_flows(self, row: Row, *, workflow: bool, approval: bool) -> None:
        """What the tenant's flows do unless a call says otherwise: the workflow leaves a note on
        the record; approvals are only counted."""
        if approval:
            self.automation.append(("approval", row.object, row.id))
        if workflow:
            self.automation.append(("workflow", row.object, row.id))
            name = "remark__c" if row.object.endswith(CUSTOM) else "remark"
            actor = Actor("-10000", Origin.AUTOMATION)
            self.store.update(row.object, row.id, {name: WORKFLOW_NOTE}, actor)

    def _may(self, person: Employee, row: Row) -> bool:
        return person.admin or person.id in {row.get("owner"), row.created_by}

    def _accept(self, item: WireObject, body: Mapping[str, Any]) -> dict[str, Value]:
        people = frozenset(self.people)
        values: dict[str, Value] = {}
        for name, value in body.items():
            if name in {"dataObjectApiName", "object_describe_api_name"}:
                continue
            field = item.fields.get(name)
            if field is None:
                raise Refused(f"字段{name}不存在", PARAMETERS)
            if not field.writable:
                raise Refused(f"{field.label}不可编辑", PARAMETERS)
            try:
                values[name] = accept(field, value, people)
            except BadValue as problem:
                raise Refused(str(problem), PARAMETERS) from problem
            self._points_somewhere(field, values[name])
        return values

    def _points_somewhere(self, field: WireField, value: Value) -> None:
        if field.type != "object_reference" or value is None or field.target not in self.objects:
            return
        target = self.store.find(field.target, str(value))
        if target is None or target.deleted:
            raise Refused(f"{field.label}关联的数据{value}不存在", PARAMETERS)

    def _unique(self, item: WireObject, values: Mapping[str, Value], own: str | None) -> None:
        for field in item.fields.values():
            value = values.get(field.api_name)
            if not field.unique or value is None:
                continue
            for row in self.store.find_by(item.api_name, field.api_name, value):
                if row.id != own:
                    raise Refused(f"{field.label}的值已存在", self.refusal_code)

    def _roll_up(self, row: Row) -> None:
        if row.object != "SalesOrderObj" or row.get("life_status") != "normal":
            return
        account, day = row.get("account_id"), row.get("order_time")
        target = self.store.find("AccountObj", str(account)) if account else None
        if target is None or target.deleted or day is None:
            return
        assert not isinstance(day, bool | int | str | tuple | Decimal)
        moment = datetime.combine(day, time(), BEIJING).astimezone(UTC)
        last = target.get("last_deal_closed_time")
        if not isinstance(last, datetime) or moment > last:
            actor = Actor("-10000", Origin.LOADED)
            self.store.update("AccountObj", target.id, {"last_deal_closed_time": moment}, actor)


def _canonical(field: WireField) -> FieldSchema:
    kind = CANONICAL.get(field.type, FieldType.TEXT)
    if field.type in {"number", "count"}:
        kind = FieldType.DECIMAL if field.decimal_places else FieldType.INTEGER
    return FieldSchema(
        field.api_name,
        field.label,
        kind,
        choices=tuple(Choice(value, label) for value, label in field.options),
        read_only=not field.writable,
        required=field.required,
        unique=field.unique,
        max_length=field.max_length,
        scale=field.decimal_places,
        target=field.target,
    )
