"""The detector as a Ray Serve deployment that batches frames across cameras."""

import asyncio
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
    threads: int
    replicas: int
    num_gpus: float
    max_batch_size: int
    models_dir: Path


class DetectorReplica:
    """One replica: a network, one inference thread and a batching queue."""

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
            threads=settings.threads,
        )
        self._busy_since: float | None = None
        # One thread: the engine already uses every CPU reserved for this replica, and the event loop stays free.
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="inference")
        self._batch_size = Histogram("wayside_detector_batch_size", "Frames per batch", boundaries=_BATCH_BOUNDS)
        self._latency = Histogram("wayside_detector_latency_seconds", "Time of one batch", boundaries=_LATENCY_BOUNDS)
        self._frames = Counter("wayside_detector_frames_total", "Frames detected")
        self._detect_batch.set_max_batch_size(settings.max_batch_size)  # type: ignore[attr-defined]

    def get_input(self) -> tuple[tuple[int, int], InputFit]:
        """Network input (width, height) in pixels, and how pictures should be scaled to it."""
        return self._detector.input_size, self._detector.input_fit

    def describe(self) -> dict[str, Any]:
        """What runs here, for health pages."""
        return {"engine": self._detector.engine_name, "inputSize": list(self._detector.input_size)}

    def check_health(self) -> None:
        """Serve's health check: the inference thread must be alive and get on."""
        if self._executor._shutdown:
            raise RuntimeError("inference thread has ended")
        since = self._busy_since
        if since is not None and time.monotonic() - since > _HUNG_AFTER_S:
            raise RuntimeError(f"inference hangs for {time.monotonic() - since:.0f} s")

    async def __call__(self, image: NDArray[np.uint8]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """uint8 (h, w, 3) RGB → boxes (n, 4) in pixels of the image, scores (n,), ObjectClass values (n,)."""
        width, height = self._detector.input_size
        if image.shape[0] > height or image.shape[1] > width:  # here, or one stale camera would fail a whole batch
            raise ValueError(f"image {image.shape[1]}x{image.shape[0]} is larger than the network input {width}x{height}")
        result: tuple[NDArray[Any], NDArray[Any], NDArray[Any]] = await self._detect_batch(image)
        return result

    # No waiting for company: while a batch is computed the next one gathers by itself.
    @serve.batch(max_batch_size=16, batch_wait_timeout_s=0.0)
    async def _detect_batch(self, images: list[NDArray[np.uint8]]) -> list[tuple[NDArray[Any], ...]]:
        return await self.infer(images)

    def _detect(self, images: list[NDArray[np.uint8]]) -> list[Detections]:
        self._busy_since = time.monotonic()
        try:
            return self._detector.detect(images)
        finally:
            self._busy_since = None

    async def infer(self, images: list[NDArray[np.uint8]]) -> list[tuple[NDArray[Any], ...]]:
        """Detect in one batch on the inference thread; answers as ``__call__``'s, in the order of ``images``."""
        start = time.perf_counter()
        found = await asyncio.get_running_loop().run_in_executor(self._executor, self._detect, images)
        self._latency.observe(time.perf_counter() - start)
        self._batch_size.observe(len(images))
        self._frames.inc(len(images))
        return [(item.boxes, item.scores, item.classes) for item in found]


def build_detector(settings: DetectorSettings) -> Any:
    """The bound deployment, ready to be a part of an application."""
    factory: Callable[..., Any] = serve.deployment(
        name=DEPLOYMENT_NAME,
        num_replicas=settings.replicas,
        max_ongoing_requests=settings.max_batch_size * 4,
        health_check_period_s=2,  # Serve notices a dead replica only when it asks
        health_check_timeout_s=10,
        ray_actor_options={
            "num_cpus": settings.threads,
            "num_gpus": settings.num_gpus,
            "runtime_env": {"env_vars": {"OMP_NUM_THREADS": str(settings.threads), "OMP_WAIT_POLICY": "PASSIVE"}},
        },
    )(DetectorReplica)
    return factory.bind(settings)  # type: ignore[attr-defined]
