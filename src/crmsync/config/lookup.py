"""Finds fields in the CRM's own descriptions, by API name or by label, and says what is wrong."""

from __future__ import annotations

from collections.abc import Mapping

from crmsync.config.field_rules import DATES, NUMBERS, Wanted
from crmsync.model.condition import Literal, Name
from crmsync.model.diagnostic import Diagnostic
from crmsync.model.mapping import FieldPick
from crmsync.model.position import Span
from crmsync.model.schema import FieldSchema, FieldType, ObjectSchema
from crmsync.model.text import Text
from crmsync.source import did_you_mean, error

_ID = FieldSchema(name="id", label="id", type=FieldType.TEXT, read_only=True)
_PICKLISTS = frozenset({FieldType.PICKLIST, FieldType.MULTI_PICKLIST})


class FieldLookup:
    """Looks fields up; every problem is added to *problems*, once per place."""

    def __init__(self, schemas: Mapping[str, ObjectSchema], problems: list[Diagnostic]) -> None:
        self._schemas = schemas
        self._problems = problems
        self._unmade: dict[str, list[tuple[str, Span]]] = {}

    def known(self, object: str) -> bool:
        """Whether the object was described."""
        return object in self._schemas

    def has(self, object: str, span: Span) -> bool:
        """Like `known`; absence is a problem."""
        if object in self._schemas:
            return True
        mend, near = did_you_mean(object, self._schemas)
        self._add(
            "MAP051",
            span,
            Text(zh=f"CRM 没有对象“{object}”", en=f"the CRM has no object “{object}”"),
            mend
            if near is not None
            else Text(
                zh="写对象的 API 名；没有权限时请管理员开通",
                en="Write the object's API name; where access is lacking, ask the administrator.",
            ),
        )
        return False

    def find(
        self, object: str, pick: FieldPick, wanted: Wanted | None = None
    ) -> FieldSchema | None:
        """The one field *pick* names on *object*, if it fits."""
        schema = self._schemas[object]
        written = wanted is not None and (wanted.written or wanted.made)
        found = self._named(schema, pick, written=written)
        if found is None or wanted is None:
            return found
        if found.type not in wanted.types:
            self._wrong_type(object, found, wanted, pick.span)
            return None
        if wanted.written and found.read_only:
            self._add(
                "MAP055",
                pick.span,
                Text(
                    zh=f"{object} 的字段“{found.name}”是只读的，不能写入",
                    en=f"the field “{found.name}” of {object} is read-only",
                ),
                Text(
                    zh="公式、汇总和系统字段不能写；换一个字段",
                    en="Choose a field people can edit.",
                ),
            )
            return None
        if wanted.target and found.target and found.target != wanted.target:
            self._add(
                "MAP053",
                pick.span,
                Text(
                    zh=f"{object} 的字段“{found.name}”指向 {found.target}，不是 {wanted.target}",
                    en=f"the field “{found.name}” of {object} points to {found.target}, not to"
                    f" {wanted.target}",
                ),
                Text(
                    zh=f"换一个指向 {wanted.target} 的查找字段",
                    en=f"Choose a lookup field that points to {wanted.target}.",
                ),
            )
            return None
        return found

    def name_in_condition(self, object: str, word: str, span: Span) -> FieldSchema | None:
        """The field a condition names: by API name, else by a label only one field has."""
        schema = self._schemas[object]
        field = _by_name(schema, word)
        labelled = schema.labelled(word)
        if field is None and len(labelled) == 1:
            return labelled[0]
        return field or self._named(schema, FieldPick(name=word, span=span))

    def quietly(self, object: str, name: str) -> FieldSchema | None:
        """The field of that API name, without a word when there is none."""
        return _by_name(self._schemas[object], name)

    def check_choice(self, field: FieldSchema | None, value: str, span: Span) -> str:
        """The stored value *value* means in a picklist; a problem when the picklist has no such."""
        if field is None or field.type not in _PICKLISTS or not field.choices:
            return value
        for choice in field.choices:
            if choice.value == value:
                return value
        for choice in field.choices:
            if choice.label == value:
                return choice.value
        mend, _ = did_you_mean(value, [choice.value for choice in field.choices])
        self._add(
            "MAP054",
            span,
            Text(
                zh=f"“{value}”不是字段“{field.name}”的值",
                en=f"“{value}” is not a value of the field “{field.name}”",
            ),
            mend,
        )
        return value

    def wrong_word(self, object: str, field: FieldSchema, word: Name) -> bool:
        """Note that *word*, which no field is called, stands where a number or a day should."""
        schema = self._schemas[object]
        named = _by_name(schema, word.id) is not None or schema.labelled(word.id)
        if named or field.type not in NUMBERS | DATES:
            return False
        days = field.type in DATES
        self._add(
            "MAP057",
            word.span,
            Text(
                zh=f"字段“{field.name}”是 {field.type.value}，不能与“{word.id}”比较",
                en=f"the field “{field.name}” is {field.type.value}; it cannot be compared with "
                f"“{word.id}”",
            ),
            Text(zh="与日期比较，如 2026-12-31", en="Compare with a date such as 2026-12-31.")
            if days
            else Text(
                zh="与数字比较，如 60 或 30万", en="Compare with a number such as 60 or 30万."
            ),
        )
        return True

    def wrong_value(self, field: FieldSchema, item: Literal) -> None:
        """Note that *item* can never be a value of *field*."""
        kind = item.type.value
        self._add(
            "MAP057",
            item.span,
            Text(
                zh=f"字段“{field.name}”是 {field.type.value}，不能与 {kind} 类的值比较",
                en=f"the field “{field.name}” is {field.type.value}; this value is of type {kind}",
            ),
            Text(
                zh="换成这类字段的值；若确是文字，请加引号",
                en="Write a value such a field can hold; put text in quotes.",
            ),
        )

    def name_unmade(self) -> None:
        """Say which of the fields crmsync writes are missing: once for each object, since before
        the first ``connect`` that is all of them."""
        for object, missing in self._unmade.items():
            names = ", ".join(name for name, _ in missing)
            self._add(
                "MAP052",
                missing[0][1],
                Text(
                    zh=f"{object} 没有这些写回字段：{names}",
                    en=f"{object} lacks fields that crmsync writes: {names}",
                ),
                Text(zh="运行 crmsync connect 建好", en="Make them with crmsync connect."),
            )
        self._unmade.clear()

    def _named(
        self, schema: ObjectSchema, pick: FieldPick, *, written: bool = False
    ) -> FieldSchema | None:
        if pick.name is not None:
            found = _by_name(schema, pick.name)
            if found is None:
                names = [one.name for one in schema.fields]
                self._missing(schema, pick.name, pick.span, names, written=written)
            return found
        label = pick.label or ""
        labelled = schema.labelled(label)
        if len(labelled) == 1:
            return labelled[0]
        if not labelled:
            labels = [one.label for one in schema.fields]
            self._missing(schema, label, pick.span, labels, written=written)
            return None
        names = [one.name for one in labelled]
        shown = ", ".join(names)
        self._add(
            "MAP056",
            pick.span,
            Text(
                zh=f"{schema.object} 有 {len(names)} 个名为“{label}”的字段：{shown}",
                en=f"{schema.object} has {len(names)} fields labelled “{label}”: {shown}",
            ),
            Text(zh="改写 API 名", en="Name it by its API name."),
        )
        return None

    def _missing(
        self, schema: ObjectSchema, word: str, span: Span, known: list[str], *, written: bool
    ) -> None:
        mend, near = did_you_mean(word, known)
        if written and near is None:
            self._unmade.setdefault(schema.object, []).append((word, span))
            return
        self._add(
            "MAP052",
            span,
            Text(
                zh=f"{schema.object} 没有字段“{word}”", en=f"no field “{word}” in {schema.object}"
            ),
            mend
            if near is not None
            else Text(
                zh="把企业自己的字段名写进映射；建空字段： crmsync connect --facts",
                en="Write the company's own field into the mapping; to make it, empty: crmsync"
                " connect --facts.",
            ),
        )

    def _wrong_type(self, object: str, field: FieldSchema, wanted: Wanted, span: Span) -> None:
        types = sorted(item.value for item in wanted.types)
        self._add(
            "MAP053",
            span,
            Text(
                zh=f"{object} 的字段“{field.name}”是 {field.type.value}，这里要 {'、'.join(types)}",
                en=f"the field “{field.name}” of {object} is {field.type.value}; wanted:"
                f" {', '.join(types)}",
            ),
            Text(zh="换一个字段", en="Choose another field."),
        )

    def _add(self, code: str, span: Span, message: Text, mend: Text) -> None:
        found = error(code, span, message, mend)
        if found not in self._problems:
            self._problems.append(found)


class PeopleLookup(FieldLookup):
    """Looks up what rules call the fields of people: by the mapping's names, else as they are."""

    def __init__(
        self,
        schemas: Mapping[str, ObjectSchema],
        problems: list[Diagnostic],
        named: Mapping[str, FieldPick],
    ) -> None:
        super().__init__(schemas, problems)
        self._picks = named

    def name_in_condition(self, object: str, word: str, span: Span) -> FieldSchema | None:
        """The field a condition of the rules names."""
        pick = self._picks.get(word)
        if pick is None:
            return super().name_in_condition(object, word, span)
        return self.find(object, pick, None)


def _by_name(schema: ObjectSchema, name: str) -> FieldSchema | None:
    return _ID if name.casefold() == "id" else schema.field(name)
