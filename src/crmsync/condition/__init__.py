"""The small language of conditions and formulas: read, printed, matched in Python and in SQL."""

from crmsync.condition.compiled import compile_expression, compile_matcher
from crmsync.condition.shape import names, negate, normal_form
from crmsync.condition.sql import condition_sql, expression_sql
from crmsync.condition.tracing import trace, verdict

__all__ = [
    "compile_expression",
    "compile_matcher",
    "condition_sql",
    "expression_sql",
    "names",
    "negate",
    "normal_form",
    "trace",
    "verdict",
]
