"""Road pictures in sun, fog, rain and snow: dry ones of real clips we may train on, with weather added, and simulated ones.

The dry pictures are frames of clips under MIT, Apache-2.0 or CC BY 4.0 (``DRY_CLIPS``) and the even-numbered pictures of the
multi-class weather set (Apache-2.0); only weights come out of it, no picture is stored. Fog follows Koschmieder's law,
``I = J t + A (1 - t)`` with ``t`` falling towards the horizon (He, Sun and Tang, "Single image haze removal", 2009).
"""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from actors.simulation.address import SimulationSettings
from actors.simulation.source import SimulatedCamera
from traffic.vehicle_codes import Weather

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]
Rng = np.random.Generator
DRY_CLIPS = (
    "accident_intersection_10fps.mp4",
    "ahmetozlu_two-lane-street.mp4",
    "bangkok_queue_720p.mp4",
    "bgs_highway_60fps.avi",
    "bgs_motorway_pedestrian-alarm.avi",
    "cn_parking_plates_portrait.mp4",
    "highway_both_360p.mp4",
    "it_autostrade_milanoest.mp4",
    "it_autostrade_tunnel.mp4",
    "side_view_multilane_dusk.mp4",
    "street_parked_cars_75s.mp4",
)
PICTURE_WIDTH = 320


def small(image: Image) -> Image:
    """The picture scaled to ``PICTURE_WIDTH``, as cameras send it."""
    h, w = image.shape[:2]
    size = (PICTURE_WIDTH, max(8, round(h * PICTURE_WIDTH / w)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA if w > PICTURE_WIDTH else cv2.INTER_LINEAR), np.uint8)


def _noise(h: int, w: int, cells: int, rng: Rng) -> Floats:
    return cv2.resize(rng.normal(0, 1, (cells, cells)).astype(np.float32), (w, h), interpolation=cv2.INTER_CUBIC)


def _closeness(h: int, w: int, rng: Rng) -> Floats:
    """0 at the horizon and above, 1 at the lower edge."""
    horizon = rng.uniform(0.05, 0.4)
    row = np.clip((np.linspace(0, 1, h, dtype=np.float32) - horizon) / (1 - horizon), 0, 1)
    return np.clip(row[:, None] + 0.05 * _noise(h, w, 4, rng), 0, 1)


def fog(image: Image, rng: Rng, thickness: float | None = None) -> Image:
    """Air in front of everything, thicker with distance."""
    h, w = image.shape[:2]
    strength = rng.uniform(0.5, 1.0) if thickness is None else thickness
    near = _closeness(h, w, rng)
    through = np.exp(-strength * rng.uniform(1.2, 3.0) * (1.05 - near) ** 0.7 - 0.25 * strength)[..., None]
    air = rng.uniform(105, 225) * np.array(rng.normal(1, 0.02, 3), np.float32)
    grey = image.mean(2, keepdims=True)
    muted = grey + (image - grey) * rng.uniform(0.4, 0.9)
    mixed = muted * through + air * (1 - through) + rng.normal(0, 1.5, (h, w, 1))
    return np.asarray(np.clip(cv2.GaussianBlur(mixed.astype(np.float32), (0, 0), rng.uniform(0.2, 0.9)), 0, 255), np.uint8)


def _dull(image: Image, rng: Rng, low: float, high: float) -> Floats:
    grey = image.mean(2, keepdims=True).astype(np.float32)
    flat = grey + (image - grey) * rng.uniform(0.3, 0.8)
    mean = flat.mean()
    return np.asarray((flat - mean) * rng.uniform(0.55, 0.9) + mean * rng.uniform(low, high), np.float32)


def rain(image: Image, rng: Rng) -> Image:
    """Dull light, a wet road that mirrors what stands above it, streaks or drops on the lens, a veil in the distance."""
    h, w = image.shape[:2]
    picture = _dull(image, rng, 0.6, 1.0)
    near = _closeness(h, w, rng)[..., None]
    split = int(h * rng.uniform(0.35, 0.6))
    mirror = cv2.GaussianBlur(picture[:split][::-1], (0, 0), sigmaX=1.5, sigmaY=rng.uniform(4, 10))
    low = cv2.resize(mirror, (w, h - split))
    gain = rng.uniform(0.15, 0.5) * np.clip(0.7 + 0.4 * _noise(h - split, w, 6, rng), 0, 1)[..., None]
    picture[split:] = picture[split:] * rng.uniform(0.75, 1.0) * (1 - gain) + low * gain * 1.1
    veil = (1 - near) * rng.uniform(0.1, 0.5)
    picture = picture * (1 - veil) + rng.uniform(110, 190) * veil
    if rng.uniform() < 0.75:
        streaks = np.zeros((h, w), np.float32)
        slant, length = rng.uniform(-0.35, 0.35), rng.uniform(5, 26)
        for _ in range(int(rng.uniform(60, 500))):
            x, y, size = rng.uniform(0, w), rng.uniform(-10, h), rng.uniform(0.4, 1)
            end = (int(x + slant * length * size), int(y + length * size))
            cv2.line(streaks, (int(x), int(y)), end, float(size), 1, cv2.LINE_AA)
        picture = picture + cv2.GaussianBlur(streaks, (0, 0), 0.6)[..., None] * rng.uniform(25, 95)
    if rng.uniform() < 0.35:  # drops on the lens
        bent = cv2.GaussianBlur(picture, (0, 0), 3)[::-1, ::-1]
        mask = np.zeros((h, w), np.float32)
        for _ in range(int(rng.uniform(8, 60))):
            cv2.circle(mask, (int(rng.uniform(0, w)), int(rng.uniform(0, h))), int(rng.uniform(1, 8)), 1.0, -1, cv2.LINE_AA)
        mask = cv2.GaussianBlur(mask, (0, 0), 0.7)[..., None] * 0.8
        picture = picture * (1 - mask) + bent * mask
    return np.asarray(np.clip(picture, 0, 255), np.uint8)


def snow(image: Image, rng: Rng) -> Image:
    """Snow on the ground where nothing drives, a pale sky, flakes on most pictures."""
    h, w = image.shape[:2]
    picture = _dull(image, rng, 0.8, 1.15)
    luminance = picture.mean(2)
    rough = np.abs(cv2.Laplacian(cv2.GaussianBlur(luminance, (0, 0), 1.5), cv2.CV_32F))
    greenish = np.clip((image[..., 1].astype(np.float32) - image[..., 2]) / 40, 0, 1)
    lying = np.clip(0.25 + 0.6 * _noise(h, w, int(rng.integers(3, 9)), rng) + 0.9 * greenish + rng.uniform(-0.2, 0.5), 0, 1)
    lying = cv2.GaussianBlur(lying * np.clip(1 - rough / 14, 0.25, 1), (0, 0), 1.2)[..., None] * rng.uniform(0.55, 0.98)
    white = rng.uniform(175, 245) * np.array([0.97, 0.99, 1.03], np.float32) + (luminance - luminance.mean())[..., None] * 0.25
    picture = picture * (1 - lying) + white * lying
    if rng.uniform() < 0.65:
        flakes = np.zeros((h, w), np.float32)
        for _ in range(int(rng.uniform(60, 700))):
            cv2.circle(
                flakes, (int(rng.uniform(0, w)), int(rng.uniform(0, h))), int(rng.choice([0, 1, 1, 2])), 1.0, -1, cv2.LINE_AA
            )
        picture = picture + cv2.GaussianBlur(flakes, (0, 0), rng.uniform(0.4, 1.1))[..., None] * rng.uniform(60, 170)
    if rng.uniform() < 0.4:
        veil = (1 - _closeness(h, w, rng))[..., None] * rng.uniform(0.2, 0.6)
        picture = picture * (1 - veil) + 205 * veil
    return np.asarray(np.clip(picture, 0, 255), np.uint8)


def as_filmed(image: Image, rng: Rng) -> Image:
    """Light, tint, contrast, part of the scene and compression of another camera; also the dark."""
    h, w = image.shape[:2]
    top, left = int(rng.uniform(0, 0.2) * h), int(rng.uniform(0, 0.2) * w)
    cut = image[top : h - int(rng.uniform(0, 0.2) * h), left : w - int(rng.uniform(0, 0.2) * w)]
    if rng.uniform() < 0.5:
        cut = cut[:, ::-1]
    picture = cut.astype(np.float32) / 255 * np.array(rng.normal(1, 0.05, 3), np.float32)
    grey = picture.mean(2, keepdims=True)
    picture = grey + (picture - grey) * rng.uniform(0.6, 1.3)
    picture = np.clip(picture * rng.uniform(0.8, 1.15), 0, 1) ** rng.uniform(0.8, 1.3)
    picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.2, 1.0)) + rng.normal(0, rng.uniform(0, 0.02), picture.shape)
    pixels = (np.clip(picture, 0, 1) * 255).astype(np.uint8)
    coded = cv2.imencode(".jpg", np.ascontiguousarray(pixels[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(40, 95))])[
        1
    ]
    return small(np.ascontiguousarray(cv2.imdecode(coded, cv2.IMREAD_COLOR)[..., ::-1]))


_ADDED = {Weather.FOG: fog, Weather.RAIN: rain, Weather.SNOW: snow}


def clip_frames(path: Path, count: int) -> Iterator[Image]:
    """``count`` frames spread over a clip, small."""
    import av

    with av.open(str(path)) as container:
        total = sum(1 for _ in container.decode(video=0))
    wanted = {int(total * (index + 0.5) / count) for index in range(count)}
    with av.open(str(path)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index in wanted:
                yield small(frame.to_ndarray(format="rgb24"))


def simulated(rng: Rng, cameras: int) -> Iterator[tuple[Image, Weather]]:
    """Frames of simulated cameras; clear nights and days are SUNNY, so that the dark is no weather."""
    codes = {"clear": Weather.SUNNY, "fog": Weather.FOG, "rain": Weather.RAIN, "snow": Weather.SNOW}
    for index in range(cameras):
        name = str(rng.choice(list(codes)))
        settings = SimulationSettings(
            seed=index + 1,
            width=640,
            height=360,
            fps=1.0,
            duration_s=2.0,
            weather=name,
            light=str(rng.choice(["day", "day", "dusk", "night"])),
            height_m=float(rng.uniform(5.5, 12)),
            pitch_deg=float(rng.uniform(12, 26)),
        )
        for frame in SimulatedCamera(settings).frames():
            yield small(frame.image), codes[name]


def training_pictures(data: Path, seed: int, per_picture: int = 5) -> Iterator[tuple[Image, Weather]]:
    """Pictures with their weather; ``data`` is the folder of clips and pictures."""
    rng = np.random.default_rng(seed)
    dry: list[Image] = []
    for name in DRY_CLIPS:
        dry += clip_frames(data / "video" / name, 3)
    for kind, weather in (("shine", Weather.SUNNY), ("cloudy", Weather.SUNNY), ("rain", Weather.RAIN)):
        for path in sorted((data / "images" / "weather" / kind).iterdir())[::2]:
            stored = cv2.imread(str(path), cv2.IMREAD_COLOR)
            if stored is None:
                continue
            picture = small(np.ascontiguousarray(stored[..., ::-1]))
            for _ in range(per_picture):
                yield as_filmed(picture, rng), weather
            if weather is Weather.SUNNY:
                for code, add in _ADDED.items():
                    yield as_filmed(add(picture, rng), rng), code
    for picture in dry:
        for _ in range(per_picture):
            yield as_filmed(picture, rng), Weather.SUNNY
            for code, add in _ADDED.items():
                yield as_filmed(add(picture, rng), rng), code
    for picture, weather in simulated(rng, 48):
        yield as_filmed(picture, rng), weather
