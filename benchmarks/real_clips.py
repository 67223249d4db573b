"""Recorded clips through the pipeline that cameras run: decoding, the real detector, tracking, passages, parameters, people.

``--keep FOLDER`` of the benchmarks keeps what the network found, by the picture it was shown, so that a second run with other
settings of what follows takes seconds. What is kept is the network's own answer, nothing else is skipped.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from actors.decoding import SourceOptions, open_source
from actors.pipeline import AnalysedFrame, CameraPipeline, PipelineConfig
from actors.ports import TaskRef, TaskSpec
from cluster.settings import Settings
from models.detector import Detector
from models.handles import DetectorClient, Image, InputFit, LocalDetectorClient, PendingDetections
from models.store import WeightsStore
from traffic.scene import Scene
from traffic.types import Detections

SCENES = Path(__file__).parent.parent / "examples" / "scenes"


class _Known:
    def __init__(self, found: Detections) -> None:
        self._found = found

    def result(self, timeout_s: float) -> Detections:
        return self._found


class KeepingDetector:
    """A detector client that asks the network only for pictures it has not seen before."""

    def __init__(self, inner: DetectorClient, path: Path) -> None:
        self._inner, self._path = inner, path
        self._known: dict[str, np.ndarray] = {}
        self._asked = 0
        if path.exists():
            with np.load(path) as kept:
                self._known = {key: kept[key] for key in kept.files}

    @property
    def input_size(self) -> tuple[int, int]:
        """See DetectorClient."""
        return self._inner.input_size

    @property
    def input_fit(self) -> InputFit:
        """See DetectorClient."""
        return self._inner.input_fit

    def submit(self, image: Image) -> PendingDetections:
        """See DetectorClient."""
        key = hashlib.blake2b(image.tobytes() + str(image.shape).encode(), digest_size=16).hexdigest()
        if key not in self._known:
            found = self._inner.submit(image).result(60.0)
            self._known[key] = np.column_stack([found.boxes, found.scores, found.classes]).astype(np.float64)
            self._asked += 1
        rows = self._known[key]
        boxes, scores, classes = rows[:, :4].astype(np.float32), rows[:, 4].astype(np.float32), rows[:, 5].astype(np.int64)
        return _Known(Detections(boxes=boxes, scores=scores, classes=classes))

    def save(self) -> None:
        """Write what is known."""
        if self._asked:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            np.savez_compressed(self._path, **self._known)  # type: ignore[arg-type]


def default_detector(keep: Path | None = None, name: str = "") -> DetectorClient:
    """The detector of the default settings; ``keep``: folder of known answers, ``name``: of the clip."""
    settings = Settings()
    size = (settings.detector_width, settings.detector_height)
    store = WeightsStore(settings.models_dir)
    detector = Detector(settings.detector_model, store, input_size=size if all(size) else None, threads=settings.detector_threads)
    client = LocalDetectorClient(detector)
    return KeepingDetector(client, keep / f"{name}.npz") if keep else client


def analysed(
    video: str, scene: Scene, detector: DetectorClient, *, fps: float = 0.0, start_s: float = 0.0
) -> Iterator[tuple[AnalysedFrame, CameraPipeline]]:
    """Every analysed frame of a clip with the pipeline that has just seen it; ``fps`` 0: every frame."""
    task = TaskRef(task_id=1, task_num="1", task_name="clip", src_address=video, time_zone="UTC")
    spec = TaskSpec(
        ref=task, scene=scene, analysed_fps=fps, rtsp_transport="tcp", loop=False, start_time_s=start_s, enabled=True,
        revision="1",
    )  # fmt: skip
    pipeline = CameraPipeline(spec, detector, None, PipelineConfig())
    with open_source(video, SourceOptions(start_time_s=start_s, analysed_fps=fps)) as source:
        for frame in source:
            pipeline.begin(frame)
            yield pipeline.finish(), pipeline
    if isinstance(detector, KeepingDetector):
        detector.save()
