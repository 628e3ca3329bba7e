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
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from crmsync.config.jobs import JobConfig
from crmsync.errors import CrmSyncError, ExitCode
from crmsync.model.text import Text
from crmsync.project.opening import Project
from crmsync.project.syncing import SyncOutcome, sync
from crmsync.schedule.outlook import listed_slots, named_times
from crmsync.schedule.slots import timetable
from crmsync.store import Slot, SlotState, Store

BACK = timedelta(minutes=1)
"""A clock that goes back by less is only being set right."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a scheduler looks, and when it gives another one up.

    ``late``: a slot older than this counts as missed. ``silent``: a claimed slot without a
    heartbeat for this long belongs to a dead process; ``beat`` is the time between two heartbeats.
    """

    every: timedelta = timedelta(seconds=15)
    late: timedelta = timedelta(minutes=5)
    silent: timedelta = timedelta(minutes=2)
    beat: timedelta = timedelta(seconds=30)


class Halt(threading.Event):
    """Set when it is told to, or when *other* is: a slot that was lost stops, and so does all."""

    def __init__(self, other: threading.Event) -> None:
        super().__init__()
        self._other = other

    def is_set(self) -> bool:
        """Whether either of the two is set."""
        return super().is_set() or self._other.is_set()


Work = Callable[[Project, str, threading.Event], SyncOutcome]


def sync_job(project: Project, job: str, stop: threading.Event) -> SyncOutcome:
    """One scheduled run of a job."""
    return sync(project, job, by=f"schedule {job}", stop=stop)


class Ticker:
    """Runs the project's jobs at their slots. ``tell`` gets one sentence for every event; ``work``
    carries out one job and is `sync` unless a test says otherwise. A bug in a job is given to
    ``on_bug``, the slot counts as failed and the other jobs go on. ``exit`` is that of the first
    job that did not end with 0."""

    def __init__(
        self,
        project: Project,
        tell: Callable[[Text], None],
        work: Work = sync_job,
        on_bug: Callable[[Exception], object] | None = None,
        pace: Pace = Pace(),
    ) -> None:
        self._project = project
        self._tell = tell
        self._work = work
        self._on_bug = on_bug
        self._pace = pace
        self.exit = ExitCode.DONE
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        self._tables = {
            job.name: timetable(job.when, ZoneInfo(job.time_zone))
            for job in project.config.jobs.values()
        }
        self._latest = project.now()
        self._since = self._latest - pace.every
        self._busy = threading.Lock()

    def run(self, stop: threading.Event) -> None:
        """Tick until *stop*; the job under way is asked to stop and waited for."""
        for job in self._project.config.jobs.values():
            self._announce(job)
        scheduler = BackgroundScheduler(timezone=ZoneInfo("UTC"))
        scheduler.add_job(
            self._tick_safely,
            IntervalTrigger(seconds=int(self._pace.every.total_seconds())),
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
            self._watch_clock()
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
        listed = named_times(job, self._tables[job.name].ahead(self._project.now(), 3))
        self._tell(Text(zh=f"{job.name}：接下来 {listed}", en=f"{job.name}: next {listed}"))

    def _watch_clock(self) -> None:
        """Tell once of every time the clock went back: no slot runs until it has caught up, as
        those before that ran already."""
        now = self._project.now()
        back = self._latest - now
        if back >= BACK:
            minutes, until = round(back / timedelta(minutes=1)), f"{self._latest:%Y-%m-%d %H:%M}"
            self._tell(
                Text(
                    zh=f"本机时钟倒退了 {minutes} 分钟；UTC {until} 以前的时段已处理过，不会再执行",
                    en=f"the clock of this machine went back by {minutes} minutes; slots up to"
                    f" {until} UTC were dealt with and do not run again",
                )
            )
            self._latest = now
        self._latest = max(self._latest, now)

    def _job(self, store: Store, job: JobConfig, stop: threading.Event) -> None:
        now = self._project.now()
        known = store.slots.last(job.name, 1)
        after = known[0].moment if known else self._since
        due = list(self._tables[job.name].between(after, now))
        dead = [
            slot
            for slot in reversed(store.slots.stopped(before=now - self._pace.silent))
            if slot.job == job.name
        ]
        waiting = self._claim(store, job, dead, due)
        while waiting and not stop.is_set():
            self._carry_out(store, job, waiting, stop)
            del waiting[0]

    def _claim(
        self, store: Store, job: JobConfig, dead: list[Slot], due: list[datetime]
    ) -> list[datetime]:
        """The slots to run by the job's policy; the others are recorded as missed.

        All in one transaction: of several schedulers one gets the whole outage and tells of it
        once. A slot that another scheduler died over counts like one nobody began, unless it is the
        latest.
        """
        now = self._project.now()
        moments = [slot.moment for slot in dead] + due
        run = moments
        if job.catch_up == "once":
            run = moments[-1:]
        elif job.catch_up == "skip":
            late = self._pace.late
            run = [slot.moment for slot in dead] + [item for item in due if now - item <= late]
        with store.database.write():
            ours = [
                slot.moment for slot in dead if self._inherit(store, slot, run=slot.moment in run)
            ]
            taken = [slot for slot in dead if slot.moment in ours and slot.moment in run]
            for moment in due:
                state = SlotState.CLAIMED if moment in run else SlotState.MISSED
                if store.slots.claim(self._slot(job, moment, state)):
                    ours.append(moment)
        for slot in taken:
            self._tell_taken(slot)
        stopped = {slot.moment for slot in taken}
        missed = [
            moment
            for moment in ours
            if moment not in stopped and (moment not in run or now - moment > self._pace.late)
        ]
        if missed:
            self._tell_missed(job, missed, sum(moment in ours for moment in run))
        return [moment for moment in run if moment in ours]

    def _inherit(self, store: Store, dead: Slot, *, run: bool) -> bool:
        """Take a dead scheduler's slot over, to run it or to close it as missed."""
        now = self._project.now()
        if not store.slots.take_over(dead, by=self._name, now=now):
            return False
        if not run:
            note = f"{dead.claimed_by} stopped"
            ended = replace(dead, state=SlotState.MISSED, claimed_by=self._name, note=note)
            store.slots.finish(ended, now=now)
        return True

    def _tell_taken(self, dead: Slot) -> None:
        when = f"{dead.moment:%Y-%m-%d %H:%M} UTC"
        self._tell(
            Text(
                zh=f"{dead.job}：接手中断的时段 {when}（原由 {dead.claimed_by} 执行）",
                en=f"{dead.job}: taking over the stopped slot {when} (begun by {dead.claimed_by})",
            )
        )

    def _tell_missed(self, job: JobConfig, missed: list[datetime], runs: int) -> None:
        listed, count = listed_slots(missed), len(missed)
        slots = "slot was" if count == 1 else "slots were"
        self._tell(
            Text(
                zh=f"{job.name}：错过 {count} 个时段（UTC {listed}），"
                f"按 catch_up: {job.catch_up} 执行 {runs} 次",
                en=f"{job.name}: {count} {slots} missed (UTC {listed}); catch_up:"
                f" {job.catch_up} runs {runs}",
            )
        )

    def _slot(self, job: JobConfig, moment: datetime, state: SlotState) -> Slot:
        now = self._project.now()
        return Slot(job.name, moment, state, self._name, now, now)

    def _carry_out(
        self, store: Store, job: JobConfig, waiting: list[datetime], stop: threading.Event
    ) -> None:
        """Run the first of the claimed slots; the heartbeat keeps all of them alive."""
        moment, done, halt = waiting[0], threading.Event(), Halt(stop)
        pulse = threading.Thread(
            target=self._beat, args=(store, job, tuple(waiting), done, halt), name="slot heartbeat"
        )
        pulse.start()
        state, note, run, ended = SlotState.DONE, "", None, ExitCode.BUG
        try:
            outcome = self._work(self._project, job.name, halt)
            note, run, ended = outcome.text.en, outcome.run, outcome.exit
            self._tell(_of_job(job, outcome.text, outcome.mend))
        except CrmSyncError as error:
            state, note, ended = SlotState.FAILED, f"{error.code}: {error.message.en}", error.exit
            self._tell(_of_job(job, Text(error.message.zh, note), error.mend))
        except Exception as bug:
            if self._on_bug is None:
                raise
            self._on_bug(bug)
            state, note = SlotState.FAILED, f"BUG: {type(bug).__name__}"
        finally:
            done.set()
            pulse.join()
        self.exit = self.exit or ended
        now = self._project.now()
        finished = Slot(job.name, moment, state, self._name, now, now, run, note)
        store.slots.finish(finished, now=now)

    def _beat(
        self,
        store: Store,
        job: JobConfig,
        waiting: tuple[datetime, ...],
        done: threading.Event,
        halt: Halt,
    ) -> None:
        """Show that we live; a slot that another scheduler took over meanwhile is given up."""
        while not done.wait(self._pace.beat.total_seconds()):
            try:
                with store.database.write():
                    now = self._project.now()
                    alive = [
                        store.slots.beat(job.name, moment, by=self._name, now=now)
                        for moment in waiting
                    ]
            except CrmSyncError:
                continue  # the next beat may come through; two minutes are allowed
            if not alive[0]:
                halt.set()


def _of_job(job: JobConfig, told: Text, mend: Text | None) -> Text:
    """What became of a job, and what a person does about it."""
    zh, en = f"{job.name}：{told.zh}", f"{job.name}: {told.en}"
    return Text(zh, en) if mend is None else Text(f"{zh}。{mend.zh}", f"{en}. {mend.en}")
