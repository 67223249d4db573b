"""The one door to every kind of video source."""

from typing import Protocol

from actors.decoding.address import SourceKind, address_kind, local_path
from actors.decoding.container import MediaContainer
from actors.decoding.interrupt import CancelToken
from actors.decoding.live import LiveSource
from actors.decoding.options import SourceOptions
from actors.decoding.packets import PacketRing
from actors.decoding.recording import RecordingSource, video_files
from actors.decoding.simulated import SimulatedSource
from actors.decoding.source import VideoSource


class VideoOpener(Protocol):
    """Opens the video of a camera: ``open_source``, or something that stands in for it in a test or a benchmark."""

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


def open_source(
    address: str,
    options: SourceOptions | None = None,
    *,
    cancel: CancelToken | None = None,
    start_pts_s: float = 0.0,
    time_floor_s: float = 0.0,
    packets: PacketRing | None = None,
) -> VideoSource:
    """Open a video source.

    Args:
        address: a file, a directory of files (natural order, one continuous stream), ``rtsp://``, ``http(s)://``
            (MJPEG, HLS, progressive) or ``sim://…``.
        options: how to open and read it; the defaults suit a camera.
        cancel: ends opening and reading from another thread; made here when not given (``close`` then cancels reading).
        start_pts_s: continue a single recording after this media time.
        time_floor_s: no wall-clock time of a live source is at or before this (seconds since the epoch).
        packets: where the compressed video is kept; made here when not given and the options ask for it.

    Raises:
        SourceError: readable reason, without secrets; ``permanent`` when trying again soon cannot help.
    """
    options = options if options is not None else SourceOptions()
    cancel = cancel if cancel is not None else CancelToken()
    address = address.strip()
    packets = packets if packets is not None else PacketRing.of_options(options)
    kind = address_kind(address)
    if kind is SourceKind.SIMULATION:
        return SimulatedSource(address, options, cancel, time_floor_s, packets)
    if kind is SourceKind.DIRECTORY:
        files = video_files(local_path(address))
        return RecordingSource(files, options, cancel, time_floor_s=time_floor_s, packets=packets)
    container = MediaContainer(address, options, cancel, packets)
    if container.live:
        return LiveSource(container, options, cancel, time_floor_s)
    return RecordingSource(
        [address],
        options,
        cancel,
        first=container,
        start_pts_s=start_pts_s,
        time_floor_s=time_floor_s,
        packets=packets,
    )
