"""Accounts, tasks, interfaces and the outbox."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "user_account",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("password_hash", sa.String, nullable=False),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("disabled", sa.Boolean, nullable=False),
        sa.Column("token_version", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Float(53), nullable=False),
    )
    op.create_index("ix_user_account_name", "user_account", ["name"], unique=True)
    op.create_table(
        "camera_task",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("task_num", sa.String(64), nullable=False),
        sa.Column("task_name", sa.String(200), nullable=False),
        sa.Column("src_address", sa.String(2048), nullable=False),
        sa.Column("scene", sa.Text),
        sa.Column("analysed_fps", sa.Float(53), nullable=False),
        sa.Column("rtsp_transport", sa.String, nullable=False),
        sa.Column("loop", sa.Boolean, nullable=False),
        sa.Column("start_time", sa.String, nullable=False),
        sa.Column("time_zone", sa.String, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Float(53), nullable=False),
        sa.Column("updated_at", sa.Float(53), nullable=False),
    )
    op.create_index("ix_camera_task_task_num", "camera_task", ["task_num"], unique=True)
    op.create_table(
        "push_interface",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("business_type", sa.Integer, nullable=False),
        sa.Column("trigger_condition", sa.Integer, nullable=False),
        sa.Column("upload_period", sa.Integer, nullable=False),
        sa.Column("content_type", sa.Integer, nullable=False),
        sa.Column("method", sa.Integer, nullable=False),
        sa.Column("url", sa.String(2048), nullable=False),
        sa.Column("upload_img_status", sa.Integer, nullable=False),
        sa.Column("company_name", sa.String(200), nullable=False),
        sa.Column("company_id", sa.String(200), nullable=False),
        sa.Column("app_id", sa.String(200), nullable=False),
        sa.Column("push_response", sa.Integer, nullable=False),
        sa.Column("task_nums", sa.Text, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.Float(53), nullable=False),
        sa.Column("updated_at", sa.Float(53), nullable=False),
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("interface_id", sa.Integer, nullable=False),
        sa.Column("fact_id", sa.String(200), nullable=False),
        sa.Column("order_key", sa.String(100), nullable=False),
        sa.Column("kind", sa.Integer, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("pictures", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_attempt_at", sa.Float(53), nullable=False),
        sa.Column("created_at", sa.Float(53), nullable=False),
        sa.Column("finished_at", sa.Float(53), nullable=False),
        sa.UniqueConstraint("interface_id", "fact_id", name="uq_delivery_fact"),
    )
    op.create_index("ix_delivery_due", "delivery", ["state", "interface_id", "next_attempt_at"])
    op.create_index("ix_delivery_sequence", "delivery", ["sequence"])
    op.create_index("ix_delivery_interface_id", "delivery", ["interface_id"])
    op.create_table(
        "delivery_attempt",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("delivery_id", sa.String(64), nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("latency_ms", sa.Float(53), nullable=False),
        sa.Column("excerpt", sa.Text, nullable=False),
    )
    op.create_index("ix_delivery_attempt_delivery_id", "delivery_attempt", ["delivery_id"])
    op.create_table(
        "held_fact",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("interface_id", sa.Integer, nullable=False),
        sa.Column("fact_id", sa.String(200), nullable=False),
        sa.Column("order_key", sa.String(100), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("pictures", sa.Text, nullable=False),
        sa.Column("created_at", sa.Float(53), nullable=False),
        sa.UniqueConstraint("interface_id", "fact_id", name="uq_held_fact"),
    )
    op.create_index("ix_held_fact_interface_id", "held_fact", ["interface_id"])
    op.create_table(
        "task_status",
        sa.Column("task_num", sa.String(64), primary_key=True),
        sa.Column("task_name", sa.String(200), nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
    )
