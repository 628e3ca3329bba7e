"""The list of checks, and how each is named and run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from crmsync.connector.contract import Connector
from crmsync.testing.contract.harness import ContractHarness


@dataclass(frozen=True, slots=True)
class ContractCheck:
    """One promise of the contract. ``run`` raises AssertionError with a clear sentence."""

    number: int
    name: str
    promise: str
    run: Callable[[ContractHarness], None]


def contract_check(number: int) -> Callable[[Callable[[ContractHarness], None]], ContractCheck]:
    """Make a function a check; the first paragraph of its docstring is the promise."""

    def make(function: Callable[[ContractHarness], None]) -> ContractCheck:
        promise = " ".join((function.__doc__ or "").split("\n\n")[0].split())
        return ContractCheck(number, function.__name__, promise, function)

    return make


@dataclass(frozen=True, slots=True)
class ContractCase:
    """One check on one connector; ``id`` reads well in a test report."""

    id: str
    check: ContractCheck
    make: Callable[[], ContractHarness]

    def run(self) -> None:
        """Run the check on a fresh harness."""
        with self.make() as harness:
            self.check.run(harness)


def cases(
    harnesses: Mapping[str, Callable[[], ContractHarness]], checks: tuple[ContractCheck, ...]
) -> tuple[ContractCase, ...]:
    """Every check on every connector, for ``pytest.mark.parametrize(…, ids=lambda c: c.id)``."""
    return tuple(
        ContractCase(f"{name}-{check.number}-{check.name}", check, make)
        for name, make in harnesses.items()
        for check in checks
    )


@contextmanager
def opened(harness: ContractHarness) -> Iterator[Connector]:
    """A connector that is closed afterwards."""
    connector = harness.open()
    try:
        yield connector
    finally:
        connector.close()


def require(condition: bool, promise_broken: str) -> None:
    """Raise AssertionError with the sentence unless the condition holds."""
    if not condition:
        raise AssertionError(promise_broken)
