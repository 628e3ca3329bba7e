"""The real file, where it is at hand (folder in CRMSYNC_REAL_DATA); the sample is tested always."""

from __future__ import annotations

import gzip
from decimal import Decimal
from pathlib import Path

import pytest
from tests.real_data.make_sample import TARGET, write
from tests.real_data.online_retail import Ledger, find, read


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    path = find()
    if path is None:
        pytest.skip("the real file is not here: name its folder in CRMSYNC_REAL_DATA")
    return read(path)


def test_every_line_is_accounted_for(ledger: Ledger) -> None:
    counts = ledger.counts
    assert counts.lines == 541_909
    assert counts.no_customer == 135_080
    assert counts.not_goods == 1_916
    assert counts.no_price == 34
    assert counts.kept == counts.lines - 135_080 - 1_916 - 34


def test_customers_and_orders(ledger: Ledger) -> None:
    assert len(ledger.customers) == 4_372
    assert len(ledger.orders) == 21_785
    assert sum(order.amount < 0 for order in ledger.orders) == 3_383
    assert sum(order.amount for order in ledger.orders) == Decimal("8286663.32")


def test_the_shipped_sample_is_what_the_script_writes(ledger: Ledger, tmp_path: Path) -> None:
    write(ledger, tmp_path)
    for name in ("customers.csv.gz", "orders.csv.gz"):
        written, shipped = (tmp_path / name).read_bytes(), (TARGET / name).read_bytes()
        assert gzip.decompress(written) == gzip.decompress(shipped)
