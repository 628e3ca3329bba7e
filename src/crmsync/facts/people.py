"""The people below customers a task is for, one query for many customers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from duckdb import DuckDBPyConnection
from sqlglot import exp

from crmsync.facts.related import Setting, table
from crmsync.facts.sources import Fields
from crmsync.model.mapping import CrmMapping, PeopleSource
from crmsync.model.person import Person
from crmsync.model.schema import ObjectSchema


class People:
    """Whom the tasks for each person are for, from a mirror attached as ``mirror``.

    Left out are people whose ``do_not_contact`` is ticked, and those of whom a condition cannot be
    told. Asks in a cursor of its own, so rows may stream from *connection* meanwhile.
    """

    def __init__(self, connection: DuckDBPyConnection, setting: Setting) -> None:
        self._connection = connection
        self._setting = setting

    def of(self, task: str, customers: Sequence[str]) -> dict[str, list[Person]]:
        """The people of each customer id, by their own id; none for a task that is for nobody."""
        source = self._setting.mapping.people.get(task)
        if source is None or not customers:
            return {}
        found: dict[str, list[Person]] = {}
        with self._connection.cursor() as cursor:
            statement = self._select(source).sql(dialect="duckdb")
            for customer, id, name in cursor.execute(statement, [list(customers)]).fetchall():
                found.setdefault(customer, []).append(Person(id, name or id))
        return found

    def count(self, into: str) -> tuple[str, ...]:
        """Make *into*, temporary: task, customer and ``people``, for every task for each person,
        wherever there are some; and those tasks."""
        columns = "task VARCHAR, customer VARCHAR, people BIGINT"
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE {into} ({columns})")
        for task, source in self._setting.mapping.people.items():
            via = self._field(source, self._setting.mapping.related[source.related].via)
            count = exp.Count(this=exp.Star())
            select = self._of(source, exp.Placeholder(), via, count).group_by(via.copy())
            statement = f"INSERT INTO {into} {select.sql(dialect='duckdb')}"
            self._connection.execute(statement, [task])
        return tuple(self._setting.mapping.people)

    def _select(self, source: PeopleSource) -> exp.Select:
        related = self._setting.mapping.related[source.related]
        called = related.called
        name = exp.null() if called is None else self._field(source, called.name or "")
        id, via = exp.column("id", quoted=True), self._field(source, related.via)
        mine = exp.Anonymous(this="LIST_CONTAINS", expressions=[exp.Placeholder(), via.copy()])
        select = self._of(source, via, id, exp.cast(name, "VARCHAR"))
        return select.where(mine, copy=False).order_by(id.copy(), copy=False)

    def _of(self, source: PeopleSource, *columns: exp.Expr) -> exp.Select:
        """*columns* of all the people of *source*."""
        setting = self._setting
        related = setting.mapping.related[source.related]
        select = exp.select(*columns).from_(table(related.object), copy=False)
        for condition in (related.where, source.where):
            if condition is not None:
                holds = setting.condition(related.object, condition)
                select = select.where(exp.paren(holds), copy=False)
        if related.do_not_contact is not None:
            marked = self._field(source, related.do_not_contact.name or "")
            peace = exp.Coalesce(this=marked, expressions=[exp.false()])
            select = select.where(exp.Not(this=peace), copy=False)
        return select

    def _field(self, source: PeopleSource, name: str) -> exp.Column:
        object = self._setting.mapping.related[source.related].object
        return exp.column(self._setting.fields.field(object, name).name, quoted=True)


def people_in(
    connection: DuckDBPyConnection,
    mapping: CrmMapping,
    schemas: Mapping[str, ObjectSchema],
    *,
    day_and_zone: tuple[date, str],
) -> People:
    """The people of a resolved *mapping* on one day in one zone."""
    as_of, zone = day_and_zone
    fields = Fields(mapping, schemas)
    return People(connection, Setting(fields=fields, mapping=mapping, as_of=as_of, zone=zone))
