"""Customers on whom nothing changes, in SQL: that no field needs a write, and their observation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from sqlglot import exp

from crmsync.model.canonical import dumps, text_of
from crmsync.model.plan import Observation
from crmsync.model.record import RecordRef, Value
from crmsync.model.relation import FactRelation
from crmsync.model.ruleset import Ruleset
from crmsync.model.schema import FieldType
from crmsync.model.state import Clocks, Standing
from crmsync.plan.changes import LEADING
from crmsync.plan.draft import encode_line
from crmsync.plan.identity import facts_digest_sql
from crmsync.plan.values import NUMERIC, FieldValues

_SEEN = date(1111, 1, 1)
_DAY = '"evaluated":"'
_MARKS = {"id": "\ue001", "tier": "\ue002", "known": "\ue003", "digest": "\ue004"}


def unmoved_sql(values: FieldValues, ruleset: Ruleset, write_score_from: Decimal) -> exp.Expr:
    """TRUE where a customer whose standing stays needs no write: its leading fields hold what they
    should and its score has not moved far enough.

    Over the columns of a statement of `crmsync.evaluate.population`. What is not certain is FALSE
    or NULL.
    """
    wanted: list[exp.Expr] = []
    by_stage = any(level.stage is not None for level in ruleset.service.values())
    for role in LEADING:
        if role == "service" and role in values.fields and by_stage:
            wanted.append(exp.false())
        elif role in values.fields and role != "segments":
            wanted.append(_holds(role, values.leading(role)))
    if ruleset.segments and "segments" in values.fields:
        wanted.append(_segments(values))
    if "score" in values.fields:
        wanted.append(_score(values, write_score_from))
    return exp.paren(exp.and_(*wanted)) if wanted else exp.true()


def _holds(role: str, wanted: Mapping[str, Value]) -> exp.Expr:
    """That the field of *role* holds the value of the tier or stage the customer has.

    A tier without a service says nothing of the service field.
    """
    source = _column("o_lifecycle" if role == "lifecycle" else "o_tier")
    choice = exp.case()
    for id, value in wanted.items():
        here = exp.EQ(this=source.copy(), expression=exp.Literal.string(id))
        held: exp.Expr = exp.false()
        if isinstance(value, str) and value:
            owned = _column(FactRelation.owned_column(role))
            held = exp.EQ(this=owned, expression=exp.Literal.string(value))
        elif value is None:
            held = exp.true()
        choice = choice.when(here, held)
    return choice.else_(exp.false()) if wanted else exp.true()


def _segments(values: FieldValues) -> exp.Expr:
    """That the field holds the segments the customer is in, as options or in a line."""
    schema = values.schema("segments")
    labels, in_a_line = values.segment_labels()
    if schema is None or not (in_a_line or schema.type is FieldType.MULTI_PICKLIST):
        return exp.false()
    owned = _column(FactRelation.owned_column("segments"))
    inside = [
        exp.Coalesce(
            this=_call("LIST_CONTAINS", _column("o_segments"), exp.Literal.string(id)),
            expressions=[exp.false()],
        )
        for id in labels
    ]
    texts = [exp.Literal.string(label) for label in labels.values()]
    held = _call(
        "LIST_WHERE",
        exp.cast(exp.Array(expressions=texts), "VARCHAR[]"),
        exp.cast(exp.Array(expressions=inside), "BOOLEAN[]"),
    )
    if in_a_line:
        line = _call("ARRAY_TO_STRING", held, exp.Literal.string("; "))
        written = exp.Coalesce(this=owned, expressions=[exp.Literal.string("")])
        return exp.EQ(this=written, expression=line)
    options = exp.Coalesce(this=owned, expressions=[exp.cast(exp.Array(), "VARCHAR[]")])
    return exp.EQ(this=_call("LIST_SORT", options), expression=_call("LIST_SORT", held))


def _score(values: FieldValues, least: Decimal) -> exp.Expr:
    """That the written score is near enough; one that is a range is not written."""
    unsure = exp.NEQ(this=_column("s_low"), expression=_column("s_high"))
    schema = values.schema("score")
    if schema is None or schema.type not in NUMERIC | {FieldType.INTEGER}:
        return exp.paren(unsure)
    coarse = schema.type is FieldType.INTEGER or schema.scale == 0
    room = int(least * 10) - (5 if coarse else 0)
    owned = exp.cast(_column(FactRelation.owned_column("score")), "DECIMAL(28, 6)")
    tenths = exp.paren(exp.Mul(this=owned, expression=exp.Literal.number(10)))
    off = exp.Abs(this=exp.Sub(this=tenths, expression=_column("s_low")))
    near = exp.LT(this=off, expression=exp.Literal.number(max(room, 0)))
    return exp.paren(exp.or_(unsure, near))


def observation_sql(
    relation: FactRelation,
    firm: Sequence[str],
    as_of: date,
    renamed: Mapping[str, str] | None = None,
) -> exp.Expr:
    """The plan line of a steady customer's observation: its clocks with today as the last day.

    NULL where today was observed already. It is what `encode_line` would write: its own output for
    a specimen, with the places of this customer's values cut out. *renamed* is `Ruleset.renamed`.
    """
    clocks = Clocks(first_seen=_SEEN, evaluated=as_of)
    specimen = Observation(
        ref=RecordRef(relation.object, _MARKS["id"]),
        clocks=clocks,
        opening=Standing(tier=_MARKS["tier"]),
        known_facts=frozenset({_MARKS["known"]}),
        facts_digest=_MARKS["digest"],
    )
    parts: list[exp.Expr] = []
    rest = encode_line(specimen).decode()
    for mark, value in (
        (text_of(_MARKS["id"]), _json(_column("id"))),
        (dumps(clocks, Clocks), _moved_on(as_of)),
        (text_of({"tier": _MARKS["tier"]}), _column("o_standing")),
        (text_of([_MARKS["known"]]), _json(_known(relation, renamed or {}))),
        (_MARKS["digest"], facts_digest_sql(relation, firm)),
    ):
        before, found, rest = rest.partition(mark)
        assert found, "the line of an observation has another form"
        parts += [exp.Literal.string(before), value]
    line = _joined([*parts, exp.Literal.string(rest)])
    return exp.case().when(_column("o_today"), exp.cast(exp.null(), "VARCHAR")).else_(line)


def _moved_on(as_of: date) -> exp.Expr:
    """The clocks with *as_of* as the last evaluated day; nothing else in them moves."""
    before = exp.cast(_column("o_evaluated"), "VARCHAR")
    old = _joined([exp.Literal.string(_DAY), before, exp.Literal.string('"')])
    new = exp.Literal.string(f'{_DAY}{as_of.isoformat()}"')
    return _call("REPLACE", _column("o_clocks"), old, new)


def _known(relation: FactRelation, renamed: Mapping[str, str]) -> exp.Expr:
    """The facts known today or before, sorted; those before by the names they have today."""
    ids = [exp.Literal.string(fact) for fact in relation.facts]
    flags = [
        exp.Not(this=exp.Is(this=_column(f"f{number}"), expression=exp.null()))
        for number in range(len(ids))
    ]
    today = _call(
        "LIST_WHERE",
        exp.cast(exp.Array(expressions=ids), "VARCHAR[]"),
        exp.cast(exp.Array(expressions=flags), "BOOLEAN[]"),
    )
    before: exp.Expr = _column("o_known")
    if renamed:
        name = exp.Case(this=exp.column("name"))
        for was, now in sorted(renamed.items()):
            name = name.when(exp.Literal.string(was), exp.Literal.string(now))
        name = name.else_(exp.column("name"))
        each = exp.Lambda(this=name, expressions=[exp.to_identifier("name")])
        before = _call("LIST_TRANSFORM", before, each)
    both = _call("LIST_CONCAT", before, today)
    return _call("LIST_SORT", _call("LIST_DISTINCT", both))


def _json(value: exp.Expr) -> exp.Expr:
    return exp.cast(_call("TO_JSON", value), "VARCHAR")


def _joined(parts: Sequence[exp.Expr]) -> exp.Expr:
    whole = parts[0]
    for part in parts[1:]:
        whole = exp.DPipe(this=whole, expression=part)
    return exp.paren(whole)


def _call(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _column(name: str) -> exp.Expr:
    return exp.column(name, quoted=True)
