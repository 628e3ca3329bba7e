"""A practice CRM for the demo: started, filled with real retail customers, edited by a person."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from crmsync.config.secrets import store_secret
from crmsync.connector import ConnectorSpec
from crmsync.errors import UsageError
from crmsync.model.text import Text
from crmsync.project.connecting import look
from crmsync.project.history import run_details
from crmsync.project.opening import Project, open_project
from crmsync.project.sample import SampleOrder, load_sample
from crmsync.project.starting import NewProject, start
from crmsync.testing import PracticeCustomer, PracticeOrder, Sandbox


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was loaded, and in how many requests."""

    customers: int
    orders: int
    requests: int


class PracticeCrm:
    """A running sandbox and the hands of the people around it. Use it as a context manager.

    Entering raises UsageError where the port is taken or not ours to use.
    """

    def __init__(self, spec: ConnectorSpec, port: int = 0) -> None:
        self._spec = spec
        self._port = port
        self._sandbox: Sandbox = spec.load("sandbox").for_practice()

    def __enter__(self) -> Self:
        try:
            self._sandbox.start(self._port)
        except OSError as problem:
            raise UsageError(
                Text(
                    zh=f"端口 {self._port} 不能用：{problem.strerror}",
                    en=f"port {self._port} cannot be used: {problem.strerror}",
                ),
                mend=Text(zh="换一个端口，或不写 --port", en="choose another, or leave --port out"),
            ) from problem
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._sandbox.stop()

    @property
    def url(self) -> str:
        """Where it serves."""
        return self._sandbox.url

    @property
    def keys(self) -> Mapping[str, object]:
        """The connection's own keys for ``crmsync.yaml``, without the connector's name."""
        keys = self._sandbox.connection_settings().keys
        return {name: value for name, value in keys.items() if name != "connector"}

    @property
    def secrets(self) -> Mapping[str, str]:
        """The invented secrets that go with the keys."""
        return self._sandbox.connection_settings().secrets

    def load(self, today: date, most: int) -> Loaded:
        """Load at most *most* customers of the sample with their orders, through the HTTP API."""
        customers, orders = practice_data(today, most)
        report = self._sandbox.load_over_http(customers, orders)
        return Loaded(len(customers), len(orders), report.calls)

    def give_secrets(self, folder: Path) -> None:
        """Put the practice secrets where a project in *folder* looks for them."""
        for name, value in self.secrets.items():
            store_secret(folder / "var" / "secrets", name, value)

    def follow_worksheet(self, project: Project) -> int:
        """Create by hand what ``connect`` could only ask for; says how many fields."""
        found = look(project, project.connection(None), project.ruleset_folder(None))
        if found.worksheet is None:
            return 0
        asked = [*found.missing, *((item.object, item.field) for item in found.sources)]
        for object, field in asked:
            self._sandbox.make_fields_by_hand(object, [field])
        return len(asked)

    def make_fields(self, ruleset: str, now: Callable[[], datetime]) -> int:
        """Do at once what the worksheet for a ready ruleset will ask for; says how many fields."""
        with tempfile.TemporaryDirectory(prefix="crmsync-practice-") as made:
            folder = Path(made)
            start(
                NewProject(
                    folder=folder,
                    spec=self._spec,
                    ruleset=ruleset,
                    connection="practice",
                    language="en",
                    time_zone="UTC",
                    keys=self.keys,
                )
            )
            self.give_secrets(folder)
            return self.follow_worksheet(open_project(folder, now=now))

    def edit_a_tier(self, project: Project, run: int) -> tuple[str, str]:
        """Somebody changes one tier that *run* wrote; gives the record's id and name."""
        details = run_details(project, run)
        field = details.owned["tier"]
        rows = [op for op in details.ops if op.want.get(field) is not None]
        chosen = rows[0]
        other = next(row.want[field] for row in rows if row.want[field] != chosen.want[field])
        self._sandbox.edit_as_person(chosen.ref.object, chosen.ref.id, {field: other})
        return chosen.ref.id, chosen.name


def practice_data(
    today: date, most: int
) -> tuple[tuple[PracticeCustomer, ...], tuple[PracticeOrder, ...]]:
    """At most *most* customers with their orders, dated so that none is after yesterday."""
    sample = load_sample(today)
    chosen = sample.customers[:most]
    keys = {customer.id for customer in chosen}
    customers = tuple(
        PracticeCustomer(key=item.id, name=item.name, country=item.country, owner=item.owner)
        for item in chosen
    )
    return customers, tuple(_order(item) for item in sample.orders if item.customer in keys)


def _order(item: SampleOrder) -> PracticeOrder:
    return PracticeOrder(
        key=item.id,
        customer=item.customer,
        placed_on=item.ordered_on,
        amount=item.amount,
        title=f"Invoice {item.id}",
    )
