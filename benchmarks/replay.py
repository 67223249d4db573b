"""Detections of a film in place of decoding and the detector; everything behind them is the product's.

``record`` keeps what a detector would say of the simulated camera: its truth with edges that shake, scores and misses, by a
seed. ``ReplayOpener`` stands in for ``open_source``: a live camera without pixels, whose small grey pictures carry nothing but
their number in the film, as sixteen black or white squares. ``ReplayDetector`` reads that number and answers with the
detections of that moment. So frames may be dropped, and cameras may begin anywhere in the film, as with real ones. The film
repeats itself for ever.
"""

import argparse
import dataclasses
import json
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from actors.decoding import CancelToken, DecodedFrame, PacketRing, SourceInfo, SourceOptions, VideoSource
from actors.decoding.clock import RateLimiter
from actors.decoding.pacing import Pacer
from actors.simulation import SimulatedCamera, parse_address
from models.handles import Image, InputFit, PendingDetections
from traffic.types import Detections

WIDTH, HEIGHT = 320, 180
_BITS, _SQUARE = 16, 8
_GREY = 110
_LEAST_VISIBLE, _MISSED, _EDGE_SHARE = 0.35, 0.04, 0.015  # of a box's side: edges of a good detector shake by so much (σ)


@dataclass(frozen=True, kw_only=True, eq=False)
class Film:
    """Detections of a film.

    Attributes:
        fps: frames per second of video.
        starts: int64 (frames + 1,), where each frame's detections begin in the arrays below.
        boxes: float32 (n, 4), x1, y1, x2, y2 relative to the picture, 0..1.
        scores: float32 (n,). classes: int64 (n,), values of ObjectClass.
        scene: the scene document.
        vehicles: true passages over the stop lines in one run of the film.
    """

    fps: float
    starts: NDArray[np.int64]
    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    classes: NDArray[np.int64]
    scene: dict[str, Any]
    vehicles: int

    @property
    def frames(self) -> int:
        """Frames of one run."""
        return len(self.starts) - 1

    def detections(self, number: int, width: int, height: int) -> Detections:
        """What is in frame ``number``, in pixels of a picture of that size."""
        part = slice(int(self.starts[number]), int(self.starts[number + 1]))
        scale = np.array([width, height, width, height], np.float32)
        return Detections(boxes=self.boxes[part] * scale, scores=self.scores[part], classes=self.classes[part])


def record(address: str, seconds: float, path: Path) -> None:
    """Keep the detections of a simulated camera as ``path`` (npz)."""
    settings = dataclasses.replace(parse_address(address), duration_s=seconds)
    camera, chance = SimulatedCamera(settings), np.random.default_rng(settings.seed)
    size = np.array([settings.width, settings.height] * 2, float)
    starts, boxes, scores, classes, vehicles = [0], [], [], [], 0
    for shown in camera.frames():
        vehicles += len(shown.truth.passages)
        for thing in shown.truth.objects:
            if thing.visible < _LEAST_VISIBLE or chance.random() < _MISSED:
                continue
            x1, y1, x2, y2 = thing.box
            shake = chance.normal(0.0, _EDGE_SHARE, 4) * np.array([x2 - x1, y2 - y1] * 2)
            boxes.append(np.clip((np.array(thing.box) + shake) / size, 0.0, 1.0))
            scores.append(chance.uniform(0.5, 0.95))
            classes.append(int(thing.object_class))
        starts.append(len(boxes))
    scene = json.dumps(camera.scene_document())
    arrays = {"boxes": np.array(boxes, np.float32).reshape(-1, 4), "scores": np.array(scores, np.float32)}
    np.savez_compressed(
        path, starts=starts, classes=np.array(classes, np.int64), fps=settings.fps, scene=scene, vehicles=vehicles, **arrays
    )


@lru_cache(maxsize=2)
def load(path: Path) -> Film:
    """A kept film; one copy per process."""
    with np.load(path) as kept:
        arrays = {name: kept[name] for name in ("starts", "boxes", "scores", "classes")}
        scene, vehicles = json.loads(str(kept["scene"])), int(kept["vehicles"])
        return Film(fps=float(kept["fps"]), scene=scene, vehicles=vehicles, **arrays)


class ReplaySource(VideoSource):
    """A live camera of numbered grey pictures at the pace of the film, without those the task's rate leaves out."""

    def __init__(self, film: Film, first: int, options: SourceOptions, cancel: CancelToken, floor_s: float) -> None:
        info = SourceInfo(
            codec="rawvideo", nominal_fps=film.fps, duration_s=None, total_frames=None, live=True, width=WIDTH, height=HEIGHT
        )
        super().__init__(info, cancel)
        self._film, self._first, self._options = film, first, options
        self._start_s = max(time.time(), floor_s)

    def _frames(self) -> Iterator[DecodedFrame]:
        limiter, pacer, index = RateLimiter(self._options.analysed_fps), Pacer(slip_s=1.0), 0
        while not self._cancel.cancelled:
            pts_s = index / self._film.fps
            self.counters.decoded += 1
            if limiter.due(pts_s):
                pacer.wait(pts_s, self._cancel)
                yield DecodedFrame(
                    index=index,
                    pts_s=pts_s,
                    time_s=self._start_s + pts_s,
                    frame=numbered((self._first + index) % self._film.frames),
                    width=WIDTH,
                    height=HEIGHT,
                    key_frame=True,
                    rotation=0,
                )
            else:
                self.counters.skipped += 1
            index += 1


@dataclass(frozen=True)
class ReplayOpener:
    """``VideoOpener`` of a film: every address begins at a place of its own."""

    path: Path

    def __call__(
        self,
        address: str,
        options: SourceOptions | None = None,
        *,
        cancel: CancelToken | None = None,
        start_pts_s: float = 0.0,
        time_floor_s: float = 0.0,
        packets: PacketRing | None = None,
    ) -> VideoSource:
        """See ``open_source``."""
        film = load(self.path)
        first = zlib.crc32(address.encode()) % film.frames
        return ReplaySource(film, first, options or SourceOptions(), cancel or CancelToken(), time_floor_s)


class _Known:
    """An answer that is there at once."""

    def __init__(self, detections: Detections) -> None:
        self._detections = detections

    def result(self, timeout_s: float) -> Detections:
        """The answer."""
        return self._detections


class ReplayDetector:
    """``DetectorClient`` that knows the film."""

    input_size = (WIDTH, HEIGHT)
    input_fit = InputFit(max_enlargement=1.0)

    def __init__(self, path: Path) -> None:
        self._film = load(path)

    def submit(self, image: Image) -> PendingDetections:
        """See DetectorClient."""
        return _Known(self._film.detections(number_of(image), image.shape[1], image.shape[0]))

    def gather(self, pictures: int) -> None:
        """Nothing to gather."""


def numbered(number: int) -> av.VideoFrame:
    """A grey picture that carries its number."""
    planes = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
    planes[:HEIGHT] = _GREY
    bits = (number >> np.arange(_BITS)) & 1
    planes[:_SQUARE, : _BITS * _SQUARE] = np.repeat(np.where(bits, 235, 16), _SQUARE)
    return av.VideoFrame.from_ndarray(planes, format="yuv420p")


def number_of(image: Image) -> int:
    """The number a picture carries; uint8 (HEIGHT, WIDTH, 3)."""
    middle = _SQUARE // 2
    bits = image[middle, middle : _BITS * _SQUARE : _SQUARE, 1] > _GREY
    return int(bits @ (1 << np.arange(_BITS)))


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--address", default="sim://approach?seed=3&flow=600&opposing_flow=200&fps=10")
    parser.add_argument("--seconds", type=float, default=300.0)
    options = parser.parse_args()
    record(options.address, options.seconds, options.out)
    film = load(options.out)
    print(f"{film.frames} frames, {len(film.scores)} detections, {film.vehicles} vehicles crossed")


if __name__ == "__main__":
    main()
