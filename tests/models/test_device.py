"""The accelerator path on CPU tensors: it must answer as the numpy path does."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import nn

from models.device import DevicePicoDet, letterbox_batch, suppress
from models.handles import InputFit
from models.picodet import STRIDES
from models.postprocess import decode_distances, to_detections
from models.postprocess import suppress as suppress_numpy
from models.store import WeightsStore
from traffic.types import Detections

SIZE = (128, 64)
ANCHORS = sum(-(-SIZE[0] // stride) * -(-SIZE[1] // stride) for stride in STRIDES)
CLASSES = np.array([0, 2, 4, 5], np.int64)  # person, car, bus, truck


class Painted(nn.Module):
    """Outputs that depend on the picture's mean and on where they stand, many and overlapping."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.register_buffer("base", torch.rand((len(CLASSES), ANCHORS), generator=generator))
        self.register_buffer("logits", torch.randn((ANCHORS, 32), generator=generator) * 2)
        self.batches: list[int] = []

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        self.batches.append(len(image))
        level = image.float().mean((1, 2, 3)) / 255
        scores = (self.get_buffer("base")[None] * (0.5 + level.view(-1, 1, 1) / 2)).clamp(0, 1)
        logits = self.get_buffer("logits")[None] + level.view(-1, 1, 1)
        return scores, logits.expand(len(image), -1, -1)


def by_numpy(network: Painted, images: list[np.ndarray], threshold: float) -> list[Detections]:
    found = []
    for image in images:
        batch = np.full((1, SIZE[1], SIZE[0], 3), 114, np.uint8)
        batch[0, : image.shape[0], : image.shape[1]] = image
        scores, logits = (item.numpy() for item in network(torch.from_numpy(batch)))
        boxes, best, index = decode_distances(scores[0], logits[0], SIZE, STRIDES, threshold)
        found.append(to_detections(boxes, best, CLASSES[index], (image.shape[1], image.shape[0]), 0.6))
    return found


def pictures(count: int) -> list[np.ndarray]:
    generator = np.random.default_rng(count)
    sizes = [(64, 128), (40, 128), (64, 70), (8, 8)]
    return [
        generator.integers(0, 255, (*sizes[index % len(sizes)], 3)).astype(np.uint8) // (1 + index % 3) for index in range(count)
    ]


@pytest.mark.parametrize(("seed", "count", "threshold"), [(0, 1, 0.3), (1, 5, 0.6), (2, 19, 0.4), (3, 3, 0.99)])
def test_device_and_numpy_paths_agree(seed: int, count: int, threshold: float) -> None:
    network, images = Painted(seed), pictures(count)
    wanted = by_numpy(network, images, threshold)
    network.batches.clear()
    found = DevicePicoDet(network, CLASSES, SIZE, STRIDES, "cpu").detect(images, threshold, 0.6)
    assert sum(network.batches) == count
    assert max(network.batches) <= 8
    assert len(found) == count
    for mine, reference in zip(found, wanted, strict=True):
        assert mine.scores == pytest.approx(reference.scores, abs=1e-6)
        assert mine.classes.tolist() == reference.classes.tolist()
        assert np.abs(mine.boxes - reference.boxes).max(initial=0) < 1e-3
        assert (mine.boxes.dtype, mine.scores.dtype, mine.classes.dtype) == (np.float32, np.float32, np.int64)
    if threshold < 0.9:
        assert any(len(item.scores) for item in wanted)


@pytest.mark.parametrize("seed", range(20))
def test_suppression_agrees_with_numpy_also_in_chains(seed: int) -> None:
    generator = np.random.default_rng(seed)
    count = 120
    corners = generator.uniform(0, 60, (count, 2))
    boxes = np.concatenate([corners, corners + generator.uniform(15, 40, (count, 2))], 1).astype(np.float32)
    scores = generator.permutation(np.linspace(0.1, 0.9, count)).astype(np.float32)
    classes = generator.choice(CLASSES, count)
    picture = generator.integers(0, 3, count)
    kept = suppress(*(torch.from_numpy(item) for item in (boxes, scores, classes, picture)), 0.6).numpy()
    assert (np.diff(scores[kept]) < 0).all()
    for number in range(3):
        rows = np.flatnonzero(picture == number)
        wanted = rows[suppress_numpy(boxes[rows], scores[rows], classes[rows], 0.6)]
        assert [index for index in kept if picture[index] == number] == wanted.tolist()


def test_nothing_found_is_empty_and_no_picture_is_no_answer() -> None:
    detector = DevicePicoDet(Painted(0), CLASSES, SIZE, STRIDES, "cpu")
    found = detector.detect(pictures(2), 2.0, 0.6)
    assert [item.boxes.shape for item in found] == [(0, 4), (0, 4)]
    assert detector.detect([], 0.1, 0.6) == []


def test_a_batch_is_padded_and_larger_pictures_shrink_as_a_whole() -> None:
    small = torch.full((20, 30, 3), 7, dtype=torch.uint8)
    large = torch.full((200, 100, 3), 9, dtype=torch.uint8)
    batch = letterbox_batch([small, large], (64, 32))
    assert batch.shape == (2, 32, 64, 3)
    assert (batch[0, :20, :30] == 7).all()
    assert (batch[0, 20:] == 114).all()
    assert (batch[0, :, 30:] == 114).all()
    assert (batch[1, :, :16] == 9).all()  # 100 x 200 becomes 16 x 32
    assert (batch[1, :, 16:] == 114).all()


def test_two_batches_at_once_get_their_own_answers() -> None:
    detector, one, two = DevicePicoDet(Painted(3), CLASSES, SIZE, STRIDES, "cpu"), pictures(11), pictures(11)[::-1]
    wanted = [detector.detect(images, 0.4, 0.6) for images in (one, two)]
    with ThreadPoolExecutor(detector.streams) as pool:
        for _ in range(3):
            found = list(pool.map(lambda images: detector.detect(images, 0.4, 0.6), (one, two)))
            for mine, reference in zip(found, wanted, strict=True):
                assert [item.boxes.tolist() for item in mine] == [item.boxes.tolist() for item in reference]


def test_half_precision_keeps_the_answer() -> None:
    network, images = Painted(5), pictures(4)
    fit = InputFit(max_stretch=1.3)
    full = DevicePicoDet(network, CLASSES, SIZE, STRIDES, "cpu").detect(images, 0.5, 0.6)
    half = DevicePicoDet(Painted(5), CLASSES, SIZE, STRIDES, "cpu", half=True, input_fit=fit)
    assert (half.engine_name, half.input_fit) == ("torch-cpu-fp16", fit)
    for mine, reference in zip(half.detect(images, 0.5, 0.6), full, strict=True):
        strong = reference.boxes[reference.scores > 0.55]
        assert all(np.abs(mine.boxes - box).max(1).min() < 1.0 for box in strong)


def test_the_real_network_agrees_on_both_paths(weights_store: WeightsStore) -> None:
    from models.catalogue import find
    from models.detector import Detector, _picodet_module
    from models.self_check import check_picture

    entry = find("picodet-s")
    detector = Detector("picodet-s", weights_store, input_size=(640, 480), engine="torch", device="cpu")
    classes = np.array([entry.class_map[label] for label in sorted(entry.class_map)], np.int64)
    device = DevicePicoDet(_picodet_module(entry, weights_store), classes, (640, 480), STRIDES, "cpu")
    image = check_picture((640, 480))[0]
    wanted, found = detector.detect([image])[0], device.detect([image, image[:300]], 0.12, 0.6)[0]
    assert (wanted.scores > 0.5).sum() >= 3
    sure = wanted.scores > 0.15  # candidates right at the threshold may fall on either side
    for box, score in zip(wanted.boxes[sure], wanted.scores[sure], strict=True):
        nearest = np.abs(found.boxes - box).max(1).argmin()
        assert np.abs(found.boxes[nearest] - box).max() < 0.1
        assert found.scores[nearest] == pytest.approx(score, abs=1e-3)
