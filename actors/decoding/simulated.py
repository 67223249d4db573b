"""The demo camera ``sim://`` as a video source."""

import time
from collections.abc import Iterator

import av

from actors.decoding.clock import RateLimiter
from actors.decoding.frames import DecodedFrame, SourceInfo
from actors.decoding.interrupt import CancelToken
from actors.decoding.options import SourceOptions
from actors.decoding.own_packets import PictureEncoder
from actors.decoding.pacing import Pacer
from actors.decoding.packets import PacketRing
from actors.decoding.source import VideoSource
from actors.errors import SourceError


class SimulatedSource(VideoSource):
    """Frames of ``actors.simulation``; paced by the wall clock with ``realtime``, else as fast as they are drawn."""

    def __init__(
        self,
        address: str,
        options: SourceOptions,
        cancel: CancelToken,
        time_floor_s: float = 0.0,
        packets: PacketRing | None = None,
    ) -> None:
        """Prepare the camera.

        Raises:
            SourceError: the address holds unknown or impossible parameters (permanent).
        """
        # Imported here: its sprites are made on import paths no other source needs.
        from actors.simulation import SimulatedCamera, parse_address

        try:
            settings = parse_address(address)
            self._camera = SimulatedCamera(settings)
        except ValueError as error:
            raise SourceError(f"模拟摄像机地址有误 (invalid sim:// address): {error}", permanent=True) from error
        self._options = options
        start = options.start_time_s if options.start_time_s is not None else time.time()
        self._start_time_s = max(start, time_floor_s) if options.realtime else start
        duration_s = getattr(settings, "duration_s", None) or None
        fps = float(settings.fps)
        super().__init__(
            SourceInfo(
                codec="rawvideo",
                nominal_fps=fps,
                duration_s=duration_s,
                total_frames=round(duration_s * fps) if duration_s else None,
                live=options.realtime,
                width=settings.width,
                height=settings.height,
                start_time_s=self._start_time_s,
            ),
            cancel,
            packets=packets,
        )

    def _frames(self) -> Iterator[DecodedFrame]:
        info, packets = self.info, self.packets
        encoder = PictureEncoder(packets, info.width, info.height, info.nominal_fps) if packets is not None else None
        try:
            yield from self._drawn(encoder)
        finally:
            if encoder is not None:
                encoder.close()

    def _drawn(self, encoder: PictureEncoder | None) -> Iterator[DecodedFrame]:
        limiter = RateLimiter(self._options.analysed_fps)
        pacer = Pacer()
        for simulated in self._camera.frames():
            pts_s = float(simulated.time_s)
            if self._options.realtime:
                pacer.wait(pts_s, self._cancel)
            if self._cancel.cancelled:
                return
            self.counters.decoded += 1
            picture = av.VideoFrame.from_ndarray(simulated.image, format="rgb24")
            if encoder is not None and self.packets is not None:
                encoder.add(picture, pts_s)
                self.packets.note_time(self._start_time_s + pts_s)
            if not limiter.due(pts_s):
                self.counters.skipped += 1
                continue
            height, width = simulated.image.shape[:2]
            yield DecodedFrame(
                index=simulated.index,
                pts_s=pts_s,
                time_s=self._start_time_s + pts_s,
                frame=picture,
                width=width,
                height=height,
                key_frame=True,
                rotation=0,
            )
