"""How many pixels a metre takes in the small picture: from the calibration, else from the cars that were seen."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from traffic.scene import Calibration
from traffic.types import ObjectClass, Track, TrackState

# Widths and heights of passenger cars are much alike (VDA: 1.8 m and 1.5 m at the median); seen along the road the box
# is as wide as the car, from the side it is as high, from above it is too high: the smaller of the two is right.
CAR_WIDTH_M, CAR_HEIGHT_M = 1.8, 1.5
_BINS, _ENOUGH, _LEAST = 24, 2, 6


class Metres:
    """Scale of the road surface by place. State is bounded: one number per band of rows."""

    def __init__(self, calibration: Calibration | None) -> None:
        self._calibration = calibration
        self._log = np.zeros(_BINS)
        self._seen = np.zeros(_BINS, int)

    def learn(self, tracks: Sequence[Track], frame_size: tuple[int, int]) -> None:
        """Take whole moving cars as rulers."""
        if self._calibration is not None:
            return
        width, height = frame_size
        for track in tracks:
            if track.state is not TrackState.CONFIRMED or track.object_class is not ObjectClass.CAR or not track.moved:
                continue
            x1, y1, x2, y2 = track.box
            if x1 <= 2 or y1 <= 2 or x2 >= width - 2 or y2 >= height - 2:
                continue
            value = np.log(max(1e-3, min((x2 - x1) / CAR_WIDTH_M, (y2 - y1) / CAR_HEIGHT_M)) / width)
            at = min(_BINS - 1, int(y2 / height * _BINS))
            self._seen[at] += 1
            # A running median: steps that shrink, up or down.
            if self._seen[at] == 1:
                self._log[at] = value
            else:
                step = max(0.02, 0.5 / self._seen[at])
                self._log[at] += np.clip(value - self._log[at], -step, step)

    @property
    def known(self) -> bool:
        """Whether metres are known anywhere."""
        return self._calibration is not None or int(self._seen.sum()) >= _LEAST

    def pixels_per_m(self, x: float, y: float, frame_size: tuple[int, int]) -> float | None:
        """Frame pixels per metre across the view at (x, y), pixels of the frame; None when not known."""
        width, height = frame_size
        if self._calibration is not None:
            step = 1.0 / width
            points = np.array([[x / width, y / height, 1.0], [x / width + step, y / height, 1.0]])
            mapped = points @ self._calibration.image_to_road.T
            if abs(mapped[:, 2]).min() < 1e-12:
                return None
            road = mapped[:, :2] / mapped[:, 2:]
            metres = float(np.hypot(*(road[1] - road[0])))
            return 1.0 / metres if 1e-4 < metres < 1.0 else None
        good = np.flatnonzero(self._seen >= _ENOUGH)
        if not len(good) or not self.known:
            return None
        centres = (good + 0.5) / _BINS * height
        if len(good) >= 3:
            # Perspective: the scale grows linearly with the row; a line also reaches rows where no car was whole.
            slope, start = np.polyfit(centres, np.exp(self._log[good]) * width, 1)
            value = slope * y + start
            low, high = np.exp(self._log[good]).min() * width * 0.5, np.exp(self._log[good]).max() * width * 1.5
            return float(np.clip(value, low, high))
        values: NDArray[np.float64] = np.exp(self._log[good]) * width
        return float(np.interp(y, centres, values))
