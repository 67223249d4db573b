"""Delivery: lanes, bounds, signing secrets, state of receivers."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add what bounded, signed and isolated delivery needs."""
    op.add_column("push_interface", sa.Column("accept_2xx", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("push_interface", sa.Column("secret", sa.String(200), nullable=False, server_default=""))
    op.add_column("push_interface", sa.Column("previous_secret", sa.String(200), nullable=False, server_default=""))
    op.add_column("push_interface", sa.Column("previous_secret_until", sa.Float(53), nullable=False, server_default="0"))
    op.add_column("delivery", sa.Column("priority", sa.Integer, nullable=False, server_default="1"))
    op.add_column("delivery", sa.Column("size", sa.Integer, nullable=False, server_default="0"))
    op.add_column("delivery", sa.Column("age_from", sa.Float(53), nullable=False, server_default="0"))
    op.execute("UPDATE delivery SET size = length(body), age_from = created_at")
    # Rows that the first version marked as dropped were never sent and cannot be told from given up ones any more.
    op.execute("UPDATE delivery SET state = 'given_up' WHERE state = 'dropped'")
    op.drop_index("ix_delivery_due", "delivery")
    op.drop_index("ix_delivery_interface_id", "delivery")
    op.create_index("ix_delivery_lane", "delivery", ["interface_id", "state", "order_key", "sequence"])
    op.create_index("ix_delivery_retry", "delivery", ["interface_id", "state", "next_attempt_at"])
    op.create_index("ix_delivery_bound", "delivery", ["state", "interface_id", "priority", "sequence", "size", "age_from"])
    op.create_index("ix_delivery_finished", "delivery", ["finished_at"])
    op.create_table(
        "receiver_state",
        sa.Column("interface_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("failing_since", sa.Float(53), nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("last_failure_at", sa.Float(53), nullable=False),
        sa.Column("last_success_at", sa.Float(53), nullable=False),
        sa.Column("notice_at", sa.Float(53), nullable=False),
        sa.Column("disabled_at", sa.Float(53), nullable=False),
        sa.Column("disabled_reason", sa.String(500), nullable=False),
        sa.Column("dropped", sa.BigInteger, nullable=False),
    )
