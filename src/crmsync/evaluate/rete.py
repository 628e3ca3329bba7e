"""The rete matcher: conditions as a network of durable-rules, one record at a time.

It keeps the contract of `compile_matcher`, gives the same verdicts, and hands over to the compiled
matcher where the extension is missing, fails its self-test or fails a record.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple, TypeAlias

from crmsync.condition import compile_matcher
from crmsync.condition import values as reading
from crmsync.condition.compiled import Matcher
from crmsync.condition.values import kind_of, ordered
from crmsync.evaluate.rete_native import (
    MOST_FIELDS,
    MOST_RULES,
    Network,
    Pattern,
    ReteError,
    Rule,
    fields,
)
from crmsync.evaluate.rete_paths import Computed, FactTest, IsKnown, Path, Test, paths_of
from crmsync.model.condition import Comparison, Condition, Name
from crmsync.model.fact import FactType, FactValue

_Column: TypeAlias = tuple[str, FactType] | int
"""A fact with the type it is read as, or the number of a computed condition."""

_Known: TypeAlias = Any  # a value of the one kind its column has
_Place: TypeAlias = Callable[[_Known], int]

_OPS = {
    Comparison.EQ: "$eq",
    Comparison.NE: "$neq",
    Comparison.LT: "$lt",
    Comparison.LE: "$lte",
    Comparison.GT: "$gt",
    Comparison.GE: "$gte",
}


class _Reading(NamedTuple):
    """How a fact becomes the number the network sees."""

    slot: int
    read: Callable[[object], _Known]
    place: _Place


class _Shard(NamedTuple):
    """One network: the record's line is *line* filled with the codes at *columns*; the bit that a
    rule's name stands for is in *bits*."""

    network: Network
    line: str
    columns: tuple[int, ...]
    bits: Mapping[str, int]


class ReteNetworks:
    """Conditions spread over networks; any failure is a ReteError.

    A fact is sent as its place among the constants it is compared with: 2·n + 1 for the n-th of
    them, an even number between or beside them, null when it is unknown. So numbers, days and
    words reach the extension as small integers, and nothing hangs on how it reads text, rounds
    numbers or compares strings. ``paths``, ``place`` and ``network`` are the steps a test may
    spoil.
    """

    unknown = "null"

    def __init__(self, conditions: Sequence[Condition], slots: Sequence[str]) -> None:
        paths = [self.paths(condition) for condition in conditions]
        self._always = sum(1 << bit for bit, found in enumerate(paths) if () in found)
        rules = [(bit, path) for bit, found in enumerate(paths) for path in found if path]
        tests = [test for _, path in rules for test in path]
        computed = list(dict.fromkeys(t.condition for t in tests if isinstance(t, Computed)))
        self._computed = compile_matcher(computed, slots)
        self._computed_count = len(computed)
        self._numbers = {condition: number for number, condition in enumerate(computed)}
        self._constants = _constants(tests)
        self._columns: dict[_Column, int] = {}
        for column in map(self._column, tests):
            self._columns.setdefault(column, len(self._columns))
        self._readings = self._read_by(slots)
        self._shards = [self._shard(piece) for piece in self._pieces(rules)]

    def paths(self, condition: Condition) -> tuple[Path, ...]:
        """The paths on which *condition* holds."""
        return paths_of(condition)

    def place(self, constants: Sequence[_Known], kind: FactType) -> _Place:
        """How a known value of *kind* becomes its code; *constants* are sorted."""
        if not ordered(kind_of(Name("", kind))):
            codes = {value: 2 * number + 1 for number, value in enumerate(constants)}
            return lambda value: codes.get(value, 0)
        count = len(constants)

        def code(value: _Known) -> int:
            number = bisect_left(constants, value)
            return 2 * number + (number < count and constants[number] == value)

        return code

    def network(self, rules: Sequence[Rule]) -> Network:
        """One network of these rules."""
        return Network(rules)

    def match(self, values: Sequence[FactValue], as_of: date) -> int:
        """Bit *n* is set when condition *n* is true."""
        codes = self._codes(values, as_of)
        mask = self._always
        for network, line, columns, bits in self._shards:
            for name in network.match(line % tuple([codes[column] for column in columns])):
                mask |= bits[name]
        return mask

    def close(self) -> None:
        """Free what the extension holds."""
        for shard in self._shards:
            shard.network.close()

    def _codes(self, values: Sequence[FactValue], as_of: date) -> list[object]:
        codes: list[object] = []
        mask = self._computed(values, as_of) if self._computed_count else 0
        for item in self._readings:
            if isinstance(item, int):
                codes.append(mask >> item & 1)
                continue
            slot, read, place = item
            value = read(values[slot])
            codes.append(self.unknown if value is None else place(value))
        return codes

    def _column(self, test: Test) -> _Column:
        if isinstance(test, Computed):
            return self._numbers[test.condition]
        return test.fact.id, test.fact.type

    def _read_by(self, slots: Sequence[str]) -> list[_Reading | int]:
        places = {name: slot for slot, name in enumerate(slots)}
        readings: list[_Reading | int] = []
        for column in self._columns:
            if isinstance(column, int):
                readings.append(column)
                continue
            name, kind = column
            place = self.place(self._constants.get(column, ()), kind)
            readings.append(_Reading(places[name], reading.READERS[kind], place))
        return readings

    def _pieces(self, rules: Sequence[tuple[int, Path]]) -> list[list[tuple[int, Path]]]:
        pieces: list[list[tuple[int, Path]]] = []
        used: set[_Column] = set()
        for rule in rules:
            needed = used | {self._column(test) for test in rule[1]}
            if not pieces or len(pieces[-1]) == MOST_RULES or len(needed) > MOST_FIELDS:
                pieces.append([])
                needed = {self._column(test) for test in rule[1]}
            pieces[-1].append(rule)
            used = needed
        return pieces

    def _shard(self, piece: Sequence[tuple[int, Path]]) -> _Shard:
        read = [self._column(test) for _, path in piece for test in path]
        columns = list(dict.fromkeys(read))
        names = dict(zip(columns, fields(len(columns)), strict=True))
        rules: list[Rule] = [
            (str(number), (tuple(self._pattern(test, names) for test in path),))
            for number, (_, path) in enumerate(piece)
        ]
        filled = "".join(f',"{name}":%s' for name in names.values())
        places = tuple(self._columns[column] for column in columns)
        bits = {str(number): 1 << bit for number, (bit, _) in enumerate(piece)}
        return _Shard(self.network(rules), f'{{"id":"k"{filled}}}', places, bits)

    def _pattern(self, test: Test, names: dict[_Column, str]) -> Pattern:
        column = self._column(test)
        field = names[column]
        match test:
            case Computed():
                return Pattern(field, "$eq", 1)
            case IsKnown(known=known):
                return Pattern(field, "$neq" if known else "$eq", None)
            case FactTest(fact=fact, comparison=comparison, constant=constant):
                place = self.place(self._constants[column], fact.type)
                return Pattern(field, _OPS[comparison], place(constant))


class ReteMatcher:
    """`compile_matcher` by another engine: call it with a row of values and ``as_of``.

    A record on which the extension fails is matched by the compiled matcher, and `failures` counts
    it; construction raises ReteError where there is no extension. Any thread may call.
    """

    networks = ReteNetworks

    def __init__(self, conditions: Sequence[Condition], slots: Sequence[str]) -> None:
        self._conditions = tuple(conditions)
        self._slots = tuple(slots)
        self._networks = self.networks(self._conditions, self._slots)
        self._compiled: Matcher | None = None
        self.failures = 0

    def __call__(self, values: Sequence[FactValue], as_of: date) -> int:
        """Bit *n* is set when condition *n* is true."""
        try:
            return self._networks.match(values, as_of)
        except ReteError:
            self.failures += 1
            if self._compiled is None:
                self._compiled = compile_matcher(self._conditions, self._slots)
            return self._compiled(values, as_of)

    def close(self) -> None:
        """Free what the extension holds; a later call takes it again."""
        self._networks.close()


def _constants(tests: Sequence[Test]) -> dict[_Column, list[FactValue]]:
    found: dict[_Column, set[FactValue]] = {}
    for test in tests:
        if isinstance(test, FactTest):
            found.setdefault((test.fact.id, test.fact.type), set()).add(test.constant)
    return {column: sorted(values) for column, values in found.items()}  # type: ignore[type-var]
