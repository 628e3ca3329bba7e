"""The ``read`` block of a mapping: a field of the customer, or an aggregate of related records."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf

from crmsync.condition import Scope, parse_window, read_condition
from crmsync.config.judged_fields import JUDGED_KEYS, read_judged, without_day
from crmsync.config.keys import MAX_PROBLEMS, Keys
from crmsync.config.picks import pick_of, translations
from crmsync.model.condition import Condition
from crmsync.model.diagnostic import Diagnostic
from crmsync.model.fact import FactType
from crmsync.model.mapping import (
    Aggregate,
    AggregateSource,
    FieldPick,
    FieldSource,
    Related,
    Source,
)
from crmsync.model.period import CalendarUnit, Window, parts_in
from crmsync.model.ruleset import FactDefinition, Ruleset
from crmsync.model.text import Text
from crmsync.source import Mapping, Node, Scalar, did_you_mean, error, warning

AGGREGATES: MappingOf[str, Aggregate] = {
    "count": Aggregate.COUNT,
    "sum": Aggregate.SUM,
    "avg": Aggregate.AVG,
    "average": Aggregate.AVG,
    "min": Aggregate.MIN,
    "max": Aggregate.MAX,
    "first": Aggregate.FIRST,
    "last": Aggregate.LAST,
    "distinct": Aggregate.DISTINCT,
    "gap": Aggregate.GAP,
}
_GAPS = {"median": Aggregate.GAP, "mean": Aggregate.GAP_MEAN}
FIELD_KEYS = ("field", "label", "values")
SOURCE_KEYS = (*FIELD_KEYS, "currency", *JUDGED_KEYS)
_ELSEWHERE = {
    "via": Text(zh="via 写在 related 下的关系里", en="via stands in the relation, under related."),
    "rate": Text(
        zh="汇率写在映射最外层：currency、currencies、rates",
        en="Rates stand at the top of the mapping: currency, currencies, rates.",
    ),
}
_COUNTS = frozenset({Aggregate.COUNT, Aggregate.DISTINCT, Aggregate.GAP, Aggregate.GAP_MEAN})
_DIVIDED = frozenset({Aggregate.COUNT, Aggregate.SUM, Aggregate.DISTINCT})
_PLAIN = frozenset({FactType.INTEGER, FactType.NUMBER})


class SourceReader:
    """Reads the sources; ``related`` grows by relations written inside a source."""

    def __init__(
        self,
        ruleset: Ruleset,
        related: MappingOf[str, Related],
        problems: list[Diagnostic],
        fields: Scope,
    ) -> None:
        self.related = dict(related)
        self._facts = {fact.id: fact for fact in ruleset.facts}
        self._renamed = ruleset.renamed
        self._problems = problems
        self._fields = fields

    def read(self, node: Mapping | None) -> dict[str, Source]:
        """Every source by fact id."""
        found: dict[str, Source] = {}
        for name, body in node.entries if node else ():
            fact = self._facts.get(self._renamed.get(name.text, name.text))
            if fact is None and len(self._problems) < MAX_PROBLEMS:
                self._problems.append(_undeclared(name, tuple(self._facts)))
            elif fact is not None and (fact.formula is not None or fact.model):
                self._problems.append(_derived(name))
            source = self._source(name, body, fact)
            if fact is not None and fact.id in found:
                self._problems.append(_twice(name, fact))
            elif source is not None and fact is not None:
                found[fact.id] = source
                undated = without_day(name, source, fact)
                self._problems.extend(() if undated is None else (undated,))
        return found

    def _source(self, name: Scalar, body: Node, fact: FactDefinition | None) -> Source | None:
        if isinstance(body, Mapping) and body.get("related") is not None:
            return self._aggregate(name, body, fact)
        if isinstance(body, Mapping):
            known = [key.text for key, _ in body.entries if key.text in AGGREGATES]
            if known:
                self._problems.append(_no_relation(name, known[0], tuple(self.related)))
                return None
            Keys(body, SOURCE_KEYS, self._problems, family="MAP", elsewhere=_ELSEWHERE)
        pick = pick_of(body, self._problems, also=("values", "currency", *JUDGED_KEYS, *_ELSEWHERE))
        if pick is None:
            return None
        if not isinstance(body, Mapping):
            return FieldSource(pick)
        values = body.get("values")
        table = {} if values is None else self._values(values, fact)
        judged = read_judged(body, fact, self._problems)
        entries = values.entries if isinstance(values, Mapping) else ()
        places = {key.text: key.span for key, _ in entries}
        return FieldSource(pick, table, judged, self._currency(body), places)

    def _currency(self, body: Mapping) -> FieldPick | None:
        node = body.get("currency")
        return None if node is None else pick_of(node, self._problems)

    def _values(self, node: Node, fact: FactDefinition | None) -> dict[str, str]:
        wanted: tuple[str, ...] | None = None
        if fact is not None and fact.type is FactType.CHOICE:
            wanted = fact.choices
        elif fact is not None and fact.type is FactType.YES_NO:
            wanted = ("yes", "no", "true", "false", "是", "否")
        return translations(node, self._problems, values=wanted)

    # ── aggregates ─────────────────────────────────────────────────────────────────────────────

    def _aggregate(
        self, name: Scalar, body: Mapping, fact: FactDefinition | None
    ) -> AggregateSource | None:
        known = ("related", "where", "within", "on", "per", "currency", *AGGREGATES)
        keys = Keys(body, known, self._problems, family="MAP", elsewhere=_ELSEWHERE)
        relation = self._relation(name, body, keys)
        written = [(key, value) for key, value in body.entries if key.text in AGGREGATES]
        if len(written) != 1:
            self._problems.append(_one_aggregate(name))
            return None
        key, value = written[0]
        aggregate = self._kind(key, value)
        if aggregate is None or relation is None:
            return None
        of = self._of(aggregate, value)
        if of is None and aggregate not in _COUNTS:
            return None
        within = self._within(body.get("within"))
        per = self._per(keys, aggregate, within)
        self._fits(name, aggregate, fact, divided=per is not None)
        return AggregateSource(
            related=relation,
            aggregate=aggregate,
            of=of,
            where=self._where(body.get("where")),
            within=within,
            per=per,
            currency=self._currency(body),
            span=name.span,
        )

    def _relation(self, name: Scalar, body: Mapping, keys: Keys) -> str | None:
        node = body.get("related")
        if isinstance(node, Mapping):
            inner = Keys(node, ("object", "via", "date", "where"), self._problems, family="MAP")
            parts = {key: inner.word(key, required=True) or "" for key in ("object", "via", "date")}
            where = self._where(node.get("where"))
            known = self._facts.get(self._renamed.get(name.text, name.text))
            own = name.text if known is None else known.was or known.id
            self.related[own] = Related(
                own, parts["object"], parts["via"], parts["date"], where, span=name.span
            )
            return own
        word = keys.word("related", required=True)
        if word is None:
            return None
        relation = self.related.get(word)
        if relation is None:
            mend, near = did_you_mean(word, self.related)
            self._problems.append(
                error(
                    "MAP013",
                    keys.value_place("related"),
                    Text(zh=f"没有声明关联“{word}”", en=f"no relation is called “{word}”"),
                    mend or Text(zh="在 related: 中声明它", en="Declare it under related:."),
                    fix=near,
                )
            )
            return None
        other = keys.word("on")
        if other is None or other == relation.date:
            return word
        own = f"{word} on {other}"
        self.related[own] = Related(
            own, relation.object, relation.via, other, relation.where, span=relation.span
        )
        return own

    def _kind(self, key: Scalar, value: Node) -> Aggregate | None:
        if key.text != "gap":
            return AGGREGATES[key.text]
        word = value.text if isinstance(value, Scalar) else ""
        if word in _GAPS:
            return _GAPS[word]
        mend, near = did_you_mean(word, _GAPS)
        self._problems.append(
            error(
                "MAP007",
                value.span,
                Text(zh=f"gap 不能是“{word}”", en=f"“gap” cannot be “{word}”"),
                mend,
                fix=near if isinstance(value, Scalar) else None,
            )
        )
        return None

    def _of(self, aggregate: Aggregate, value: Node) -> FieldPick | None:
        if aggregate in {Aggregate.GAP, Aggregate.GAP_MEAN}:
            return None
        if aggregate is Aggregate.COUNT and isinstance(value, Scalar) and value.text == "all":
            return None
        return pick_of(value, self._problems)

    def _where(self, node: Node | None) -> Condition | None:
        if node is None:
            return None
        condition, found = read_condition(node, self._fields)
        self._problems.extend(found)
        return condition

    def _within(self, node: Node | None) -> Window | None:
        if node is None:
            return None
        if not isinstance(node, Scalar):
            self._problems.append(
                error(
                    "MAP005",
                    node.span,
                    Text(zh="这里应是一段时间", en="“within” is a span of time"),
                    Text(zh="写成 within: 12 months 这样", en="Write it like within: 12 months."),
                )
            )
            return None
        starts = self._fields.year_starts
        window, found = parse_window(node.text, node.inner, year_starts=starts)
        self._problems.extend(found)
        return window

    def _per(self, keys: Keys, aggregate: Aggregate, within: Window | None) -> CalendarUnit | None:
        """``per: month``: a count or sum divided by the months of its window."""
        word = keys.choice("per", ("month", "quarter", "year"))
        if word is None:
            return None
        unit = CalendarUnit(word)
        whole = within is not None and parts_in(within, unit) is not None
        if whole and aggregate in _DIVIDED:
            return unit
        self._problems.append(
            error(
                "MAP018",
                keys.value_place("per"),
                Text(
                    zh=f"per: {word} 要配合 count、sum 或 distinct，within 是整数个 {word}",
                    en=f"“per: {word}” goes with count, sum or distinct and a window of whole"
                    f" {word}s",
                ),
                Text(zh="如 within: 12 months", en="Such as within: 12 months."),
            )
        )
        return None

    def _fits(
        self,
        name: Scalar,
        aggregate: Aggregate,
        fact: FactDefinition | None,
        *,
        divided: bool = False,
    ) -> None:
        if fact is None:
            return
        counted = aggregate in _COUNTS
        summed = aggregate in {Aggregate.SUM, Aggregate.AVG}
        kind = fact.type.value
        broken = divided and fact.type is FactType.INTEGER
        if broken or (counted and fact.type not in _PLAIN) or (summed and not fact.type.numeric):
            self._problems.append(
                error(
                    "MAP014",
                    name.span,
                    Text(
                        zh=f"“{name.text}”的类型是 {kind}，不能由 {aggregate.value} 得出",
                        en=f"“{name.text}” is of type {kind}; {aggregate.value} gives a number",
                    ),
                    Text(
                        zh="改事实的类型，或换一种汇总",
                        en="Change the fact's type, or aggregate in another way.",
                    ),
                )
            )


def _undeclared(name: Scalar, known: tuple[str, ...]) -> Diagnostic:
    mend, near = did_you_mean(name.text, known)
    return warning(
        "MAP015",
        name.span,
        Text(
            zh=f"规则没有声明事实“{name.text}”，这一行不起作用",
            en=f"the rules declare no fact “{name.text}”: this line does nothing",
        ),
        mend if near is not None else Text(zh="去掉这一行", en="Remove the line."),
        fix=near,
    )


def _twice(name: Scalar, fact: FactDefinition) -> Diagnostic:
    return error(
        "MAP021",
        name.span,
        Text(
            zh=f"事实“{fact.id}”写了两次：一次用现名，一次用旧名“{fact.was}”",
            en=f"the fact “{fact.id}” is given twice, by its name and by its old one, “{fact.was}”",
        ),
        Text(zh="去掉旧名的那一行", en="Remove the line with the old name."),
    )


def _derived(name: Scalar) -> Diagnostic:
    return error(
        "MAP016",
        name.span,
        Text(
            zh=f"事实“{name.text}”由公式得出，不从 CRM 读取",
            en=f"the fact “{name.text}” is derived by a formula, not read",
        ),
        Text(zh="去掉这一行，或去掉公式", en="Remove this line, or the formula."),
    )


def _no_relation(name: Scalar, aggregate: str, known: tuple[str, ...]) -> Diagnostic:
    shown = ", ".join(known) or "–"
    return error(
        "MAP006",
        name.span,
        Text(zh=f"用了 {aggregate} 却没有 related", en=f"“{aggregate}” needs “related”"),
        Text(zh=f"写上 related: …（已声明：{shown}）", en=f"Add related: … (declared: {shown})."),
    )


def _one_aggregate(name: Scalar) -> Diagnostic:
    kinds = ", ".join(AGGREGATES)
    return error(
        "MAP017",
        name.span,
        Text(zh="要写且只写一种汇总", en="exactly one aggregate is needed"),
        Text(zh=f"其中之一：{kinds}", en=f"One of: {kinds}."),
    )
