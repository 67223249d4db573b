"""People who are found only faintly: the detector is never sure of them, but says so again and again along a way.

Detection before decision: a second tracker follows what the first one never starts a track with. Its tracks count when they
have lasted and have moved as people move. Only for roads where nobody may walk, since it costs certainty.
"""

from dataclasses import replace

import numpy as np

from traffic.events.observations import FaintPerson
from traffic.tracking import TRAFFIC, Tracker, TrackerConfig
from traffic.types import MOTOR_VEHICLES, Box, Detections, ObjectClass, Track, TrackId, TrackState

# A detector's answers on empty road stay below 0.15; on a cyclist of 24 x 50 pixels they were 0.13 to 0.41 (measured).
_CONFIG: TrackerConfig = replace(
    TRAFFIC, low_score=0.12, high_score=0.12, new_score=0.15, confirm_hits=8, confirm_s=0.6, sure_hits=10**6, lost_s=1.0
)
_PEOPLE = np.array([int(ObjectClass.PERSON), int(ObjectClass.BICYCLE)])
_VEHICLES = np.array([int(member) for member in MOTOR_VEHICLES])
_VEHICLE_SCORE, _IN_VEHICLE = 0.3, 0.3  # what lies in a vehicle by this share is a part of it
_UPRIGHT = 1.2  # height over width
_HITS_PER_S = 4.0
_MOVED_SIZES = 0.6  # heights of its box it must have come
_UNSEEN_S = 0.8  # it may be missed for so long
_FASTEST_SIZES = 4.0  # per second: a vehicle


class FaintPeople:
    """Feed it the detections of every analysed frame in order of time. State is bounded by what is in view."""

    def __init__(self) -> None:
        self._tracker = Tracker(_CONFIG)
        self._begin: dict[TrackId, Box] = {}

    def update(self, time_s: float, detections: Detections) -> tuple[FaintPerson, ...]:
        """People followed so far in this frame."""
        tracks = self._tracker.update(time_s, _candidates(detections))
        alive = [track for track in tracks if track.state is not TrackState.DELETED]
        self._begin = {track.track_id: self._begin.get(track.track_id, track.box) for track in alive}
        return tuple(
            FaintPerson(track_id=track.track_id, box=track.box, since_s=track.first_time_s)
            for track in alive
            if track.time_since_update_s <= _UNSEEN_S and self._walks(track)
        )

    def _walks(self, track: Track) -> bool:
        age_s = track.time_s - track.first_time_s
        height = track.box[3] - track.box[1]
        begin = self._begin[track.track_id]
        aside, up, down = (
            (track.box[0] + track.box[2] - begin[0] - begin[2]) / 2,
            track.box[1] - begin[1],
            track.box[3] - begin[3],
        )
        way = float(np.hypot(aside, max(abs(up), abs(down))))  # at the picture's border only one end moves
        fast = float(np.hypot(*track.velocity)) > _FASTEST_SIZES * height
        return track.hits >= _HITS_PER_S * age_s and way >= _MOVED_SIZES * height and not fast


def _candidates(detections: Detections) -> Detections:
    """Upright ones of people and cyclists that are no parts of vehicles, all as people."""
    boxes = detections.boxes
    upright = boxes[:, 3] - boxes[:, 1] >= _UPRIGHT * (boxes[:, 2] - boxes[:, 0])
    who = np.isin(detections.classes, _PEOPLE) & upright
    vehicles = boxes[np.isin(detections.classes, _VEHICLES) & (detections.scores >= _VEHICLE_SCORE)]
    if who.any() and len(vehicles):
        low = np.maximum(boxes[:, None, :2], vehicles[None, :, :2])
        high = np.minimum(boxes[:, None, 2:], vehicles[None, :, 2:])
        shared = np.clip(high - low, 0, None).prod(axis=2)
        own = np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(axis=1), 1e-6)
        who &= (shared <= _IN_VEHICLE * own[:, None]).all(axis=1)
    people = np.full(int(who.sum()), int(ObjectClass.PERSON), np.int64)
    return Detections(boxes=boxes[who], scores=detections.scores[who], classes=people)
