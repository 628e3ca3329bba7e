"""Writes records to Zoho: one call, one result for each change, automation quiet unless asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crmsync.connector import WriteOptions
from crmsync.connector.call import HttpReply
from crmsync.errors import OutcomeUnknown, UsageError
from crmsync.model.change import (
    Change,
    ChangeResult,
    CreateRecord,
    Outcome,
    RemoteError,
    SetFields,
)
from crmsync.model.record import RecordRef, Value
from crmsync.model.schema import FieldType
from crmsync.model.text import Text
from crmsync_zoho.client import ZohoClient, clean_code, clean_name
from crmsync_zoho.codec import Json, NotWritable, ZohoFieldInfo, encode, moment, stamp
from crmsync_zoho.describing import Descriptions

BATCH = 100
PASSING = frozenset({"RECORD_LOCKED", "NOT_APPROVED", "NOT_REVIEWED", "RECORD_IN_BLUEPRINT"})
"""Refusals that may pass without anybody changing what we ask for."""
UNSURE = frozenset({"INTERNAL_ERROR", "INTERNAL_SERVER_ERROR", "DEPENDENT_SERVICE_ERROR"})
"""Results after which nobody knows whether the record was written."""
ABOUT_MODULE = "$se_module"


@dataclass(frozen=True, slots=True)
class _Item:
    """A change and what is sent for it, or why it is not sent."""

    change: Change
    sent: dict[str, Json] | None
    refusal: RemoteError | None = None


class Writing:
    """Answers ``write`` for one connection; thread-safe."""

    def __init__(self, client: ZohoClient, descriptions: Descriptions) -> None:
        self._client = client
        self._descriptions = descriptions

    def write(self, changes: Sequence[Change], options: WriteOptions) -> tuple[ChangeResult, ...]:
        """Carry out one batch of one kind and object."""
        if not changes:
            return ()
        module, updating = _shape(changes)
        fields = self._descriptions.fields(module)
        items = [_item(change, fields) for change in changes]
        sent = [item.sent for item in items if item.sent is not None]
        results: list[ChangeResult] = []
        if sent:
            body: dict[str, Json] = {"data": sent}
            if not options.run_automation:
                body["trigger"] = []
            reply = self._client.write(
                "PUT" if updating else "POST",
                module,
                body,
                unmodified_since=_version(changes, options),
            )
            answered = iter(_entries(reply, len(sent)))
        for item in items:
            if item.sent is None:
                results.append(_rejected(item))
            else:
                results.append(_result(item.change, next(answered), module))
        return tuple(results)


def _shape(changes: Sequence[Change]) -> tuple[str, bool]:
    kinds = {(type(change), _object(change)) for change in changes}
    if len(changes) > BATCH or len(kinds) > 1:
        raise UsageError(
            Text(
                zh=f"一次写入最多 {BATCH} 条，且须为同一对象、同一种改动",
                en=f"one write takes at most {BATCH} changes of one kind and one object",
            )
        )
    return _object(changes[0]), isinstance(changes[0], SetFields)


def _object(change: Change) -> str:
    return change.object if isinstance(change, CreateRecord) else change.ref.object


def _version(changes: Sequence[Change], options: WriteOptions) -> str | None:
    """The moment after which a record must not have changed, where it can be said exactly.

    Zoho takes one moment for a whole call, so it is sent for a single record, and in strict mode
    for records that share theirs; strict records that do not share it need calls of their own.
    """
    versions = {change.version for change in changes if isinstance(change, SetFields)}
    if versions <= {None}:
        return None
    if len(changes) > 1 and not options.strict:
        return None
    if len(versions) > 1:
        raise UsageError(
            Text(
                zh="严格写入时，一次调用里的记录必须版本相同",
                en="in strict mode the records of one call must share their version",
            )
        )
    (version,) = versions
    assert version is not None
    return stamp(moment(version))


def _item(change: Change, fields: Mapping[str, ZohoFieldInfo]) -> _Item:
    """What to send for a change. A field Zoho does not have would be passed over in silence, so it
    is refused here."""
    values = change.after if isinstance(change, SetFields) else change.values
    sent: dict[str, Json] = {}
    for name, value in values.items():
        info = fields.get(name)
        if info is None:
            return _not_sent(change, "UNKNOWN_FIELD", name)
        if info.schema.read_only:
            return _not_sent(change, "READ_ONLY", name)
        try:
            sent[name] = encode(info, value)
        except NotWritable as problem:
            return _not_sent(change, problem.code, name)
        if _points_anywhere(info, value):
            if not isinstance(change, CreateRecord) or change.about is None:
                return _not_sent(change, "PARENT_MODULE_UNKNOWN", name)
            sent[ABOUT_MODULE] = change.about.object
    if isinstance(change, SetFields):
        sent["id"] = change.ref.id
    return _Item(change, sent)


def _points_anywhere(info: ZohoFieldInfo, value: Value) -> bool:
    """A look-up that may point to several modules (What_Id) has to be told which."""
    schema = info.schema
    return value is not None and schema.type is FieldType.LOOKUP and schema.target is None


def _not_sent(change: Change, code: str, field: str) -> _Item:
    text = {
        "UNKNOWN_FIELD": "Zoho has no such field",
        "READ_ONLY": "the field is read-only",
        "WRONG_TYPE": "the value does not fit the field's type",
        "PARENT_MODULE_UNKNOWN": "the module the record points to is not known",
    }[code]
    return _Item(change, None, RemoteError(code, text, field))


def _rejected(item: _Item) -> ChangeResult:
    ref = item.change.ref if isinstance(item.change, SetFields) else None
    return ChangeResult(item.change.change_id, Outcome.REJECTED, ref, error=item.refusal)


def _entries(reply: HttpReply, count: int) -> list[dict[str, Json]]:
    """Zoho's results, one for each record and in their order; a refusal of the whole call (nothing
    was written then) stands for each of them."""
    found = reply.json_object()
    data = found.get("data")
    if isinstance(data, list) and len(data) == count:
        if all(isinstance(entry, dict) for entry in data):
            return data
    elif (
        not isinstance(data, list) and reply.status in {400, 412} and clean_code(found.get("code"))
    ):
        return [found] * count
    raise OutcomeUnknown(
        Text(
            zh=f"{reply.place}：结果条数与发送的记录不符",
            en=f"{reply.place}: the results do not match the records that were sent",
        )
    )


def _result(change: Change, entry: Mapping[str, Json], module: str) -> ChangeResult:
    details = entry.get("details")
    details = details if isinstance(details, dict) else {}
    code = clean_code(entry.get("code"))
    ref = change.ref if isinstance(change, SetFields) else None
    if code == "SUCCESS":
        return _applied(change, details, module)
    if code == "ALREADY_MODIFIED":
        error = RemoteError(code, "the record was modified after it was read", retryable=True)
        return ChangeResult(change.change_id, Outcome.CONFLICT, ref, _moment(details), error)
    if code is None or code in UNSURE:
        error = RemoteError(code or "NO_CODE", "Zoho did not say whether it wrote the record")
        return ChangeResult(change.change_id, Outcome.UNKNOWN, ref, error=error)
    twin = _twin(change, code, details)
    if twin is not None:
        return ChangeResult(change.change_id, Outcome.APPLIED, RecordRef(module, twin))
    error = RemoteError(code, _says(details), _field(details), retryable=code in PASSING)
    return ChangeResult(change.change_id, Outcome.REJECTED, ref, error=error)


def _applied(change: Change, details: Mapping[str, Json], module: str) -> ChangeResult:
    record = details.get("id")
    known = change.ref.id if isinstance(change, SetFields) else None
    if not isinstance(record, str | int) or known not in {None, str(record)}:
        error = RemoteError("NO_ID", "Zoho's result does not name the record")
        ref = change.ref if isinstance(change, SetFields) else None
        return ChangeResult(change.change_id, Outcome.UNKNOWN, ref, error=error)
    ref = RecordRef(module, str(record))
    return ChangeResult(change.change_id, Outcome.APPLIED, ref, _moment(details))


def _twin(change: Change, code: str, details: Mapping[str, Json]) -> str | None:
    """The record that carries our key already: the creation happened before."""
    if code != "DUPLICATE_DATA" or not isinstance(change, CreateRecord):
        return None
    other = details.get("duplicate_record")
    if details.get("api_name") != change.key_field or not isinstance(other, dict):
        return None
    record = other.get("id")
    return str(record) if isinstance(record, str | int) else None


def _moment(details: Mapping[str, Json]) -> str | None:
    try:
        return stamp(moment(details["Modified_Time"]))
    except (KeyError, TypeError, ValueError):
        return None


def _field(details: Mapping[str, Json]) -> str | None:
    return clean_name(details.get("api_name"))


def _says(details: Mapping[str, Json]) -> str:
    """What Zoho's details say, in our words: its own texts might repeat a value."""
    if isinstance(details.get("maximum_length"), int):
        return f"longer than {details['maximum_length']}"
    if isinstance(details.get("supported_values"), list):
        return "not one of the field's values"
    expected = clean_name(details.get("expected_data_type"))
    if expected is not None:
        return f"{expected} expected"
    if details.get("api_name") == "id":
        return "no such record, or not writable now"
    return "refused by Zoho"
