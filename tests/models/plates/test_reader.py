"""The reader with its real weights on plates that the simulated camera draws; and its parts when something is wrong."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from actors.simulation.plates import plate_picture
from models.errors import EngineUnavailableError, ModelFormatError, UnknownModelError, WeightsCorruptError, WeightsMissingError
from models.plates.grammar import BLUE, CHINA, YELLOW
from models.plates.network import cuda_card
from models.plates.reader import PlateReader
from models.plates.readers import ReaderInput, TextReader
from models.plates.systems import SYSTEMS, catalogue_names, find_system, load_plate_reader, read_system
from models.store import WeightsStore


@pytest.fixture(scope="session")
def reader(weights_store: WeightsStore) -> PlateReader:
    system = SYSTEMS["cn"]
    for name in catalogue_names(system):
        if weights_store.status(name) != "ready":
            pytest.skip(f"weights of {name} are not here: wayside models pull")
    return load_plate_reader(system, weights_store, engine="onnxruntime", device="cpu")


def street(*plates: tuple[str, str, int, int, int]) -> np.ndarray:
    """A grey picture with dark cars and plates (text, colour, x, y, width)."""
    picture = np.full((360, 640, 3), 120, np.uint8)
    for text, colour, x, y, width in plates:
        plate = plate_picture(text, colour)
        height = round(width * plate.shape[0] / plate.shape[1])
        picture[y - 2 * height : y + 2 * height, x - width : x + 2 * width] = (60, 62, 66)
        picture[y : y + height, x : x + width] = cv2.resize(plate, (width, height), interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(picture, (3, 3), 0.6)


def test_plates_in_a_street_are_found_and_read(reader: PlateReader) -> None:
    picture = street(("京B12345", "blue", 100, 120, 90), ("沪A5678C", "yellow", 400, 250, 110))
    found = {read.text: read for read in reader.read([picture])[0]}
    assert set(found) == {"京B12345", "沪A5678C"}
    assert (found["京B12345"].color, found["沪A5678C"].color) == (BLUE, YELLOW)
    read = found["京B12345"]
    assert read.corners.shape == (4, 2)
    assert read.corners.dtype == np.float32
    assert np.abs(read.corners - [[100, 120], [190, 120], [190, 149], [100, 149]]).max() < 8
    assert len(read.characters) == 7
    assert 0.5 < read.confidence <= 1


def test_a_batch_answers_each_picture_by_itself(reader: PlateReader) -> None:
    pictures = [
        street(("京B12345", "blue", 100, 120, 90)),
        np.full((200, 300, 3), 90, np.uint8),
        street(("苏E67890", "blue", 300, 200, 80)),
    ]
    assert [[read.text for read in plates] for plates in reader.read(pictures)] == [["京B12345"], [], ["苏E67890"]]
    assert reader.read([]) == []


def test_reading_is_the_same_every_time(reader: PlateReader) -> None:
    picture = street(("浙C24680", "blue", 200, 150, 70))
    first, second = (reader.read([picture])[0][0] for _ in range(2))
    assert (first.text, first.confidence, first.corners.tolist()) == (second.text, second.confidence, second.corners.tolist())


def test_the_second_reader_is_asked_only_where_the_first_may_err(reader: PlateReader, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    second = reader._readers[1]
    whole = second.read

    def watched(plates: list[np.ndarray]) -> list:
        asked.append(len(plates))
        return whole(plates)

    monkeypatch.setattr(second, "read", watched)
    assert reader.read([street(("京B12345", "blue", 300, 200, 120))])[0][0].text == "京B12345"
    assert sum(asked) == 0
    assert reader.read([street(("京B12345", "yellow", 300, 200, 120))])[0][0].text == "京B12345"  # yellow ones may end with 学
    assert sum(asked) >= 1


def test_a_cut_out_plate_is_read_without_looking_for_it(reader: PlateReader) -> None:
    read = reader.read_plates([cv2.resize(plate_picture("津A13579", "blue"), (94, 24), interpolation=cv2.INTER_AREA)])[0]
    assert read is not None
    assert read.text == "津A13579"


def test_two_rows_are_read(reader: PlateReader) -> None:
    flat = plate_picture("京A12345", "yellow")
    top, bottom = flat[:, 6:52], flat[:, 54:-4]
    plate = np.full((104, 200, 3), flat[4, 30], np.uint8)
    plate[6:40, 52:148] = cv2.resize(top, (96, 34))
    plate[42:100, 8:192] = cv2.resize(bottom, (184, 58))
    read = reader.read_plates([plate])[0]
    assert read is not None
    assert (read.text, read.color) == ("京A12345", YELLOW)


def test_missing_and_damaged_weights_say_what_to_do(tmp_path: Path) -> None:
    store = WeightsStore(tmp_path)
    with pytest.raises(WeightsMissingError, match="wayside models pull clp-plate-detector"):
        load_plate_reader(SYSTEMS["cn"], store)
    target = store.path("clp-plate-detector", "detector.onnx")
    target.parent.mkdir(parents=True)
    target.write_bytes(b"not a network")
    with pytest.raises(WeightsCorruptError, match="damaged"):
        load_plate_reader(SYSTEMS["cn"], store)


def test_a_plate_model_is_no_detector_of_vehicles(tmp_path: Path) -> None:
    from models.detector import Detector

    with pytest.raises(UnknownModelError, match="picodet-s"):
        Detector("ppocr-v6-small", WeightsStore(tmp_path))


def test_cuda_without_its_provider_is_a_clear_error() -> None:
    assert cuda_card("cpu") is None
    with pytest.raises(EngineUnavailableError, match="unknown device"):
        cuda_card("tpu")
    with pytest.raises(EngineUnavailableError, match="onnxruntime-gpu"):
        cuda_card("cuda")


class FakeNetwork:
    """Says one class per step."""

    engine_name = "fake"

    def __init__(self, classes: list[int], count: int) -> None:
        self._classes, self._count = classes, count

    def run(self, batch: np.ndarray) -> list[np.ndarray]:
        steps = np.zeros((len(batch), len(self._classes), self._count), np.float32)
        for step, item in enumerate(self._classes):
            steps[:, step, item] = 1
        return [steps]


def test_aliases_separators_and_strange_characters_of_a_reader() -> None:
    characters = ["O", "·", "魑", "皖", "A"]
    fake = FakeNetwork([4, 2, 5, 3, 1], 7)
    reading = TextReader(fake, characters, ReaderInput(height=8, width=24, padded_width=24), CHINA).read(
        [np.zeros((8, 24, 3), np.uint8)]
    )[0]  # type: ignore[arg-type]
    said = reading.probabilities.argmax(axis=1).tolist()
    assert said[:3] == [1 + CHINA.index["皖"], 0, 1 + CHINA.index["A"]]  # the dot is a blank
    assert said[4] == 1 + CHINA.index["0"]  # O is said, 0 is meant
    assert reading.probabilities.min() > 0


def test_a_reader_that_never_learned_a_character_leaves_it_possible() -> None:
    shape = ReaderInput(height=8, width=24, padded_width=24, unlearned="学")
    reading = TextReader(FakeNetwork([1, 0], 2), ["9"], shape, CHINA).read([np.zeros((8, 24, 3), np.uint8)])[0]  # type: ignore[arg-type]
    learner = reading.probabilities[:, 1 + CHINA.index["学"]]
    assert learner[0] > 0.05 > 0.001 > learner[1]


def system_file(folder: Path, **changes: object) -> Path:
    document = {
        "name": "xx",
        "alphabet": "ABC123",
        "signs": {"L": "ABC", "D": "123"},
        "forms": [{"pattern": "LLDDD", "colors": {"3": 0}}],
        "readers": [{"model": "mine.onnx", "characters": "mine.txt", "height": 32, "width": 100, "padded_width": 100}],
    }
    path = folder / "xx.json"
    path.write_text(json.dumps(document | changes), encoding="utf-8")
    return path


def test_a_country_can_be_added_by_a_file(tmp_path: Path) -> None:
    system = find_system(str(system_file(tmp_path)))
    assert [form.pattern for form in system.grammar.forms_of("AB123")] == ["LLDDD"]
    assert system.readers[0].model == str(tmp_path / "mine.onnx")
    assert catalogue_names(system) == ("clp-plate-detector",)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"alphabet": "ABC12"}, "'3'"),
        ({"forms": []}, "must not be empty"),
        ({"readers": [{"model": "m.onnx", "height": 1, "width": 1, "padded_width": 1, "colour": 1}]}, "unknown colour"),
        ({"readers": [{"height": 1}]}, "'model' is missing"),
    ],
)
def test_a_wrong_file_says_what_is_wrong(tmp_path: Path, changes: dict, message: str) -> None:
    with pytest.raises(ModelFormatError, match=message):
        read_system(system_file(tmp_path, **changes))


def test_an_unknown_system_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UnknownModelError, match="cn"):
        find_system("atlantis")
    with pytest.raises(ModelFormatError, match="no such file"):
        find_system(str(tmp_path / "none.json"))
