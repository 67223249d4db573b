"""``wayside recognize``: what is found as JSON and drawn; files that are no pictures are said and cost nothing else."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import ImageFont
from typer.testing import CliRunner

from cluster import cli, local_networks
from cluster.recognize import Networks, PictureError, drawn, font_of, read_picture, recognize
from models.handles import Attributes, InputFit, PlateRead, VehicleContext
from traffic.types import Detections, ObjectClass


class Answer:
    def __init__(self, value: Any) -> None:
        self._value = value

    def result(self, timeout_s: float) -> Any:
        return self._value


class Detector:
    """Finds a car in the middle and a person, in the picture's own pixels."""

    input_size = (640, 384)
    input_fit = InputFit()

    def submit(self, image: np.ndarray) -> Answer:
        h, w = image.shape[:2]
        boxes = np.array([[0.25 * w, 0.25 * h, 0.75 * w, 0.9 * h], [0, 0, 0.1 * w, 0.5 * h], [0, 0, 5, 5]], np.float32)
        classes = np.array([ObjectClass.CAR, ObjectClass.PERSON, ObjectClass.CAR], np.int64)
        return Answer(Detections(boxes=boxes, scores=np.array([0.9, 0.6, 0.1], np.float32), classes=classes))


class Plates:
    def submit(self, images: list[np.ndarray]) -> Answer:
        h, w = images[0].shape[:2]
        corners = np.array([[0.45, 0.8], [0.55, 0.8], [0.55, 0.85], [0.45, 0.85]], np.float32) * (w, h)
        return Answer(((PlateRead(text="川A12345", color=1, confidence=0.98, characters=(0.98,) * 7, corners=corners),),))


class Looks:
    def submit(self, crops: list[np.ndarray], context: VehicleContext) -> Answer:
        assert context.object_class is ObjectClass.CAR
        return Answer(Attributes(vehicle_type=2, vehicle_type_confidence=0.8, vehicle_color=8, vehicle_color_confidence=0.7))


class Sky:
    def submit(self, picture: np.ndarray) -> Answer:
        assert max(picture.shape) == 320
        return Answer(np.array([0.9, 0.05, 0.03, 0.02]))


ALL = Networks(detector=Detector(), plates=Plates(), attributes=Looks(), weather=Sky())


@pytest.fixture
def picture() -> np.ndarray:
    return np.full((360, 640, 3), 120, np.uint8)


def test_everything_found_is_in_the_json(picture: np.ndarray) -> None:
    found = json.loads(json.dumps(recognize(picture, ALL)))
    assert (found["width"], found["height"], found["weather"], found["weatherName"]) == (640, 360, 1, "晴")
    car, person = found["objects"]
    assert (car["class"], car["vehicleType"], car["vehicleTypeName"], car["vehicleColor"]) == ("car", 2, "SUV", 8)
    assert car["vehicleColorName"] == "蓝"
    assert (car["plateNum"], car["plateColor"]) == ("川A12345", 1)
    assert car["box"] == pytest.approx([160, 90, 480, 324], abs=1)
    assert person["class"] == "person"
    assert "vehicleType" not in person
    assert found["plates"][0]["plateColorName"] == "蓝牌"


def test_networks_that_are_off_leave_their_part_out(picture: np.ndarray) -> None:
    found = recognize(picture, Networks(detector=Detector()))
    assert "weather" not in found
    assert found["plates"] == []
    assert set(found["objects"][0]) == {"class", "score", "box"}


def test_the_drawing_has_boxes_and_needs_no_chinese_font(picture: np.ndarray) -> None:
    found = recognize(picture, ALL)
    for font in (font_of, lambda size: (ImageFont.load_default(size), False)):
        image = drawn(picture, found, font)
        assert image.shape == picture.shape
        assert (image != picture).any(axis=2).mean() > 0.01


def test_a_font_file_that_is_none_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "broken.ttc").write_bytes(b"no font")
    assert font_of(14, (str(tmp_path / "broken.ttc"), str(tmp_path / "missing.ttc")))[1] is False


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\xff\xd8\xff\xe0 cut off"])
def test_what_is_no_picture_is_a_clear_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.jpg"
    path.write_bytes(content)
    with pytest.raises(PictureError, match=r"notes\.jpg: not a picture; JPEG, PNG"):
        read_picture(path)
    with pytest.raises(PictureError, match="cannot be read"):
        read_picture(tmp_path / "missing.jpg")
    with pytest.raises(PictureError, match="cannot be read"):
        read_picture(tmp_path)


def test_the_command_reads_the_good_pictures_and_fails_for_the_bad(
    tmp_path: Path, picture: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_networks, "local_networks", lambda settings: ALL)
    good, bad = tmp_path / "good.png", tmp_path / "bad.txt"
    cv2.imwrite(str(good), picture)
    bad.write_text("words")
    out, folder = tmp_path / "found" / "all.json", tmp_path / "drawn"
    done = CliRunner().invoke(cli.app, ["recognize", str(bad), str(good), "--out", str(out), "--draw", str(folder)])
    assert done.exit_code == 1
    assert [item["image"] for item in json.loads(out.read_text())] == [str(good)]
    assert cv2.imread(str(folder / "good.found.jpg")).shape == picture.shape
    fine = CliRunner().invoke(cli.app, ["recognize", str(good)])
    assert fine.exit_code == 0
    assert json.loads(fine.stdout)[0]["objects"][0]["vehicleType"] == 2
