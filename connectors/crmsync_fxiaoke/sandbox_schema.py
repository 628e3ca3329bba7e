"""The sandbox tenant's objects and fields, in the vendor's own words and types.

Objects, system fields and field types carry the names seen in the vendor's own material; a few
plain fields (a phone number, a web address, head-counts) are there for practice. What `describe`
answers follows the shape of the vendor's published example.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

Options = tuple[tuple[str, str], ...]
"""Pairs of stored value and label."""

DERIVED_SUFFIXES = ("__r", "__l", "__o", "__v", "__p", "__e", "__relation_ids")
COMPUTED = frozenset({"formula", "count", "quote", "auto_number"})
CUSTOM = "__c"


@dataclass(frozen=True, slots=True)
class WireField:
    """One field as the vendor describes it."""

    api_name: str
    label: str
    type: str
    options: Options = ()
    required: bool = False
    unique: bool = False
    read_only: bool = False
    decimal_places: int | None = None
    max_length: int | None = None
    target: str | None = None

    @property
    def writable(self) -> bool:
        """Whether create and update take it."""
        return not self.read_only and self.type not in COMPUTED

    def describe(self, object_name: str) -> dict[str, Any]:
        """The entry of this field in a describe reply."""
        own = self.api_name.endswith(CUSTOM)
        entry: dict[str, Any] = {
            "describe_api_name": object_name,
            "api_name": self.api_name,
            "label": self.label,
            "type": self.type,
            "define_type": "custom" if own else "package",
            "is_required": self.required,
            "is_unique": self.unique,
            "is_active": True,
            "is_readonly": self.read_only or self.type in COMPUTED,
            "is_index": True,
            "help_text": "",
            "status": "new" if own else "released",
        }
        if self.options:
            entry["options"] = [
                {"label": label, "value": value, "not_usable": False}
                for value, label in self.options
            ]
        if self.decimal_places is not None:
            entry["decimal_places"] = self.decimal_places
        if self.max_length is not None:
            entry["max_length"] = self.max_length
        if self.target is not None:
            entry["target_api_name"] = self.target
        if self.type in {"date", "date_time"}:
            entry["time_zone"] = "GMT+8"
            entry["date_format"] = "yyyy-MM-dd" if self.type == "date" else "yyyy-MM-dd HH:mm"
        return entry


@dataclass(slots=True)
class WireObject:
    """One object and its fields by API name."""

    api_name: str
    label: str
    fields: dict[str, WireField] = field(default_factory=dict)

    def add(self, item: WireField) -> None:
        """Add or replace a field."""
        self.fields[item.api_name] = item

    def labelled(self, label: str) -> WireField | None:
        """The first field people see under *label*."""
        return next((item for item in self.fields.values() if item.label == label), None)

    def describe(self) -> dict[str, Any]:
        """The ``data.describe`` of a describe reply."""
        return {
            "api_name": self.api_name,
            "display_name": self.label,
            "define_type": "custom" if self.api_name.endswith(CUSTOM) else "package",
            "is_active": True,
            "icon_index": 0,
            "fields": {
                name: item.describe(self.api_name) for name, item in sorted(self.fields.items())
            },
        }


LIFE: Options = (
    ("ineffective", "未生效"),
    ("under_review", "审核中"),
    ("normal", "正常"),
    ("in_change", "变更中"),
    ("invalid", "作废"),
)
LOCK: Options = (("0", "未锁定"), ("1", "锁定"))


def _system() -> Iterable[WireField]:
    yield WireField("_id", "_id", "text", read_only=True)
    yield WireField("owner", "负责人", "employee")
    yield WireField("data_own_department", "归属部门", "department")
    yield WireField("life_status", "生命状态", "select_one", LIFE, read_only=True)
    yield WireField("lock_status", "锁定状态", "select_one", LOCK, read_only=True)
    yield WireField("record_type", "业务类型", "record_type", (("default__c", "预设业务类型"),))
    yield WireField("is_deleted", "is_deleted", "true_or_false", read_only=True)
    yield WireField("created_by", "创建人", "employee", read_only=True)
    yield WireField("create_time", "创建时间", "date_time", read_only=True)
    yield WireField("last_modified_by", "最后修改人", "employee", read_only=True)
    yield WireField("last_modified_time", "最后修改时间", "date_time", read_only=True)


def _text(name: str, label: str, *, long: bool = False, required: bool = False) -> WireField:
    kind, length = ("long_text", 2000) if long else ("text", 256)
    return WireField(name, label, kind, max_length=length, required=required)


def _choice(name: str, label: str, options: Options) -> WireField:
    return WireField(name, label, "select_one", options)


def _reference(name: str, label: str, target: str) -> WireField:
    return WireField(name, label, "object_reference", target=target)


def _money(name: str, label: str) -> WireField:
    return WireField(name, label, "currency", decimal_places=2)


def _account() -> Iterable[WireField]:
    yield _text("name", "客户名称", required=True)
    yield WireField("account_no", "客户编号", "auto_number", read_only=True)
    yield _choice(
        "account_level", "客户级别", (("1", "重要客户"), ("2", "普通客户"), ("3", "小客户"))
    )
    yield _choice("account_type", "客户类型", (("1", "终端客户"), ("2", "渠道"), ("3", "供应商")))
    yield _choice("deal_status", "成交状态", (("1", "未成交"), ("2", "已成交"), ("3", "多次成交")))
    yield _text("industry__c", "行业")
    yield WireField("employee_number", "人数", "number", decimal_places=0)
    yield _money("annual_revenue", "年收入")
    yield WireField("last_deal_closed_time", "最后成交时间", "date_time", read_only=True)
    yield WireField("last_followed_time", "最后跟进时间", "date_time")
    yield WireField("order_count", "销售订单数", "count", read_only=True, decimal_places=0)
    yield _reference("parent_account_id", "上级客户", "AccountObj")
    yield WireField("tel", "电话", "phone_number")
    yield WireField("url", "网址", "url")
    yield _text("remark", "备注", long=True)


def _contact() -> Iterable[WireField]:
    yield _text("name", "姓名", required=True)
    yield _reference("account_id", "客户名称", "AccountObj")
    yield WireField("mobile1", "手机", "phone_number")
    yield WireField("email", "邮箱", "email")
    yield _text("remark", "备注", long=True)


def _order() -> Iterable[WireField]:
    yield _text("name", "销售订单编号", required=True)
    yield _reference("account_id", "客户名称", "AccountObj")
    yield WireField("order_time", "下单日期", "date", required=True)
    yield _money("order_amount", "销售订单金额(元)")
    yield _text("remark", "备注", long=True)


def _opportunity() -> Iterable[WireField]:
    yield _text("name", "商机名称", required=True)
    yield _reference("account_id", "客户名称", "AccountObj")
    yield WireField("close_date", "预计成交日期", "date")
    yield _money("amount", "商机金额")
    yield WireField("probability", "赢率", "percentile", decimal_places=2)
    stages = (
        ("1", "验证客户"),
        ("2", "需求确认"),
        ("3", "方案报价"),
        ("4", "谈判"),
        ("5", "赢单"),
        ("6", "输单"),
    )
    yield _choice("sales_stage", "阶段", stages)


def _active_record() -> Iterable[WireField]:
    yield _text("name", "编号")
    yield _text("active_record_content", "跟进内容", long=True)
    yield _reference("account_id", "客户名称", "AccountObj")


def _task() -> Iterable[WireField]:
    yield _text("name", "主题", required=True)
    yield WireField("key__c", "唯一键", "text", unique=True, max_length=64)
    yield WireField("due__c", "截止日期", "date")
    yield _reference("account__c", "客户", "AccountObj")
    yield _choice("status__c", "状态", (("open", "进行中"), ("closed", "已关闭")))
    yield _choice("priority__c", "优先级", (("high", "高"), ("normal", "中"), ("low", "低")))
    yield _text("remark__c", "备注", long=True)


TASK_OBJECT = "crmsync_task__c"


def fresh_tenant() -> dict[str, WireObject]:
    """A tenant's objects: five presets and the task object its administrator has made."""
    made = (
        WireObject("AccountObj", "客户"),
        WireObject("ContactObj", "联系人"),
        WireObject("SalesOrderObj", "销售订单"),
        WireObject("NewOpportunityObj", "商机2.0"),
        WireObject("ActiveRecordObj", "销售记录"),
        WireObject(TASK_OBJECT, "crmsync任务"),
    )
    own = (_account, _contact, _order, _opportunity, _active_record, _task)
    for item, fields in zip(made, own, strict=True):
        for each in (*_system(), *fields()):
            item.add(each)
    return {item.api_name: item for item in made}


ADMIN_TYPES: dict[str, WireField] = {
    "text": WireField("", "", "text", max_length=256),
    "long_text": WireField("", "", "long_text", max_length=2000),
    "picklist": WireField("", "", "select_one"),
    "multi_picklist": WireField("", "", "select_many"),
    "boolean": WireField("", "", "true_or_false"),
    "integer": WireField("", "", "number", decimal_places=0),
    "decimal": WireField("", "", "number", decimal_places=2),
    "currency": WireField("", "", "currency", decimal_places=2),
    "percent": WireField("", "", "percentile", decimal_places=2),
    "date": WireField("", "", "date"),
    "datetime": WireField("", "", "date_time"),
    "lookup": WireField("", "", "object_reference", target="AccountObj"),
    "user": WireField("", "", "employee"),
    "url": WireField("", "", "url"),
}
"""What the administrator's form offers, by crmsync's word for the type."""

ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def handmade_field(
    label: str, kind: str, options: Iterable[str | tuple[str, str]], dice: Random
) -> WireField:
    """A field as the administrator's form makes it: the API name and option values are invented.

    *kind* is one of `ADMIN_TYPES`. An option may be a pair (stored value, label), as an import of
    options gives it; a bare label gets a value nobody could guess.
    """
    form = ADMIN_TYPES[kind]
    values = tuple(
        ("".join(dice.choices(ALPHABET, k=9)), option) if isinstance(option, str) else option
        for option in options
    )
    name = f"field_{''.join(dice.choices(ALPHABET, k=5))}{CUSTOM}"
    return replace(form, api_name=name, label=label, options=values)
