"""The weather of one camera: now and then a small picture goes to the network; what comes back is joined over minutes."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from actors.decoding import DecodedFrame, cut_vehicle
from actors.ports import FactEnvelope
from models.handles import RecognitionFailedError, WeatherClient
from traffic.vehicle_codes import Weather
from traffic.weather import WeatherConfig, WeatherEstimator

logger = logging.getLogger(__name__)
PICTURE_PX = 320
_PATIENCE_S = 10.0


class WeatherWatch:
    """Called by the analysis of one camera alone.

    Args:
        connect: makes the client; raises RecognitionFailedError while the network is not up.
        threaded: ask in a thread of its own, so that a slow network never holds the analysis up; otherwise at once, which
            gives the same recording the same weather.
    """

    def __init__(self, connect: Callable[[], WeatherClient], *, threaded: bool, config: WeatherConfig | None = None) -> None:
        self._connect, self._config = connect, config or WeatherConfig()
        self._estimator = WeatherEstimator(self._config)
        self._client: WeatherClient | None = None
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="weather") if threaded else None
        self._asked_s = -np.inf
        self._closed = False
        self._pending: tuple[float, Future[NDArray[np.float64] | None]] | None = None

    @property
    def code(self) -> Weather:
        """The weather in force."""
        return self._estimator.code

    def observe(self, frame: DecodedFrame) -> None:
        """Every analysed frame; few of them are looked at."""
        self._collect()
        if not self._closed and self._pending is None and not 0 <= frame.time_s - self._asked_s < self._config.period_s:
            self._asked_s = frame.time_s
            box = (0.0, 0.0, float(frame.width), float(frame.height))
            picture = cut_vehicle(frame, box, margin=0.0, max_px=PICTURE_PX).rgb()
            self._pending = (frame.time_s, self._start(picture))
            self._collect()

    def stamp(self, envelopes: tuple[FactEnvelope, ...]) -> tuple[FactEnvelope, ...]:
        """The facts with the weather in force."""
        code = int(self.code)
        return tuple(replace(envelope, weather=code) for envelope in envelopes) if code else envelopes

    def close(self) -> None:
        """End; an answer under way is not waited for."""
        self._closed = True
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _start(self, picture: NDArray[np.uint8]) -> "Future[NDArray[np.float64] | None]":
        if self._pool is not None:
            return self._pool.submit(self._ask, picture)
        done: Future[NDArray[np.float64] | None] = Future()
        done.set_result(self._ask(picture))
        return done

    def _ask(self, picture: NDArray[np.uint8]) -> NDArray[np.float64] | None:
        try:
            self._client = self._client or self._connect()
            return self._client.submit(picture).result(_PATIENCE_S)
        except RecognitionFailedError as error:  # the next picture may fare better; the weather stays what it was
            logger.warning("weather not read error=%s", error)
            return None

    def _collect(self) -> None:
        if self._pending is None or not self._pending[1].done():
            return
        time_s, answer = self._pending
        self._pending = None
        shares = answer.result()
        if shares is not None:
            before = self._estimator.code
            after = self._estimator.update(time_s, shares)
            if after is not before:
                logger.info("weather changed from=%s to=%s", before.name, after.name)
