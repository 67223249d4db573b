"""Fencing tokens of cameras and of the long-lived actors; items that periodic deliveries were composed of."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Nobody holds a token yet; the first of each name is 1."""
    op.create_table(
        "fence",
        sa.Column("name", sa.String(80), primary_key=True),
        sa.Column("token", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "composed_fact",
        sa.Column("interface_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("fact_id", sa.String(200), primary_key=True),
        sa.Column("at", sa.Float(53), nullable=False),
    )
    op.create_index("ix_composed_fact_at", "composed_fact", ["at"])
