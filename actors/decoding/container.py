"""One opened video: a file or a network stream, demuxed and decoded with PyAV."""

import errno
import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import av
import av.error
from av.codec.hwaccel import HWAccel

from actors.decoding.address import SourceKind, address_kind, host_of, local_path, mask_address
from actors.decoding.clock import StampChooser
from actors.decoding.frames import SourceCounters
from actors.decoding.interrupt import CancelToken
from actors.decoding.judging import judged_url, refused
from actors.decoding.options import SourceOptions
from actors.decoding.outbound_proxy import OutboundProxy
from actors.decoding.packets import PacketRing
from actors.decoding.reasons import CORRUPT, EMPTY_FILE, NO_VIDEO, STALLED, classify, open_failure, read_failure
from actors.decoding.stream_header import StreamHeader
from actors.errors import SourceError
from actors.outbound import UNRESTRICTED, AddressRefusedError

log = logging.getLogger(__name__)

DEFAULT_FPS = 25.0
# Containers without time stamps of their own: over a network the arrival is the only clock there is.
_UNTIMED_FORMATS = frozenset({"mpjpeg", "mjpeg", "jpeg_pipe", "image2pipe", "h264", "hevc", "m4v", "mpegvideo"})
# A playlist or container may name further addresses; only those of its own kind are followed.
_PROTOCOLS = {
    SourceKind.FILE: "file,crypto,data",
    SourceKind.RTSP: "rtsp,rtsps,rtp,srtp,udp,tcp,tls,http,https,crypto",
    SourceKind.HTTP: "http,https,httpproxy,tcp,tls,crypto,data",
}


class MediaContainer:
    """An opened video stream. Iterating ``frames`` and ``close`` may happen in different threads."""

    def __init__(self, address: str, options: SourceOptions, cancel: CancelToken, packets: PacketRing | None = None) -> None:
        """Open ``address``; its packets are kept in ``packets``.

        Raises:
            SourceError: cannot be opened, holds no picture stream, or its codec is not supported.
        """
        self.kind = address_kind(address)
        self.address = mask_address(address)
        self._delivered = 0
        self._options = options
        self._cancel = cancel
        self._lock = threading.Lock()
        self._closed = False
        self._proxy = _proxy_for(self.kind, options)
        try:
            self._container, hardware = _open_container(address, self.kind, options, cancel, self._proxy)
        except BaseException:
            self._close_proxy()
            raise
        try:
            self._stream = _picture_stream(self._container)
            self._set_decoder_threads()
            self._describe(hardware)
        except BaseException:
            self.release()
            raise
        self.packets = packets
        self._header = StreamHeader.of_stream(self._stream, self.nominal_fps) if packets is not None else None

    def _set_decoder_threads(self) -> None:
        decoder = self._stream.codec_context
        decoder.thread_count = self._options.threads
        decoder.thread_type = self._options.thread_type
        if self._options.skip_non_reference:
            decoder.skip_frame = "NONREF"

    def _describe(self, hardware: bool) -> None:
        stream, container = self._stream, self._container
        self.codec: str = stream.codec_context.name
        self.nominal_fps = _nominal_fps(stream)
        self.duration_s = _duration_s(container, stream)
        known = stream.frames or (round(self.duration_s * self.nominal_fps) if self.duration_s else 0)
        self.total_frames: int | None = known or None
        self.live = self.kind is SourceKind.RTSP or (self.kind is SourceKind.HTTP and self.duration_s is None)
        self.segmented = "hls" in container.format.name.split(",") or container.format.name == "dash"
        self._stamps = StampChooser(distrust=int(container.format.name == "avi"))
        self.untimed = self.live and container.format.name in _UNTIMED_FORMATS
        self.width, self.height = stream.codec_context.width, stream.codec_context.height
        self.hardware = hardware and bool(stream.codec_context.is_hwaccel)

    @property
    def start_time_s(self) -> float:
        """Presentation time at which the stream says it begins, in its own base; 0 when it does not say."""
        stream = self._stream
        return float(stream.start_time * stream.time_base) if stream.start_time and stream.time_base else 0.0

    @property
    def creation_time_s(self) -> float | None:
        """The recording's creation time (seconds since the epoch) when it states a plausible one."""
        stated = self._container.metadata.get("creation_time") or self._stream.metadata.get("creation_time")
        try:
            seconds = datetime.fromisoformat(stated).timestamp() if stated else 0.0
        except ValueError:
            return None
        # Before 2000 or in the future: a device whose clock was never set.
        return seconds if 946_684_800 < seconds < time.time() else None

    def frames(self, counters: SourceCounters) -> Iterator[av.VideoFrame]:
        """Decoded undamaged pictures in display order until the end of the stream or ``close``.

        Damaged packets and pictures are counted in ``counters.corrupt`` and left out.

        Raises:
            SourceError: the stream was lost, stalled, is corrupt throughout, or holds no decodable picture.
        """
        packets = _Packets(self._container, self._stream)
        if self.packets is not None and self._header is not None:
            self.packets.begin(self._header)
        try:
            yield from self._pictures(packets, counters)
        finally:
            packets.close()
        if not self._delivered and not self._cancel.cancelled:
            raise SourceError(CORRUPT, permanent=not self.live)

    def _pictures(self, packets: "_Packets", counters: SourceCounters) -> Iterator[av.VideoFrame]:
        last_frame = time.monotonic()
        corrupt_run = 0
        while not self._closed:
            packet, pictures, damaged = self._step(packets)
            counters.corrupt += damaged
            if packet is None:
                return
            corrupt_run = 0 if pictures else corrupt_run + damaged
            for picture in pictures:
                yield picture
                last_frame = time.monotonic()
            self._delivered += len(pictures)
            if self.live and corrupt_run >= self._options.max_corrupt_run:
                raise SourceError(CORRUPT)
            if self.live and time.monotonic() - last_frame > self._options.stall_timeout_s:
                raise SourceError(CORRUPT if corrupt_run else STALLED)

    def _step(self, packets: "_Packets") -> tuple[Any, list[av.VideoFrame], int]:
        """Read and decode one packet: (packet or None at the end, undamaged pictures, damaged packets and pictures)."""
        failure: SourceError | None = None
        with self._lock, self._cancel.guard():
            if self._closed or self._cancel.cancelled:
                return None, [], 0
            try:
                packet = packets.read()
                if packet is None:
                    return None, [], 0
                if self.packets is not None:
                    self.packets.append(packet)
                return packet, *self._decode(packet)
            except (av.error.FFmpegError, OSError) as error:
                failure = self._read_failure(error)
        if self._cancel.cancelled:
            return None, [], 0
        if self.kind is SourceKind.FILE and self._delivered:
            # Nothing after a place that cannot be read is reachable; trying again would end at the same place.
            log.warning("recording ends early file=%s reason=%s", self.address, failure.reason)
            return None, [], 1
        raise failure

    def _read_failure(self, error: Exception) -> SourceError:
        trouble = self._proxy.trouble if self._proxy is not None else None
        return refused(trouble) if isinstance(trouble, AddressRefusedError) else read_failure(error)

    def _decode(self, packet: Any) -> tuple[list[av.VideoFrame], int]:
        try:
            pictures = self._stream.codec_context.decode(packet if packet.size else None)
        except (av.error.InvalidDataError, av.error.PatchWelcomeError, av.error.UnknownError, av.error.EOFError):
            return [], 1 if packet.size else 0
        good = [picture for picture in pictures if not picture.is_corrupt and picture.width and picture.height]
        return good, len(pictures) - len(good)

    def time_of(self, picture: av.VideoFrame) -> float | None:
        """Time of a decoded picture in the stream's own base, seconds; None when it has none. To be asked of each once."""
        stamp = self._stamps.choose(picture.pts, picture.dts)
        base = picture.time_base or self._stream.time_base
        return float(stamp * base) if stamp is not None and base else None

    def seek(self, media_s: float) -> None:
        """Continue at the last key picture at or before ``media_s`` of the stream's own time.

        Raises:
            SourceError: the container cannot seek.
        """
        try:
            with self._lock, self._cancel.guard():
                self._container.seek(int(media_s * 1_000_000))
        except (av.error.FFmpegError, OSError) as error:
            failure = classify(error)
        else:
            return
        raise failure

    def release(self) -> None:
        """Release the stream once no other thread reads it (to end a blocked read, cancel the token first)."""
        self._closed = True
        with self._lock:
            self._container.close()
        self._close_proxy()

    def _close_proxy(self) -> None:
        if self._proxy is not None:
            self._proxy.close()


class _Packets:
    """Reads packets; one that cannot be read is skipped as long as reading goes on."""

    _MAX_BAD_RUN, _MAX_STRANGE_RUN = 50, 10_000

    def __init__(self, container: Any, stream: Any) -> None:
        self._container = container
        self._stream = stream
        self._generator = self._demux()
        self._bad_run = self._strange_run = 0

    def read(self) -> Any | None:
        """The next packet; None at the end. Raises the library's error when reading failed for good."""
        while True:
            try:
                packet = next(self._generator, None)
            except av.error.InvalidDataError:
                self._bad_run += 1
                if self._bad_run > self._MAX_BAD_RUN:
                    raise
                self._generator = self._demux()  # a generator that raised is spent
                continue
            except IndexError:
                # A stream that began after opening (a damaged or changing MPEG-TS): PyAV does not know it.
                self._strange_run += 1
                if self._strange_run > self._MAX_STRANGE_RUN:
                    raise av.error.InvalidDataError(errno.EINVAL, "packets of unknown streams only") from None
                self._generator = self._demux()
                continue
            self._bad_run = self._strange_run = 0
            return packet

    def close(self) -> None:
        """Free the library's buffers."""
        self._generator.close()

    def _demux(self) -> Any:
        return self._container.demux(self._stream)


def _proxy_for(kind: SourceKind, options: SourceOptions) -> OutboundProxy | None:
    """HTTP goes through a proxy that judges every connection, unless every connection is allowed anyway."""
    if kind is not SourceKind.HTTP or options.outbound == UNRESTRICTED:
        return None
    return OutboundProxy(options.outbound)


def _open_container(
    address: str, kind: SourceKind, options: SourceOptions, cancel: CancelToken, proxy: OutboundProxy | None
) -> tuple[Any, bool]:
    """(container, whether a card was asked); falls back to software when there is no card."""
    if options.hardware == "cuda":
        try:
            return _open_with(address, kind, options, cancel, proxy, HWAccel("cuda", allow_software_fallback=True)), True
        except _HardwareUnavailableError:
            pass  # no card or no driver on this machine: decoding in software is the documented fallback
    return _open_with(address, kind, options, cancel, proxy, None), False


class _HardwareUnavailableError(Exception):
    """The card cannot be used."""


def _open_with(
    address: str,
    kind: SourceKind,
    options: SourceOptions,
    cancel: CancelToken,
    proxy: OutboundProxy | None,
    hardware: HWAccel | None,
) -> Any:
    library = _library_options(kind, options)
    if proxy is not None:
        library["http_proxy"] = proxy.url
    if kind is SourceKind.FILE:
        path = os.path.abspath(local_path(address))
        if os.path.getsize(path) == 0:
            raise SourceError(EMPTY_FILE, permanent=True)
        url = f"file:{path}"
    else:
        url = judged_url(address, options.outbound)
    started = time.monotonic()
    try:
        with cancel.guard():
            return av.open(
                url,
                options=library,
                timeout=(options.open_timeout_s, options.stall_timeout_s),
                metadata_errors="replace",
                hwaccel=hardware,
            )
    except (av.error.FFmpegError, OSError, ValueError) as error:
        if hardware is not None and getattr(error, "filename", None) is None:
            raise _HardwareUnavailableError from None  # errors of the stream itself name its address
        elapsed_s = time.monotonic() - started
        failure = _failure(error, address, proxy, elapsed_s, options.open_timeout_s)
    # Raised outside the handler: the library's error names the address with its password and must not be chained.
    raise failure


def _failure(error: Exception, address: str, proxy: OutboundProxy | None, elapsed_s: float, timeout_s: float) -> SourceError:
    """Why opening failed; where the proxy could not connect, its own reason (the library saw a 403 or 502 of ours)."""
    trouble = proxy.trouble if proxy is not None else None
    if isinstance(trouble, AddressRefusedError):
        return refused(trouble)
    if isinstance(trouble, socket.gaierror):
        return SourceError(f"域名无法解析 (cannot resolve host name {host_of(address)})")
    if isinstance(trouble, TimeoutError):
        return SourceError("连接超时 (connection timed out)")
    return open_failure(trouble or error, address, elapsed_s=elapsed_s, timeout_s=timeout_s)


def _library_options(kind: SourceKind, options: SourceOptions) -> dict[str, str]:
    library = {"protocol_whitelist": _PROTOCOLS[kind]}
    if kind is SourceKind.RTSP:
        library |= {
            "rtsp_transport": options.rtsp_transport,
            "allowed_media_types": "video",
            # Only a second line of defence: the limits of av.open end a call first.
            "timeout": str(int((options.open_timeout_s + options.stall_timeout_s) * 1e6)),
            # Probing ends as soon as size and rate are known; three seconds are for cameras with long key intervals.
            "analyzeduration": "3000000",
            # The rate is stated in the stream as a rule and only matters where time stamps are missing: guessing it from
            # three pictures instead of twenty brings a lost camera back 0.7 s earlier (at 25 fps).
            "fpsprobesize": "3",
            "max_delay": "500000",
        }
        if options.rtsp_transport == "udp":
            library["buffer_size"] = "1048576"  # a key picture of a 4K camera arrives in one burst
    elif kind is SourceKind.HTTP:
        limit_us = str(int((options.open_timeout_s + options.stall_timeout_s) * 1e6))
        library |= {"rw_timeout": limit_us, "analyzeduration": "3000000"}
    return library


def _picture_stream(container: Any) -> Any:
    streams = [stream for stream in container.streams.video if not _is_cover(stream)]
    if not streams:
        raise SourceError(NO_VIDEO, permanent=True)
    usable = [stream for stream in streams if stream.codec_context is not None]
    if not usable:
        raise SourceError("不支持的视频编码 (unsupported codec)", permanent=True)
    chosen = max(usable, key=lambda stream: stream.codec_context.width * stream.codec_context.height)
    for stream in container.streams:
        # Not read at all: other variants of a playlist are not downloaded, and a lively sound track cannot hide a
        # dead picture from the read time limit.
        if stream.index != chosen.index:
            stream.discard = av.stream.Discard.all
    return chosen


def _is_cover(stream: Any) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _nominal_fps(stream: Any) -> float:
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        # Beyond 240 it is a time base in disguise (90 kHz, 1000 Hz), not a picture rate.
        if rate and 0.01 <= float(rate) <= 240:
            return float(rate)
    return DEFAULT_FPS


def _duration_s(container: Any, stream: Any) -> float | None:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration else None
