"""``currency``, ``currencies`` and ``rates`` of a mapping: how its amounts are converted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

from crmsync.config.keys import Keys
from crmsync.config.picks import translations
from crmsync.model.diagnostic import Diagnostic
from crmsync.model.fact import FactType
from crmsync.model.mapping import Aggregate, AggregateSource, MoneyTerms, Rate, Source
from crmsync.model.position import Span
from crmsync.model.ruleset import Ruleset
from crmsync.model.text import Text
from crmsync.source import Mapping as MappingNode
from crmsync.source import Node, Scalar, did_you_mean, error

MONEY_KEYS = ("currency", "currencies", "rates")
MAX_RATES = 1000
"""Rates of one mapping: ten currencies by the month for eight years."""
_CODE = re.compile(r"[A-Z]{3}\Z")
_RATE = re.compile(r"[0-9]{1,7}(?:\.[0-9]{1,8})?\Z", re.ASCII)
_COUNTED = frozenset({Aggregate.COUNT, Aggregate.DISTINCT, Aggregate.GAP, Aggregate.GAP_MEAN})


def read_money(keys: Keys, ruleset: Ruleset, problems: list[Diagnostic]) -> MoneyTerms | None:
    """What the mapping says of currencies; ``None`` when nothing."""
    nodes = {key: keys.mapping(key) for key in MONEY_KEYS[1:]}
    home = keys.word("currency")
    if home is not None and not _CODE.match(home):
        problems.append(_no_code(home, keys.value_place("currency"), ruleset))
        home = None
    if home is None and not any(nodes.values()):
        return None
    if ruleset.currency is None:
        problems.append(_no_money(keys))
        return None
    words_node, rates_node = nodes["currencies"], nodes["rates"]
    words = {} if words_node is None else translations(words_node, problems)
    for _, code in words_node.entries if words_node else ():
        if isinstance(code, Scalar) and not _CODE.match(code.text):
            problems.append(_no_code(code.text, code.span, ruleset))
    rates = {} if rates_node is None else _rates(rates_node, ruleset, problems)
    known = {*rates, ruleset.currency}
    told = [(home, keys.value_place("currency"))] if home is not None else []
    told += [
        (code.text, code.span)
        for _, code in (words_node.entries if words_node else ())
        if isinstance(code, Scalar) and _CODE.match(code.text)
    ]
    problems.extend(_no_rate(code, place, known) for code, place in told if code not in known)
    return MoneyTerms(home, words, rates)


def undeclared_amounts(
    read: Mapping[str, Source], terms: MoneyTerms | None, ruleset: Ruleset
) -> Iterator[Diagnostic]:
    """Sources of money of which nobody says the currency, and currencies of what is no money."""
    for fact in ruleset.facts:
        source = read.get(fact.id)
        if source is None:
            continue
        counted = isinstance(source, AggregateSource) and source.aggregate in _COUNTED
        money = fact.type is FactType.MONEY and not counted
        place = source.span if isinstance(source, AggregateSource) else source.field.span
        if source.currency is not None and not money:
            yield _not_money(fact.id, source.currency.span)
        elif money and source.currency is not None and terms is None:
            yield _without_rates(fact.id, source.currency.span)
        elif money and terms is not None and source.currency is None and terms.home is None:
            yield _no_currency(fact.id, place)


def _rates(
    node: MappingNode, ruleset: Ruleset, problems: list[Diagnostic]
) -> dict[str, tuple[Rate, ...]]:
    found: dict[str, tuple[Rate, ...]] = {}
    for code, value in node.entries:
        if not _CODE.match(code.text):
            problems.append(_no_code(code.text, code.span, ruleset))
            continue
        if code.text == ruleset.currency:
            problems.append(_own_rate(code))
            continue
        rates = list(_dated(value, problems))
        rates.sort(key=lambda rate: rate.since or date.min, reverse=True)
        found[code.text] = tuple(rates)
    count = sum(map(len, found.values()))
    if count > MAX_RATES:
        problems.append(_too_many(node.span, count))
        return {}
    return found


def _dated(node: Node, problems: list[Diagnostic]) -> Iterator[Rate]:
    """One rate for all days, or ``{2026-01-01: 7.05}``: each from its day on."""
    if isinstance(node, MappingNode):
        for day, value in node.entries:
            since, rate = _day(day, problems), _rate(value, problems)
            if since is not None and rate is not None:
                yield Rate(since, rate)
        return
    rate = _rate(node, problems)
    if rate is not None:
        yield Rate(None, rate)


def _day(found: Scalar, problems: list[Diagnostic]) -> date | None:
    try:
        return date.fromisoformat(found.text)
    except ValueError:
        problems.append(
            error(
                "MAP023",
                found.span,
                Text(zh=f"“{found.text}”不是日期", en=f"“{found.text}” is no day"),
                Text(
                    zh="写成 2026-01-01: 7.05，自这一天起用这个汇率",
                    en="Write 2026-01-01: 7.05, the rate from that day on.",
                ),
            )
        )
        return None


def _rate(node: Node, problems: list[Diagnostic]) -> Decimal | None:
    text = node.text if isinstance(node, Scalar) else ""
    if _RATE.match(text) and Decimal(text) > 0:
        return Decimal(text)
    problems.append(
        error(
            "MAP023",
            node.span,
            Text(zh=f"“{text}”不是汇率", en=f"“{text}” is no rate"),
            Text(
                zh="写一个单位值多少规则的货币，如 7.05；最多 8 位小数",
                en="Write what one unit is worth in the rules' currency, such as 7.05, with at "
                "most 8 decimals.",
            ),
        )
    )
    return None


def _no_code(word: str, place: Span, ruleset: Ruleset) -> Diagnostic:
    example = ruleset.currency or "CNY"
    return error(
        "MAP022",
        place,
        Text(zh=f"“{word}”不是货币代码", en=f"“{word}” is no currency code"),
        Text(zh=f"写成 {example} 这样的大写字母", en=f"Write capital letters like {example}."),
    )


def _no_money(keys: Keys) -> Diagnostic:
    return error(
        "MAP022",
        keys.place(next(key for key in MONEY_KEYS if keys.has(key))),
        Text(
            zh="规则没有写 currency，不知道换成哪种货币",
            en="the rules name no currency, so there is none to convert to",
        ),
        Text(zh="在规则开头写 currency: CNY", en="Write currency: CNY at the top of the rules."),
    )


def _no_rate(code: str, place: Span, known: set[str]) -> Diagnostic:
    mend, near = did_you_mean(code, known)
    return error(
        "MAP023",
        place,
        Text(zh=f"没有 {code} 的汇率", en=f"there is no rate for {code}"),
        mend
        if near is not None
        else Text(
            zh=f"在 rates 下写 {code}: {{2026-01-01: …}}",
            en=f"Write {code}: {{2026-01-01: …}} under rates.",
        ),
    )


def _own_rate(code: Scalar) -> Diagnostic:
    return error(
        "MAP023",
        code.span,
        Text(
            zh=f"{code.text} 就是规则的货币，不用换算",
            en=f"{code.text} is the rules' own currency and needs no rate",
        ),
        Text(zh="去掉这一行", en="Remove the line."),
    )


def _too_many(place: Span, count: int) -> Diagnostic:
    return error(
        "MAP023",
        place,
        Text(
            zh=f"有 {count} 个汇率，上限 {MAX_RATES}", en=f"{count} rates; the limit is {MAX_RATES}"
        ),
        Text(zh="按月而不是按天写", en="Give them by the month instead of by the day."),
    )


def _not_money(fact: str, place: Span) -> Diagnostic:
    return error(
        "MAP024",
        place,
        Text(zh=f"“{fact}”不是金额，没有货币", en=f"“{fact}” is no amount and has no currency"),
        Text(zh="去掉 currency", en="Remove currency."),
    )


def _without_rates(fact: str, place: Span) -> Diagnostic:
    return error(
        "MAP024",
        place,
        Text(
            zh=f"“{fact}”写了 currency，却没有 rates 或 currencies",
            en=f"“{fact}” says currency, but the mapping has no rates",
        ),
        Text(
            zh="写上 rates: {USD: {2026-01-01: 7.05}}",
            en="Add rates: {USD: {2026-01-01: 7.05}}.",
        ),
    )


def _no_currency(fact: str, place: Span) -> Diagnostic:
    return error(
        "MAP024",
        place,
        Text(
            zh=f"没有说“{fact}”的金额是哪种货币",
            en=f"nothing says in which currency the amounts of “{fact}” are",
        ),
        Text(
            zh="在这个来源写 currency: 货币字段，或在映射开头写 currency: CNY",
            en="Give this source currency: FIELD, or write currency: CNY at the top of the "
            "mapping.",
        ),
    )
