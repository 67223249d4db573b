"""Rendered vehicles as crops of a traffic camera would show them: any view, light, haze, blur and compression."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from actors.simulation.camera_model import CameraModel
from actors.simulation.looks import Look
from actors.simulation.shading import render
from benchmarks.training.vehicles import TrainingVehicle, random_vehicle

Image = NDArray[np.uint8]
Rng = np.random.Generator
MARGIN = 0.15  # of the box on each side, more than a camera's: training trims it at random


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingCrop:
    """``image`` uint8 (h, w, 3) RGB of a vehicle with a margin around its box; ``color`` 0 where two paints compete."""

    image: Image
    form: str
    color: int


def random_look(rng: Rng) -> Look:
    """Sun, sky and air of a day: from hard sun to overcast, dusk and haze."""
    overcast = rng.uniform() < 0.4
    azimuth, elevation = rng.uniform(0, 2 * np.pi), np.radians(rng.uniform(12, 75))
    sun = (float(np.cos(azimuth) * np.cos(elevation)), float(np.sin(azimuth) * np.cos(elevation)), float(np.sin(elevation)))
    direct = rng.uniform(0, 0.3) if overcast else rng.uniform(0.7, 1.2)
    warm = rng.uniform(0, 0.35)
    grey = 0.3 if overcast else rng.uniform(0, 0.25)
    level = rng.uniform(0.55, 0.85) if overcast else rng.uniform(0.35, 0.6)
    haze = rng.uniform(0.55, 0.85)
    return Look(
        sun=sun,
        sun_colour=(direct, direct * (1 - 0.5 * warm), direct * (1 - warm)),
        sky=(level * (0.85 + grey * 0.5), level * 0.96, level * (1.14 - grey * 0.5)),
        ground=(0.2, 0.2, 0.19),
        shadow=0.4,
        exposure=float(rng.uniform(0.75, 1.6)),
        haze=(haze, haze, haze * 1.02),
        haze_m=float(rng.choice([200.0, 500.0, 1000.0, 2000.0])),
        lamps=0.0,
        road=(1.0, 1.0, 1.0),
    )


def _ground_tone(rng: Rng, look: Look) -> NDArray[np.float32]:
    """Display RGB 0..255 of a road under the same light and tone curve as the vehicle: how bright a paint is beside the road
    tells white from grey from black. Asphalt reflects 6 to 28 %, concrete more, snow most of the light."""
    albedo = rng.uniform(0.06, 0.28) if rng.uniform() < 0.9 else rng.uniform(0.28, 0.8)
    light = np.array(look.sun_colour) * max(look.sun[2], 0.0) + np.array(look.sky)
    linear = albedo * light * rng.normal(1, 0.03, 3)
    tone = (1 - np.exp(-linear * look.exposure * 1.15)).clip(0, 1) ** (1 / 2.2)
    return np.asarray(tone * 255, np.float32)


def _background(h: int, w: int, rng: Rng, look: Look) -> NDArray[np.float32]:
    """A road-like ground: tint, slow variation, grain, lane lines, sometimes a verge."""
    base = _ground_tone(rng, look)
    ground = np.ones((h, w, 3), np.float32) * base
    slow = cv2.resize(rng.normal(1, 0.08, (4, 4)).astype(np.float32), (w, h), interpolation=cv2.INTER_CUBIC)
    grain = cv2.GaussianBlur(rng.normal(0, 1, (h, w)).astype(np.float32), (0, 0), 1.0) * rng.uniform(2, 14)
    ground = ground * slow[..., None] + grain[..., None]
    for _ in range(int(rng.integers(0, 4))):
        shade = float(rng.choice([220.0, 235.0, 40.0, 190.0]))
        colour = (shade, shade, shade) if rng.uniform() < 0.8 else (shade, shade * 0.8, shade * 0.2)
        start = (int(rng.uniform(0, w)), int(rng.uniform(0, h)))
        end = (int(rng.uniform(-w, 2 * w)), int(rng.uniform(-h, 2 * h)))
        cv2.line(ground, start, end, colour, max(1, int(rng.uniform(0.01, 0.06) * w)), cv2.LINE_AA)
    if rng.uniform() < 0.25:  # a verge, a kerb or a wall
        polygon = np.array([(rng.uniform(-w, 2 * w), rng.uniform(-h, 2 * h)) for _ in range(4)], np.int32)
        tone = rng.uniform(30, 200) * np.array([(0.8, 1, 0.5), (1, 0.9, 0.75), (1, 1, 1), (1, 0.75, 0.65)][int(rng.integers(4))])
        cv2.fillConvexPoly(ground, cv2.convexHull(polygon), tone.tolist(), cv2.LINE_AA)
    return ground


def _layer(
    vehicle: TrainingVehicle, camera: CameraModel, look: Look, place: tuple[float, float], angle: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
    """Premultiplied colour (h, w, 3) and cover (h, w) over the camera's whole picture."""
    found = render(vehicle.mesh, vehicle.finish, camera, look, *place, (float(np.cos(angle)), float(np.sin(angle))), 1)
    if found is None:
        return None
    colour, cover = np.zeros((camera.height, camera.width, 3), np.float32), np.zeros((camera.height, camera.width), np.float32)
    h, w = found.cover.shape
    top, left = max(found.y0, 0), max(found.x0, 0)
    bottom, right = min(found.y0 + h, camera.height), min(found.x0 + w, camera.width)
    if bottom - top < 4 or right - left < 4:
        return None
    rows, columns = slice(top - found.y0, bottom - found.y0), slice(left - found.x0, right - found.x0)
    colour[top:bottom, left:right], cover[top:bottom, left:right] = found.colour[rows, columns], found.cover[rows, columns]
    return colour, cover


def random_crop(rng: Rng) -> TrainingCrop:
    """Draw a vehicle and how a camera sees it."""
    while True:
        made = _try_crop(rng)
        if made is not None:
            return made


def _try_crop(rng: Rng) -> TrainingCrop | None:
    vehicle, look = random_vehicle(rng), random_look(rng)
    half = vehicle.mesh.half_length_m
    pitch = float(rng.uniform(4, 50))
    distance = float(rng.uniform(3.2, 9) * max(half, 1.5) + 6)
    height = distance * np.tan(np.radians(pitch)) * 1.0
    size = 240
    reach = np.hypot(distance, height)
    focal = size * 0.42 * reach / (half * 1.15 + 0.6)
    camera = CameraModel(
        width=size, height=size, focal_px=focal, height_m=height, pitch_deg=pitch, x_m=float(rng.uniform(-1, 1) * 0.15 * distance)
    )
    angle = (
        float(rng.uniform(0, 2 * np.pi)) if rng.uniform() < 0.5 else float(rng.choice([-1, 1]) * np.pi / 2 + rng.normal(0, 0.45))
    )
    layer = _layer(vehicle, camera, look, (0.0, distance), angle)
    if layer is None:
        return None
    image = _background(size, size, rng, look)
    ys, xs = np.nonzero(layer[1] > 0.4)
    if len(xs) < 250:
        return None
    box = np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1], np.float64)
    _shadow(image, layer[1], rng, look)
    if rng.uniform() < 0.35:  # a neighbour, before or behind
        other = random_vehicle(rng)
        side, ahead = rng.choice([-1, 1]) * rng.uniform(1.0, 1.5), rng.uniform(-1, 1)
        place = (float(side * (half + other.mesh.half_length_m) * 0.8), float(distance + ahead * half * 2))
        beside = _layer(other, camera, look, place, angle + rng.normal(0, 0.2))
        if beside is not None and (beside[1] * layer[1]).sum() < 0.25 * layer[1].sum():
            order = (beside, layer) if place[1] > distance else (layer, beside)
            for colour, cover in order:
                image = image * (1 - cover[..., None]) + colour
        else:
            image = image * (1 - layer[1][..., None]) + layer[0]
    else:
        image = image * (1 - layer[1][..., None]) + layer[0]
    return TrainingCrop(image=_sensed(image, box, rng), form=vehicle.form, color=vehicle.color)


def _shadow(image: NDArray[np.float32], cover: NDArray[np.float32], rng: Rng, look: Look) -> None:
    h, w = cover.shape
    shift = np.float32([[1, 0, rng.uniform(-0.12, 0.12) * w], [0, 1, rng.uniform(0.0, 0.06) * h]])
    cast = cv2.GaussianBlur(cv2.warpAffine(cover, shift, (w, h)), (0, 0), rng.uniform(1.5, 8))
    image *= (1 - cast * rng.uniform(0.2, 0.65))[..., None]


def _sensed(image: NDArray[np.float32], box: NDArray[np.float64], rng: Rng) -> Image:
    """Cut out with the margin, then colour cast, contrast, blur, resolution, noise and JPEG of a real camera."""
    size = image.shape[0]
    if rng.uniform() < 0.3:  # a camera that hangs askew
        turn = cv2.getRotationMatrix2D((size / 2, size / 2), float(rng.uniform(-25, 25)), 1.0)
        image = cv2.warpAffine(image, turn, (size, size), borderMode=cv2.BORDER_REFLECT)
        corners = np.array([(box[0], box[1]), (box[2], box[1]), (box[2], box[3]), (box[0], box[3])])
        corners = corners @ turn[:, :2].T + turn[:, 2]
        centre, inner = corners.mean(0), 0.92 * (corners - corners.mean(0)) + corners.mean(0)
        box = np.array([*inner.min(0), *inner.max(0)])
        del centre
    w, h = box[2] - box[0], box[3] - box[1]
    jitter = rng.normal(0, 0.04, 4) * (w, h, w, h)
    x1, y1 = box[0] - MARGIN * w + jitter[0], box[1] - MARGIN * h + jitter[1]
    x2, y2 = box[2] + MARGIN * w + jitter[2], box[3] + MARGIN * h + jitter[3]
    cut = image[max(0, int(y1)) : max(1, int(y2)), max(0, int(x1)) : max(1, int(x2))]
    if min(cut.shape[:2]) < 12:
        cut = image
    cut = cut / 255 * np.array(rng.normal(1, 0.035, 3), np.float32)
    mean = float(cut.mean())
    cut = (cut - mean) * rng.uniform(0.6, 1.25) + mean * rng.uniform(0.8, 1.2)
    grey = cut.mean(2, keepdims=True)
    cut = grey + (cut - grey) * rng.uniform(0.55, 1.35)
    cut = np.clip(cut, 0, 1) ** rng.uniform(0.8, 1.25)
    longest = float(np.exp(rng.uniform(np.log(44), np.log(200))))
    scale = min(1.0, longest / max(cut.shape[:2]))
    small = cv2.resize(cut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), float(rng.uniform(0.25, 0.8)))
    if rng.uniform() < 0.3:  # cheap cameras sharpen
        small = small + (small - cv2.GaussianBlur(small, (0, 0), 1.2)) * rng.uniform(0.4, 1.5)
    small = small + rng.normal(0, rng.uniform(0, 0.03), small.shape)
    pixels = (np.clip(small, 0, 1) * 255).astype(np.uint8)
    coded = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(45, 95))])[1]
    return np.ascontiguousarray(cv2.imdecode(coded, cv2.IMREAD_COLOR)[..., ::-1])
