"""The facts block: what rules may look at, its types, and formulas over other facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from crmsync.condition import names
from crmsync.model.diagnostic import Label
from crmsync.model.fact import FactType, FactValue
from crmsync.model.position import Span
from crmsync.model.ruleset import STATE_NAMES, FactDefinition
from crmsync.model.text import Text
from crmsync.rules.language import Language
from crmsync.rules.renaming import check_renamed
from crmsync.rules.shape import Block, Findings, identifier, words
from crmsync.rules.wobble import read_wobble
from crmsync.source import Mapping as MappingNode
from crmsync.source import Node, Scalar

MAX_FACTS = 500
_RESERVED = frozenset(
    (
        *("if", "in", "is", "not", "and", "or", "any", "all", "none", "missing", "known"),
        *("within", "between", "today", "as_of", "true", "false", "yes", "no", "otherwise"),
        *("days_since", "months_since", "min", "max", "round", "abs"),
    )
)
_MAPPED = ("author", "date", "remark")
"""What a CRM holds beside a judged value: where, is the mapping's business."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A fact whose formula and constants are not read yet."""

    fact: FactDefinition
    formula: Scalar | None
    between: Scalar | None
    missing: Scalar | None
    valid_for: Scalar | None = None


def declare(node: Node, languages: tuple[str, ...], findings: Findings) -> tuple[Draft, ...]:
    """First pass: ids, labels, types and choices, so that formulas may name any fact."""
    if not isinstance(node, MappingNode):
        Block.of(node, findings)
        return ()
    if len(node.entries) > MAX_FACTS:
        findings.add(
            "RULE021",
            node.span,
            Text(
                zh=f"有 {len(node.entries)} 个事实，上限 {MAX_FACTS}",
                en=f"{len(node.entries)} facts; the limit is {MAX_FACTS}",
            ),
            Text(
                zh="拆成几个规则集，或去掉没人用的事实",
                en="Make several rulesets, or drop facts no rule reads.",
            ),
        )
        return ()
    drafts = []
    spellings: dict[str, tuple[str, Span]] = {}
    for key, value in node.entries:
        draft = _declare(key, value, languages, findings)
        if draft is None:
            continue
        drafts.append(draft)
        for spelling in {draft.fact.id, *draft.fact.label.all()}:
            _unique(spelling, key, spellings, findings)
    check_renamed([draft.fact for draft in drafts], spellings, findings)
    return tuple(drafts)


def _declare(
    key: Scalar, value: Node, languages: tuple[str, ...], findings: Findings
) -> Draft | None:
    name = identifier(key, findings, marks="_")
    if name in STATE_NAMES or name in _RESERVED:
        findings.add(
            "RULE006",
            key.span,
            Text(zh=f"“{name}”是保留的名称", en=f"“{name}” is a reserved name"),
            Text(zh="请换一个名称", en="Choose another name."),
        )
    block = Block.of(value, findings, languages=languages)
    if block is None:
        return None
    kind = block.one_of("type", [item.value for item in FactType], required=True)
    label = block.label("label", default=name)
    choices = tuple(item.text for item in words(block.take("choices"), findings))
    judge = block.scalar("judged_by")
    formula, between, missing = (block.scalar(word) for word in ("formula", "between", "missing"))
    wobble = read_wobble(block, kind, derived=formula is not None)
    valid_for = block.scalar("valid_for")
    if valid_for is not None and judge is None:
        _not_judged(valid_for, findings)
    _mapped_elsewhere(block)
    was = block.scalar("was")
    block.finish()
    if kind is None:
        return None
    _check_choices(block, FactType(kind), choices, findings)
    fact = FactDefinition(
        id=name,
        label=label or Text.same(name),
        type=FactType(kind),
        choices=choices,
        judged_by=None if judge is None else judge.text,
        was=None if was is None else identifier(was, findings, marks="_"),
        wobble=wobble,
        span=key.span,
    )
    return Draft(fact, formula, between, missing, valid_for)


def _not_judged(valid_for: Scalar, findings: Findings) -> None:
    findings.add(
        "RULE020",
        valid_for.span,
        Text(
            zh="valid_for 只用于写了 judged_by 的事实",
            en="valid_for is for facts that say judged_by",
        ),
        Text(zh="写上 judged_by，或去掉 valid_for", en="Add judged_by, or remove valid_for."),
    )


def _mapped_elsewhere(block: Block) -> None:
    for name in _MAPPED:
        if block.node.get(name) is None:
            continue
        block.take(name)
        block.findings.add(
            "RULE001",
            block.place(name),
            Text(zh=f"事实里没有“{name}”这个键", en=f"a fact has no key “{name}”"),
            Text(
                zh=f"它存在哪个字段，写在 mapping/<crm>.yaml 的 read 下：{{field: …, {name}: …}}",
                en=f"Say in mapping/<crm>.yaml, under read, which field holds it: "
                f"{{field: …, {name}: …}}.",
            ),
        )


def _check_choices(
    block: Block, type: FactType, choices: tuple[str, ...], findings: Findings
) -> None:
    if type is FactType.CHOICE and not choices:
        findings.add(
            "RULE002",
            block.place("type"),
            Text(zh="choice 类的事实要写 choices", en="a choice fact needs choices"),
            Text(zh="例如 choices: [高, 中, 低]", en="For instance choices: [high, middle, low]."),
        )
    if choices and type is not FactType.CHOICE:
        findings.add(
            "RULE020",
            block.place("choices"),
            Text(zh="只有 choice 类的事实才有 choices", en="only choice facts have choices"),
            Text(zh="写 type: choice，或去掉 choices", en="Write type: choice, or drop choices."),
        )
    if len(set(choices)) != len(choices):
        findings.add(
            "RULE007",
            block.place("choices"),
            Text(zh="有重复的选项", en="a choice is given twice"),
            Text(zh="每个选项只写一次", en="Write every choice once."),
        )


def _unique(
    spelling: str, key: Scalar, spellings: dict[str, tuple[str, Span]], findings: Findings
) -> None:
    owner, first = spellings.setdefault(spelling, (key.text, key.span))
    if owner != key.text:
        findings.add(
            "RULE007",
            key.span,
            Text(
                zh=f"“{spelling}”已是事实“{owner}”的名称",
                en=f"“{spelling}” already names the fact “{owner}”",
            ),
            Text(zh="名称和标签都不能重复", en="Neither names nor labels may be shared."),
            labels=(Label(first, Text(zh="第一次出现在这里", en="first given here")),),
        )


def complete(drafts: tuple[Draft, ...], language: Language) -> tuple[FactDefinition, ...]:
    """Second pass: formulas, ranges and values for missing facts."""
    facts = tuple(_complete(draft, language) for draft in drafts)
    _no_cycles(facts, drafts, language.findings)
    return facts


def _complete(draft: Draft, language: Language) -> FactDefinition:
    fact = draft.fact
    formula = None if draft.formula is None else language.formula(draft.formula, fact)
    if draft.formula is not None and fact.judged_by is not None:
        language.findings.add(
            "RULE020",
            draft.formula.span,
            Text(
                zh="有公式的事实不能同时由人评分",
                en="a fact with a formula is not judged by a person as well",
            ),
            Text(zh="formula 和 judged_by 只留一个", en="Keep either formula or judged_by."),
        )
    return replace(
        fact,
        formula=formula,
        between=None if draft.between is None else _between(draft.between, fact.type, language),
        missing=_missing(draft, language),
        valid_for=None if draft.valid_for is None else language.period(draft.valid_for),
    )


def _missing(draft: Draft, language: Language) -> FactValue:
    found, fact = draft.missing, draft.fact
    if found is None:
        return None
    if draft.formula is not None:
        language.findings.add(
            "RULE214",
            found.span,
            Text(
                zh="公式的结果不能另给缺失值；请写在它所用的事实上",
                en="a formula takes no value for missing; give it to the facts it uses",
            ),
            Text(zh="去掉 missing", en="Drop missing here."),
        )
        return None
    return language.value(found, fact.type, fact.choices)


def _between(found: Scalar, type: FactType, language: Language) -> tuple[Decimal, Decimal] | None:
    ends = language.range(found) if type.numeric else None
    if not type.numeric:
        language.findings.add(
            "RULE022",
            found.span,
            Text(
                zh="between 只用于数值类的事实",
                en="between is for numeric facts only",
            ),
            Text(zh="去掉 between，或换成数值类型", en="Drop between, or make the fact a number."),
        )
    return ends


def _no_cycles(
    facts: tuple[FactDefinition, ...], drafts: tuple[Draft, ...], findings: Findings
) -> None:
    uses = {fact.id: names(fact.formula) for fact in facts if fact.formula is not None}
    place = {draft.fact.id: draft.formula for draft in drafts}
    done: set[str] = set()
    for start in uses:
        trail = _walk(start, uses, done)
        if trail:
            found = place[trail[0]]
            shown = " → ".join(trail)
            findings.add(
                "RULE215",
                facts[0].span if found is None else found.span,
                Text(zh=f"公式互相引用：{shown}", en=f"formulas refer to each other: {shown}"),
                Text(zh="去掉其中一个引用", en="Remove one of the references."),
            )


def _walk(start: str, uses: Mapping[str, frozenset[str]], done: set[str]) -> list[str]:
    """The first circle reachable from *start*, as a trail that ends where it began."""
    trail: list[str] = []
    todo: list[tuple[str, bool]] = [(start, False)]
    while todo:
        name, leaving = todo.pop()
        if leaving:
            trail.pop()
            done.add(name)
            continue
        if name in trail:
            done.update(trail)
            return [*trail[trail.index(name) :], name]
        if name in done:
            continue
        trail.append(name)
        todo.append((name, True))
        todo.extend((other, False) for other in sorted(uses.get(name, ())))
    return []
