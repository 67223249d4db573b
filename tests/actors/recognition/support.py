"""Frames, tracks, reads and services made by hand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import av
import numpy as np

from actors.decoding import DecodedFrame
from actors.ports import FactEnvelope, TaskRef
from models.handles import Attributes, Image, PlateRead, RecognitionFailedError, VehicleContext
from traffic.facts import Heading, Turn, VehiclePassage
from traffic.types import Box, ObjectClass, Track, TrackId, TrackState

SIZE = (640, 360)
CONTEXT = VehicleContext(object_class=ObjectClass.CAR, heading=Heading.FRONT)
TASK = TaskRef(task_id=1, task_num="7", task_name="t", src_address="x", time_zone="Asia/Shanghai")


def frame(time_s: float, seed: int = 0, *, blur: bool = False) -> DecodedFrame:
    image = np.random.default_rng(seed).integers(0, 255, (SIZE[1], SIZE[0], 3), np.uint8)
    if blur:
        image[:] = 128
    picture = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p")
    return DecodedFrame(
        index=round(time_s * 25),
        pts_s=time_s,
        time_s=time_s,
        frame=picture,
        width=SIZE[0],
        height=SIZE[1],
        key_frame=True,
        rotation=0,
    )


def track(number: int, box: Box, time_s: float, *, state: TrackState = TrackState.CONFIRMED, moved: bool = True) -> Track:
    return Track(
        track_id=TrackId(number), state=state, box=box, velocity=(0.0, 0.0), object_class=ObjectClass.CAR, class_share=1.0,
        score=0.9, time_s=time_s, first_time_s=0.0, hits=5, time_since_update_s=0.0, moved=moved,
        detection=box if state is TrackState.CONFIRMED else None,
    )  # fmt: skip


def read(
    text: str, confidence: float = 0.9, at: tuple[float, float] = (50.0, 80.0), width: float = 30.0, **changes: object
) -> PlateRead:
    x, y = at
    half, high = width / 2, width / 8
    corners = np.array([[x - half, y - high], [x + half, y - high], [x + half, y + high], [x - half, y + high]], np.float32)
    values: dict = {
        "text": text,
        "color": 1,
        "confidence": confidence,
        "characters": (confidence,) * len(text),
        "corners": corners,
    }
    return PlateRead(**(values | changes))


def passage(number: int, time_s: float = 1.0) -> FactEnvelope:
    fact = VehiclePassage(
        track_id=TrackId(number), time_s=time_s, road_num=1, road_name="", turn=Turn.STRAIGHT, object_class=ObjectClass.CAR,
        box=(0, 0, 10, 10), frame_size=SIZE, speed_kmh=None, spacing_m=None, time_headway_s=None, running_time_s=None,
        heading=Heading.FRONT,
    )  # fmt: skip
    return FactEnvelope(fact_id=f"f{number}-{time_s}", task=TASK, fact=fact)


class Answer:
    """A pending result: an answer, or an error when it is one."""

    def __init__(self, value: object) -> None:
        self._value = value

    def result(self, timeout_s: float):  # type: ignore[no-untyped-def]
        if isinstance(self._value, Exception):
            raise self._value
        return self._value


@dataclass
class Plates:
    """A plate reader that answers what ``say`` tells it of each picture."""

    say: Callable[[Image], Sequence[PlateRead]]
    down: bool = False
    calls: list[int] = field(default_factory=list)

    def submit(self, images: Sequence[Image]) -> Answer:
        self.calls.append(len(images))
        if self.down:
            raise RecognitionFailedError("down")
        return Answer(tuple(tuple(self.say(image)) for image in images))


@dataclass
class Looks:
    """An attribute client with one answer."""

    answer: object = field(
        default_factory=lambda: Attributes(
            vehicle_type=1, vehicle_type_confidence=0.8, vehicle_color=5, vehicle_color_confidence=0.7
        )
    )
    contexts: list[VehicleContext] = field(default_factory=list)

    def submit(self, crops: Sequence[Image], context: VehicleContext) -> Answer:
        self.contexts.append(context)
        return Answer(self.answer)
