"""What Zoho says of its modules and fields, kept for one connection; fields and values added."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Iterable, Mapping, Sequence

from crmsync.errors import ConfigError, ConnectorError, UnexpectedReply
from crmsync.model.schema import FieldSchema, FieldType, ObjectSchema
from crmsync.model.text import Text
from crmsync_zoho.client import ZohoClient, clean_code
from crmsync_zoho.codec import CREATE_TYPES, Json, ZohoFieldInfo, field_info

MAX_LABEL = 25
TEXT_LENGTH = 255


class Descriptions:
    """Field descriptions by module, read once and again when asked; thread-safe."""

    def __init__(self, client: ZohoClient) -> None:
        self._client = client
        self._known: dict[str, dict[str, ZohoFieldInfo]] = {}
        self._guard = threading.Lock()

    def fields(self, module: str, *, anew: bool = False) -> Mapping[str, ZohoFieldInfo]:
        """Every field of the module by API name; raises UnexpectedReply when there is no such."""
        with self._guard:
            known = self._known.get(module)
        if known is not None and not anew:
            return known
        described = self._client.described("settings/fields", {"module": module}).get("fields")
        if not isinstance(described, list) or not described:
            raise UnexpectedReply(
                Text(zh=f"Zoho 没有模块 {module}", en=f"Zoho has no module {module}")
            )
        infos = [field_info(item) for item in described]
        found = {info.schema.name: info for info in infos}
        with self._guard:
            self._known[module] = found
        return found

    def wanted(self, module: str, names: Iterable[str]) -> dict[str, ZohoFieldInfo]:
        """The fields of those names; raises ConfigError naming every one Zoho does not have."""
        known = self.fields(module)
        missing = [name for name in names if name != "id" and name not in known]
        if missing:
            near = {
                name: close[0]
                for name in missing
                if (close := difflib.get_close_matches(name, known, n=1))
            }
            text = ", ".join(missing)
            raise ConfigError(
                Text(
                    zh=f"Zoho 的 {module} 没有字段：{text}",
                    en=f"Zoho's {module} has no field: {text}",
                ),
                mend=Text(
                    zh="相近的名称：" + "，".join(near.values()) if near else "请核对映射文件。",
                    en="Close: " + ", ".join(near.values()) if near else "Check the mapping file.",
                ),
                code="MAP_FIELD",
            )
        return {name: known[name] for name in names if name != "id"}

    def object(self, module: str) -> ObjectSchema:
        """The module as it is now."""
        infos = self.fields(module, anew=True)
        found = self._client.described(f"settings/modules/{module}").get("modules")
        label = module
        if isinstance(found, list) and found and isinstance(found[0], dict):
            label = str(found[0].get("plural_label") or module)
        return ObjectSchema(module, label, tuple(info.schema for info in infos.values()))

    def create(self, module: str, wanted: FieldSchema) -> FieldSchema:
        """Create a custom field, unless one of that label and type is there already.

        Zoho's reply names an id and nothing else: the fields are read again to learn the name.
        """
        for info in self.fields(module, anew=True).values():
            if info.schema.label == wanted.label and info.schema.type is wanted.type:
                return info.schema
        asked = _asked(wanted)
        (result,) = self._results("POST", "settings/fields", module, [asked])
        made = str((result.get("details") or {}).get("id", ""))
        for info in self.fields(module, anew=True).values():
            if info.id == made or info.schema.label == wanted.label:
                return info.schema
        raise UnexpectedReply(
            Text(
                zh=f"Zoho 说已建字段“{wanted.label}”，但重新读取时没有找到",
                en=f"Zoho says it created the field “{wanted.label}”, but it cannot be found",
            )
        )

    def add_choices(self, module: str, name: str, choices: Sequence[str]) -> None:
        """Add missing values to a picklist; the present ones are sent along, Zoho replaces all."""
        info = self.wanted(module, [name])[name]
        present = [choice.value for choice in info.schema.choices]
        missing = [choice for choice in dict.fromkeys(choices) if choice not in present]
        if not missing:
            return
        values = [
            {"display_value": choice.label, "actual_value": choice.value}
            for choice in info.schema.choices
        ] + [{"display_value": choice, "actual_value": choice} for choice in missing]
        body = {"id": info.id, "pick_list_values": values}
        self._results("PATCH", f"settings/fields/{info.id}", module, [body])
        self.fields(module, anew=True)

    def _results(
        self, method: str, path: str, module: str, fields: Sequence[Mapping[str, Json]]
    ) -> list[dict[str, Json]]:
        results = self._client.configure(method, path, module, fields)
        for result in results:
            if result.get("code") != "SUCCESS":
                raise _refused(module, result)
        return results


def _asked(wanted: FieldSchema) -> dict[str, Json]:
    data_type = CREATE_TYPES.get(wanted.type)
    if data_type is None:
        raise ConfigError(
            Text(
                zh=f"不能在 Zoho 里建立类型为 {wanted.type} 的字段",
                en=f"a field of type {wanted.type} cannot be created in Zoho",
            )
        )
    if len(wanted.label) > MAX_LABEL:
        raise ConfigError(
            Text(
                zh=f"Zoho 的字段名称最多 {MAX_LABEL} 个字符：“{wanted.label}”",
                en=f"a field label in Zoho has at most {MAX_LABEL} characters: “{wanted.label}”",
            )
        )
    asked: dict[str, Json] = {"field_label": wanted.label, "data_type": data_type}
    if wanted.type is FieldType.TEXT:
        asked["length"] = min(wanted.max_length or TEXT_LENGTH, TEXT_LENGTH)
    if wanted.scale is not None and wanted.type in {FieldType.DECIMAL, FieldType.CURRENCY}:
        asked["decimal_place"] = wanted.scale
    if wanted.choices:
        asked["pick_list_values"] = [
            {"display_value": choice.label, "actual_value": choice.value}
            for choice in wanted.choices
        ]
    if wanted.unique:
        asked["unique"] = {"casesensitive": False}
    return asked


def _refused(module: str, result: Mapping[str, Json]) -> ConnectorError:
    code = clean_code(result.get("code")) or "ERROR"
    return UnexpectedReply(
        Text(
            zh=f"Zoho 没有改动 {module} 的字段：{code}",
            en=f"Zoho did not change the fields of {module}: {code}",
        ),
        mend=Text(
            zh="常见原因：名称重复、字段数已达版本上限、用户没有“自定义模块”权限。",
            en="Usual causes: the label is taken, the edition's number of fields is reached, the "
            "user may not customise modules.",
        ),
        remote_code=code,
    )
