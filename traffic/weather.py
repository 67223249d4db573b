"""The weather of one camera: slow and stable. Single pictures err; the weather they are about changes over minutes.

The first statement comes as soon as the evidence is clear, so that a short recording has one as well; afterwards a change needs
minutes of evidence. Time is the video's.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traffic.vehicle_codes import Weather

KINDS = (Weather.SUNNY, Weather.FOG, Weather.RAIN, Weather.SNOW)


@dataclass(frozen=True, kw_only=True, slots=True)
class WeatherConfig:
    """Settings.

    Attributes:
        period_s: video time between two pictures.
        first_share: mean share of the first statement after one picture; each further picture lowers the demand by
            ``first_easing`` down to ``min_share``.
        memory_s: time constant of the running mean.
        min_share: running share a kind needs to be stated.
        hold_s: time for which another kind must lead with that share before the statement changes.
        forget_s: a gap in the video after which everything is forgotten.
    """

    period_s: float = 10.0
    first_share: float = 0.55
    first_easing: float = 0.01
    min_share: float = 0.50
    memory_s: float = 120.0
    hold_s: float = 180.0
    forget_s: float = 1800.0


class WeatherEstimator:
    """Joins the readings of pictures into one code."""

    def __init__(self, config: WeatherConfig | None = None) -> None:
        self._config = config or WeatherConfig()
        self._mean: NDArray[np.float64] = np.zeros(len(KINDS))
        self._count = 0
        self._last_s: float | None = None
        self._code = Weather.UNKNOWN
        self._rival: tuple[Weather, float] | None = None  # who leads instead of the statement, and since when

    @property
    def code(self) -> Weather:
        """The statement in force; UNKNOWN while the evidence is not clear."""
        return self._code

    @property
    def shares(self) -> NDArray[np.float64]:
        """Running mean of the shares, (4,) in the order of ``KINDS``; zeros before the first picture."""
        return self._mean.copy()

    def update(self, time_s: float, shares: NDArray[np.float64]) -> Weather:
        """Take the shares (4,), sum 1, of a picture of video time ``time_s``; returns the statement in force.

        A picture older than the last one, or much younger, starts anew: the source was restarted or changed.
        """
        last = self._last_s
        if last is not None and not 0 <= time_s - last <= self._config.forget_s:
            self._forget()
            last = None
        self._count += 1
        # The first pictures are averaged evenly, later ones with the time constant.
        gain = 1 - np.exp(-(time_s - last) / self._config.memory_s) if last is not None else 1.0
        self._mean = self._mean + max(gain, 1 / self._count if self._count <= 8 else 0.0) * (np.asarray(shares) - self._mean)
        self._last_s = time_s
        self._decide(time_s)
        return self._code

    def _decide(self, time_s: float) -> None:
        best = int(self._mean.argmax())
        leader, share = KINDS[best], float(self._mean[best])
        if self._code is Weather.UNKNOWN:
            eased = self._config.first_share - self._config.first_easing * (self._count - 1)
            if share >= max(self._config.min_share, eased):
                self._code = leader
            return
        if leader is self._code or share < self._config.min_share:
            self._rival = None
        elif self._rival is None or self._rival[0] is not leader:
            self._rival = (leader, time_s)
        elif time_s - self._rival[1] >= self._config.hold_s:
            self._code, self._rival = leader, None

    def _forget(self) -> None:
        self._mean = np.zeros(len(KINDS))
        self._count, self._last_s = 0, None
        self._code, self._rival = Weather.UNKNOWN, None
