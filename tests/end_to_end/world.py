"""A practice CRM, a project folder and the command line, as a user has them."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml
from tests.end_to_end import hands

from crmsync.cli.face import Clock
from crmsync.cli.main import main
from crmsync.config.secrets import store_secret
from crmsync.connector import connector
from crmsync.project.connecting import look
from crmsync.project.opening import open_project
from crmsync.testing import (
    PracticeCustomer,
    PracticeOrder,
    Sandbox,
    SandboxClock,
    canaries_in,
)


@dataclass(frozen=True)
class Result:
    """What one command left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


class World:
    """One sandbox and one project that points to it."""

    def __init__(self, name: str, folder: Path, sandbox: Sandbox) -> None:
        self.name = name
        self.folder = folder
        self.sandbox = sandbox
        self.planned: Any = None
        """The plan a fixture made, as ``plan --json`` gave it."""
        self.clock: Clock | None = None
        """Set to the sandbox's own where a test must not wait: ``on_sandbox_time``."""
        self._seen = 0

    def on_sandbox_time(self) -> None:
        """From now on commands read the sandbox's clock, and pauses move it instead of waiting."""
        self.clock = Clock(self.sandbox.clock.now, self.sandbox.clock.sleep)

    def run(self, *words: str, ok: bool = True) -> Result:
        """Run one command line in this process, exactly through its entry point."""
        result = run(words[0], "--project", str(self.folder), *words[1:], clock=self.clock)
        self.check_fields()
        if ok:
            assert result.code == 0, result.err + result.out
        return result

    def check_fields(self) -> None:
        """No field was written since the last look but those the project's mapping files name.

        The files are read here as a person reads them, so nothing the program believes counts.
        Every command of every test is looked at, whatever the test is about.
        """
        writes = self.sandbox.field_writes()
        fresh, self._seen = writes[min(self._seen, len(writes)) :], len(writes)
        if not fresh:
            return
        owned = self._owned()
        foreign = {(item.object, item.field) for item in fresh} - owned
        assert not foreign, f"fields that are not ours were written: {sorted(foreign)}"

    def _owned(self) -> set[tuple[str, str]]:
        """Object and field of everything the mapping files say is written; the owner only where a
        task says that it may be."""
        owned = set()
        for path in (self.folder / "rulesets").glob(f"*/mapping/{self.name}.yaml"):
            mapping = yaml.safe_load(path.read_text(encoding="utf-8"))
            tasks = mapping.get("tasks") or {}
            rules = yaml.safe_load((path.parents[1] / "rules.yaml").read_text(encoding="utf-8"))
            if any(task.get("may_reassign_owner") for task in rules.get("tasks") or ()):
                owned.add((mapping["object"], mapping["identity"]["owner"]))
            for object, part in (
                (mapping["object"], mapping["write"]),
                (tasks.get("object"), tasks),
            ):
                owned |= {
                    (object, name) for told in part.values() for name in self._named(object, told)
                }
        return owned

    def _named(self, object: str, told: object) -> Iterator[str]:
        """The field a mapping names, by its API name or by ``{label: …}``."""
        if isinstance(told, str):
            yield told
        elif isinstance(told, dict) and "label" in told:
            fields = hands.fields_of(self.sandbox, object)
            yield from (name for name, field in fields.items() if field.label == told["label"])

    def init(self, ruleset: str) -> None:
        settings = self.sandbox.connection_settings()
        keys = [
            word
            for key, value in settings.keys.items()
            if key != "connector"
            for word in ("--set", f"{key}={str(value).lower() if value is True else value}")
        ]
        self.run(
            "init", "--crm", self.name, "--ruleset", ruleset, "--connection", "practice", *keys
        )
        for name, value in settings.secrets.items():
            store_secret(self.folder / "var" / "secrets", name, value)

    def create_fields(self) -> None:
        """connect, and the administrator's hands where the API cannot create fields."""
        self.run("connect", "--yes")
        project = open_project(self.folder, now=self.sandbox.clock.now)
        found = look(project, project.connection(None), project.ruleset_folder(None))
        for object, field in found.missing:
            self.sandbox.make_fields_by_hand(object, [field])

    def plan(self, *words: str) -> Any:
        return self.run("plan", "--json", *words).document

    def apply(self, file: str = "plan.json", *words: str, ok: bool = True) -> Result:
        allow = [
            word
            for guard in ("first_assignments", "records_changed", "new_tasks", "tasks_per_owner")
            for word in ("--allow", f"{guard}=100%")
        ]
        return self.run("apply", str(self.folder / file), "--yes", "--json", *allow, *words, ok=ok)

    def header(self, file: str = "plan.json") -> Any:
        """The header of a plan file."""
        return json.loads((self.folder / file).read_text().splitlines()[0])["header"]

    def check_invariants(self) -> None:
        """No foreign field written, no task key twice, no request before it was allowed."""
        header = self.header()
        owned = {header["object"]: set(header["owned_fields"])}
        task_key = None
        if header.get("task_object"):
            owned[header["task_object"]] = set(header["task_fields"])
            task_key = (header["task_object"], self.task_key_field())
        self.sandbox.invariants.check(owned=owned, task_key=task_key)

    def mapping(self) -> Any:
        """The project's mapping file, as plain data."""
        (path,) = (self.folder / "rulesets").glob(f"*/mapping/{self.name}.yaml")
        return yaml.safe_load(path.read_text())

    def task_key_field(self) -> str:
        return str(self.mapping()["tasks"]["key"])

    def tier_field(self) -> str:
        return str(self.header()["owned"]["tier"])

    def tasks(self) -> list[tuple[str, str]]:
        """Every task the sandbox holds: key and status."""
        tasks = self.mapping()["tasks"]
        rows = self.sandbox.store.rows(tasks["object"])
        keyed = [row for row in rows if row.get(tasks["key"])]
        return sorted((str(r.get(tasks["key"])), str(r.get(tasks["status"]))) for r in keyed)


def run(*words: str, clock: Clock | None = None) -> Result:
    """``crmsync`` with these words; its exit code and both streams."""
    out, err = io.StringIO(), io.StringIO()
    previous = sys.argv
    sys.argv = ["crmsync", *words]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main(clock)
            except SystemExit as leaving:
                code = int(leaving.code or 0)
    finally:
        sys.argv = previous
    assert not canaries_in(" ".join(words)), "a secret on the command line"
    assert not canaries_in(out.getvalue() + err.getvalue()), "a secret on a stream"
    return Result(code, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def practice(name: str, folder: Path, clock: SandboxClock | None = None) -> Iterator[World]:
    """A practice CRM and the place for a project; with a *clock*, everything runs on that."""
    sandbox: Sandbox = connector(name).load("sandbox").for_practice(clock)
    with sandbox:
        made = World(name, folder, sandbox)
        if clock is not None:
            made.on_sandbox_time()
        yield made
        made.check_fields()


def customers(count: int) -> list[PracticeCustomer]:
    return [
        PracticeCustomer(
            key=f"k{number:03}",
            name=f"Invented {number:03}",
            country="France",
            owner=f"Invented Seller {number % 3}",
        )
        for number in range(count)
    ]


def orders(people: Sequence[PracticeCustomer], today: date) -> list[PracticeOrder]:
    """A spread of habits: the higher the number, the fewer, smaller and older the orders; the last
    two customers bought for the first time this week."""
    made = []
    for place, person in enumerate(people):
        late = place >= len(people) - 2
        for number in range(1 if late else max(0, 14 - place)):
            day = today - timedelta(days=3 if late else 5 + 9 * place + 21 * number)
            made.append(
                PracticeOrder(
                    key=f"{person.key}-{number}",
                    customer=person.key,
                    placed_on=day,
                    amount=Decimal(100 + 50 * (len(people) - place)),
                )
            )
    return made
