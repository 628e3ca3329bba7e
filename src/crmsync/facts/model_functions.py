"""The functions of the clv block made known to DuckDB: the very ones single records use."""

from __future__ import annotations

import duckdb
from duckdb.func import SPECIAL

from crmsync.condition import repeat_buying
from crmsync.model.clv import ClvModel
from crmsync.model.ruleset import Ruleset

_N = float | None


def prepare(connection: duckdb.DuckDBPyConnection, ruleset: Ruleset) -> None:
    """Register on *connection* what the relation of *ruleset* calls; once per connection.

    The plain formula and RFM need nothing: they are SQL.
    """
    if ruleset.clv is None or ruleset.clv.model is not ClvModel.BG_NBD:
        return
    for name, function, count in (
        (repeat_buying.P_ALIVE_SQL, _alive, 7),
        (repeat_buying.EXPECTED_SQL, _expected, 8),
    ):
        connection.create_function(
            name, function, ["DOUBLE"] * count, "DOUBLE", null_handling=SPECIAL
        )


# DuckDB counts the parameters of a function, so each is written out.


def _alive(x: _N, t_x: _N, t: _N, r: float, alpha: float, a: float, b: float) -> float | None:
    if x is None or t_x is None or t is None:
        return None
    return repeat_buying.p_alive(x, t_x, t, r, alpha, a, b)


def _expected(
    x: _N, t_x: _N, t: _N, ahead: float, r: float, alpha: float, a: float, b: float
) -> float | None:
    if x is None or t_x is None or t is None:
        return None
    return repeat_buying.expected_orders(x, t_x, t, ahead, r, alpha, a, b)
