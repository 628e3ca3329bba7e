"""Conditions on CRM fields, their names and picklist values looked up."""

from __future__ import annotations

import dataclasses
from typing import assert_never

from crmsync.config.literals import fit_literal
from crmsync.config.lookup import FieldLookup
from crmsync.model.condition import (
    All,
    AnyOf,
    Arithmetic,
    Between,
    Call,
    Choose,
    Compare,
    Comparison,
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
            case Compare():
                return self._compare(node)
            case OneOf(operand=operand, values=values):
                name = self.expression(operand)
                stored = tuple(self._value(value, name) for value in values)
                return dataclasses.replace(node, operand=_used_as(name, stored[0]), values=stored)
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

    def _compare(self, node: Compare) -> Compare:
        left = self.expression(node.left)
        field = self._field(left)
        if (
            field is not None
            and isinstance(node.right, Name)
            and self._fields.wrong_word(self._object, field, node.right)
        ):
            return node
        right = self.expression(node.right)
        if node.comparison in {Comparison.EQ, Comparison.NE}:
            if isinstance(right, Literal):
                right = self._value(right, left)
                left = _used_as(left, right)
            elif isinstance(left, Literal):
                left = self._value(left, right)
                right = _used_as(right, left)
        return dataclasses.replace(node, left=left, right=right)

    def _value(self, item: Literal, beside: Expression) -> Literal:
        field = self._field(beside)
        if field is None:
            return item
        fitted = fit_literal(item, field)
        if fitted is None:
            self._fields.wrong_value(field, item)
            return item
        if fitted.type is FactType.TEXT and isinstance(fitted.value, str):
            stored = self._fields.check_choice(field, fitted.value, item.span)
            return dataclasses.replace(fitted, value=stored)
        return fitted

    def _field(self, item: Expression) -> FieldSchema | None:
        if not isinstance(item, Name):
            return None
        return self._fields.quietly(self._object, item.id)


def _used_as(item: Expression, beside: Literal) -> Expression:
    """A field compared with a text is asked for its text."""
    if isinstance(item, Name) and beside.type is FactType.TEXT:
        return dataclasses.replace(item, type=FactType.TEXT)
    return item
