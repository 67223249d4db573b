"""Tables (SQLModel). Rows are the third type beside domain values and wire bodies; conversions are explicit."""

from api.tables.accounts import User
from api.tables.deliveries import ComposedFact, Delivery, DeliveryAttempt, HeldFact, ReceiverStateRow, TaskStatusRow
from api.tables.events import EventRow
from api.tables.fences import FenceRow
from api.tables.interfaces import Interface
from api.tables.parameters import AggregatorState, LaneHistory, PeopleHistory
from api.tables.tasks import Task
from api.tables.vehicles import VehicleRow

__all__ = [
    "AggregatorState",
    "ComposedFact",
    "Delivery",
    "DeliveryAttempt",
    "EventRow",
    "FenceRow",
    "HeldFact",
    "Interface",
    "LaneHistory",
    "PeopleHistory",
    "ReceiverStateRow",
    "Task",
    "TaskStatusRow",
    "User",
    "VehicleRow",
]
