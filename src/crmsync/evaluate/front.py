"""The front of the matchers: which conditions hold for which customers, by whichever suits best.

A whole population is matched by one statement in DuckDB, a few rows by the compiled function, rows
that events bring one by one by the rete network. They give the same verdicts. So does the agenda by
rete, which draws what follows for such a customer.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from weakref import WeakKeyDictionary

from duckdb import DuckDBPyConnection

from crmsync.evaluate.chaining import steps_of
from crmsync.evaluate.compiled import CompiledRuleset
from crmsync.evaluate.context import EvaluationContext
from crmsync.evaluate.engine import Engine, decide
from crmsync.evaluate.matching import match_columnar, match_compiled
from crmsync.evaluate.rete_agenda import ReteAgenda
from crmsync.evaluate.rete_check import rete_status
from crmsync.evaluate.rete_native import ReteError
from crmsync.evaluate.single import ReteRecords
from crmsync.model.decision import Decision
from crmsync.model.fact import FactRow, MatchedRow
from crmsync.model.relation import FactRelation
from crmsync.model.state import CustomerState


@dataclass(frozen=True, slots=True)
class Mirrored:
    """Everybody in a relation over an open mirror."""

    connection: DuckDBPyConnection
    relation: FactRelation


def match(
    records: Iterable[FactRow] | Mirrored,
    engine: CompiledRuleset,
    as_of: date,
    *,
    arriving: bool = False,
) -> Iterator[MatchedRow]:
    """The verdicts of every condition over facts, row by row in the order of *records*.

    Rows stream; the connection of a `Mirrored` is busy until the iterator is exhausted or closed.
    Say *arriving* where rows come one by one over a long time: the first one builds a network, and
    the compiled function takes over where there is none or it fails its self-test.
    """
    if isinstance(records, Mirrored):
        return match_columnar(records.connection, records.relation, engine, as_of)
    if arriving and (networks := _networks(engine)) is not None:
        return (networks.records.match(row, as_of) for row in records)
    return match_compiled(records, engine, as_of)


def arrived(
    row: FactRow, engine: Engine, state: CustomerState, context: EvaluationContext
) -> Decision:
    """The decision for one customer whom an event brings, as `decide` makes it.

    The network matches, and the agenda by rete draws tasks and entitlements from the small facts
    the decision leaves. Meant for a process that lives on: the first call of one costs a self-test.
    """
    (matched,) = match([row], engine, context.as_of, arriving=True)
    networks = _networks(engine)
    return decide(
        engine, matched, state, context, chain=None if networks is None else networks.agenda
    )


class _Networks(NamedTuple):
    records: ReteRecords
    agenda: ReteAgenda


_KNOWN: WeakKeyDictionary[CompiledRuleset, _Networks | None] = WeakKeyDictionary()
_LOCK = threading.Lock()


def _networks(engine: CompiledRuleset) -> _Networks | None:
    """The networks of one ruleset, built once; ``None`` where there can be none."""
    with _LOCK:
        if engine not in _KNOWN:
            _KNOWN[engine] = _built(engine)
        return _KNOWN[engine]


def _built(engine: CompiledRuleset) -> _Networks | None:
    if not rete_status().usable:
        return None
    try:
        return _Networks(ReteRecords(engine), ReteAgenda(steps_of(engine.ruleset)))
    except ReteError:
        return None
