"""Pictures and pages without a dependency: inline SVG and one HTML file that needs nothing else.

Everything is built as a tree, so every text a customer or a file gave is escaped on the way out;
there is no other way out. Colours are CSS variables that follow the reader's light or dark scheme.
"""

from crmsync.picture.charts import Flow, Pair, bars, matrix, sankey
from crmsync.picture.page import Page

__all__ = ["Flow", "Page", "Pair", "bars", "matrix", "sankey"]
