"""The people below customers: who they are, and that one question answers for many."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from tests.unit.facts.small_world import (
    AS_OF,
    SCHEMAS,
    is_word,
    mapping,
    opened,
    ruleset,
    write_mirror,
)

from crmsync.facts import people_in, wants
from crmsync.model.condition import Compare, Comparison, Literal, Name
from crmsync.model.fact import FactType
from crmsync.model.mapping import CrmMapping, FieldPick, PeopleSource
from crmsync.model.person import Person

BIG = Compare(Comparison.GE, Name("Pieces", FactType.INTEGER), Literal(5, FactType.INTEGER))


def mapped() -> CrmMapping:
    """Orders stand for people: called by their status, those of at least five pieces wanted."""
    plain = mapping({}, where=is_word("Status", "open"))
    related = dataclasses.replace(plain.related["orders"], called=FieldPick("Status"))
    people = {"call": PeopleSource("orders", BIG), "all": PeopleSource("moments")}
    return dataclasses.replace(plain, related={**plain.related, "orders": related}, people=people)


def test_people_are_those_both_conditions_hold_for(tmp_path: Path) -> None:
    orders = [
        {"Customer": "a", "Status": "open", "Pieces": 5},
        {"Customer": "a", "Status": "lost", "Pieces": 9},
        {"Customer": "a", "Status": "open", "Pieces": None},
        {"Customer": "b", "Status": "open", "Pieces": 7},
        {"Customer": "c", "Status": "open", "Pieces": 7},
    ]
    path = tmp_path / "m.duckdb"
    write_mirror(path, {"a": {}, "b": {}, "c": {}}, orders)
    with opened(path) as connection:
        asked = people_in(connection, mapped(), SCHEMAS, day_and_zone=(AS_OF, "Asia/Shanghai"))
        streaming = connection.execute("SELECT range FROM range(5000)")
        streaming.fetchone()
        found = asked.of("call", ["a", "b"])
        assert len(streaming.fetchall()) == 4999
        assert found == {"a": [Person("o000000", "open")], "b": [Person("o000003", "open")]}
        assert asked.of("all", ["c"]) == {"c": [Person("o000004", "o000004")]}
        assert asked.of("nobody", ["a"]) == {}
        assert asked.of("call", []) == {}


def test_what_is_read_of_people_is_what_their_tasks_need() -> None:
    (own, orders) = wants(ruleset(), mapped(), SCHEMAS)
    assert own.object == "Customers"
    assert [field.name for field in orders.fields] == ["Customer", "Pieces", "Status"]
