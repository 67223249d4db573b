"""Handing out pictures at the pace at which they were shot."""

import math
import time

from actors.decoding.interrupt import CancelToken


class Pacer:
    """Sleeps until the media time of a picture has come on the wall, counted from the first picture.

    A picture that is late by more than ``slip_s`` moves the whole schedule, so that a source that paused is not followed by
    a rush; with the default the schedule never moves and late pictures follow as fast as they can.
    """

    def __init__(self, slip_s: float = math.inf) -> None:
        self._slip_s = slip_s
        self._origin_s: float | None = None

    def wait(self, media_s: float, cancel: CancelToken) -> None:
        """Return when the picture at ``media_s`` is due, at once when it is late or ``cancel`` is cancelled."""
        now_s = time.monotonic()
        if self._origin_s is None:
            self._origin_s = now_s - media_s
        early_s = self._origin_s + media_s - now_s
        if early_s > 0:
            cancel.wait(early_s)
        elif -early_s > self._slip_s:
            self._origin_s -= early_s
