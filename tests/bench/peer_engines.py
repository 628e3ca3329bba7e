"""Other rule engines on the same rules and records; runs alone, in a Python that has them.

``python -m tests.bench.peer_engines ENGINE FOLDER SECONDS`` reads ``rules.json`` and
``records.json`` and prints the microseconds a record and how often each rule was met by the records
it got through.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench.figure import CANNOT
from tests.peak import peak_mb

Record = dict[str, Any]
Match = Callable[[Record], list[int]]
WORDS = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte", "=": "eq"}


def durable(rules: list[Any], records: list[Record]) -> Match:
    """durable-rules, every rule in one network, a fact asserted and retracted for each record."""
    import durable_rules_engine as engine

    names = {"=": None, "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}

    def test(field: str, op: str, value: Any) -> Any:
        return {field: value} if names[op] is None else {names[op]: {field: value}}

    written = {
        f"r{n}": {
            "all": [
                {"m": {"$and": [test(*atom) for atom in rule]} if len(rule) > 1 else test(*rule[0])}
            ]
        }
        for n, rule in enumerate(rules)
    }
    handle = engine.create_ruleset("bench", json.dumps(written))

    def match(record: Record) -> list[int]:
        met: list[int] = []
        known = {name: value for name, value in record.items() if value is not None}
        _, state = engine.assert_fact(handle, json.dumps({"id": "k", **known}))
        started = engine.start_action_for_state(handle, state)
        if started is not None:
            fired = started[1]
            while fired is not None:
                met += [int(name[1:]) for name in json.loads(fired)]
                fired = engine.complete_and_start_action(handle, state)
        engine.retract_fact(handle, json.dumps({"id": "k", **known}))
        return sorted(set(met))

    return match


def zen(rules: list[Any], records: list[Record]) -> Match:
    """zen-engine, one compiled expression a rule."""
    from zen import compile_expression

    ops = {"=": "=="}
    texts = [
        " and ".join(
            f"({field} != null and {field} {ops.get(op, op)} {json.dumps(value)})"
            for field, op, value in rule
        )
        for rule in rules
    ]
    compiled = [compile_expression(text) for text in texts]
    return lambda record: [n for n, rule in enumerate(compiled) if rule.evaluate(record) is True]


def rule_engine(rules: list[Any], records: list[Record]) -> Match:
    """rule-engine, one compiled rule each."""
    import rule_engine as engine

    ops = {"=": "=="}
    compiled = [
        engine.Rule(
            " and ".join(
                f"{field} != null and {field} {ops.get(op, op)} {json.dumps(value)}"
                for field, op, value in rule
            )
        )
        for rule in rules
    ]
    return lambda record: [n for n, rule in enumerate(compiled) if rule.matches(record)]


def json_logic(rules: list[Any], records: list[Record]) -> Match:
    """json-logic, one expression a rule."""
    from json_logic import jsonLogic

    ops = {"=": "=="}
    written = [
        {
            "and": [
                {
                    "and": [
                        {"!=": [{"var": field}, None]},
                        {ops.get(op, op): [{"var": field}, value]},
                    ]
                }
                for field, op, value in rule
            ]
        }
        for rule in rules
    ]
    return lambda record: [n for n, rule in enumerate(written) if jsonLogic(rule, record) is True]


def business_rules(rules: list[Any], records: list[Record]) -> Match:
    """business-rules, every rule run over variables of the record."""
    from business_rules import engine
    from business_rules.variables import (
        BaseVariables,
        boolean_rule_variable,
        numeric_rule_variable,
        string_rule_variable,
    )

    def variable(name: str) -> Any:
        first = next(value for record in records if (value := record[name]) is not None)
        if isinstance(first, bool):
            return boolean_rule_variable()(lambda self: bool(self.record[name]))
        if isinstance(first, str):
            return string_rule_variable()(lambda self: self.record[name] or "")
        return numeric_rule_variable()(
            lambda self: self.record[name] if self.record[name] is not None else NOTHING
        )

    names = {
        "=": "equal_to",
        "<": "less_than",
        "<=": "less_than_or_equal_to",
        ">": "greater_than",
        ">=": "greater_than_or_equal_to",
    }
    NOTHING = -(10**12)
    members: dict[str, Any] = {name: variable(name) for name in records[0]}
    members["__init__"] = lambda self, record: setattr(self, "record", record)
    variables = type("Variables", (BaseVariables,), members)

    def tests(rule: Any) -> list[Any]:
        made = []
        for field, op, value in rule:
            if value is True:
                made.append({"name": field, "operator": "is_true", "value": True})
                continue
            made.append({"name": field, "operator": names[op], "value": value})
            if op.startswith("<"):
                made.append({"name": field, "operator": "greater_than", "value": NOTHING + 1})
        return made

    written = [{"all": tests(rule)} for rule in rules]

    def match(record: Record) -> list[int]:
        own = variables(record)
        return [
            n for n, rule in enumerate(written) if engine.check_conditions_recursively(rule, own)
        ]

    return match


ENGINES = {
    "durable-rules": durable,
    "zen-engine": zen,
    "rule-engine": rule_engine,
    "json-logic": json_logic,
    "business-rules": business_rules,
}


def main(name: str, folder: Path, seconds: float) -> None:
    rules = json.loads((folder / "rules.json").read_text())
    records = json.loads((folder / "records.json").read_text())
    match = ENGINES[name](rules, records)
    hits = [0] * len(rules)
    done, start = 0, time.perf_counter()
    for record in records:
        try:
            found = match(record)
        except Exception as error:  # whatever the engine raises of its own
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            sys.exit(CANNOT)
        for rule in found:
            hits[rule] += 1
        done += 1
        if time.perf_counter() - start > seconds:
            break
    spent = time.perf_counter() - start
    print(
        json.dumps({"us": spent / done * 1e6, "records": done, "hits": hits, "peak_mb": peak_mb()})
    )


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]))
