"""The detector as cameras call it, and the Serve replica called directly, without Ray."""

import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ray.exceptions import RayActorError
from ray.serve.exceptions import RayServeException

from models.deployment import DetectorReplica, DetectorSettings
from models.detector import Detector
from models.errors import ModelFormatError
from models.handles import DetectionFailedError, InputFit, LocalDetectorClient
from models.serve_client import ServeDetectorClient
from models.store import WeightsStore
from tests.models.test_user_onnx import HEIGHT, WIDTH, white, write_model
from traffic.types import Detections

CONFIG = {"layout": "yolov8", "classes": {"0": "car"}}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A detector that finds one car whose score and box are multiplied by the picture's brightness."""
    return write_model(tmp_path / "m.onnx", {"out": np.array([[20, 10, 16, 8, 0.5]], np.float32).T[None]}, CONFIG)


def settings(model: str, folder: Path) -> DetectorSettings:
    return DetectorSettings(
        model=model,
        input_size=None,
        engine="auto",
        device="cpu",
        streams=2,
        num_cpus=1.0,
        replicas=1,
        num_gpus=0.0,
        max_batch_size=4,
        models_dir=folder,
    )


def test_the_local_client_answers_at_once_with_the_detectors_input(model: Path) -> None:
    client = LocalDetectorClient(Detector(str(model), WeightsStore(model.parent)))
    assert client.input_size == (WIDTH, HEIGHT)
    assert client.input_fit == InputFit()
    found = client.submit(white()).result(timeout_s=0)
    assert found.boxes.tolist() == [[12, 6, 28, 14]]


def test_a_replica_answers_every_picture_of_a_batch_with_its_own_boxes(model: Path) -> None:
    replica = DetectorReplica(settings(str(model), model.parent))
    assert replica.get_input() == ((WIDTH, HEIGHT), InputFit())
    assert replica.describe() == {"engine": "onnxruntime", "inputSize": [WIDTH, HEIGHT], "streams": 2}
    replica.check_health()

    levels = (255, 204, 153, 255, 204)
    answers = asyncio.run(replica.infer([white(level) for level in levels]))
    assert [float(scores[0]) for _, scores, _ in answers] == pytest.approx([0.5, 0.4, 0.3, 0.5, 0.4])
    for level, (boxes, _, classes) in zip(levels, answers, strict=True):
        assert boxes[0] == pytest.approx(np.array([12, 6, 28, 14]) * level / 255, rel=1e-5)
        assert classes.tolist() == [2]


def test_a_picture_too_large_never_reaches_the_batch(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replica = DetectorReplica(settings(str(model), model.parent))
    monkeypatch.setattr(type(replica._detector), "batches", True)  # as on a GPU
    batches: list[int] = []

    async def alone(image: np.ndarray) -> tuple[np.ndarray, ...]:
        batches.append(1)
        return (await replica.infer([image]))[0]

    replica._detect_batch = alone  # Serve's own batching needs a running replica

    async def ask() -> list[object]:
        large = np.zeros((HEIGHT + 1, WIDTH, 3), np.uint8)
        return await asyncio.gather(replica([white()]), replica([white(), large]), replica([white()]), return_exceptions=True)

    good, bad, also_good = asyncio.run(ask())
    assert isinstance(bad, ValueError)
    assert "larger than the network input" in str(bad)
    assert len(good) == len(also_good) == 1
    assert len(batches) == 2


def test_on_a_cpu_callers_take_turns_however_many_pictures_they_bring(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replica = DetectorReplica(replace(settings(str(model), model.parent), streams=1))
    detect, order = replica._detector.detect, []

    def remember(images: list[np.ndarray]) -> list[Detections]:
        order.append(int(images[0][0, 0, 0]))
        return detect(images)

    monkeypatch.setattr(replica._detector, "detect", remember)

    async def ask() -> list[object]:
        return await asyncio.gather(replica([white(255)] * 4), replica([white(204)]), replica([white(153)] * 2))

    many, one, two = asyncio.run(ask())
    assert [len(many), len(one), len(two)] == [4, 1, 2]
    assert [float(scores[0]) for _, scores, _ in two] == pytest.approx([0.3, 0.3])
    assert order.index(204) < 3  # not behind the four of the first caller


def test_a_replica_whose_inference_thread_is_gone_is_unhealthy(model: Path) -> None:
    replica = DetectorReplica(settings(str(model), model.parent))
    replica._threads._executor.shutdown()
    with pytest.raises(RuntimeError, match="inference thread"):
        replica.check_health()


def test_a_replica_pulls_what_is_missing_and_says_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pulled: list[str] = []
    monkeypatch.setattr(WeightsStore, "pull", lambda _self, name: pulled.append(name))
    with pytest.raises(Exception, match="wayside models pull picodet-s"):
        DetectorReplica(settings("picodet-s", tmp_path))
    assert pulled == ["picodet-s"]
    with pytest.raises(ModelFormatError, match="no such ONNX file"):
        DetectorReplica(settings(str(tmp_path / "no.onnx"), tmp_path))
    assert pulled == ["picodet-s"]  # a user's file is never pulled


def test_an_inference_that_hangs_fails_the_health_check(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replica = DetectorReplica(settings(str(model), model.parent))
    replica.check_health()
    replica._threads._busy[1] = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: 1119.0)
    replica.check_health()
    monkeypatch.setattr("time.monotonic", lambda: 1121.0)
    with pytest.raises(RuntimeError, match="hangs for 121 s"):
        replica.check_health()


class Response:
    """What a Serve handle gives back."""

    def __init__(self, answer: object) -> None:
        self._answer = answer
        self.cancelled = False

    def result(self, timeout_s: float) -> object:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    def cancel(self) -> None:
        self.cancelled = True


class Handle:
    """A Serve handle whose calls answer with ``answer``."""

    def __init__(self, answer: object) -> None:
        self.response = Response(answer)
        self.asked: list[object] = []

    @property
    def get_input(self) -> "Handle":
        return self

    def remote(self, *arguments: object) -> Response:
        self.asked.append(arguments)
        if isinstance(self.response._answer, ConnectionResetError):
            raise RayServeException("no replica")
        return self.response


ANSWER = [(np.array([[1, 2, 3, 4]], np.float32), np.array([0.5], np.float32), np.array([2], np.int64))]


def test_the_serve_client_turns_answers_into_detections() -> None:
    handle = Handle(ANSWER)
    client = ServeDetectorClient(handle, (64, 32), InputFit(max_stretch=1.5))
    found = client.submit(white()).result(timeout_s=1)
    assert isinstance(found, Detections)
    assert (client.input_size, client.input_fit.max_stretch) == ((64, 32), 1.5)
    assert found.boxes.tolist() == [[1, 2, 3, 4]]
    assert handle.asked[0][0][0].shape == (HEIGHT, WIDTH, 3)


def test_pictures_of_a_recording_go_out_together_and_an_early_question_sends_what_there_is() -> None:
    handle = Handle([ANSWER[0]] * 2)
    client = ServeDetectorClient(handle, (64, 32))
    client.gather(2)
    first, second, third = (client.submit(white(level)) for level in (255, 204, 153))
    assert [len(images) for (images,) in handle.asked] == [2]
    assert first.result(timeout_s=1).boxes.tolist() == second.result(timeout_s=1).boxes.tolist() == [[1, 2, 3, 4]]
    third.result(timeout_s=1)
    assert [len(images) for (images,) in handle.asked] == [2, 1]


def test_a_call_that_failed_fails_for_each_of_its_pictures_and_not_for_the_next() -> None:
    handle = Handle(TimeoutError("slow"))
    client = ServeDetectorClient(handle, (64, 32))
    client.gather(2)
    lost = [client.submit(white()), client.submit(white())]
    for pending in lost:
        with pytest.raises(DetectionFailedError, match="TimeoutError"):
            pending.result(timeout_s=1)
    handle.response = Response(ANSWER)
    assert len(client.submit(white()).result(timeout_s=1).boxes) == 1


@pytest.mark.parametrize("error", [TimeoutError("slow"), RayActorError(), RayServeException("gone")])
def test_what_goes_wrong_is_one_error_and_the_request_is_cancelled(error: Exception) -> None:
    handle = Handle(error)
    with pytest.raises(DetectionFailedError, match=type(error).__name__):
        ServeDetectorClient(handle, (64, 32)).submit(white()).result(timeout_s=1)
    assert handle.response.cancelled


def test_a_handle_without_replicas_fails_with_the_result_not_with_the_call() -> None:
    pending = ServeDetectorClient(Handle(ConnectionResetError()), (64, 32)).submit(white())
    with pytest.raises(DetectionFailedError, match="no replica"):
        pending.result(timeout_s=1)


def test_connecting_asks_the_deployment_for_its_input(monkeypatch: pytest.MonkeyPatch) -> None:
    handles = {"up": Handle(((896, 672), InputFit(max_enlargement=1.5))), "down": Handle(TimeoutError("starting"))}
    monkeypatch.setattr("ray.serve.get_deployment_handle", lambda deployment, app_name: handles[deployment])
    client = ServeDetectorClient.connect("app", "up", 1.0)
    assert (client.input_size, client.input_fit) == ((896, 672), InputFit(max_enlargement=1.5))
    with pytest.raises(DetectionFailedError, match="starting"):
        ServeDetectorClient.connect("app", "down", 1.0)
