"""A user's own ONNX file: read by its layout, refused with a reason."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models.detector import Detector
from models.errors import ModelFormatError
from models.store import WeightsStore
from traffic.types import ObjectClass

WIDTH, HEIGHT = 64, 32


def write_model(
    path: Path, outputs: dict[str, NDArray[np.float32]], config: dict[str, object] | None, *, fixed: bool = True
) -> Path:
    """A network whose outputs are ``outputs``, multiplied by 1 when the input's first pixel channel is 1 after normalisation."""
    shape: list[int | str] = ["n", 3, HEIGHT, WIDTH] if fixed else ["n", 3, "h", "w"]
    nodes = [
        helper.make_node("Slice", ["image", "zeros", "ones", "axes"], ["corner"]),
        helper.make_node("Reshape", ["corner", "flat"], ["first"]),
    ]
    weights = [
        numpy_helper.from_array(np.zeros(4, np.int64), "zeros"),
        numpy_helper.from_array(np.ones(4, np.int64), "ones"),
        numpy_helper.from_array(np.arange(4, dtype=np.int64), "axes"),
        numpy_helper.from_array(np.array([1], np.int64), "flat"),
    ]
    answers = []
    for name, value in outputs.items():
        weights.append(numpy_helper.from_array(value.astype(np.float32), f"{name}_value"))
        nodes.append(helper.make_node("Mul", [f"{name}_value", "first"], [name]))
        answers.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, value.shape))
    graph = helper.make_graph(nodes, "user", [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)], answers, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    if config is not None:
        path.with_suffix(".json").write_text(json.dumps(config))
    return path


def white(value: int = 255) -> NDArray[np.uint8]:
    return np.full((HEIGHT, WIDTH, 3), value, np.uint8)


def load(path: Path) -> Detector:
    return Detector(str(path), WeightsStore(path.parent / "store"))


def test_yolov8_boxes_are_centres_and_sizes_and_unnamed_labels_are_dropped(tmp_path: Path) -> None:
    rows = np.array([[20, 10, 16, 8, 0.1, 0.9, 0.0], [50, 20, 10, 10, 0.8, 0.1, 0.0], [30, 16, 4, 4, 0, 0, 0.95]], np.float32)
    config = {"layout": "yolov8", "classes": {"0": "person", "1": "truck"}}
    detector = load(write_model(tmp_path / "m.onnx", {"out": rows.T[None]}, config))
    assert (detector.input_size, detector.engine_name) == ((WIDTH, HEIGHT), "onnxruntime")
    found = detector.detect([white()])[0]
    assert found.boxes.tolist() == [[12, 6, 28, 14], [45, 15, 55, 25]]
    assert found.classes.tolist() == [int(ObjectClass.TRUCK), int(ObjectClass.PERSON)]
    assert found.scores == pytest.approx([0.9, 0.8])


def test_yolox_boxes_are_decoded_from_the_grid(tmp_path: Path) -> None:
    anchors = 8 * 4 + 4 * 2 + 2 * 1
    rows = np.zeros((1, anchors, 6), np.float32)
    rows[0, 9] = [0.5, 0.25, np.log(2), np.log(1), 0.8, 1.0]  # stride 8, row 1, column 1
    rows[0, 32 + 4 + 2] = [0, 0, 0, 0, 1.0, 0.5]  # stride 16, row 1, column 2
    config = {"layout": "yolox", "classes": {"0": "car"}}
    found = load(write_model(tmp_path / "m.onnx", {"out": rows}, config)).detect([white()])[0]
    assert found.boxes.tolist() == pytest.approx(np.array([[4, 6, 20, 14], [24, 8, 40, 24]]))
    assert found.scores == pytest.approx([0.8, 0.5])


def test_an_already_suppressed_network_gives_boxes_scores_labels(tmp_path: Path) -> None:
    outputs = {
        "boxes": np.array([[1, 2, 30, 20], [40, 2, 60, 20]], np.float32),
        "scores": np.array([0.7, 0.05], np.float32),
        "labels": np.array([3, 3], np.float32),
    }
    config = {"layout": "nms", "classes": {"3": "bus"}}
    found = load(write_model(tmp_path / "m.onnx", outputs, config)).detect([white(), white()])
    assert [item.boxes.tolist() for item in found] == [[[1, 2, 30, 20]]] * 2  # the weak one is below the threshold
    assert found[0].classes.tolist() == [int(ObjectClass.BUS)]


def test_pixels_are_scaled_normalised_and_reordered_as_the_file_says(tmp_path: Path) -> None:
    row = np.array([[20, 10, 16, 8, 0.5]], np.float32).T[None]
    config = {"layout": "yolov8", "classes": {"0": "car"}, "scale": 1 / 100, "mean": [0.5, 0, 0], "std": [0.5, 1, 1], "bgr": True}
    detector = load(write_model(tmp_path / "m.onnx", {"out": row}, config))
    image = white(0)
    image[..., 2] = 150  # blue, first in BGR: (150 / 100 - 0.5) / 0.5 = 2
    assert detector.detect([image])[0].scores == pytest.approx([1.0])


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (None, "is missing"),
        ({"layout": "ssd", "classes": {"0": "car"}}, "layout must be"),
        ({"layout": "yolov8"}, "classes must map"),
        ({"layout": "yolov8", "classes": {"0": "lorry"}}, "classes must map"),
        ({"layout": "yolov8", "classes": {"one": "car"}}, "classes must map"),
        ({"layout": "yolov8", "classes": {"0": "car"}, "mean": [0, 0]}, "three numbers"),
        ({"layout": "yolov8", "classes": {"0": "car"}, "std": [1, 0, 1]}, "zero"),
        ({"layout": "yolov8", "classes": {"0": "car"}, "scale": "much"}, "scale"),
    ],
)
def test_a_wrong_description_is_refused_with_its_reason(tmp_path: Path, config: dict[str, object] | None, reason: str) -> None:
    path = write_model(tmp_path / "m.onnx", {"out": np.zeros((1, 5, 1), np.float32)}, config)
    with pytest.raises(ModelFormatError, match=reason):
        load(path)


def test_files_that_are_no_network_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFormatError, match="no such ONNX file"):
        load(tmp_path / "none.onnx")
    path = write_model(
        tmp_path / "m.onnx", {"out": np.zeros((1, 5, 1), np.float32)}, {"layout": "yolov8", "classes": {"0": "car"}}
    )
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(ModelFormatError, match="ONNX Runtime"):
        load(path)
    path.with_suffix(".json").write_text("{")
    with pytest.raises(ModelFormatError, match="not valid JSON"):
        load(path)


def test_an_input_of_free_size_is_refused(tmp_path: Path) -> None:
    config = {"layout": "yolov8", "classes": {"0": "car"}}
    path = write_model(tmp_path / "m.onnx", {"out": np.zeros((1, 5, 1), np.float32)}, config, fixed=False)
    with pytest.raises(ModelFormatError, match="fixed size"):
        load(path)


def test_outputs_that_do_not_fit_the_layout_are_a_clear_error(tmp_path: Path) -> None:
    config = {"layout": "nms", "classes": {"0": "car"}}
    detector = load(write_model(tmp_path / "m.onnx", {"out": np.zeros((1, 5, 1), np.float32)}, config))
    with pytest.raises(ModelFormatError, match="outputs"):
        detector.detect([white()])
