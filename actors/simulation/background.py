"""The empty scene: road with markings, verges, trees, the far side of the junction and the signal heads."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from actors.simulation.address import SimulationSettings
from actors.simulation.camera_model import CameraModel
from actors.simulation.looks import Look, band, ramp
from actors.simulation.road import CROSSING_Y, FAR_KERB_Y, LANE_WIDTH_M, MEDIAN_M, SIGNAL_Y, STOP_Y, Road

Image = NDArray[Any]  # float32
_TILE = 1024
_LAMPS = {"red": (255, 50, 40), "yellow": (255, 200, 40), "green": (50, 255, 150)}
HEAD_Z = 6.4
POST_Y, POST_Z = STOP_Y + 1.0, 3.3  # signals on posts beside the stop line, in view where the far ones are not
_POST_LAMPS = {"red": 0.4, "yellow": 0.0, "green": -0.4}


def _noise(rng: np.random.Generator, size: int, octaves: tuple[int, ...], fall: float) -> Image:
    out, amplitude = np.zeros((size, size), np.float32), 1.0
    for k in octaves[::-1]:
        coarse = rng.standard_normal((max(2, size // k),) * 2).astype(np.float32)
        out += amplitude * cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)
        amplitude *= fall
    return out / out.std()


class _Ground:
    """Road coordinates of every pixel and noise sampled in them."""

    def __init__(self, camera: CameraModel, rng: np.random.Generator) -> None:
        rays = camera.rays()
        t = camera.height_m / np.maximum(-rays[..., 2], 2e-3)
        self.x = (camera.x_m + rays[..., 0] * t).astype(np.float32)
        self.y = (rays[..., 1] * t).astype(np.float32)
        self.sky = rays[..., 2] > -0.012
        self.detail = np.clip(25 / np.maximum(self.y, 1), 0, 1)
        self._coarse = _noise(rng, _TILE, (2, 4, 8, 32, 128, 256), 0.75)
        fine = cv2.GaussianBlur(rng.standard_normal((_TILE, _TILE)).astype(np.float32), (0, 0), 1.2)
        self._fine = fine / fine.std()

    def coarse(self, scale: float, stretch: float = 1.0) -> Image:
        return self._sample(self._coarse, scale, stretch)

    def fine(self, scale: float) -> Image:
        return self._sample(self._fine, scale, 1.0)

    def _sample(self, tile: Image, scale: float, stretch: float) -> Image:
        x, y = (self.x * (scale * stretch)) % (_TILE - 1), (self.y * scale) % (_TILE - 1)
        return cv2.remap(tile, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR)


def build_background(settings: SimulationSettings, camera: CameraModel, road: Road, look: Look) -> NDArray[np.uint8]:
    """The scene without traffic and with dark signal heads, uint8 (height, width, 3) RGB."""
    rng = np.random.default_rng([settings.seed, 37])
    ground = _Ground(camera, rng)
    image = _asphalt(ground, road)
    _blend(image, _markings(ground, settings, road) * np.clip(0.80 + 0.12 * ground.coarse(40), 0.3, 1), (0.80, 0.80, 0.78))
    _verges(image, ground, road)
    if look.wet:
        image *= 1 - 0.35 * look.wet
        _blend(image, np.clip(0.22 + 0.1 * ground.coarse(6), 0, 0.4) * look.wet, look.haze)
    if look.snow:
        off = ramp(road.right_x, road.right_x + 1, ground.x) + (1 - ramp(road.left_x - 1, road.left_x, ground.x))
        _blend(image, np.clip(look.snow * (0.12 + 0.10 * ground.coarse(10) + 0.75 * off), 0, 0.9), (0.85, 0.87, 0.90))
    image *= np.array(look.road)
    distance = np.hypot(ground.y, camera.height_m)
    _blend(image, look.air(distance), look.haze)
    image[ground.sky] = look.haze
    image = np.clip(image * 255, 0, 255).astype(np.float32)
    _trees(image, camera, road, look, rng)
    _signal_posts(image, camera, road, settings, look)
    image = cv2.GaussianBlur(image, (0, 0), 0.6 * camera.width / 1280)
    return np.ascontiguousarray(np.clip(np.round(image), 0, 255).astype(np.uint8))


def _blend(image: Image, share: NDArray[np.floating], colour: tuple[float, float, float]) -> None:
    image += np.asarray(share, np.float32)[..., None] * (np.array(colour, np.float32) - image)


def _asphalt(ground: _Ground, road: Road) -> Image:
    a = (
        0.40
        + 0.018 * ground.coarse(14)
        + 0.014 * ground.coarse(50, 0.9) * ground.detail
        + 0.022 * ground.fine(60) * ground.detail
    )
    a = a + 0.012 * ground.coarse(3, 8)
    inside = (ground.y < STOP_Y + 1).astype(np.float32)
    for lane in road.lanes:
        for offset in (-0.8, 0.8):
            a = a - 0.022 * np.exp(-(((ground.x - lane.x_m - offset) / 0.32) ** 2)) * inside
        a = a - 0.02 * np.exp(-(((ground.x - lane.x_m) / 0.25) ** 2)) * (1 + 0.5 * ground.coarse(9)) * inside
    for y in (19.0, 29.0, 57.0):
        a = a * (1 - 0.2 * band(ground.y, y - 0.03, y + 0.03, 0.04))
    return np.stack([a, a, a * 1.01], -1).astype(np.float32)


def _markings(ground: _Ground, settings: SimulationSettings, road: Road) -> NDArray[np.float64]:
    x, y = ground.x.astype(np.float64), ground.y.astype(np.float64)
    edge = np.maximum(0.02, 0.0006 * y)
    before = (y < STOP_Y).astype(float) + (y > FAR_KERB_Y + 2)
    marks = np.zeros_like(x)

    def line(at: float, half: float, where: NDArray[np.float64]) -> None:
        nonlocal marks
        t = np.clip((half + edge - np.abs(x - at)) / edge, 0, 1)
        marks = np.maximum(marks, t * where)

    solid_from = ((y > STOP_Y - 20) | (y % 9 < 3.2)).astype(float)
    for i in range(settings.lanes + 1):
        outer = i in (0, settings.lanes)
        line(MEDIAN_M + LANE_WIDTH_M * i - (0.12 if i == 0 else 0), 0.075, before * (1.0 if outer else solid_from))
    line(road.right_x - 0.15, 0.07, before)
    for i in range(settings.opposing + 1):
        outer = i in (0, settings.opposing)
        line(-MEDIAN_M - LANE_WIDTH_M * i + (0.12 if i == 0 else 0), 0.075, before * (1.0 if outer else (y % 9 < 3.2)))
    approach = (x > MEDIAN_M - 0.1) & (x < road.right_x)
    marks = np.maximum(marks, band(y, STOP_Y, STOP_Y + 0.4, 0.05) * approach)
    zebra = ((x - road.left_x) % 1.1 < 0.55) & (x > road.left_x) & (x < road.right_x)
    marks = np.maximum(marks, band(y, CROSSING_Y[0], CROSSING_Y[1], 0.05) * zebra)
    for lane in road.lanes:
        if lane.heading < 0 or lane.two_wheelers:
            continue
        for at in (13.5, 24.5):  # arrows: a shaft and a head
            u, v = np.abs(x - lane.x_m), y - at
            shaft = (u < 0.08) & (v > 0) & (v < 2.6)
            head = (v >= 2.6) & (v < 4.2) & (u < 0.42 * (4.2 - v) / 1.6)
            marks = np.maximum(marks, (shaft | head) * 1.0)
    return marks


def _verges(image: Image, ground: _Ground, road: Road) -> None:
    x = ground.x
    _blend(image, band(x, -0.32, 0.32, 0.03) * ((ground.y < STOP_Y - 0.5) | (ground.y > FAR_KERB_Y + 3)), (0.47, 0.47, 0.45))
    junction = ramp(CROSSING_Y[1] + 1.5, CROSSING_Y[1] + 3, ground.y) * (1 - ramp(FAR_KERB_Y - 2, FAR_KERB_Y, ground.y))
    off = np.maximum(x - road.right_x, road.left_x - x)
    pave = ramp(0.0, 0.15, off) * (1 - junction)
    tiles = 0.52 + 0.02 * ground.coarse(20) - 0.05 * ((x % 0.8 < 0.04) | (ground.y % 0.8 < 0.05)) * ground.detail
    image += pave[..., None].astype(np.float32) * (np.stack([tiles, tiles * 0.98, tiles * 0.95], -1) - image)
    _blend(image, band(off, 0.0, 0.22, 0.03) * (1 - junction), (0.62, 0.62, 0.60))
    grass = ramp(3.6, 4.0, off + 0.1 * ground.coarse(16)) * (1 - junction)
    g = 1 + 0.16 * ground.coarse(12) + 0.20 * ground.fine(40) * ground.detail + 0.13 * ground.coarse(45) * ground.detail
    colour = np.stack([0.25 * g + 0.02 * ground.coarse(5), 0.32 * g + 0.01 * ground.coarse(3), 0.17 * g], -1)
    image += grass[..., None].astype(np.float32) * (colour.astype(np.float32) - image)


def _trees(image: Image, camera: CameraModel, road: Road, look: Look, rng: np.random.Generator) -> None:
    places = []
    for side, kerb in ((-1, -road.left_x), (1, road.right_x)):
        for y in np.arange(170.0, 20.0, -5.0):
            if CROSSING_Y[0] - 2 < y < FAR_KERB_Y + 4:
                continue
            places.append(
                (float(y + rng.uniform(-1, 1)), side * (kerb + 7.5 + float(rng.uniform(0, 9))), float(rng.uniform(1.9, 3.2)))
            )
    places += [
        (float(rng.uniform(185, 230)), float(x), float(rng.uniform(3, 5))) for x in np.arange(-120.0, 121.0, 4.5) if abs(x) > 16
    ]
    texture = _noise(rng, 256, (2, 4, 8, 16, 64), 0.8)
    for y, x, radius in sorted(places, reverse=True):
        _tree(image, camera, look, rng, texture, (x, y), radius)


def _tree(
    image: Image,
    camera: CameraModel,
    look: Look,
    rng: np.random.Generator,
    texture: Image,
    place: tuple[float, float],
    radius: float,
) -> None:
    """A crown as thresholded noise, lit from above, over a trunk."""
    x, y = place
    hue, roll = rng.uniform(0.75, 1.15), rng.integers(0, 256, 2)
    crown = camera.project(np.array([[x, y, 1.9 + radius * 0.8], [x, y, 0.0]]))
    r = camera.focal_px * radius / crown[0, 2]
    u, v, base = crown[0, 0], crown[0, 1], crown[1, 1]
    x0, x1, y0, y1 = int(u - 1.3 * r), int(u + 1.3 * r) + 1, int(v - 1.3 * r), int(v + 1.3 * r) + 1
    cx0, cx1, cy0, cy1 = max(x0, 0), min(x1, camera.width), max(y0, 0), min(y1, camera.height)
    air = float(look.air(float(np.hypot(x, y))))
    haze = np.array(look.haze) * 255
    trunk = np.array([62, 52, 44]) * np.array(look.road) * (1 - air) + haze * air
    cv2.line(image, (int(u * 8), int(v * 8)), (int(u * 8), int(base * 8)), trunk.tolist(), max(1, int(0.12 * r)), cv2.LINE_AA, 3)
    if cx1 - cx0 < 2 or cy1 - cy0 < 2:
        return
    px, py = np.meshgrid((np.arange(cx0, cx1) - u) / r, (np.arange(cy0, cy1) - v) / r)
    sample = np.roll(texture, tuple(roll), (0, 1))
    grain = cv2.remap(sample, ((px + 1.3) * 98).astype(np.float32), ((py + 1.3) * 98).astype(np.float32), cv2.INTER_LINEAR)
    lumps = cv2.remap(sample, ((px + 1.3) * 22).astype(np.float32), ((py + 1.3) * 22).astype(np.float32), cv2.INTER_LINEAR)
    share = ramp(-0.06, 0.10, 1.0 - np.hypot(px, py * 1.12) + 0.10 * grain + 0.12 * lumps)
    light = np.clip(0.62 - 0.38 * py - 0.18 * px + 0.13 * grain + 0.20 * lumps, 0.2, 1.3)
    green = light[..., None] * np.array([62.0 * hue, 84.0, 40.0 * hue]) * np.array(look.road)
    green = green * (1 - air) + haze * air
    area = image[cy0:cy1, cx0:cx1]
    area += (share[..., None] * (green - area)).astype(np.float32)


def _head_xs(road: Road) -> list[float]:
    return [lane.x_m for lane in road.lanes if lane.signalled and not lane.two_wheelers]


def _signal_posts(image: Image, camera: CameraModel, road: Road, settings: SimulationSettings, look: Look) -> None:
    grey = (np.array([120, 124, 126]) * np.array(look.road)).tolist()
    post_x = road.right_x + 1.0

    def bar(a: tuple[float, float, float], b: tuple[float, float, float], width_m: float) -> None:
        q = camera.project(np.array([a, b]))
        thick = max(1, round(camera.focal_px * width_m / max(q[0, 2], 1)))
        ends = [(int(np.clip(p[0], -9e3, 9e3) * 8), int(np.clip(p[1], -9e3, 9e3) * 8)) for p in q]
        cv2.line(image, ends[0], ends[1], grey, thick, cv2.LINE_AA, 3)

    bar((post_x, SIGNAL_Y, 0.0), (post_x, SIGNAL_Y, HEAD_Z + 0.9), 0.3)
    bar((post_x, SIGNAL_Y, HEAD_Z + 0.75), (MEDIAN_M, SIGNAL_Y, HEAD_Z + 0.75), 0.2)
    for x in _head_xs(road):
        q = camera.project(np.array([[x - 0.95, SIGNAL_Y, HEAD_Z + 0.36], [x + 0.95, SIGNAL_Y, HEAD_Z - 0.36]]))
        cv2.rectangle(
            image, tuple(int(v) for v in np.round(q[0, :2])), tuple(int(v) for v in np.round(q[1, :2])), (22, 24, 26), -1
        )
    for x in (road.left_x - 1.0, road.right_x + 0.9):
        bar((x, CROSSING_Y[1], 0.0), (x, CROSSING_Y[1], 3.0), 0.12)
    x = _post_x(road)
    bar((x, POST_Y, 0.0), (x, POST_Y, POST_Z - 0.6), 0.14)
    q = camera.project(np.array([[x - 0.22, POST_Y, POST_Z + 0.62], [x + 0.22, POST_Y, POST_Z - 0.62]]))[:, :2]
    corners = np.round(np.clip(q, -9e3, 9e3) * 8).astype(int)
    cv2.rectangle(image, tuple(corners[0].tolist()), tuple(corners[1].tolist()), (22, 24, 26), -1, cv2.LINE_AA, 3)
    for dz in _POST_LAMPS.values():
        _disc(image, camera, (x, POST_Y, POST_Z + dz), 0.15, (44, 46, 48))


def _post_x(road: Road) -> float:
    return road.right_x + 0.6


def _disc(image: Image, camera: CameraModel, place: tuple[float, float, float], radius_m: float, rgb: tuple[float, ...]) -> None:
    u, v, depth = camera.project(np.array(place))
    r = max(1.2, camera.focal_px * radius_m / depth)
    centre = (int(np.clip(u, -9e3, 9e3) * 16), int(np.clip(v, -9e3, 9e3) * 16))
    cv2.circle(image, centre, int(r * 16), rgb, -1, cv2.LINE_AA, 4)


def light_signals(background: NDArray[np.uint8], camera: CameraModel, road: Road, state: str, walk: bool) -> NDArray[np.uint8]:
    """A copy of the background with the lamps of the heads lit: ``state`` is ``green``, ``yellow`` or ``red``."""
    image = background.copy()
    glow = np.zeros(image.shape, np.float32)
    spot = {"red": -0.6, "yellow": 0.0, "green": 0.6}[state]
    lamps = [((x + spot, SIGNAL_Y, HEAD_Z), 0.26, _LAMPS[state]) for x in _head_xs(road)]
    colour = _LAMPS["green" if walk else "red"]
    lamps += [((x, CROSSING_Y[1], 2.7), 0.2, colour) for x in (road.left_x - 1.0, road.right_x + 0.9)]
    lamps.append(((_post_x(road), POST_Y, POST_Z + _POST_LAMPS[state]), 0.15, _LAMPS[state]))
    for place, radius, rgb in lamps:
        _disc(image, camera, place, radius, rgb)
        _disc(glow, camera, place, radius, tuple(c * 0.6 for c in rgb))
    glow = cv2.GaussianBlur(glow, (0, 0), 3.0 * camera.width / 1280)
    return np.clip(np.round(image + glow), 0, 255).astype(np.uint8)
