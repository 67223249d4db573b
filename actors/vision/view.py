"""Whether the camera still looks where it looked, and sees anything: moved, dark, blurred, shaking.

The reference is the field of luma gradients that does not move, averaged slowly. Two gradient fields agree in a cell by the
cosine of the angle between them (as vectors over the cell's pixels): it does not depend on contrast or exposure, and falls to
nothing when the picture is displaced by about the width of an edge. Phase correlation (Kuglin and Hines, 1975) tells a
displacement from a new view.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from actors.vision.config import VisionConfig
from traffic.events.observations import ViewState
from traffic.types import Box

Floats = NDArray[np.float32]
_WIDTH = 240
_CELLS = (6, 8)  # rows, columns
_AGREES = 0.35  # of two fields of the same view: 0.6 to 0.95; of unrelated ones: below 0.2
_LEARN_S = 60.0
_ENERGY_S = 300.0
_SHAKE_PX = 1.2  # median step between two looks at 240 pixels: half a percent of the picture's width
_BLURRED = 0.35  # sharpness that a blur of about 1.5 % of the picture's width leaves
_HIDDEN_S = 20.0
_BLACK = 40  # 99.5 % of a black picture (16 in limited range, and noise) are below
_SWITCH_S = 60.0


@dataclass(slots=True)
class _Looks:
    """What one picture looks like against the reference.

    Attributes:
        judged: cells with edges of their own that are not hidden.
        agree: share of them that agree. shifted_agree: when the reference is displaced by ``shift`` (pixels; nan: unknown).
        energy: of fine detail, relative to the reference's, median over the cells.
        sharpness: the same relative to the contrast, which darkness lowers too.
    """

    judged: int
    agree: float
    energy: float
    sharpness: float
    shift: tuple[float, float] = (0.0, 0.0)
    shifted_agree: float = 0.0


class ViewGuard:
    """State of one camera's view. ``scene``: whether anything was drawn into the view."""

    def __init__(self, config: VisionConfig, *, scene: bool) -> None:
        self._config = config
        self._accept_s = config.new_view_after_s if config.new_view_after_s is not None else (None if scene else _SWITCH_S)
        self.state = ViewState.OK
        self._size: tuple[int, int] | None = None
        self._forget()

    def _forget(self) -> None:
        self._gx: Floats | None = None
        self._gy: Floats | None = None
        self._energy: Floats | None = None
        self._luma: Floats | None = None
        self._taken = 0
        self._time_s: float | None = None
        self._verdict, self._verdict_since_s = ViewState.OK, 0.0
        self._shifts: deque[tuple[float, float, float]] = deque(maxlen=32)
        self._unlike_since_s: float | None = None

    def update(self, time_s: float, luma: NDArray[np.uint8], covered: Sequence[Box]) -> ViewState:
        """Judge one picture: ``luma`` uint8 (h, w); ``covered``: boxes of tracked objects in its pixels."""
        height = max(32, round(luma.shape[0] * _WIDTH / luma.shape[1]))
        small = cv2.resize(luma, (_WIDTH, height), interpolation=cv2.INTER_AREA).astype(np.float32)
        if self._size != small.shape:
            self._size = small.shape  # type: ignore[assignment]
            self._forget()
        dt = 0.0 if self._time_s is None else max(0.0, time_s - self._time_s)
        self._time_s = time_s
        verdict = self._judge(time_s, small, dt, [tuple(c * _WIDTH / luma.shape[1] for c in box) for box in covered])  # type: ignore[misc]
        if verdict is not None:
            self._settle(time_s, verdict)
        return self.state

    def _settle(self, time_s: float, verdict: ViewState) -> None:
        if verdict is not self._verdict:
            self._verdict, self._verdict_since_s = verdict, time_s
        if verdict is self.state:
            return
        needed = self._config.view_after_s
        if verdict is ViewState.OK:
            needed /= 2
        elif verdict is ViewState.DARK:
            needed /= 3
        if time_s - self._verdict_since_s >= needed:
            self.state = verdict

    def _judge(self, time_s: float, small: Floats, dt: float, covered: list[Box]) -> ViewState | None:
        """What this picture alone says; None when it says nothing."""
        low, high = np.percentile(small[::2, ::2], (2.0, 99.5))
        if high < _BLACK:
            return ViewState.DARK
        blurred = cv2.GaussianBlur(small, (0, 0), 1.0)
        gx, gy = cv2.Sobel(blurred, cv2.CV_32F, 1, 0), cv2.Sobel(blurred, cv2.CV_32F, 0, 1)
        # The energy of fine detail goes first when a lens loses focus: it is taken from the picture before it is smoothed.
        fine = small - blurred
        energy = fine * fine
        if high - low < 14:
            return ViewState.BLURRED  # covered: no structure at all
        if self._gx is None or self._taken < 6:
            self._learn(small, gx, gy, energy, 1.0 / (self._taken + 1), 1.0 / (self._taken + 1))
            self._taken += 1
            return ViewState.OK
        looks = self._compare(small, gx, gy, energy, covered)
        if looks.judged < 5:
            return None  # hidden behind vehicles, or a view without texture
        # A displacement under which nothing fits is none: a large vehicle correlates with anything.
        certain = np.hypot(*looks.shift) <= 1.0 or looks.shifted_agree >= 0.5
        self._shifts.append((time_s, *(looks.shift if certain else (np.nan, np.nan))))
        state = self._name(time_s, looks)
        if state is ViewState.OK and looks.agree > 0.5:
            self._learn(small, gx, gy, energy, min(1.0, dt / _LEARN_S), min(1.0, dt / _ENERGY_S))
        accept = self._accept_s
        if accept is not None and self.state is ViewState.MOVED and time_s - self._verdict_since_s > accept:
            self._forget()
            self._time_s = time_s
        return state

    def _name(self, time_s: float, looks: _Looks) -> ViewState | None:
        if self._shakes(time_s):
            return ViewState.SHAKING
        if looks.sharpness < _BLURRED:
            return ViewState.BLURRED
        displaced = bool(np.isfinite(looks.shift[0])) and float(np.hypot(*looks.shift)) > 1.5
        if displaced and looks.agree < 0.5 and looks.shifted_agree > looks.agree + 0.25:
            return ViewState.MOVED
        if looks.agree >= 0.2:
            self._unlike_since_s = None
            return ViewState.OK if looks.agree > 0.4 and not displaced else self._as_before()
        # Nothing is where it was. A vehicle before the lens has less to show than a road: another view is sure at once,
        # a dull picture only when it lasts longer than vehicles stand there.
        self._unlike_since_s = time_s if self._unlike_since_s is None else self._unlike_since_s
        if looks.energy > 0.5 or time_s - self._unlike_since_s > _HIDDEN_S:
            return ViewState.MOVED
        return self._as_before()

    def _as_before(self) -> ViewState | None:
        return None if self.state is ViewState.OK else self.state

    def _shakes(self, time_s: float) -> bool:
        """Whether the picture jumps to and fro from look to look; one jump is no shaking."""
        recent = np.array([s[1:] for s in self._shifts if time_s - s[0] <= 4.0])
        if len(recent) < 6 or np.isfinite(recent[:, 0]).mean() < 0.7:
            return False
        steps = np.hypot(*np.diff(recent[np.isfinite(recent[:, 0])], axis=0).T)
        return bool(np.median(steps) > _SHAKE_PX)

    def _compare(self, small: Floats, gx: Floats, gy: Floats, energy: Floats, covered: list[Box]) -> _Looks:
        assert self._gx is not None
        assert self._gy is not None
        assert self._energy is not None
        assert self._luma is not None
        free = np.ones(small.shape, np.float32)
        for x1, y1, x2, y2 in covered:
            free[max(0, int(y1)) : max(0, int(y2) + 1), max(0, int(x1)) : max(0, int(x2) + 1)] = 0
        both = self._cells((gx * self._gx + gy * self._gy) * free)
        now, then = self._cells((gx**2 + gy**2) * free), self._cells((self._gx**2 + self._gy**2) * free)
        share = self._cells(free) / self._cells(np.ones_like(free))
        # A cell without edges of its own says nothing: 6 grey levels per pixel and Sobel weight are above sensor noise.
        judged = (share > 0.5) & (then / np.maximum(self._cells(free), 1) > 36.0)
        number = int(judged.sum())
        if number < 5:
            return _Looks(judged=number, agree=1.0, energy=1.0, sharpness=1.0)
        cosine = both[judged] / np.sqrt(np.maximum(now[judged] * then[judged], 1e-6))
        fine = np.sqrt(self._cells(energy * free)[judged] / np.maximum(self._cells(self._energy * free)[judged], 1e-6))
        contrast = np.sqrt(self._variance(small)[judged] / np.maximum(self._variance(self._luma)[judged], 1e-6))
        looks = _Looks(
            judged=number,
            agree=float((cosine > _AGREES).mean()),
            energy=float(np.median(fine)),
            sharpness=float(np.median(fine / np.maximum(contrast, 0.05))),
        )
        if looks.agree > 0.9:
            return looks  # displaced by less than a pixel: nothing to look for
        # The window is applied here: given to OpenCV 5 it would be multiplied into the arrays themselves.
        window = _window(small.shape)
        (dx, dy), response = cv2.phaseCorrelate(self._luma * window, small * window)
        if response < 0.05:
            looks.shift = (np.nan, np.nan)
            return looks
        looks.shift = (float(dx), float(dy))
        if np.hypot(dx, dy) > 1.0:
            back = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
            moved = [cv2.warpAffine(g, back, (g.shape[1], g.shape[0])) for g in (self._gx, self._gy)]
            both, then = self._cells((gx * moved[0] + gy * moved[1]) * free), self._cells((moved[0] ** 2 + moved[1] ** 2) * free)
            ok = both[judged] / np.sqrt(np.maximum(now[judged] * then[judged], 1e-6)) > _AGREES
            looks.shifted_agree = float(ok.mean())
        return looks

    def _learn(self, luma: Floats, gx: Floats, gy: Floats, energy: Floats, share: float, slow: float) -> None:
        if self._gx is None or self._gy is None or self._energy is None or self._luma is None:
            self._gx, self._gy, self._energy, self._luma = gx, gy, energy, luma
            return
        self._gx += share * (gx - self._gx)
        self._gy += share * (gy - self._gy)
        self._luma += share * (luma - self._luma)
        self._energy += slow * (energy - self._energy)

    def _variance(self, luma: Floats) -> NDArray[np.float64]:
        """Variance of luma in every cell."""
        count = self._cells(np.ones_like(luma))
        mean = self._cells(luma) / count
        return np.maximum(self._cells(luma * luma) / count - mean * mean, 0)

    @staticmethod
    def _cells(values: Floats) -> NDArray[np.float64]:
        """Sums over the grid of cells."""
        rows, columns = _CELLS
        height, width = values.shape[0] // rows * rows, values.shape[1] // columns * columns
        part = values[:height, :width].reshape(rows, height // rows, columns, width // columns)
        return part.sum(axis=(1, 3), dtype=np.float64)


def _window(shape: tuple[int, ...]) -> Floats:
    window: Floats = cv2.createHanningWindow((shape[1], shape[0]), cv2.CV_32F)
    return window
