"""Modification records in the sandbox: every save with the values before and after.

The vendor's page names the request's keys and those of an entry; how ``objectInfo`` words old and
new values could not be read anywhere. Assumed here: a list of fields with ``fieldApiName``,
``oldValue`` and ``newValue`` as the product's pages show them, options by their labels, people by
their names, days as ``2026-11-03``. ``text_only`` leaves just the sentence of ``logMsg``, the worst
a client could meet. Newest first is assumed; a list begins with page 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from crmsync.model.record import Value
from crmsync.testing import Save
from crmsync_fxiaoke.sandbox_query import PARAMETERS
from crmsync_fxiaoke.sandbox_schema import WireField, WireObject
from crmsync_fxiaoke.sandbox_tenant import FxiaokeTenant, Refused
from crmsync_fxiaoke.sandbox_values import milliseconds, render

Data = Mapping[str, Any]


class ModificationLog:
    """Answers the query of one record's modification records."""

    def __init__(self, tenant: FxiaokeTenant) -> None:
        self._tenant = tenant
        self.text_only = False

    def answer(self, item: WireObject, record: str, data: Data) -> dict[str, Any]:
        """One page of entries."""
        number, size = _whole(data, "pageNumber"), _whole(data, "pageSize")
        first, last = _whole(data, "operationTimeFrom"), _whole(data, "operationTimeTo")
        saves = [
            save
            for save in reversed(self._tenant.store.saves(item.api_name, record))
            if first <= milliseconds(save.at) <= last
        ]
        part = saves[(number - 1) * size : number * size]
        return {
            "data": {
                "modifyRecordList": [self._entry(item, record, save) for save in part],
                "pageInfo": {
                    "pageNumber": number,
                    "pageSize": size,
                    "pageCount": -(-len(saves) // size),
                    "totalCount": len(saves),
                },
            }
        }

    def _entry(self, item: WireObject, record: str, save: Save) -> dict[str, Any]:
        known = self._tenant.people.get(save.by.user)
        person = known or self._tenant.hire(save.by.user)
        moved = [
            {
                "fieldApiName": name,
                "fieldLabel": item.fields[name].label,
                "oldValue": self._shown(item.fields[name], before),
                "newValue": self._shown(item.fields[name], after),
            }
            for name, (before, after) in save.changes.items()
            if name in item.fields
        ]
        sentence = "；".join(
            f"{part['fieldLabel']}：{part['oldValue']} → {part['newValue']}" for part in moved
        )
        info: dict[str, Any] = {"objectApiName": item.api_name, "objectLabel": item.label}
        if not self.text_only and not save.created:
            info["objectData"] = moved
        return {
            "logID": f"{record}-{save.number:06d}",
            "logMsg": "新建" if save.created else f"编辑 {sentence}",
            "owner": {"employeeID": person.id, "name": person.name},
            "operationTime": milliseconds(save.at),
            "snapShotType": 0,
            "operationType": "Add" if save.created else "Modify",
            "operationLabel": "新建" if save.created else "编辑",
            "isDetailFromMaster": False,
            "peerName": save.by.origin.value,
            "objectInfo": info,
        }

    def _shown(self, field: WireField, value: Value) -> Any:  # noqa: ANN401 - wire JSON
        labels = dict(field.options)
        if isinstance(value, tuple):
            return [labels.get(item, item) for item in value]
        if field.type == "employee" and value:
            person = self._tenant.people.get(str(value))
            return person.name if person else str(value)
        if isinstance(value, date) and not isinstance(value, datetime):
            return value.isoformat()
        if isinstance(value, str):
            return labels.get(value, value)
        return render(field, value)


def _whole(data: Data, name: str) -> int:
    given = data.get(name)
    if isinstance(given, str) and given.isdigit():
        given = int(given)
    if not isinstance(given, int) or isinstance(given, bool) or given < 0:
        raise Refused(f"缺少参数{name}", PARAMETERS)
    return given
