"""Modules and fields in the sandbox: what administrators read, create and extend over the API."""

from __future__ import annotations

from collections.abc import Mapping

from crmsync_zoho.sandbox_limits import ZohoLimits
from crmsync_zoho.sandbox_records import Organisation
from crmsync_zoho.sandbox_replies import (
    Answer,
    BadValue,
    Json,
    Refusal,
    collected,
    invalid_module,
    missing_parameter,
    success,
)
from crmsync_zoho.sandbox_schema import CHOICE_TYPES, ZohoModule, choice_values


class Settings:
    """Answers ``settings/modules`` and ``settings/fields`` of one organisation.

    Adding picklist values is modelled after the page of v8 on updating custom fields: PATCH (PUT is
    taken too), the list in the body replaces the old one.
    """

    def __init__(self, organisation: Organisation, limits: ZohoLimits) -> None:
        self._org = organisation
        self._limits = limits

    def modules(self, name: str | None = None) -> Answer:
        """``GET settings/modules`` and ``GET settings/modules/{name}``."""
        if name is not None and name not in self._org.modules:
            raise invalid_module()
        shown = [
            module.describe()
            for module in self._org.modules.values()
            if name is None or module.api_name == name
        ]
        return Answer(200, {"modules": shown})

    def fields(self, query: Mapping[str, str], field_id: str | None = None) -> Answer:
        """``GET settings/fields`` and ``GET settings/fields/{id}``."""
        module = self._module(query)
        fields = list(module.fields.values())
        if field_id is not None:
            fields = [field for field in fields if field.id == field_id]
        if not fields:
            return Answer(204)
        return Answer(200, {"fields": [field.describe() for field in fields]})

    def create(self, query: Mapping[str, str], body: Json) -> Answer:
        """``POST settings/fields``: the results hold ids and nothing else."""
        module = self._module(query)
        results = []
        for number, wanted in enumerate(self._wanted(body)):
            try:
                made = module.add(wanted, self._org.new_id, f"$.fields[{number}]")
            except BadValue as bad:
                results.append(bad.result())
            else:
                results.append(success({"id": made.id}, "field created"))
        self._org.sync(module.api_name)
        return collected("fields", results, all_well=201)

    def update(self, query: Mapping[str, str], body: Json, field_id: str | None) -> Answer:
        """``PATCH settings/fields`` and ``PATCH settings/fields/{id}``."""
        module = self._module(query)
        results = []
        for number, wanted in enumerate(self._wanted(body)):
            try:
                results.append(self._extend(module, wanted, field_id, f"$.fields[{number}]"))
            except BadValue as bad:
                results.append(bad.result())
        self._org.sync(module.api_name)
        return collected("fields", results, all_well=200)

    def _extend(
        self, module: ZohoModule, wanted: Json, field_id: str | None, path: str
    ) -> dict[str, Json]:
        found = module.by_id(field_id or str(wanted.get("id")))
        if found is None:
            raise BadValue("INVALID_DATA", "no such field", api_name="id", json_path=f"{path}.id")
        if "pick_list_values" in wanted:
            if found.data_type not in CHOICE_TYPES:
                raise BadValue("INVALID_DATA", "not a picklist", json_path=path)
            values = choice_values(wanted["pick_list_values"])
            used = {
                item
                for row in self._org.rows(module.api_name)
                for item in _as_set(row.get(found.api_name))
            }
            if used - set(values):
                raise BadValue("DEPENDENT_MISMATCH", "a value is in use", json_path=path)
            found.choices = values
        return success({"id": found.id}, "field updated")

    def _module(self, query: Mapping[str, str]) -> ZohoModule:
        name = query.get("module")
        if not name:
            raise missing_parameter("module")
        if name not in self._org.modules:
            raise invalid_module()
        return self._org.modules[name]

    def _wanted(self, body: Json) -> list[Json]:
        wanted = body.get("fields") if isinstance(body, dict) else None
        if not isinstance(wanted, list) or not wanted:
            details = {"api_name": "fields", "json_path": "$.fields"}
            raise Refusal(400, "MANDATORY_NOT_FOUND", details)
        if len(wanted) > self._limits.fields_per_call:
            details = {"maximum_length": str(self._limits.fields_per_call), "api_name": "fields"}
            raise Refusal(400, "LIMIT_EXCEEDED", details)
        return wanted


def _as_set(value: object) -> set[str]:
    if isinstance(value, tuple):
        return set(value)
    return {value} if isinstance(value, str) else set()
