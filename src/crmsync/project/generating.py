"""``test generate``: cases at the boundaries of the rules that notice what no case notices yet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from crmsync.evaluate import Engine
from crmsync.model.case import Case, Expectation
from crmsync.model.record import RecordRef
from crmsync.model.ruleset import Ruleset
from crmsync.model.state import CustomerState
from crmsync.project.boundaries import Candidate, boundary_cases
from crmsync.project.cases import cases_of
from crmsync.project.deciding import fails
from crmsync.project.loading import load_rules
from crmsync.project.mutating import Deadline, MutationReport, tried
from crmsync.rules import CASE_OBJECT, Mutant, case_text

ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Generated:
    """New cases of one ruleset, as text to put under ``cases:``, and what they would notice."""

    ruleset: Ruleset
    cases: tuple[Case, ...]
    text: str
    before: MutationReport
    unnoticed: tuple[Mutant, ...]

    def as_document(self) -> dict[str, Any]:
        """For ``--json``."""
        noticed = len(self.before.survivors) - len(self.unnoticed)
        return {
            "ruleset": self.ruleset.id,
            "cases": len(self.cases),
            "noticed": noticed,
            "unnoticed": len(self.unnoticed),
            "text": self.text,
        }


def generate(folder: Path, today: date, deadline: Deadline) -> Generated:
    """Boundary cases for the ruleset of *folder*, the fewest found that notice what they can.

    Each expects what the rules decide now, so a person should read them: a wrong rule gives a
    wrong case. *today* is used where there is no case to go by.
    """
    rules = load_rules(folder)
    file = cases_of(folder, rules)
    before = tried(rules, file.cases, deadline)
    bases = file.cases or (_nobody(today),)
    chosen, unnoticed = _choose(before.survivors, _Rounds(Engine(rules), bases), deadline)
    start = 1 + sum(case.name.startswith("边界 ") for case in file.cases)
    cases = tuple(_named(item, number) for number, item in enumerate(chosen, start))
    days = {case.today for case in bases}
    common = days.pop() if len(days) == 1 and file.cases else None
    text = "".join("\n" + case_text(case, rules, today=common) for case in cases)
    return Generated(rules, cases, text, before, unnoticed)


def _nobody(today: date) -> Case:
    ref = RecordRef(CASE_OBJECT, "1")
    return Case("", today, {}, CustomerState(ref), (), Expectation())


def _named(candidate: Candidate, number: int) -> Case:
    what = candidate.what
    name = f"边界 {number}：{what.zh} / boundary {number}: {what.en}"
    return replace(candidate.case, name=name)


class _Rounds:
    """Candidates around the known cases, then around the new ones: what two steps reach."""

    def __init__(self, engine: Engine, bases: Sequence[Case]) -> None:
        self._engine = engine
        self._bases = list(bases)

    def __iter__(self) -> Iterator[Candidate]:
        for number in range(ROUNDS):
            bases, self._bases = self._bases, []
            yield from boundary_cases(self._engine, bases, deep=number == 0)

    def keep(self, candidate: Candidate) -> None:
        """Look around this one in the next round."""
        self._bases.append(candidate.case)


def _choose(
    survivors: Sequence[Mutant], candidates: _Rounds, deadline: Deadline
) -> tuple[list[Candidate], tuple[Mutant, ...]]:
    """Candidates that notice the survivors, as they come, then those that others make idle out."""
    waiting = {n: Engine(mutant.ruleset) for n, mutant in enumerate(survivors)}
    noticed: dict[int, Engine] = {}
    chosen: list[Candidate] = []
    for candidate in candidates:
        hits = [n for n, engine in waiting.items() if fails(engine, candidate.case)]
        if hits:
            chosen.append(candidate)
            candidates.keep(candidate)
            noticed |= {n: waiting.pop(n) for n in hits}
        if not waiting or deadline.passed:
            break
    kept = _without_idle(chosen, list(noticed.values()))
    return kept, tuple(survivors[n] for n in waiting)


def _without_idle(chosen: list[Candidate], engines: Sequence[Engine]) -> list[Candidate]:
    """*chosen* without those whose every mutant another one notices too, and in few words."""
    hits = [_hits(item.case, engines) for item in chosen]
    kept = list(range(len(chosen)))
    for place in sorted(kept, key=lambda n: len(hits[n])):
        others = set().union(*(hits[n] for n in kept if n != place))
        if hits[place] <= others:
            kept.remove(place)
    return [_in_few_words(chosen[n], hits[n], engines) for n in kept]


def _hits(case: Case, engines: Sequence[Engine]) -> set[int]:
    return {n for n, engine in enumerate(engines) if fails(engine, case)}


def _in_few_words(candidate: Candidate, hits: set[int], engines: Sequence[Engine]) -> Candidate:
    """The candidate without the expectations that add nothing to what it notices."""
    case, expect = candidate.case, candidate.case.expect
    shorter = [replace(expect, closes=None)] if not expect.closes else []
    shorter += [replace(expect, notice=None)] if not expect.notice else []
    shorter.append(replace(expect, service=None))
    for fewer in shorter:
        both = replace(
            fewer,
            closes=fewer.closes if case.expect.closes is not None else None,
            notice=fewer.notice if case.expect.notice is not None else None,
        )
        tried_case = replace(case, expect=both)
        if _hits(tried_case, engines) == hits:
            case = tried_case
    return replace(candidate, case=case)
