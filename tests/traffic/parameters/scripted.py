"""Hand-made vehicles in a straight lane."""

from collections.abc import Callable, Iterable

from traffic.facts import LaneParameters
from traffic.parameters import CameraSampler, LaneCell, LaneShape, LaneVehicle, ParameterConfig, WindowedCells, lane_parameters
from traffic.types import ObjectClass, TrackId

START = 1_700_000_040  # a multiple of 120


def lane(length: float = 100.0, at: float = 80.0, loop_length: float = 2.0, stop: float | None = 100.0) -> LaneShape:
    return LaneShape(road_num=1, length=length, loop=(at - loop_length / 2, at + loop_length / 2), stop=stop)


def car(
    number: int,
    front: float,
    *,
    length: float = 5.0,
    speed: float | None = None,
    object_class: ObjectClass = ObjectClass.CAR,
    nominal: float = 1.0,
) -> LaneVehicle:
    return LaneVehicle(
        track_id=TrackId(number), object_class=object_class, front=front, rear=front - length, speed=speed, nominal=nominal
    )


def play(
    script: Callable[[float], Iterable[LaneVehicle]],
    duration_s: float,
    *,
    fps: float = 10.0,
    period: int = 60,
    shape: LaneShape | None = None,
    config: ParameterConfig | None = None,
    skip: Callable[[float], bool] = lambda _: False,
) -> list[LaneParameters]:
    """Parameters of a script of vehicles by seconds since START, through sampler and windows."""
    sampler = CameraSampler([shape or lane()], config, count_passings=True)
    windows: WindowedCells[LaneCell] = WindowedCells(LaneCell.merge, (period,))
    found: list[LaneParameters] = []
    for index in range(round(duration_s * fps) + 1):
        time_s = index / fps
        if skip(time_s):
            continue
        sampler.advance(START + time_s, {1: tuple(script(time_s))})
        windows.add(sampler.take())
        for window in windows.advance(sampler.watermark):
            found += lane_parameters(window)
    windows.add(sampler.finish())
    for window in windows.finish():
        found += lane_parameters(window)
    return found
