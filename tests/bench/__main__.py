"""``make bench``: every figure beside a peer measured in the same run, one JSON line each."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench import (
    against,
    checking,
    deciding,
    everyday,
    matching,
    pipeline,
    population,
    single,
    starting,
)
from tests.bench.figure import Figure


@dataclass(frozen=True)
class Sizes:
    """How large everything is."""

    customers: int = 4_300
    few_orders: int = 20_000
    many_orders: int = 400_000
    rows: int = 200_000
    records: int = 20_000
    starts: int = 9
    many: int = 1_000_000
    prefix: int = 20_000
    peer_seconds: float = 5.0
    placed: int = 50_000
    pipeline: tuple[int, int] = (1_000_000, 10_000_000)


TINY = Sizes(
    customers=60,
    few_orders=300,
    many_orders=600,
    rows=120,
    records=50,
    starts=1,
    many=200,
    prefix=50,
    peer_seconds=0.0,
    placed=60,
    pipeline=(60, 300),
)
"""For the test that the benches run at all."""


def figures(sizes: Sizes, folder: Path) -> Iterator[Figure]:
    """Every figure, as soon as it is known."""
    yield from starting.figures(sizes.starts)
    yield from checking.figures(sizes.starts)
    yield from matching.figures(sizes.rows, sizes.records)
    yield from single.figures(sizes.records)
    yield from against.figures(folder, sizes.many, sizes.prefix, sizes.peer_seconds)
    yield from everyday.figures(folder, sizes.placed)
    yield from deciding.figures(folder, sizes.customers, sizes.few_orders)
    yield from population.figures(folder, sizes.customers, (sizes.few_orders, sizes.many_orders))
    yield from pipeline.figures(folder, *sizes.pipeline, peers=bool(sizes.peer_seconds))


def main(sizes: Sizes) -> None:
    """Print the figures; the files they need go away with them."""
    with tempfile.TemporaryDirectory() as folder:
        for figure in figures(sizes, Path(folder)):
            print(figure.line(), flush=True)


if __name__ == "__main__":
    main(TINY if "--tiny" in sys.argv[1:] else Sizes())
