"""A road seen from straight above: 1000 x 1000 pixels show 40 m across and 100 m along, so scripts speak in metres."""

from collections.abc import Callable, Iterable

import numpy as np

from traffic.events import EventAnalyzer, FrameEvidence
from traffic.facts import EventKind, EventPhase, TrafficEvent, Turn
from traffic.passages import PassageAnalyzer
from traffic.scene import Calibration, EventRule, Lane, Region, Scene
from traffic.types import ObjectClass, Track, TrackId, TrackState

SIZE = (1000, 1000)
START = 1_764_000_000.0  # Tuesday, 25 November 2025, 00:00 in Shanghai
MATRIX = np.array([[40.0, 0, 0], [0, -100.0, 100.0], [0, 0, 1.0]])
CALIBRATION = Calibration(image_to_road=MATRIX)
CAR, PERSON, BICYCLE = ObjectClass.CAR, ObjectClass.PERSON, ObjectClass.BICYCLE
Seen = tuple[int, ObjectClass, float, float]  # number, class, metres across, metres along
Script = Callable[[float], Iterable[Seen]]


def point(x_m: float, y_m: float) -> tuple[float, float]:
    """Relative image coordinates of a road point."""
    return x_m / 40, 1 - y_m / 100


def lane(number: int, x_m: float, *, up: bool = True, stop_m: float | None = None, **more: object) -> Lane:
    """A lane 4 m wide around ``x_m``, leading up the picture or down."""
    path = (point(x_m, 2), point(x_m, 98))
    return Lane(
        road_num=number,
        road_name="",
        polygon=(point(x_m - 2, 0), point(x_m + 2, 0), point(x_m + 2, 100), point(x_m - 2, 100)),
        direction=path if up else path[::-1],
        turn=Turn.STRAIGHT,
        snapshot_line=(point(x_m - 2, 50), point(x_m + 2, 50)),
        stop_line=None if stop_m is None else (point(x_m - 2, stop_m), point(x_m + 2, stop_m)),
        **more,  # type: ignore[arg-type]
    )


def region(code: int, kind: str, x1: float, y1: float, x2: float, y2: float, **more: object) -> Region:
    """A rectangle in metres."""
    corners = (point(x1, y1), point(x2, y1), point(x2, y2), point(x1, y2))
    return Region(region_code=code, name="", kind=kind, polygon=corners, **more)  # type: ignore[arg-type]


def road(*lanes: Lane, regions: Iterable[Region] = (), highway: bool | None = None, events: tuple[EventRule, ...] = ()) -> Scene:
    """A calibrated scene."""
    return Scene(lanes=lanes, regions=tuple(regions), calibration=CALIBRATION, highway=highway, events=events)


def track(seen: Seen, time_s: float, first_s: float, *, moved: bool = True) -> Track:
    """A track whose box's bottom centre is the place, 1.8 m wide and 4.5 m long (people 0.6 m by 1.7 m)."""
    number, object_class, x_m, y_m = seen
    wide, long = (0.6, 1.7) if object_class is PERSON else (1.8, 4.5)
    x, y = 25 * x_m, 1000 - 10 * y_m
    box = (x - 12.5 * wide, y - 10 * long, x + 12.5 * wide, y)
    return Track(
        track_id=TrackId(number), state=TrackState.CONFIRMED, box=box, velocity=(0.0, 0.0), object_class=object_class,
        class_share=1.0, score=0.9, time_s=time_s, first_time_s=first_s, hits=5, time_since_update_s=0.0, moved=moved,
        detection=box,
    )  # fmt: skip


class Player:
    """Runs a script through the analyzers; more scripts may follow on the same analyzer."""

    def __init__(self, scene: Scene | None, *, life: str = "", fps: float = 5.0) -> None:
        self.analyzer, self.passages = EventAnalyzer(scene, life=life), PassageAnalyzer(scene)
        self.fps, self.first_s = fps, dict[int, float]()
        self.facts: list[TrafficEvent] = []

    def play(
        self, script: Script, until_s: float, *, from_s: float = 0.0, see: Callable[[float], FrameEvidence] | None = None
    ) -> "Player":
        """Frames from ``from_s`` to ``until_s``."""
        for index in range(round(from_s * self.fps), round(until_s * self.fps)):
            time_s = index / self.fps
            now_s = START + time_s
            tracks = tuple(track(seen, now_s, self.first_s.setdefault(seen[0], now_s)) for seen in script(time_s))
            passed = self.passages.update(now_s, SIZE, tracks)
            evidence = see(time_s) if see else FrameEvidence()
            self.facts += self.analyzer.update(now_s, SIZE, tracks, self.passages, passed, evidence)
        return self

    def finish(self) -> list[TrafficEvent]:
        """The source has ended; all facts."""
        self.facts += self.analyzer.finish()
        return self.facts

    def raised(self, kind: EventKind | None = None) -> list[TrafficEvent]:
        """Events raised or upgraded so far."""
        return [f for f in self.facts if f.phase is not EventPhase.CLOSED and kind in (None, f.kind)]


def drive(number: int, x_m: float, y_m: float, speed: float, *, stop_m: float | None = None, begin_s: float = 0.0) -> Script:
    """A car along the road at ``speed`` m/s (negative: down the picture); brakes at 2 m/s² to stand at ``stop_m``."""
    brake_s, brake_m = abs(speed) / 2, speed * speed / 4

    def script(time_s: float) -> list[Seen]:
        moment, way = time_s - begin_s, 1 if speed > 0 else -1
        gone = abs(speed) * moment
        if stop_m is not None:
            cruise_s = (abs(stop_m - y_m) - brake_m) / abs(speed)
            braking_s = min(max(moment - cruise_s, 0.0), brake_s)
            gone = abs(speed) * min(moment, cruise_s) + abs(speed) * braking_s - braking_s**2
        y = y_m + way * gone
        return [(number, CAR, x_m, y)] if moment >= 0 and 4 < y < 96 else []

    return script


def together(*scripts: Script) -> Script:
    """Several scripts at once."""
    return lambda time_s: [seen for script in scripts for seen in script(time_s)]
