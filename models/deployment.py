"""The detector as a Ray Serve deployment that serves all cameras.

On a GPU pictures of all calls are batched. On a CPU a batch is no faster than its pictures one by one (docs/benchmarks.md), and
everybody waits for the whole of it: there each call has one picture at a time in the queue of the inference threads, so that
callers take turns however many pictures they bring.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ray import serve
from ray.util.metrics import Counter, Histogram

from models.handles import InputFit
from models.store import WeightsStore
from traffic.types import Detections

DEPLOYMENT_NAME = "detector"
Image = NDArray[np.uint8]
Answer = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]
# Cameras bound what they ask for (a few pictures each). A call turned away would try again after others: unfair under load.
_MAX_CALLS = 4096
_HUNG_AFTER_S = 120.0
_BATCH_BOUNDS = [1, 2, 4, 8, 16, 32, 64]
_LATENCY_BOUNDS = [0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56]


@dataclass(frozen=True, kw_only=True, slots=True)
class DetectorSettings:
    """Settings of the deployment; see ``cluster.settings.Settings`` for the meaning of each."""

    model: str
    input_size: tuple[int, int] | None
    engine: str
    device: str
    streams: int
    num_cpus: float
    replicas: int
    num_gpus: float
    max_batch_size: int
    models_dir: Path
    surge_percent: int = 0  # Serve's max_surge_percent: replicas of a new version start beside the old ones


class DetectorReplica:
    """One replica: a network and its inference threads; on a GPU behind a batching queue, two batches under way."""

    def __init__(self, settings: DetectorSettings) -> None:
        from models.detector import Detector

        store = WeightsStore(settings.models_dir)
        if not settings.model.endswith(".onnx"):
            store.pull(settings.model)  # does nothing when the weights are here and whole
        self._detector = Detector(
            settings.model,
            store,
            input_size=settings.input_size,
            engine=settings.engine,
            device=settings.device,
            streams=settings.streams,
        )
        self._busy: dict[int, float] = {}  # by thread: since when it computes
        self._executor = ThreadPoolExecutor(self._detector.streams, thread_name_prefix="inference")
        self._batch_size = Histogram("wayside_detector_batch_size", "Frames per batch", boundaries=_BATCH_BOUNDS)
        self._latency = Histogram(
            "wayside_detector_latency_seconds",
            "Time of one batch, on a CPU of one call with its turns",
            boundaries=_LATENCY_BOUNDS,
        )
        self._frames = Counter("wayside_detector_frames_total", "Frames detected")
        self._detect_batch.set_max_batch_size(settings.max_batch_size)  # type: ignore[attr-defined]

    def get_input(self) -> tuple[tuple[int, int], InputFit]:
        """Network input (width, height) in pixels, and how pictures should be scaled to it."""
        return self._detector.input_size, self._detector.input_fit

    def describe(self) -> dict[str, Any]:
        """What runs here, for health pages."""
        detector = self._detector
        return {"engine": detector.engine_name, "inputSize": list(detector.input_size), "streams": detector.streams}

    def check_health(self) -> None:
        """Serve's health check: the inference thread must be alive and get on."""
        if self._executor._shutdown:
            raise RuntimeError("inference thread has ended")
        since = min(list(self._busy.values()), default=None)
        if since is not None and time.monotonic() - since > _HUNG_AFTER_S:
            raise RuntimeError(f"inference hangs for {time.monotonic() - since:.0f} s")

    async def __call__(self, images: list[Image]) -> list[Answer]:
        """uint8 (h, w, 3) RGB each → of each: boxes (n, 4) in its pixels, scores (n,), ObjectClass values (n,)."""
        width, height = self._detector.input_size
        for image in images:
            if image.shape[0] > height or image.shape[1] > width:  # here, or one stale camera would fail a whole batch
                raise ValueError(f"image {image.shape[1]}x{image.shape[0]} is larger than the network input {width}x{height}")
        if self._detector.batches:
            return list(await asyncio.gather(*(self._detect_batch(image) for image in images)))
        start = time.perf_counter()
        answers = [(await self._detect([image]))[0] for image in images]
        self._observe(time.perf_counter() - start, len(images))
        return answers

    # No waiting for company: while a batch is computed the next one gathers by itself.
    @serve.batch(max_batch_size=16, batch_wait_timeout_s=0.0, max_concurrent_batches=2)
    async def _detect_batch(self, images: list[Image]) -> list[Answer]:
        return await self.infer(images)

    async def infer(self, images: list[Image]) -> list[Answer]:
        """Detect in one batch on an inference thread; answers as ``__call__``'s, in the order of ``images``."""
        start = time.perf_counter()
        answers = await self._detect(images)
        self._observe(time.perf_counter() - start, len(images))
        return answers

    async def _detect(self, images: list[Image]) -> list[Answer]:
        found = await asyncio.get_running_loop().run_in_executor(self._executor, self._compute, images)
        return [(item.boxes, item.scores, item.classes) for item in found]

    def _compute(self, images: list[Image]) -> list[Detections]:
        thread = threading.get_ident()
        self._busy[thread] = time.monotonic()
        try:
            return self._detector.detect(images)
        finally:
            self._busy.pop(thread, None)

    def _observe(self, latency_s: float, pictures: int) -> None:
        self._latency.observe(latency_s)
        self._batch_size.observe(pictures)
        self._frames.inc(pictures)


def build_detector(settings: DetectorSettings) -> Any:
    """The bound deployment, ready to be a part of an application."""
    factory: Callable[..., Any] = serve.deployment(
        name=DEPLOYMENT_NAME,
        num_replicas=settings.replicas,
        max_surge_percent=settings.surge_percent,
        max_ongoing_requests=_MAX_CALLS,
        health_check_period_s=2,  # Serve notices a dead replica only when it asks
        logging_config={"enable_access_log": False},  # else a line per picture
        health_check_timeout_s=10,
        ray_actor_options={
            "num_cpus": settings.num_cpus,
            "num_gpus": settings.num_gpus,
            "runtime_env": {"env_vars": {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}},
        },
    )(DetectorReplica)
    return factory.bind(settings)  # type: ignore[attr-defined]
