"""Tree → text → tree → text is stable, in every spelling, for generated trees."""

# ruff: noqa: E501

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.condition.language import OPEN, SCOPE, expression, sentence, span
from tests.unit.condition.trees import conditions, numbers

from crmsync.condition import parse_condition, parse_expression, parse_test, to_text
from crmsync.model.condition import Condition, Expression, Name
from crmsync.model.fact import FactType


@pytest.mark.parametrize("spelling", ["zh", "en", "symbols"])
@settings(max_examples=150, deadline=None)
@given(tree=conditions)
def test_conditions(spelling: str, tree: Condition) -> None:
    text = to_text(tree, SCOPE, spelling)  # type: ignore[arg-type]
    if len(text) > 2000:
        return
    again = sentence(text)
    assert again == tree
    assert to_text(again, SCOPE, spelling) == text  # type: ignore[arg-type]


@pytest.mark.parametrize("spelling", ["zh", "en", "symbols"])
@settings(max_examples=100, deadline=None)
@given(tree=numbers)
def test_formulas(spelling: str, tree: Expression) -> None:
    text = to_text(tree, SCOPE, spelling)  # type: ignore[arg-type]
    assert expression(text) == tree


WORDS = st.sampled_from(
    ["overdue_days", "近12个月订单数", "客户等级", "tier", "vip", "高", "margin_12m", "20%", "60", "30万", ">",
     "≥", "is", "是", "not", "in", "属于", "between", "and", "和", "介于", "之间", "within", "12 months", "内",
     "在", "is missing", "缺失", "(", ")", ",", "，", "“", "”", "-", "+", "×", "/", "if(", "max(", "any(",
     "days_since(", "last_order_on", "2026-01-01", "2026-13-01", "..", "[", "yes", "是", "blacklisted",
     "foo", "Closed Won", "=>", "==", "null", "or", "或", "0x", "1.5", "1,000", " ", "　", "%", "$", "最长",
     "days", "天", "同名", "seen_at", "country", "'", "😀", "不", "非", "not(", "1e5", "9" * 45]
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(WORDS, max_size=9), st.booleans())
def test_no_words_make_the_reader_raise(words: list[str], spaced: bool) -> None:
    text = (" " if spaced else "").join(words)
    place = span(text)
    for scope in (SCOPE, OPEN):
        for tree, found in (
            parse_condition(text, place, scope),
            parse_expression(text, place, scope),
            parse_test(text, place, Name("orders_12m", FactType.INTEGER), scope),
        ):
            assert (tree is None) == bool(found)
            for item in found:
                assert item.span.line == place.line
                assert place.column <= item.span.column <= place.end_column
                assert item.message.zh
                assert item.message.en


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40))
def test_no_text_makes_the_reader_raise(text: str) -> None:
    parse_condition(text, span(text), SCOPE)
    parse_condition(text, span(text), OPEN)
    parse_expression(text, span(text), SCOPE)
