"""Reads a ruleset folder into one typed `Ruleset`, or says everything that is wrong with it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from crmsync.model.diagnostic import Diagnostic
from crmsync.model.fact import FactType
from crmsync.model.lifecycle import LifecycleRules
from crmsync.model.position import Span
from crmsync.model.ruleset import Ruleset
from crmsync.model.text import Text
from crmsync.model.tier import TierRules
from crmsync.rules.checking import sound_in_part
from crmsync.rules.digest import digest_of
from crmsync.rules.events import EventNames
from crmsync.rules.facts import complete, declare
from crmsync.rules.guards import read_guards
from crmsync.rules.header import Header, read_header
from crmsync.rules.language import Language, facts_scope, state_scope
from crmsync.rules.level_names import Levels
from crmsync.rules.lifecycle import Stages, read_lifecycle, read_stages
from crmsync.rules.models import ModelNodes, Models, read_models
from crmsync.rules.score import read_scorecards
from crmsync.rules.service import read_service
from crmsync.rules.shape import Block, Findings
from crmsync.rules.shelf import Shelf
from crmsync.rules.smaller import read_smaller
from crmsync.rules.tasks import read_tasks
from crmsync.rules.tier import read_tier
from crmsync.rules.tier_levels import Ladder, read_levels
from crmsync.source import Mapping as MappingNode
from crmsync.source import Sequence, error, forgiving, has_errors, read_file, without_echoes

RULES_FILE = "rules.yaml"
MAX_RULES = 2000


def load(folder: Path, *, name: str | None = None) -> tuple[Ruleset | None, list[Diagnostic]]:
    """Read ``rules.yaml`` of *folder*.

    Gives the ruleset only when nothing is wrong with it, and every finding either way: all
    problems at once, each with its place. Never raises for what the file holds. *name* is what
    messages call the file (default: its path as given).
    """
    path = folder / RULES_FILE
    shown = name if name is not None else path.as_posix()
    if folder.is_dir() and not os.path.lexists(path):
        return None, [_no_rules(shown)]
    source = read_file(path, name=shown)
    if source.node is None:
        return None, list(source.diagnostics)
    parent = shown.rpartition("/")[0]
    ruleset, found = read_rules(source.node, Shelf(folder, parent))
    findings = without_echoes([*source.diagnostics, *map(_by_hand, found)])
    if ruleset is None or has_errors(findings):
        return None, findings
    return ruleset, findings


def _by_hand(finding: Diagnostic) -> Diagnostic:
    """A finding in a table without its mechanical mend: spreadsheets are mended by people."""
    return replace(finding, fix=None) if finding.span.cell else finding


def _no_rules(shown: str) -> Diagnostic:
    return error(
        "RULE008",
        Span(shown, 1, 1, 1, 1),
        Text(zh=f"没有文件 {shown}", en=f"there is no file {shown}"),
        Text(
            zh="规则集是一个文件夹，里面有 rules.yaml；用 crmsync init 新建",
            en="A ruleset is a folder that holds rules.yaml; crmsync init makes one.",
        ),
    )


def read_rules(
    node: MappingNode, shelf: Shelf | None = None
) -> tuple[Ruleset | None, list[Diagnostic]]:
    """Type the tree of a ``rules.yaml``; its tables come from *shelf*."""
    ruleset, found = forgiving(node, lambda root: _read(root, shelf))
    if ruleset is not None and has_errors(found):
        return None, [*found, *sound_in_part(ruleset)]
    return ruleset, found


def _read(node: MappingNode, shelf: Shelf | None) -> tuple[Ruleset | None, list[Diagnostic]]:
    findings = Findings()
    root = Block(node, findings)
    if not _small_enough(_written(node), root):
        return None, findings.all
    header = read_header(root)
    models, language = _facts(root, header, findings, shelf)
    facts = models.facts
    scorecards = read_scorecards(root, language)
    tier_node, cycle_node = root.take("tier"), root.take("lifecycle")
    scored = any(root.node.get(key) is not None for key in ("score", "scorecards"))
    ladder = Ladder() if tier_node is None else read_levels(tier_node, language, scored=scored)
    levels = ladder.levels
    stages = () if cycle_node is None else read_stages(cycle_node, language)
    tier = None if tier_node is None else read_tier(tier_node, ladder, language)
    later = language.within(state_scope(facts, levels, stages, header.year_starts))
    cycle = None if cycle_node is None else read_lifecycle(cycle_node, stages, later)
    names = Levels(levels)
    service_node, task_node, guard_node = (root.take(key) for key in ("service", "tasks", "guards"))
    service = {} if service_node is None else read_service(service_node, names, later)
    smaller = read_smaller(root, facts, tier, language, later)
    events = EventNames(Stages(stages), names, service)
    tasks, capacity = read_tasks(task_node, events, facts, later)
    guards = () if guard_node is None else read_guards(guard_node, names, later)
    root.finish()
    if tier_node is None and cycle_node is None and root.node.get("segments") is None:
        _decides_nothing(root)
    ruleset = Ruleset(
        id=header.id,
        version=header.version,
        title=header.title,
        record=header.record,
        languages=header.languages,
        time_zone=header.time_zone,
        currency=header.currency,
        workdays=header.workdays,
        year_starts=header.year_starts,
        facts=facts,
        scorecards=scorecards,
        tier=tier,
        lifecycle=cycle,
        service=service,
        tasks=tasks,
        task_capacity=capacity,
        guards=guards,
        digest="",
        file=node.span.file,
        rfm=models.rfm,
        clv=models.clv,
    )
    ruleset = smaller.of(ruleset)
    _small_enough(_rules(ruleset), root)
    if has_errors(findings.all):
        return None, [*findings.all, *sound_in_part(ruleset)]
    return replace(ruleset, digest=digest_of(ruleset)), findings.all


def _written(node: MappingNode) -> int:
    """How many rules stand in the file itself; tables may bring more."""
    lists = [node.get(key) for key in ("score", "segments", "tasks")]
    for key, inner in (("tier", "exceptions"), ("lifecycle", "moves")):
        block = node.get(key)
        lists.append(block.get(inner) if isinstance(block, MappingNode) else None)
    return sum(len(found.items) for found in lists if isinstance(found, Sequence))


def _small_enough(size: int, root: Block) -> bool:
    if size > MAX_RULES:
        root.findings.add(
            "RULE021",
            root.span,
            Text(
                zh=f"有 {size} 条规则，上限 {MAX_RULES}",
                en=f"{size} rules; the limit is {MAX_RULES}",
            ),
            Text(
                zh="拆成几个规则集，或把重复的规则写成表",
                en="Make several rulesets, or write rules that repeat as a table.",
            ),
        )
    return size <= MAX_RULES


def _facts(
    root: Block, header: Header, findings: Findings, shelf: Shelf | None
) -> tuple[Models, Language]:
    node = root.need("facts")
    drafts = () if node is None else declare(node, header.languages, findings)
    nodes = ModelNodes.of(root, shelf if shelf is not None else Shelf(None))
    declared = tuple(draft.fact for draft in drafts)
    known = {fact.id for fact in declared}
    given = tuple(fact for fact in nodes.names() if fact.id not in known)
    scope = facts_scope((*declared, *given), header.year_starts)
    language = Language(scope, header.languages, findings, shelf=shelf)
    models = read_models(nodes, complete(drafts, language), language)
    language.facts = models.facts
    money = next((fact for fact in models.facts if fact.type is FactType.MONEY), None)
    if money is not None and header.currency is None and root.node.get("currency") is None:
        findings.add(
            "RULE012",
            money.span,
            Text(
                zh=f"事实“{money.id}”是金额，需要写明货币",
                en=f"the fact “{money.id}” is money, so the currency must be named",
            ),
            Text(zh="在开头写 currency: CNY", en="Write currency: CNY at the top."),
        )
    return models, language


def _decides_nothing(root: Block) -> None:
    root.findings.add(
        "RULE002",
        root.span,
        Text(
            zh="规则集里没有 tier、lifecycle 和 segments，什么也不决定",
            en="the ruleset has no tier, lifecycle or segments: it decides nothing",
        ),
        Text(
            zh="至少写 tier、lifecycle、segments 之一",
            en="Write at least one of tier, lifecycle and segments.",
        ),
    )


def _rules(ruleset: Ruleset) -> int:
    tier: TierRules | None = ruleset.tier
    cycle: LifecycleRules | None = ruleset.lifecycle
    return (
        sum(len(card.criteria) for card in ruleset.scorecards)
        + (0 if tier is None else len(tier.levels) + len(tier.exceptions))
        + (0 if tier is None or tier.table is None else len(tier.table.rows))
        + (0 if cycle is None else len(cycle.moves))
        + len(ruleset.segments)
        + len(ruleset.tasks)
    )
