"""The agenda by durable-rules: small facts told one after the other, what follows told as well.

It gives what `Chained` gives, and hands over to it where the extension fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import NamedTuple

from crmsync.evaluate.chaining import Chained, Small, Step
from crmsync.evaluate.rete_native import (
    MOST_RULES,
    Network,
    Pattern,
    ReteError,
    Rule,
    Tell,
    fields,
)

(_FIELD,) = fields(1)


class _Shard(NamedTuple):
    network: Network
    reads: frozenset[Small]
    gives: Mapping[str, Small]


class ReteAgenda:
    """The steps of one ruleset as networks; raises ReteError where there is no extension.

    A small fact is sent as a number of its own in the one field there is. A step is a rule whose
    patterns are met by one fact each. Any thread may call. ``rule`` is what a test may spoil.
    """

    def __init__(self, steps: Sequence[Step]) -> None:
        self._compiled = Chained(steps)
        every = dict.fromkeys(fact for step in steps for fact in (*step.needs, step.gives))
        self._codes = {fact: number for number, fact in enumerate(every)}
        self._shards = [
            self._shard(steps[start : start + MOST_RULES])
            for start in range(0, len(steps), MOST_RULES)
        ]
        self.failures = 0

    def follow(self, facts: Iterable[Small]) -> frozenset[Small]:
        """*facts* and all that follows from them."""
        told = list(facts)
        try:
            return self._follow(told)
        except ReteError:
            self.failures += 1
            return self._compiled.follow(told)

    def rule(self, name: str, step: Step) -> Rule:
        """One step as a rule of the network."""
        return name, tuple((Pattern(_FIELD, "$eq", self._codes[fact]),) for fact in step.needs)

    def close(self) -> None:
        """Free what the extension holds; a later call takes it again."""
        for shard in self._shards:
            shard.network.close()

    def _follow(self, facts: Sequence[Small]) -> frozenset[Small]:
        known = dict.fromkeys(facts)
        todo = [fact for fact in known if fact in self._codes]
        with ExitStack() as stack:
            open_: list[tuple[_Shard, Tell]] = [
                (shard, stack.enter_context(shard.network.memory())) for shard in self._shards
            ]
            while todo:
                fact = todo.pop()
                text = f'"{_FIELD}":{self._codes[fact]}'
                for shard, tell in open_:
                    for name in tell(text) if fact in shard.reads else ():
                        follows = shard.gives[name]
                        if follows not in known:
                            known[follows] = None
                            todo.append(follows)
        return frozenset(known)

    def _shard(self, steps: Sequence[Step]) -> _Shard:
        named = {str(number): step for number, step in enumerate(steps)}
        network = Network([self.rule(name, step) for name, step in named.items()])
        reads = frozenset(fact for step in steps for fact in step.needs)
        return _Shard(network, reads, {name: step.gives for name, step in named.items()})
