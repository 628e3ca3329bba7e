"""The jobs of ``crmsync.yaml``: what runs, on which connection, and when."""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field

from crmsync.config.keys import Keys, not_a_mapping
from crmsync.model.diagnostic import Diagnostic
from crmsync.model.position import Span
from crmsync.model.text import Text
from crmsync.source import Mapping, Scalar, error

JOB = ("ruleset", "connection", "at", "cron", "time_zone", "catch_up", "allow")
CATCH_UP = ("once", "skip", "all")
_CLOCK = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_PART = re.compile(
    r"(?P<low>\*|[0-9]{1,2}|[a-z]{3})(?:-(?P<high>[0-9]{1,2}|[a-z]{3}))?(?:/(?P<step>[1-9][0-9]?))?"
)
_MONTHS = ("", *"jan feb mar apr may jun jul aug sep oct nov dec".split())  # noqa: SIM905
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_SUNDAY = 7
_FIELDS: tuple[tuple[Text, int, int, tuple[str, ...]], ...] = (
    (Text(zh="分", en="minute"), 0, 59, ()),
    (Text(zh="时", en="hour"), 0, 23, ()),
    (Text(zh="日", en="day"), 1, 31, ()),
    (Text(zh="月", en="month"), 1, 12, _MONTHS),
    (Text(zh="星期", en="weekday"), 0, _SUNDAY, _WEEKDAYS),
)


@dataclass(frozen=True, slots=True)
class JobConfig:
    """One scheduled job. ``when`` is ``02:00`` or five cron fields."""

    name: str
    ruleset: str
    connection: str
    when: str
    time_zone: str
    catch_up: str = "once"
    allow: tuple[str, ...] = ()
    span: Span = field(default=Span("", 0, 0, 0, 0), compare=False)


def read_jobs(node: Mapping | None, zone: str, problems: list[Diagnostic]) -> dict[str, JobConfig]:
    """Every job by its name; *zone* is the one of those that name none."""
    found: dict[str, JobConfig] = {}
    for name, body in node.entries if node else ():
        if not isinstance(body, Mapping):
            problems.append(not_a_mapping(name))
            continue
        keys = Keys(body, JOB, problems)
        at, cron = keys.word("at"), keys.word("cron")
        if (at is None) == (cron is None):
            problems.append(
                error(
                    "CONF020",
                    name.span,
                    Text(
                        zh=f"任务“{name.text}”要写 at 或 cron 之一",
                        en=f"job “{name.text}” needs either at or cron",
                    ),
                    Text(zh='例如 at: "02:00"', en='Such as at: "02:00".'),
                )
            )
        if at is not None and not _CLOCK.fullmatch(at):
            problems.append(_no_clock(keys.value_place("at"), at))
        if cron is not None:
            problems += _cron_troubles(keys.value_place("cron"), cron)
        allow = keys.mapping("allow")
        found[name.text] = JobConfig(
            name=name.text,
            ruleset=keys.word("ruleset", required=True) or "",
            connection=keys.word("connection", required=True) or "",
            when=at or cron or "",
            time_zone=keys.zone("time_zone") or zone,
            catch_up=keys.choice("catch_up", CATCH_UP) or "once",
            allow=tuple(
                f"{key.text}={value.text}"
                for key, value in (allow.entries if allow else ())
                if isinstance(value, Scalar)
            ),
            span=name.span,
        )
    return found


def name_lost_connections(
    jobs: MappingOf[str, JobConfig], connections: Iterable[str], problems: list[Diagnostic]
) -> None:
    """CONF021 for every job whose connection is not declared."""
    declared = tuple(connections)
    for job in jobs.values():
        if job.connection and job.connection not in declared:
            problems.append(
                error(
                    "CONF021",
                    job.span,
                    Text(
                        zh=f"任务“{job.name}”用的连接“{job.connection}”不存在",
                        en=f"job “{job.name}” names connection “{job.connection}”, which is not"
                        " declared",
                    ),
                    Text(
                        zh="已有连接：" + "、".join(declared),
                        en="Declared: " + ", ".join(declared),
                    ),
                )
            )


def _no_clock(span: Span, written: str) -> Diagnostic:
    return error(
        "CONF022",
        span,
        Text(zh=f"“{written}”不是几点几分", en=f"“{written}” is no time of day"),
        Text(zh="写成 02:00 这样；其他安排用 cron", en="Write it like 02:00, or use cron."),
    )


def _cron_troubles(span: Span, written: str) -> list[Diagnostic]:
    """What keeps five cron fields from being the times they look like."""
    fields = written.lower().split()
    if len(fields) != len(_FIELDS):
        return [_no_cron(span, written)]
    found = [
        _no_field(span, text, name, (low, high))
        for text, (name, low, high, words) in zip(fields, _FIELDS, strict=True)
        if not all(_is_part(part, low, high, words) for part in text.split(","))
    ]
    day, weekday = fields[2], fields[4]
    if not found and not day.startswith("*") and not weekday.startswith("*"):
        found.append(
            error(
                "CONF022",
                span,
                Text(
                    zh=f"“{written}”既写了日又写了星期：是两者都符合，还是其一，各家 cron 不同",
                    en=f"“{written}” names a day and a weekday: whether both must fit or one will "
                    "do is not the same everywhere",
                ),
                Text(zh="写成两个任务，一个用日，一个用星期", en="Make it two jobs, one by each."),
            )
        )
    return found


def _is_part(part: str, low: int, high: int, words: tuple[str, ...]) -> bool:
    """Whether the schedule can be kept: a step wider than its range, or a range from a number to a
    name, is no time for whoever keeps it."""
    match = _PART.fullmatch(part)
    if match is None:
        return False
    written = [end for end in match.group("low", "high") if end is not None]
    if written[0] == "*":
        ends = [low, high]
        fits = len(written) == 1
    else:
        ends = [
            int(end) if end.isdigit() else words.index(end) if end in words else -1
            for end in written
        ]
        fits = len({end.isdigit() for end in written}) == 1
    if high == _SUNDAY and len(ends) == 2 and ends[1] == 0:
        ends[1] = _SUNDAY
    span = (ends[1] if len(ends) == 2 else high) - ends[0]
    step = int(match["step"] or 0)
    inside = all(low <= end <= high for end in ends)
    return fits and ends == sorted(ends) and inside and step <= span


def _no_field(span: Span, text: str, name: Text, ends: tuple[int, int]) -> Diagnostic:
    low, high = ends
    return error(
        "CONF022",
        span,
        Text(
            zh=f"cron 的“{name.zh}”不能是“{text}”：只能在 {low} 到 {high} 之间",
            en=f"the {name.en} of a cron line cannot be “{text}”: it lies between {low} and {high}",
        ),
        Text(
            zh="写成 *、5、1-5、*/2 或 1,3 这样；五段是 分 时 日 月 星期",
            en="Write *, 5, 1-5, */2 or 1,3; the fields are minute hour day month weekday.",
        ),
    )


def _no_cron(span: Span, written: str) -> Diagnostic:
    return error(
        "CONF022",
        span,
        Text(
            zh=f"“{written}”应有五段：分 时 日 月 星期",
            en=f"“{written}” should have five fields: minute hour day month weekday",
        ),
        Text(zh="例如 30 2 * * 1-5", en="Such as 30 2 * * 1-5."),
    )
