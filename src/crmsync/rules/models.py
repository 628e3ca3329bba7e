"""The model blocks of a ruleset, rfm and clv, with the facts they give to every other block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from crmsync.condition.binding import model_facts
from crmsync.model.clv import ClvModel, ClvRules
from crmsync.model.diagnostic import Label
from crmsync.model.period import Period
from crmsync.model.rfm import MAX_CLASSES, Part, RfmRules
from crmsync.model.ruleset import FactDefinition
from crmsync.model.text import Text
from crmsync.rules.clv import model_named, read_clv
from crmsync.rules.language import Language
from crmsync.rules.rfm import read_rfm
from crmsync.rules.rfm_segments import segment_names
from crmsync.rules.shape import Block, Findings
from crmsync.rules.shelf import Shelf
from crmsync.source import Node


@dataclass(frozen=True, slots=True)
class ModelNodes:
    """The places of the two blocks, so that their facts can be named before they are read."""

    rfm: Node | None
    clv: Node | None
    shelf: Shelf

    @classmethod
    def of(cls, root: Block, shelf: Shelf) -> ModelNodes:
        """Take both blocks from the ruleset; their tables come from *shelf*."""
        return cls(root.take("rfm"), root.take("clv"), shelf)

    def names(self) -> tuple[FactDefinition, ...]:
        """Their facts by name, type and choices alone."""
        rfm = clv = None
        if self.rfm is not None:
            reads = dict.fromkeys(Part, "")
            rfm = RfmRules(reads, MAX_CLASSES, segments=segment_names(self.rfm, self.shelf))
        model = None if self.clv is None else model_named(self.clv)
        if model is not None:
            # both models give the same names but for p_alive, which the plain one lacks
            clv = ClvRules(ClvModel.BG_NBD, Period(), "", "")
        made = model_facts(rfm, clv, {})
        plain = model is ClvModel.SIMPLE
        return tuple(fact for fact in made if not (plain and fact.id == "p_alive"))


@dataclass(frozen=True, slots=True)
class Models:
    """Both blocks read, and all facts: the declared ones, then those of the models."""

    rfm: RfmRules | None
    clv: ClvRules | None
    facts: tuple[FactDefinition, ...]


def read_models(
    nodes: ModelNodes, declared: tuple[FactDefinition, ...], language: Language
) -> Models:
    """Read both blocks over the *declared* facts."""
    known = {fact.id: fact for fact in declared}
    rfm = None if nodes.rfm is None else read_rfm(nodes.rfm, known, language)
    clv = None if nodes.clv is None else read_clv(nodes.clv, known, language, rfm)
    made = tuple(model_facts(rfm, clv, known))
    _own_names(nodes.names(), known, language.findings)
    return Models(rfm, clv, (*declared, *made))


def _own_names(
    made: tuple[FactDefinition, ...], known: Mapping[str, FactDefinition], findings: Findings
) -> None:
    for fact in made:
        other = known.get(fact.id)
        if other is not None:
            findings.add(
                "RULE007",
                other.span,
                Text(
                    zh=f"“{fact.id}”是 {fact.model} 块给出的事实",
                    en=f"“{fact.id}” is a fact the {fact.model} block gives",
                ),
                Text(zh="换一个名称", en="Choose another name."),
                labels=(Label(fact.span, Text(zh="来自这里", en="it comes from here")),)
                if fact.span.file
                else (),
            )
