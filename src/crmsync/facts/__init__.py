"""Turns a mirror into facts: mapping × mirror → one relation that evaluate can match."""

from crmsync.facts.buying import histories
from crmsync.facts.clv_fit import Fit, Histories, Refused, fit_bg_nbd, fit_gamma_gamma
from crmsync.facts.cut_points import draw_cut_points
from crmsync.facts.cuts import draw_cuts
from crmsync.facts.grouping import circles, group_links
from crmsync.facts.judging import judged_terms
from crmsync.facts.model_functions import prepare
from crmsync.facts.people import People, people_in
from crmsync.facts.rates import lacking_rates
from crmsync.facts.related import summaries
from crmsync.facts.relation import relation
from crmsync.facts.rows import excluded_count, fact_row, fact_rows, row_of
from crmsync.facts.sources import wants

__all__ = [
    "Fit",
    "Histories",
    "People",
    "Refused",
    "circles",
    "draw_cut_points",
    "draw_cuts",
    "excluded_count",
    "fact_row",
    "fact_rows",
    "fit_bg_nbd",
    "fit_gamma_gamma",
    "group_links",
    "histories",
    "judged_terms",
    "lacking_rates",
    "people_in",
    "prepare",
    "relation",
    "row_of",
    "summaries",
    "wants",
]
