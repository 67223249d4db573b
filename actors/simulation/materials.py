"""Painted detail: what colour and gloss a point of a vehicle's surface has. Detail is what makes detectors believe."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actors.simulation import meshes as parts
from actors.simulation.looks import Rgb, band, ramp
from actors.simulation.meshes import FLAT, FLAT_COLOURS, Mesh, profile
from actors.simulation.plates import PLATE_PAINT, plate_anchor
from actors.simulation.shapes import Profile

Floats = NDArray[Any]  # masks may be bool or float32
_GLASS, _BLACK, _DARK, _LENS, _RED = (0.025, 0.03, 0.033), (0.015,) * 3, (0.03,) * 3, (0.32, 0.33, 0.35), (0.44, 0.015, 0.015)


@dataclass(slots=True)
class Surface:
    """Points of one part and their material, filled by ``paint``.

    Attributes:
        x, y, z: object coordinates (k,). normal: (k, 3). u, v: surface coordinates.
        albedo: (k, 3) linear RGB.
        f0: mirror reflectance at normal incidence. gloss: weight of reflections. glow: own light (k, 3).
    """

    x: Floats
    y: Floats
    z: Floats
    normal: Floats
    u: Floats
    v: Floats
    albedo: Floats
    f0: Floats
    gloss: Floats
    glow: Floats

    def paint(self, mask: Floats | float, colour: Rgb, f0: float | None = None, gloss: float | None = None) -> None:
        """Blend ``colour`` (and optionally the gloss) over the points, weighted by ``mask``."""
        m = np.broadcast_to(np.asarray(mask, np.float32), self.x.shape)
        j = np.flatnonzero(m)  # most details cover a small share of a part
        m = m[j]
        self.albedo[j] += m[:, None] * (np.array(colour, np.float32) - self.albedo[j])
        if f0 is not None:
            self.f0[j] += m * (np.float32(f0) - self.f0[j])
        if gloss is not None:
            self.gloss[j] += m * (np.float32(gloss) - self.gloss[j])

    def light(self, mask: Floats, colour: Rgb) -> None:
        """Add own light."""
        self.glow += np.asarray(mask, np.float32)[:, None] * np.array(colour, np.float32)

    def where(self, mask: Floats, paint: Callable[["Surface"], None]) -> None:
        """Let ``paint`` work on the points in ``mask`` only."""
        j = np.flatnonzero(mask)
        if not len(j):
            return
        some = Surface(*(getattr(self, f.name)[j] for f in fields(self)))
        paint(some)
        for name in ("albedo", "f0", "gloss", "glow"):
            getattr(self, name)[j] = getattr(some, name)


@dataclass(frozen=True, slots=True)
class Finish:
    """Colours of one vehicle and the gain of its lamps."""

    paint: Rgb
    second: Rgb
    plate: str
    lamps: float


def _profile(x: Floats, points: Profile) -> Floats:
    return profile(x, points).astype(np.float32)


def surface_of(mesh: Mesh, part: int, point: Floats, normal: Floats, surface: Floats, finish: Finish) -> Surface:
    """The material of points (k, 3) of one part, with their normals and surface coordinates (k, 2)."""
    k = len(point)
    s = Surface(
        point[:, 0],
        point[:, 1],
        point[:, 2],
        normal,
        surface[:, 0],
        surface[:, 1],
        np.tile(np.array(finish.paint, np.float32), (k, 1)),
        np.full(k, 0.05, np.float32),
        np.ones(k, np.float32),
        np.zeros((k, 3), np.float32),
    )
    if part >= FLAT:
        _flat(s, FLAT_COLOURS[part - FLAT], finish)
    elif part == parts.BODY:
        _car_sides(s, mesh)
        s.where(s.x > mesh.half_length_m - 0.62, lambda front: _car_front(front, mesh, finish))
        s.where(s.x < 0.55 - mesh.half_length_m, lambda rear: _car_rear(rear, mesh, finish))
    elif part == parts.CABIN:
        _car_cabin(s, mesh)
    elif part == parts.TRUCK_CAB:
        _truck_cab(s, mesh, finish)
    elif part == parts.LOAD_BOX:
        _load_box(s, finish)
    elif part == parts.BUS_BODY:
        _bus_sides(s, mesh, finish)
        _bus_ends(s, finish)
    elif part == parts.WHEEL:
        _wheel(s, mesh)
    elif part == parts.UNDER:
        s.paint(1.0, _BLACK, 0.02, 0.05)
    elif part == parts.TRIM:
        s.paint(1.0, (0.38, 0.38, 0.39), 0.04, 0.3)
    elif part == parts.MIRROR:
        s.paint(1.0 if mesh.car is None else 0.0, _DARK)
        s.paint(s.normal[:, 0] < -0.6, (0.3, 0.33, 0.36), 0.3, 1.0)
    if part in (parts.BODY, parts.TRUCK_CAB, parts.BUS_BODY, parts.TRIM, parts.LOAD_BOX):
        _plates(s, mesh, finish)
    return s


def _flat(s: Surface, name: str, finish: Finish) -> None:
    colours: dict[str, Rgb] = {
        "second": finish.second,
        "skin": (0.42, 0.24, 0.16),
        "hair": (0.02, 0.018, 0.016),
        "tyre": (0.02,) * 3,
        "metal": (0.45, 0.46, 0.47),
        "helmet": (0.6, 0.09, 0.03),
        "jeans": (0.06, 0.09, 0.17),
        "safety": (0.80, 0.55, 0.02),
        "cone": (0.75, 0.10, 0.015),
    }
    if name != "paint":
        s.paint(1.0, colours[name])
    if name == "cone":  # two reflecting collars
        s.paint(band(s.z, 0.28, 0.42) + band(s.z, 0.52, 0.62), (0.78, 0.78, 0.76))
    s.f0[:], s.gloss[:] = 0.03, 0.15 if name in ("second", "skin", "hair", "tyre", "jeans") else 0.5
    if name in ("second", "paint", "jeans"):  # folds of cloth
        s.albedo *= (0.88 + 0.12 * np.sin(s.z * 31 + s.x * 23 + np.sin(s.y * 40)))[:, None]


def _plates(s: Surface, mesh: Mesh, finish: Finish) -> None:
    colour = PLATE_PAINT.get(finish.plate)
    if colour is None:
        return
    for end in (-1, 1):
        anchor = plate_anchor(mesh, end)
        facing = ramp(0.3, 0.5, end * s.normal[:, 0]) * (np.abs(s.x - anchor[0]) < 0.35)
        s.paint(facing * band(s.y, -0.24, 0.24) * band(s.z, anchor[2] - 0.085, anchor[2] + 0.085), colour, 0.04, 0.1)


def _car_sides(s: Surface, mesh: Mesh) -> None:
    shape = mesh.car
    assert shape is not None
    ay, w, top = np.abs(s.y), shape.half_width_m, _profile(s.x, shape.top)
    s.paint(1 - ramp(shape.sill_z + 0.06, shape.sill_z + 0.1, s.z), _DARK, 0.03, 0.2)
    for x in shape.wheels_x:
        d = np.hypot(s.x - x, s.z - shape.wheel_radius_m)
        s.paint(
            (1 - ramp(shape.wheel_radius_m + 0.05, shape.wheel_radius_m + 0.075, d)) * ramp(0.5 * w, 0.6 * w, ay),
            _BLACK,
            0.02,
            0.05,
        )
    side = ramp(0.75, 0.9, np.abs(s.normal[:, 1]))
    first = 1.3 if mesh.kind == "van" else shape.windscreen[0] + 0.72
    for x in (first, shape.pillars_x[0], shape.pillars_x[0] - 0.95):
        s.paint(band(s.x, x - 0.006, x + 0.006, 0.008) * side * ramp(0.4, 0.42, s.z) * 0.8, _DARK)
    for x in (shape.pillars_x[0] + 0.1, shape.pillars_x[0] - 0.85):
        s.paint(band(s.x, x, x + 0.17) * band(s.z, top - 0.17, top - 0.13) * side, (0.12,) * 3)
    s.paint(band(s.z, 0.47, 0.5) * side * 0.5, (0.05,) * 3)
    up, half = ramp(0.5, 0.8, s.normal[:, 2]), shape.length_m / 2
    s.paint(band(s.x, half - 0.62, half - 0.605, 0.01) * up * 0.6, _DARK)
    s.paint(band(ay, 0.78 * w, 0.79 * w, 0.008) * (s.x > shape.windscreen[1] - 0.2) * (s.x < half - 0.6) * up * 0.5, _DARK)


def _car_front(s: Surface, mesh: Mesh, finish: Finish) -> None:
    shape = mesh.car
    assert shape is not None
    half, w, ay = shape.length_m / 2, shape.half_width_m, np.abs(s.y)
    hz = float(profile(half - 0.35, shape.top))
    face = ramp(0.3, 0.5, s.normal[:, 0])
    s.paint(face * band(ay, 0, 0.60 * w, 0.03) * band(s.z, hz - 0.27, hz - 0.13), (0.02,) * 3, 0.05, 0.4)
    s.paint(face * band(ay, 0, 0.58 * w, 0.02) * band(s.z, hz - 0.205, hz - 0.19, 0.006), (0.55, 0.55, 0.56), 0.5, 0.8)
    s.paint(face * band(ay, 0, 0.07, 0.02) * band(s.z, hz - 0.24, hz - 0.15), (0.7, 0.7, 0.72), 0.6, 1)
    s.paint(face * band(ay, 0, 0.72 * w, 0.04) * band(s.z, shape.sill_z + 0.12, shape.sill_z + 0.26), (0.02,) * 3, 0.03, 0.3)
    tilt = ay / w - 0.6
    s.paint(band(ay, 0.60 * w, 1.05 * w, 0.02) * band(s.z, hz - 0.24 + 0.06 * tilt, hz - 0.09 + 0.05 * tilt), _LENS, 0.25, 1.0)
    s.light(np.exp(-(((ay - 0.74 * w) / 0.07) ** 2) - ((s.z - hz + 0.16) / 0.05) ** 2) * finish.lamps, (0.55, 0.55, 0.52))
    s.light(np.exp(-(((ay - 0.9 * w) / 0.05) ** 2) - ((s.z - hz + 0.14) / 0.035) ** 2) * finish.lamps, (0.35, 0.33, 0.28))


def _car_rear(s: Surface, mesh: Mesh, finish: Finish) -> None:
    shape = mesh.car
    assert shape is not None
    half, w, ay = shape.length_m / 2, shape.half_width_m, np.abs(s.y)
    rz = float(profile(-half + 0.2, shape.top))
    face = ramp(0.3, 0.5, -s.normal[:, 0])
    s.paint(band(ay, 0, 0.93 * w, 0.03) * band(s.z, shape.sill_z, shape.sill_z + 0.17) * face, (0.035,) * 3, 0.03, 0.3)
    s.paint(face * band(s.y, -0.34, 0.34) * band(s.z, rz - 0.36, rz - 0.19) * 0.5, (0.04,) * 3)
    s.paint(face * band(s.z, rz - 0.435, rz - 0.42, 0.01) * 0.8, _DARK)
    s.paint(face * band(s.z, rz - 0.045, rz - 0.03, 0.01) * 0.7, _DARK)
    lamp = band(ay, 0.56 * w, 1.05 * w, 0.015) * band(s.z, rz - 0.24, rz - 0.05)
    s.paint(lamp, _RED, 0.06, 1.0)
    s.light(lamp * finish.lamps, (0.24, 0.0, 0.0))
    s.paint(band(ay, 0.62 * w, 0.8 * w, 0.01) * band(s.z, rz - 0.20, rz - 0.15), (0.6, 0.5, 0.45), 0.06)
    s.paint(face * band(ay, 0.6 * w, 0.75 * w, 0.02) * band(s.z, shape.sill_z + 0.2, shape.sill_z + 0.24), (0.3, 0.02, 0.02))


def _car_cabin(s: Surface, mesh: Mesh) -> None:
    shape = mesh.car
    assert shape is not None
    ay = np.abs(s.y)
    q = np.minimum(s.v, 1 - s.v) * 2
    belt, roof = _profile(s.x, shape.top) - 0.04, _profile(s.x, shape.cabin)
    f = (s.z - belt) / (roof - belt + 1e-3)
    highest = max(p[1] for p in shape.cabin)
    x0, x1, (ws0, ws1), (rw0, rw1) = shape.cabin[0][0], shape.cabin[-1][0], shape.windscreen, shape.rear_window
    side = (q < 0.40).astype(np.float32)
    window = side * band(f, 0.14, 0.80, 0.03) * ((roof - belt) > 0.16) * band(s.x, x0 + 0.28, x1 - 0.30, 0.02)
    s.paint(window, _GLASS, 0.06, 1.0)
    for x in shape.pillars_x:
        s.paint(window * band(s.x, x - 0.045, x + 0.045, 0.01), _BLACK, 0.03, 0.3)
    s.paint(window * 0.35 * np.exp(-(((s.x - shape.pillars_x[0] - 0.25) / 0.12) ** 2) - ((f - 0.35) / 0.3) ** 2), (0.1,) * 3)
    screen = ramp(ws0 + 0.03, ws0 + 0.06, s.x) * (1 - ramp(ws1 - 0.03, ws1, s.x)) * ramp(0.40, 0.47, q)
    depth = (s.x - ws0) / (ws1 - ws0)
    s.paint(screen, _GLASS, 0.06, 1.0)
    s.paint(screen * ramp(0.72, 0.95, depth) * 0.6, (0.07,) * 3)
    for y in (-0.36, 0.36):
        s.paint(screen * 0.5 * np.exp(-(((s.y - y) / 0.13) ** 2) - ((depth - 0.38) / 0.16) ** 2), (0.13, 0.12, 0.11))
    rear = band(s.x, rw0 + 0.05, rw1, 0.03) * ramp(0.40, 0.5, q)
    if mesh.kind == "van":
        wide = shape.roof_half_width_m - 0.05 - 0.12 * (s.z - 1.25)
        rear = (s.x < rw1 + 0.12) * band(s.z, 1.24, highest - 0.2, 0.02) * (1 - ramp(wide - 0.02, wide + 0.02, ay))
    elif mesh.kind in ("hatch", "suv"):
        rear = (
            (s.x < rw1) * band(s.z, highest - 0.42, highest - 0.10, 0.02) * band(ay, 0, shape.roof_half_width_m - 0.06, 0.02)
        ) * ramp(0.25, 0.45, -s.normal[:, 0])
    s.paint(rear, _GLASS, 0.06, 1.0)
    if mesh.kind == "van":
        s.paint((s.x < rw1 + 0.02) * band(s.y, -0.012, 0.012, 0.008) * 0.8, _DARK)
    else:
        s.paint(np.exp(-(((s.x - rw1 - 0.03) / 0.025) ** 2)) * band(ay, 0, 0.2) * 0.8, (0.35, 0.03, 0.03))
    rail = band(ay, shape.roof_half_width_m - 0.14, shape.roof_half_width_m - 0.11, 0.01)
    if mesh.kind == "van":  # roof ribs
        s.paint(band(s.x % 0.62, 0.29, 0.33, 0.02) * (s.z > highest - 0.06) * band(ay, 0, 0.62) * (s.x < ws0) * 0.45, (0.10,) * 3)
    else:
        s.paint(
            band(s.x, ws0 - 1.15, ws0 - 0.35, 0.02) * (s.z > highest - 0.12) * band(ay, 0, 0.42, 0.02) * 0.85, _GLASS, 0.06, 1.0
        )
    s.paint(rail * (s.x < ws0) * (s.x > rw1) * (s.z > highest - 0.15) * 0.5, (0.06,) * 3)


def _truck_cab(s: Surface, mesh: Mesh, finish: Finish) -> None:
    f, ay = mesh.half_length_m, np.abs(s.y)
    front, side = ramp(0.5, 0.7, s.normal[:, 0]), ramp(0.7, 0.9, np.abs(s.normal[:, 1]))
    s.paint(front * band(s.z, 1.4, 2.14, 0.03) * (ay < 0.93), _GLASS, 0.06, 1.0)
    s.paint(front * band(s.z, 1.34, 1.41) * (ay < 0.91), (0.02,) * 3)
    s.paint(front * band(s.z, 0.92, 1.22) * (ay < 0.72), _DARK, 0.05, 0.4)
    for z in (1.0, 1.07, 1.14):
        s.paint(front * band(s.z, z - 0.012, z + 0.012, 0.01) * (ay < 0.7), (0.4,) * 3, 0.4, 0.8)
    s.paint(front * band(s.z, 1.24, 1.31) * (ay < 0.28), (0.6, 0.6, 0.62), 0.5, 1)
    s.paint(front * (s.z < 0.78), (0.06, 0.06, 0.065), 0.04, 0.5)
    s.paint(front * band(s.z, 0.62, 0.8, 0.02) * band(ay, 0.6, 0.95, 0.02), _LENS, 0.3, 1.0)
    s.light(np.exp(-(((ay - 0.78) / 0.08) ** 2) - ((s.z - 0.71) / 0.06) ** 2) * front * finish.lamps, (0.6, 0.6, 0.56))
    s.paint(front * band(s.z, 2.2, 2.3) * (ay < 0.82), (0.05,) * 3)
    s.paint(side * band(s.z, 1.4, 2.08, 0.03) * band(s.x, f - 1.2, f - 0.42, 0.02), _GLASS, 0.06, 1.0)
    s.paint(side * (np.abs(s.x - (f - 1.3)) < 0.012) * 0.8, _DARK)
    arch = 1 - ramp(0.5, 0.54, np.hypot(s.x - mesh.wheels_x[0], s.z - mesh.wheel_radius_m))
    s.paint(np.maximum(arch, s.z < 0.45) * side, (0.02,) * 3, 0.03, 0.1)
    s.paint(s.normal[:, 0] < -0.5, (0.15,) * 3)


def _load_box(s: Surface, finish: Finish) -> None:
    ay, low, top, half = np.abs(s.y), 0.92, 2.95, 1.13
    s.paint(1.0, finish.second, 0.04, 0.35)
    rear, side = (s.normal[:, 0] < -0.6).astype(np.float32), (np.abs(s.normal[:, 1]) > 0.7).astype(np.float32)
    s.paint(side * (np.abs((s.x % 1.2) - 0.6) < 0.012) * 0.35, (0.3,) * 3)
    s.paint(band(s.z, low, low + 0.15), (0.25, 0.25, 0.26))
    s.paint(band(s.z, top - 0.09, top + 0.1) * np.clip(side + rear, 0, 1), (0.45, 0.45, 0.46))
    s.paint(rear * (ay > half - 0.1), (0.40, 0.40, 0.41))
    s.paint(rear * band(s.y, -0.02, 0.02, 0.01), (0.04,) * 3)
    for y in (0.4, 0.68):
        s.paint(rear * band(ay, y - 0.022, y + 0.022, 0.01) * band(s.z, low + 0.2, top - 0.15) * 0.5, (0.4, 0.4, 0.41), 0.2, 0.4)
    for z in (1.4, 2.05, 2.65):
        s.paint(rear * band(s.z, z - 0.03, z + 0.03) * band(ay, half - 0.22, half - 0.08), (0.2,) * 3)
    lid = (s.normal[:, 2] > 0.8).astype(np.float32)
    s.paint(lid * (np.abs((s.x % 0.9) - 0.45) < 0.025) * 0.35, (0.15,) * 3)
    s.paint(side * band(s.z, 1.55, 2.4, 0.02) * band(s.x % 2.6, 0.5, 2.1, 0.02) * 0.9, finish.paint)
    lamp = rear * band(s.z, low, low + 0.17) * band(ay, half - 0.46, half - 0.04, 0.01)
    s.paint(lamp, _RED)
    s.light(lamp * finish.lamps, (0.2, 0.0, 0.0))
    stripe = ((s.y + 0.04) * 24 % (2 * np.pi) < np.pi).astype(np.float32)
    s.paint(rear * band(s.z, low + 0.18, low + 0.25) * stripe, (0.7, 0.05, 0.03))
    s.paint(rear * band(s.z, low + 0.18, low + 0.25) * (1 - stripe), (0.75,) * 3)
    s.paint(side * band(s.z, low + 0.03, low + 0.08) * ((s.x % 2) < 0.15), (0.7, 0.35, 0.05))


def _bus_sides(s: Surface, mesh: Mesh, finish: Finish) -> None:
    f = mesh.half_length_m
    side = ramp(0.6, 0.8, np.abs(s.normal[:, 1]))
    s.paint(side * band(s.z, 0.32, 0.95), finish.second)
    s.paint(side * band(s.z, 1.42, 2.6, 0.03) * band(s.x, -f + 0.5, f - 0.3), _GLASS, 0.07, 1.0)
    s.paint(side * band(s.z, 1.42, 2.6) * (np.abs((s.x % 1.45) - 0.7) < 0.045), (0.02,) * 3, 0.03, 0.3)
    s.paint(
        side * band(s.z, 1.5, 2.5) * 0.4 * np.exp(-((((s.x % 0.8) - 0.4) / 0.12) ** 2) - ((s.z - 1.5) / 0.3) ** 2),
        (0.12, 0.10, 0.12),
    )
    for x in (4.6, -0.2):
        door = side * (s.y < 0)
        s.paint(door * band(s.z, 0.45, 2.5) * band(s.x, x - 0.6, x + 0.6), _GLASS, 0.07, 1.0)
        s.paint(door * band(s.z, 0.4, 2.5) * ((np.abs(np.abs(s.x - x) - 0.6) < 0.03) | (np.abs(s.x - x) < 0.03)), (0.05,) * 3)
    for x in mesh.wheels_x:
        s.paint(side * (1 - ramp(0.56, 0.6, np.hypot(s.x - x, s.z - 0.48))), _BLACK, 0.02, 0.05)


def _bus_ends(s: Surface, finish: Finish) -> None:
    ay = np.abs(s.y)
    front, rear = ramp(0.45, 0.65, s.normal[:, 0]), ramp(0.45, 0.65, -s.normal[:, 0])
    s.paint(front * band(s.z, 1.12, 2.52, 0.03) * (ay < 1.17), _GLASS, 0.07, 1.0)
    s.paint(front * band(s.z, 1.12, 1.35) * (ay < 1.1) * 0.6, (0.06,) * 3)
    s.paint(front * 0.6 * np.exp(-(((s.y - 0.55) / 0.22) ** 2) - ((s.z - 1.6) / 0.3) ** 2), (0.16, 0.13, 0.11))
    s.paint(front * band(s.z, 2.58, 2.88) * (ay < 1.0), _BLACK, 0.05, 0.6)
    dots = (np.sin(s.y * 27) + np.sin(s.y * 41 + 1) + np.sin(s.z * 40)) > 0.2
    s.light(front * band(s.z, 2.65, 2.81) * (ay < 0.75) * dots, (0.75, 0.42, 0.05))
    s.paint(front * band(s.z, 0.36, 0.5), (0.05,) * 3)
    s.paint(front * band(s.z, 0.62, 0.84, 0.02) * band(ay, 0.7, 1.12, 0.02), _LENS, 0.3, 1.0)
    s.light(np.exp(-(((ay - 0.9) / 0.1) ** 2) - ((s.z - 0.73) / 0.07) ** 2) * front * finish.lamps, (0.6, 0.6, 0.56))
    # A large rear window, a lower band in the second colour and stacked lamps: a plain back reads as a lorry.
    s.paint(rear * band(s.z, 0.45, 0.95), finish.second)
    s.paint(rear * band(s.z, 1.5, 2.62, 0.03) * (ay < 1.12), _GLASS, 0.07, 1.0)
    s.paint(rear * band(s.z, 1.55, 1.85) * 0.5 * np.exp(-(((s.y % 0.55 - 0.27) / 0.14) ** 2)) * (ay < 1.05), (0.13, 0.10, 0.12))
    s.paint(rear * band(s.z, 0.98, 1.38) * (ay < 0.8) * (0.3 + 0.5 * (np.sin(s.z * 75) > 0)), (0.05,) * 3)
    s.paint(rear * band(s.z, 2.7, 2.9) * (ay < 0.75), _BLACK)
    s.light(rear * band(s.z, 2.75, 2.86) * (ay < 0.45) * dots, (0.7, 0.38, 0.05))
    lamp = rear * band(s.z, 0.85, 1.42, 0.02) * band(ay, 1.0, 1.17, 0.01)
    s.paint(lamp, _RED)
    s.light(lamp * finish.lamps, (0.22, 0.0, 0.0))
    s.paint(rear * band(s.z, 1.15, 1.26) * band(ay, 1.0, 1.17), (0.7, 0.35, 0.05))
    s.paint(rear * band(s.z, 0.36, 0.45), (0.05,) * 3)


def _wheel(s: Surface, mesh: Mesh) -> None:
    s.paint(1.0, (0.018,) * 3, 0.02, 0.1)
    centres = np.array(mesh.wheels_x)
    dx = s.x - centres[np.abs(s.x[:, None] - centres).argmin(1)]
    dz = s.z - mesh.wheel_radius_m
    r, angle = np.hypot(dx, dz) / mesh.wheel_radius_m, np.arctan2(dz, dx)
    s.paint((r < 0.64) * (np.cos(angle * 5) > -0.25) * (r > 0.12) * (s.u < 0.25), (0.36, 0.37, 0.38), 0.3, 0.7)
    s.paint((r < 0.68) * (r > 0.6) * (s.u < 0.3), (0.4, 0.4, 0.41), 0.3, 0.7)
    s.paint((r < 0.16) * (s.u < 0.2), (0.3,) * 3)
