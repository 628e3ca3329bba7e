"""Conditions on CRM fields, their names and picklist values looked up."""

from __future__ import annotations

import dataclasses
from typing import assert_never

from crmsync.config.lookup import FieldLookup
from crmsync.model.condition import (
    All,
    AnyOf,
    Arithmetic,
    Between,
    Call,
    Choose,
    Compare,
    Condition,
    Expression,
    Holds,
    Known,
    Literal,
    Missing,
    Name,
    Not,
    OneOf,
    Within,
)
from crmsync.model.fact import FactType
from crmsync.model.schema import FieldSchema


def resolved_condition(condition: Condition, object: str, fields: FieldLookup) -> Condition:
    """The condition with labels replaced by API names and picklist labels by stored values."""
    return _Walk(object, fields).condition(condition)


class _Walk:
    def __init__(self, object: str, fields: FieldLookup) -> None:
        self._object = object
        self._fields = fields

    def condition(self, node: Condition) -> Condition:
        match node:
            case All(items=items) | AnyOf(items=items):
                return dataclasses.replace(node, items=tuple(map(self.condition, items)))
            case Not(item=item):
                return dataclasses.replace(node, item=self.condition(item))
            case Compare(left=left, right=right):
                first, second = self.expression(left), self.expression(right)
                return dataclasses.replace(
                    node, left=self._stored(first, second), right=self._stored(second, first)
                )
            case OneOf(operand=operand, values=values):
                name = self.expression(operand)
                stored = tuple(self._value(value, name) for value in values)
                return dataclasses.replace(node, operand=name, values=stored)
            case Between(operand=operand, low=low, high=high):
                parts = [self.expression(part) for part in (operand, low, high)]
                return dataclasses.replace(node, operand=parts[0], low=parts[1], high=parts[2])
            case Within() | Known() | Missing() | Holds():
                return dataclasses.replace(node, operand=self.expression(node.operand))
            case _:
                assert_never(node)

    def expression(self, node: Expression) -> Expression:
        match node:
            case Literal():
                return node
            case Name(id=word, span=span):
                field = self._fields.name_in_condition(self._object, word, span)
                return node if field is None else dataclasses.replace(node, id=field.name)
            case Arithmetic(left=left, right=right):
                return dataclasses.replace(
                    node, left=self.expression(left), right=self.expression(right)
                )
            case Call(arguments=arguments):
                return dataclasses.replace(node, arguments=tuple(map(self.expression, arguments)))
            case Choose(condition=condition, then=then, otherwise=otherwise):
                return dataclasses.replace(
                    node,
                    condition=self.condition(condition),
                    then=self.expression(then),
                    otherwise=self.expression(otherwise),
                )
            case _:
                assert_never(node)

    def _stored(self, item: Expression, beside: Expression) -> Expression:
        return self._value(item, beside) if isinstance(item, Literal) else item

    def _value(self, item: Literal, beside: Expression) -> Literal:
        field = self._field(beside)
        if field is None or item.type is not FactType.TEXT or not isinstance(item.value, str):
            return item
        stored = self._fields.check_choice(field, item.value, item.span)
        return dataclasses.replace(item, value=stored)

    def _field(self, item: Expression) -> FieldSchema | None:
        if not isinstance(item, Name):
            return None
        return self._fields.quietly(self._object, item.id)
