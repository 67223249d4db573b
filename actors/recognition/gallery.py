"""The best pictures of every vehicle in view: sharp, large, uncovered, seen from the front or rear; in bounded memory."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from actors.decoding import DecodedFrame, VehicleCut, cut_vehicle
from actors.recognition.config import RecognitionConfig
from traffic.types import Box, Track, TrackId, TrackState

_EDGE_SHARE = 0.35  # worth of a vehicle cut off by the picture's edge beside a whole one
_LOOK_S = 0.075  # a vehicle is looked at no more often: pictures less than this apart show the same
_SQUARE = 1.5  # boxes wider than this times their height show a flank
_BETTER = 1.10  # a picture must be better than the worst kept by this to replace it
_UNMOVED = 2  # pictures of what has not moved: parked, or only just come
_SHRUNK, _GROWN = 1 / 3, 2.0  # a track that shrinks and grows so far has gone over from one vehicle to another
_SHARP = 12.0  # mean absolute second difference of a sharp picture, grey values


@dataclass(slots=True)
class _Height:
    """Of a vehicle's box, pixels: the greatest, and the least after it."""

    greatest: float
    least: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Shot:
    """One kept picture of a vehicle.

    Attributes:
        cut: its pixels, as stored. time_s: of the frame.
        box: of the vehicle in that frame, pixels. nearer: boxes of vehicles before it (nearer to the camera) there.
        quality: above 0, comparable within one track.
    """

    cut: VehicleCut
    time_s: float
    box: Box
    nearer: tuple[Box, ...]
    quality: float


class Gallery:
    """Pictures of the vehicles of one camera.

    At most ``config.crops_per_track`` per vehicle and ``config.gallery_bytes`` in all; of vehicles that have not moved two.
    Vehicles leave with their tracks, a little later: a passage may be stated with the last frame of a track. Where a road
    fades away, a track may go over from a vehicle that leaves to one that comes: then the pictures of the first are forgotten.

    Attributes:
        renewed: tracks that went over to another vehicle in the newest frame.
    """

    def __init__(self, config: RecognitionConfig) -> None:
        self._config = config
        self._shots: dict[TrackId, list[Shot]] = {}
        self._improved_s: dict[TrackId, float] = {}
        self._looked_s: dict[TrackId, float] = {}
        self._heights: dict[TrackId, _Height] = {}
        self._leaving: list[TrackId] = []
        self.renewed: frozenset[TrackId] = frozenset()
        self.bytes_held = 0

    def shots(self, track_id: TrackId) -> tuple[Shot, ...]:
        """Of a vehicle, best first."""
        return tuple(sorted(self._shots.get(track_id, ()), key=lambda shot: -shot.quality))

    def improved_s(self, track_id: TrackId) -> float:
        """Video time of the newest picture that was better than all before it; minus infinity for none."""
        return self._improved_s.get(track_id, -math.inf)

    def observe(self, frame: DecodedFrame, tracks: Sequence[Track]) -> None:
        """Look at a frame and its tracks; pixels are only copied where they are better than what is held."""
        for track_id in self._leaving:
            self.drop(track_id)
        self._leaving = [track.track_id for track in tracks if track.state is TrackState.DELETED]
        seen = [track for track in tracks if track.detection is not None and track.object_class.is_vehicle]
        self.renewed = frozenset(track.track_id for track in seen if self._is_another(track))
        for track_id in self.renewed:
            self.drop(track_id)
        if not seen:
            return
        boxes = np.array([track.detection for track in seen], np.float64)
        worth, nearer = _worth(boxes, (frame.width, frame.height))
        for row, track in enumerate(seen):
            width, height = boxes[row, 2] - boxes[row, 0], boxes[row, 3] - boxes[row, 1]
            if min(width, height) >= self._config.crop_min_px:
                self._consider(frame, track, float(worth[row]), tuple(tuple(boxes[other]) for other in nearer[row]))

    def drop(self, track_id: TrackId) -> None:
        """Forget a vehicle."""
        self._improved_s.pop(track_id, None)
        self._looked_s.pop(track_id, None)
        self._heights.pop(track_id, None)
        for shot in self._shots.pop(track_id, ()):
            self.bytes_held -= shot.cut.nbytes

    def drop_before(self, track_id: TrackId, since_s: float) -> None:
        """Forget a vehicle's pictures from before video time ``since_s``."""
        held = self._shots.get(track_id, [])
        for shot in [shot for shot in held if shot.time_s < since_s]:
            held.remove(shot)
            self.bytes_held -= shot.cut.nbytes
        if not held:
            self.drop(track_id)

    def _is_another(self, track: Track) -> bool:
        """Whether the vehicle had almost gone and now comes near: an outgoing one became an oncoming one."""
        assert track.detection is not None
        height = track.detection[3] - track.detection[1]
        known = self._heights.setdefault(track.track_id, _Height(height, height))
        if height > known.greatest:
            known.greatest = known.least = height
        known.least = min(known.least, height)
        return known.least < _SHRUNK * known.greatest and height > _GROWN * known.least

    def _consider(self, frame: DecodedFrame, track: Track, worth: float, nearer: tuple[Box, ...]) -> None:
        if 0 <= frame.time_s - self._looked_s.get(track.track_id, -math.inf) < _LOOK_S:
            return
        self._looked_s[track.track_id] = frame.time_s
        held = self._shots.setdefault(track.track_id, [])
        near = [shot for shot in held if abs(frame.time_s - shot.time_s) < self._config.crop_interval_s]
        room = self._config.crops_per_track if track.moved else _UNMOVED
        rivals = near or (held if len(held) >= room else [])
        worst = min(rivals, key=lambda shot: shot.quality, default=None)
        if worst is not None and worth < worst.quality * _BETTER:
            return
        assert track.detection is not None
        cut = cut_vehicle(frame, track.detection, margin=self._config.margin, max_px=self._config.crop_max_px)
        quality = worth * _sharpness(cut.luma())
        if worst is not None:
            if quality < worst.quality * _BETTER:
                return
            held.remove(worst)
            self.bytes_held -= worst.cut.nbytes
        if quality > max((shot.quality for shot in held), default=0.0):
            self._improved_s[track.track_id] = frame.time_s
        held.append(Shot(cut=cut, time_s=frame.time_s, box=track.detection, nearer=nearer, quality=quality))
        self.bytes_held += cut.nbytes
        self._shrink()

    def _shrink(self) -> None:
        """Keep to the bytes: the fullest vehicle gives its worst picture away."""
        while self.bytes_held > self._config.gallery_bytes:
            fullest = max(self._shots, key=self._fullness)
            shots = self._shots[fullest]
            worst = min(shots, key=lambda shot: shot.quality)
            shots.remove(worst)
            self.bytes_held -= worst.cut.nbytes
            if not shots:
                del self._shots[fullest]

    def _fullness(self, track_id: TrackId) -> tuple[int, int]:
        shots = self._shots[track_id]
        return len(shots), sum(shot.cut.nbytes for shot in shots)


def _worth(boxes: NDArray[np.float64], size: tuple[int, int]) -> tuple[NDArray[np.float64], list[NDArray[np.int64]]]:
    """(worth of each vehicle's picture by its box alone, indices of the overlapping vehicles nearer to the camera).

    A vehicle whose box ends lower in the picture stands nearer, on any road that a camera looks down on.
    """
    x1, y1, x2, y2 = boxes.T
    width, height = x2 - x1, y2 - y1
    worth = np.sqrt(width * height)
    margin = 0.005 * max(size)
    cut_off = (x1 <= margin) | (y1 <= margin) | (x2 >= size[0] - margin) | (y2 >= size[1] - margin)
    worth = np.where(cut_off, worth * _EDGE_SHARE, worth)
    worth /= np.maximum(1.0, width / height / _SQUARE)
    shared_w = np.clip(np.minimum(x2[:, None], x2) - np.maximum(x1[:, None], x1), 0, None)
    shared_h = np.clip(np.minimum(y2[:, None], y2) - np.maximum(y1[:, None], y1), 0, None)
    covers = (y2[None, :] > y2[:, None]) & (shared_w * shared_h > 0)
    hidden = np.where(covers, shared_w * shared_h, 0).max(axis=1) / (width * height)
    return worth * (1 - 0.8 * np.clip(hidden, 0, 1)), [np.flatnonzero(row) for row in covers]


def _sharpness(luma: NDArray[np.uint8]) -> float:
    """0.1..1, from the mean second difference of the picture's lower two thirds, where plates are."""
    lower = luma[luma.shape[0] // 3 :]
    if min(lower.shape) < 8:
        return 0.1
    scale = 160 / max(lower.shape[1], 160)
    small = cv2.resize(lower, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return float(np.clip(np.abs(cv2.Laplacian(small, cv2.CV_16S)).mean() / _SHARP, 0.1, 1.0))
