"""Fencing tokens of cameras and of the long-lived actors."""

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
