"""Connectors that break exactly one promise each: every check must catch its own.

A check that cannot fail is a defect. Each mutant wraps an honest connector; the harness lets it
see what a careless author would have at hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from crmsync.connector.contract import (
    Capabilities,
    ModifiedSince,
    Page,
    ReadQuery,
    WriteOptions,
)
from crmsync.errors import AuthError, OutcomeUnknown, Throttled, Unavailable
from crmsync.model.change import Change, ChangeResult, Outcome, SetFields
from crmsync.model.record import Record, Value
from crmsync.model.schema import Organization
from crmsync.model.text import Text
from crmsync.testing.history_mutants import HISTORY_MUTANTS
from crmsync.testing.mutant import Mutant, Wrapped


class DropsAtPageBorder(Wrapped):
    """Loses the last record of every page but the last."""

    def read(self, query: ReadQuery, *, resume: str | None = None) -> Iterator[Page]:
        for page in self.inner.read(query, resume=resume):
            yield replace(page, records=page.records[:-1]) if page.resume else page


class RepeatsAtPageBorder(Wrapped):
    """Begins each page with the last record of the one before."""

    def read(self, query: ReadQuery, *, resume: str | None = None) -> Iterator[Page]:
        last: tuple[Record, ...] = ()
        for page in self.inner.read(query, resume=resume):
            yield replace(page, records=last + page.records)
            last = page.records[-1:]


class CountsOffsets(Wrapped):
    """Pages by offset over what is there now, as naive clients do."""

    def read(self, query: ReadQuery, *, resume: str | None = None) -> Iterator[Page]:
        offset, size = 0, 0
        while True:
            records = [r for page in self.inner.read(query) for r in page.records]
            size = size or len(records) // 4 + 1
            part = tuple(records[offset : offset + size])
            offset += size
            more = offset < len(records)
            yield Page(part, "more" if more else None)
            if not more:
                return


class IgnoresModifiedSince(Wrapped):
    """Takes "modified since" for "modified after"."""

    def read(self, query: ReadQuery, *, resume: str | None = None) -> Iterator[Page]:
        for page in self.inner.read(query, resume=resume):
            kept = page.records
            if isinstance(query.where, ModifiedSince):
                moment = query.where.moment
                kept = tuple(record for record in kept if record.modified_at > moment)
            yield replace(page, records=kept)


class ForgetsWhereItWent(Wrapped):
    """Takes a merged record for a deleted one."""

    def read(self, query: ReadQuery, *, resume: str | None = None) -> Iterator[Page]:
        for page in self.inner.read(query, resume=resume):
            kept = tuple(replace(record, merged_into=None) for record in page.records)
            yield replace(page, records=kept)


class GuessesWhereItWent(Wrapped):
    """Names the next best record for every one that is gone, whether it was merged or deleted."""

    def read(self, query: ReadQuery, *, resume: str | None = None) -> Iterator[Page]:
        best = "1"
        for page in self.inner.read(query, resume=resume):
            best = next((record.ref.id for record in page.records if not record.deleted), best)
            kept = tuple(
                replace(record, merged_into=best) if record.deleted else record
                for record in page.records
            )
            yield replace(page, records=kept)


class LosesItsPlace(Wrapped):
    """Starts from the beginning whatever the token says."""

    def read(self, query: ReadQuery, *, resume: str | None = None) -> Iterator[Page]:
        return self.inner.read(query)


class SkipsAPage(Wrapped):
    """Resumes one page too late."""

    def read(self, query: ReadQuery, *, resume: str | None = None) -> Iterator[Page]:
        pages = self.inner.read(query, resume=resume)
        if resume is not None:
            next(pages, None)
        return pages


class ChangesValues(Wrapped):
    """Reads numbers as floats and moments without their zone, as JSON would have it."""

    def read(self, query: ReadQuery, *, resume: str | None = None) -> Iterator[Page]:
        for page in self.inner.read(query, resume=resume):
            yield replace(page, records=tuple(_careless(record) for record in page.records))


class TrimsText(Wrapped):
    """Writes text without what it takes for noise."""

    def write(self, changes: Sequence[Change], options: WriteOptions) -> Sequence[ChangeResult]:
        return self.inner.write([_trimmed(change) for change in changes], options)


class ForgetsAResult(Wrapped):
    """Returns the results of the good records only."""

    def write(self, changes: Sequence[Change], options: WriteOptions) -> Sequence[ChangeResult]:
        results = self.inner.write(changes, options)
        return [result for result in results if result.outcome is Outcome.APPLIED]


class RaisesOnABadRecord(Wrapped):
    """Takes one refusal for the failure of the call."""

    def write(self, changes: Sequence[Change], options: WriteOptions) -> Sequence[ChangeResult]:
        results = self.inner.write(changes, options)
        if any(result.outcome is Outcome.REJECTED for result in results):
            raise OutcomeUnknown(Text.same("something went wrong"))
        return results


class WritesOneByOne(Wrapped):
    """Makes a request per record where one would do."""

    def write(self, changes: Sequence[Change], options: WriteOptions) -> Sequence[ChangeResult]:
        return [result for one in changes for result in self.inner.write([one], options)]


class CallsEverythingApplied(Wrapped):
    """Believes in a 200."""

    def write(self, changes: Sequence[Change], options: WriteOptions) -> Sequence[ChangeResult]:
        results = self.inner.write(changes, options)
        return [replace(result, outcome=Outcome.APPLIED, error=None) for result in results]


class CallsALostReplyUnavailable(Wrapped):
    """Says nothing was written when nobody knows."""

    def write(self, changes: Sequence[Change], options: WriteOptions) -> Sequence[ChangeResult]:
        try:
            return self.inner.write(changes, options)
        except OutcomeUnknown as problem:
            raise Unavailable(problem.message) from None


class TakesThrottlingForSignIn(Wrapped):
    """Sends people to sign in when waiting would do."""

    def write(self, changes: Sequence[Change], options: WriteOptions) -> Sequence[ChangeResult]:
        try:
            return self.inner.write(changes, options)
        except Throttled as problem:
            raise AuthError(problem.message) from None


class RepeatsSilently(Wrapped):
    """Sends a write again whose reply was lost."""

    def write(self, changes: Sequence[Change], options: WriteOptions) -> Sequence[ChangeResult]:
        try:
            return self.inner.write(changes, options)
        except OutcomeUnknown:
            return self.inner.write(changes, options)


class AssumesSuccess(Wrapped):
    """Reports a lost reply as done."""

    def write(self, changes: Sequence[Change], options: WriteOptions) -> Sequence[ChangeResult]:
        try:
            return self.inner.write(changes, options)
        except OutcomeUnknown:
            return [ChangeResult(change.change_id, Outcome.APPLIED) for change in changes]


class RunsAutomation(Wrapped):
    """Lets the CRM's workflows run unasked."""

    def write(self, changes: Sequence[Change], options: WriteOptions) -> Sequence[ChangeResult]:
        return self.inner.write(changes, replace(options, run_automation=True))


class NeverRunsAutomation(Wrapped):
    """Keeps workflows quiet even when asked to run them."""

    def write(self, changes: Sequence[Change], options: WriteOptions) -> Sequence[ChangeResult]:
        return self.inner.write(changes, replace(options, run_automation=False))


class IgnoresTheVersion(Wrapped):
    """Claims compare-and-set and writes regardless."""

    def write(self, changes: Sequence[Change], options: WriteOptions) -> Sequence[ChangeResult]:
        blind = [
            replace(change, version=None) if isinstance(change, SetFields) else change
            for change in changes
        ]
        return self.inner.write(blind, options)


class CallsForNothing(Wrapped):
    """Makes a call to write nothing."""

    def write(self, changes: Sequence[Change], options: WriteOptions) -> Sequence[ChangeResult]:
        if not changes:
            self.inner.check()
        return self.inner.write(changes, options)


class WritesInCheck(Wrapped):
    """Tries its rights out on a customer."""

    def check(self) -> Organization:
        field = self.harness.text_field
        for page in self.inner.read(ReadQuery(self.harness.object, (field,))):
            for record in page.records[:1]:
                probe = SetFields("probe", record.ref, {field: None}, {field: "probe"})
                self.inner.write([probe], WriteOptions())
            break
        return self.inner.check()


class ClosesOnce(Wrapped):
    """Breaks when it is closed again."""

    closed = False

    def close(self) -> None:
        if self.closed:
            raise RuntimeError("closed already")
        self.closed = True
        self.inner.close()


class QuotesTheRequest(Wrapped):
    """Puts what was sent into the error's words."""

    def write(self, changes: Sequence[Change], options: WriteOptions) -> Sequence[ChangeResult]:
        try:
            return self.inner.write(changes, options)
        except OutcomeUnknown as problem:
            raise OutcomeUnknown(Text.same(f"no answer to {list(changes)!r}")) from problem


class ShowsItsCredentials(Wrapped):
    """Has a repr made by a dataclass."""

    def __repr__(self) -> str:
        return f"Connector(secrets={list(self.harness.secrets())!r})"


def _careless(record: Record) -> Record:
    return replace(record, fields={name: _rough(value) for name, value in record.fields.items()})


def _rough(value: Value) -> Value:
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        return float(value)  # type: ignore[return-value]  # the very mistake
    return value


def _trimmed(change: Change) -> Change:
    if not isinstance(change, SetFields):
        return change
    after = {
        name: value.encode("ascii", "ignore").decode() if isinstance(value, str) else value
        for name, value in change.after.items()
    }
    return replace(change, after=after)


def _per_record(capabilities: Capabilities) -> bool:
    return not capabilities.atomic_batch


MUTANTS: tuple[Mutant, ...] = tuple(
    Mutant(number, kind.__name__, kind, needs)
    for number, kind, needs in (
        (1, DropsAtPageBorder, lambda _: True),
        (1, RepeatsAtPageBorder, lambda _: True),
        (1, CountsOffsets, lambda _: True),
        (1, IgnoresModifiedSince, lambda _: True),
        (2, LosesItsPlace, lambda _: True),
        (2, SkipsAPage, lambda _: True),
        (3, ChangesValues, lambda _: True),
        (3, TrimsText, lambda _: True),
        (4, ForgetsAResult, _per_record),
        (4, RaisesOnABadRecord, _per_record),
        (4, CallsEverythingApplied, _per_record),
        (4, WritesOneByOne, lambda c: c.write_batch > 1),
        (5, CallsALostReplyUnavailable, lambda _: True),
        (5, TakesThrottlingForSignIn, lambda _: True),
        (6, RepeatsSilently, lambda _: True),
        (6, AssumesSuccess, lambda _: True),
        (7, RunsAutomation, lambda c: c.can_silence_automation),
        (7, NeverRunsAutomation, lambda c: c.can_silence_automation),
        (8, IgnoresTheVersion, lambda c: c.conditional_write),
        (9, CallsForNothing, lambda _: True),
        (9, WritesInCheck, lambda _: True),
        (9, ClosesOnce, lambda _: True),
        (11, ForgetsWhereItWent, lambda c: c.sees_merges),
        (11, GuessesWhereItWent, lambda c: c.sees_deletes),
        (10, QuotesTheRequest, lambda _: True),
        (10, ShowsItsCredentials, lambda _: True),
        *((12, kind, lambda c: c.field_history) for kind in HISTORY_MUTANTS),
    )
)
"""Every promise is broken at least once."""
