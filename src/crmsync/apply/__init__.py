"""The write protocol: the only way anything is written to a CRM."""

from crmsync.apply.applier import Applier
from crmsync.apply.order import ApplyOrder, Limits, Progress, Surroundings
from crmsync.apply.report import report

__all__ = ["Applier", "ApplyOrder", "Limits", "Progress", "Surroundings", "report"]
