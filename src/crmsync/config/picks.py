"""CRM fields as mapping files name them, and their translation tables."""

from __future__ import annotations

from collections.abc import Sequence

from crmsync.config.keys import MAX_PROBLEMS, Keys, not_a_word
from crmsync.model.diagnostic import Diagnostic
from crmsync.model.mapping import FieldPick
from crmsync.model.text import Text
from crmsync.source import Mapping, Node, Scalar, did_you_mean, error


def pick_of(
    node: Node, problems: list[Diagnostic], *, also: Sequence[str] = ()
) -> FieldPick | None:
    """A field: ``Name``, ``{field: Name}`` or ``{label: 名称}``; *also* names other keys there."""
    if isinstance(node, Scalar) and not node.empty:
        return FieldPick(name=node.text, span=node.span)
    if isinstance(node, Mapping):
        keys = Keys(node, ("field", "label", *also), problems, family="MAP")
        name, label = keys.word("field"), keys.word("label")
        place = node.get("field") or node.get("label")
        if (name is None) != (label is None) and place is not None:
            return FieldPick(name=name, label=label, span=place.span)
    problems.append(
        error(
            "MAP012",
            node.span,
            Text(zh="这里应是一个 CRM 字段", en="a CRM field is expected here"),
            Text(
                zh="写字段的 API 名，或 {label: 字段名称}",
                en="Write the field's API name, or {label: what people see}.",
            ),
        )
    )
    return None


def translations(
    node: Node,
    problems: list[Diagnostic],
    *,
    keys: Sequence[str] | None = None,
    values: Sequence[str] | None = None,
) -> dict[str, str]:
    """A table ``{from: to}``; *keys* and *values* limit what may stand on either side."""
    if not isinstance(node, Mapping):
        problems.append(
            error(
                "MAP005",
                node.span,
                Text(zh="values 下面应是“键: 值”", en="“values” must hold “key: value” pairs"),
                Text(
                    zh="写成 values: {CRM 的值: 规则的值}",
                    en="Write values: {value in the CRM: value in the rules}.",
                ),
            )
        )
        return {}
    table: dict[str, str] = {}
    for key, value in node.entries:
        if not isinstance(value, Scalar):
            problems.append(not_a_word(key.text, value.span, family="MAP"))
            continue
        if _known(key, keys, problems) and _known(value, values, problems):
            table[key.text] = value.text
    return table


def _known(word: Scalar, known: Sequence[str] | None, problems: list[Diagnostic]) -> bool:
    if known is None or word.text in known:
        return True
    if len(problems) >= MAX_PROBLEMS:
        return False
    mend, near = did_you_mean(word.text, known)
    problems.append(
        error(
            "MAP007",
            word.span,
            Text(zh=f"“{word.text}”不能写在这里", en=f"“{word.text}” cannot stand here"),
            mend,
            fix=near,
        )
    )
    return False
