"""Promises 4 to 8: one result each, honest raises, no silent repeat, quiet automation, versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crmsync.connector.contract import Connector, WriteOptions
from crmsync.errors import (
    AccessDenied,
    AuthError,
    BatchRejected,
    ConnectorError,
    OutcomeUnknown,
    QuotaExhausted,
    Throttled,
    Unavailable,
)
from crmsync.model.change import Change, ChangeResult, CreateRecord, Outcome, SetFields
from crmsync.model.record import RecordRef, Value
from crmsync.testing.contract.check import contract_check, opened, require
from crmsync.testing.contract.harness import ContractHarness
from crmsync.testing.contract.reading import read_one
from crmsync.testing.memory_crm import Trouble

NOTHING_WRITTEN = (Throttled, QuotaExhausted, Unavailable, AuthError, AccessDenied, BatchRejected)
LOST = (Trouble.LOST_BEFORE_COMMIT, Trouble.LOST_AFTER_COMMIT, Trouble.ERROR_AFTER_COMMIT)
IN_DOUBT = (*LOST, Trouble.COMMITTED_LATE)


def set_text(harness: ContractHarness, ref: RecordRef, text: str) -> SetFields:
    """A change of the text field."""
    return SetFields(f"set {ref.id}", ref, {harness.text_field: None}, {harness.text_field: text})


def _text(harness: ContractHarness, ref: RecordRef) -> Value:
    return harness.stored(ref).get(harness.text_field)


@contract_check(4)
def gives_one_result_per_change(harness: ContractHarness) -> None:
    """``write`` returns exactly one result per change; a bad record never raises.

    It makes one write request a call. Where the platform takes all or nothing, BatchRejected may
    be raised for a batch — of more than one — and then nothing of it was written.
    """
    with opened(harness) as connector:
        size = min(connector.capabilities.write_batch, 5)
        refs = list(harness.seed(size))
        good = [set_text(harness, ref, "一 first") for ref in refs]
        before = harness.writes()
        results = connector.write(good, WriteOptions())
        require(harness.writes() - before == 1, "one write call did not make one write request")
        _one_each(good, results)
        _agree(harness, results, good, Outcome.APPLIED)
        _with_one_bad(harness, connector, refs)
        _alone(harness, connector, _bad_change(harness, refs[0]))
        gone = harness.seed(1)[0]
        harness.remove(gone)
        _alone(harness, connector, set_text(harness, gone, "三 third"))


def _with_one_bad(
    harness: ContractHarness, connector: Connector, refs: Sequence[RecordRef]
) -> None:
    if len(refs) < 2:
        return
    middle = len(refs) // 2
    if connector.capabilities.uniform_batch:
        harness.remove(refs[middle])  # a platform with one set of values can only lack the record
        batch = [set_text(harness, ref, "二 second") for ref in refs]
    else:
        batch = [set_text(harness, ref, "二 second") for ref in refs]
        batch[middle] = _bad_change(harness, refs[middle])
    others = [change for number, change in enumerate(batch) if number != middle]
    try:
        results = connector.write(batch, WriteOptions())
    except BatchRejected:
        require(
            connector.capabilities.atomic_batch, "BatchRejected from a platform that says it is not"
        )
        for change in others:
            require(
                _text(harness, change.ref) == "一 first", "a rejected batch was written in part"
            )
        return
    except ConnectorError as problem:
        raise AssertionError(f"a bad record raised {type(problem).__name__}") from problem
    _one_each(batch, results)
    wrong = {result.change_id: result for result in results}[batch[middle].change_id]
    require(wrong.outcome is Outcome.REJECTED, f"the bad record ended as {wrong.outcome}")
    require(wrong.error is not None and bool(wrong.error.code), "a refusal does not say why")
    _agree(harness, [r for r in results if r is not wrong], others, Outcome.APPLIED)


def _alone(harness: ContractHarness, connector: Connector, change: SetFields) -> None:
    try:
        results = connector.write([change], WriteOptions())
    except BatchRejected:
        require(connector.capabilities.atomic_batch, "BatchRejected without atomic_batch")
        return
    except ConnectorError as problem:
        raise AssertionError(f"one bad record raised {type(problem).__name__}") from problem
    _one_each([change], results)
    outcome = results[0].outcome
    require(
        outcome in {Outcome.REJECTED, Outcome.CONFLICT},
        f"a record that cannot be ended as {outcome}",
    )


def _bad_change(harness: ContractHarness, ref: RecordRef) -> SetFields:
    name, value = harness.bad_value()
    return SetFields(f"bad {ref.id}", ref, {name: None}, {name: value})


def _one_each(changes: Sequence[Change], results: Sequence[ChangeResult]) -> None:
    asked = [change.change_id for change in changes]
    told = [result.change_id for result in results]
    require(
        sorted(asked) == sorted(told),
        f"{len(asked)} changes gave {len(told)} results, or results for other changes",
    )


def _agree(
    harness: ContractHarness,
    results: Sequence[ChangeResult],
    changes: Sequence[SetFields],
    wanted: Outcome,
) -> None:
    for result in results:
        require(result.outcome is wanted, f"a good change ended as {result.outcome}")
    for change in changes:
        for name, value in change.after.items():
            got = harness.stored(change.ref).get(name)
            require(got == value, f"a result says applied, yet {name} holds something else")


@contract_check(5)
def a_raise_speaks_for_the_whole_call(harness: ContractHarness) -> None:
    """A raise speaks for the whole call and says what happened.

    Throttled, QuotaExhausted, Unavailable, AuthError and AccessDenied mean that nothing was
    written; BatchRejected was rolled back; OutcomeUnknown may have been written.
    """
    shown = 0
    for kind in Trouble:
        (ref,) = harness.seed(1)
        before = _text(harness, ref)
        with opened(harness) as connector:
            connector.check()
            if not harness.trouble(kind):
                continue
            shown += 1
            outcome = _outcome(connector, set_text(harness, ref, f"after {kind.name.lower()}"))
        written = _text(harness, ref) != before
        if isinstance(outcome, NOTHING_WRITTEN):
            name = type(outcome).__name__
            require(not written, f"{kind}: {name} says nothing was written, but it was")
            require(kind not in IN_DOUBT, f"{kind}: {name} claims to know what nobody can know")
        elif outcome is Outcome.APPLIED:
            require(written, f"{kind}: the result says applied, but nothing was written")
        elif outcome in {Outcome.REJECTED, Outcome.CONFLICT}:
            require(not written, f"{kind}: the result says {outcome}, but it was written")
        expected = _EXPECTED.get(kind)
        if expected is not None:
            require(
                isinstance(outcome, expected),
                f"{kind}: expected {expected.__name__}, got {_named(outcome)}",
            )
    require(shown >= 3, "the harness shows too few troubles (throttled, lost before and after)")


_EXPECTED: Mapping[Trouble, type[ConnectorError]] = {
    Trouble.THROTTLED: Throttled,
    Trouble.QUOTA: QuotaExhausted,
    Trouble.SIGN_IN: AuthError,
    Trouble.UNREACHABLE: Unavailable,
}


def _outcome(connector: Connector, change: Change) -> Outcome | ConnectorError:
    try:
        (result,) = connector.write([change], WriteOptions())
    except ConnectorError as problem:
        return problem
    return result.outcome


def _named(outcome: Outcome | ConnectorError) -> str:
    return outcome.value if isinstance(outcome, Outcome) else type(outcome).__name__


@contract_check(6)
def a_lost_reply_is_never_repeated(harness: ContractHarness) -> None:
    """No silent repeat of a write whose reply was lost: the engine reconciles by reading.

    One write request goes out, and the connector says that it does not know.
    """
    shown = 0
    for kind in LOST:
        (ref,) = harness.seed(1)
        shown += _lost(harness, kind, set_text(harness, ref, "sent once"))
        created = harness.new_record(f"cs1-{kind.name.lower()}")
        if created is None:
            continue
        if _lost(harness, kind, created):
            key = str(created.values[created.key_field])
            found = harness.count_key(created.object, created.key_field, key)
            require(found <= 1, f"{kind}: one creation made {found} records")
    require(shown > 0, "the harness can lose no reply")


def _lost(harness: ContractHarness, kind: Trouble, change: SetFields | CreateRecord) -> bool:
    with opened(harness) as connector:
        connector.check()
        if not harness.trouble(kind):
            return False
        before = harness.writes()
        outcome = _outcome(connector, change)
        sent = harness.writes() - before
    require(sent == 1, f"{kind}: {sent} write requests went out for one call")
    require(
        isinstance(outcome, OutcomeUnknown) or outcome is Outcome.UNKNOWN,
        f"{kind}: the reply was lost, yet the connector says {_named(outcome)}",
    )
    return True


@contract_check(7)
def automation_stays_quiet(harness: ContractHarness) -> None:
    """The CRM's own automation stays quiet unless asked, or the capability says it cannot."""
    (ref,) = harness.seed(1)
    with opened(harness) as connector:
        can = connector.capabilities.can_silence_automation
        before = harness.automation_runs()
        connector.write([set_text(harness, ref, "quietly")], WriteOptions())
        ran = harness.automation_runs() - before
        if not can:
            require(ran > 0, "the capability says automation cannot be silenced, yet it was")
            return
        require(ran == 0, "the CRM's automation ran although nobody asked for it")
        created = harness.new_record("cs1-quiet")
        if created is not None:
            connector.write([created], WriteOptions())
            require(harness.automation_runs() == before, "a creation set the automation off")
        connector.write([set_text(harness, ref, "loudly")], WriteOptions(run_automation=True))
        require(harness.automation_runs() > before, "run_automation was asked for and nothing ran")


@contract_check(8)
def a_moved_record_gives_conflict(harness: ContractHarness) -> None:
    """Where ``conditional_write`` is claimed, a moved record gives CONFLICT and stays untouched."""
    (ref,) = harness.seed(1)
    with opened(harness) as connector:
        if not connector.capabilities.conditional_write:
            return
        old = read_one(connector, ref, (harness.text_field,))
        require(
            old.version is not None, "conditional_write is claimed, but records have no version"
        )
        harness.edit(ref, {harness.text_field: "a person was here"})
        outcome = _outcome(connector, _versioned(harness, ref, old.version))
        require(outcome is Outcome.CONFLICT, f"a moved record ended as {_named(outcome)}")
        require(_text(harness, ref) == "a person was here", "a person's value was overwritten")
        new = read_one(connector, ref, (harness.text_field,))
        outcome = _outcome(connector, _versioned(harness, ref, new.version))
        require(outcome is Outcome.APPLIED, f"an unmoved record ended as {_named(outcome)}")


def _versioned(harness: ContractHarness, ref: RecordRef, version: str | None) -> SetFields:
    change = set_text(harness, ref, "ours")
    return SetFields(change.change_id, ref, change.before, change.after, version)
