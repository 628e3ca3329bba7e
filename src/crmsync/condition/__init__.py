"""The small language of conditions and formulas: read, printed, matched in Python and in SQL."""

from crmsync.condition.compiled import compile_expression, compile_matcher
from crmsync.condition.declared import declared_sql, declared_value
from crmsync.condition.durations import (
    Duration,
    Unit,
    parse_days,
    parse_duration,
    parse_period,
)
from crmsync.condition.literals import parse_literal, parse_number, parse_range
from crmsync.condition.parsing import parse_condition, parse_expression, parse_test
from crmsync.condition.printing import to_text
from crmsync.condition.reading import read_condition
from crmsync.condition.scope import Scope, ScopeChoice, ScopeName
from crmsync.condition.shape import names, negate, normal_form
from crmsync.condition.sql import condition_sql, expression_sql
from crmsync.condition.tracing import trace, verdict
from crmsync.condition.trouble import CODES
from crmsync.condition.windows import parse_window

__all__ = [
    "CODES",
    "Duration",
    "Scope",
    "ScopeChoice",
    "ScopeName",
    "Unit",
    "compile_expression",
    "compile_matcher",
    "condition_sql",
    "declared_sql",
    "declared_value",
    "expression_sql",
    "names",
    "negate",
    "normal_form",
    "parse_condition",
    "parse_days",
    "parse_duration",
    "parse_expression",
    "parse_literal",
    "parse_number",
    "parse_period",
    "parse_range",
    "parse_test",
    "parse_window",
    "read_condition",
    "to_text",
    "trace",
    "verdict",
]
