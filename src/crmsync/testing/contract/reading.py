"""Promises 1 to 3: reading everything once, resuming without loss, canonical values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from crmsync.connector.contract import (
    Everything,
    FieldIn,
    ModifiedSince,
    Page,
    Reader,
    ReadQuery,
    Where,
    WriteOptions,
)
from crmsync.model.change import Outcome, SetFields
from crmsync.model.record import Record, RecordRef, Value
from crmsync.testing.contract.check import contract_check, opened, require
from crmsync.testing.contract.harness import ContractHarness


def query(harness: ContractHarness, where: Where | None = None) -> ReadQuery:
    """A query for the text field."""
    return ReadQuery(harness.object, (harness.text_field,), where or Everything())


def read_one(connector: Reader, ref: RecordRef, fields: tuple[str, ...]) -> Record:
    """One record by its id."""
    asked = ReadQuery(ref.object, fields, FieldIn("id", (ref.id,)))
    found = [record for page in connector.read(asked) for record in page.records]
    require(len(found) == 1, f"reading one record by id gave {len(found)} records")
    return found[0]


def _ids(pages: Iterable[Page]) -> list[str]:
    return [record.ref.id for page in pages for record in page.records]


def _exactly(got: list[str], wanted: Iterable[str], what: str) -> None:
    twice = sorted(key for key, count in Counter(got).items() if count > 1)
    require(not twice, f"{what}: {len(twice)} records came more than once, e.g. {twice[:3]}")
    missing = sorted(set(wanted) - set(got))
    require(not missing, f"{what}: {len(missing)} records never came, e.g. {missing[:3]}")
    extra = sorted(set(got) - set(wanted))
    require(not extra, f"{what}: {len(extra)} records came unasked, e.g. {extra[:3]}")


@contract_check(1)
def reads_each_record_once(harness: ContractHarness) -> None:
    """``read`` yields each matching record once, whatever the platform's caps.

    Also when a person deletes a record that was already read while the read goes on: the border
    between two pages moves, and a reader that counts offsets loses a record.
    """
    ids = [ref.id for ref in harness.seed(harness.across_pages)]
    with opened(harness) as connector:
        pages = list(connector.read(query(harness)))
        require(len(pages) > 2, "the harness seeds too few records to cross two page borders")
        _exactly(_ids(pages), ids, "reading everything")
        first = min(_modified(page) for page in pages if page.records)
        _exactly(_ids(connector.read(query(harness, ModifiedSince(first)))), ids, "ModifiedSince")
        some = (ids[0], ids[-1], ids[len(ids) // 2])
        by_id = query(harness, FieldIn("id", some))
        _exactly(_ids(connector.read(by_id)), some, "FieldIn(id)")
        none = query(harness, FieldIn("id", ()))
        require(_ids(connector.read(none)) == [], "FieldIn without values gave records")
        got: list[str] = []
        for number, page in enumerate(connector.read(query(harness))):
            got.extend(record.ref.id for record in page.records)
            if number == 0:
                harness.remove(RecordRef(harness.object, got[0]))
        _exactly(got, ids, "reading while a record read before is deleted")


def _modified(page: Page) -> datetime:
    return min(record.modified_at for record in page.records)


@contract_check(2)
def resumes_without_loss(harness: ContractHarness) -> None:
    """A ``resume`` token from any page continues without loss, in another process too."""
    ids = [ref.id for ref in harness.seed(harness.across_pages)]
    with opened(harness) as connector:
        pages = list(connector.read(query(harness)))
    require(all(page.resume for page in pages[:-1]), "a page before the last has no resume token")
    require(not pages or pages[-1].resume is None, "the last page still has a resume token")
    for number, page in enumerate(pages[:-1], start=1):
        before = _ids(pages[:number])
        with opened(harness) as another:
            after = _ids(another.read(query(harness), resume=page.resume))
        what = f"resuming after page {number}"
        again = set(before) & set(after)
        require(not again, f"{what}: {len(again)} records came again")
        _exactly(before + after, ids, what)


@contract_check(3)
def values_are_canonical(harness: ContractHarness) -> None:
    """Values are canonical: what was written reads back equal, per field type.

    The type is part of it: 3 and ``Decimal(3)`` are equal, True and 1 are not the same.
    """
    samples = harness.samples()
    require(bool(samples), "the harness gives no samples")
    (ref,) = harness.seed(1)
    with opened(harness) as connector:
        for number, sample in enumerate(samples):
            change = SetFields(
                f"c{number}", ref, {sample.field: None}, {sample.field: sample.value}
            )
            (result,) = connector.write([change], WriteOptions())
            require(
                result.outcome is Outcome.APPLIED,
                f"writing the sample of {sample.field} ended as {result.outcome}",
            )
            record = read_one(connector, ref, (sample.field,))
            got = record.fields.get(sample.field)
            require(
                _same(got, sample.expected),
                f"{sample.field}: wrote {sample.value!r}, expected to read {sample.expected!r}, "
                f"got {got!r}",
            )


def _same(got: Value, wanted: Value) -> bool:
    if isinstance(got, float) or isinstance(got, bool) is not isinstance(wanted, bool):
        return False
    if got is None or wanted is None or isinstance(wanted, str | tuple):
        return type(got) is type(wanted) and got == wanted
    return got == wanted and hasattr(got, "tzinfo") is hasattr(wanted, "tzinfo")
