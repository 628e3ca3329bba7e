"""Reads ``rules.test.yaml``: the cases a ruleset must decide as its author expects."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from crmsync.model.case import Case, CaseEpisode, CaseFile, Expectation
from crmsync.model.diagnostic import Diagnostic
from crmsync.model.fact import FactType, FactValue
from crmsync.model.group import GroupTier
from crmsync.model.record import RecordRef
from crmsync.model.rfm import CutPoints, Part
from crmsync.model.ruleset import Ruleset
from crmsync.model.state import CustomerState
from crmsync.model.task import BecomesTrue
from crmsync.model.text import Text
from crmsync.rules.case_facts import read_facts
from crmsync.rules.case_lines import own_cut_lines, read_cut_lines
from crmsync.rules.case_names import Names, names_of
from crmsync.rules.case_state import Opening
from crmsync.rules.language import Language, facts_scope
from crmsync.rules.rfm import read_cut_points
from crmsync.rules.shape import Block, Findings, Seen, items, replaceable, scalar, words
from crmsync.source import Mapping as MappingNode
from crmsync.source import Node, Scalar, forgiving, has_errors, read_file, without_echoes

CASES_FILE = "rules.test.yaml"
CASE_OBJECT = "case"
"""The object name of records that exist only in a case."""
_NONE = frozenset({"none", "无"})
_RANGE = re.compile(r"(-?[0-9.]+)\s*\.\.\s*(-?[0-9.]+)\Z", re.ASCII)


def load_cases(
    folder: Path, ruleset: Ruleset, *, name: str | None = None, path: Path | None = None
) -> tuple[CaseFile | None, list[Diagnostic]]:
    """Read the cases of *folder* (or of *path*); an unknown key, fact or tier is an error.

    Gives the file only without errors; ``None`` and no finding when there is no case file.
    """
    path = path or folder / CASES_FILE
    if not path.exists():
        return None, []
    source = read_file(path, name=name if name is not None else path.as_posix())
    if source.node is None:
        return None, list(source.diagnostics)
    entries, found = forgiving(source.node, lambda root: _read(root, ruleset))
    findings = [*source.diagnostics, *found]
    if has_errors(findings):
        return None, without_echoes(findings)
    cases = tuple(case for case in entries if case is not None)
    return CaseFile(ruleset.id, cases, source.name), findings


def _read(node: MappingNode, ruleset: Ruleset) -> tuple[Sequence[Case | None], list[Diagnostic]]:
    findings = Findings("TEST")
    root = Block(node, findings)
    named = root.scalar("ruleset")
    if named is not None and named.text != ruleset.id:
        findings.add(
            "TEST013",
            named.span,
            Text(
                zh=f"这些用例属于“{named.text}”，而这里的规则集是“{ruleset.id}”",
                en=f"these cases are for “{named.text}”, but the ruleset here is “{ruleset.id}”",
            ),
            Text(
                zh=f"写成 ruleset: {ruleset.id}，或把文件放回它的规则集",
                en=f"Write ruleset: {ruleset.id}, or move the file to its own ruleset.",
            ),
            fix=ruleset.id if replaceable(named.text, named.span, ruleset.id) else None,
        )
    language = Language(facts_scope(ruleset.facts), ruleset.languages, findings)
    written = root.scalar("today")
    today = _date(language, written)
    if today is None and written is not None:
        today = date.max  # the file has its error; no case needs another one
    common = root.take("cut_lines")
    lines = {} if common is None else read_cut_lines(common, ruleset, language)
    entries = items(root.need("cases"), findings)
    root.finish()
    reader = _Reader(ruleset, names_of(ruleset), language, lines)
    seen = Seen(findings)
    found = [reader.case(entry, number, today, seen) for number, entry in enumerate(entries, 1)]
    return found, findings.all


def _date(language: Language, found: Scalar | None) -> date | None:
    value = None if found is None else language.value(found, FactType.DATE)
    return value if isinstance(value, date) else None


class _Reader:
    """Reads single cases; every finding goes to the language's list."""

    def __init__(
        self,
        ruleset: Ruleset,
        names: Names,
        language: Language,
        cut_lines: Mapping[str, Decimal],
    ) -> None:
        self._ruleset = ruleset
        self._cut_lines = cut_lines
        self._names = names
        self._language = language
        self._findings = language.findings

    def case(self, node: Node, number: int, today: date | None, seen: Seen) -> Case | None:
        block = Block.of(node, self._findings)
        if block is None:
            return None
        name = block.scalar("name", required=True)
        own = self.date(block.scalar("today")) or today
        if own is None:
            block.lacks("today")
        facts, judged = read_facts(block.need("facts"), self._names, self._language)
        day = own or date.min + timedelta(days=1)
        ref = RecordRef(CASE_OBJECT, str(number))
        before_node, expect_node = block.take("before"), block.need("expect")
        before, episodes = self._before(before_node, ref, day)
        expect = self._expect(expect_node)
        cuts = self._cut_points(block.take("cut_points"), facts)
        released = block.one_of("review", ("released",)) is not None
        lines = self._lines(block)
        parent = self._parent(block.scalar("parent_tier"))
        block.finish()
        if name is None or own is None:
            return None
        seen.add(name.text, name.span)
        return Case(
            name=name.text,
            today=own,
            facts=facts,
            before=before,
            episodes=episodes,
            expect=expect,
            span=block.span,
            judged=judged,
            released=released,
            cut_lines=lines,
            cut_points=cuts,
            parent_tier=parent,
        )

    def _parent(self, found: Scalar | None) -> str | None:
        """The tier of the parent; only where the rules let a tier hang on it."""
        group = self._ruleset.group
        if found is not None and (group is None or group.tier is GroupTier.OWN):
            self._findings.add(
                "TEST019",
                found.span,
                Text(
                    zh="规则里没有随上级公司的等级",
                    en="no tier of these rules hangs on that of a parent",
                ),
                Text(zh="去掉 parent_tier", en="Remove parent_tier."),
            )
        return self._named(found, self._names.tiers) or None

    def _lines(self, block: Block) -> Mapping[str, Decimal]:
        """The file's cut lines with the case's own; each cut of the rules needs one."""
        return own_cut_lines(block, self._cut_lines, self._ruleset, self._language)

    def _cut_points(self, node: Node | None, given: Mapping[str, FactValue]) -> CutPoints | None:
        """``{recency: [30, 90], frequency: [1, 3], monetary: [100, 900]}`` for this case alone."""
        if node is None:
            return None
        rfm = self._ruleset.rfm
        doubled = sorted({part.fact for part in Part} & given.keys())
        if rfm is None or doubled:
            self._findings.add(
                "TEST016",
                node.span,
                Text(
                    zh="已给出 " + "、".join(doubled) if doubled else "规则集没有 rfm 块",
                    en=f"{', '.join(doubled)} given already"
                    if doubled
                    else "the ruleset has no rfm block",
                ),
                Text(
                    zh="切点和分档只写一种",
                    en="Write either cut points or the classes they give.",
                ),
            )
            return None
        return read_cut_points(node, rfm, self._language)

    # ── before ─────────────────────────────────────────────────────────────────────────────────

    def _before(
        self, node: Node | None, ref: RecordRef, today: date
    ) -> tuple[CustomerState, tuple[CaseEpisode, ...]]:
        block = None if node is None else Block.of(node, self._findings)
        if block is None:
            return CustomerState(ref), ()
        tier = self._named(block.scalar("tier"), self._names.tiers)
        since = self.date(block.scalar("tier_since"))
        stage = self._named(block.scalar("lifecycle"), self._names.stages)
        stage_since = self.date(block.scalar("lifecycle_since"))
        below = self.date(block.scalar("below_keep_since"))
        evaluated = self.date(block.scalar("evaluated")) or today - timedelta(days=1)
        pending = self._pending(block.take("lifecycle_pending"), stage)
        episodes = self._episodes(block.take("episodes"), evaluated)
        inside = self._set(block.take("segments"), self._names.segments) or frozenset()
        held = self._set(block.take("held"), self._names.tasks) or frozenset()
        block.finish()
        opening = Opening(
            tier=tier or None,
            tier_since=since,
            lifecycle=stage or None,
            lifecycle_since=stage_since,
            below_keep_since=below,
            pending=pending,
            evaluated=evaluated,
            segments=tuple(item.id for item in self._ruleset.segments if item.id in inside),
            held={
                task.id: task.id in held
                for task in self._ruleset.tasks
                if isinstance(task.event, BecomesTrue)
            },
        )
        return opening.state(ref, today), episodes

    def _pending(self, node: Node | None, stage: str | None) -> dict[str, date]:
        """``{at_risk: 2026-11-10}``: since when the move to that stage has been waiting."""
        if not isinstance(node, MappingNode):
            if node is not None:
                Block.of(node, self._findings)
            return {}
        moves = () if self._ruleset.lifecycle is None else self._ruleset.lifecycle.moves
        found: dict[str, date] = {}
        for key, value in node.entries:
            single = scalar(value, self._findings)
            since = self.date(single)
            target = self._names.stages.get(key.text)
            waiting = [
                move.id
                for move in moves
                if (move.to == target or move.id == key.text)
                and move.lasting
                and (stage in move.sources)
            ]
            if not waiting:
                self._findings.add(
                    "TEST015",
                    key.span,
                    Text(
                        zh=f"从“{stage}”没有需要等待的移动通向“{key.text}”",
                        en=f"no move that waits leads from “{stage}” to “{key.text}”",
                    ),
                    Text(
                        zh="只写有 lasting 的移动；没有等待就去掉",
                        en="Name a move with “lasting”, or leave this out.",
                    ),
                )
            if since is not None:
                found.update(dict.fromkeys(waiting, since))
        return found

    def _episodes(self, node: Node | None, opened: date) -> tuple[CaseEpisode, ...]:
        """Task ids that are open already, or ``{task: day it was opened}``."""
        if isinstance(node, MappingNode):
            pairs = [(key, self.date(scalar(value, self._findings))) for key, value in node.entries]
        else:
            pairs = [(word, None) for word in words(node, self._findings)]
        return tuple(
            CaseEpisode(task, day or opened)
            for word, day in pairs
            if (task := self._named(word, self._names.tasks))
        )

    # ── expect ─────────────────────────────────────────────────────────────────────────────────

    def _expect(self, node: Node | None) -> Expectation:
        block = None if node is None else Block.of(node, self._findings)
        if block is None:
            return Expectation()
        result = Expectation(
            score=self._score(block.scalar("score")),
            tier=self._named(block.scalar("tier"), self._names.tiers),
            tier_because=self._named(block.scalar("tier_because"), self._names.because),
            lifecycle=self._named(block.scalar("lifecycle"), self._names.stages),
            tasks=self._set(block.take("tasks"), self._names.tasks),
            closes=self._set(block.take("closes"), self._names.tasks),
            service=self._named(block.scalar("service"), self._names.services),
            notice=self._named(block.scalar("notice"), self._names.tiers),
            segments=self._set(block.take("segments"), self._names.segments),
            applies=block.flag("applies") if block.node.get("applies") is not None else None,
            spans={key.text: value.span for key, value in block.node.entries},
        )
        block.finish()
        return result

    def _set(self, node: Node | None, known: Mapping[str, str]) -> frozenset[str] | None:
        """The exact set of tasks or segments a list names; ``None`` where nothing is said."""
        if node is None:
            return None
        return frozenset(
            name for word in words(node, self._findings) if (name := self._named(word, known))
        )

    def _score(self, found: Scalar | None) -> tuple[Decimal, Decimal] | None:
        if found is None:
            return None
        match = _RANGE.match(found.text)
        if match is not None:
            ends = (match.group(1), match.group(2))
        else:
            ends = (found.text, found.text)
        try:
            return Decimal(ends[0]), Decimal(ends[1])
        except ArithmeticError:
            self._findings.add(
                "TEST005",
                found.span,
                Text(zh=f"“{found.text}”不是分数", en=f"“{found.text}” is not a score"),
                Text(zh="写成 75.7 或 60..75", en="Write 75.7, or 60..75 for a range."),
            )
            return None

    # ── words ──────────────────────────────────────────────────────────────────────────────────

    def date(self, found: Scalar | None) -> date | None:
        """A day written ``2026-11-22``."""
        return _date(self._language, found)

    def _named(self, found: Scalar | None, known: Mapping[str, str]) -> str | None:
        """The id of what *found* names; ``""`` where it says there is none."""
        if found is None:
            return None
        if found.text in known:
            return known[found.text]
        if found.text in _NONE:
            return ""
        self._unknown("TEST012", found, Text(zh="规则集里没有", en="the ruleset has no"), known)
        return None

    def _unknown(self, code: str, found: Scalar, start: Text, known: Mapping[str, object]) -> None:
        self._findings.unknown(
            code,
            found.span,
            Text(zh=f"{start.zh}“{found.text}”", en=f"{start.en} “{found.text}”"),
            found.text,
            known,
        )
