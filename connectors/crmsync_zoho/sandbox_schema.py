"""Modules and fields of the Zoho sandbox, and the metadata Zoho shows of them.

Custom fields are added as Zoho adds them: the caller gives a label and a type and learns the API
name only by reading the fields again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from crmsync_zoho.sandbox_replies import BadValue, Json

JSON_TYPES = {
    "integer": "integer",
    "currency": "double",
    "double": "double",
    "percent": "double",
    "boolean": "boolean",
    "multiselectpicklist": "jsonarray",
    "lookup": "jsonobject",
    "ownerlookup": "jsonobject",
    "userlookup": "jsonobject",
}
"""Every other type travels as a string."""

CREATABLE = frozenset(
    {"text", "textarea", "email", "phone", "picklist", "multiselectpicklist", "date", "datetime"}
    | {"integer", "autonumber", "currency", "percent", "bigint", "double", "website", "boolean"}
    | {"fileupload", "imageupload", "lookup", "userlookup", "multiselectlookup"}
    | {"multiuserlookup", "formula", "rollup_summary", "address"}
)
CHOICE_TYPES = frozenset({"picklist", "multiselectpicklist"})
LENGTHS = {"text": 255, "textarea": 2000, "email": 100, "phone": 30, "website": 450}
MAX_LABEL = 25


@dataclass(slots=True)
class ZohoField:
    """One field of a module. ``target`` is the module a look-up points to (``None``: any)."""

    api_name: str
    label: str
    data_type: str
    id: str = ""
    mandatory: bool = False
    read_only: bool = False
    custom: bool = False
    unique: bool = False
    length: int = 0
    decimals: int = 2
    choices: list[str] = field(default_factory=list)
    target: str | None = None
    target_id: str = ""

    @property
    def json_type(self) -> str:
        """How its value travels."""
        return JSON_TYPES.get(self.data_type, "string")

    def describe(self) -> dict[str, Json]:
        """The field as ``settings/fields`` shows it."""
        numeric = self.data_type in {"currency", "double", "percent"}
        return {
            "id": self.id,
            "api_name": self.api_name,
            "field_label": self.label,
            "display_label": self.label,
            "data_type": self.data_type,
            "json_type": self.json_type,
            "length": self.length or (16 if numeric else 0),
            "decimal_place": self.decimals if numeric else None,
            "system_mandatory": self.mandatory,
            "read_only": False,
            "field_read_only": self.read_only,
            "custom_field": self.custom,
            "visible": True,
            "created_source": "default" if not self.custom else "custom",
            "operation_type": {
                "web_update": not self.read_only,
                "api_create": not self.read_only,
                "web_create": not self.read_only,
                "api_update": not self.read_only,
            },
            "view_type": {"view": True, "edit": True, "quick_create": False, "create": True},
            "searchable": True,
            "filterable": self.data_type != "textarea",
            "sortable": True,
            "webhook": True,
            "mass_update": not self.read_only,
            "type": "used",
            "unique": {"casesensitive": "false"} if self.unique else {},
            "lookup": self._lookup(),
            "currency": {"rounding_option": "normal", "precision": self.decimals}
            if self.data_type == "currency"
            else {},
            "pick_list_values": [
                {
                    "id": f"{self.id}{number:03d}",
                    "display_value": choice,
                    "actual_value": choice,
                    "reference_value": choice,
                    "sequence_number": number + 1,
                    "type": "used",
                }
                for number, choice in enumerate(self.choices)
            ],
            "multiselectlookup": {},
            "multiuserlookup": {},
            "formula": {},
            "rollup_summary": {},
            "auto_number": {},
            "association_details": None,
            "subform": None,
            "default_value": None,
            "tooltip": None,
        }

    def _lookup(self) -> dict[str, Json]:
        if not self.target_id:
            return {}
        return {
            "display_label": self.label,
            "api_name": self.api_name,
            "module": {"api_name": self.target, "id": self.target_id},
            "id": self.id,
        }


@dataclass(slots=True)
class ZohoModule:
    """One module: its fields by API name, and the field people know a record by."""

    api_name: str
    singular: str
    name_field: str
    id: str
    fields: dict[str, ZohoField]

    def describe(self) -> dict[str, Json]:
        """The module as ``settings/modules`` shows it."""
        return {
            "id": self.id,
            "api_name": self.api_name,
            "module_name": self.api_name,
            "singular_label": self.singular,
            "plural_label": self.api_name.replace("_", " "),
            "api_supported": True,
            "creatable": True,
            "editable": True,
            "deletable": True,
            "viewable": True,
            "visible": True,
            "generated_type": "default",
            "profiles": [],
            "global_search_supported": True,
            "quick_create": True,
            "status": "visible",
        }

    def by_id(self, field_id: str) -> ZohoField | None:
        """The field of that id."""
        return next((field for field in self.fields.values() if field.id == field_id), None)

    def add(self, wanted: Json, new_id: Callable[[], str], path: str) -> ZohoField:
        """Create a custom field as asked for; raises BadValue as Zoho would refuse it."""
        if not isinstance(wanted, dict):
            raise BadValue("INVALID_DATA", "an object is expected", json_path=path)
        label, data_type = wanted.get("field_label"), wanted.get("data_type")
        for key, value in (("field_label", label), ("data_type", data_type)):
            if not isinstance(value, str) or not value.strip():
                raise BadValue(
                    "MANDATORY_NOT_FOUND", "a key is missing", api_name=key, json_path=path
                )
        if len(str(label)) > MAX_LABEL:
            raise BadValue(
                "INVALID_DATA",
                "the label is too long",
                api_name="field_label",
                json_path=f"{path}.field_label",
                maximum_length=MAX_LABEL,
            )
        if data_type not in CREATABLE:
            raise BadValue(
                "INVALID_DATA",
                "no such type",
                api_name="data_type",
                json_path=f"{path}.data_type",
                supported_values=sorted(CREATABLE),
            )
        if any(field.label == label for field in self.fields.values()):
            raise BadValue(
                "DUPLICATE_DATA", "the label is taken", api_name="field_label", json_path=path
            )
        choices = choice_values(wanted.get("pick_list_values"))
        if data_type in CHOICE_TYPES and not choices:
            raise BadValue(
                "MANDATORY_NOT_FOUND", "values needed", api_name="pick_list_values", json_path=path
            )
        made = ZohoField(
            derive_api_name(str(label), self.fields),
            str(label),
            str(data_type),
            id=new_id(),
            custom=True,
            length=int(wanted.get("length") or LENGTHS.get(str(data_type), 0)),
            decimals=int(wanted.get("decimal_place") or 2),
            choices=choices,
            unique=bool(wanted.get("unique")),
            read_only=data_type in {"formula", "rollup_summary", "autonumber"},
        )
        self.fields[made.api_name] = made
        return made


def choice_values(wanted: Json) -> list[str]:
    """The values of a ``pick_list_values`` list, in order, without doubles or removed ones."""
    values = [
        str(item.get("actual_value") or item.get("display_value"))
        for item in wanted or []
        if isinstance(item, dict) and not item.get("_delete")
    ]
    return list(dict.fromkeys(values))


def derive_api_name(label: str, taken: Iterable[str]) -> str:
    """Letters, digits and underscores of the label; a taken name gets a number behind it."""
    name = re.sub(r"\W+", "_", label, flags=re.ASCII).strip("_")
    if not name or not name[0].isalpha():
        name = f"Field_{name}".rstrip("_")
    used = {other.lower() for other in taken}
    candidate, number = name, 0
    while candidate.lower() in used:
        number += 1
        candidate = f"{name}{number}"
    return candidate
