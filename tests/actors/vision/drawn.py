"""A small drawn road, and a watcher fed with its pictures."""

from collections.abc import Callable, Sequence
from itertools import count

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from actors.decoding import DecodedFrame
from actors.vision import PixelWatcher
from traffic.events.observations import FrameEvidence
from traffic.scene import Scene
from traffic.scene.document import parse_scene
from traffic.types import Box, ObjectClass, Track, TrackId, TrackState

WIDTH, HEIGHT = 640, 360
LOOK_S = 0.34
Picture = NDArray[np.uint8]


def road(seed: int = 1) -> Picture:
    """Asphalt between verges, with lines, a building and trees above: uint8 (360, 640, 3) RGB, without sensor noise."""
    rng = np.random.default_rng(seed)
    image = np.full((HEIGHT, WIDTH, 3), 105.0, np.float32)
    image[:90] = (150, 175, 205)
    image[90:] += rng.normal(0, 5, (HEIGHT - 90, WIDTH, 1))
    for x in (40, 330, 480):
        cv2.rectangle(image, (x, 30), (x + 90, 100), (120, 100, 80), -1)
        for k in range(4):
            cv2.rectangle(image, (x + 8 + 20 * k, 40), (x + 18 + 20 * k, 60), (40, 45, 60), -1)
    trees = cv2.resize(rng.normal(0, 1, (20, 130)).astype(np.float32), (WIDTH, 60), interpolation=cv2.INTER_CUBIC)
    image[60:120] = np.where(trees[..., None] > 0.3, np.array([45, 80, 40], np.float32), image[60:120])
    for x in (20, 220, 420, 620):
        cv2.line(image, ((x - 320) // 4 + 320, 125), (x, HEIGHT), (215, 215, 210), 4, cv2.LINE_AA)
    return np.clip(cv2.GaussianBlur(image, (0, 0), 0.7), 0, 255).astype(np.uint8)


def scene(*regions: dict[str, object], lanes: bool = True) -> Scene:
    """One wide lane over the road's surface, 12 m by about 40 m."""
    lane = {
        "roadNum": 1,
        "polygon": [[0.03, 0.99], [0.39, 0.36], [0.61, 0.36], [0.97, 0.99]],
        "direction": [[0.5, 0.98], [0.5, 0.37]],
        "snapshotLine": [[0.22, 0.66], [0.78, 0.66]],
    }
    points = [[[0.03, 0.99], [0, 0]], [[0.97, 0.99], [12, 0]], [[0.39, 0.36], [0, 40]], [[0.61, 0.36], [12, 40]]]
    return parse_scene(
        {
            "version": 1,
            "lanes": [lane] if lanes else [],
            "regions": list(regions),
            "calibration": {"points": [{"image": p[0], "road": p[1]} for p in points]},
        }
    )


def track(box: Box, *, number: int = 1, velocity: tuple[float, float] = (0.0, 0.0), of: ObjectClass = ObjectClass.CAR) -> Track:
    """A confirmed track."""
    return Track(
        track_id=TrackId(number),
        state=TrackState.CONFIRMED,
        box=box,
        velocity=velocity,
        object_class=of,
        class_share=1.0,
        score=0.8,
        time_s=0.0,
        first_time_s=0.0,
        hits=20,
        time_since_update_s=0.0,
        moved=True,
        detection=box,
    )


def car(image: Picture, box: Box, colour: tuple[int, int, int] = (170, 30, 30)) -> None:
    """Draw something like a car."""
    x1, y1, x2, y2 = (int(v) for v in box)
    cv2.rectangle(image, (x1, y1), (x2, y2), colour, -1)
    cv2.rectangle(image, (x1 + 6, y1 + 4), (x2 - 6, (y1 + y2) // 2), (25, 28, 32), -1)
    cv2.rectangle(image, (x1 + 2, y2 - 10), (x1 + 14, y2 - 3), (240, 40, 40), -1)
    cv2.rectangle(image, (x2 - 14, y2 - 10), (x2 - 2, y2 - 3), (240, 40, 40), -1)


def frame(rgb: Picture, time_s: float, index: int = 0) -> DecodedFrame:
    """A picture as a decoded 4:2:0 frame."""
    picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24").reformat(format="yuv420p")
    size = (rgb.shape[1], rgb.shape[0])
    return DecodedFrame(
        index=index, pts_s=time_s, time_s=time_s, frame=picture, width=size[0], height=size[1], key_frame=True, rotation=0
    )


class Film:
    """Feeds a watcher, one look after another, with sensor noise from a seed."""

    def __init__(self, watcher: PixelWatcher, *, noise: float = 2.0, seed: int = 5) -> None:
        self.watcher = watcher
        self._rng, self._noise = np.random.default_rng(seed), noise
        self._looks = count()
        self.time_s = 0.0

    def show(
        self,
        seconds: float,
        draw: Callable[[float], Picture] | Picture,
        tracks: Callable[[float], Sequence[Track]] | Sequence[Track] = (),
    ) -> list[FrameEvidence]:
        """Show pictures (drawn anew with the seconds passed, when a function) for some seconds; what each look said."""
        said, start = [], self.time_s
        while self.time_s - start < seconds - 1e-9:
            passed = self.time_s - start
            image = draw(passed) if callable(draw) else draw
            noisy = image + self._rng.normal(0, self._noise, image.shape) if self._noise else image
            now = tracks(passed) if callable(tracks) else tracks
            rgb = np.clip(noisy, 0, 255).astype(np.uint8)
            said.append(self.watcher.look(frame(rgb, 1000.0 + self.time_s, next(self._looks)), now))
            self.time_s += LOOK_S
        return said
