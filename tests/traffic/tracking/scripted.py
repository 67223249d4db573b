"""Scripted scenes for the tests of the tracker: who is where when, what a detector would report of it, and who was followed."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from traffic.tracking import Tracker
from traffic.types import Box, Detections, ObjectClass, Track, TrackId, TrackState

START_S = 1_700_000_000.0
_FOCAL_PX, _CAMERA_HEIGHT_M, _HORIZON_PX = 1200.0, 8.0, 100.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """One detection and the name of the object that it shows."""

    name: str
    box: Box
    score: float = 0.85
    object_class: ObjectClass = ObjectClass.CAR


Script = Callable[[float], Iterable[Sight]]


def on_road(
    name: str,
    ahead_m: float,
    aside_m: float = 0.0,
    *,
    extent_m: tuple[float, float] = (1.8, 1.5),
    object_class: ObjectClass = ObjectClass.CAR,
    score: float = 0.85,
) -> Sight:
    """A vehicle ``ahead_m`` metres before a camera on an 8 m pole and ``aside_m`` to the right, as wide and high as said."""
    scale = _FOCAL_PX / ahead_m
    middle, bottom = 640 + aside_m * scale, _HORIZON_PX + _CAMERA_HEIGHT_M * scale
    half, height = extent_m[0] / 2 * scale, extent_m[1] * scale
    return Sight(name=name, box=(middle - half, bottom - height, middle + half, bottom), score=score, object_class=object_class)


def person(name: str, x: float, bottom: float, height: float = 120.0, score: float = 0.85) -> Sight:
    """A pedestrian with the feet at (x, bottom) pixels."""
    half = height * 0.19
    return Sight(name=name, box=(x - half, bottom - height, x + half, bottom), score=score, object_class=ObjectClass.PERSON)


def detections(sights: Sequence[Sight]) -> Detections:
    """What the detector gives."""
    if not sights:
        return Detections.empty()
    return Detections(
        boxes=np.array([sight.box for sight in sights], np.float32),
        scores=np.array([sight.score for sight in sights], np.float32),
        classes=np.array([sight.object_class for sight in sights], np.int64),
    )


def times(duration_s: float, fps: float) -> list[float]:
    """Frame times."""
    return [index / fps for index in range(round(duration_s * fps) + 1)]


def without_hidden(sights: Iterable[Sight], hidden_share: float = 0.6) -> list[Sight]:
    """A detector's view: what others nearer to the camera cover by ``hidden_share`` or more is not seen."""
    everything = list(sights)
    return [sight for sight in everything if all(_covered(sight.box, other.box) < hidden_share for other in everything)]


def _covered(box: Box, other: Box) -> float:
    if other[3] <= box[3]:
        return 0.0
    width = max(min(box[2], other[2]) - max(box[0], other[0]), 0.0)
    height = max(min(box[3], other[3]) - max(box[1], other[1]), 0.0)
    return width * height / ((box[2] - box[0]) * (box[3] - box[1]))


class Followed:
    """Who was followed under which id."""

    def __init__(self) -> None:
        self.ids: dict[str, list[TrackId]] = {}
        self.frames: list[tuple[Track, ...]] = []

    def note(self, sights: Sequence[Sight], tracks: tuple[Track, ...]) -> None:
        """Every CONFIRMED track belongs to the object whose detection it matched."""
        self.frames.append(tracks)
        for track in tracks:
            if track.state is TrackState.CONFIRMED:
                assert track.detection is not None
                name = min(
                    sights, key=lambda sight: sum(abs(a - b) for a, b in zip(sight.box, track.detection, strict=True))
                ).name
                if self.ids.setdefault(name, [track.track_id])[-1] != track.track_id:
                    self.ids[name].append(track.track_id)

    @property
    def all_ids(self) -> set[TrackId]:
        """Ids that were ever reported."""
        return {track.track_id for tracks in self.frames for track in tracks}


def follow(tracker: Tracker, script: Script, at_s: Sequence[float], *, jitter: float = 0.0, missed: float = 0.0) -> Followed:
    """Run a script. ``jitter``: noise of every edge as a share of the box's height; ``missed``: share of detections not made."""
    random = np.random.default_rng(7)
    followed = Followed()
    for time_s in at_s:
        sights = [sight for sight in script(time_s) if random.random() >= missed]
        noisy = []
        for sight in sights:
            spread = jitter * (sight.box[3] - sight.box[1])
            x1, y1, x2, y2 = np.array(sight.box) + random.normal(0.0, 1.0, 4) * spread
            noisy.append(Sight(name=sight.name, box=(x1, y1, x2, y2), score=sight.score, object_class=sight.object_class))
        followed.note(noisy, tracker.update(START_S + time_s, detections(noisy)))
    return followed
