"""The plate reader as a Ray Serve deployment that batches crops over vehicles and cameras."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ray import serve
from ray.util.metrics import Counter, Histogram

from models.handles import PlateRead
from models.store import WeightsStore

DEPLOYMENT_NAME = "plates"
_BATCH_BOUNDS = [1, 2, 4, 8, 16, 32]
_LATENCY_BOUNDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12]
_MAX_SIDE_PX = 4096
Image = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True, slots=True)
class PlateSettings:
    """Settings of the deployment; see ``cluster.settings.Settings`` for the meaning of each."""

    system: str
    longest_px: int
    engine: str
    device: str
    threads: int
    num_cpus: float
    replicas: int
    num_gpus: float
    max_batch_size: int
    models_dir: Path
    surge_percent: int = 0  # Serve's max_surge_percent: replicas of a new version start beside the old ones


class PlateReplica:
    """One replica: the networks of a plate system, one inference thread and a batching queue."""

    def __init__(self, settings: PlateSettings) -> None:
        from models.plates.systems import catalogue_names, find_system, load_plate_reader

        store, system = WeightsStore(settings.models_dir), find_system(settings.system)
        for name in catalogue_names(system):
            store.pull(name)  # does nothing when the weights are here and whole
        self._reader = load_plate_reader(system, store, engine=settings.engine, device=settings.device, threads=settings.threads)
        self._longest_px = settings.longest_px
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="plates")
        self._batch_size = Histogram("wayside_plates_batch_size", "Pictures per batch", boundaries=_BATCH_BOUNDS)
        self._latency = Histogram("wayside_plates_latency_seconds", "Time of one batch", boundaries=_LATENCY_BOUNDS)
        self._pictures = Counter("wayside_plates_pictures_total", "Pictures searched for plates")
        self._plates = Counter("wayside_plates_read_total", "Plates read")
        self._read_batch.set_max_batch_size(settings.max_batch_size)  # type: ignore[attr-defined]

    def describe(self) -> dict[str, Any]:
        """What runs here, for health pages."""
        return {"engine": self._reader.engine_name, "longestPx": self._longest_px}

    def check_health(self) -> None:
        """Serve's health check: the inference thread must be alive."""
        if self._executor._shutdown:
            raise RuntimeError("inference thread has ended")

    async def __call__(self, image: Image) -> tuple[PlateRead, ...]:
        """uint8 (h, w, 3) RGB → its plates, best detection first."""
        if image.ndim != 3 or image.shape[2] != 3 or not 0 < max(image.shape[:2]) <= _MAX_SIDE_PX:
            raise ValueError(f"image of shape {image.shape} is no picture of at most {_MAX_SIDE_PX} pixels a side")
        plates: tuple[PlateRead, ...] = await self._read_batch(image)
        return plates

    # No waiting for company: while a batch is computed the next one gathers by itself.
    @serve.batch(max_batch_size=8, batch_wait_timeout_s=0.0)
    async def _read_batch(self, images: list[Image]) -> list[tuple[PlateRead, ...]]:
        return await self.infer(images)

    async def infer(self, images: list[Image]) -> list[tuple[PlateRead, ...]]:
        """Read in one batch on the inference thread; answers as ``__call__``'s, in the order of ``images``."""
        start = time.perf_counter()
        read = partial(self._reader.read, images, self._longest_px, thorough=False)
        found = await asyncio.get_running_loop().run_in_executor(self._executor, read)
        self._latency.observe(time.perf_counter() - start)
        self._batch_size.observe(len(images))
        self._pictures.inc(len(images))
        self._plates.inc(sum(map(len, found)))
        return found


def build_plates(settings: PlateSettings) -> Any:
    """The bound deployment, ready to be a part of an application."""
    factory: Callable[..., Any] = serve.deployment(
        name=DEPLOYMENT_NAME,
        num_replicas=settings.replicas,
        max_surge_percent=settings.surge_percent,
        max_ongoing_requests=settings.max_batch_size * 8,
        health_check_period_s=10,
        ray_actor_options={
            "num_cpus": settings.num_cpus,
            "num_gpus": settings.num_gpus,
            "runtime_env": {"env_vars": {"OMP_NUM_THREADS": str(settings.threads), "OMP_WAIT_POLICY": "PASSIVE"}},
        },
    )(PlateReplica)
    return factory.bind(settings)  # type: ignore[attr-defined]
