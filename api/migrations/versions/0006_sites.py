"""The site whose machines analyse a camera."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Tasks that are there belong to no site: they run on any machine."""
    op.add_column("camera_task", sa.Column("site", sa.String(63), nullable=False, server_default=""))
