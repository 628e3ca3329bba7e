"""The edges of the rete networks: their limits, failures, threads and memory."""

from __future__ import annotations

import random
import threading
from datetime import date, timedelta

import pytest
from tests.unit.rete.extension import needed
from tests.unit.rete.resident import resident_kb

from crmsync.condition import compile_matcher
from crmsync.evaluate.rete import ReteMatcher, ReteNetworks
from crmsync.evaluate.rete_native import (
    MOST_FIELDS,
    MOST_RULES,
    Network,
    Pattern,
    ReteError,
    fields,
)
from crmsync.evaluate.rete_paths import Computed, paths_of
from crmsync.model.condition import (
    All,
    AnyOf,
    Compare,
    Comparison,
    Known,
    Literal,
    Name,
    Not,
    OneOf,
    Within,
)
from crmsync.model.fact import FactType
from crmsync.model.period import Period, RollingWindow

TODAY = date(2026, 11, 22)


def fact(number: int) -> Name:
    return Name(f"n{number}", FactType.INTEGER)


def at_least(number: int, limit: int) -> Compare:
    return Compare(Comparison.GE, fact(number), Literal(limit, FactType.INTEGER))


def agree(conditions, slots, rows):
    rete = ReteNetworks(conditions, slots)
    compiled = compile_matcher(conditions, slots)
    try:
        assert [rete.match(row, TODAY) for row in rows] == [compiled(row, TODAY) for row in rows]
    finally:
        rete.close()


def test_field_names_differ_by_the_hash_the_extension_tells_them_by():
    def fnv(text: str) -> int:
        found = 0x811C9DC5
        for letter in text.encode():
            found = (found ^ letter) * 0x01000193 & 0xFFFFFFFF
        return found

    names = [*fields(MOST_FIELDS), "c", "id", "sid", "$s", *(f"a{n}" for n in range(100))]

    assert len({fnv(name) for name in names}) == len(names)


@needed
def test_more_conditions_that_all_hold_than_one_network_may_carry():
    conditions = [at_least(0, limit) for limit in range(5 * MOST_RULES)]

    agree(conditions, ["n0"], [[1000], [130], [0], [-1], [None]])


@needed
def test_the_same_condition_hundreds_of_times():
    agree([at_least(0, 3)] * 600, ["n0"], [[3], [2], [None]])


@needed
def test_more_facts_than_one_record_may_carry():
    count = 2 * MOST_FIELDS + 7
    pairs = [All((at_least(n, 5), at_least((n + 3) % count, 2))) for n in range(count)]
    source = random.Random(1)

    agree(
        pairs,
        [f"n{n}" for n in range(count)],
        [[source.choice([None, 0, 3, 6]) for _ in range(count)] for _ in range(5)],
    )


@needed
def test_wide_long_and_deep_conditions():
    ways = All(tuple(AnyOf((at_least(n, 1), at_least(n + 1, 2))) for n in range(12)))
    long = All(tuple(at_least(n % 14, n) for n in range(80)))
    deep = at_least(0, 1)
    for level in range(60):
        deep = Not(AnyOf((Not(deep), Not(at_least(level % 14, -level)))))
    many = OneOf(fact(0), tuple(Literal(n, FactType.INTEGER) for n in range(300)))
    conditions = [ways, long, deep, many, Not(many), AnyOf(()), All(()), Not(All(()))]
    source = random.Random(2)

    agree(
        conditions,
        [f"n{n}" for n in range(14)],
        [[source.choice([None, 0, 1, 2, 200, 500]) for _ in range(14)] for _ in range(60)],
    )
    assert paths_of(ways) == ((Computed(ways),),)


@needed
def test_windows_follow_the_day():
    day = Name("day", FactType.DATE)
    matcher = ReteMatcher([Within(day, RollingWindow(Period(days=30))), Known(day)], ["day"])

    assert matcher([TODAY], TODAY) == 3
    assert matcher([TODAY], TODAY + timedelta(days=31)) == 2


@needed
def test_a_condition_without_a_slot_is_refused():
    with pytest.raises(KeyError):
        ReteNetworks([at_least(0, 1)], ["other"])


@needed
def test_more_rules_than_a_network_may_carry_are_refused():
    rule = ((Pattern("f0", "$eq", 1),),)

    with pytest.raises(ReteError):
        Network([(str(number), rule) for number in range(MOST_RULES + 1)])


@needed
def test_a_broken_record_does_not_fire_with_the_next_one():
    network = Network([("0", ((Pattern("f0", "$gt", 3),),)), ("1", ((Pattern("f1", "$eq", 1),),))])

    with pytest.raises(ReteError):
        network.match('{"id":"k","f0":5,"f1":1e16}')  # the extension cannot read that number
    assert network.match('{"id":"k","f0":1,"f1":1}') == ["1"]
    assert network.rebuilt == 1


@needed
def test_facts_leave_with_their_block_even_when_it_fails():
    network = Network([("0", ((Pattern("f0", "$eq", 1),), (Pattern("f0", "$eq", 2),)))])

    def half():
        with network.memory() as tell:
            assert tell('"f0":1') == []
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half()
    with network.memory() as tell:
        assert tell('"f0":2') == []
        assert set(tell('"f0":1')) == {"0"}
    with network.memory() as tell:
        assert tell('"f0":2') == []


class Fails(ReteNetworks):
    unknown = "1e16"


class Falls(ReteMatcher):
    networks = Fails


@needed
def test_the_compiled_matcher_takes_a_record_over():
    conditions = [at_least(0, 1), Not(at_least(1, 1))]
    matcher = Falls(conditions, ["n0", "n1"])

    assert [matcher(row, TODAY) for row in ([1, 0], [1, None], [None, 0], [0, 2])] == [3, 1, 2, 0]
    assert matcher.failures == 2


@needed
def test_after_too_many_failures_the_extension_is_left_alone():
    matcher = Falls([at_least(0, 1), at_least(1, 1)], ["n0", "n1"])

    said = [matcher([1, None], TODAY) for _ in range(40)]
    after = matcher([1, 1], TODAY)

    assert (set(said), after) == ({1}, 3)
    assert matcher.failures == 41


@needed
def test_a_closed_matcher_starts_anew():
    matcher = ReteMatcher([at_least(0, 1)], ["n0"])
    matcher.close()

    assert matcher([1], TODAY) == 1
    matcher.close()
    assert matcher.failures == 0


@needed
def test_threads_share_one_matcher():
    conditions = [at_least(n % 4, n) for n in range(30)]
    slots = [f"n{n}" for n in range(4)]
    matcher, compiled = ReteMatcher(conditions, slots), compile_matcher(conditions, slots)
    wrong: list[object] = []

    def work(seed: int) -> None:
        source = random.Random(seed)
        for _ in range(1500):
            row = [source.choice([None, *range(30)]) for _ in slots]
            if matcher(row, TODAY) != compiled(row, TODAY):
                wrong.append(row)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (wrong, matcher.failures) == ([], 0)


@needed
def test_memory_stays_flat_over_many_records_and_reloads():
    conditions = [at_least(n % 3, n % 7) for n in range(12)]
    slots = ["n0", "n1", "n2"]
    matcher = ReteMatcher(conditions, slots)
    rows = [[None if (n + k) % 5 == 0 else (n * k) % 9 for k in (1, 2, 4)] for n in range(1000)]

    def use(times: int) -> None:
        for number in range(times):
            matcher(rows[number % 1000], TODAY)
            if number % 500 == 0:
                matcher.close()

    use(5_000)
    before = resident_kb()
    use(100_000)

    assert resident_kb() < before * 1.25
    assert matcher.failures == 0
