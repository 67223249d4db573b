"""Meshes of vehicles and people. Object axes in metres: x forward, y left, z up, origin on the road below the middle."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from actors.simulation.shapes import CAR_SHAPES, CarShape

Floats = NDArray[np.float64]

BODY, CABIN, WHEEL, UNDER, MIRROR, LOAD_BOX, TRUCK_CAB, BUS_BODY, TRIM = range(9)
_SOLID = ("sedan", "hatch", "suv", "van", "truck", "bus", "carton", "sack", "cone")
FLAT = 20  # parts from here on have one colour: FLAT + index into FLAT_COLOURS
FLAT_COLOURS = ("paint", "second", "skin", "hair", "tyre", "metal", "helmet", "jeans", "safety", "cone")


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """Triangles with normals, surface coordinates (0..1) and part numbers per vertex.

    Attributes:
        kind: shape.
        vertices, normals: float64 (n, 3). faces: int64 (m, 3). surface: float64 (n, 2). parts: int64 (n,).
        hull: float64 (k, 3), vertices that are extreme in at least one of many directions: enough for boxes and shadows.
        casters: float64 (j, 3) each, extreme points of what casts a shadow: the hull of a car, every limb of a rider.
        half_length_m, half_width_m: of the body.
        wheels_x, wheel_radius_m: axles.
        car: dimensions of a car body, None for other kinds.
    """

    kind: str
    vertices: Floats
    normals: Floats
    faces: NDArray[np.int64]
    surface: Floats
    parts: NDArray[np.int64]
    hull: Floats
    casters: tuple[Floats, ...]
    half_length_m: float
    half_width_m: float
    wheels_x: tuple[float, ...] = ()
    wheel_radius_m: float = 0.0
    car: CarShape | None = None


@dataclass(slots=True)
class _Piece:
    vertices: Floats
    faces: NDArray[np.int64]
    surface: Floats
    part: int


def profile(x: Floats | float, points: tuple[tuple[float, float], ...]) -> Floats:
    """Piecewise linear profile through ``points``."""
    p = np.array(points)
    return np.interp(x, p[:, 0], p[:, 1])


def _smooth(a: Floats, times: int) -> Floats:
    for _ in range(times):
        b = a.copy()
        b[1:-1] = 0.25 * a[:-2] + 0.5 * a[1:-1] + 0.25 * a[2:]
        a = b
    return a


def _grid(points: Floats, part: int) -> _Piece:
    n, m = points.shape[:2]
    i = np.arange(n * m).reshape(n, m)
    a, b, c, d = i[:-1, :-1].ravel(), i[1:, :-1].ravel(), i[1:, 1:].ravel(), i[:-1, 1:].ravel()
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    t, s = np.meshgrid(np.linspace(0, 1, n), np.linspace(0, 1, m), indexing="ij")
    return _Piece(points.reshape(-1, 3), faces, np.stack([t.ravel(), s.ravel()], 1), part)


def _rounded_box(
    x0: float,
    x1: float,
    w: float,
    z0: float,
    z1: float,
    r: float,
    part: int,
    *,
    n: int = 14,
    m: int = 40,
    taper: float = 0.0,
    front_slope: float = 0.0,
    bow: float = 0.0,
    y: float = 0.0,
) -> _Piece:
    """A box from x0 to x1, half width w, with rounded edges of radius r; superellipse sections."""
    length = x1 - x0
    ends = r * (1 - np.cos(np.linspace(0, np.pi / 2, 7)))
    xs = np.concatenate([[0, 0, 0], ends, np.linspace(r, length - r, n)[1:-1], length - ends[::-1], [length] * 3])

    def inset(d: Floats) -> Floats:
        d = np.clip(d, 0, r)
        return r - np.sqrt(np.maximum(r * r - (r - d) ** 2, 0))

    k = np.maximum(inset(xs), inset(length - xs))
    scale = np.ones(len(xs))
    scale[[0, -1]], scale[[1, -2]] = 0.0, 0.5
    a = np.linspace(0, 2 * np.pi, m * 2 + 1)
    cy = np.sign(np.cos(a)) * np.abs(np.cos(a)) ** 0.16
    cz = np.sign(np.sin(a)) * np.abs(np.sin(a)) ** 0.16
    zm, hz = (z0 + z1) / 2, (z1 - z0) / 2
    yy = cy[None] * ((w - k) * scale)[:, None]
    zz = zm + cz[None] * ((hz - k) * scale)[:, None]
    f = np.clip((zz - z0) / (z1 - z0), 0, 1)
    yy = yy * (1 - taper * f**2)
    along = (xs / length)[:, None]
    xx = x0 + xs[:, None] - along * front_slope * f**1.5
    xx = xx - np.sign(xs - length / 2)[:, None] * bow * (yy / w) ** 2 * np.abs(2 * along - 1) ** 6
    return _grid(np.stack([xx, yy + y, zz], -1)[:, ::-1], part)


def _wheel(x: float, y: float, r: float, width: float, part: int = WHEEL, n: int = 22) -> _Piece:
    a = np.linspace(0, 2 * np.pi, n + 1)
    side = np.sign(y) if y else 1.0
    rows = [(0, 0), (0.0, 0.62), (0.02, 0.66), (0.0, 0.7), (0, 0.95), (0.03, 1), (1, 1), (1, 0)]
    return _grid(
        np.array(
            [np.stack([x + r * q * np.cos(a), np.full(n + 1, y - side * d * width), r + r * q * np.sin(a)], 1) for d, q in rows]
        ),
        part,
    )


def _limb(p: tuple[float, float, float], q: tuple[float, float, float], r0: float, r1: float, part: int, n: int = 12) -> _Piece:
    """A capsule from ``p`` to ``q`` with radii ``r0`` and ``r1``."""
    start, end = np.array(p), np.array(q)
    axis = (end - start) / (np.linalg.norm(end - start) + 1e-9)
    u = np.cross(axis, [0.0, 1.0, 0.0] if abs(axis[1]) < 0.9 else [1.0, 0.0, 0.0])
    u /= np.linalg.norm(u)
    v = np.cross(axis, u)
    a = np.linspace(0, 2 * np.pi, n + 1)
    ring = np.cos(a)[:, None] * u + np.sin(a)[:, None] * v
    rows = []
    for t in np.linspace(-np.pi / 2, 0, 5):
        rows.append(start + axis * r0 * np.sin(t) + ring * r0 * np.cos(t))
    for t in np.linspace(0, np.pi / 2, 5):
        rows.append(end + axis * r1 * np.sin(t) + ring * r1 * np.cos(t))
    return _grid(np.array(rows), part)


def _weld_normals(vertices: Floats, faces: NDArray[np.int64]) -> Floats:
    key = np.round(vertices * 2000).astype(np.int64)
    inverse = np.unique(key, axis=0, return_inverse=True)[1].ravel()
    face_normals = np.cross(vertices[faces[:, 1]] - vertices[faces[:, 0]], vertices[faces[:, 2]] - vertices[faces[:, 0]])
    sums = np.zeros((inverse.max() + 1, 3))
    for k in range(3):
        np.add.at(sums, inverse[faces[:, k]], face_normals)
    normals = sums[inverse]
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-9
    outward = ((vertices - vertices.mean(0)) * normals).sum() >= 0
    return normals if outward else -normals


def _extremes(vertices: Floats) -> Floats:
    """The vertices that reach farthest in one of 1000 directions, spread evenly over the sphere (Fibonacci lattice)."""
    i = np.arange(1000) + 0.5
    z, turn = 1 - 2 * i / len(i), np.pi * (1 + 5**0.5) * i
    directions = np.stack([np.sqrt(1 - z * z) * np.cos(turn), np.sqrt(1 - z * z) * np.sin(turn), z])
    return vertices[np.unique((vertices @ directions).argmax(0))]


def _assemble(kind: str, pieces: list[_Piece], half_length: float, half_width: float, **more: object) -> Mesh:
    vertices = np.concatenate([p.vertices for p in pieces])
    offsets = np.cumsum([0] + [len(p.vertices) for p in pieces[:-1]])
    return Mesh(
        kind,
        vertices,
        np.concatenate([_weld_normals(p.vertices, p.faces) for p in pieces]),
        np.concatenate([p.faces + o for p, o in zip(pieces, offsets, strict=True)]),
        np.concatenate([p.surface for p in pieces]),
        np.concatenate([np.full(len(p.vertices), p.part) for p in pieces]),
        _extremes(vertices),
        (_extremes(vertices),) if kind in _SOLID else tuple(_extremes(p.vertices) for p in pieces),
        half_length,
        half_width,
        **more,  # type: ignore[arg-type]
    )


def _car_body(shape: CarShape) -> _Piece:
    half, w, sill, n = shape.length_m / 2, shape.half_width_m, shape.sill_z, 64
    x = -np.cos(np.linspace(0, np.pi, n)) * half
    top = _smooth(profile(x, shape.top), 1)
    bottom = sill + 0.05 * np.clip((np.abs(x) - (half - 0.5)) / 0.5, 0, 1) ** 2
    wx = w * (1 - 0.10 * np.clip((np.abs(x) - (half - 0.9)) / 0.9, 0, 1) ** 2.2)
    sec = np.array(
        [
            (0, 0),
            (0.6, 0),
            (0.9, 0.01),
            (0.96, 0.06),
            (0.985, 0.2),
            (1, 0.42),
            (1, 0.55),
            (0.985, 0.72),
            (0.965, 0.84),
            (0.94, 0.92),
            (0.90, 0.965),
            (0.8, 0.985),
            (0.5, 1.0),
            (0, 1.01),
        ]
    )
    d = np.r_[0, np.cumsum(np.linalg.norm(np.diff(sec, axis=0) * [w, 0.75], axis=1))]
    q = np.linspace(0, d[-1], 26)
    sec = _smooth(np.stack([np.interp(q, d, sec[:, 0]), np.interp(q, d, sec[:, 1])], 1), 1)
    full = np.concatenate([sec, (sec * [-1, 1])[::-1][1:]])

    def row(i: int, scale: float) -> Floats:
        y, z = full[:, 0] * wx[i], bottom[i] + full[:, 1] * (top[i] - bottom[i])
        middle = 0.5 * (top[i] + bottom[i])
        bend = np.sign(x[i]) * 0.20 * (abs(x[i]) / half) ** 6 * (y * scale / w) ** 2
        return np.stack([x[i] - bend, y * scale, middle + (z - middle) * scale], 1)

    caps = (0.0, 0.3, 0.6, 0.85, 0.95)
    rows = [row(0, s) for s in caps] + [row(i, 1.0) for i in range(1, n - 1)] + [row(n - 1, s) for s in caps[::-1]]
    return _grid(np.array(rows), BODY)


def _car_cabin(shape: CarShape) -> _Piece:
    x0, x1, w = shape.cabin[0][0], shape.cabin[-1][0], shape.half_width_m
    xs = np.linspace(x0, x1, 54)
    belt = profile(xs, shape.top) - 0.04
    roof = np.maximum(_smooth(profile(xs, shape.cabin), 3), belt + 0.005)
    highest = max(p[1] for p in shape.cabin)
    centre, span = (x0 + x1) / 2, (x1 - x0) / 2
    rows = []
    for x, zb, zt in zip(xs, belt, roof, strict=True):
        h = zt - zb
        rise = min(h / (highest - zb), 1.0)
        low = 0.95 * w * (1 - 0.04 * ((x - centre) / span) ** 4)
        up = low + (shape.roof_half_width_m - low) * rise
        s = np.array(
            [
                (low, 0),
                ((low + up) / 2 + 0.02 * rise, 0.5),
                (up + 0.015, 0.86),
                (up - 0.01, 0.93),
                (up - 0.06, 0.975),
                (up - 0.16, 1.0),
                (up * 0.5, 1.015),
                (0, 1.02),
            ]
        )
        q = np.linspace(0, 7, 27)
        y, z = np.interp(q, range(8), s[:, 0]), zb + h * np.interp(q, range(8), s[:, 1])
        y, z = np.r_[y, -y[::-1][1:]], np.r_[z, z[::-1][1:]]
        bend = np.sign(x - centre) * 0.18 * (y / w) ** 2 * min(abs(x - centre) / span, 1.0) ** 3
        rows.append(np.stack([x - bend, y, z], 1))
    return _grid(np.array(rows), CABIN)


def _car(kind: str) -> Mesh:
    shape = CAR_SHAPES[kind]
    half, w, r = shape.length_m / 2, shape.half_width_m, shape.wheel_radius_m
    pieces = [_car_body(shape), _car_cabin(shape)]
    pieces += [_wheel(x, side * (w - 0.005), r, 0.2) for x in shape.wheels_x for side in (-1, 1)]
    x = shape.windscreen[1] - 0.28
    z = float(profile(x, shape.top)) + 0.08
    pieces += [
        _rounded_box(x - 0.08, x + 0.1, 0.09, z - 0.06, z + 0.09, 0.05, MIRROR, n=4, m=8, y=s * (w + 0.08)) for s in (-1, 1)
    ]
    pieces.append(_rounded_box(-half + 0.3, half - 0.3, w - 0.12, 0.14, 0.5, 0.05, UNDER, n=4, m=10))
    return _assemble(kind, pieces, half, w, wheels_x=shape.wheels_x, wheel_radius_m=r, car=shape)


def _truck() -> Mesh:
    f, r = 3.5, 0.42
    pieces = [
        _rounded_box(f - 1.75, f, 1.03, 0.35, 2.42, 0.14, TRUCK_CAB, n=12, taper=0.05, front_slope=0.25, bow=0.12),
        _rounded_box(-f, f - 1.85, 1.13, 0.92, 2.95, 0.035, LOAD_BOX, n=16),
        _rounded_box(-f + 0.05, f - 0.6, 0.45, 0.5, 0.95, 0.03, UNDER, n=4, m=8),
        _rounded_box(-f + 0.02, -f + 0.12, 1.05, 0.40, 0.54, 0.03, TRIM, n=4, m=10),
    ]
    wheels = (f - 1.0, -f + 1.25)
    pieces += [_wheel(x, s * 1.07, r, 0.45) for x in wheels for s in (-1, 1)]
    for s in (-1, 1):
        pieces.append(_rounded_box(f - 0.35, f - 0.2, 0.09, 1.5, 2.0, 0.04, MIRROR, n=4, m=8, y=s * 1.22))
        pieces.append(_rounded_box(-f + 1.95, f - 2.0, 0.03, 0.42, 0.85, 0.02, TRIM, n=4, m=8, y=s * 1.03))
    return _assemble("truck", pieces, f, 1.13, wheels_x=wheels, wheel_radius_m=r)


def _bus() -> Mesh:
    f, wheels = 5.8, (3.2, -2.9)
    pieces = [
        _rounded_box(-f, f, 1.26, 0.32, 3.1, 0.16, BUS_BODY, n=40, m=48, taper=0.04, front_slope=0.12, bow=0.10),
        _rounded_box(-3.5, 1.5, 0.8, 3.0, 3.3, 0.08, TRIM, n=6, m=12),
    ]
    pieces += [_wheel(x, s * 1.262, 0.48, 0.3) for x in wheels for s in (-1, 1)]
    pieces += [_rounded_box(f - 0.05, f + 0.12, 0.1, 2.0, 2.5, 0.04, MIRROR, n=4, m=8, y=s * 1.4) for s in (-1, 1)]
    return _assemble("bus", pieces, f, 1.26, wheels_x=wheels, wheel_radius_m=0.48)


def _flat(name: str) -> int:
    return FLAT + FLAT_COLOURS.index(name)


def _rider(
    seat_x: float, seat_z: float, bar_x: float, bar_z: float, foot_x: float, foot_z: float, *, helmet: bool
) -> list[_Piece]:
    paint, skin, leg = _flat("second"), _flat("skin"), _flat("jeans")
    shoulder = (seat_x + 0.14, seat_z + 0.56)
    pieces = [
        _limb((seat_x, 0, seat_z + 0.1), (shoulder[0], 0, shoulder[1] - 0.12), 0.16, 0.18, paint),
        _limb((shoulder[0], -0.16, shoulder[1] - 0.02), (shoulder[0], 0.16, shoulder[1] - 0.02), 0.085, 0.085, paint),
        _limb(
            (shoulder[0] + 0.05, 0, shoulder[1] + 0.2),
            (shoulder[0] + 0.06, 0, shoulder[1] + 0.28),
            0.12,
            0.12,
            _flat("helmet" if helmet else "hair"),
        ),
        _limb((shoulder[0] + 0.10, 0, shoulder[1] + 0.15), (shoulder[0] + 0.11, 0, shoulder[1] + 0.2), 0.09, 0.09, skin),
    ]
    for s in (-1, 1):
        elbow = ((shoulder[0] + bar_x) / 2, s * 0.27, (shoulder[1] + bar_z) / 2 - 0.05)
        pieces.append(_limb((shoulder[0], s * 0.2, shoulder[1]), elbow, 0.07, 0.055, paint))
        pieces.append(_limb(elbow, (bar_x, s * 0.26, bar_z), 0.055, 0.045, skin))
        knee = ((seat_x + foot_x) / 2 + 0.22, s * 0.24, seat_z - 0.04)
        pieces.append(_limb((seat_x, s * 0.11, seat_z + 0.05), knee, 0.1, 0.08, leg))
        pieces.append(_limb(knee, (foot_x, s * 0.2, foot_z), 0.075, 0.055, leg))
        heel, toe = (foot_x - 0.1, s * 0.2, foot_z - 0.04), (foot_x + 0.1, s * 0.2, foot_z - 0.05)
        pieces.append(_limb(heel, toe, 0.05, 0.045, _flat("hair")))
    return pieces


def _ebike() -> Mesh:
    paint, tyre, metal = _flat("paint"), _flat("tyre"), _flat("metal")
    pieces = [_wheel(x, 0.05, 0.27, 0.1, tyre, 20) for x in (-0.64, 0.64)]
    pieces += [
        _rounded_box(-0.72, -0.12, 0.12, 0.45, 0.72, 0.09, paint, n=5, m=8),
        _rounded_box(-0.15, 0.4, 0.13, 0.28, 0.35, 0.03, tyre, n=4, m=6),
        _rounded_box(0.36, 0.48, 0.17, 0.35, 0.98, 0.06, paint, n=4, m=8, front_slope=0.12),
        _rounded_box(-0.74, 0.0, 0.12, 0.70, 0.80, 0.04, tyre, n=5, m=8),
        _limb((0.34, -0.36, 1.06), (0.34, 0.36, 1.06), 0.025, 0.025, tyre),
        _limb((-0.78, -0.07, 0.66), (-0.78, 0.07, 0.66), 0.05, 0.05, _flat("helmet")),
        _limb((-0.80, 0.0, 0.34), (-0.86, 0.0, 0.52), 0.06, 0.07, tyre),
    ]
    for s in (-1, 1):
        pieces.append(_limb((0.34, s * 0.3, 1.07), (0.34, s * 0.42, 1.26), 0.012, 0.012, metal, 8))
        pieces.append(_limb((0.34, s * 0.39, 1.28), (0.34, s * 0.47, 1.28), 0.045, 0.045, tyre, 8))
    pieces += _rider(-0.28, 0.80, 0.32, 1.05, 0.16, 0.38, helmet=True)
    return _assemble("ebike", pieces, 0.9, 0.33)


def _bicycle() -> Mesh:
    paint, tyre = _flat("paint"), _flat("tyre")
    pieces = [_wheel(x, 0.02, 0.33, 0.045, tyre, 20) for x in (-0.53, 0.53)]
    bars = (
        ((-0.53, 0.33), (-0.12, 0.72)),
        ((-0.12, 0.72), (0.38, 0.78)),
        ((0.38, 0.78), (0.0, 0.3)),
        ((-0.12, 0.72), (0.0, 0.3)),
        ((-0.53, 0.33), (0.0, 0.3)),
        ((0.53, 0.33), (0.36, 0.95)),
    )
    pieces += [_limb((a[0], 0, a[1]), (b[0], 0, b[1]), 0.025, 0.025, paint, 8) for a, b in bars]
    pieces.append(_limb((0.32, -0.28, 1.0), (0.32, 0.28, 1.0), 0.022, 0.022, _flat("metal"), 8))
    pieces += _rider(-0.16, 0.85, 0.3, 1.0, 0.05, 0.25, helmet=False)
    return _assemble("bicycle", pieces, 0.87, 0.3)


def _person(phase: int, kind: str = "person") -> Mesh:
    """A walker; ``phase`` 0..3 of the step; a ``worker`` wears a safety helmet."""
    swing = 0.36 * np.sin(phase * np.pi / 2)
    coat, legs, skin = _flat("paint"), _flat("second"), _flat("skin")
    pieces = [
        _limb((0, 0.0, 0.98), (0.02, 0, 1.33), 0.16, 0.19, coat),
        _limb((0.02, -0.14, 1.38), (0.02, 0.14, 1.38), 0.09, 0.09, coat),
        _limb((0.03, 0, 1.50), (0.04, 0, 1.60), 0.075, 0.10, skin),
        _limb((0.02, 0, 1.62), (0.02, 0, 1.65), 0.105, 0.10, _flat("hair")),
    ]
    if kind == "worker":  # a shell over the hair, with a brim
        pieces[-1] = _limb((0.02, 0, 1.635), (0.02, 0, 1.67), 0.135, 0.13, _flat("safety"))
        pieces.append(_rounded_box(-0.13, 0.22, 0.13, 1.60, 1.63, 0.012, _flat("safety"), n=5, m=8))
    for s in (-1, 1):
        a = swing * s
        bent = 0.12 * abs(np.cos(phase * np.pi / 2)) if s > 0 else 0.0
        knee = (0.45 * np.sin(a) + bent, s * 0.1, 0.94 - 0.45 * np.cos(a))
        foot = (knee[0] + 0.42 * np.sin(a) - bent * 1.4, s * 0.1, max(0.07, knee[2] - 0.43 * np.cos(a)))
        pieces += [_limb((0, s * 0.09, 0.95), knee, 0.10, 0.075, legs), _limb(knee, foot, 0.07, 0.05, legs)]
        pieces.append(_limb(foot, (foot[0] + 0.15, foot[1], 0.05), 0.05, 0.04, _flat("hair")))
        elbow = (-0.28 * np.sin(a), s * 0.24, 1.12)
        pieces += [_limb((0.02, s * 0.21, 1.38), elbow, 0.065, 0.055, coat)]
        pieces.append(_limb(elbow, (elbow[0] + 0.14 - 0.1 * np.sin(a), s * 0.23, 0.88), 0.05, 0.045, coat))
    return _assemble(f"{kind}{phase}", pieces, 0.35, 0.28)


def _cone() -> Mesh:
    """A traffic cone of 0.75 m on its square foot."""
    a = np.linspace(0, 2 * np.pi, 25)
    ring = np.stack([np.cos(a), np.sin(a)], 1)
    rows = [(0.15, 0.04), (0.14, 0.12), (0.115, 0.26), (0.09, 0.41), (0.065, 0.56), (0.04, 0.70), (0.03, 0.75), (0.0, 0.75)]
    body = np.array([np.c_[ring * r, np.full(len(a), z)] for r, z in rows])
    foot = _rounded_box(-0.2, 0.2, 0.2, 0.0, 0.05, 0.02, _flat("tyre"), n=4, m=8)
    return _assemble("cone", [foot, _grid(body, _flat("cone"))], 0.2, 0.2)


def _lost_tyre() -> Mesh:
    """A truck's tyre lying on its side."""
    a = np.linspace(0, 2 * np.pi, 25)
    tube = [(0.5 + 0.13 * np.cos(t), 0.14 + 0.14 * np.sin(t)) for t in np.linspace(0, 2 * np.pi, 13)]
    rows = np.array([np.stack([r * np.cos(a), r * np.sin(a), np.full(len(a), z)], 1) for r, z in tube])
    return _assemble("lost_tyre", [_grid(rows[:, ::-1], _flat("tyre"))], 0.63, 0.63)


def _carton() -> Mesh:
    pieces = [_rounded_box(-0.35, 0.35, 0.27, 0.0, 0.45, 0.02, _flat("paint"), n=6, m=12)]
    pieces.append(_rounded_box(-0.36, 0.36, 0.03, 0.44, 0.456, 0.005, _flat("second"), n=4, m=6))
    return _assemble("carton", pieces, 0.36, 0.27)


def _sack() -> Mesh:
    pieces = [_rounded_box(-0.5, 0.5, 0.33, 0.0, 0.32, 0.15, _flat("paint"), n=10, m=20)]
    pieces.append(_limb((0.45, 0.0, 0.18), (0.6, 0.05, 0.22), 0.07, 0.1, _flat("second")))
    return _assemble("sack", pieces, 0.6, 0.33)


@lru_cache(maxsize=32)
def mesh_of(kind: str) -> Mesh:
    """The mesh of a kind:
    ``sedan``, ``hatch``, ``suv``, ``van``, ``truck``, ``bus``, ``ebike``, ``bicycle``, ``person0`` … ``person3``,
    ``worker0`` … ``worker3``, ``cone``, ``carton``, ``sack``, ``lost_tyre``."""
    if kind in CAR_SHAPES:
        return _car(kind)
    for walker in ("person", "worker"):
        if kind.startswith(walker):
            return _person(int(kind.removeprefix(walker)), walker)
    makers = {"truck": _truck, "bus": _bus, "ebike": _ebike, "bicycle": _bicycle}
    makers |= {"cone": _cone, "carton": _carton, "sack": _sack, "lost_tyre": _lost_tyre}
    return makers[kind]()
