"""What ``doctor`` says of each job: the next three runs, the latest slots, and slots nobody ran."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from crmsync.config.jobs import JobConfig
from crmsync.errors import CrmSyncError
from crmsync.model.text import Text
from crmsync.project.finding import Finding, failed
from crmsync.project.opening import Project
from crmsync.schedule.slots import timetable
from crmsync.store import Slot, SlotState

NAMED = 5
"""Missed slots named one by one; of more, the first and the last."""
SHOWN, LOOKED = 5, 50
LATE = timedelta(minutes=5)
"""A slot this old that nobody claimed was missed."""
_WORDS = {
    SlotState.CLAIMED: Text("执行中", "running"),
    SlotState.DONE: Text("完成", "done"),
    SlotState.FAILED: Text("失败", "failed"),
    SlotState.SKIPPED: Text("跳过", "skipped"),
    SlotState.MISSED: Text("错过", "missed"),
}


def job_findings(project: Project) -> Iterator[Finding]:
    """One line a job, and one more where slots were missed or the clock stands behind the slots."""
    try:
        with project.store() as store:
            known = {name: store.slots.last(name, LOOKED) for name in project.config.jobs}
    except CrmSyncError:
        return  # told where the store itself is looked at
    for job in project.config.jobs.values():
        try:
            yield from _job(project.now(), job, known[job.name])
        except CrmSyncError as error:
            yield failed(f"job {job.name}", error)


def named_times(job: JobConfig, moments: Sequence[datetime]) -> str:
    """Local times with their zone: ``2026-11-28 02:00, 2026-11-29 02:00 (Asia/Shanghai)``."""
    zone = ZoneInfo(job.time_zone)
    times = (f"{moment.astimezone(zone):%Y-%m-%d %H:%M}" for moment in moments)
    return f"{', '.join(times) or '–'} ({job.time_zone})"


def listed_slots(moments: Sequence[datetime]) -> str:
    """All of them, or the ends of a long row."""
    words = [f"{moment:%Y-%m-%d %H:%M}" for moment in moments]
    return ", ".join(words) if len(words) <= NAMED else f"{words[0]} … {words[-1]}"


def _job(now: datetime, job: JobConfig, known: Sequence[Slot]) -> Iterator[Finding]:
    table, about = timetable(job.when, ZoneInfo(job.time_zone)), f"job {job.name}"
    ahead = named_times(job, table.ahead(now, 3))
    states = [_WORDS[slot.state] for slot in known[:SHOWN]]
    zh, en = (", ".join(word.to(lang) for word in states) or "–" for lang in ("zh", "en"))
    yield Finding(
        "warning" if known and known[0].state in {SlotState.FAILED, SlotState.MISSED} else "ok",
        about,
        Text(zh=f"接下来 {ahead}；最近：{zh}", en=f"next {ahead}; last: {en}"),
    )
    if not known:
        return
    latest = known[0].moment
    if latest > now + LATE:
        yield _ahead_of_clock(about, latest)
    unclaimed = list(table.between(latest, now - LATE))
    if unclaimed:
        yield _nobody(about, unclaimed)
    missed = [slot.moment for slot in reversed(known) if slot.state is SlotState.MISSED]
    if missed:
        yield Finding(
            "warning",
            about,
            Text(
                zh=f"最近 {len(known)} 个时段里错过 {len(missed)} 个（UTC {listed_slots(missed)}）",
                en=f"{len(missed)} of the last {len(known)} slots"
                f" {'was' if len(missed) == 1 else 'were'} missed (UTC {listed_slots(missed)})",
            ),
        )


def _nobody(about: str, unclaimed: Sequence[datetime]) -> Finding:
    count, slots = len(unclaimed), listed_slots(unclaimed)
    return Finding(
        "warning",
        about,
        Text(
            zh=f"没有调度器在运行：{count} 个时段到期而无人执行（UTC {slots}）",
            en=f"no scheduler is running: {count} slot{'s' * (count != 1)} came due and nobody ran"
            f" {'them' if count != 1 else 'it'} (UTC {slots})",
        ),
        Text.same("crmsync serve"),
    )


def _ahead_of_clock(about: str, latest: datetime) -> Finding:
    return Finding(
        "warning",
        about,
        Text(
            zh=f"本机时钟比最近的时段（UTC {latest:%Y-%m-%d %H:%M}）还早：时钟倒退过，"
            "追上之前不会执行",
            en=f"the clock of this machine stands before the latest slot ({latest:%Y-%m-%d %H:%M}"
            " UTC): it went back, and nothing runs until it has caught up",
        ),
        Text(zh="核对 NTP 与时区", en="check NTP and the time zone"),
    )
