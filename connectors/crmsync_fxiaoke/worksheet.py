"""The worksheet for the administrator: which fields to create by hand, and exactly how.

The open API has no interface for creating fields. The administrator makes them in 管理后台 →
对象管理, and crmsync finds them by their names; API names and option values are the CRM's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from crmsync.model.schema import FieldSchema, FieldType, ObjectSchema
from crmsync.model.text import Text

FORMS = {
    FieldType.TEXT: Text(zh="单行文本", en="Single-line text (单行文本)"),
    FieldType.LONG_TEXT: Text(zh="多行文本", en="Multi-line text (多行文本)"),
    FieldType.PICKLIST: Text(zh="单选", en="Single choice (单选)"),
    FieldType.MULTI_PICKLIST: Text(zh="多选", en="Multiple choice (多选)"),
    FieldType.BOOLEAN: Text(zh="布尔值", en="Yes/no (布尔值)"),
    FieldType.INTEGER: Text(zh="数字（小数位数 0）", en="Number, 0 decimals (数字)"),
    FieldType.DECIMAL: Text(zh="数字", en="Number (数字)"),
    FieldType.CURRENCY: Text(zh="金额", en="Currency (金额)"),
    FieldType.PERCENT: Text(zh="百分数", en="Percent (百分数)"),
    FieldType.DATE: Text(zh="日期", en="Date (日期)"),
    FieldType.DATETIME: Text(zh="日期时间", en="Date and time (日期时间)"),
    FieldType.LOOKUP: Text(zh="查找关联", en="Look-up (查找关联)"),
    FieldType.USER: Text(zh="人员（单选）", en="Employee, one (人员)"),
    FieldType.URL: Text(zh="网址", en="Web address (网址)"),
}
INTERCHANGEABLE = {(FieldType.TEXT, FieldType.LONG_TEXT), (FieldType.INTEGER, FieldType.DECIMAL)}
"""What was asked for, and what will do as well."""
OTHER = Text(zh="单行文本", en="Single-line text (单行文本)")


def worksheet_text(schema: ObjectSchema, fields: Sequence[FieldSchema]) -> Text:
    """The sheet for the fields of *schema* that are missing or not as they must be.

    A field counts as there when one field of that name has the right type and all options.
    """
    rows = [(field, _state(schema, field)) for field in fields]
    todo = [(field, state) for field, state in rows if state is not None]
    if not todo:
        return Text(
            zh=f"对象“{schema.label}”所需的 {len(fields)} 个字段都已就绪。",
            en=f"All {len(fields)} fields that “{schema.label}” needs are there.",
        )
    zh = [
        f"请管理员在 管理后台 → 对象管理 → {schema.label}（{schema.object}）→ 字段 中"
        f"处理 {len(todo)} 个字段：",
        "字段名称必须逐字相同；API 名称和选项值由系统生成，不用填写。",
        "",
    ]
    en = [
        f"Ask an administrator to see to {len(todo)} fields of {schema.label} ({schema.object}) "
        "in 管理后台 → 对象管理 → 字段:",
        "Field names must match letter for letter; API names and option values are made up by the "
        "CRM.",
        "",
    ]
    for number, (field, state) in enumerate(todo, start=1):
        assert state is not None
        form = FORMS.get(field.type, OTHER)
        zh.append(f"{number}. {field.label}｜{form.zh}{_details(field, 'zh')}｜{state.zh}")
        en.append(f"{number}. {field.label} | {form.en}{_details(field, 'en')} | {state.en}")
    zh += ["", "完成后再运行一次 crmsync connect，会按名称找到这些字段。"]
    en += ["", "Then run crmsync connect again: it finds the fields by their names."]
    return Text(zh="\n".join(zh), en="\n".join(en))


def _details(field: FieldSchema, lang: str) -> str:
    return "".join(_parts(field, zh=lang == "zh"))


def _parts(field: FieldSchema, *, zh: bool) -> Iterator[str]:
    if field.choices:
        names = " / ".join(choice.label for choice in field.choices)
        yield f"，选项：{names}" if zh else f", options: {names}"
    if field.scale and field.type is not FieldType.INTEGER:
        yield f"，小数位数 {field.scale}" if zh else f", {field.scale} decimals"
    if field.max_length:
        yield f"，最大长度 {field.max_length}" if zh else f", at least {field.max_length} long"
    if field.target:
        yield f"，关联 {field.target}" if zh else f", to {field.target}"
    if field.unique:
        yield "，勾选“唯一”" if zh else ", tick “unique” (唯一)"


def _state(schema: ObjectSchema, field: FieldSchema) -> Text | None:
    """What is wrong with the tenant's field of that name; ``None`` when it will do."""
    named = schema.field(field.name)
    found = schema.labelled(field.label) if named is None else (named,)
    if not found:
        return Text(zh="新建", en="create")
    if len(found) > 1:
        return Text(
            zh="有重名字段，请改名或停用多余的", en="more than one has this name: rename one"
        )
    have = found[0]
    if have.type is not field.type and (field.type, have.type) not in INTERCHANGEABLE:
        return Text(
            zh=f"已有同名字段，但类型不同（{FORMS.get(have.type, OTHER).zh}）",
            en=f"one of that name exists with another type ({have.type})",
        )
    missing = {c.label for c in field.choices} - {c.label for c in have.choices}
    if missing:
        names = " / ".join(c.label for c in field.choices if c.label in missing)
        return Text(zh=f"补充选项：{names}", en=f"add the options: {names}")
    if (have.scale or 0) < (field.scale or 0):
        return Text(
            zh=f"小数位数改为 {field.scale}", en=f"change it to {field.scale} decimal places"
        )
    if have.max_length and field.max_length and have.max_length < field.max_length:
        return Text(
            zh=f"最大长度改为 {field.max_length}", en=f"let it hold {field.max_length} characters"
        )
    if have.read_only and not field.read_only:
        return Text(zh="字段为只读，请改为可编辑", en="it is read-only: make it editable")
    return None
