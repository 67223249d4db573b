"""From the time stamps of a stream to strictly increasing media and wall-clock time. Pure: time is an argument."""

from dataclasses import dataclass

# Two pictures never share a moment; speeds divide by the difference.
MIN_STEP_S = 1e-3
# A step back smaller than this is disorder around a picture (wrong B-frame order), not a new time base.
DISORDER_S = 0.5


@dataclass(slots=True)
class MediaClock:
    """Turns raw presentation times into strictly increasing seconds since the first picture.

    A missing time stamp is replaced by the last time plus one frame. A jump (backwards by more than ``DISORDER_S``, or
    forwards by more than ``max_gap_s``) re-anchors the clock: the picture follows its predecessor by the time that really
    passed (live) or by one frame (recording), so neither a wrap nor an edited file tears a hole into the tracks.

    Attributes:
        frame_s: seconds between pictures assumed where the stream does not say.
        max_gap_s: longest step forwards that is believed without the arrival times agreeing.
        jumps: number of re-anchorings.
    """

    frame_s: float
    max_gap_s: float = 10.0
    jumps: int = 0
    _offset_s: float | None = None
    _last_s: float = 0.0
    _break_pending: bool = False

    @staticmethod
    def resumed(frame_s: float, *, origin_s: float, media_s: float) -> "MediaClock":
        """A clock that goes on at ``media_s`` in a recording whose first time stamp is ``origin_s``."""
        return MediaClock(frame_s=frame_s, _offset_s=-origin_s, _last_s=media_s)

    def advance(self, raw_s: float | None, elapsed_s: float | None = None) -> float:
        """Media time of the next picture.

        Args:
            raw_s: its presentation time in the stream's own base, None when missing.
            elapsed_s: wall-clock seconds since the previous picture arrived; None for recordings.
        """
        if self._offset_s is None:
            self._offset_s = 0.0 if raw_s is None else -raw_s
            self._break_pending = raw_s is None  # no base yet: the first time stamp to come sets it
            return self._last_s
        if raw_s is None:
            return self._step(self.frame_s)
        candidate = raw_s + self._offset_s
        delta = candidate - self._last_s
        if self._break_pending or not self._plausible(delta, elapsed_s):
            self.jumps += not self._break_pending
            self._break_pending = False
            step = self._step(elapsed_s if elapsed_s is not None and elapsed_s > self.frame_s else self.frame_s)
            self._offset_s = step - raw_s
            return step
        return self._step(max(delta, MIN_STEP_S))

    def begin_part(self, frame_s: float) -> None:
        """The next picture opens a new recording with its own time base; it follows one frame after the last."""
        if self._offset_s is not None:
            self._break_pending = True
        self.frame_s = frame_s

    def _plausible(self, delta_s: float, elapsed_s: float | None) -> bool:
        if delta_s < -DISORDER_S:
            return False
        if elapsed_s is None:
            return delta_s <= self.max_gap_s
        # A live gap is real when it also passed on the wall; bursts after a network pause arrive faster than they were
        # shot, so only the excess counts.
        return delta_s <= max(self.max_gap_s / 5, 1.5 * elapsed_s + 1.0)

    def _step(self, seconds: float) -> float:
        self._last_s += max(seconds, MIN_STEP_S)
        return self._last_s


@dataclass(slots=True)
class StampChooser:
    """Chooses between the presentation and the decoding stamp of decoded pictures, which come in display order.

    Containers without presentation stamps (AVI) leave it to the library to guess them, and with B pictures the guess runs
    back and forth; the decoding stamps, taken in display order, then increase evenly. The kind with fewer steps back so
    far wins, presentation stamps on a tie (the rule FFmpeg's own "best effort" follows).

    Attributes:
        distrust: steps back the presentation stamps begin with; 1 for containers known to have none.
    """

    distrust: int = 0
    _decoding_faults: int = 0
    _last_presentation: int | None = None
    _last_decoding: int | None = None

    def choose(self, presentation: int | None, decoding: int | None) -> int | None:
        """The stamp to believe, in the stream's units; None when the picture has neither."""
        if presentation is not None:
            self.distrust += self._last_presentation is not None and presentation <= self._last_presentation
            self._last_presentation = presentation
        if decoding is not None:
            self._decoding_faults += self._last_decoding is not None and decoding <= self._last_decoding
            self._last_decoding = decoding
        decoding_wins = self._last_decoding is not None and self.distrust > self._decoding_faults
        # The last pictures come out of the decoder without decoding stamps: then none is better than a wrong one.
        return decoding if presentation is None or decoding_wins else presentation


@dataclass(slots=True)
class LiveWallClock:
    """Maps media time of a live stream to wall clock without showing jitter.

    The first picture is anchored at its arrival. Later the anchor follows the arrivals with at most ``max_slew`` seconds
    per second, which covers drifting camera clocks (crystals: below 1e-4) while network jitter changes speeds
    by no more than ``max_slew``. When pictures are late by more than ``step_s`` for ``patience_s``, the anchor steps
    forwards; it never steps back.

    Attributes:
        floor_s: no time handed out is at or before this (the last time of an earlier connection).
    """

    floor_s: float = 0.0
    max_slew: float = 0.005
    step_s: float = 5.0
    patience_s: float = 30.0
    _anchor_s: float | None = None
    _last_media_s: float = 0.0
    _late_since_s: float | None = None

    def at(self, media_s: float, arrival_s: float) -> float:
        """Wall clock of the picture at ``media_s`` (increasing) that arrived at ``arrival_s``."""
        if self._anchor_s is None:
            self._anchor_s = max(arrival_s, self.floor_s + MIN_STEP_S) - media_s
        else:
            self._follow(media_s, arrival_s - (self._anchor_s + media_s))
        self._last_media_s = media_s
        self.floor_s = max(self._anchor_s + media_s, self.floor_s + MIN_STEP_S)
        return self.floor_s

    def _follow(self, media_s: float, error_s: float) -> None:
        assert self._anchor_s is not None
        if error_s <= self.step_s:
            self._late_since_s = None
        elif self._late_since_s is None:
            self._late_since_s = media_s
        elif media_s - self._late_since_s > self.patience_s:
            self._anchor_s += error_s
            self._late_since_s = None
            return
        limit = self.max_slew * (media_s - self._last_media_s)
        self._anchor_s += min(max(error_s, -limit), limit)


@dataclass(slots=True)
class RateLimiter:
    """Chooses which pictures are analysed so that at most ``fps`` per second of video are, evenly spaced.

    ``fps`` 0 chooses every picture. A picture up to a tenth of a period early counts as due, else a 25 fps stream limited to
    12.5 fps would lose every second choice to rounding.
    """

    fps: float
    _due_s: float = 0.0

    def due(self, media_s: float) -> bool:
        """Whether the picture at ``media_s`` is to be analysed."""
        if self.fps <= 0:
            return True
        period_s = 1.0 / self.fps
        if media_s < self._due_s - 0.1 * period_s:
            return False
        # Keep the grid while the stream keeps up; after a gap start a new one.
        self._due_s = self._due_s + period_s if media_s < self._due_s + period_s else media_s + period_s
        return True


@dataclass(slots=True)
class CatchUp:
    """Notices the end of the burst with which a live connection begins.

    Pictures shot while the stream was probed, or sent by the camera since its last key picture, come as fast as the line
    carries them. Their arrival says nothing about when they were shot, so they serve the decoder only; the wall clock is
    anchored at the first picture that comes at the pace of the camera, after ``limit_s`` of video at the latest.
    """

    limit_s: float = 5.0
    _last: tuple[float, float] | None = None
    _over: bool = False

    def over(self, media_s: float, arrival_s: float) -> bool:
        """Whether the picture at ``media_s``, arrived at ``arrival_s`` (monotonic), is no longer part of the burst."""
        if not self._over:
            last, self._last = self._last, (media_s, arrival_s)
            waited = last is not None and arrival_s - last[1] >= 0.5 * (media_s - last[0])
            self._over = waited or media_s >= self.limit_s
        return self._over
