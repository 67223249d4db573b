"""Hand-made tracks for the tests of passages."""

from collections.abc import Callable, Iterable, Sequence

from traffic.facts import Turn, VehiclePassage
from traffic.passages import PassageAnalyzer
from traffic.scene.model import ImagePoint, Lane
from traffic.types import ObjectClass, Track, TrackId, TrackState

FRAME = (1000, 1000)
START_S = 1_700_000_000.0


def lane(number: int, left: float, right: float, line_y: float = 0.7, *, down: bool = True, turn: Turn = Turn.STRAIGHT) -> Lane:
    """An upright lane between two x; vehicles drive down (towards the camera) or up."""
    ends: tuple[ImagePoint, ImagePoint] = (((left + right) / 2, 0.1), ((left + right) / 2, 0.95))
    return Lane(
        road_num=number,
        road_name=f"lane {number}",
        polygon=((left, 0.1), (right, 0.1), (right, 0.95), (left, 0.95)),
        direction=ends if down else ends[::-1],
        turn=turn,
        snapshot_line=((left, line_y), (right, line_y)),
        entry_line=((left, 0.4), (right, 0.4)) if down else ((left, 0.9), (right, 0.9)),
    )


def track(
    number: int,
    time_s: float,
    x: float,
    y: float,
    *,
    state: TrackState = TrackState.CONFIRMED,
    object_class: ObjectClass = ObjectClass.CAR,
    first_s: float = 0.0,
    velocity: tuple[float, float] = (0.0, 0.0),
    size: tuple[float, float] = (80.0, 60.0),
    moved: bool = True,
    unseen_s: float = 0.0,
    score: float = 0.9,
) -> Track:
    """A track whose box has its bottom centre at (x, y) pixels; times count from START_S."""
    return Track(
        track_id=TrackId(number),
        state=state,
        box=(x - size[0] / 2, y - size[1], x + size[0] / 2, y),
        velocity=velocity,
        object_class=object_class,
        class_share=1.0,
        score=score,
        time_s=START_S + time_s,
        first_time_s=START_S + first_s,
        hits=10,
        time_since_update_s=unseen_s,
        moved=moved,
    )


def play(analyzer: PassageAnalyzer, script: Callable[[float], Iterable[Track]], times: Sequence[float]) -> list[VehiclePassage]:
    """Feed the analyzer the tracks ``script`` gives for each time; the passages of all updates."""
    stated: list[VehiclePassage] = []
    for time_s in times:
        stated += analyzer.update(START_S + time_s, FRAME, tuple(script(time_s)))
    return stated


def seconds(duration_s: float, fps: float = 10.0) -> list[float]:
    """Frame times."""
    return [index / fps for index in range(round(duration_s * fps) + 1)]
