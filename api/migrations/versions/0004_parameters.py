"""Aggregators' states and the history of traffic parameters and people."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables of ``api.tables.parameters``."""
    op.create_table(
        "aggregator_state",
        sa.Column("task_num", sa.String(64), primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("updated_at", sa.Float(53), nullable=False),
    )
    op.create_table(
        "lane_history",
        sa.Column("task_num", sa.String(64), primary_key=True),
        sa.Column("close_s", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("road_num", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("observed_s", sa.Float(53), nullable=False),
        sa.Column("vehicles", sa.Integer, nullable=False),
        sa.Column("counts", sa.Text, nullable=False),
        sa.Column("time_occupancy_ratio", sa.Float(53), nullable=False),
        sa.Column("space_occupancy_ratio", sa.Float(53), nullable=False),
        *(sa.Column(name, sa.Float(53)) for name in (
            "density_veh_km", "time_mean_speed_kmh", "space_mean_speed_kmh", "mean_time_headway_s", "mean_spacing_m",
            "queue_length_m", "max_queue_length_m",
        )),
        sa.Column("queue_num", sa.Integer),
        sa.Column("max_queue_num", sa.Integer),
    )  # fmt: skip
    op.create_index("ix_lane_history_close_s", "lane_history", ["close_s"])
    op.create_table(
        "people_history",
        sa.Column("task_num", sa.String(64), primary_key=True),
        sa.Column("close_s", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("code", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("is_line", sa.Boolean, primary_key=True),
        sa.Column("observed_s", sa.Float(53), nullable=False),
        sa.Column("people_in", sa.Integer, nullable=False),
        sa.Column("people_out", sa.Integer, nullable=False),
        sa.Column("people_mean", sa.Float(53)),
        sa.Column("people_max", sa.Integer),
        sa.Column("area_m2", sa.Float(53)),
        sa.Column("density_per_m2", sa.Float(53)),
    )
    op.create_index("ix_people_history_close_s", "people_history", ["close_s"])
