"""crmsync: tiers and lifecycle stages as code, for the CRM you already have."""

__version__ = "0.1.0"
