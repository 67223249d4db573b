"""The plate reader as a Ray Serve deployment that batches crops over vehicles and cameras."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ray import serve
from ray.util.metrics import Counter

from models.handles import PlateRead
from models.serving import InferenceThreads, bound
from models.store import WeightsStore

DEPLOYMENT_NAME = "plates"
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
        self._threads = InferenceThreads(DEPLOYMENT_NAME)
        self._pictures = Counter("wayside_plates_pictures_total", "Pictures searched for plates")
        self._plates = Counter("wayside_plates_read_total", "Plates read")
        self._read_batch.set_max_batch_size(settings.max_batch_size)  # type: ignore[attr-defined]

    def describe(self) -> dict[str, Any]:
        """What runs here, for health pages."""
        return {"engine": self._reader.engine_name, "longestPx": self._longest_px}

    def check_health(self) -> None:
        """Serve's health check: the inference thread must be alive and get on."""
        self._threads.check_health()

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
        read = partial(self._reader.read, images, self._longest_px, thorough=False)
        found = await self._threads.measured(read, len(images))
        self._pictures.inc(len(images))
        self._plates.inc(sum(map(len, found)))
        return found


def build_plates(settings: PlateSettings) -> Any:
    """The bound deployment, ready to be a part of an application."""
    calls = settings.max_batch_size * 8
    return bound(PlateReplica, settings, DEPLOYMENT_NAME, openmp_threads=settings.threads, max_ongoing_requests=calls)
