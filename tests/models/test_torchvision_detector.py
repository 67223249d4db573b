"""torchvision's detectors by name: they load, answer in our classes, and their weights are checked."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch

from models.catalogue import CATALOGUE, find
from models.detector import Detector
from models.errors import EngineUnavailableError, ModelFormatError, WeightsCorruptError, WeightsDownloadError, WeightsMissingError
from models.store import WeightsStore
from models.torchvision_detector import TorchvisionBackend
from traffic.types import ObjectClass

NAMES = [entry.name for entry in CATALOGUE if entry.source == "torchvision"]
LIGHT = "torchvision/ssdlite320_mobilenet_v3_large"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder as torch's own."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path / "torch" / "hub" / "checkpoints"


class Scripted(torch.nn.Module):
    """Answers every picture with the same three boxes, as torchvision does."""

    def forward(self, images: list[torch.Tensor]) -> list[dict[str, torch.Tensor]]:
        assert all(image.shape[0] == 3 and 0 <= float(image.min()) <= float(image.max()) <= 1 for image in images)
        answer = {
            "boxes": torch.tensor([[10.0, 10, 50, 40], [60, 10, 90, 40], [0, 0, 5, 5]]),
            "scores": torch.tensor([0.9, 0.8, 0.7]),
            "labels": torch.tensor([3, 6, 17]),  # car, bus, cat
        }
        return [answer for _ in images]


@pytest.mark.parametrize("name", [LIGHT, "torchvision/fasterrcnn_mobilenet_v3_large_320_fpn"])
def test_with_random_weights_it_runs_and_answers_in_our_form(name: str) -> None:
    torch.manual_seed(0)
    backend = TorchvisionBackend(find(name), (96, 64), "cpu", 1, weights=None)
    found = backend.detect([np.zeros((64, 96, 3), np.uint8), np.full((40, 80, 3), 200, np.uint8)], 0.0, 0.6)
    assert len(found) == 2
    for item, (width, height) in zip(found, ((96, 64), (80, 40)), strict=True):
        assert item.boxes.dtype == np.float32
        assert item.boxes.shape == (len(item.scores), 4)
        assert set(item.classes.tolist()) <= {int(member) for member in ObjectClass}
        assert (item.boxes >= 0).all()
        assert (item.boxes <= [width, height, width, height]).all()


def test_labels_become_our_classes_and_others_are_dropped() -> None:
    backend = TorchvisionBackend(find(LIGHT), (96, 64), "cpu", 1, weights=None)
    backend._network = Scripted()
    found = backend.detect([np.full((64, 96, 3), 255, np.uint8)], 0.5, 0.6)[0]
    assert found.classes.tolist() == [int(ObjectClass.CAR), int(ObjectClass.BUS)]
    assert found.boxes.tolist() == [[10, 10, 50, 40], [60, 10, 90, 40]]


def test_cuda_without_a_gpu_is_a_clear_error() -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(EngineUnavailableError, match="no CUDA GPU"):
        TorchvisionBackend(find(LIGHT), (96, 64), "cuda", 1, weights=None)
    with pytest.raises(EngineUnavailableError, match="unknown device"):
        TorchvisionBackend(find(LIGHT), (96, 64), "tpu", 1, weights=None)


@pytest.mark.parametrize("name", NAMES)
def test_catalogue_names_the_very_files_torchvision_publishes(name: str) -> None:
    from torchvision.models import get_model_weights

    entry = find(name)
    assert get_model_weights(entry.project)["DEFAULT"].url.endswith("/" + entry.files[0].name)
    assert len(entry.files[0].sha256) == 8


def test_missing_and_damaged_weights_are_said_and_never_fetched_at_load(home: Path, tmp_path: Path) -> None:
    store = WeightsStore(tmp_path)
    assert store.status(LIGHT) == "missing"
    with pytest.raises(WeightsMissingError, match=f"wayside models pull {LIGHT}"):
        Detector(LIGHT, store)
    home.mkdir(parents=True)
    store.path(LIGHT, find(LIGHT).files[0].name).write_bytes(b"damaged")
    assert store.status(LIGHT) == "corrupt"
    with pytest.raises(WeightsCorruptError, match="sha256"):
        Detector(LIGHT, store)
    assert {item.entry.name: item.status for item in store.list()}[LIGHT] == "corrupt"


def test_a_pull_fetches_what_is_missing_and_checks_it(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = WeightsStore(tmp_path)
    fetched: list[str] = []

    def fetch(url: str, target: str, hash_prefix: str, progress: bool) -> None:
        fetched.append(url)
        data = b"not what was published"
        if not hashlib.sha256(data).hexdigest().startswith(hash_prefix):
            raise RuntimeError("invalid hash value")

    monkeypatch.setattr("torch.hub.download_url_to_file", fetch)
    with pytest.raises(WeightsCorruptError):
        store.pull(LIGHT)
    assert fetched[0].endswith(find(LIGHT).files[0].name)
    assert store.status(LIGHT) == "missing"

    def offline(*_args: object, **_options: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr("torch.hub.download_url_to_file", offline)
    with pytest.raises(WeightsDownloadError, match="no route"):
        store.pull(LIGHT)


def test_weights_of_another_network_are_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def builder(*_args: object, **_options: object) -> None:
        raise RuntimeError("Missing key(s) in state_dict")

    monkeypatch.setattr("models.torchvision_detector.get_model", builder)
    with pytest.raises(ModelFormatError, match="Missing key"):
        TorchvisionBackend(find(LIGHT), (96, 64), "cpu", 1)
