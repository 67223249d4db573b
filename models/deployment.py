"""The detector as a Ray Serve deployment that serves all cameras.

On a GPU pictures of all calls are batched. On a CPU a batch is no faster than its pictures one by one (docs/benchmarks.md), and
everybody waits for the whole of it: there each call has one picture at a time in the queue of the inference threads, so that
callers take turns however many pictures they bring.
"""

import asyncio
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ray import serve
from ray.util.metrics import Counter

from models.handles import InputFit
from models.serving import InferenceThreads, bound
from models.store import WeightsStore

DEPLOYMENT_NAME = "detector"
Image = NDArray[np.uint8]
Answer = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]
# Cameras bound what they ask for (a few pictures each). A call turned away would try again after others: unfair under load.
_MAX_CALLS = 4096


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
    most_replicas: int = 0  # while calls queue; no more than ``replicas``: their number is fixed
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
        self._threads = InferenceThreads(DEPLOYMENT_NAME, self._detector.streams)
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
        self._threads.check_health()

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
        self._threads.observe(time.perf_counter() - start, len(images))
        self._frames.inc(len(images))
        return answers

    # No waiting for company: while a batch is computed the next one gathers by itself.
    @serve.batch(max_batch_size=16, batch_wait_timeout_s=0.0, max_concurrent_batches=2)
    async def _detect_batch(self, images: list[Image]) -> list[Answer]:
        return await self.infer(images)

    async def infer(self, images: list[Image]) -> list[Answer]:
        """Detect in one batch on an inference thread; answers as ``__call__``'s, in the order of ``images``."""
        start = time.perf_counter()
        answers = await self._detect(images)
        self._threads.observe(time.perf_counter() - start, len(images))
        self._frames.inc(len(images))
        return answers

    async def _detect(self, images: list[Image]) -> list[Answer]:
        found = await self._threads.run(partial(self._detector.detect, images))
        return [(item.boxes, item.scores, item.classes) for item in found]


def build_detector(settings: DetectorSettings) -> Any:
    """The bound deployment, ready to be a part of an application."""
    quiet = {"enable_access_log": False}  # else a line per picture
    growth = {}
    if settings.most_replicas > settings.replicas:
        growth = {"autoscaling_config": growing(settings)}
    return bound(
        DetectorReplica,
        settings,
        DEPLOYMENT_NAME,
        openmp_threads=1,
        max_ongoing_requests=_MAX_CALLS,
        logging_config=quiet,
        **growth,
    )


def growing(settings: DetectorSettings) -> dict[str, Any]:
    """Serve's ``autoscaling_config``: how the number of replicas follows the calls that wait or are computed.

    A camera that may analyse 12.5 pictures/s waits for one answer at a time, so overload shows as about one waiting call per
    camera, and two calls per computing thread is a replica that is busy and still answers within two of its own turns. On a GPU
    a whole batch of calls is computed at once.
    """
    at_once = settings.max_batch_size if settings.num_gpus else max(1, settings.streams)
    return {
        "min_replicas": settings.replicas,
        "initial_replicas": settings.replicas,
        "max_replicas": settings.most_replicas,
        "target_ongoing_requests": 2 * at_once,
        "metrics_interval_s": 2,
        "look_back_period_s": 20,  # longer than the bursts of a key frame or of a camera that connects
        "upscale_delay_s": 20,
        "downscale_delay_s": 300,  # a replica that starts costs seconds of CPU: not at every red light
    }
