"""Lines frozen per review period: cut points, cut lines and fitted models."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table of frozen lines."""
    op.create_table(
        "frozen",
        sa.Column("connection", sa.String(length=200), nullable=False),
        sa.Column("ruleset", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("period", sa.String(length=40), nullable=False),
        sa.Column("basis", sa.String(length=80), nullable=False),
        sa.Column("drawn_on", sa.String(10), nullable=False),
        sa.Column("customers", sa.Integer(), nullable=False),
        sa.Column("kept_at", sa.String(32), nullable=False),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "ruleset", "name", "version"),
    )
