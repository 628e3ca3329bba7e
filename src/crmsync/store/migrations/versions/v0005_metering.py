"""The shared meter of calls, and the ledger of our own writes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables of spending, lanes and echoes."""
    op.create_table(
        "spending",
        sa.Column("connection", sa.String(length=200), nullable=False),
        sa.Column("slot", sa.String(32), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "slot"),
    )
    op.create_table(
        "lane",
        sa.Column("connection", sa.String(length=200), nullable=False),
        sa.Column("lane", sa.String(length=200), nullable=False),
        sa.Column("taken", sa.Text(), server_default="[]", nullable=False),
        sa.Column("not_before", sa.String(32), nullable=True),
        sa.PrimaryKeyConstraint("connection", "lane"),
    )
    op.create_table(
        "echo",
        sa.Column("connection", sa.String(length=200), nullable=False),
        sa.Column("object", sa.String(length=200), nullable=False),
        sa.Column("record_id", sa.String(length=200), nullable=False),
        sa.Column("field", sa.String(length=200), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("written_at", sa.String(32), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("seen_at", sa.String(32), nullable=True),
        sa.PrimaryKeyConstraint("connection", "object", "record_id", "field"),
    )
    op.create_index("echo_by_run", "echo", ["run_id", "state"], unique=False)
