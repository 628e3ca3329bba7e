"""``check``: every file of a project or of single rulesets, every problem at once."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from crmsync.config.mapping_file import read_mapping
from crmsync.config.project_file import FILE_NAME, load_project
from crmsync.errors import ConfigError, UsageError
from crmsync.model.diagnostic import Diagnostic
from crmsync.model.flapping import Claim
from crmsync.model.mapping import CrmMapping
from crmsync.model.ruleset import Ruleset
from crmsync.model.text import Lang, Text
from crmsync.project.business_lines import Written, clashes, namesakes
from crmsync.project.cases import untouched_by
from crmsync.project.places import ruleset_folders
from crmsync.project.proving import Calm, calm, calm_diagnostics
from crmsync.rules import check as check_rules
from crmsync.rules import explain, load, load_cases
from crmsync.source import apply_fixes, has_errors, read_file
from crmsync.source.grid import SUFFIXES
from crmsync.source.grid_reading import table_text


@dataclass(frozen=True, slots=True)
class CheckReport:
    """Findings, and the text of every file looked at by the name messages use."""

    diagnostics: tuple[Diagnostic, ...]
    texts: Mapping[str, str]
    paths: Mapping[str, Path]
    calm: tuple[Calm, ...] = ()


@dataclass(frozen=True, slots=True)
class Proving:
    """What is claimed of facts that wobble, and the day examples begin on."""

    claim: Claim | None = None
    day: date = date(2026, 1, 1)


def check(folder: Path, asked: Sequence[Path], *, proving: Proving = Proving()) -> CheckReport:
    """Check the rulesets asked for, else the whole project with its settings."""
    found: list[Diagnostic] = []
    proofs: list[Calm] = []
    paths: dict[str, Path] = {}
    whole = not asked and os.path.lexists(folder / FILE_NAME)
    if whole:
        paths[FILE_NAME] = folder / FILE_NAME
        try:
            load_project(folder)
        except ConfigError as error:
            found += error.diagnostics
    written: list[Written] = []
    read: dict[Path, Ruleset] = {}
    for ruleset in ruleset_folders(folder, asked):
        rules, problems = _ruleset(ruleset, folder, paths, written)
        found += problems
        read |= {} if rules is None else {ruleset / "rules.yaml": rules}
        proof = None if rules is None else calm(rules, proving.claim, proving.day)
        if rules is not None and proof is not None:
            proofs.append(proof)
            found += calm_diagnostics(rules, proof)
    found += [*namesakes(read), *clashes(written)] if whole else []
    texts = {name: _text(path, name) for name, path in paths.items()}
    return CheckReport(tuple(found), texts, paths, tuple(proofs))


def _text(path: Path, name: str) -> str:
    return table_text(path, name) if path.suffix in SUFFIXES else read_file(path).text


def _ruleset(
    ruleset: Path, folder: Path, paths: dict[str, Path], written: list[Written]
) -> tuple[Ruleset | None, list[Diagnostic]]:
    def known(path: Path) -> str:
        shown = path.relative_to(folder) if path.is_relative_to(folder) else path
        paths[shown.as_posix()] = path
        return shown.as_posix()

    rules, found = load(ruleset, name=known(ruleset / "rules.yaml"))
    for suffix in SUFFIXES:
        for table in sorted((ruleset / "tables").glob(f"*{suffix}")):
            known(table)
    found = list(found)
    if rules is None:
        return None, found
    mappings: list[CrmMapping] = []
    for path in sorted((ruleset / "mapping").glob("*.yaml")):
        mapping, problems = read_mapping(path, rules, name=known(path))
        found += problems
        if mapping is not None:
            mappings.append(mapping)
            written.append(Written(rules, mapping))
    found += check_rules(rules, mappings)
    if (ruleset / "rules.test.yaml").is_file():
        cases, problems = load_cases(ruleset, rules, name=known(ruleset / "rules.test.yaml"))
        found += problems
        if cases is not None and not has_errors(found):
            found += untouched_by(rules, cases)
    return rules, found


def mend(report: CheckReport) -> dict[str, int]:
    """Apply the mechanical fixes; how many in which file."""
    done: dict[str, int] = {}
    for name, path in report.paths.items():
        if path.suffix in SUFFIXES:
            continue
        fixes = [item for item in report.diagnostics if item.fix and item.fix.span.file == name]
        if fixes:
            text, count = apply_fixes(report.texts[name], fixes)
            path.write_text(text, encoding="utf-8")
            done[name] = count
    return done


def explain_code(code: str, lang: Lang) -> str:
    """The long help of a finding's code; raises UsageError for an unknown one."""
    text = explain(code, lang)
    if text is None:
        raise UsageError(
            Text(zh=f"没有代码 {code}", en=f"there is no code {code}"),
            mend=Text(
                zh="代码在 crmsync check 的输出里", en="codes stand in crmsync check's output"
            ),
        )
    return text
