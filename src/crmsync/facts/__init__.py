"""Turns a mirror into facts: mapping × mirror → one relation that evaluate can match."""

from crmsync.facts.cuts import draw_cuts
from crmsync.facts.grouping import circles, group_links
from crmsync.facts.relation import relation
from crmsync.facts.rows import excluded_count, fact_row, row_of
from crmsync.facts.sources import wants

__all__ = [
    "circles",
    "draw_cuts",
    "excluded_count",
    "fact_row",
    "group_links",
    "relation",
    "row_of",
    "wants",
]
