"""``test mutate``: the rules changed in one spot at a time, and which changes no case notices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crmsync.evaluate import Engine
from crmsync.model.case import Case
from crmsync.model.ruleset import Ruleset
from crmsync.project.cases import cases_of
from crmsync.project.deciding import fails
from crmsync.project.loading import load_rules
from crmsync.project.places import ruleset_folders
from crmsync.rules import Mutant, mutants


@dataclass(frozen=True, slots=True)
class MutationReport:
    """How many single-point changes the cases of one ruleset notice, and those they do not."""

    ruleset: str
    cases: int
    tried: int
    survivors: tuple[Mutant, ...]
    left: int
    """Mutants not tried, for the time was up."""

    @property
    def share(self) -> float:
        """The share of the mutants tried that some case notices."""
        return 1.0 if not self.tried else 1 - len(self.survivors) / self.tried

    def as_document(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "ruleset": self.ruleset,
            "cases": self.cases,
            "tried": self.tried,
            "noticed": self.tried - len(self.survivors),
            "left": self.left,
            "survivors": [
                {
                    "place": item.place,
                    "at": str(item.change.span),
                    "before": item.change.before,
                    "after": item.change.after,
                }
                for item in self.survivors
            ],
        }


class Deadline:
    """When to stop trying: *seconds* after it was made, by the monotonic *clock*."""

    def __init__(self, clock: Callable[[], float], seconds: float) -> None:
        self._clock = clock
        self._end = clock() + seconds

    @property
    def passed(self) -> bool:
        """Whether the time is up."""
        return self._clock() >= self._end


def mutate(folder: Path, asked: Sequence[Path], deadline: Deadline) -> list[MutationReport]:
    """Try every mutant of the rulesets asked for (else all of the project), until *deadline*.

    Cases must pass on the rules as they are; one that fails notices everything, so run the cases
    first. Raises RulesetError for rule or case files that are wrong.
    """
    reports = []
    for item in ruleset_folders(folder, asked):
        rules = load_rules(item)
        reports.append(tried(rules, cases_of(item, rules).cases, deadline))
    return reports


def tried(rules: Ruleset, cases: Sequence[Case], deadline: Deadline) -> MutationReport:
    """Every mutant of *rules* held against *cases*, until *deadline*."""
    every = list(mutants(rules))
    # a case that noticed the mutant before is the likeliest to notice its neighbour
    quick = list(cases)
    survivors: list[Mutant] = []
    count = 0
    for mutant in every:
        if deadline.passed:
            break
        count += 1
        noticed = noticing(mutant, quick)
        if noticed is None:
            survivors.append(mutant)
        else:
            quick.insert(0, quick.pop(noticed))
    return MutationReport(rules.id, len(cases), count, tuple(survivors), len(every) - count)


def noticing(mutant: Mutant, cases: Sequence[Case]) -> int | None:
    """The place of the first case that fails under *mutant*; ``None`` when none does."""
    engine = Engine(mutant.ruleset)
    return next((n for n, case in enumerate(cases) if fails(engine, case)), None)
