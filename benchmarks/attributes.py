"""How good type, colour and weather are, and what they cost: ``python -m benchmarks.attributes [--types DIR] [--weather DIR]…``.

Types: a folder per kind (``bike``, ``bus``, ``car``, ``juggernaut``, ``minibus``, ``pickup``, ``truck``…) with pictures of single
vehicles. Weather: a folder per kind (``shine``, ``sunny``, ``cloudy``, ``fog``, ``rain``, ``snow``…). Any folder of these forms
will do.
Colours and types of the clips: labels in ``benchmarks/data/vehicle_labels.jsonl`` (clip, frame, box), made by eye; the half named
``tune`` was used for choices, the half named ``final`` only for the figure.
"""

import argparse
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from cluster.recognize import CROP_MARGIN, CROP_MAX_PX, WEATHER_PX
from models.attributes.reader import AttributeReader, load_attribute_reader
from models.detector import Detector
from models.handles import VehicleContext
from models.store import WeightsStore
from traffic.facts import Heading
from traffic.types import ObjectClass
from traffic.vehicle_codes import VEHICLE_COLOR_NAMES, VEHICLE_TYPE_NAMES, VehicleColor, VehicleType, Weather
from traffic.weather import WeatherEstimator

Image = NDArray[np.uint8]
LABELS = Path(__file__).parent / "data" / "vehicle_labels.jsonl"
# What a folder's name means: the codes that are right, and those that are right but coarse.
TYPES: dict[str, frozenset[int]] = {
    "bike": frozenset({0}),
    "motorcycle": frozenset({0}),
    "car": frozenset({1, 2, 3}),
    "suv": frozenset({2}),
    "van": frozenset({5, 6}),
    "minibus": frozenset({5, 6, 26, 27}),
    "pickup": frozenset({8}),
    "bus": frozenset({6, 7, 9}),
    "truck": frozenset({10, 11, 12, 13, 18}),
    "juggernaut": frozenset({12, 13, 14, 15, 16, 18}),
}
LABELLED_TYPES: dict[int, tuple[str, frozenset[int]]] = {
    1: ("car", frozenset({1})),
    2: ("SUV", frozenset({2})),
    3: ("MPV", frozenset({3})),
    5: ("van", frozenset({5, 6})),
    8: ("pickup", frozenset({8})),
    9: ("bus", frozenset({7, 9})),
    12: ("truck", frozenset({10, 11, 12, 13, 14, 15, 16, 18})),
}
WEATHER: dict[str, frozenset[int]] = {
    "shine": frozenset({1}),
    "sunny": frozenset({1}),
    "sunrise": frozenset({1}),
    "cloudy": frozenset({0, 1}),
    "fog": frozenset({2}),
    "foggy": frozenset({2}),
    "rain": frozenset({3}),
    "rainy": frozenset({3}),
    "snow": frozenset({4}),
    "snowy": frozenset({4}),
}
# Clips whose weather the manifest names; at night anything but fog, rain and snow is right.
CLIPS: tuple[tuple[str, frozenset[int], str], ...] = (
    ("it_autostrade_foreste.mp4", frozenset({2}), "fog, dusk"),
    ("rain_intersection_wrongturn_3s.mp4", frozenset({3}), "rain"),
    ("accident_snow_intersection_1080p.mp4", frozenset({4}), "snow on the ground, evening"),
    ("it_autostrade_milanoest.mp4", frozenset({1}), "sun glare (trained on)"),
    ("ahmetozlu_two-lane-street.mp4", frozenset({1}), "sun (trained on)"),
    ("bangkok_signal_30s.mp4", frozenset({1}), "sun"),
    ("highway_istanbul_720p10s.mp4", frozenset({1}), "dry"),
    ("motorway_both_directions_720p30s.mp4", frozenset({1}), "sun, low"),
    ("uk_motorway_exit_720p.mp4", frozenset({1}), "sun"),
    ("cn_guangzhou_brt_4s.mp4", frozenset({0, 1}), "dry, hazy"),
    ("intersection_timestamped.mp4", frozenset({1}), "dry"),
    ("vn_wrongway_bicycle_screenrec.mp4", frozenset({0, 1}), "overcast"),
    ("jam_elevated_expressway.webm", frozenset({1}), "sun"),
    ("crosswalk_pedestrians.mp4", frozenset({0, 1}), "dusk"),
    ("tfl_jamcam/625_201708101101.mp4", frozenset({1}), "dry"),
    ("tfl_jamcam/625_201709211436.mp4", frozenset({1}), "dry, overcast"),
    ("tfl_jamcam/625_201709280946.mp4", frozenset({0, 1}), "overcast"),
    ("tfl_jamcam/815_201707211414.mp4", frozenset({0, 1}), "overcast"),
    ("tfl_jamcam/625_201709042126.mp4", frozenset({0, 1}), "night, lamps"),
)


def pictures(folder: Path) -> Iterator[tuple[str, int, Image]]:
    """(kind, number in its folder, picture) of a folder of folders, in order of name."""
    for kind in sorted(item for item in folder.iterdir() if item.is_dir()):
        for index, path in enumerate(sorted(kind.iterdir())):
            stored = cv2.imread(str(path), cv2.IMREAD_COLOR)
            if stored is not None:
                yield kind.name, index, np.ascontiguousarray(stored[..., ::-1])


def class_of(picture: Image, detector: Detector) -> ObjectClass | None:
    """What the detector calls a vehicle that fills its picture; None: nothing found."""
    width, height = detector.input_size
    inner = 0.7 * min(width, height)
    scale = inner / max(picture.shape[:2])
    small = cv2.resize(picture, (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))))
    canvas = np.empty((height, width, 3), np.uint8)
    canvas[:] = np.median(small.reshape(-1, 3), axis=0)
    top, left = (height - small.shape[0]) // 2, (width - small.shape[1]) // 2
    canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
    found = detector.detect([canvas])[0]
    scores = {ObjectClass(int(kind)): float(score) for kind, score in sorted(zip(found.classes, found.scores, strict=True))}
    vehicles = {kind: score for kind, score in scores.items() if kind is not ObjectClass.PERSON}
    return max(vehicles, key=lambda kind: vehicles[kind]) if vehicles else None


def types(folder: Path, reader: AttributeReader, detector: Detector) -> None:
    """Confusion table of a folder of vehicles."""
    table: dict[str, Counter[int]] = {}
    for kind, _, picture in pictures(folder):
        # A picture in which the detector names nothing is read as a car, the commonest; a camera would have no track.
        object_class = class_of(picture, detector) or ObjectClass.CAR
        looks = reader.read([([picture], VehicleContext(object_class=object_class, heading=Heading.FRONT))])[0]
        table.setdefault(kind, Counter())[looks.vehicle_type] += 1
    print(f"\n## types, {folder}\n")
    _confusion(table, TYPES, lambda code: VEHICLE_TYPE_NAMES[VehicleType(code)])


def labelled_crops(data: Path, labels: Path = LABELS) -> Iterator[tuple[dict[str, Any], Image]]:
    """Every label with its crop, cut out of the clip as a camera would; clips that are not here are left out."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for line in labels.read_text().splitlines():
        row = json.loads(line)
        rows.setdefault(row["clip"], []).append(row)
    from actors.decoding import cut_vehicle

    for clip, wanted in rows.items():
        path = next((p for p in (data / "video" / clip, data / "video" / "tfl_jamcam" / clip) if p.is_file()), None)
        if path is None:
            continue
        last = max(row["frame"] for row in wanted)
        with av.open(str(path)) as container:
            for index, frame in enumerate(container.decode(video=0)):
                for row in wanted:
                    if row["frame"] == index:
                        box = tuple(row["box"])
                        yield row, cut_vehicle(frame, box, margin=CROP_MARGIN, max_px=CROP_MAX_PX).rgb()
                if index >= last:
                    break


def clips(data: Path, reader: AttributeReader, reference: Path | None) -> None:
    """Agreement with the labels: colours and types."""
    other = _Reference(reference) if reference else None
    rows, looks, theirs = [], [], []
    for row, crop in labelled_crops(data):
        context = VehicleContext(object_class=ObjectClass[row["class"].upper()], heading=Heading.FRONT)
        rows.append(row)
        looks.append(reader.read([([crop], context)])[0])
        theirs.append(other.color(crop) if other else 0)
    for half in ("tune", "final"):
        chosen = [index for index, row in enumerate(rows) if row["half"] == half]
        table: dict[str, Counter[int]] = {}
        right = stated = reference_right = 0
        colored = [index for index in chosen if rows[index]["color"]]
        for index in colored:
            row, code = rows[index], looks[index].vehicle_color
            table.setdefault(str(row["color"]), Counter())[code] += 1
            right += code in (row["color"], row["other"])
            stated += code != VehicleColor.UNKNOWN
            reference_right += theirs[index] in (row["color"], row["other"])
        print(f"\n## colours, labels of the clips, half {half}: {len(colored)} crops\n")
        _confusion(table, {name: frozenset({int(name)}) for name in table}, lambda code: VEHICLE_COLOR_NAMES[VehicleColor(code)])
        print(f"\nagreement {right / max(len(colored), 1):.3f}; stated {stated / max(len(colored), 1):.3f}, "
              f"right of the stated {right / max(stated, 1):.3f}")  # fmt: skip
        if other:
            print(f"reference network (7 colours): agreement {reference_right / max(len(colored), 1):.3f}")
        typed: dict[str, Counter[int]] = {}
        for index in chosen:
            if rows[index]["type"]:
                typed.setdefault(LABELLED_TYPES[rows[index]["type"]][0], Counter())[looks[index].vehicle_type] += 1
        print(f"\n## types, labels of the clips, half {half}\n")
        _confusion(typed, dict(LABELLED_TYPES.values()), lambda code: VEHICLE_TYPE_NAMES[VehicleType(code)])


class _Reference:
    """The attribute network of the Open Model Zoo (reference only)."""

    _CODES = (1, 2, 3, 5, 7, 8, 10)  # white, gray, yellow, red, green, blue, black

    def __init__(self, path: Path) -> None:
        import openvino as ov

        core = ov.Core()
        self._model = core.compile_model(core.read_model(str(path)), "CPU", {"INFERENCE_NUM_THREADS": 1})

    def color(self, crop: Image) -> int:
        """Protocol code of the best of its seven colours."""
        pixels = cv2.resize(crop[..., ::-1], (72, 72)).transpose(2, 0, 1)[None].astype(np.float32)
        answer = next(value for value in self._model({0: pixels}).values() if value.size == len(self._CODES))
        return self._CODES[int(answer.argmax())]


def weather_folder(folder: Path, reader: AttributeReader) -> None:
    """Table of a folder of pictures; of ``shine``, ``cloudy`` and ``rain`` every second one was trained on."""
    tables: dict[str, dict[str, Counter[int]]] = {"trained on": {}, "not seen": {}}
    for kind, index, picture in pictures(folder):
        code = WeatherEstimator().update(0.0, reader.weather([_small(picture)])[0])
        trained = kind in ("shine", "cloudy", "rain") and index % 2 == 0 and folder.name == "weather"
        tables["trained on" if trained else "not seen"].setdefault(kind, Counter())[int(code)] += 1
    for name, table in tables.items():
        if table:
            print(f"\n## weather, {folder}, {name}\n")
            _confusion(table, WEATHER, lambda code: Weather(code).name.lower())


def weather_clips(data: Path, reader: AttributeReader) -> None:
    """The weather of clips as a camera states it at their end, and the mean shares."""
    print("\n## weather of clips\n\n| Clip | Is | Stated | Shares sunny, fog, rain, snow | |\n|---|---|---|---|---|")
    for name, right, description in CLIPS:
        path = data / "video" / name
        if not path.is_file():
            continue
        estimator, asked = WeatherEstimator(), -np.inf
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                if frame.time is not None and frame.time - asked >= 10.0:
                    asked = frame.time
                    estimator.update(frame.time, reader.weather([_small(frame.to_ndarray(format="rgb24"))])[0])
        shares = ", ".join(f"{share:.2f}" for share in estimator.shares)
        verdict = "" if int(estimator.code) in right else "wrong"
        print(f"| {name} | {description} | {estimator.code.name.lower()} | {shares} | {verdict} |")


def latency(data: Path, reader: AttributeReader) -> None:
    """Time per vehicle and per picture, one thread."""
    crops = [crop for _, crop in zip(range(24), (item[1] for item in labelled_crops(data)), strict=False)]
    context = VehicleContext(object_class=ObjectClass.CAR, heading=Heading.FRONT)
    print(f"\n## cost, engine {reader.engine_name}, one thread\n")

    def timed(what: str, count: int, run: Callable[[], object]) -> None:
        run()
        times = []
        for _ in range(7):
            start = time.perf_counter()
            run()
            times.append((time.perf_counter() - start) / count * 1e3)
        print(f"{what}: {np.median(times):.1f} ms (fastest {min(times):.1f})")

    def colors_only() -> object:
        return reader._network.run(crops)

    def one_crop() -> object:
        return [reader.read([([crop], context)]) for crop in crops[:8]]

    def batched() -> object:
        return reader.read([([crop], context) for crop in crops[:8]])

    def three_crops() -> object:
        return [reader.read([(crops[at : at + 3], context)]) for at in range(0, 24, 3)]

    timed("colour network, per crop", len(crops), colors_only)
    timed("vehicle of one crop", 8, one_crop)
    timed("vehicle of one crop, batches of eight", 8, batched)
    timed("vehicle of three crops (two of them through the backbone)", 8, three_crops)
    timed("weather picture", 8, lambda: [reader.weather([_small(crop)]) for crop in crops[:8]])


def _small(picture: Image) -> Image:
    scale = min(1.0, WEATHER_PX / max(picture.shape[:2]))
    size = (max(2, round(picture.shape[1] * scale)), max(2, round(picture.shape[0] * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _confusion(table: dict[str, Counter[int]], right: dict[str, frozenset[int]], name: Callable[[int], str]) -> None:
    codes = sorted({code for row in table.values() for code in row})
    print("| is | " + " | ".join(f"{code} {name(code)}" for code in codes) + " | right |\n|" + "---|" * (len(codes) + 2))
    shares: list[float] = []
    for kind in sorted(table, key=lambda key: (len(key), key)):
        row, total = table[kind], sum(table[kind].values())
        if kind in right:
            shares.append(sum(row[code] for code in right[kind]) / total)
        verdict = f"{shares[-1]:.2f}" if kind in right else ""
        print(f"| {kind} | " + " | ".join(str(row[code] or "") for code in codes) + f" | {verdict} |")
    print(f"\nmean over the kinds {np.mean(shares) if shares else float('nan'):.3f}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is asked for; without arguments everything on the data of WAYSIDE_TEST_DATA."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("WAYSIDE_TEST_DATA", "../shared/data")))
    parser.add_argument("--types", type=Path, help="folder of folders of vehicles")
    parser.add_argument("--weather", type=Path, help="folder of folders of scenes")
    parser.add_argument("--reference", type=Path, help="vehicle-attributes-recognition-barrier-0039.xml, to compare colours with")
    parser.add_argument("--models", type=Path, default=Path("~/.cache/wayside/models").expanduser())
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--only", choices=("types", "clips", "weather", "latency"), action="append")
    given = parser.parse_args(arguments)
    wanted = given.only or ["types", "clips", "weather", "latency"]
    store = WeightsStore(given.models)
    reader = load_attribute_reader(store, engine=given.engine)
    if "types" in wanted:
        types(given.types or given.data / "images" / "vehicle_type", reader, Detector("picodet-s", store, input_size=(224, 224)))
    if "clips" in wanted:
        clips(given.data, reader, given.reference)
    if "weather" in wanted:
        weather_folder(given.weather or given.data / "images" / "weather", reader)
        weather_clips(given.data, reader)
    if "latency" in wanted:
        latency(given.data, reader)


if __name__ == "__main__":
    main()
