"""The pull: one object after the other into the staging file, then one publication."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from crmsync.connector import Everything, FieldIn, ModifiedSince, Page, Reader, ReadQuery
from crmsync.errors import UnexpectedReply
from crmsync.ingest.options import DEFAULTS, ObjectPull, PullOptions, PullProgress, PullReport
from crmsync.ingest.wants import merge_wants
from crmsync.model.record import Record, RecordRef
from crmsync.model.schema import FieldSchema, ObjectWant
from crmsync.model.text import Text
from crmsync.store.batching import batched
from crmsync.store.mirror import MirrorWriter, ReadKind, ReadState
from crmsync.store.mirror_columns import same_columns, stored_fields

_SKEW = timedelta(seconds=60)
ASKED = 100
"""Ids asked for in one read."""


def pull(
    reader: Reader,
    wants: Sequence[ObjectWant],
    mirror: Path,
    *,
    options: PullOptions = DEFAULTS,
    progress: Callable[[PullProgress], None] = lambda _: None,
) -> PullReport:
    """Bring the mirror up to date with the CRM and publish it.

    No change made before the pull began is missed (watermarks are the CRM's time at the start of
    the read, less the connector's lookback; repeats are removed by id, the newest modification
    winning). When the reader raises, the published mirror stays as it was, what was read is kept
    and the next pull goes on after the last stored page. Raises LockHeld, StoreError,
    UnexpectedReply (a page came twice) and whatever the reader raises.
    """
    organization = reader.check()
    started = options.now()
    with MirrorWriter(
        mirror,
        account=organization.id,
        now=started,
        resume_within=options.resume_within,
        rebuild=options.full,
        settings=options.mirror,
    ) as writer:
        work = _Pull(reader, writer, options, progress)
        objects = [work.read(want) for want in merge_wants(wants)]
        pulled_at = min([item.watermark for item in objects], default=started)
        counts = {count.object: count for count in writer.publish(pulled_at)}
        warnings = (*writer.warnings, *work.warnings)
    return PullReport(
        organization=organization,
        objects=tuple(
            replace(
                item,
                changed=counts[item.object].changed,
                deleted=counts[item.object].deleted,
                rows=counts[item.object].rows,
            )
            for item in objects
        ),
        pulled_at=pulled_at,
        warnings=warnings,
    )


class _Pull:
    """One pull at work: chooses how to read each object and stores its pages."""

    def __init__(
        self,
        reader: Reader,
        writer: MirrorWriter,
        options: PullOptions,
        progress: Callable[[PullProgress], None],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._options = options
        self._progress = progress
        self._states = writer.states()
        self.warnings: list[Text] = []

    def read(self, want: ObjectWant) -> ObjectPull:
        """Read one object to its end; counts of the merge come later."""
        fields = stored_fields(want.fields)
        begun = self._resumable(want.object, fields)
        kind, since, reason = self._choice(want.object, fields)
        if begun is None:
            state = self._run(want.object, fields, kind, since)
        else:
            kind, reason = begun.kind, None if begun.kind is kind else reason
            state = begun if begun.done else self._continue(begun)
            if begun.done and self._old(begun.watermark):
                state = self._top_up(begun)
        if kind is ReadKind.INCREMENTAL:
            state = self._without_gone(state)
        return ObjectPull(
            object=want.object,
            kind=kind,
            read=state.rows,
            changed=0,
            deleted=0,
            rows=0,
            resumed=begun is not None,
            watermark=state.watermark,
            reason=reason,
        )

    def _choice(
        self, object: str, fields: Sequence[FieldSchema]
    ) -> tuple[ReadKind, datetime | None, Text | None]:
        meta = self._writer.published
        known = meta.objects.get(object) if meta is not None else None
        if self._options.full:
            return ReadKind.FULL, None, Text(zh="要求完整读取", en="a full read was asked for")
        if known is None:
            return ReadKind.FULL, None, Text(zh="首次读取", en="first read")
        if not same_columns(known.fields, fields):
            return ReadKind.FULL, None, Text(zh="映射的字段有变化", en="the mapped fields changed")
        if known.full_at + self._options.full_every <= self._options.now():
            return ReadKind.FULL, None, Text(zh="定期完整核对", en="regular full reconciliation")
        since = known.watermark - self._reader.capabilities.lookback
        return ReadKind.INCREMENTAL, since, None

    def _resumable(self, object: str, fields: Sequence[FieldSchema]) -> ReadState | None:
        state = self._states.get(object)
        if state is None or not same_columns(state.fields, fields):
            return None
        if self._options.full and state.kind is not ReadKind.FULL:
            return None
        return state

    def _old(self, watermark: datetime) -> bool:
        return watermark + self._options.refresh_after <= self._options.now()

    def _continue(self, state: ReadState) -> ReadState:
        for page in self._pages(state.object, state.fields, state.since, state.resume):
            state = self._store(state, page)
        return state if state.done else self._finish(state)

    def _top_up(self, state: ReadState) -> ReadState:
        since = state.watermark - self._reader.capabilities.lookback
        clock = self._options.now()
        first = True
        for page in self._pages(state.object, state.fields, since, None):
            if first:
                state = self._writer.reopen(state.object, since, self._server_time(page, clock))
                first = False
            state = self._store(state, page)
        return state if state.done else self._finish(state)

    def _run(
        self, object: str, fields: tuple[FieldSchema, ...], kind: ReadKind, since: datetime | None
    ) -> ReadState:
        clock = self._options.now()
        state = ReadState(
            object=object,
            fields=fields,
            kind=kind,
            since=since,
            watermark=clock,
            resume=None,
            rows=0,
            done=False,
        )
        begun = False
        for page in self._pages(object, fields, since, None):
            if not begun:
                state = replace(state, watermark=self._server_time(page, clock))
                state, begun = self._writer.begin(state), True
            state = self._store(state, page)
        if not begun:
            state = self._writer.begin(state)
        return state if state.done else self._finish(state)

    def _store(self, state: ReadState, page: Page) -> ReadState:
        done = page.resume is None
        state = self._writer.append(state, page.records, resume=page.resume, done=done)
        self._progress(PullProgress(object=state.object, read=state.rows, kind=state.kind))
        return state

    def _finish(self, state: ReadState) -> ReadState:
        return self._writer.append(state, (), resume=None, done=True)

    def _without_gone(self, state: ReadState) -> ReadState:
        """Ask for the suspects by id; those that are not there are deleted, as of this read."""
        suspects = self._options.suspects.get(state.object, ())
        for ids in batched(self._writer.published_ids(state.object, suspects), ASKED):
            query = ReadQuery(state.object, (), FieldIn("id", ids))
            records = (record for page in self._reader.read(query) for record in page.records)
            there = {record.ref.id for record in records if not record.deleted}
            gone = tuple(
                Record(RecordRef(state.object, id), {}, state.watermark, deleted=True)
                for id in ids
                if id not in there
            )
            state = self._writer.append(state, gone, resume=None, done=True)
        return state

    def _pages(
        self,
        object: str,
        fields: Sequence[FieldSchema],
        since: datetime | None,
        resume: str | None,
    ) -> Iterator[Page]:
        query = ReadQuery(
            object=object,
            fields=tuple(field.name for field in fields),
            where=Everything() if since is None else ModifiedSince(since),
        )
        tokens, pages = {hash(resume)} if resume is not None else set(), set()
        for page in self._reader.read(query, resume=resume):
            content = hash(tuple((record.ref.id, record.modified_at) for record in page.records))
            if (page.resume is not None and hash(page.resume) in tokens) or (
                page.records and content in pages
            ):
                raise _repeated(object)
            tokens.add(hash(page.resume))
            pages.add(content)
            yield page

    def _server_time(self, page: Page, clock: datetime) -> datetime:
        if page.server_time is None:
            return clock
        skew = clock - page.server_time
        if abs(skew) > _SKEW and not self.warnings:
            minutes = max(1, round(abs(skew).total_seconds() / 60))
            ahead = skew > timedelta()
            self.warnings.append(
                Text(
                    zh=f"本机时钟比 CRM {'快' if ahead else '慢'}约 {minutes} 分钟",
                    en=f"this computer's clock is about {minutes} min "
                    f"{'ahead of' if ahead else 'behind'} the CRM's",
                )
            )
        return page.server_time


def _repeated(object: str) -> UnexpectedReply:
    return UnexpectedReply(
        Text(
            zh=f"CRM 重复返回了 {object} 的同一页，读取已停止",
            en=f"the CRM returned the same page of {object} twice; the read was stopped",
        ),
        mend=Text(
            zh="稍后再运行 crmsync pull；若仍重复，运行 crmsync pull --full",
            en="Run crmsync pull again later; if it repeats, run crmsync pull --full.",
        ),
    )
