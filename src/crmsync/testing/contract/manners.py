"""Promises 9 and 10: no needless calls, and nobody's secrets or data where they do not belong."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from crmsync.connector.contract import Connector, WriteOptions
from crmsync.errors import CrmSyncError
from crmsync.model.change import SetFields
from crmsync.testing.contract.check import contract_check, opened, require
from crmsync.testing.contract.harness import CANARY, ContractHarness
from crmsync.testing.contract.reading import query
from crmsync.testing.contract.writing import set_text
from crmsync.testing.memory_crm import Trouble


@contract_check(9)
def empty_input_makes_no_call(harness: ContractHarness) -> None:
    """Empty input makes no call, ``close`` twice is fine, ``check`` never writes.

    Neither do ``describe`` and ``read``.
    """
    harness.seed(2)
    connector = harness.open()
    try:
        _asks_for_nothing_needless(harness, connector)
    finally:
        connector.close()
    try:
        connector.close()
    except Exception as problem:
        raise AssertionError(f"closing twice raised {type(problem).__name__}") from problem


def _asks_for_nothing_needless(harness: ContractHarness, connector: Connector) -> None:
    before = harness.requests()
    require(tuple(connector.write([], WriteOptions())) == (), "writing nothing gave results")
    require(harness.requests() == before, "writing nothing made a call")
    writes = harness.writes()
    first, second = connector.check(), connector.check()
    require(harness.writes() == writes, "check wrote to the CRM")
    require(bool(first.id), "check does not tell the account's id")
    require(first.id == second.id, "check tells another account each time")
    schema = connector.describe(harness.object)
    require(schema.field(harness.text_field) is not None, "describe does not know the text field")
    for _ in connector.read(query(harness)):
        pass
    require(harness.writes() == writes, "describe or read wrote to the CRM")


class _Ears(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.heard: list[str] = []
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(self.format(record))


@contextmanager
def _listening() -> Iterator[_Ears]:
    root, ears = logging.getLogger(), _Ears()
    level = root.level
    root.addHandler(ears)
    root.setLevel(logging.DEBUG)
    try:
        yield ears
    finally:
        root.setLevel(level)
        root.removeHandler(ears)


@contract_check(10)
def nothing_private_is_shown(harness: ContractHarness) -> None:
    """No credential or personal value appears in any error, repr or log."""
    with _listening() as ears, opened(harness) as connector:
        shown = [repr(connector), str(connector), repr(connector.check())]
        harness.edit(harness.seed(1)[0], {harness.text_field: CANARY})
        shown.extend(repr(page.resume) for page in connector.read(query(harness)))
        name, value = harness.bad_value()
        (ref,) = harness.seed(1)
        shown.append(_spoken(connector, SetFields("bad", ref, {name: None}, {name: value})))
        for kind in (None, *Trouble):
            (ref,) = harness.seed(1)
            harness.edit(ref, {harness.text_field: CANARY})
            if kind is None or harness.trouble(kind):
                # each its own: once told to pause, a connector may refuse what comes after
                with opened(harness) as troubled:
                    shown.append(_spoken(troubled, set_text(harness, ref, f"{CANARY} two")))
        shown.extend(ears.heard)
    for text in shown:
        require(CANARY not in text, f"a customer's data is shown: {_blanked(text, CANARY)}")
        for secret in harness.secrets():
            require(secret not in text, f"a credential is shown: {_blanked(text, secret)}")


def _spoken(connector: Connector, change: SetFields) -> str:
    try:
        results = connector.write([change], WriteOptions())
    except CrmSyncError as problem:
        trace = "".join(traceback.format_exception(problem))
        mend = problem.mend.zh + problem.mend.en if problem.mend else ""
        return (
            f"{problem!r} {problem.message.zh} {problem.message.en} {mend} {vars(problem)} {trace}"
        )
    return repr([result.error for result in results])


def _blanked(text: str, secret: str) -> str:
    return text.replace(secret, "[…]")[:300]
