"""The clv block: what a customer will be worth, by the plain formula or by BG/NBD."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from crmsync.condition.clv_facts import clv_inputs, years_of
from crmsync.model.clv import ClvModel, ClvRules
from crmsync.model.condition import Expression, Literal, Name
from crmsync.model.fact import FactType
from crmsync.model.frozen import Freeze
from crmsync.model.period import Period
from crmsync.model.position import Span
from crmsync.model.rfm import Part, RfmRules
from crmsync.model.ruleset import FactDefinition
from crmsync.model.text import Text
from crmsync.rules.language import Language
from crmsync.rules.model_facts import Reads
from crmsync.rules.shape import Block
from crmsync.source import Mapping as MappingNode
from crmsync.source import Node

MOST_YEARS = 20
_COUNT = frozenset({FactType.INTEGER, FactType.NUMBER})
_WORTH = frozenset({FactType.MONEY, FactType.NUMBER})
_DAY = frozenset({FactType.DATE})
_RATIO = frozenset({FactType.PERCENT})
_OWN = {
    ClvModel.SIMPLE: ("window", "retention"),
    ClvModel.BG_NBD: ("first", "last", "monetary", "freeze"),
}


def model_named(node: Node) -> ClvModel | None:
    """The model the block names, before the rest of it is read."""
    found = node.get("model") if isinstance(node, MappingNode) else None
    text = getattr(found, "text", None)
    return next((item for item in ClvModel if item.value == text), None)


class _Clv:
    """Reads one block."""

    def __init__(
        self, block: Block, facts: Mapping[str, FactDefinition], language: Language
    ) -> None:
        self._block = block
        self._language = language
        self._reads = Reads(facts, language.findings)

    def read(self, rfm: RfmRules | None) -> ClvRules | None:
        block = self._block
        word = block.one_of("model", [item.value for item in ClvModel], required=True)
        horizon = self._period("horizon", required=True)
        usual = {} if rfm is None else rfm.reads
        orders = self._fact("orders", _COUNT, usual.get(Part.FREQUENCY))
        revenue = self._fact("revenue", _WORTH, usual.get(Part.MONETARY))
        margin = self._ratio("margin", _RATIO | {FactType.MONEY})
        if word is None:
            block.finish()
            return None
        model = ClvModel(word)
        own = self._plain() if model is ClvModel.SIMPLE else self._fitted(usual.get(Part.RECENCY))
        self._others(model)
        block.finish()
        if horizon is None or orders is None or revenue is None or own is None:
            return None
        self._fits(model, margin)
        rules = own(
            horizon=horizon,
            orders=orders,
            revenue=revenue,
            margin=margin,
            span=block.place("model"),
        )
        self._reads.no_circle(clv_inputs(rules), "clv", rules.span)
        return rules

    def _plain(self) -> partial[ClvRules] | None:
        window = self._period("window") or Period(months=12)
        retention = self._ratio("retention", _RATIO)
        if retention is None:
            if self._block.node.get("retention") is None:
                self._block.lacks("retention")
            return None
        if isinstance(retention, Literal) and not 0 < float(str(retention.value)) < 1:
            self._refuse("retention", Text(zh="保留率应在 0 与 100% 之间", en=_BETWEEN), _SUCH_AS)
            return None
        return partial(ClvRules, ClvModel.SIMPLE, window=window, retention=retention)

    def _fitted(self, usual_last: str | None) -> partial[ClvRules] | None:
        block = self._block
        first = self._fact("first", _DAY, None)
        last = self._fact("last", _DAY, usual_last)
        spend = block.one_of("monetary", ["gamma-gamma", "own mean"])
        word = block.one_of("freeze", [item.value for item in Freeze])
        if first is None or last is None:
            return None
        freeze = Freeze.QUARTER if word is None else Freeze(word)
        gamma = spend == "gamma-gamma"
        return partial(
            ClvRules, ClvModel.BG_NBD, first=first, last=last, gamma_gamma=gamma, freeze=freeze
        )

    def _others(self, model: ClvModel) -> None:
        """Keys of the other model are known, and wrong here."""
        for other, keys in _OWN.items():
            for key in keys if other is not model else ():
                if self._block.take(key) is not None:
                    self._refuse(
                        key,
                        Text(
                            zh=f"{key} 属于 model: {other.value}",
                            en=f"{key} belongs to model: {other.value}",
                        ),
                        Text(
                            zh=f"去掉它，或写 model: {other.value}",
                            en=f"Drop it, or write model: {other.value}.",
                        ),
                        code="RULE020",
                    )

    def _fits(self, model: ClvModel, margin: Expression | None) -> None:
        money = isinstance(margin, Name) and margin.type is FactType.MONEY
        if model is ClvModel.BG_NBD and money:
            self._refuse(
                "margin",
                Text(
                    zh="bg-nbd 的 margin 应是百分比",
                    en="with bg-nbd the margin is a percent",
                ),
                Text(zh="写成 margin: 30% 这样", en="Write it like margin: 30%."),
            )

    def _fact(self, key: str, wanted: frozenset[FactType], usual: str | None) -> str | None:
        found = self._block.scalar(key)
        if found is None:
            if usual is None and self._block.node.get(key) is None:
                self._block.lacks(key)
            return usual
        fact = self._reads.fact(found, wanted)
        return None if fact is None else fact.id

    def _ratio(self, key: str, wanted: frozenset[FactType]) -> Expression | None:
        found = self._block.scalar(key)
        if found is None:
            return None
        if self._reads.knows(found):
            fact = self._reads.fact(found, wanted)
            return None if fact is None else Name(fact.id, fact.type, found.span)
        value = self._language.value(found, FactType.PERCENT)
        return None if value is None else Literal(value, FactType.PERCENT, found.span)

    def _period(self, key: str, *, required: bool = False) -> Period | None:
        found = self._block.scalar(key, required=required)
        period = None if found is None else self._language.period(found)
        if period is not None and not 0 < years_of(period) <= MOST_YEARS:
            self._refuse(
                key,
                Text(
                    zh=f"时长应大于 0，最长 {MOST_YEARS} 年",
                    en=f"a span above 0 and of at most {MOST_YEARS} years is wanted",
                ),
                Text(zh="写成 12 months 或 3 years 这样", en="Write it like 12 months or 3 years."),
            )
            return None
        return period

    def _refuse(self, key: str, message: Text, mend: Text, code: str = "RULE243") -> None:
        node = self._block.node.get(key)
        span: Span = self._block.place(key) if node is None else node.span
        self._language.findings.add(code, span, message, mend)


_SUCH_AS = Text(zh="写成 80% 这样", en="Write it like 80%.")
_BETWEEN = "a retention lies between 0 and 100%"


def read_clv(
    node: Node,
    facts: Mapping[str, FactDefinition],
    language: Language,
    rfm: RfmRules | None = None,
) -> ClvRules | None:
    """Read the block; *facts* are the declared ones, *rfm* lends its facts where none is named."""
    block = Block.of(node, language.findings, languages=language.languages)
    return None if block is None else _Clv(block, facts, language).read(rfm)
