"""Whose an open task is and for which day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Let episodes remember owner and due day; of older ones neither is known."""
    op.add_column("episode", sa.Column("owner", sa.String(length=200), nullable=True))
    op.add_column("episode", sa.Column("due", sa.String(10), nullable=True))
