"""The Zoho connector: what the contract asks for, put together from its parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from crmsync.connector import (
    Capabilities,
    ConnectionContext,
    CreateOnce,
    Page,
    ReadQuery,
    WriteOptions,
)
from crmsync.errors import UnexpectedReply
from crmsync.model.change import Change, ChangeResult
from crmsync.model.history import HistoryEntry
from crmsync.model.metering import Workload
from crmsync.model.record import RecordRef
from crmsync.model.schema import FieldSchema, ObjectSchema, Organization, Quota
from crmsync.model.text import Text
from crmsync.model.user import User
from crmsync_zoho.client import ZohoClient
from crmsync_zoho.codec import Json
from crmsync_zoho.credits import forecast
from crmsync_zoho.describing import Descriptions
from crmsync_zoho.reading import Reading
from crmsync_zoho.settings import Environment, ZohoSettings
from crmsync_zoho.timeline import history
from crmsync_zoho.writing import BATCH, Writing

HISTORY_LAG = timedelta(seconds=5)
"""How late a timeline may show a save; not documented, so what does not show is asked again."""


def open_connector(settings: ZohoSettings, context: ConnectionContext) -> ZohoConnector:
    """Open a connection; nothing is sent before the first use."""
    return ZohoConnector(settings, context)


class ZohoConnector:
    """One Zoho account behind the connector contract; thread-safe.

    Tasks are created once by rung B: their key field is looked up in the customer's own list of
    tasks. Conditional writes use ``If-Unmodified-Since``, for one record a call: Zoho's version is
    the modified time in whole seconds, so two edits within one second cannot be told apart.
    """

    def __init__(self, settings: ZohoSettings, context: ConnectionContext) -> None:
        self._settings = settings
        self._client = ZohoClient(settings, context)
        self._descriptions = Descriptions(self._client)
        self._reading = Reading(self._client, self._descriptions)
        self._writing = Writing(self._client, self._descriptions)
        self._user_id: str | None = None

    def __repr__(self) -> str:
        return f"ZohoConnector({self._client!r})"

    @property
    def capabilities(self) -> Capabilities:
        """What Zoho's API offers."""
        return Capabilities(
            write_batch=BATCH,
            conditional_write=True,
            can_silence_automation=True,
            sees_deletes=True,
            parallel_calls=self._settings.parallel_calls,
            version_resolution=timedelta(seconds=1),
            late_commit=timedelta(seconds=self._settings.late_commit_seconds),
            create_once=CreateOnce.B,
            lookback=timedelta(minutes=5),
            field_history=True,
            history_lag=HISTORY_LAG,
        )

    def check(self) -> Organization:
        """Sign in and tell who and where we are."""
        org = _first(self._client.described("org"), "org")
        user = _first(self._client.described("users", {"type": "CurrentUser"}), "users")
        self._user_id = str(user.get("id"))
        return Organization(
            id=str(org.get("id")),
            name=str(org.get("company_name") or ""),
            user_id=self._user_id,
            user_name=str(user.get("full_name") or user.get("last_name") or ""),
            time_zone=_text(org.get("time_zone")),
            currency=_text(org.get("iso_code")),
            environment=self._environment(),
        )

    def users(self) -> Sequence[User]:
        """Everybody who has or had a seat, by pages of 200."""
        found: list[User] = []
        page = 1
        while True:
            asked: dict[str, str | int] = {"type": "AllUsers", "page": page, "per_page": 200}
            reply = self._client.described("users", asked)
            people = reply.get("users")
            for person in people if isinstance(people, list) else ():
                if isinstance(person, dict) and person.get("id"):
                    name = str(person.get("full_name") or person.get("last_name") or "")
                    active = person.get("status") == "active"
                    found.append(User(str(person["id"]), name, active))
            info = reply.get("info")
            if not isinstance(info, dict) or not info.get("more_records"):
                return tuple(found)
            page += 1

    def describe(self, object: str) -> ObjectSchema:
        """The module's fields as they are now."""
        return self._descriptions.object(object)

    def read(self, query: ReadQuery, *, resume: str | None = None) -> Iterator[Page]:
        """Pages of matching records."""
        return self._reading.read(query, resume)

    def write(self, changes: Sequence[Change], options: WriteOptions) -> Sequence[ChangeResult]:
        """One insert or update call."""
        return self._writing.write(changes, options)

    def history(
        self, ref: RecordRef, fields: Sequence[str], *, since: datetime
    ) -> Iterator[HistoryEntry]:
        """The record's timeline, one credit a page of 200 entries."""
        wanted = self._descriptions.wanted(ref.object, fields)
        return history(self._client, ref, wanted, since=since, user=self._user())

    def create_field(self, object: str, field: FieldSchema) -> FieldSchema:
        """Create a custom field; the answer tells the API name Zoho gave it."""
        return self._descriptions.create(object, field)

    def add_choices(self, object: str, field: str, choices: Sequence[str]) -> None:
        """Add missing values to a picklist."""
        self._descriptions.add_choices(object, field, choices)

    def quota(self) -> Quota:
        """Credits spent in the last 24 hours, and what Zoho says is left."""
        return self._client.quota()

    def price_of(self, work: Workload) -> int:
        """Credits a plan will take."""
        return forecast(work)

    def close(self) -> None:
        """Give connections back; twice is fine."""
        self._client.close()

    def _user(self) -> str:
        """The id of the user we sign in as; asked for once."""
        return self._user_id or self.check().user_id

    def _environment(self) -> str:
        if self._settings.is_practice:
            return "practice"
        wanted = self._settings.environment
        return "production" if wanted is Environment.PRODUCTION else "sandbox"


def _first(found: Mapping[str, Json], key: str) -> Mapping[str, Json]:
    items = found.get(key)
    if isinstance(items, list) and items and isinstance(items[0], dict) and items[0].get("id"):
        return items[0]
    raise UnexpectedReply(
        Text(zh=f"Zoho 的“{key}”回复里没有内容", en=f"Zoho's reply for “{key}” holds nothing")
    )


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) and value else None
