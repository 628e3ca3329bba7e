"""``test``: the cases of a ruleset run through the very policy the nightly job uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from crmsync.errors import RulesetError
from crmsync.evaluate import Engine
from crmsync.model.case import Case, CaseFile, Mismatch
from crmsync.model.diagnostic import Diagnostic, Severity
from crmsync.model.position import Span
from crmsync.model.ruleset import Ruleset
from crmsync.model.text import Text
from crmsync.project.deciding import decide_case
from crmsync.project.loading import load_rules
from crmsync.project.places import ruleset_folders
from crmsync.rules import compare, load_cases, touched, untouched
from crmsync.source import has_errors, read_file, warning

_NAMED = 5


@dataclass(frozen=True, slots=True)
class CaseOutcome:
    """One case and what did not come true."""

    case: Case
    mismatches: tuple[Mismatch, ...]

    @property
    def name(self) -> str:
        """The case's name."""
        return self.case.name

    @property
    def passed(self) -> bool:
        """Whether every expectation came true."""
        return not self.mismatches

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Each mismatch at the place where the expectation is written."""
        return tuple(
            Diagnostic(
                "TEST100",
                Severity.ERROR,
                item.span,
                Text(
                    zh=f"{item.key} 应为 {item.expected}，实际 {item.got}",
                    en=f"{item.key} should be {item.expected}; got: {item.got}",
                ),
            )
            for item in self.mismatches
        )

    @property
    def reasons(self) -> tuple[Text, ...]:
        """Why it came out as it did."""
        return tuple(item.why for item in self.mismatches if item.why is not None)


@dataclass(frozen=True, slots=True)
class CasesReport:
    """The cases of one ruleset."""

    ruleset: str
    today: date
    outcomes: tuple[CaseOutcome, ...]
    exercised: tuple[int, int]
    never_hit: tuple[tuple[str, Span], ...]
    texts: Mapping[str, str]

    @property
    def passed(self) -> bool:
        """Whether every case passed."""
        return all(item.passed for item in self.outcomes)

    def as_document(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "ruleset": self.ruleset,
            "today": self.today,
            "cases": [
                {
                    "name": item.name,
                    "passed": item.passed,
                    "mismatches": [
                        {"key": m.key, "expected": m.expected, "got": m.got, "place": str(m.span)}
                        for m in item.mismatches
                    ],
                }
                for item in self.outcomes
            ],
            "exercised": self.exercised[0],
            "rules": self.exercised[1],
            "never_hit": [name for name, _ in self.never_hit],
        }


def run_cases(folder: Path, asked: Sequence[Path]) -> list[CasesReport]:
    """Run the cases of the ruleset folders asked for, else of every one in the project.

    Raises RulesetError for rule or case files that are wrong.
    """
    return [_run(item) for item in ruleset_folders(folder, asked)]


def cases_of(folder: Path, rules: Ruleset) -> CaseFile:
    """The cases of a ruleset folder, none where there is no file; raises RulesetError."""
    file, problems = load_cases(folder, rules)
    if has_errors(problems):
        raise RulesetError(
            Text(zh=f"{folder.name} 的用例有错误", en=f"the cases of {folder.name} have errors"),
            diagnostics=problems,
        )
    return file or CaseFile(rules.id, ())


def untouched_by(rules: Ruleset, cases: CaseFile) -> Iterator[Diagnostic]:
    """One warning that names the rules no case touches, at the first of them."""
    engine = Engine(rules)
    seen = frozenset[str]().union(*(touched(rules, decide_case(engine, c)) for c in cases.cases))
    missed = untouched(rules, seen)
    if missed:
        names = [place.id for place in missed[:_NAMED]]
        more = len(missed) > _NAMED
        count = f"{len(missed)} of {len(missed) + len(seen)} rules"
        yield warning(
            "TEST020",
            missed[0].span,
            Text(
                zh=f"{len(missed) + len(seen)} 条规则中有 {len(missed)} 条没有用例涉及："
                + "、".join(names)
                + "…" * more,
                en=f"no case touches {count}: {', '.join(names)}" + ", …" * more,
            ),
            Text(
                zh="crmsync test --coverage 列出全部；crmsync test generate 按边界写出用例",
                en="crmsync test --coverage names them all; crmsync test generate writes cases at"
                " the boundaries.",
            ),
        )


def _run(folder: Path) -> CasesReport:
    rules = load_rules(folder)
    cases = cases_of(folder, rules)
    engine = Engine(rules)
    outcomes, seen = [], frozenset[str]()
    for case in cases.cases:
        decision = decide_case(engine, case)
        outcomes.append(CaseOutcome(case, compare(case, decision)))
        seen |= touched(rules, decision)
    missed = untouched(rules, seen)
    total = len(seen) + len(missed)
    return CasesReport(
        ruleset=rules.id,
        today=cases.cases[0].today if cases.cases else date.min,
        outcomes=tuple(outcomes),
        exercised=(len(seen), total),
        never_hit=tuple((place.id, place.span) for place in missed),
        texts={cases.file: read_file(Path(cases.file)).text} if cases.file else {},
    )
