"""Recordings: a file, the files of a directory one after the other, a progressive download, once or in a loop."""

import logging
import os
import re
import time
from collections.abc import Iterator

from actors.decoding.clock import MediaClock, RateLimiter
from actors.decoding.container import MediaContainer
from actors.decoding.frames import DecodedFrame, SourceInfo, frame_rotation, upright_size
from actors.decoding.interrupt import CancelToken
from actors.decoding.options import SourceOptions
from actors.decoding.pacing import Pacer
from actors.decoding.packets import PacketRing
from actors.decoding.reasons import CORRUPT, NO_VIDEO
from actors.decoding.source import VideoSource
from actors.errors import SourceError

log = logging.getLogger(__name__)

# fmt: off
VIDEO_SUFFIXES = frozenset({
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".m2ts", ".mts", ".mpg", ".mpeg", ".flv", ".wmv", ".asf", ".3gp",
    ".h264", ".264", ".h265", ".hevc", ".265", ".mjpeg", ".mjpg", ".ogv", ".dav",
})
# fmt: on


def video_files(directory: str) -> list[str]:
    """The video files directly in ``directory``, in natural order (``cam2`` before ``cam10``), hidden ones left out.

    Raises:
        SourceError: the directory cannot be read or holds no video file (permanent).
    """
    try:
        with os.scandir(directory) as entries:
            names = [entry.name for entry in entries if entry.is_file() and not entry.name.startswith(".")]
    except OSError as error:
        raise SourceError(f"目录无法读取 (cannot read the directory): {error.strerror}", permanent=True) from error
    names = [name for name in names if os.path.splitext(name)[1].lower() in VIDEO_SUFFIXES]
    if not names:
        raise SourceError("目录中没有视频文件 (no video files in the directory)", permanent=True)
    return [os.path.join(directory, name) for name in sorted(names, key=_natural_key)]


def _natural_key(name: str) -> tuple[list[tuple[int, int, str]], str]:
    parts = re.split(r"(\d+)", name.lower())
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts if part], name


class RecordingSource(VideoSource):
    """One or more recordings as a single continuous stream. Unreadable files among several are skipped and counted."""

    def __init__(
        self,
        addresses: list[str],
        options: SourceOptions,
        cancel: CancelToken,
        *,
        first: MediaContainer | None = None,
        start_pts_s: float = 0.0,
        time_floor_s: float = 0.0,
        packets: PacketRing | None = None,
    ) -> None:
        """Open the first readable one of ``addresses``.

        Args:
            addresses: files in order, or one address of a progressive download.
            options: how to open and read them.
            cancel: ends it all from another thread.
            first: the already opened container of ``addresses[0]``.
            start_pts_s: continue at this media time of the first recording (after a broken download).
            packets: where the compressed video is kept.
            time_floor_s: when paced as a live camera, no wall-clock time at or before this is given.

        Raises:
            SourceError: none can be opened.
        """
        self._addresses = addresses
        self._options = options
        self._current: MediaContainer | None = None
        self._position, container, skipped = self._first_readable(addresses, first, options, cancel, packets)
        started = options.start_time_s
        if started is None:
            started = max(time.time(), time_floor_s) if options.realtime else container.creation_time_s or time.time()
        super().__init__(_info(container, options, started, len(addresses) > 1), cancel, packets=packets)
        self.counters.files_skipped = skipped
        self._current = container
        self._start_time_s = started
        self._media = MediaClock(frame_s=1.0 / container.nominal_fps)
        self._resume_raw_s: float | None = None
        if start_pts_s > 0:
            self._resume(container, start_pts_s)
        self._limiter = RateLimiter(options.analysed_fps)

    @staticmethod
    def _first_readable(
        addresses: list[str],
        first: MediaContainer | None,
        options: SourceOptions,
        cancel: CancelToken,
        packets: PacketRing | None,
    ) -> tuple[int, MediaContainer, int]:
        if first is not None:
            return 0, first, 0
        for position, address in enumerate(addresses):
            try:
                return position, MediaContainer(address, options, cancel, packets), position
            except SourceError as error:
                if len(addresses) == 1 or cancel.cancelled:
                    raise
                log.warning("skipped unreadable recording file=%s reason=%s", address, error.reason)
        raise SourceError(NO_VIDEO, permanent=True)

    def _resume(self, container: MediaContainer, pts_s: float) -> None:
        origin_s = container.start_time_s
        container.seek(origin_s + pts_s)
        self._media = MediaClock.resumed(1.0 / container.nominal_fps, origin_s=origin_s, media_s=pts_s)
        self._resume_raw_s = origin_s + pts_s

    def release(self) -> None:
        """Release the file."""
        current = self._current
        super().release()
        if current is not None:
            current.release()

    def _frames(self) -> Iterator[DecodedFrame]:
        pacer = Pacer() if self._options.realtime else None
        while True:
            before = self.counters.decoded
            for container in self._containers():
                yield from self._frames_of(container, pacer)
            if self._cancel.cancelled or not self._options.loop:
                return
            if self.counters.decoded == before:
                raise SourceError(CORRUPT, permanent=True)  # else a loop of empty passes would spin for ever

    def _before_resumption(self, raw_s: float | None) -> bool:
        """Whether the picture was already handed out before the download broke."""
        if self._resume_raw_s is None:
            return False
        if raw_s is not None and raw_s <= self._resume_raw_s + 1e-4:
            return True
        self._resume_raw_s = None
        return False

    def _containers(self) -> Iterator[MediaContainer]:
        """The readable recordings from the current position to the last; the next pass begins with the first."""
        for position in range(self._position, len(self._addresses)):
            container = self._current or self._open(position)
            if container is None:
                continue
            self._current = container
            try:
                yield container
            finally:
                self._current = None
                container.release()
        self._position = 0

    def _open(self, position: int) -> MediaContainer | None:
        try:
            container = MediaContainer(self._addresses[position], self._options, self._cancel, self.packets)
        except SourceError as error:
            if self._cancel.cancelled:
                return None
            if len(self._addresses) == 1:
                raise
            self.counters.files_skipped += 1
            log.warning("skipped unreadable recording file=%s reason=%s", self._addresses[position], error.reason)
            return None
        self._media.begin_part(1.0 / container.nominal_fps)
        return container

    def _frames_of(self, container: MediaContainer, pacer: Pacer | None) -> Iterator[DecodedFrame]:
        counters = self.counters
        try:
            for picture in container.frames(counters):
                raw_s = container.time_of(picture)
                if self._before_resumption(raw_s):
                    continue
                pts_s = self._media.advance(raw_s)
                counters.time_jumps = self._media.jumps
                index = counters.decoded
                counters.decoded += 1
                if self.packets is not None:
                    self.packets.note_time(self._start_time_s + pts_s)
                if pacer is not None:
                    pacer.wait(pts_s, self._cancel)
                if not self._limiter.due(pts_s):
                    counters.skipped += 1
                    continue
                rotation = frame_rotation(picture)
                width, height = upright_size(picture.width, picture.height, rotation)
                yield DecodedFrame(
                    index=index,
                    pts_s=pts_s,
                    time_s=self._start_time_s + pts_s,
                    frame=picture,
                    width=width,
                    height=height,
                    key_frame=bool(picture.key_frame),
                    rotation=rotation,
                )
        except SourceError as error:
            if len(self._addresses) == 1:
                raise
            counters.files_skipped += 1
            log.warning("left damaged recording reason=%s", error.reason)


def _info(container: MediaContainer, options: SourceOptions, start_time_s: float, several: bool) -> SourceInfo:
    return SourceInfo(
        codec=container.codec,
        nominal_fps=container.nominal_fps,
        duration_s=None if several else container.duration_s,
        total_frames=None if several else container.total_frames,
        live=options.realtime,
        width=container.width,
        height=container.height,
        start_time_s=start_time_s,
        hardware=container.hardware,
    )
