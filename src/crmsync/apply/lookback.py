"""After the writes: asks the CRM's own history whether a write replaced somebody's edit.

A record is read just before it is written, and still a person may save between that look and the
write. Where the CRM keeps a history of each record, it tells what our write replaced. One call a
row: so a setting says for how many rows, and what is not looked at is counted and said.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice

from crmsync.apply.chain import judge
from crmsync.apply.remote import Stopped
from crmsync.apply.work import Work
from crmsync.errors import CrmSyncError, QuotaExhausted, UnexpectedReply
from crmsync.model.history import LookedBack
from crmsync.model.run import LookBackReport
from crmsync.model.text import Text
from crmsync.store import Finding, LookBacks, Op

PIECE = 50
"""Rows whose findings are noted together."""
ENTRIES = 500
"""Saves of one record that are looked at, at most."""
SLACK = timedelta(minutes=5)
"""How much further back than the last known change a history is asked for."""
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
WORTH_TELLING = 100
"""Rows from which on a person is told what takes so long."""
REFUSALS = 3
"""Histories in a row that cannot be read, after which no more are asked for."""
OFF = Text(
    zh="设置 look_back: off",
    en="look_back is off in the settings",
)
NO_HISTORY = Text(
    zh="这个 CRM 的连接器不读修改历史",
    en="this CRM's connector reads no change history",
)
STOPPED_FIRST = Text(zh="运行还没有写完", en="the run is not finished")
ASKED_TO_STOP = Text(zh="运行被要求停止", en="the run was asked to stop")


class LookBack:
    """The looks of one run. What was found is noted as it goes, so a crash loses nothing: a
    resumed run goes on with the rows nobody has looked at."""

    def __init__(self, work: Work, books: LookBacks) -> None:
        self._work = work
        self._books = books
        self._refusals = 0

    def run(self) -> Text | None:
        """Look at as many rows as the settings allow; says why some were left, if any were."""
        world, remote = self._work.world, self._work.remote
        if _compares_versions(self._work):
            return None
        if world.look_back == 0:
            return OFF
        if not remote.tells_history:
            return NO_HISTORY
        try:
            return self._all()
        except Stopped as stop:
            return ASKED_TO_STOP if stop.error is None else _given_up(stop.error)

    def _all(self) -> Text | None:
        books, run_id = self._books, self._work.run_id
        most = self._work.world.look_back
        looked = sum(count for found, count in books.counts(run_id).items() if found)
        self._tell()
        self._rest()
        again: list[Op] = []
        while most is None or looked < most:
            limit = PIECE if most is None else min(PIECE, most - looked)
            ops = books.waiting(run_id, limit=limit)
            if not ops:
                break
            again += self._look_at(ops)
            looked += len(ops)
        lag = self._work.remote.capabilities.history_lag
        if again and lag:
            # a history may lag: what did not show is asked for once more
            self._work.remote.pause(lag.total_seconds())
            self._look_at(again)
        return Text(zh=f"设置 look_back: {most}", en=f"look_back is {most} in the settings")

    def _tell(self) -> None:
        """Say what is going on where it takes a while."""
        waiting = self._books.counts(self._work.run_id).get(None, 0)
        most = self._work.world.look_back
        rows = waiting if most is None else min(waiting, most)
        if rows >= WORTH_TELLING:
            text = Text(
                zh=f"已全部写入；正在 CRM 的修改历史里回看 {rows} 行（中断不影响写入）",
                en=f"all is written; looking back at {rows} rows in the CRM's history"
                " (to stop here takes nothing back)",
            )
            self._work.world.notice(text)

    def _rest(self) -> None:
        """A write whose outcome was in doubt may still arrive, and then replace the very value for
        which its row was given up: no look before the quarantine is over."""
        now, until = self._work.world.now(), self._books.doubtful_until(self._work.run_id)
        wait = timedelta() if until is None else until - now
        if timedelta() < wait <= self._work.world.limits.settle_within:
            self._work.remote.pause(wait.total_seconds())

    def _look_at(self, ops: Sequence[Op]) -> list[Op]:
        """Look at some rows and note what was found; gives back those that did not show."""
        findings: list[Finding] = []
        try:
            findings += map(self._look, ops)
        finally:
            self._work.world.checkpoint("look-back")
            self._books.note(findings)
            self._work.world.checkpoint("look-back noted")
        return [item.op for item in findings if item.found is LookedBack.NOT_SHOWN]

    def _look(self, op: Op) -> Finding:
        row = op.record
        since = LONG_AGO if row.seen is None else row.seen.modified_at - SLACK
        fields = sorted(row.want)
        self._work.remote.check_stop()
        try:
            entries = self._work.remote.history(row.ref, fields, since=since)
            found, overwritten = judge(row, islice(entries, ENTRIES))
        except UnexpectedReply as error:
            self._refusals += 1
            if self._refusals >= REFUSALS:
                raise Stopped(error) from error
            return Finding(op, LookedBack.UNREAD)
        except CrmSyncError as error:
            raise Stopped(error) from error
        self._refusals = 0
        return Finding(op, found, overwritten)


def look_back_report(work: Work, books: LookBacks, why: Text | None) -> LookBackReport:
    """What was found of a run so far; ``why`` is why rows were left."""
    if _compares_versions(work):
        return LookBackReport()
    run_id = work.run_id
    counts = books.counts(run_id)
    rows = sum(counts.values())
    found = books.overwritten(run_id) if counts.get(LookedBack.OVERWRITTEN) else ()
    left = counts.get(None, 0)
    return LookBackReport(
        rows=rows,
        clear=counts.get(LookedBack.CLEAR, 0),
        overwritten=counts.get(LookedBack.OVERWRITTEN, 0),
        unread=counts.get(LookedBack.UNREAD, 0),
        not_shown=counts.get(LookedBack.NOT_SHOWN, 0),
        found=found,
        why=why if left else None,
    )


def _compares_versions(work: Work) -> bool:
    """Whether every write names the version it may replace: there is nothing to look back for."""
    return work.world.strict and work.remote.capabilities.conditional_write


def _given_up(error: CrmSyncError) -> Text:
    if isinstance(error, QuotaExhausted):
        return Text(
            zh=f"额度只够写入，先省下了回看：{error.message.zh}",
            en=f"the looks were given up to keep to the budget: {error.message.en}",
        )
    return error.message
