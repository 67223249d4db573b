"""New things that lie on the road: from static differences to findings."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from actors.vision.background import Background
from actors.vision.config import VisionConfig
from actors.vision.metres import Metres
from actors.vision.shapes import Blob, Evidence, blobs, examine
from actors.vision.small import SmallPicture
from traffic.events.observations import PixelFinding, PixelFindingKind
from traffic.types import Box, Track, TrackState

Mask = NDArray[np.uint8]
_MAX_OBJECTS = 8
_MAX_AT_ONCE = 4  # more new things within a few seconds are a change of light
_STANDS_PX_S = 0.015  # of the frame's width per second: slower tracks stand
_KEEP_S = 3.0  # an object that was seen is kept over this long without evidence


@dataclass(slots=True)
class _Object:
    """Something that lies there; box in small pixels."""

    box: Box
    since_s: float
    seen_s: float
    score: float


class StaticObjects:
    """Finds and remembers the static objects of one camera."""

    def __init__(self, config: VisionConfig, metres: Metres) -> None:
        self._config, self._metres = config, metres
        self._objects: list[_Object] = []
        self._touched: NDArray[np.float64] | None = None  # per 4x4 pixels: when something large was last there

    @property
    def objects(self) -> list[Box]:
        """Boxes of the objects, small pixels."""
        return [item.box for item in self._objects]

    def reset(self) -> None:
        """Forget all objects."""
        self._objects.clear()

    def kept(self, time_s: float, shape: tuple[int, int]) -> Mask | None:
        """Pixels of the objects that must not become background yet."""
        mask = None
        for item in self._objects:
            if time_s - item.since_s < self._config.absorb_s:
                mask = np.zeros(shape, np.uint8) if mask is None else mask
                x1, y1, x2, y2 = (int(v) for v in item.box)
                cv2.rectangle(mask, (x1 - 3, y1 - 3), (x2 + 3, y2 + 3), 255, -1)
        return mask

    def update(
        self,
        time_s: float,
        picture: SmallPicture,
        background: Background,
        road: Mask,
        tracks: Sequence[Track],
        frame_size: tuple[int, int],
    ) -> list[PixelFinding]:
        """Findings of this picture, boxes in pixels of the frame."""
        scale = picture.scale
        present = [t for t in tracks if t.state is not TrackState.DELETED]
        boxes = [tuple(c * scale for c in t.box) for t in present]
        self._touch(time_s, background, boxes)  # type: ignore[arg-type]
        shades = [_shaded(t, scale, frame_size) for t in present]
        mask = cv2.bitwise_and(background.static(self._config.static_after_s), road)
        mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
        new: list[tuple[Box, float]] = []
        for blob in blobs(mask):
            if blob.area < 10:
                break
            box = (float(blob.x), float(blob.y), float(blob.x + blob.w), float(blob.y + blob.h))
            known = self._match(box)
            if known is not None:
                known.seen_s, known.box = time_s, box
                continue
            if not self._plausible_size(blob, scale, frame_size) or any(_inside(box, s) > 0.15 for s in shades):
                continue
            evidence = examine(blob, background)
            if evidence.ghost:
                background.forget(_whole(blob, mask.shape))
                continue
            if evidence.light or evidence.part or not evidence.sharp or not self._arrived(time_s, blob, background):
                continue
            new.append((box, _score(evidence)))
        if len(new) <= _MAX_AT_ONCE:
            for box, score in new[: _MAX_OBJECTS - len(self._objects)]:
                self._objects.append(_Object(box=box, since_s=time_s, seen_s=time_s, score=score))
        else:  # what changed everywhere at once is the light
            background.reset()
            self._objects.clear()
        self._drop(time_s, background, boxes)  # type: ignore[arg-type]
        return [
            PixelFinding(
                kind=PixelFindingKind.STATIC_OBJECT,
                box=tuple(c / scale for c in item.box),  # type: ignore[arg-type]
                score=round(item.score, 3),
            )
            for item in self._objects
            if time_s - item.seen_s < _KEEP_S
        ]

    def _drop(self, time_s: float, background: Background, boxes: Sequence[Box]) -> None:
        """Objects that are gone: their place shows the background again, or a track took them over."""
        left = []
        for item in self._objects:
            hidden = any(_inside(item.box, box) > 0.5 for box in boxes)
            if hidden:
                item.seen_s = max(item.seen_s, time_s - _KEEP_S / 2)  # something passes or stands before it
            if time_s - item.seen_s < _KEEP_S and time_s - item.since_s < self._config.absorb_s:
                left.append(item)
        self._objects = left

    def _match(self, box: Box) -> _Object | None:
        for item in self._objects:
            if max(_inside(box, item.box), _inside(item.box, box)) > 0.4:
                return item
        return None

    def _plausible_size(self, blob: Blob, scale: float, frame_size: tuple[int, int]) -> bool:
        long, short = max(blob.w, blob.h), min(blob.w, blob.h)
        if short < 3 or long > 5 * short or blob.area < 0.3 * blob.w * blob.h:
            return False
        foot = ((blob.x + blob.w / 2) / scale, (blob.y + blob.h) / scale)
        pixels = self._metres.pixels_per_m(*foot, frame_size)
        if pixels is None:  # nothing to measure with: shares of the picture that things on a road take in usual views
            return long >= 5 and blob.w * blob.h < 0.01 * (frame_size[0] * scale) * (frame_size[1] * scale)
        size_m = long / scale / pixels
        return self._config.min_object_m <= size_m <= self._config.max_object_m

    def _touch(self, time_s: float, background: Background, boxes: Sequence[Box]) -> None:
        """Note where large things are now: tracked ones, and areas of motion larger than a thing that lies."""
        shape = (background.y.shape[0] // 4 + 1, background.y.shape[1] // 4 + 1)
        if self._touched is None or self._touched.shape != shape:
            self._touched = np.full(shape, -np.inf)
        # Areas of motion are taken from every fourth pixel: those that matter are far larger.
        count, _, stats, _ = cv2.connectedComponentsWithStats(np.ascontiguousarray(background.moving[::4, ::4]), connectivity=8)
        least = 0.001 * background.moving.size / 16
        areas = [4 * s for s in stats[1:count] if s[cv2.CC_STAT_AREA] > least]
        spans = [(s[0], s[1], s[0] + s[2], s[1] + s[3]) for s in areas] + [tuple(b) for b in boxes]
        for x1, y1, x2, y2 in spans:
            self._touched[max(0, int(y1) // 4) : int(y2) // 4 + 1, max(0, int(x1) // 4) : int(x2) // 4 + 1] = time_s

    def _arrived(self, time_s: float, blob: Blob, background: Background) -> bool:
        """Nothing lies down by itself: something larger was there shortly before. Changing overlays do without."""
        assert self._touched is not None
        inside = background.age_s[blob.window[1] : blob.window[3], blob.window[0] : blob.window[2]][blob.mask > 0]
        appeared_s = time_s - float(inside.max())
        reach = max(blob.w, blob.h, 8)
        x1, y1 = max(0, blob.x - reach) // 4, max(0, blob.y - reach) // 4
        x2, y2 = (blob.x + blob.w + reach) // 4 + 1, (blob.y + blob.h + reach) // 4 + 1
        return bool((self._touched[y1:y2, x1:x2] > appeared_s - 4.0).any())


def _shaded(track: Track, scale: float, frame_size: tuple[int, int]) -> Box:
    """A track's box, small pixels; of one that stands or creeps with the surroundings that its shadow, lamps and doors change."""
    x1, y1, x2, y2 = (c * scale for c in track.box)
    w, h = x2 - x1, y2 - y1
    if np.hypot(*track.velocity) > _STANDS_PX_S * frame_size[0]:
        return (x1, y1, x2, y2)
    return (x1 - 0.5 * w, y1 - 0.3 * h, x2 + 0.5 * w, y2 + 0.5 * h)


def _score(evidence: Evidence) -> float:
    """0.5 for what just passes the tests, up to 0.95 for what differs clearly in brightness, colour and contour."""
    strength = evidence.contrast / 60 + evidence.chroma / 30 + (evidence.edge_now - evidence.edge_then) / 40
    return float(min(0.95, 0.5 + 0.3 * strength))


def _inside(box: Box, other: Box) -> float:
    """Share of ``box`` that lies in ``other``."""
    w, h = min(box[2], other[2]) - max(box[0], other[0]), min(box[3], other[3]) - max(box[1], other[1])
    area = max(1e-6, (box[2] - box[0]) * (box[3] - box[1]))
    return 0.0 if w <= 0 or h <= 0 else float(w * h / area)


def _whole(blob: Blob, shape: tuple[int, ...]) -> Mask:
    mask = np.zeros(shape, np.uint8)
    x1, y1, x2, y2 = blob.window
    mask[y1:y2, x1:x2] = cv2.dilate(blob.mask, np.ones((3, 3), np.uint8))
    return mask
