"""Seals with a key, values kept as their code alone, and the moments a backup was put back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the columns; rows written before have no key and stay as they were sealed."""
    op.add_column("audit", sa.Column("key_id", sa.String(length=20), nullable=True))
    op.add_column("attempt", sa.Column("values_code", sa.String(length=80), nullable=True))
    op.create_table(
        "restored",
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("made_at", sa.String(32), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("at"),
    )
