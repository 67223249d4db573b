"""``PixelWatcher``: the pixel half of event detection of one camera. Plain code, no thread, no clock."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from actors.decoding import DecodedFrame
from actors.vision.background import Background
from actors.vision.cones import WIDTH_PX, find_cones
from actors.vision.config import VisionConfig
from actors.vision.heads import judge_heads, people_to_judge
from actors.vision.metres import Metres
from actors.vision.regions import road_mask, slope_masks
from actors.vision.small import SmallPicture, small_picture
from actors.vision.static_objects import StaticObjects
from actors.vision.surfaces import surface_changes
from actors.vision.view import ViewGuard
from traffic.events.observations import FrameEvidence, PixelFinding, ViewState
from traffic.scene import Scene
from traffic.types import Box, Track, TrackState

_GAP_S = 5.0  # a longer pause was not observed: nothing ages over it
_LIGHT_SHARE = 0.5  # of the free picture changed at once: the light has changed, not the road


class PixelWatcher:
    """Looks at some of the frames it is given and says what it sees. State per instance, bounded (about 6 MB).

    Findings are those of the frame looked at; cones, which are looked for more rarely, are repeated in between.
    """

    def __init__(self, scene: Scene | None = None, config: VisionConfig | None = None) -> None:
        self._scene = scene
        self.config = config or VisionConfig()
        self.metres = Metres(scene.calibration if scene else None)
        self._view = ViewGuard(self.config, scene=bool(scene and (scene.lanes or scene.regions)))
        self._static = StaticObjects(self.config, self.metres)
        self._background: Background | None = None
        self._road: NDArray[np.uint8] | None = None
        self._slopes: list[NDArray[np.uint8]] = []
        self._shape: tuple[int, int] | None = None
        self._time_s: float | None = None
        self._cones: tuple[PixelFinding, ...] = ()
        self._cones_due_s = float("-inf")

    @property
    def view(self) -> ViewState:
        """State of the view after the last look."""
        return self._view.state

    def look(self, frame: DecodedFrame, tracks: Sequence[Track]) -> FrameEvidence:
        """Take the next analysed frame with its tracks; frames come in the order of time."""
        now = frame.time_s
        if self._time_s is not None and 0 <= now - self._time_s < 1.0 / self.config.look_hz - 1e-3:
            return FrameEvidence(view=self._view.state)
        dt = 0.0 if self._time_s is None else now - self._time_s
        if not 0 <= dt <= _GAP_S:
            dt = 0.0
        self._time_s = now
        picture = small_picture(frame, self.config.small_width_px)
        if picture.y.shape != self._shape:
            self._begin(picture.y.shape)
        size = (frame.width, frame.height)
        boxes = _boxes(tracks, picture.scale)
        view = self._view.update(now, picture.y, boxes) if self.config.view else ViewState.OK
        if view is not ViewState.OK:
            self._pause()
            return FrameEvidence(view=view, looked=True)
        self.metres.learn(tracks, size)
        findings = [*self._still(now, picture, dt, boxes, tracks, size)]
        if self.config.cones:
            findings += self._cones_of(frame, now)
        if self.config.heads:
            findings += judge_heads(frame, people_to_judge(tracks, self._scene, size), tracks, self.config)
        return FrameEvidence(findings=tuple(findings), view=view, looked=True)

    def _begin(self, shape: tuple[int, ...]) -> None:
        self._shape = (shape[0], shape[1])
        self._background = Background(self._shape)
        self._road = road_mask(self._scene, self._shape)
        self._slopes = slope_masks(self._scene, self._shape)
        self._static.reset()

    def _pause(self) -> None:
        """What was seen before a bad view may not be what is there after it."""
        self._static.reset()
        self._cones = ()
        self._cones_due_s = float("-inf")
        if self._background is not None:
            self._background.last = None
            self._background.age_s[:] = 0

    def _still(
        self, now: float, picture: SmallPicture, dt: float, boxes: list[Box], tracks: Sequence[Track], size: tuple[int, int]
    ) -> list[PixelFinding]:
        if not (self.config.static_objects or self.config.surfaces):
            return []
        assert self._background is not None
        assert self._road is not None
        assert self._shape is not None
        background = self._background
        kept = self._static.kept(now, self._shape)
        if self._slopes:  # a slide stays until it is cleared
            slopes = np.max(self._slopes, axis=0)
            kept = slopes if kept is None else cv2.bitwise_or(kept, slopes)
        background.update(picture, dt, boxes, kept)
        if background.changed_share > _LIGHT_SHARE:
            background.reset()
            self._static.reset()
            return []
        found: list[PixelFinding] = []
        if self.config.static_objects:
            found += self._static.update(now, picture, background, self._road, tracks, size)
        if self.config.surfaces:
            covered = np.zeros(self._shape, np.uint8)
            for x1, y1, x2, y2 in boxes:
                dx, dy = 0.4 * (x2 - x1), 0.4 * (y2 - y1)
                cv2.rectangle(covered, (int(x1 - dx), int(y1 - dy)), (int(x2 + dx), int(y2 + dy)), 255, -1)
            found += surface_changes(background, self._slopes, self._road, picture.scale, self.config, covered)
        return found

    def _cones_of(self, frame: DecodedFrame, now: float) -> tuple[PixelFinding, ...]:
        if now >= self._cones_due_s or now < self._cones_due_s - 10 * self.config.cones_every_s:
            self._cones = tuple(find_cones(small_picture(frame, WIDTH_PX)))
            self._cones_due_s = now + self.config.cones_every_s
        return self._cones


def _boxes(tracks: Sequence[Track], scale: float) -> list[Box]:
    """Boxes of what is there now, small pixels."""
    present = [track.box for track in tracks if track.state is not TrackState.DELETED]
    return [(x1 * scale, y1 * scale, x2 * scale, y2 * scale) for x1, y1, x2, y2 in present]
