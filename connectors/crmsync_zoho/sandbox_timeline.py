"""Record timelines in the sandbox: every save with the values before and after, as text.

The shape is that of Zoho's OpenAPI file ``timelines`` v8.0. Zoho's pages do not say in which order
entries come (newest first is assumed) nor how values are put into text: amounts of money are shown
as people see them, which no client can read back for certain; all others plainly, unless
``as_people_see_them`` asks for the worse.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from crmsync.model.record import Value
from crmsync.testing import Origin, Row, Save
from crmsync_zoho.sandbox_limits import ZohoLimits
from crmsync_zoho.sandbox_records import Organisation, zoho_id
from crmsync_zoho.sandbox_replies import Answer, Json, Refusal, invalid_module
from crmsync_zoho.sandbox_schema import ZohoField
from crmsync_zoho.sandbox_values import stamp

SOURCES = {Origin.API: "crm_api", Origin.PERSON: "crm_ui", Origin.AUTOMATION: "workflow"}
ENTRY_IDS = 700_000_000


class Timelines:
    """Answers ``GET /{module}/{id}/__timeline``."""

    def __init__(self, organisation: Organisation, limits: ZohoLimits) -> None:
        self._org = organisation
        self._limits = limits
        self._tokens: dict[str, tuple[str, int, int]] = {}
        self.as_people_see_them = False
        """Days and moments in the user's own format as well."""
        self.oldest_first = False

    def answer(self, module: str, record: str, query: Mapping[str, str]) -> Answer:
        """One page of a record's timeline."""
        if module not in self._org.modules:
            raise invalid_module()
        row = self._org.find(module, record)
        if row is None:
            details = {"resource_path_index": 1}
            raise Refusal(400, "INVALID_DATA", details, "the related id given seems to be invalid")
        start, size = self._place(record, query)
        saves = list(self._org.store.saves(module, record))
        if not self.oldest_first:
            saves.reverse()
        part = saves[start : start + size]
        more = start + size < len(saves)
        token = self._keep(record, start + size, size) if more else None
        return Answer(
            200,
            {
                "__timeline": [self._entry(row, save) for save in part],
                "info": {
                    "per_page": size,
                    "count": len(part),
                    "page": start // size + 1,
                    "more_records": more,
                    "next_page_token": token,
                    "previous_page_token": None,
                },
            },
        )

    def _place(self, record: str, query: Mapping[str, str]) -> tuple[int, int]:
        most = self._limits.timeline_page
        token = query.get("page_token")
        if token is None:
            text = query.get("per_page", str(most))
            if not text.isdigit() or not 1 <= int(text) <= 200:
                raise Refusal(400, "INVALID_DATA", {"param_name": "per_page"})
            return 0, min(int(text), most)
        known = self._tokens.get(token)
        if known is None or known[0] != record or "per_page" in query:
            raise Refusal(400, "INVALID_DATA", {"param_name": "page_token"})
        return known[1], known[2]

    def _keep(self, record: str, start: int, size: int) -> str:
        token = f"timeline{len(self._tokens) + 1:08d}"
        self._tokens[token] = record, start, size
        return token

    def _entry(self, row: Row, save: Save) -> dict[str, Json]:
        module = self._org.modules[row.object]
        return {
            "id": zoho_id(ENTRY_IDS + 1000 * (int(row.id) % 100_000) + save.number),
            "audited_time": stamp(save.at, self._org.zone),
            "action": "added" if save.created else "updated",
            "source": SOURCES.get(save.by.origin, "crm_ui"),
            "type": None,
            "extension": None,
            "done_by": self._org.people.who(save.by.user),
            "related_record": None,
            "automation_details": None,
            "record": {
                "name": row.get(module.name_field),
                "id": row.id,
                "module": {"api_name": row.object, "id": module.id},
            },
            "field_history": None
            if save.created
            else [
                {
                    "api_name": name,
                    "id": module.fields[name].id,
                    "_value": {
                        "old": self._text(module.fields[name], before),
                        "new": self._text(module.fields[name], after),
                    },
                }
                for name, (before, after) in save.changes.items()
                if name in module.fields
            ],
        }

    def _text(self, field: ZohoField, value: Value) -> Json:
        """A value as text, as a timeline shows it."""
        if value is None or value == "":
            return "false" if field.data_type == "boolean" else None
        if isinstance(value, bool):
            return "true" if value else "false"
        if field.data_type == "currency":
            return f"¥ {Decimal(str(value)):,.2f}"
        if field.data_type in {"ownerlookup", "userlookup"}:
            return self._org.people.name_of(str(value))
        if field.data_type == "lookup":
            return self._org.surroundings.record_name(field.target, str(value))
        if isinstance(value, datetime):
            seen = value.astimezone(self._org.zone)
            worse = f"{seen:%b %d, %Y %I:%M %p}"
            return worse if self.as_people_see_them else stamp(value, self._org.zone)
        if isinstance(value, date):
            return f"{value:%b %d, %Y}" if self.as_people_see_them else value.isoformat()
        if isinstance(value, tuple):
            return ";".join(value)
        return str(value)
