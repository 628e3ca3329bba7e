"""The vendor's gateway: keeps the limits, finds the interface, wraps the answer.

Every answer is HTTP 200 with ``errorCode``; 0 alone means success.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from crmsync.model.record import Value
from crmsync.testing import Actor, Origin, Recorder, Row
from crmsync_fxiaoke.sandbox_limits import WINDOW, DailyQuota, RateWindow
from crmsync_fxiaoke.sandbox_log import ModificationLog
from crmsync_fxiaoke.sandbox_query import (
    BY_ID,
    PARAMETERS,
    BadQuery,
    Search,
    in_order,
    matches,
    read_search,
)
from crmsync_fxiaoke.sandbox_reception import TOKEN_PATHS, Reception
from crmsync_fxiaoke.sandbox_schema import CUSTOM, WireObject
from crmsync_fxiaoke.sandbox_tenant import Employee, FxiaokeTenant, Refused, View

LOG = "/cgi/crm/v2/object/getNewLogInfoListForWeb"
TOO_FAST, DAY_USED_UP, NO_PACK = 30004, 30002, 30003
EVERYBODY = 999999
Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Limits:
    """What the company bought; *daily_calls* of ``None``: nothing."""

    calls_per_20_seconds: int = 100
    daily_calls: int | None = 100_000


@dataclass(frozen=True, slots=True)
class Call:
    """One signed-in call."""

    body: Body
    data: Body
    person: Employee
    actor: Actor
    custom_path: bool


class Gateway:
    """Answers every path of the API."""

    def __init__(
        self,
        tenant: FxiaokeTenant,
        recorder: Recorder,
        limits: Limits,
        lag: Callable[[], timedelta],
    ) -> None:
        self.tenant = tenant
        self.reception = Reception(tenant)
        self.rate = RateWindow(limits.calls_per_20_seconds, WINDOW)
        self.quota = DailyQuota(limits.daily_calls)
        self.log = ModificationLog(tenant)
        self.custom_create_tells_id = False
        """The published example for custom objects shows no ``dataId``; presets' do."""
        self.trace_ids: list[str] = []
        self._lag = lag
        self._recorder = recorder
        self._serial = 0
        self._actions = self._routes()

    async def answer(self, path: str, query: Body, headers: Body, body: Any) -> dict[str, Any]:  # noqa: ANN401
        """The JSON of the reply."""
        self._serial += 1
        try:
            if not isinstance(body, dict):
                raise Refused("POST的数据包为空", 12004)
            if path in TOKEN_PATHS:
                return self._wrap(await self.reception.token(path, body))
            self._note_trace(query)
            return self._wrap(self._call(path, headers, body))
        except Refused as refusal:
            return self._envelope(refusal.code, refusal.message)
        except BadQuery as problem:
            return self._envelope(problem.code, str(problem))

    def _envelope(self, code: int, message: str) -> dict[str, Any]:
        trace = f"E-O.{self.reception.app.ea}.1000-{self._serial:06d}"
        description = "success" if code == 0 else message
        return {
            "traceId": trace,
            "errorDescription": description,
            "errorMessage": message,
            "errorCode": code,
        }

    def _wrap(self, answer: dict[str, Any]) -> dict[str, Any]:
        return {**self._envelope(0, "OK"), **answer}

    def _note_trace(self, query: Body) -> None:
        trace = str(query.get("thirdTraceId", ""))
        try:
            version = UUID(trace).version
        except ValueError:
            version = None
        self.trace_ids.append(trace if version == 4 else "")

    def _call(self, path: str, headers: Body, body: Body) -> dict[str, Any]:
        person = self.reception.sign_in(headers, body)
        now = self.tenant.store.clock.now()
        if not self.rate.take(path, now):
            raise Refused("秒频次超限", TOO_FAST)
        if not self.quota.take(now):
            if self.quota.calls is None:
                raise Refused("客户没有购买openapi配额", NO_PACK)
            raise Refused("当天访问频次超限", DAY_USED_UP)
        action = self._actions.get(path)
        if action is None:
            raise Refused("接口不存在", PARAMETERS)
        data = body.get("data", {})
        if not isinstance(data, dict):
            raise Refused("data应为Map", PARAMETERS)
        origin = Origin.LOADED if self._recorder.is_loading else Origin.API
        custom = path.startswith("/cgi/crm/custom/")
        return action(Call(body, data, person, Actor(person.id, origin), custom))

    # Interfaces

    def _routes(self) -> dict[str, Callable[[Call], dict[str, Any]]]:
        both = {
            "create": self._create,
            "get": self._get,
            "query": self._query,
            "update": self._update,
            "invalid": self._invalid,
            "delete": self._delete,
            "recover": self._recover,
            "changeOwner": self._change_owner,
        }
        routes = {f"/cgi/crm/v2/data/{name}": action for name, action in both.items()}
        routes |= {f"/cgi/crm/custom/v2/data/{name}": action for name, action in both.items()}
        return routes | {
            "/cgi/crm/custom/v2/data/findSimple": self._find_simple,
            "/cgi/crm/v2/object/list": self._objects,
            "/cgi/crm/v2/object/describe": self._describe,
            LOG: self._log,
            "/cgi/crm/v2/object/lock": lambda call: self._lock(call, "1"),
            "/cgi/crm/v2/object/unlock": lambda call: self._lock(call, "0"),
            "/cgi/user/list": self._people,
            "/cgi/user/simpleList": self._people,
        }

    def _item(self, call: Call, name: Any) -> WireObject:  # noqa: ANN401 - wire JSON
        item = self.tenant.item(name)
        if item.api_name.endswith(CUSTOM) is not call.custom_path:
            raise Refused("对象与接口路径不符", PARAMETERS)
        return item

    def _create(self, call: Call) -> dict[str, Any]:
        body = _map(call.data, "object_data")
        item = self._item(call, body.get("dataObjectApiName"))
        row = self.tenant.create(item, body, call.person, call.actor)
        self._flows(call, row)
        if call.custom_path and not self.custom_create_tells_id:
            return {}
        return {"dataId": row.id}

    def _update(self, call: Call) -> dict[str, Any]:
        body = _map(call.data, "object_data")
        item = self._item(call, body.get("dataObjectApiName"))
        row = self.tenant.update(item, body, call.person, call.actor)
        self._flows(call, row)
        return {}

    def _flows(self, call: Call, row: Row) -> None:
        self.tenant.run_flows(
            row,
            workflow=call.body.get("triggerWorkFlow") is not False,
            approval=call.body.get("triggerApprovalFlow") is not False,
        )

    def _get(self, call: Call) -> dict[str, Any]:
        item = self._item(call, call.data.get("dataObjectApiName"))
        row = self.tenant.record(item, call.data.get("objectDataId"), call.person)
        view = View(self.tenant, item, row)
        return {"data": self.tenant.wire(view, None, include_null=_flag(call, "includeNull"))}

    def _query(self, call: Call) -> dict[str, Any]:
        item = self._item(call, call.data.get("dataObjectApiName"))
        search = read_search(call.data, item, custom_path=call.custom_path)
        return self._search(call, item, search, search.projection)

    def _find_simple(self, call: Call) -> dict[str, Any]:
        item = self.tenant.item(call.data.get("dataObjectApiName"))
        search = read_search(call.data, item, custom_path=item.api_name.endswith(CUSTOM))
        return self._search(call, item, search, call.data.get("field_projection"), computed=False)

    def _search(
        self,
        call: Call,
        item: WireObject,
        search: Search,
        names: Iterable[str] | None,
        *,
        computed: bool = True,
    ) -> dict[str, Any]:
        null = _flag(call, "includeNull")
        asked = (
            call.data.get("find_explicit_total_num") is True
            or call.body.get("returnTotalNum") in {1, 2}
            or call.body.get("need_return_count_num") is True
        )
        store, lag = self.tenant.store, self._lag()
        by_id = search.orders == BY_ID and not asked
        rows: Iterable[Row] = (
            store.scan(item.api_name, after=search.behind(), lag=lag)
            if by_id
            else store.rows(item.api_name, lag=lag)
        )
        views = self.tenant.visible(item, call.person, rows, computed=computed)
        fitting = (v for v in views if matches(v, search.filters, item))
        if by_id:
            found = list(islice(fitting, search.offset + search.limit))
        else:
            found = in_order(fitting, search.orders, item)
        page = found[search.offset : search.offset + search.limit]
        return {
            "data": {
                "dataList": [self.tenant.wire(view, names, include_null=null) for view in page],
                "total": len(found) if asked else 0,
                "offset": search.offset,
                "limit": search.limit,
            }
        }

    def _invalid(self, call: Call) -> dict[str, Any]:
        item = self._item(call, call.data.get("dataObjectApiName"))
        row = self.tenant.record(item, call.data.get("object_data_id"), call.person)
        self.tenant.set_system(row, {"life_status": "invalid"}, call.actor)
        return {}

    def _recover(self, call: Call) -> dict[str, Any]:
        return self._each(call, {"life_status": "normal"})

    def _each(self, call: Call, values: Mapping[str, Value]) -> dict[str, Any]:
        item = self._item(call, call.data.get("dataObjectApiName"))
        for each in _strings(call.data, "idList"):
            self.tenant.set_system(self.tenant.record(item, each, call.person), values, call.actor)
        return {}

    def _delete(self, call: Call) -> dict[str, Any]:
        item = self._item(call, call.data.get("dataObjectApiName"))
        rows = [
            self.tenant.record(item, each, call.person) for each in _strings(call.data, "idList")
        ]
        if any(row.get("life_status") != "invalid" for row in rows):
            raise Refused("删除之前请先作废数据", self.tenant.refusal_code)
        for row in rows:
            self.tenant.store.delete(row.object, row.id, call.actor)
        return {}

    def _change_owner(self, call: Call) -> dict[str, Any]:
        item = self._item(call, call.data.get("dataObjectApiName"))
        changes = call.data.get("Data")
        if not isinstance(changes, list) or not changes:
            raise Refused("缺少参数Data", PARAMETERS)
        for change in changes:
            owner = _strings(change, "ownerId")
            if len(owner) != 1 or owner[0] not in self.tenant.people:
                raise Refused("员工不存在", PARAMETERS)
            row = self.tenant.record(item, change.get("objectDataId"), call.person)
            self.tenant.set_system(row, {"owner": owner[0]}, call.actor)
        return {}

    def _lock(self, call: Call, status: str) -> dict[str, Any]:
        item = self.tenant.item(call.data.get("dataObjectApiName"))
        for each in _strings(call.data, "dataIds"):
            row = self.tenant.record(item, each, call.person)
            self.tenant.set_system(row, {"lock_status": status}, call.actor)
        return {}

    def _log(self, call: Call) -> dict[str, Any]:
        item = self.tenant.item(call.data.get("apiName"))
        row = self.tenant.record(item, call.data.get("objectId"), call.person)
        return self.log.answer(item, row.id, call.data)

    def _objects(self, call: Call) -> dict[str, Any]:
        objects = [
            {
                "describeApiName": item.api_name,
                "describeDisplayName": item.label,
                "defineType": "custom" if item.api_name.endswith(CUSTOM) else "package",
                "isActive": True,
            }
            for item in self.tenant.objects.values()
        ]
        return {"data": {"objects": objects}}

    def _describe(self, call: Call) -> dict[str, Any]:
        item = self.tenant.item(call.data.get("apiName"))
        return {"data": {"describe": item.describe()}}

    def _people(self, call: Call) -> dict[str, Any]:
        if call.body.get("departmentId") != EVERYBODY:
            raise Refused("部门不存在", 30007)
        people = self.tenant.people.values()
        return {
            "userList": [
                {"openUserId": p.id, "name": p.name, "nickName": p.name, "isStop": p.stopped}
                for p in people
            ]
        }


def _flag(call: Call, name: str) -> bool:
    return call.body.get(name) is True


def _map(data: Body, name: str) -> Body:
    value = data.get(name)
    if not isinstance(value, dict):
        raise Refused(f"缺少参数{name}", PARAMETERS)
    return value


def _strings(data: Any, name: str) -> list[str]:  # noqa: ANN401 - wire JSON
    value = data.get(name) if isinstance(data, dict) else None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Refused(f"{name}应为字符串列表", PARAMETERS)
    return value
