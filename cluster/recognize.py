"""``wayside recognize``: everything the networks find in still pictures, as JSON, and drawn."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from actors.decoding import cut_vehicle, letterbox
from models.handles import AttributesClient, DetectorClient, PlateRead, PlateReaderClient, VehicleContext, WeatherClient
from traffic.facts import Heading
from traffic.types import Box, ObjectClass
from traffic.vehicle_codes import VEHICLE_COLOR_NAMES, VEHICLE_TYPE_NAMES, WEATHER_NAMES, VehicleColor, VehicleType, Weather
from traffic.weather import KINDS, WeatherEstimator

Image = NDArray[np.uint8]
MIN_SCORE = 0.35  # of a detection
CROP_MARGIN, CROP_MAX_PX, WEATHER_PX = 0.06, 720, 320
_TIMEOUT_S = 120.0
_PLATE_COLOR_NAMES = ("未知", "蓝牌", "黄牌", "白牌", "小型新能源绿牌", "大型新能源绿牌", "黑牌", "绿牌")
# Where systems keep a font with Chinese characters; the first that exists is used.
_FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/System/Library/Fonts/PingFang.ttc",
    "C:/Windows/Fonts/msyh.ttc",
)
_PEN = (0, 220, 90)


class PictureError(Exception):
    """A file that is no picture we can read."""


@dataclass(frozen=True, kw_only=True)
class Networks:
    """The networks, each as a camera sees it; None: that part is left out."""

    detector: DetectorClient
    plates: PlateReaderClient | None = None
    attributes: AttributesClient | None = None
    weather: WeatherClient | None = None


def read_picture(path: Path) -> Image:
    """The picture upright, uint8 (h, w, 3) RGB.

    Raises:
        PictureError: no such file, or not a picture (JPEG, PNG, BMP, WebP, TIFF…).
    """
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise PictureError(f"{path}: cannot be read ({error.strerror or error})") from error
    stored = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) else None
    if stored is None or min(stored.shape[:2]) < 2:
        raise PictureError(f"{path}: not a picture; JPEG, PNG, BMP, WebP and TIFF are read")
    return np.ascontiguousarray(stored[..., ::-1])


def recognize(image: Image, networks: Networks) -> dict[str, Any]:
    """Everything found in one picture, uint8 (h, w, 3) RGB, as a JSON object (docs/attributes.md)."""
    height, width = image.shape[:2]
    plates = list(networks.plates.submit([image]).result(_TIMEOUT_S)[0]) if networks.plates else []
    objects = [_object(image, box, score, kind, networks) for box, score, kind in _detect(image, networks.detector)]
    for plate in plates:
        owner = _owner(plate, objects)
        if owner is not None and plate.confidence > owner.get("plateConfidence", 0.0):
            owner.update(plateNum=plate.text, plateColor=plate.color, plateConfidence=round(plate.confidence, 3))
    found: dict[str, Any] = {"width": width, "height": height, "objects": objects, "plates": [_plate(item) for item in plates]}
    if networks.weather:
        found.update(_weather(image, networks.weather))
    return found


def _detect(image: Image, detector: DetectorClient) -> list[tuple[Box, float, ObjectClass]]:
    frame = av.VideoFrame.from_ndarray(image, format="rgb24")
    fit = detector.input_fit
    small, transform = letterbox(
        frame, detector.input_size, None, max_stretch=fit.max_stretch, max_enlargement=fit.max_enlargement
    )
    found = detector.submit(small).result(_TIMEOUT_S)
    boxes = np.asarray(transform.to_frame(found.boxes), np.float64).reshape(-1, 4)
    limits = (image.shape[1], image.shape[0]) * 2
    return [
        ((float(box[0]), float(box[1]), float(box[2]), float(box[3])), float(score), ObjectClass(int(kind)))
        for box, score, kind in zip(np.clip(boxes, 0, limits), found.scores, found.classes, strict=True)
        if score >= MIN_SCORE
    ]


def _object(image: Image, box: Box, score: float, kind: ObjectClass, networks: Networks) -> dict[str, Any]:
    item: dict[str, Any] = {"class": kind.name.lower(), "score": round(score, 3), "box": [round(value, 1) for value in box]}
    if networks.attributes and kind.is_vehicle:
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        crop = cut_vehicle(frame, box, margin=CROP_MARGIN, max_px=CROP_MAX_PX).rgb()
        looks = networks.attributes.submit([crop], VehicleContext(object_class=kind, heading=Heading.FRONT)).result(_TIMEOUT_S)
        item.update(
            vehicleType=looks.vehicle_type,
            vehicleTypeName=VEHICLE_TYPE_NAMES[VehicleType(looks.vehicle_type)],
            vehicleTypeConfidence=round(looks.vehicle_type_confidence, 3),
            vehicleColor=looks.vehicle_color,
            vehicleColorName=VEHICLE_COLOR_NAMES[VehicleColor(looks.vehicle_color)],
            vehicleColorConfidence=round(looks.vehicle_color_confidence, 3),
        )
    return item


def _owner(plate: PlateRead, objects: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The smallest vehicle whose box holds the plate's centre."""
    x, y = plate.corners.mean(axis=0)
    holding = [
        item
        for item in objects
        if ObjectClass[item["class"].upper()].is_vehicle
        and item["box"][0] <= x <= item["box"][2]
        and item["box"][1] <= y <= item["box"][3]
    ]
    return min(holding, key=lambda item: (item["box"][2] - item["box"][0]) * (item["box"][3] - item["box"][1]), default=None)


def _plate(plate: PlateRead) -> dict[str, Any]:
    return {
        "plateNum": plate.text,
        "plateColor": plate.color,
        "plateColorName": _PLATE_COLOR_NAMES[plate.color],
        "confidence": round(plate.confidence, 3),
        "corners": [[round(float(x), 1), round(float(y), 1)] for x, y in plate.corners],
    }


def _weather(image: Image, client: WeatherClient) -> dict[str, Any]:
    scale = min(1.0, WEATHER_PX / max(image.shape[:2]))
    size = (max(2, round(image.shape[1] * scale)), max(2, round(image.shape[0] * scale)))
    shares = client.submit(np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)).result(_TIMEOUT_S)
    code = WeatherEstimator().update(0.0, shares)
    return {
        "weather": int(code),
        "weatherName": WEATHER_NAMES[Weather(code)],
        "weatherShares": {WEATHER_NAMES[kind]: round(float(share), 3) for kind, share in zip(KINDS, shares, strict=True)},
    }


def font_of(size_px: int, paths: tuple[str, ...] = _FONTS) -> tuple[Any, bool]:
    """A font, and whether it can write Chinese."""
    for path in paths:
        if Path(path).is_file():
            try:
                return ImageFont.truetype(path, size_px), True
            except OSError:  # a file of that name that is no font
                continue
    return ImageFont.load_default(size_px), False


def drawn(image: Image, found: dict[str, Any], font: Callable[[int], tuple[Any, bool]] = font_of) -> Image:
    """The picture with boxes, plates and what was read of them, uint8 (h, w, 3) RGB. Without a Chinese font codes stand for names
    and unwritable characters become "?"."""
    size = max(12, round(image.shape[1] / 70))
    letters, chinese = font(size)
    canvas = Pillow.fromarray(image)
    pen = ImageDraw.Draw(canvas)
    line = max(1, size // 8)

    def write(x: float, y: float, text: str) -> None:
        text = text if chinese else text.encode("ascii", "replace").decode()
        left, top, right, bottom = pen.textbbox((max(0.0, x), max(0.0, y)), text, font=letters)
        pen.rectangle((left - 2, top - 1, right + 2, bottom + 1), fill=(0, 0, 0))
        pen.text((max(0.0, x), max(0.0, y)), text, font=letters, fill=_PEN)

    for plate in found["plates"]:
        corners = [tuple(point) for point in plate["corners"]]
        pen.line([*corners, corners[0]], fill=(255, 60, 60), width=line)
    for item in found["objects"]:
        x1, y1, x2, y2 = item["box"]
        pen.rectangle((x1, y1, x2, y2), outline=_PEN, width=line)
        words = [item["class"]]
        if "vehicleType" in item:
            words += [item["vehicleColorName"], item["vehicleTypeName"]] if chinese else [
                f"c{item['vehicleColor']}", f"t{item['vehicleType']}"
            ]  # fmt: skip
        words += [item["plateNum"]] if item.get("plateNum") else []
        write(x1, y1 - size * 1.35, " ".join(words))
    if "weather" in found:
        write(4, 4, f"天气 {found['weatherName']}" if chinese else f"weather {found['weather']}")
    return np.asarray(canvas, np.uint8)
