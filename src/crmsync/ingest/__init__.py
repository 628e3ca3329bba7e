"""Reads a CRM into its mirror: whole or what changed since, resumable, deletes included."""

from crmsync.ingest.options import ObjectPull, PullOptions, PullProgress, PullReport
from crmsync.ingest.pull import pull
from crmsync.ingest.wants import merge_wants

__all__ = ["ObjectPull", "PullOptions", "PullProgress", "PullReport", "merge_wants", "pull"]
