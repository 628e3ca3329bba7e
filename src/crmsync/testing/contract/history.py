"""The check of a record's own history: every save, newest first, nothing guessed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from crmsync.connector.contract import Connector, FieldHistory, WriteOptions
from crmsync.errors import UnexpectedReply
from crmsync.model.change import SetFields
from crmsync.model.history import HistoryEntry
from crmsync.model.record import RecordRef
from crmsync.testing.contract.check import contract_check, opened, require
from crmsync.testing.contract.harness import ContractHarness, Sample
from crmsync.testing.contract.reading import read_one
from crmsync.testing.contract.writing import set_text


@contract_check(12)
def history_tells_every_save(harness: ContractHarness) -> None:
    """Where ``field_history`` is claimed, a record's history tells every save since the moment
    asked for, newest first, with canonical values, and guesses none."""
    with opened(harness) as connector:
        if not connector.capabilities.field_history:
            return
        require(
            isinstance(connector, FieldHistory), "field_history is claimed, but there is no method"
        )
        _the_chain(harness, connector)
        _the_values(harness, connector)
        _what_is_gone(harness, connector)


def _the_chain(harness: ContractHarness, connector: Connector) -> None:
    """We write, a person edits, we write over it: three saves, and whose each was."""
    (ref,) = harness.seed(1)
    name = harness.text_field
    start = read_one(connector, ref, (name,))
    connector.write([set_text(harness, ref, "ours")], WriteOptions())
    harness.edit(ref, {name: "a person was here"})
    connector.write([set_text(harness, ref, "ours again")], WriteOptions())
    entries = _told(connector, ref, (name,), start.modified_at)
    chain = [
        (entry.changes[name].before, entry.changes[name].after)
        for entry in entries
        if name in entry.changes
    ]
    wanted = [
        ("a person was here", "ours again"),
        ("ours", "a person was here"),
        (start.fields.get(name), "ours"),
    ]
    require(chain == wanted, f"the history tells {len(chain)} saves, not the three made, in order")
    require(len({entry.id for entry in entries}) == len(entries), "a save is told twice")
    whose = [entry.ours for entry in entries]
    require(
        all(ours is not False for ours in (whose[0], whose[2])) and whose[1] is not True,
        "a save is put down to somebody else",
    )
    moments = [entry.at for entry in entries if entry.at is not None]
    require(
        len(moments) == len(entries) and moments == sorted(moments, reverse=True),
        "saves are not told newest first",
    )


def _the_values(harness: ContractHarness, connector: Connector) -> None:
    """Every kind of value comes back canonical, or is said to be unread."""
    samples = harness.samples()
    for ref, sample in zip(harness.seed(len(samples)), samples, strict=True):
        before = read_one(connector, ref, (sample.field,))
        if before.fields.get(sample.field) == sample.expected:
            continue
        values = {sample.field: sample.value}
        change = SetFields(f"history of {sample.field}", ref, before.fields, values)
        connector.write([change], WriteOptions())
        entries = _told(connector, ref, (sample.field,), before.modified_at)
        require(bool(entries), f"the history does not tell of a write of {sample.field}")
        _fits(entries[0], sample)


def _fits(entry: HistoryEntry, sample: Sample) -> None:
    name = sample.field
    if name in entry.unread:
        return
    told = entry.changes[name].after
    same = told == sample.expected and type(told) is type(sample.expected)
    require(same, f"the history tells another value of {name} than was written")


def _what_is_gone(harness: ContractHarness, connector: Connector) -> None:
    (ref,) = harness.seed(1)
    start = read_one(connector, ref, (harness.text_field,))
    harness.remove(ref)
    try:
        entries = _told(connector, ref, (harness.text_field,), start.modified_at)
    except UnexpectedReply:
        return
    require(not entries, "a history is told of a record that is not there")


def _told(
    connector: Connector, ref: RecordRef, fields: Sequence[str], since: datetime
) -> list[HistoryEntry]:
    assert isinstance(connector, FieldHistory)
    entries = list(connector.history(ref, fields, since=since))
    named = {name for entry in entries for name in {*entry.changes, *entry.unread}}
    require(named <= set(fields), "the history tells of fields nobody asked for")
    return entries
