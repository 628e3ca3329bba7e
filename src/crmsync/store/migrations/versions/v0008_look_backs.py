"""What was seen just before a write, and what the CRM's history showed after it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Rows written before were never looked back at; nothing is known of them."""
    op.add_column("attempt", sa.Column("seen", sa.Text, nullable=True))
    op.add_column("attempt", sa.Column("look_back", sa.String(20), nullable=True))
    op.add_column("attempt", sa.Column("overwritten", sa.Text, nullable=True))
