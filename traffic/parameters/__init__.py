"""Traffic parameters of lanes: frames → cells of one second → parameters of any period. See docs/parameters.md."""

from traffic.parameters.cell import LaneCell
from traffic.parameters.config import MAX_PERIOD_S, MIN_PERIOD_S, ParameterConfig
from traffic.parameters.observation import LaneShape, LaneVehicle, Passing
from traffic.parameters.sampler import CameraSampler, LaneSampler
from traffic.parameters.summary import lane_parameters
from traffic.parameters.windows import PeriodError, Window, WindowedCells

__all__ = [
    "MAX_PERIOD_S",
    "MIN_PERIOD_S",
    "CameraSampler",
    "LaneCell",
    "LaneSampler",
    "LaneShape",
    "LaneVehicle",
    "ParameterConfig",
    "Passing",
    "PeriodError",
    "Window",
    "WindowedCells",
    "lane_parameters",
]
