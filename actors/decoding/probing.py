"""A look at a video source before it becomes a task: its first picture, or the reason why there is none."""

import threading
from dataclasses import dataclass

import cv2

from actors.decoding.interrupt import CancelToken
from actors.decoding.opening import open_source
from actors.decoding.options import SourceOptions
from actors.decoding.reasons import STALLED
from actors.decoding.scaling import letterbox
from actors.errors import SourceError


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbeResult:
    """What a source showed.

    Attributes:
        width, height: of the upright picture, pixels. codec: name of the decoder. fps: nominal frames per second.
        live: whether it is a live source. jpeg: its first picture.
    """

    width: int
    height: int
    codec: str
    fps: float
    live: bool
    jpeg: bytes


def probe(address: str, options: SourceOptions | None = None, *, timeout_s: float = 20.0, max_width: int = 1280) -> ProbeResult:
    """Open a source, take its first picture and close it again.

    Raises:
        SourceError: the reason, readable and without secrets; also when ``timeout_s`` have passed.
    """
    cancel = CancelToken()
    timer = threading.Timer(timeout_s, cancel.cancel)
    timer.daemon = True
    timer.start()
    try:
        with open_source(address, options, cancel=cancel) as source:
            frame = next(source, None)
            if frame is None:
                raise SourceError(STALLED)
            image, _ = letterbox(frame, (max_width, 8 * max_width), max_enlargement=1.0)
            _, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 80])
            info = source.info
            return ProbeResult(
                width=frame.width, height=frame.height, codec=info.codec, fps=info.nominal_fps, live=info.live, jpeg=bytes(data)
            )
    finally:
        timer.cancel()
