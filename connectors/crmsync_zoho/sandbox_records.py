"""The organisation inside the Zoho sandbox: modules over the record store, workflows, locks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from zoneinfo import ZoneInfo

from crmsync.model.record import Value
from crmsync.model.schema import ObjectSchema
from crmsync.testing import Actor, FieldWrite, Origin, RecordStore, Row
from crmsync_zoho.sandbox_modules import standard_modules
from crmsync_zoho.sandbox_people import Directory
from crmsync_zoho.sandbox_replies import Json
from crmsync_zoho.sandbox_schema import ZohoField, ZohoModule
from crmsync_zoho.sandbox_values import Surroundings, schema_of, show

ID_PREFIX = "4876876"
RUNS_FIELD = "Automation_Runs"
LOOP_LIMIT = 5


def zoho_id(number: int) -> str:
    """An id as Zoho's: nineteen digits, greater than what a double can hold exactly."""
    return f"{ID_PREFIX}{number:012d}"


@dataclass(frozen=True, slots=True)
class Workflow:
    """One workflow rule of the account: when one of ``watched`` changes (``None``: anything), set
    ``field`` to ``value``. Its own change sets rules off again, five deep at most."""

    module: str
    field: str
    value: Value
    watched: frozenset[str] | None = None


class Organisation:
    """Modules, users, rules and states of one account; records live in the store."""

    def __init__(self, store: RecordStore) -> None:
        self.store = store
        self.zone = ZoneInfo("Asia/Shanghai")
        self._serial = count(1)
        self.id = zoho_id(100)
        self.people = Directory(self.new_id)
        self.modules: dict[str, ZohoModule] = standard_modules(self.new_id)
        self.workflows: list[Workflow] = []
        self.lag: Callable[[], timedelta] = timedelta
        """How late queries see a change. Zoho says so of its search alone; the worse is assumed of
        COQL, too, where a test asks for it."""
        self.locked: set[tuple[str, str]] = set()
        self.waiting: set[tuple[str, str]] = set()
        self.purged: set[tuple[str, str]] = set()
        self.about_module: dict[tuple[str, str], str] = {}
        """``$se_module`` of records with a What_Id."""
        self.surroundings = Surroundings(self.zone, self._record_name, self.people.name_of)
        for name in self.modules:
            self.sync(name)

    def new_id(self) -> str:
        """An id for a field, module or user; records get theirs from another range."""
        return zoho_id(next(self._serial))

    def sync(self, module: str) -> None:
        """Tell the store what fields the module has."""
        shape = self.modules[module]
        fields = tuple(schema_of(field) for field in shape.fields.values())
        self.store.add_object(ObjectSchema(module, shape.singular, fields))

    def add_field(self, module: str, label: str, data_type: str, **more: Json) -> ZohoField:
        """Add a custom field as an administrator does."""
        wanted = {"field_label": label, "data_type": data_type, **more}
        choices = more.get("choices")
        if choices is not None:
            wanted["pick_list_values"] = [{"actual_value": choice} for choice in choices]
        made = self.modules[module].add(wanted, self.new_id, "$.fields[0]")
        self.sync(module)
        return made

    # reading

    def rows(self, module: str) -> list[Row]:
        """Live records, oldest first."""
        return self.store.rows(module)

    def indexed(self, module: str) -> list[Row]:
        """Live records as queries see them, which may be late."""
        return self.store.rows(module, lag=self.lag())

    def find(self, module: str, record: str) -> Row | None:
        """A live record."""
        row = self.store.find(module, record)
        return None if row is None or row.deleted else row

    def value(self, row: Row, field: str) -> Value:
        """A field's value, the system's own fields included."""
        match field:
            case "Created_Time":
                return row.created_at
            case "Modified_Time":
                return row.modified_at
            case "Created_By":
                return self.people.who(row.created_by)["id"]
            case "Modified_By":
                return self.people.who(row.modified_by)["id"]
            case "Owner":
                return row.get("Owner") or self.people.integration.id
        value = row.get(field)
        return None if value in ("", ()) else value

    def shown(self, row: Row, field: ZohoField) -> Json:
        """A field's value as Zoho sends it."""
        value = self.value(row, field.api_name)
        if field.api_name == "What_Id" and value is not None:
            module = self.about_module.get((row.object, row.id))
            return {"name": self._record_name(module, str(value)), "id": str(value)}
        return show(field, value, self.surroundings)

    def record(self, row: Row, fields: list[str] | None) -> dict[str, Json]:
        """A record with the fields asked for (``None``: all), unknown ones left out, id always."""
        known = self.modules[row.object].fields
        names = known if fields is None else [name for name in fields if name in known]
        shown = {name: self.shown(row, known[name]) for name in names}
        if (fields is None or "$se_module" in fields) and "What_Id" in known:
            shown["$se_module"] = self.about_module.get((row.object, row.id))
        shown["id"] = row.id
        return shown

    def _record_name(self, module: str | None, record: str) -> str | None:
        for name in (module,) if module else tuple(self.modules):
            row = self.find(name, record) if name in self.modules else None
            if row is not None:
                return str(row.get(self.modules[name].name_field) or "")
        return None

    # writing

    def actor(self, *, loading: bool) -> Actor:
        """Who writes when a request does."""
        return Actor(self.people.integration.id, Origin.LOADED if loading else Origin.API)

    def automate(self, before: Row | None, after: Row, *, depth: int = 0) -> Row:
        """Run the account's rules on a write that sets them off; returns the record after them.

        Every run counts up the field Automation_Runs where the module has one, so that a write
        without ``"trigger": []`` leaves a mark that can be seen.
        """
        changed = {
            name
            for name in {*after.values, *(before.values if before else {})}
            if after.get(name) != (before.get(name) if before else None)
        } - {RUNS_FIELD}
        values: dict[str, Value] = {
            rule.field: rule.value
            for rule in self.workflows
            if rule.module == after.object
            and (rule.watched is None or rule.watched & changed)
            and after.get(rule.field) != rule.value
        }
        if RUNS_FIELD in self.modules[after.object].fields and (changed or depth == 0):
            values[RUNS_FIELD] = int(str(after.get(RUNS_FIELD) or 0)) + 1
        if not values or depth >= LOOP_LIMIT:
            return after
        robot = Actor(self.people.integration.id, Origin.AUTOMATION)
        row = self.store.update(after.object, after.id, values, robot)
        return self.automate(after, row, depth=depth + 1) if len(values) > 1 else row

    def automation_runs(self) -> tuple[FieldWrite, ...]:
        """What the account's automation wrote so far."""
        return self.store.writes(origin=Origin.AUTOMATION)
