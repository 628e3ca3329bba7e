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

from crmsync.cli.main import main
from crmsync.config.secrets import store_secret
from crmsync.connector import connector
from crmsync.project.connecting import look
from crmsync.project.opening import open_project
from crmsync.testing import PracticeCustomer, PracticeOrder, Sandbox


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

    def run(self, *words: str, ok: bool = True) -> Result:
        """Run one command line in this process, exactly through its entry point."""
        result = run(words[0], "--project", str(self.folder), *words[1:])
        if ok:
            assert result.code == 0, result.err + result.out
        return result

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

    def owned_fields(self) -> set[str]:
        plan = json.loads((self.folder / "plan.json").read_text().splitlines()[0])
        return set(plan["header"]["owned_fields"])


def run(*words: str) -> Result:
    """``crmsync`` with these words; its exit code and both streams."""
    out, err = io.StringIO(), io.StringIO()
    previous = sys.argv
    sys.argv = ["crmsync", *words]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main()
            except SystemExit as leaving:
                code = int(leaving.code or 0)
    finally:
        sys.argv = previous
    return Result(code, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def practice(name: str, folder: Path) -> Iterator[World]:
    sandbox: Sandbox = connector(name).load("sandbox").for_practice()
    with sandbox:
        yield World(name, folder, sandbox)


def customers(count: int) -> list[PracticeCustomer]:
    return [
        PracticeCustomer(key=f"k{number:03}", name=f"Invented {number:03}", country="France")
        for number in range(count)
    ]


def orders(people: Sequence[PracticeCustomer], today: date) -> list[PracticeOrder]:
    """A spread of habits: the higher the number, the fewer, smaller and older the orders."""
    made = []
    for place, person in enumerate(people):
        for number in range(max(0, 14 - place)):
            made.append(
                PracticeOrder(
                    key=f"{person.key}-{number}",
                    customer=person.key,
                    placed_on=today - timedelta(days=5 + 9 * place + 21 * number),
                    amount=Decimal(900 - 50 * place),
                )
            )
    return made
