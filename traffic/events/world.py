"""One tick as the detectors see it: every object in view with its place, motion, lane and regions."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from traffic.events.incident import Incident
from traffic.events.movers import Movers
from traffic.events.observations import FaintPerson, PixelFinding
from traffic.events.roads import RoadMap
from traffic.facts import EventKind
from traffic.passages.dimensions import usual_dimensions
from traffic.passages.view import GroundView
from traffic.scene.model import RegionKind
from traffic.scene.rules import EventRule
from traffic.types import FOUR_WHEELED, MOTOR_VEHICLES, Box, ObjectClass, TrackId

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indices = NDArray[np.int64]

HEIGHTS_M = np.array([usual_dimensions(member).height_m for member in ObjectClass])
LENGTHS_M = np.array([usual_dimensions(member).length_m for member in ObjectClass])
WIDTHS_M = np.array([usual_dimensions(member).width_m for member in ObjectClass])
_MOTOR = np.array([member in MOTOR_VEHICLES for member in ObjectClass])
_FOUR = np.array([member in FOUR_WHEELED for member in ObjectClass])
PLACE_PX = 1.4  # so exact is a place at best
_PRESENT_S = 0.6
_PRESENT_STANDING_S = 5.0
_SIEVE_S, _SIEVE_M, _SIEVE_RATIO = 2.3, 2.5, 0.93
_SIEVE_LATE_S, _SIEVE_LATE_RATIO = 0.75, 0.75
_MOVED_M = 8.0
_RECENT_S = 3.0
_HELD_S = 1.0  # what stood when it was hidden is there as long as the tracker holds it


class World:
    """Arrays over the n objects that are present: seen just now, or standing and hidden for a moment. A second track of an
    object that is there already is left out.

    Attributes:
        rows: (n,), rows of ``movers``. object_id, track_id, object_class: (n,).
        motor, four, person, rider: bool (n,): motor vehicle, four-wheeled, person, bicycle.
        boxes: (n, 4), relative; bottoms: (n, 2), relative, their bottom centres. places: (n, 2), on the ground.
        velocity: (n, 2), ground units per second, 0 where not known; speed: (n,), m/s (nominal without calibration), error: its
            standard error, inf when not known. scale: (n,), metres per ground unit.
        rest_s: since when it stands, nan when it does not; standing: bool. seen: bool, matched in this tick;
        ago_s: (n,), since it was seen last; recent: bool, within the last three seconds: what is hidden longer may have left
            unseen.
        slowing: bool, worth an exact look at its change of velocity.
        lane: index of its lane, -1 for none. in_lanes: bool (l, n). in_regions: bool (r, n), also with the points a fifth of
            the box's width beside the bottom centre; touches: bool (r, n), with the bottom centre alone; reaches: bool (r, n),
            with any of the three points.
        along, across: place in its lane (ground units; -1 left edge … 1 right edge); nan without. ahead: (n, 2), the lane's
            direction there. progress: (n,), speed along the lane, m/s.
        findings: of the pixels, since the last tick. looked: whether pixels were looked at. faint: people found faintly now.
        open_of: open events of some kinds. rule: of a kind.
    """

    def __init__(
        self,
        time_s: float,
        frame_size: tuple[int, int],
        road_map: RoadMap,
        movers: Movers,
        rule: Callable[[EventKind], EventRule],
        open_of: Callable[..., list[Incident]],
        findings: Sequence[PixelFinding] = (),
        looked: bool = False,
        faint: Sequence[FaintPerson] = (),
    ) -> None:
        self.time_s, self.frame_size, self.road_map, self.movers = time_s, frame_size, road_map, movers
        self.view: GroundView = road_map.view
        self.rule, self.open_of = rule, open_of
        self.findings, self.looked, self.faint = tuple(findings), looked, tuple(faint)
        ago_s = time_s - movers.last_s
        known = np.isfinite(movers.times).any(axis=1)
        standing = np.isfinite(movers.rest_s)
        present = (ago_s <= np.where(standing, _PRESENT_STANDING_S, _PRESENT_S)) | (
            standing & (time_s - movers.held_s <= _HELD_S)
        )
        self.rows = np.flatnonzero(known & present & (movers.twin == 0))
        rows, (places, boxes) = self.rows, movers.latest()
        motion = movers.motion.at(rows)
        self.object_id, self.track_id = movers.object_id[rows], movers.track_id[rows]
        self.object_class, self.class_share = movers.object_class[rows], movers.class_share[rows]
        self.rest_s, self.seen, self.moved = movers.rest_s[rows], movers.seen[rows], movers.moved[rows]
        self.ago_s: Array = ago_s[rows]
        self.recent: Flags = self.ago_s <= _RECENT_S
        self.motor, self.four = _MOTOR[self.object_class], _FOUR[self.object_class]
        self.person = self.object_class == ObjectClass.PERSON
        self.rider = self.object_class == ObjectClass.BICYCLE
        self.places, self.boxes = places[rows], boxes[rows]
        self.bottoms = np.column_stack([(self.boxes[:, 0] + self.boxes[:, 2]) / 2, self.boxes[:, 3]])
        self.velocity = np.where(np.isfinite(motion.velocity), motion.velocity, 0.0)
        self.speed, self.error = motion.speed, motion.error
        heights = np.maximum(self.boxes[:, 3] - self.boxes[:, 1], 1e-6)
        self.scale = np.ones(len(rows)) if self.view.metric else HEIGHTS_M[self.object_class] / heights
        way = movers.reach[rows] * self.scale  # who comes straight at the camera grows more than it shifts
        self.moved = self.moved | ((way > _MOVED_M) & (self.speed > 3 * self.error) & self.view.metric)
        self.standing: Flags = np.isfinite(self.rest_s)
        self.slowing = self._slowing()
        self._place_in_lanes()
        self._place_in_regions()

    def __len__(self) -> int:
        return len(self.rows)

    def box_px(self, index: int) -> Box:
        """Box of an object in pixels of the frame."""
        width, height = self.frame_size
        x1, y1, x2, y2 = self.boxes[index].tolist()
        return (x1 * width, y1 * height, x2 * width, y2 * height)

    def class_of(self, index: int) -> ObjectClass:
        """Class of an object."""
        return ObjectClass(int(self.object_class[index]))

    def track_of(self, index: int) -> TrackId:
        """Track of an object."""
        return TrackId(int(self.track_id[index]))

    def place_of(self, index: int) -> tuple[float, float]:
        """Place of an object on the ground."""
        return (float(self.places[index, 0]), float(self.places[index, 1]))

    def road_num(self, index: int) -> int:
        """roadNum of an object's lane, 0 for none."""
        lane = int(self.lane[index])
        return self.road_map.lanes[lane].road_num if lane >= 0 else 0

    def in_kind(self, *kinds: RegionKind) -> Flags:
        """bool (n,): whether an object is in a region of some kind."""
        indices = [index for index, _ in self.road_map.regions(*kinds)]
        inside = np.zeros(len(self), bool)
        for index in indices:
            inside |= self.touches[index]
        return inside

    def reaches_kind(self, *kinds: RegionKind) -> Flags:
        """bool (n,): whether an object is in a region of some kind, or reaches into it from beside."""
        inside = np.zeros(len(self), bool)
        for index, _ in self.road_map.regions(*kinds):
            inside |= self.reaches[index]
        return inside

    def metres(self, index: int, metres: float) -> float:
        """So many metres in ground units at an object."""
        return metres / float(self.scale[index])

    def pixels_of(self, boxes: Array) -> Array:
        """(n,): how far a pixel reaches on the ground at the foot of each relative box (n, 4), in the units of ``places``."""
        feet = np.column_stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]])
        reach: Array = np.abs(self.view.per_pixel(feet)).sum(axis=1).max(axis=1)
        return reach

    def errors_of(self, boxes: Array, guessed: Flags) -> Array:
        """(n,): how exact the places of relative boxes (n, 4) are at best, in the units of ``places``; those whose foot was
        ``guessed``, bool (n,), by the known shape (top edge plus width times shape) are less so."""
        width, height = self.frame_size
        shape = (boxes[:, 3] - boxes[:, 1]) * height / np.maximum((boxes[:, 2] - boxes[:, 0]) * width, 1e-9)
        result: Array = PLACE_PX * self.pixels_of(boxes) * np.where(guessed, np.sqrt(1.0 + 2.0 * shape**2), 1.0)
        return result

    def tall_px(self) -> Array:
        """(n,): heights of the boxes, pixels of the frame."""
        result: Array = (self.boxes[:, 3] - self.boxes[:, 1]) * self.frame_size[1]
        return result

    def grain_m(self) -> Array:
        """(n,): how far one pixel of the picture reaches on the ground, metres; the larger of across and along."""
        slope = self.view.per_pixel(self.bottoms)
        result: Array = np.abs(slope).sum(axis=1).max(axis=1) * self.scale
        return result

    # -- parts --------------------------------------------------------------------------------------------------------

    def _slowing(self) -> Flags:
        """A cheap sieve before exact looks at changes of velocity: who is slower now than on average in the last two seconds."""
        times, places = self.movers.times[self.rows], self.movers.places[self.rows]
        use = times > self.time_s - _SIEVE_S
        first = use.argmax(axis=1)
        rows = np.arange(len(self.rows))
        passed_s = self.time_s - np.where(use.any(axis=1), times[rows, first], np.nan)
        way = np.hypot(*(self.places - places[rows, first]).T) * self.scale
        slowing: Flags = (way > _SIEVE_M) & (self.speed * passed_s < _SIEVE_RATIO * way)
        # Who has just lost much of its speed: the mean speed over 1.2 s does not show it yet.
        use = times > self.time_s - _SIEVE_LATE_S
        late = use.argmax(axis=1)
        late_s = self.time_s - np.where(use.any(axis=1), times[rows, late], np.nan)
        late_way = np.hypot(*(self.places - places[rows, late]).T) * self.scale
        slowing |= (way > _SIEVE_M) & (late_way * passed_s < _SIEVE_LATE_RATIO * way * late_s)
        return slowing

    def _place_in_lanes(self) -> None:
        count = len(self)
        inside = self.road_map.in_lanes(self.bottoms)
        lane = np.where(inside.any(axis=0), inside.argmax(axis=0), -1) if len(inside) else np.full(count, -1)
        along, across, ahead = np.full(count, np.nan), np.full(count, np.nan), np.zeros((count, 2))
        for index in np.unique(lane[lane >= 0]).tolist():
            road, own = self.road_map.roads[index], np.flatnonzero(lane == index)
            if road is not None:
                along[own], across[own], ahead[own] = road.locate(self.places[own])
        self.lane = lane
        self.in_lanes = inside
        self.along = along
        self.across = across
        self.ahead = ahead
        self.progress = (self.velocity * ahead).sum(axis=1) * self.scale

    def _place_in_regions(self) -> None:
        aside = np.column_stack([0.2 * (self.boxes[:, 2] - self.boxes[:, 0]), np.zeros(len(self))])
        touches = self.road_map.in_regions(self.bottoms)
        self.touches = touches
        left, right = self.road_map.in_regions(self.bottoms - aside), self.road_map.in_regions(self.bottoms + aside)
        self.in_regions = touches & left & right
        self.reaches = touches | left | right
