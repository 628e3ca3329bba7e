"""The functions of the clv block made known to DuckDB: the very ones single records use."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from inspect import Parameter, Signature

import duckdb
from duckdb.func import SPECIAL

from crmsync.condition import repeat_buying
from crmsync.model.clv import ClvModel
from crmsync.model.ruleset import Ruleset


def prepare(connection: duckdb.DuckDBPyConnection, ruleset: Ruleset) -> None:
    """Register on *connection* what the relation of *ruleset* calls; again is fine.

    The plain formula and RFM need nothing: they are SQL.
    """
    if ruleset.clv is None or ruleset.clv.model is not ClvModel.BG_NBD:
        return
    _register(connection, repeat_buying.P_ALIVE_SQL, repeat_buying.p_alive_of, 7)
    _register(connection, repeat_buying.EXPECTED_SQL, repeat_buying.expected_orders_of, 8)


def _register(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    function: Callable[..., float | None],
    count: int,
) -> None:
    def known(*numbers: float | None) -> float | None:
        return None if None in numbers else function(*numbers)

    with suppress(duckdb.InvalidInputException):  # there is none of that name yet
        connection.remove_function(name)
    # DuckDB counts the parameters of a function by its signature
    places = [Parameter(f"n{place}", Parameter.POSITIONAL_ONLY) for place in range(count)]
    known.__signature__ = Signature(places)  # type: ignore[attr-defined]
    connection.create_function(name, known, ["DOUBLE"] * count, "DOUBLE", null_handling=SPECIAL)
