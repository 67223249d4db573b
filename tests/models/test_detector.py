"""The default network: reads, folds, decodes, agrees over engines."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from models.catalogue import find
from models.errors import EngineUnavailableError, UnknownModelError, WeightsCorruptError, WeightsMissingError
from models.postprocess import decode_distances, to_detections
from models.store import WeightsStore, _member


def test_missing_damaged_and_unknown_weights_say_what_to_do(tmp_path: Path) -> None:
    store = WeightsStore(tmp_path)
    with pytest.raises(WeightsMissingError, match="wayside models pull picodet-s"):
        store.verify("picodet-s")
    for file in find("picodet-s").files:
        store.path("picodet-s", file.name).parent.mkdir(exist_ok=True)
        store.path("picodet-s", file.name).write_bytes(b"damaged")
    with pytest.raises(WeightsCorruptError, match="sha256"):
        store.verify("picodet-s")
    assert store.status("picodet-s") == "corrupt"
    with pytest.raises(UnknownModelError, match="picodet-s"):
        store.verify("nothing")


def test_a_wheel_member_is_found_below_the_package_folder(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "w.whl", "w") as archive:
        archive.writestr("package/model/x.bin", b"1")
    with zipfile.ZipFile(tmp_path / "w.whl") as archive:
        assert _member(archive, "model/x.bin") == "package/model/x.bin"


def test_distances_decode_to_boxes_around_their_anchor() -> None:
    scores = np.zeros((2, 64 + 16 + 4 + 1), np.float32)
    distances = np.ones((85, 4), np.float32)
    scores[1, 9] = 0.9  # row 1, column 1 of stride 8
    boxes, best, classes = decode_distances(scores, distances, (64, 64), (8, 16, 32, 64), 0.5)
    assert boxes.tolist() == [[4.0, 4.0, 20.0, 20.0]]
    assert (float(best[0]), int(classes[0])) == (pytest.approx(0.9), 1)


def test_a_vehicle_is_one_box_although_named_twice() -> None:
    boxes = np.array([[0, 0, 100, 100], [2, 0, 100, 100], [0, 0, 98, 100]], np.float32)
    found = to_detections(boxes, np.array([0.9, 0.8, 0.7], np.float32), np.array([2, 5, 0]), (90, 200), 0.6)
    assert found.classes.tolist() == [2, 0]  # car wins over truck; the person stays
    assert found.boxes[:, 2].max() == 90  # clipped to the picture


def test_engines_agree(weights_store: WeightsStore) -> None:
    from models.detector import Detector

    image = np.random.default_rng(0).integers(0, 255, (192, 320, 3), np.uint8)
    image[60:120, 80:200] = (200, 30, 30)
    raw = []
    for engine in ("onnxruntime", "torch", "openvino-f32"):
        detector = Detector("picodet-s", weights_store, input_size=(320, 192), engine=engine)
        raw.append(detector._backend._engine.run(image[None]))
    for other in raw[1:]:
        assert np.abs(raw[0][0] - other[0]).max() < 2e-3
        assert np.abs(raw[0][1] - other[1]).max() < 2e-2


def test_cuda_without_a_gpu_is_a_clear_error(weights_store: WeightsStore) -> None:
    import torch

    from models.detector import Detector

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(EngineUnavailableError, match="no CUDA GPU"):
        Detector("picodet-s", weights_store, device="cuda")


def test_real_frame_has_vehicles(weights_store: WeightsStore, data_dir: Path) -> None:
    import av

    from actors.decoding import letterbox
    from models.detector import Detector

    detector = Detector("picodet-s", weights_store)
    with av.open(str(data_dir / "video" / "motorway_both_directions_720p30s.mp4")) as container:
        frame = next(container.decode(video=0))
    image, transform = letterbox(frame, detector.input_size)
    found = detector.detect([image, image])
    assert (found[0].scores > 0.4).sum() >= 8
    assert np.array_equal(found[0].boxes, found[1].boxes)
    assert transform.to_frame(found[0].boxes)[:, 2].max() > 640
