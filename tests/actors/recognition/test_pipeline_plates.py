"""Plates through the pipeline of a camera, by a detector that knows where the vehicles are."""

from collections.abc import Sequence
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from actors.archive import FolderArchive
from actors.decoding import DecodedFrame
from actors.pipeline import CameraPipeline, PipelineConfig
from actors.ports import FactEnvelope, TaskSpec
from actors.recognition import InlineDesk, RecognitionConfig, RecognitionServices
from models.handles import Image, InputFit, PlateRead
from tests.actors.recognition.support import TASK, Answer, read
from traffic.facts import VehiclePassage
from traffic.scene.document import parse_scene
from traffic.types import Detections, ObjectClass

WIDTH, HEIGHT = 640, 360
SCENE = parse_scene(
    {
        "version": 1,
        "lanes": [
            {
                "roadNum": 1,
                "turn": "straight",
                "polygon": [[0.1, 0.05], [0.5, 0.05], [0.5, 0.98], [0.1, 0.98]],
                "direction": [[0.3, 0.1], [0.3, 0.95]],
                "snapshotLine": [[0.1, 0.7], [0.5, 0.7]],
            }
        ],
    }
)


class KnowingDetector:
    """Finds the box whose place is painted into the picture's first pixels."""

    input_size = (WIDTH, HEIGHT)
    input_fit = InputFit()

    def submit(self, image: Image) -> Answer:
        top = float(image[1:5, 1:5].mean()) * HEIGHT / 255
        box = np.array([[150, top, 250, top + 80]], np.float32)
        return Answer(Detections(boxes=box, scores=np.array([0.9], np.float32), classes=np.array([int(ObjectClass.CAR)])))


class OnePlate:
    """Every crop shows this plate in its lower middle."""

    def submit(self, images: Sequence[Image]) -> Answer:
        return Answer(tuple((self._in(image),) for image in images))

    @staticmethod
    def _in(image: Image) -> PlateRead:
        height, width = image.shape[:2]
        return read("京A12345", 0.9, (width / 2, height * 0.8), width * 0.3)


def frames() -> list[DecodedFrame]:
    made = []
    for index in range(60):
        top = 20 + 4 * index
        image = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
        image[:8, :8] = round(top * 255 / HEIGHT)
        image[top : top + 80, 150:250] = cv2.resize(np.random.default_rng(1).integers(0, 255, (8, 10, 3), np.uint8), (100, 80))[
            : max(0, HEIGHT - top)
        ]
        picture = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p")
        time_s = 1_700_000_000 + index / 12.5
        made.append(
            DecodedFrame(
                index=index,
                pts_s=index / 12.5,
                time_s=time_s,
                frame=picture,
                width=WIDTH,
                height=HEIGHT,
                key_frame=True,
                rotation=0,
            )
        )
    return made


def run(archive: FolderArchive | None, recognition: RecognitionConfig) -> list[FactEnvelope]:
    spec = TaskSpec(
        ref=TASK, scene=SCENE, analysed_fps=0, rtsp_transport="tcp", loop=False, start_time_s=None, enabled=True, revision="1"
    )
    desk = InlineDesk(RecognitionServices(connect_plates=OnePlate), recognition)  # type: ignore[arg-type]
    config = PipelineConfig(recognition=recognition)
    pipeline = CameraPipeline(spec, KnowingDetector(), archive, config, life="test", desk=desk)  # type: ignore[arg-type]
    found: list[FactEnvelope] = []
    for item in frames():
        pipeline.begin(item)
        found += pipeline.finish().envelopes
    return [*found, *pipeline.end()]


def test_a_passage_has_its_plate_and_the_plates_picture(tmp_path: Path) -> None:
    (envelope,) = run(FolderArchive(tmp_path), RecognitionConfig())
    assert isinstance(envelope.fact, VehiclePassage)
    assert (envelope.looks.plate_num, envelope.looks.plate_color) == ("京A12345", 1)
    assert "/7/plate/small/7_plate_small_" in envelope.plate_picture
    stored = cv2.imread(str(tmp_path / envelope.plate_picture))
    assert stored is not None
    assert 1.5 < stored.shape[1] / stored.shape[0] < 5
    assert (tmp_path / envelope.small_picture).is_file()


def test_the_same_recording_gives_the_same_looks() -> None:
    first, second = run(None, RecognitionConfig()), run(None, RecognitionConfig())
    assert [(item.fact_id, item.looks) for item in first] == [(item.fact_id, item.looks) for item in second]


def test_a_passage_at_the_end_of_a_recording_is_not_lost() -> None:
    (envelope,) = run(None, RecognitionConfig(linger_s=1e6))
    assert envelope.looks.plate_num == "京A12345"


@pytest.mark.parametrize("limit", [0.95])
def test_a_plate_below_the_setting_is_empty(limit: float, tmp_path: Path) -> None:
    (envelope,) = run(FolderArchive(tmp_path), RecognitionConfig(plate_min_confidence=limit))
    assert (envelope.looks.plate_num, envelope.plate_picture) == ("", "")
