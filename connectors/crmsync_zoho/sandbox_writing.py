"""Insert, update and upsert in the sandbox: up to 100 records, each with a result of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from crmsync.model.record import Value
from crmsync.testing import Actor, Row
from crmsync_zoho.sandbox_limits import ZohoLimits
from crmsync_zoho.sandbox_records import Organisation
from crmsync_zoho.sandbox_replies import (
    Answer,
    BadValue,
    Json,
    Refusal,
    collected,
    invalid_module,
    success,
)
from crmsync_zoho.sandbox_values import accept, read_stamp, reference, stamp

NO_UPSERT = frozenset({"Tasks", "Events", "Calls"})
TRIGGERS = frozenset({"workflow", "approval", "blueprint", "pathfinder", "orchestration"})


@dataclass(frozen=True, slots=True)
class WriteRequest:
    """One batch: its records, whether workflows run, and the moment it must not be older than."""

    module: str
    data: list[Json]
    automate: bool
    actor: Actor
    unmodified_since: datetime | None = None


class Writing:
    """Carries out batches on one organisation.

    ``If-Unmodified-Since`` is compared record by record (Zoho's page does not say what it does to
    a batch): one changed record gives 412, several records their own results.
    """

    def __init__(self, organisation: Organisation, limits: ZohoLimits) -> None:
        self._org = organisation
        self._limits = limits

    def read(self, module: str, body: Json, since: str | None, actor: Actor) -> WriteRequest:
        """Check the frame of a batch; refuses it as a whole."""
        if module not in self._org.modules:
            raise invalid_module()
        data = body.get("data") if isinstance(body, dict) else None
        if not isinstance(data, list):
            wrong = {"expected_data_type": "jsonarray", "api_name": "data", "json_path": "$.data"}
            raise Refusal(400, "INVALID_DATA", wrong)
        if not data:
            raise Refusal(400, "MANDATORY_NOT_FOUND", {"api_name": "data", "json_path": "$.data"})
        if len(data) > self._limits.batch:
            limit: Json = {"maximum_length": self._limits.batch, "api_name": "data"}
            raise Refusal(400, "LIMIT_EXCEEDED", {**limit, "json_path": "$.data"})
        trigger = body.get("trigger")
        if trigger is not None and not (isinstance(trigger, list) and set(trigger) <= TRIGGERS):
            known: Json = {"api_name": "trigger", "supported_values": sorted(TRIGGERS)}
            raise Refusal(400, "INVALID_DATA", {**known, "json_path": "$.trigger"})
        moment = read_stamp(since) if since else None
        if since and moment is None:
            raise Refusal(400, "INVALID_DATA", {"param_name": "If-Unmodified-Since"})
        return WriteRequest(module, data, trigger is None or "workflow" in trigger, actor, moment)

    def insert(self, request: WriteRequest) -> Answer:
        """``POST /{module}``."""
        results = [
            self._one(request, item, number, update=False)
            for number, item in enumerate(request.data)
        ]
        return collected("data", results, all_well=201)

    def update(self, request: WriteRequest, only: str | None = None) -> Answer:
        """``PUT /{module}`` and ``PUT /{module}/{id}``."""
        if only is not None:
            request.data[0]["id"] = only
        results = [
            self._one(request, item, number, update=True)
            for number, item in enumerate(request.data)
        ]
        if all(result["code"] == "ALREADY_MODIFIED" for result in results):
            return Answer(412, {"data": results})
        return collected("data", results, all_well=200)

    def upsert(self, request: WriteRequest, checks: list[str]) -> Answer:
        """``POST /{module}/upsert``: by the fields named, then by unique ones."""
        if request.module in NO_UPSERT:
            raise Refusal(400, "NOT_SUPPORTED", {"resource_path_index": 0}, "no upsert here")
        fields = self._org.modules[request.module].fields
        unique = [name for name, field in fields.items() if field.unique]
        results = []
        for number, item in enumerate(request.data):
            found, by = self._twin(request.module, item, [*checks, *unique])
            if found is not None:
                item = {**item, "id": found.id}
            result = self._one(request, item, number, update=found is not None)
            result["action"] = "update" if found is not None else "insert"
            result["duplicate_field"] = by
            results.append(result)
        return collected("data", results, all_well=200)

    def _twin(self, module: str, item: Json, names: list[str]) -> tuple[Row | None, str | None]:
        for name in names:
            wanted = item.get(name) if isinstance(item, dict) else None
            if wanted is None:
                continue
            for row in self._org.store.find_by(module, name, wanted):
                return row, name
        return None, None

    def _one(
        self, request: WriteRequest, item: Json, number: int, *, update: bool
    ) -> dict[str, Json]:
        path = f"$.data[{number}]"
        try:
            if not isinstance(item, dict):
                raise BadValue("INVALID_DATA", "an object is expected", json_path=path)
            if update:
                return self._change(request, item, path)
            return self._create(request, item, path)
        except BadValue as bad:
            return bad.result()

    def _create(self, request: WriteRequest, item: dict[str, Json], path: str) -> dict[str, Json]:
        module = self._org.modules[request.module]
        values = self._values(request.module, item, path)
        for field in module.fields.values():
            if field.mandatory and values.get(field.api_name) is None:
                where = f"{path}.{field.api_name}"
                raise BadValue(
                    "MANDATORY_NOT_FOUND",
                    "required field not found",
                    api_name=field.api_name,
                    json_path=where,
                )
        self._check_unique(request.module, values, path, None)
        row = self._org.store.create(request.module, values, request.actor)
        self._remember_module(row, item)
        if request.automate:
            row = self._org.automate(None, row)
        return success(self._details(row), "record added")

    def _change(self, request: WriteRequest, item: dict[str, Json], path: str) -> dict[str, Json]:
        record = reference(item.get("id"))
        if record is None:
            raise BadValue("MANDATORY_NOT_FOUND", "id needed", api_name="id", json_path=path)
        row = self._org.find(request.module, record)
        where = f"{path}.id"
        if row is None:
            raise BadValue("INVALID_DATA", "the id is invalid", api_name="id", json_path=where)
        if (request.module, record) in self._org.locked:
            raise BadValue(
                "RECORD_LOCKED", "locked", api_name="id", json_path=where, action="record_locking"
            )
        if (request.module, record) in self._org.waiting:
            raise BadValue("NOT_APPROVED", "awaits approval", api_name="id", json_path=where)
        if request.unmodified_since is not None and row.modified_at > request.unmodified_since:
            raise BadValue("ALREADY_MODIFIED", "modified since", **self._details(row))
        values = self._values(request.module, item, path)
        self._check_unique(request.module, values, path, record)
        after = self._org.store.update(request.module, record, values, request.actor)
        self._remember_module(after, item)
        if request.automate:
            after = self._org.automate(row, after)
        return success(self._details(after), "record updated")

    def _values(self, module: str, item: dict[str, Json], path: str) -> dict[str, Value]:
        """Checked values. Names nobody knows are passed over in silence, as an integrator reports
        of Zoho: the trap a client has to avoid by reading the fields first."""
        known = self._org.modules[module].fields
        values: dict[str, Value] = {}
        for name, given in item.items():
            field = known.get(name)
            if field is None:
                continue
            where = f"{path}.{name}"
            if field.read_only:
                raise BadValue("INVALID_DATA", "read only", api_name=name, json_path=where)
            values[name] = accept(field, given, where, self._org.surroundings)
        self._check_about(item, path)
        return values

    def _check_about(self, item: dict[str, Json], path: str) -> None:
        about = item.get("What_Id")
        if about is None or about == "":
            return
        module = item.get("$se_module")
        where = f"{path}.$se_module"
        if module is None:
            raise BadValue(
                "DEPENDENT_FIELD_MISSING",
                "What_Id needs $se_module",
                api_name="$se_module",
                json_path=where,
            )
        record = reference(about)
        if module not in self._org.modules or not self._org.find(module, str(record)):
            raise BadValue(
                "INVALID_DATA", "no such record", api_name="What_Id", json_path=f"{path}.What_Id"
            )

    def _remember_module(self, row: Row, item: dict[str, Json]) -> None:
        module = item.get("$se_module")
        if isinstance(module, str):
            self._org.about_module[row.object, row.id] = module

    def _check_unique(
        self, module: str, values: dict[str, Value], path: str, own: str | None
    ) -> None:
        for name, field in self._org.modules[module].fields.items():
            if not field.unique or values.get(name) is None:
                continue
            for row in self._org.store.find_by(module, name, values[name]):
                if row.id != own:
                    raise BadValue(
                        "DUPLICATE_DATA",
                        "duplicate data",
                        api_name=name,
                        json_path=f"{path}.{name}",
                        duplicate_record={"id": row.id, "module": {"api_name": module}},
                    )

    def _details(self, row: Row) -> dict[str, Json]:
        zone = self._org.zone
        return {
            "Modified_Time": stamp(row.modified_at, zone),
            "Modified_By": self._org.people.who(row.modified_by),
            "Created_Time": stamp(row.created_at, zone),
            "Created_By": self._org.people.who(row.created_by),
            "id": row.id,
            "$approval_state": "approved",
        }
