"""The history of events and of vehicles; items of periods that wait for their clip."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def _text(name: str, size: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(size), nullable=False)


def _float(name: str, nullable: bool = False) -> sa.Column[float]:
    return sa.Column(name, sa.Float(53), nullable=nullable)


def _integer(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def _long(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def upgrade() -> None:
    """Make the tables of ``api.tables.events`` and ``api.tables.vehicles``."""
    op.add_column("held_fact", sa.Column("not_before", sa.Float(53), nullable=False, server_default="0"))
    op.create_table(
        "traffic_event",
        sa.Column("id", sa.Integer, primary_key=True),
        _text("event_id", 200), _text("task_num", 64), _text("time_zone", 64),
        _integer("kind"), _integer("first_kind"),
        _float("raised_at"), _float("upgraded_at"), _float("closed_at"), _text("closed_by", 64),
        _float("start_at"), _float("peak_at"), _float("confidence"),
        sa.Column("box", sa.Text, nullable=False),
        _integer("frame_width"), _integer("frame_height"), _text("object_class", 16), _long("road_num"), _long("region_code"),
        sa.Column("detail", sa.Text, nullable=False),
        _text("large_picture", 400), _text("small_picture", 400), _text("clip", 400),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("upgraded_body", sa.Text, nullable=False),
        _text("plate_num", 32), _integer("plate_color"), _integer("vehicle_type"), _integer("vehicle_color"), _integer("weather"),
        sa.Column("false_alarm", sa.Boolean, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        _text("marked_by", 64), _float("marked_at"), _float("recorded_at"),
        sa.UniqueConstraint("task_num", "event_id", name="uq_traffic_event"),
    )  # fmt: skip
    op.create_index("ix_traffic_event_task", "traffic_event", ["task_num", "raised_at"])
    op.create_index("ix_traffic_event_open", "traffic_event", ["closed_at", "task_num"])
    op.create_index("ix_traffic_event_raised_at", "traffic_event", ["raised_at"])
    op.create_index("ix_traffic_event_recorded_at", "traffic_event", ["recorded_at"])
    op.create_table(
        "vehicle_passage",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("fact_id", sa.String(200), nullable=False, unique=True),
        _text("task_num", 64), _text("time_zone", 64), _float("time_s"), _long("road_num"),
        sa.Column("road_name", sa.Text, nullable=False),
        _integer("turn"), _text("object_class", 16),
        *(_float(name, True) for name in ("speed_kmh", "spacing_m", "time_headway_s", "running_time_s", "length_m")),
        _integer("heading"), _text("plate_num", 32), _integer("plate_color"), _integer("vehicle_type"), _integer("vehicle_color"),
        _integer("weather"), _text("small_picture", 400), _text("plate_picture", 400), _float("recorded_at"),
    )  # fmt: skip
    op.create_index("ix_vehicle_passage_task", "vehicle_passage", ["task_num", "time_s"])
    for name in ("time_s", "plate_num", "recorded_at"):
        op.create_index(f"ix_vehicle_passage_{name}", "vehicle_passage", [name])
