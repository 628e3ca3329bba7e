"""Turns a mirror into facts: mapping × mirror → one relation that evaluate can match."""

from crmsync.facts.cuts import draw_cuts
from crmsync.facts.relation import relation
from crmsync.facts.rows import excluded_count, fact_row, row_of
from crmsync.facts.sources import wants

__all__ = ["draw_cuts", "excluded_count", "fact_row", "relation", "row_of", "wants"]
