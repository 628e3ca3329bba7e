"""The ticker: looks every few seconds which slots are due, claims them in our own table, runs them.

APScheduler drives the ticks with a memory store; schedules, claims and history are ours, so several
schedulers may run at once and a slot still runs once. A slot that was missed is never silent: it is
caught up by its job's policy, recorded, and named.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from crmsync.config.project_file import JobConfig
from crmsync.errors import CrmSyncError
from crmsync.model.text import Text
from crmsync.project.opening import Project
from crmsync.project.syncing import SyncOutcome, sync
from crmsync.schedule.slots import timetable
from crmsync.store import Slot, SlotState, Store

EVERY = timedelta(seconds=15)
LATE = timedelta(minutes=5)
"""A slot older than this counts as missed."""
SILENT = timedelta(minutes=2)
"""A claimed slot without a heartbeat for this long belongs to a dead process."""
BEAT = timedelta(seconds=30)
NAMED = 5
"""Missed slots named one by one; of more, the first and the last."""


Work = Callable[[Project, str, threading.Event], SyncOutcome]


def sync_job(project: Project, job: str, stop: threading.Event) -> SyncOutcome:
    """One scheduled run of a job."""
    return sync(project, job, by=f"schedule {job}", stop=stop)


class Ticker:
    """Runs the project's jobs at their slots. ``tell`` gets one sentence for every event; ``work``
    carries out one job and is `sync` unless a test says otherwise. A bug in a job is given to
    ``on_bug``, the slot counts as failed and the other jobs go on."""

    def __init__(
        self,
        project: Project,
        tell: Callable[[Text], None],
        work: Work = sync_job,
        on_bug: Callable[[Exception], object] | None = None,
    ) -> None:
        self._project = project
        self._tell = tell
        self._work = work
        self._on_bug = on_bug
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        self._tables = {
            job.name: timetable(job.when, ZoneInfo(job.time_zone))
            for job in project.config.jobs.values()
        }
        self._since = project.now() - EVERY
        self._busy = threading.Lock()

    def run(self, stop: threading.Event) -> None:
        """Tick until *stop*; the job under way is asked to stop and waited for."""
        for job in self._project.config.jobs.values():
            self._announce(job)
        scheduler = BackgroundScheduler(timezone=ZoneInfo("UTC"))
        scheduler.add_job(
            self._tick_safely,
            IntervalTrigger(seconds=int(EVERY.total_seconds())),
            args=(stop,),
            next_run_time=self._project.now(),
            coalesce=True,
            max_instances=1,
        )
        scheduler.start()
        try:
            stop.wait()
        finally:
            scheduler.shutdown(wait=True)

    def tick(self, stop: threading.Event) -> None:
        """Run every slot that is due now, one after the other."""
        if not self._busy.acquire(blocking=False):
            return
        try:
            with self._project.store() as store:
                for job in self._project.config.jobs.values():
                    if stop.is_set():
                        return
                    self._job(store, job, stop)
        finally:
            self._busy.release()

    def _tick_safely(self, stop: threading.Event) -> None:
        """One tick; what stops it is told, and the next tick tries again."""
        try:
            self.tick(stop)
        except CrmSyncError as error:
            self._tell(error.message)
        except Exception as bug:
            if self._on_bug is None:
                raise
            self._on_bug(bug)

    def _announce(self, job: JobConfig) -> None:
        now = self._project.now()
        ahead = self._tables[job.name].between(now, now + timedelta(days=40))
        zone = ZoneInfo(job.time_zone)
        times = [
            moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")
            for moment, _ in zip(ahead, range(3), strict=False)
        ]
        listed = ", ".join(times)
        self._tell(
            Text(
                zh=f"{job.name}：接下来 {listed}（{job.time_zone}）",
                en=f"{job.name}: next {listed} ({job.time_zone})",
            )
        )

    def _job(self, store: Store, job: JobConfig, stop: threading.Event) -> None:
        now = self._project.now()
        for dead in store.slots.stopped(before=now - SILENT):
            if dead.job == job.name and store.slots.take_over(dead, by=self._name, now=now):
                self._tell(
                    Text(
                        zh=f"{job.name}：接手中断的时段 {dead.moment:%Y-%m-%d %H:%M} UTC",
                        en=f"{job.name}: taking over the stopped slot"
                        f" {dead.moment:%Y-%m-%d %H:%M} UTC",
                    )
                )
                self._carry_out(store, job, dead.moment, stop)
        known = store.slots.last(job.name, 1)
        after = known[0].moment if known else self._since
        due = list(self._tables[job.name].between(after, now))
        for moment in self._missed(store, job, due, now):
            if stop.is_set():
                return
            if store.slots.claim(self._slot(job, moment, SlotState.CLAIMED)):
                self._carry_out(store, job, moment, stop)

    def _missed(
        self, store: Store, job: JobConfig, due: list[datetime], now: datetime
    ) -> list[datetime]:
        """The slots to run by the job's policy; the others are recorded and named."""
        run = due
        if job.catch_up == "once":
            run = due[-1:]
        elif job.catch_up == "skip":
            run = [moment for moment in due if now - moment <= LATE]
        left = [moment for moment in due if moment not in run]
        for moment in left:
            store.slots.claim(self._slot(job, moment, SlotState.MISSED))
        missed = [moment for moment in due if moment in left or now - moment > LATE]
        if missed:
            listed = _listed(missed)
            self._tell(
                Text(
                    zh=f"{job.name}：错过 {len(missed)} 个时段（UTC {listed}），"
                    f"按 catch_up: {job.catch_up} 执行 {len(run)} 次",
                    en=f"{job.name}: {len(missed)} slots were missed (UTC {listed}); catch_up:"
                    f" {job.catch_up} runs {len(run)}",
                )
            )
        return run

    def _slot(self, job: JobConfig, moment: datetime, state: SlotState) -> Slot:
        now = self._project.now()
        return Slot(job.name, moment, state, self._name, now, now)

    def _carry_out(
        self, store: Store, job: JobConfig, moment: datetime, stop: threading.Event
    ) -> None:
        done = threading.Event()
        pulse = threading.Thread(
            target=self._beat, args=(store, job, moment, done), name="slot heartbeat"
        )
        pulse.start()
        state, note, run = SlotState.DONE, "", None
        try:
            outcome = self._work(self._project, job.name, stop)
            note, run = outcome.text.en, outcome.run
            self._tell(Text(zh=f"{job.name}：{outcome.text.zh}", en=f"{job.name}: {note}"))
        except CrmSyncError as error:
            state, note = SlotState.FAILED, f"{error.code}: {error.message.en}"
            self._tell(Text(zh=f"{job.name}：{error.message.zh}", en=f"{job.name}: {note}"))
        except Exception as bug:
            if self._on_bug is None:
                raise
            self._on_bug(bug)
            state, note = SlotState.FAILED, f"BUG: {type(bug).__name__}"
        finally:
            done.set()
            pulse.join()
        now = self._project.now()
        finished = Slot(job.name, moment, state, self._name, now, now, run, note)
        store.slots.finish(finished, now=now)

    def _beat(self, store: Store, job: JobConfig, moment: datetime, done: threading.Event) -> None:
        while not done.wait(BEAT.total_seconds()):
            store.slots.beat(job.name, moment, by=self._name, now=self._project.now())


def _listed(moments: list[datetime]) -> str:
    """All of them, or the ends of a long row."""
    words = [f"{moment:%Y-%m-%d %H:%M}" for moment in moments]
    return ", ".join(words) if len(words) <= NAMED else f"{words[0]} … {words[-1]}"
