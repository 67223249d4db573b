"""The empty road as a slow picture, and for every pixel what has stood before it and for how long.

Two memories per pixel (after Porikli, Ivanov and Haga, "Robust abandoned object detection using dual foregrounds", 2008, with
ages in seconds instead of two learning rates): the background, and a candidate that differs from it. A candidate that stays the
same grows old; what passes before it stops its clock and does not reset it. Pixels under tracked objects teach nothing.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from actors.vision.small import SmallPicture
from traffic.types import Box

Floats = NDArray[np.float32]
Mask = NDArray[np.uint8]  # 0 or 255
_BACKGROUND_S = 25.0
_MIN_DIFF_Y, _MIN_DIFF_C = 13.0, 7.0  # grey levels: compression and sensor noise stay below
_SIGMAS = 4.0
_VALID_S = 2.0
_REST_S = 45.0  # an unchanging difference that nobody asked for becomes background after this long


class Background:
    """The model of one camera; arrays of the small picture's size, float32: about 30 bytes a pixel."""

    def __init__(self, shape: tuple[int, int]) -> None:
        h, w = shape
        half = (h // 2, w // 2)
        self.y, self.noise = np.zeros(shape, np.float32), np.full(shape, 3.0, np.float32)
        self.u, self.v = np.full(half, 128, np.float32), np.full(half, 128, np.float32)
        self.before = np.full(shape, -1000.0, np.float32)  # what the background was before something was taken into it
        self.different = np.zeros(shape, np.uint8)
        self.candidate = np.zeros(shape, np.float32)
        self.candidate_u, self.candidate_v = np.full(half, 128, np.float32), np.full(half, 128, np.float32)
        self.age_s, self.known_s = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        self.last: Mask | None = None
        self.gain = 1.0
        self.moving = np.zeros(shape, np.uint8)
        self.changed_share = 0.0

    def update(self, picture: SmallPicture, dt: float, covered: Sequence[Box], kept: Mask | None) -> None:
        """Take one picture, ``dt`` seconds after the last one.

        Args:
            covered: boxes of tracked objects, small pixels.
            kept: pixels that must not become background (objects that are being told); None: no such pixels.
        """
        y = picture.y.astype(np.float32)
        u, v = picture.u.astype(np.float32), picture.v.astype(np.float32)
        hidden = self._hidden(y.shape, covered)
        known = self.known_s >= _VALID_S
        self.gain = self._exposure(y, known & (hidden == 0))
        difference = cv2.absdiff(y, self.y * self.gain)
        limit = np.maximum(_MIN_DIFF_Y, _SIGMAS * self.noise)
        chroma = np.maximum(cv2.absdiff(u, self.u), cv2.absdiff(v, self.v))
        apart = (chroma > _MIN_DIFF_C).astype(np.uint8)
        other = (difference > limit) | (cv2.resize(apart, (y.shape[1], y.shape[0]), interpolation=cv2.INTER_NEAREST) > 0)
        self.moving = self._motion(picture.y)
        still = (hidden == 0) & (self.moving == 0)
        self._age(y, u, v, other | ~known, still, dt)
        # What has been the same for a while where nothing was known is the background there.
        fresh = ~known & still & (self.age_s >= _VALID_S)
        self._take(fresh)
        self.known_s[fresh] = _VALID_S
        resting = known & (self.age_s > _REST_S)
        if kept is not None:
            resting &= kept == 0
        np.copyto(self.before, self.y, where=resting)
        self._take(resting)
        empty = known & ~other & still
        share = min(1.0, dt / _BACKGROUND_S)
        self._blend(y, u, v, empty, share)
        self.different = ((other | ~known) & (hidden == 0)).view(np.uint8)
        changed = cv2.countNonZero(self.different & known.view(np.uint8))
        self.changed_share = changed / max(1, hidden.size - cv2.countNonZero(hidden))
        self.last = picture.y

    def static(self, after_s: float) -> Mask:
        """Pixels that have been different from the background, and unchanged, for ``after_s``."""
        mask: Mask = ((self.age_s >= after_s) & (self.known_s >= _VALID_S)).astype(np.uint8) * 255
        return mask

    def colour_change(self) -> Floats:
        """Distance of the candidate's colour from the background's under the candidate's light, float32 (h // 2, w // 2).

        Chroma fades with brightness: of a shaded surface the same share of luma and of chroma is left.
        """
        height, width = self.u.shape
        now, then = self.candidate[::2, ::2][:height, :width], self.y[::2, ::2][:height, :width]
        light = np.clip(now / np.maximum(then, 8.0), 0.3, 1.8)
        u = self.candidate_u - (128 + (self.u - 128) * light)
        v = self.candidate_v - (128 + (self.v - 128) * light)
        change: Floats = np.maximum(np.abs(u), np.abs(v))
        return change

    def forget(self, mask: Mask) -> None:
        """Make what is there now the background: it was a ghost."""
        self._take(mask > 0)

    def reset(self) -> None:
        """Learn everything anew: the light or the view has changed as a whole."""
        self.known_s[:] = 0
        self.age_s[:] = 0
        self.before[:] = -1000.0

    def _hidden(self, shape: tuple[int, ...], covered: Sequence[Box]) -> Mask:
        hidden = np.zeros(shape, np.uint8)
        for x1, y1, x2, y2 in covered:
            dx, dy = 0.08 * (x2 - x1) + 1, 0.08 * (y2 - y1) + 1
            cv2.rectangle(hidden, (int(x1 - dx), int(y1 - dy)), (int(x2 + dx), int(y2 + dy)), 255, -1)
        return hidden

    def _exposure(self, y: Floats, usable: NDArray[np.bool_]) -> float:
        """Gain of the picture's brightness over the background's: the median over a sparse grid."""
        now, then, ok = y[::4, ::4], self.y[::4, ::4], usable[::4, ::4]
        ok = ok & (then > 25) & (now < 235)
        if int(ok.sum()) < 200:
            return 1.0
        return float(np.clip(np.median(now[ok] / then[ok]), 0.4, 2.5))

    def _motion(self, y: Mask) -> Mask:
        if self.last is None:
            return np.zeros(y.shape, np.uint8)
        moved = (cv2.absdiff(y, self.last) > 14).astype(np.uint8) * 255
        return cv2.dilate(moved, np.ones((3, 3), np.uint8))

    def _age(self, y: Floats, u: Floats, v: Floats, other: NDArray[np.bool_], still: NDArray[np.bool_], dt: float) -> None:
        size = (y.shape[1], y.shape[0])
        same_y = cv2.absdiff(y, self.candidate) < np.maximum(10.0, 3.0 * self.noise)
        chroma = np.maximum(cv2.absdiff(u, self.candidate_u), cv2.absdiff(v, self.candidate_v))
        same_c = cv2.resize((chroma < 9).astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
        apart = other & still
        same = same_y & same_c
        grow, begin = apart & same, apart & ~same
        # Sums of masks instead of indexing: several times as fast on whole pictures.
        self.age_s += dt * grow.astype(np.float32) - 3 * dt * (still & ~other).astype(np.float32)
        self.age_s *= ~begin
        np.maximum(self.age_s, 0, out=self.age_s)
        np.copyto(self.candidate, y, where=begin)
        cv2.accumulateWeighted(y, self.candidate, 0.2, mask=grow.view(np.uint8))
        begin_c = begin[::2, ::2][: u.shape[0], : u.shape[1]]
        np.copyto(self.candidate_u, u, where=begin_c)
        np.copyto(self.candidate_v, v, where=begin_c)

    def _take(self, where: NDArray[np.bool_]) -> None:
        if not where.any():
            return
        np.copyto(self.y, self.candidate / max(self.gain, 0.1), where=where)
        half = where[::2, ::2][: self.u.shape[0], : self.u.shape[1]]
        np.copyto(self.u, self.candidate_u, where=half)
        np.copyto(self.v, self.candidate_v, where=half)
        self.age_s[where] = 0

    def _blend(self, y: Floats, u: Floats, v: Floats, where: NDArray[np.bool_], share: float) -> None:
        mask = where.view(np.uint8)
        # The gain is followed by the background itself, slowly, so that it stays near 1.
        cv2.accumulateWeighted(y, self.y, share, mask=mask)
        deviation = cv2.absdiff(y, self.y * self.gain) * 1.25
        cv2.accumulateWeighted(np.minimum(deviation, 20.0), self.noise, share, mask=mask)
        half = np.ascontiguousarray(mask[::2, ::2][: u.shape[0], : u.shape[1]])
        cv2.accumulateWeighted(u, self.u, share, mask=half)
        cv2.accumulateWeighted(v, self.v, share, mask=half)
