"""The default network: reads, folds, decodes, agrees over engines."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from models.catalogue import find
from models.errors import EngineUnavailableError, UnknownModelError, WeightsCorruptError, WeightsMissingError
from models.postprocess import decode_distances, expected_distances, to_detections
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
    logits = np.full((85, 4, 8), -1e4, np.float32)
    logits[:, :, 1] = 0  # all of each distribution on one stride
    scores[1, 9] = 0.9  # row 1, column 1 of stride 8
    boxes, best, classes = decode_distances(scores, logits.reshape(85, 32), (64, 64), (8, 16, 32, 64), 0.5)
    assert boxes.tolist() == [[4.0, 4.0, 20.0, 20.0]]
    assert (float(best[0]), int(classes[0])) == (pytest.approx(0.9), 1)


def test_a_distribution_over_strides_becomes_its_mean() -> None:
    logits = np.zeros((1, 4, 8), np.float32)
    logits[0, 0, 2] = logits[0, 0, 3] = 30.0
    distances = expected_distances(logits.reshape(1, 32))
    assert distances[0] == pytest.approx([2.5, 3.5, 3.5, 3.5], abs=1e-4)
    assert expected_distances(np.zeros((0, 32), np.float32)).shape == (0, 4)


def test_only_the_best_candidates_are_looked_at() -> None:
    scores = np.linspace(0.2, 0.9, 1360, dtype=np.float32)[None]  # of an input of 256 x 256
    boxes, best, _ = decode_distances(scores, np.zeros((1360, 32), np.float32), (256, 256), (8, 16, 32, 64), 0.12)
    assert len(boxes) == 1000
    assert best.min() == pytest.approx(scores[0, 360])


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
        assert np.abs(expected_distances(raw[0][1].reshape(-1, 32)) - expected_distances(other[1].reshape(-1, 32))).max() < 2e-2


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


def test_input_sizes_the_network_cannot_take_are_refused(weights_store: WeightsStore) -> None:
    from models.detector import Detector

    with pytest.raises(ValueError, match="multiples of 32"):
        Detector("picodet-s", weights_store, input_size=(640, 360))
    detector = Detector("picodet-s", weights_store, input_size=(64, 64), engine="torch", device="cpu")
    with pytest.raises(ValueError, match="does not fit"):
        detector.detect([np.zeros((65, 64, 3), np.uint8)])
    assert detector.detect([]) == []


def test_folding_changes_nothing_but_rounding(weights_store: WeightsStore) -> None:
    """The folded network against the program's operators one by one."""
    import torch
    import torch.nn.functional as F  # noqa: N812

    from models import picodet
    from models.detector import _picodet_module
    from models.folding import needed
    from models.paddle import read_program
    from models.self_check import check_picture

    entry = find("picodet-s")
    network = _picodet_module(entry, weights_store)
    picture = torch.from_numpy(check_picture((192, 128)))
    program = read_program(*(weights_store.path(entry.name, file.name) for file in entry.files))
    values = {name: torch.from_numpy(value) for name, value in program.weights.items()}
    values["image"] = (picture.permute(0, 3, 1, 2).float() - network.get_buffer("mean")) * network.get_buffer("scale")
    with torch.inference_mode():
        for operator in needed(program.operators, (*network._score_maps, *network._logit_maps)):
            if operator.type == "batch_norm":
                x, scale, bias, mean, variance = (
                    values[operator.inputs[key][0]] for key in ("X", "Scale", "Bias", "Mean", "Variance")
                )
                values[operator.output()] = F.batch_norm(x, mean, variance, scale, bias, False, 0, operator.attributes["epsilon"])
            else:
                values[operator.output()] = picodet._run(operator, values)
        scores, logits = network(picture)
    plain = torch.cat([values[name].flatten(2) for name in network._score_maps], 2)[:, sorted(entry.class_map)]
    sides = torch.cat([values[name].flatten(2) for name in network._logit_maps], 2).permute(0, 2, 1)
    assert float(plain.max()) > 0.2
    assert float((scores - plain).abs().max()) < 1e-4
    assert float((logits - sides).abs().max()) < 1e-2
