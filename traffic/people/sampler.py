"""People of each frame → cells of one second, and the number of people in each region now.

Places are in picture heights: relative image coordinates with x times the picture's width / height.
"""

import math
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from traffic.parameters.sampler import seconds_of
from traffic.passages.view import GroundView
from traffic.people.cell import LINE_KEY, PeopleCell
from traffic.people.config import PeopleConfig
from traffic.people.crossing import LineGeometry, Place, RegionGeometry, SideState
from traffic.people.lifelike import Liveliness
from traffic.scene.model import Region, Scene
from traffic.types import ObjectClass, Track, TrackId, TrackState

Array = NDArray[np.float64]

PEOPLE_KINDS = frozenset({"people", "crowd"})
_MICRO = 1_000_000
_SETTLED_S = 2.0  # who is seen at the border sooner after the beginning may have been there before


@dataclass(slots=True)
class _Person:
    place: Place
    height: float
    time_s: float
    velocity: tuple[float, float] = (0.0, 0.0)
    at_border: bool = False
    counts: bool = True
    thing: bool = False  # as it looked when nobody stood before it
    lively: Liveliness | None = None
    sides: dict[int, SideState] = field(default_factory=dict)


@dataclass(slots=True)
class _Builder:
    observed_s: float = 0.0
    person_s: float = 0.0
    people_in: int = 0
    people_out: int = 0
    most: int = 0


class PeopleSampler:
    """Counts and places the people of one camera: feed it every analysed frame in order of time."""

    def __init__(self, scene: Scene, config: PeopleConfig | None = None) -> None:
        self._scene, self._config = scene, config or PeopleConfig()
        self._regions = {r.region_code: r for r in scene.regions if r.kind in PEOPLE_KINDS}
        self._frame_size: tuple[int, int] | None = None
        self._people: dict[TrackId, _Person] = {}
        self._numbers: dict[int, int] = {}
        self._open: dict[int, dict[int, _Builder]] = {}
        self._time_s: float | None = None
        self._since_s = 0.0
        self._closed_until = -(2**62)

    @property
    def wanted(self) -> bool:
        """Whether the scene has anything to count people at."""
        return bool(self._regions or self._scene.count_lines)

    @property
    def numbers(self) -> Mapping[int, int]:
        """People in each region in the newest frame, by region code."""
        return self._numbers

    @property
    def watermark(self) -> int:
        """No cell of an earlier second will come from ``take``."""
        return self._closed_until

    def area_m2(self, region_code: int) -> float | None:
        """Area of a region: given, or from the calibration (after the first frame); None when not known."""
        return self._areas.get(region_code) if self._frame_size else self._regions[region_code].area_m2

    def advance(self, time_s: float, frame_size: tuple[int, int], tracks: Sequence[Track]) -> None:
        """The tracks of the frame at ``time_s``; other classes than people are ignored, as is a frame that is not later."""
        if self._time_s is not None and time_s <= self._time_s:
            return
        if frame_size != self._frame_size:
            self._look(frame_size)
        gap = self._time_s is None or time_s - self._time_s > self._config.max_gap_s
        if gap:
            self._people.clear()
            self._since_s = time_s
        people = [track for track in tracks if track.object_class is ObjectClass.PERSON]
        second = math.floor(time_s)
        seen = {track.track_id for track in people if track.state is TrackState.CONFIRMED}
        crowded = _hidden_by_people([track for track in people if track.track_id in seen], self._config)
        for track in people:
            if track.track_id in seen:
                self._see(track, time_s, second, seen, track.track_id in crowded)
        for track in people:
            if track.state is TrackState.DELETED:
                self._end(track, second)
        self._forget(time_s)
        before, self._numbers = self._numbers, self._count(time_s, tracks)
        if not gap and self._time_s is not None:
            self._step(self._time_s, time_s, before)
        self._time_s = time_s

    def take(self) -> tuple[PeopleCell, ...]:
        """Cells of the seconds that ended ``settle_s`` or longer ago."""
        return () if self._time_s is None else self._take(math.floor(self._time_s - self._config.settle_s))

    def finish(self) -> tuple[PeopleCell, ...]:
        """All that is left: the source has ended."""
        return self._take(2**62)

    # -- parts --------------------------------------------------------------------------------------------------------

    def _look(self, frame_size: tuple[int, int]) -> None:
        self._frame_size = frame_size
        self._aspect = frame_size[0] / frame_size[1]
        scale = np.array([self._aspect, 1.0])
        outlines = {code: np.asarray(region.polygon, np.float64) * scale for code, region in self._regions.items()}
        self._shapes = {code: RegionGeometry(outline) for code, outline in outlines.items()}
        self._lines = {}
        for line in self._scene.count_lines:
            (ax, ay), (bx, by) = line.segment
            self._lines[line.code + LINE_KEY] = LineGeometry((ax * self._aspect, ay), (bx * self._aspect, by))
        self._areas = {code: region_area_m2(region, self._scene, frame_size) for code, region in self._regions.items()}

    def _see(self, track: Track, time_s: float, second: int, seen: Set[TrackId], crowded: bool) -> None:
        config = self._config
        assert self._frame_size is not None
        width, height = self._frame_size
        x1, y1, x2, y2 = track.detection or track.box
        place, tall = ((x1 + x2) / 2 / height, y2 / height), (y2 - y1) / height
        reach = config.border_share * height
        at_border = x1 <= reach or x2 >= width - 1 - reach or y2 >= height - 1 - reach
        person = self._people.get(track.track_id)
        fresh = person is None
        if person is None:
            person = self._inherit(place, tall, time_s, seen) or _Person(place, tall, time_s)
            self._people[track.track_id] = person
        came_in = fresh and at_border and not person.sides and time_s - self._since_s > _SETTLED_S
        before = person.place
        for code, line in self._lines.items():
            state = person.sides.setdefault(code, SideState())
            way = line.update(state, before, place, config.hysteresis_share * tall, config.line_slack_share * tall)
            self._note(second, code, way)
        inside = {code: bool(shape.inside(np.array([place]))[0]) for code, shape in self._shapes.items()}
        for code, shape in self._shapes.items():
            state = person.sides.setdefault(code, SideState(side=-1 if came_in else 0))
            self._note(second, code, shape.update(state, place, inside[code], config.hysteresis_share * tall))
        top = y1 / height
        if person.lively is None or fresh:  # one who goes on under a new number is judged anew: it may be a thing nearby
            person.lively = Liveliness(time_s, time_s, track.score, place[0], top, (place[0], top))
        else:
            person.lively.see(time_s, track.score, place[0], top, tall, config)
        proven = person.lively.is_person(config)
        if not crowded:
            person.thing = not proven
        person.counts = proven or (crowded and not person.thing)
        person.velocity = (track.velocity[0] / height, track.velocity[1] / height)
        person.place, person.height, person.time_s, person.at_border = place, tall, time_s, at_border

    def _inherit(self, place: Place, tall: float, time_s: float, seen: Set[TrackId]) -> _Person | None:
        """A person lost a moment ago who is now here under another number."""
        best: tuple[float, TrackId] | None = None
        for track_id, person in self._people.items():
            gone_s = time_s - person.time_s
            if track_id in seen or not 0 < gone_s <= self._config.heir_s or not 0.7 < person.height / max(tall, 1e-9) < 1.4:
                continue
            expected = (person.place[0] + person.velocity[0] * gone_s, person.place[1] + person.velocity[1] * gone_s)
            off = math.dist(expected, place) / tall
            if off <= self._config.heir_share and (best is None or off < best[0]):
                best = (off, track_id)
        return None if best is None else self._people.pop(best[1])

    def _end(self, track: Track, second: int) -> None:
        """A track that ends at the picture's border has left the regions it was in."""
        person = self._people.get(track.track_id)
        if person is None or not person.at_border:
            return
        del self._people[track.track_id]
        for code in self._shapes:
            if person.sides.get(code, SideState()).side == 1:
                self._note(second, code, -1)

    def _forget(self, time_s: float) -> None:
        """People nobody has seen for long: their tracks were deleted and no new one continued them."""
        keep_s = max(self._config.heir_s, self._config.hidden_s) + 15.0
        self._people = {track_id: p for track_id, p in self._people.items() if time_s - p.time_s <= keep_s}

    def _count(self, time_s: float, tracks: Sequence[Track]) -> dict[int, int]:
        people = [p for p in self._people.values() if p.counts]
        seen = [p for p in people if p.time_s == time_s]
        hidden = [p for p in people if 0 < time_s - p.time_s <= self._config.hidden_s and not p.at_border]
        present = [p.place for p in seen]
        if hidden:
            taken = np.array(present, np.float64).reshape(-1, 2)
            present += [p.place for p in hidden if self._still_there(p, time_s, taken, tracks)]
        places = np.array(present, np.float64).reshape(-1, 2)
        return {code: int(shape.inside(places).sum()) for code, shape in self._shapes.items()}

    def _still_there(self, person: _Person, time_s: float, taken: Array, tracks: Sequence[Track]) -> bool:
        """Whether somebody not seen now is only hidden: missed for a moment, or behind what stands nearer. Who is where another
        one is seen has only changed the number."""
        gone_s = time_s - person.time_s
        place = np.array(person.place) + np.array(person.velocity) * gone_s
        if len(taken) and np.hypot(*(taken - place).T).min() < self._config.same_share * person.height:
            return False
        if gone_s <= self._config.missed_s:
            return True
        assert self._frame_size is not None
        box = np.array([place[0] - 0.2 * person.height, place[1] - person.height, place[0] + 0.2 * person.height, place[1]])
        box *= self._frame_size[1]
        for track in tracks:
            if track.state is TrackState.CONFIRMED and track.box[3] > box[3]:
                width, height = min(box[2], track.box[2]) - max(box[0], track.box[0]), box[3] - max(box[1], track.box[1])
                if width > 0 and height > 0 and width * height > 0.5 * (box[2] - box[0]) * (box[3] - box[1]):
                    return True
        return False

    def _builder(self, second: int, code: int) -> _Builder:
        return self._open.setdefault(second, {}).setdefault(code, _Builder())

    def _note(self, second: int, code: int, way: int) -> None:
        if way and second >= self._closed_until:
            builder = self._builder(second, code)
            builder.people_in += way > 0
            builder.people_out += way < 0

    def _step(self, start_s: float, end_s: float, before: Mapping[int, int]) -> None:
        for second, low, high in seconds_of(start_s, end_s):
            if second < self._closed_until:
                continue
            for code in (*self._shapes, *self._lines):
                builder, number = self._builder(second, code), self._numbers.get(code, 0)
                builder.observed_s += high - low
                builder.person_s += (before.get(code, 0) + number) / 2 * (high - low)
                builder.most = max(builder.most, number)

    def _take(self, until: int) -> tuple[PeopleCell, ...]:
        seconds = sorted(second for second in self._open if second < until)
        self._closed_until = max(self._closed_until, until)
        return tuple(cell for second in seconds for cell in self._build(second, self._open.pop(second)))

    def _build(self, second: int, builders: Mapping[int, _Builder]) -> Iterator[PeopleCell]:
        for code, builder in sorted(builders.items()):
            area = self._areas.get(code)
            yield PeopleCell(
                code=code,
                second=second,
                observed_us=round(builder.observed_s * _MICRO),
                person_us=round(builder.person_s * _MICRO),
                people_in=builder.people_in,
                people_out=builder.people_out,
                most=builder.most,
                area_dm2=-1 if area is None else round(area * 100),
            )


def _hidden_by_people(people: Sequence[Track], config: PeopleConfig) -> Set[TrackId]:
    """Of whom another one who stands nearer, and is certainly a person, covers ``crowded_share`` of the box."""
    if len(people) < 2:
        return frozenset()
    boxes = np.array([track.detection or track.box for track in people])
    low, high = np.maximum(boxes[:, None, :2], boxes[None, :, :2]), np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    sure = np.array([track.score >= config.new_score for track in people])
    shared[(boxes[None, :, 3] <= boxes[:, None, 3]) | ~sure[None, :]] = 0.0
    own = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return {
        people[row].track_id
        for row in np.flatnonzero(shared.max(axis=1) >= config.crowded_share * np.maximum(own, 1e-9)).tolist()
    }


def region_area_m2(region: Region, scene: Scene, frame_size: tuple[int, int]) -> float | None:
    """Area of a region in m²: as given, else of its outline on the calibrated road, else None (also beyond the horizon)."""
    if region.area_m2 is not None or scene.calibration is None:
        return region.area_m2
    polygon = np.asarray(region.polygon, np.float64)
    ground = GroundView(scene.calibration, frame_size, polygon.mean(axis=0)).to_ground(polygon)
    if not np.isfinite(ground).all():
        return None
    x, y = ground[:, 0], ground[:, 1]
    area = abs(float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum()) / 2)
    return area if area > 0 else None
