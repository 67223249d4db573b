"""Type, colour and weather as a Ray Serve deployment that batches over vehicles and cameras."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ray import serve
from ray.util.metrics import Counter

from models.handles import Attributes, VehicleContext
from models.serving import InferenceThreads, bound
from models.store import WeightsStore

DEPLOYMENT_NAME = "attributes"
_MAX_SIDE_PX, _MAX_CROPS = 4096, 8
Image = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True, slots=True)
class AttributeSettings:
    """Settings of the deployment; see ``cluster.settings.Settings`` for the meaning of each."""

    backbone: str
    engine: str
    device: str
    threads: int
    num_cpus: float
    replicas: int
    num_gpus: float
    max_batch_size: int
    models_dir: Path
    surge_percent: int = 0  # Serve's max_surge_percent: replicas of a new version start beside the old ones


class AttributesReplica:
    """One replica: the networks, one inference thread and two batching queues."""

    def __init__(self, settings: AttributeSettings) -> None:
        from models.attributes.reader import load_attribute_reader

        store = WeightsStore(settings.models_dir)
        store.pull(settings.backbone)  # does nothing when the weights are here and whole
        self._reader = load_attribute_reader(
            store, engine=settings.engine, device=settings.device, threads=settings.threads, backbone=settings.backbone
        )
        self._threads = InferenceThreads(DEPLOYMENT_NAME)
        self._vehicles = Counter("wayside_attributes_vehicles_total", "Vehicles recognised")
        self._read_batch.set_max_batch_size(settings.max_batch_size)  # type: ignore[attr-defined]

    def describe(self) -> dict[str, Any]:
        """What runs here, for health pages."""
        return {"engine": self._reader.engine_name}

    def check_health(self) -> None:
        """Serve's health check: the inference thread must be alive and get on."""
        self._threads.check_health()

    async def __call__(self, crops: list[Image], context: VehicleContext) -> Attributes:
        """One vehicle's crops, uint8 (h, w, 3) RGB, best first → its looks."""
        if not 0 < len(crops) <= _MAX_CROPS:
            raise ValueError(f"{len(crops)} crops of a vehicle; 1 to {_MAX_CROPS} are allowed")
        for crop in crops:  # here, or one bad picture would fail a whole batch
            _check(crop)
        looks: Attributes = await self._read_batch((crops, context))
        return looks

    async def weather(self, picture: Image) -> NDArray[np.float64]:
        """A picture of a scene, uint8 (h, w, 3) RGB → probabilities (4,) of sunny, fog, rain and snow."""
        _check(picture)
        shares: NDArray[np.float64] = await self._weather_batch(picture)
        return shares

    # No waiting for company: while a batch is computed the next one gathers by itself.
    @serve.batch(max_batch_size=8, batch_wait_timeout_s=0.0)
    async def _read_batch(self, vehicles: list[tuple[list[Image], VehicleContext]]) -> list[Attributes]:
        return await self.infer(vehicles)

    @serve.batch(max_batch_size=8, batch_wait_timeout_s=0.0)
    async def _weather_batch(self, pictures: list[Image]) -> list[NDArray[np.float64]]:
        return list(await self._threads.run(partial(self._reader.weather, pictures)))

    async def infer(self, vehicles: list[tuple[list[Image], VehicleContext]]) -> list[Attributes]:
        """Read in one batch on the inference thread; answers in the order of ``vehicles``."""
        found = await self._threads.measured(partial(self._reader.read, vehicles), len(vehicles))
        self._vehicles.inc(len(vehicles))
        return found


def _check(image: Image) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or not 0 < min(image.shape[:2]) <= max(image.shape[:2]) <= _MAX_SIDE_PX:
        raise ValueError(f"image of shape {image.shape} is no RGB picture of at most {_MAX_SIDE_PX} pixels a side")


def build_attributes(settings: AttributeSettings) -> Any:
    """The bound deployment, ready to be a part of an application."""
    calls = settings.max_batch_size * 8
    return bound(AttributesReplica, settings, DEPLOYMENT_NAME, openmp_threads=settings.threads, max_ongoing_requests=calls)
