"""The tables of the local state, as SQLAlchemy Core sees them; migrations make them.

Moments are ISO text in UTC with microseconds (they sort), days ISO text, structures canonical
JSON. The mirror of read records is not here: it is a DuckDB file.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


class Moment(TypeDecorator[datetime]):
    """An aware moment as sortable text."""

    impl = sa.String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its time zone")
        return value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


class Day(TypeDecorator[date]):
    """A local day as ISO text."""

    impl = sa.String(10)
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Dialect) -> str | None:
        return None if value is None else value.isoformat()

    def process_result_value(self, value: str | None, dialect: Dialect) -> date | None:
        return None if value is None else date.fromisoformat(value)


metadata = sa.MetaData()
_Name = sa.String(200)
_Digest = sa.String(80)


def _scope() -> list[sa.Column[str]]:
    return [
        sa.Column("connection", _Name, nullable=False),
        sa.Column("ruleset", _Name, nullable=False),
    ]


def _record() -> list[sa.Column[str]]:
    return [
        sa.Column("object", _Name, nullable=False),
        sa.Column("record_id", _Name, nullable=False),
    ]


run = sa.Table(
    "run",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    *_scope(),
    sa.Column("ruleset_version", sa.Integer, nullable=False),
    sa.Column("ruleset_digest", _Digest, nullable=False),
    sa.Column("plan_id", _Name, nullable=False),
    sa.Column("as_of", Day, nullable=False),
    sa.Column("account_id", _Name, nullable=False),
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("ended_at", Moment),
    sa.Column("by", _Name, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("note", sa.Text),
    sa.Column("counts", sa.Text, nullable=False, server_default="{}"),
    sa.Column("header", sa.Text, nullable=False),
    sa.Column("fence", sa.Integer, nullable=False),
    sa.Column("undone_by", sa.Integer),
    sa.Index("run_by_scope", "connection", "ruleset", "id"),
    sqlite_autoincrement=True,
)
"""``header`` is the plan's header without its withheld rows: resume needs no plan file."""

plan = sa.Table(
    "plan",
    metadata,
    sa.Column("id", _Name, primary_key=True),
    sa.Column("kind", sa.String(20), nullable=False),
    *_scope(),
    sa.Column("digest", _Digest, nullable=False),
    sa.Column("path", sa.Text),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("as_of", Day, nullable=False),
    sa.Column("header", sa.Text, nullable=False),
    sa.Column("run_id", sa.Integer),
)

approval = sa.Table(
    "approval",
    metadata,
    sa.Column("plan_id", _Name, primary_key=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
)

decision = sa.Table(
    "decision",
    metadata,
    sa.Column("plan_id", _Name, primary_key=True),
    sa.Column("object", _Name, primary_key=True),
    sa.Column("record_id", _Name, primary_key=True),
    *_scope(),
    sa.Column("as_of", Day, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Index("decision_by_record", "connection", "ruleset", "object", "record_id"),
)
"""``content`` is the whole decision, facts included, as zlib-compressed canonical JSON."""

op = sa.Table(
    "op",
    metadata,
    sa.Column("op_key", _Digest, primary_key=True),
    sa.Column("kind", sa.String(20), nullable=False),
    *_scope(),
    *_record(),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("trust_after", Moment),
    sa.Column("crm_id", _Name),
    sa.Column("done_run", sa.Integer),
)
"""One row per external effect, whichever run tries it: what makes a task exist once."""

attempt = sa.Table(
    "attempt",
    metadata,
    sa.Column("run_id", sa.Integer, primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("op_key", _Digest, nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    *_record(),
    sa.Column("about_object", _Name),
    sa.Column("about_id", _Name),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("needs", sa.Integer),
    sa.Column("base", sa.Text),
    sa.Column("want", sa.Text),
    sa.Column("actual", sa.Text),
    sa.Column("effect", sa.Text),
    sa.Column("key_field", _Name),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("sent_at", Moment),
    sa.Column("trust_after", Moment),
    sa.Column("fence", sa.Integer),
    sa.Column("crm_id", _Name),
    sa.Column("version", _Name),
    sa.Column("sent_version", _Name),
    sa.Column("error", sa.Text),
    sa.Column("values_code", _Digest),
    sa.Column("seen", sa.Text),
    sa.Column("look_back", sa.String(20)),
    sa.Column("overwritten", sa.Text),
    sa.Index("attempt_by_state", "run_id", "state", "seq"),
    sa.Index("attempt_by_op", "op_key"),
)
"""One row per planned change of a run; outcomes are counted here. ``needs`` is the seq of the
change that must be done first; ``effect`` is what our own state becomes when this one is done.
``values_code`` stands for old and new values once they are forgotten. ``seen`` is what the look
before the first sending showed, ``look_back`` what the CRM's history told after it, and
``overwritten`` the values of people that our write replaced."""

state = sa.Table(
    "state",
    metadata,
    sa.Column("connection", _Name, primary_key=True),
    sa.Column("ruleset", _Name, primary_key=True),
    sa.Column("object", _Name, primary_key=True),
    sa.Column("record_id", _Name, primary_key=True),
    sa.Column("tier", _Name),
    sa.Column("lifecycle", _Name),
    sa.Column("evaluated", Day),
    sa.Column("present", sa.Text, nullable=False),
    sa.Column("opening", sa.Text, nullable=False),
    sa.Column("written", sa.Text, nullable=False, server_default="{}"),
    sa.Column("run_id", sa.Integer),
)
"""``present`` holds now; ``opening`` is how the day ``evaluated`` opened."""

episode = sa.Table(
    "episode",
    metadata,
    sa.Column("connection", _Name, primary_key=True),
    sa.Column("ruleset", _Name, primary_key=True),
    sa.Column("key", _Digest, primary_key=True),
    *_record(),
    sa.Column("task_id", _Name, nullable=False),
    sa.Column("task_object", _Name, nullable=False),
    sa.Column("opened_on", Day, nullable=False),
    sa.Column("crm_id", _Name),
    sa.Column("closed_on", Day),
    sa.Column("owner", _Name),
    sa.Column("due", Day),
    sa.Index("episode_by_record", "connection", "ruleset", "object", "record_id"),
)

override_ = sa.Table(
    "override_",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    *_scope(),
    *_record(),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("start", Day, nullable=False),
    sa.Column("until", Day),
    sa.Column("lifted_at", Moment),
    sa.Column("lifted_by", _Name),
    sa.Index("override_by_record", "connection", "ruleset", "object", "record_id"),
    sqlite_autoincrement=True,
)

merge_ = sa.Table(
    "merge_",
    metadata,
    sa.Column("connection", _Name, primary_key=True),
    sa.Column("object", _Name, primary_key=True),
    sa.Column("record_id", _Name, primary_key=True),
    sa.Column("survivor", _Name, nullable=False),
    sa.Column("by", _Name, nullable=False),
    sa.Column("at", Moment, nullable=False),
)
"""A record that vanished into another of the same object, and who told us when."""

hold = sa.Table(
    "hold",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    *_scope(),
    sa.Column("since", Moment, nullable=False),
    sa.Column("by", _Name, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("run_id", sa.Integer),
    sa.Column("ended_at", Moment),
    sa.Column("ended_by", _Name),
    sqlite_autoincrement=True,
)

slot = sa.Table(
    "slot",
    metadata,
    sa.Column("job", _Name, primary_key=True),
    sa.Column("slot", Moment, primary_key=True),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("claimed_by", _Name, nullable=False),
    sa.Column("claimed_at", Moment, nullable=False),
    sa.Column("heartbeat", Moment, nullable=False),
    sa.Column("run_id", sa.Integer),
    sa.Column("note", sa.Text),
)
"""A scheduled moment of a job: the primary key lets one scheduler claim it."""

lease = sa.Table(
    "lease",
    metadata,
    sa.Column("connection", _Name, primary_key=True),
    sa.Column("fence", sa.Integer, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("since", Moment, nullable=False),
)
"""The fencing number of a connection's lock; an intent with an older one is refused."""

quota = sa.Table(
    "quota",
    metadata,
    sa.Column("connection", _Name, primary_key=True),
    sa.Column("unit", _Name, nullable=False),
    sa.Column("used", sa.Integer, nullable=False),
    sa.Column("limit", sa.Integer),
    sa.Column("remaining", sa.Integer),
    sa.Column("asked_at", Moment, nullable=False),
)

spending = sa.Table(
    "spending",
    metadata,
    sa.Column("connection", _Name, primary_key=True),
    sa.Column("slot", Moment, primary_key=True),
    sa.Column("used", sa.Integer, nullable=False),
)
"""Units spent on a connection by every process, by the minute."""

lane = sa.Table(
    "lane",
    metadata,
    sa.Column("connection", _Name, primary_key=True),
    sa.Column("lane", _Name, primary_key=True),
    sa.Column("taken", sa.Text, nullable=False, server_default="[]"),
    sa.Column("not_before", Moment),
)
"""A rate of a connection: the moments of its last calls, and a pause the CRM asked for."""

echo = sa.Table(
    "echo",
    metadata,
    sa.Column("connection", _Name, primary_key=True),
    sa.Column("object", _Name, primary_key=True),
    sa.Column("record_id", _Name, primary_key=True),
    sa.Column("field", _Name, primary_key=True),
    sa.Column("run_id", sa.Integer, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("written_at", Moment, nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("seen_at", Moment),
    sa.Index("echo_by_run", "run_id", "state"),
)
"""What we wrote last into a field, and whether reading it back gave the same (``echo``) or another
value (``near_miss``); ``sent`` until it is read."""

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("who", _Name, nullable=False),
    sa.Column("what", _Name, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("previous", _Digest, nullable=False),
    sa.Column("digest", _Digest, nullable=False),
    sa.Column("key_id", sa.String(20)),
)
"""Append-only; every row's digest covers the row before it and is made with the key ``key_id``."""

restored = sa.Table(
    "restored",
    metadata,
    sa.Column("at", Moment, primary_key=True),
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("by", _Name, nullable=False),
)
"""When a backup was put back: what happened between ``made_at`` and ``at`` is not in our books."""

review = sa.Table(
    "review",
    metadata,
    sa.Column("connection", _Name, primary_key=True),
    sa.Column("ruleset", _Name, primary_key=True),
    sa.Column("released_on", Day, primary_key=True),
    sa.Column("by", _Name, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("reason", sa.Text),
)

ruleset_text = sa.Table(
    "ruleset_text",
    metadata,
    sa.Column("digest", _Digest, primary_key=True),
    sa.Column("ruleset", _Name, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("kept_at", Moment, nullable=False),
    sa.Column("files", sa.LargeBinary, nullable=False),
)
"""``files`` is a zlib-compressed JSON object: file name → text."""

frozen = sa.Table(
    "frozen",
    metadata,
    sa.Column("connection", _Name, primary_key=True),
    sa.Column("ruleset", _Name, primary_key=True),
    sa.Column("name", _Name, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("period", sa.String(40), nullable=False),
    sa.Column("basis", _Digest, nullable=False),
    sa.Column("drawn_on", Day, nullable=False),
    sa.Column("customers", sa.Integer, nullable=False),
    sa.Column("kept_at", Moment, nullable=False),
    sa.Column("lines", sa.Text, nullable=False),
)
"""Lines drawn across a population and kept for a review period; no row is ever changed."""
