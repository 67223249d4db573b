"""Live sources: RTSP, MJPEG, HLS and whatever else never ends by itself."""

import time
from collections.abc import Iterator

from actors.decoding.clock import CatchUp, LiveWallClock, MediaClock, RateLimiter
from actors.decoding.container import MediaContainer
from actors.decoding.frames import DecodedFrame, SourceInfo, frame_rotation, upright_size
from actors.decoding.interrupt import CancelToken
from actors.decoding.options import SourceOptions
from actors.decoding.pacing import Pacer
from actors.decoding.reasons import ENDED
from actors.decoding.source import VideoSource
from actors.errors import SourceError


class LiveSource(VideoSource):
    """A network camera. Its end is a loss: the iteration only stops without an error after ``close``."""

    def __init__(self, container: MediaContainer, options: SourceOptions, cancel: CancelToken, time_floor_s: float = 0.0) -> None:
        info = SourceInfo(
            codec=container.codec,
            nominal_fps=container.nominal_fps,
            duration_s=None,
            total_frames=None,
            live=True,
            width=container.width,
            height=container.height,
            hardware=container.hardware,
        )
        super().__init__(info, cancel, packets=container.packets)
        self._container = container
        self._media = MediaClock(frame_s=1.0 / container.nominal_fps)
        self._wall = LiveWallClock(floor_s=time_floor_s)
        self._limiter = RateLimiter(options.analysed_fps)
        self._catch_up = CatchUp()
        self._pacer = Pacer(slip_s=0.5)

    def release(self) -> None:
        """Release the stream."""
        super().release()
        self._container.release()

    def _frames(self) -> Iterator[DecodedFrame]:
        counters, started = self.counters, time.monotonic()
        previous = started
        for picture in self._container.frames(counters):
            arrived = time.monotonic()
            raw_s = arrived - started if self._container.untimed else self._container.time_of(picture)
            pts_s = self._media.advance(raw_s, arrived - previous)
            previous = arrived
            counters.time_jumps = self._media.jumps
            index = counters.decoded
            counters.decoded += 1
            if not self._caught_up(pts_s, arrived):
                counters.skipped += 1
                continue
            time_s = self._wall.at(pts_s, time.time())
            if self.packets is not None:
                self.packets.note_time(time_s)
            if not self._limiter.due(pts_s):
                counters.skipped += 1
                continue
            rotation = frame_rotation(picture)
            width, height = upright_size(picture.width, picture.height, rotation)
            yield DecodedFrame(
                index=index,
                pts_s=pts_s,
                time_s=time_s,
                frame=picture,
                width=width,
                height=height,
                key_frame=bool(picture.key_frame),
                rotation=rotation,
            )
        if not self._cancel.cancelled:
            raise SourceError(ENDED)

    def _caught_up(self, pts_s: float, arrived_s: float) -> bool:
        """Whether the picture is to be handed out: paced where it comes by the segment, else once the first burst is over."""
        if self._container.segmented:
            self._pacer.wait(pts_s, self._cancel)
            return True
        return self._container.untimed or self._catch_up.over(pts_s, arrived_s)
