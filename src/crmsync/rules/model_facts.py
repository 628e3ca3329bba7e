"""The facts that model blocks read and give: looked up, typed, kept out of circles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from crmsync.condition import names
from crmsync.model.fact import FactType
from crmsync.model.position import Span
from crmsync.model.ruleset import FactDefinition
from crmsync.model.text import Text
from crmsync.rules.shape import Findings
from crmsync.source import Scalar


class Reads:
    """Finds the facts a model block names, by id or label."""

    def __init__(self, facts: Mapping[str, FactDefinition], findings: Findings) -> None:
        self._facts = facts
        self._findings = findings
        self._spellings = {fact.id: fact for fact in facts.values()}
        for fact in facts.values():
            for spelling in fact.label.all():
                self._spellings.setdefault(spelling, fact)

    def knows(self, found: Scalar) -> bool:
        """Whether *found* names a declared fact."""
        return found.text in self._spellings

    def fact(self, found: Scalar | None, wanted: frozenset[FactType]) -> FactDefinition | None:
        """The fact *found* names; an unknown one or one of another type is a finding."""
        if found is None:
            return None
        fact = self._spellings.get(found.text)
        if fact is None:
            self._findings.unknown(
                "RULE101",
                found.span,
                Text(zh=f"没有事实“{found.text}”", en=f"there is no fact “{found.text}”"),
                found.text,
                self._spellings,
            )
            return None
        if fact.type not in wanted:
            types = sorted(item.value for item in wanted)
            self._findings.add(
                "RULE242",
                found.span,
                Text(
                    zh=f"“{fact.id}”是 {fact.type.value}，这里要用 {'、'.join(types)}",
                    en=f"“{fact.id}” is {fact.type.value}; {', '.join(types)} is wanted here",
                ),
                Text(zh="换一个事实", en="Name another fact."),
            )
            return None
        return fact

    def no_circle(self, read: Iterable[str], own: str, span: Span) -> None:
        """A model must not read what follows from its own results (ids that begin with *own*)."""
        waiting, seen = list(read), set[str]()
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            if name.startswith(own):
                self._findings.add(
                    "RULE215",
                    span,
                    Text(
                        zh=f"模型所用的事实又用到模型的结果“{name}”",
                        en=f"a fact the model reads hangs on the model's own result “{name}”",
                    ),
                    Text(zh="去掉这个引用", en="Remove that reference."),
                )
                continue
            fact = self._facts.get(name)
            if fact is not None and fact.formula is not None:
                waiting.extend(names(fact.formula))
