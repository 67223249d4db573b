"""Vehicles to render for training: the simulated camera's bodies with varied dimensions, and the kinds it does not drive.

``random_vehicle`` draws one; its ``form`` is what the type head learns (``traffic.vehicle_types.Form``), its ``color`` the
protocol's colour code of its main paint. Shapes are plain, colours and proportions vary much: no single model is to be
learned.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from actors.simulation import meshes as m
from actors.simulation.materials import Finish
from actors.simulation.meshes import Mesh
from actors.simulation.shapes import CAR_SHAPES, CarShape

Rng = np.random.Generator
Rgb = tuple[float, float, float]
_VARIANTS = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingVehicle:
    """A mesh with its paint; ``form`` names what it is, ``color`` is a protocol code 1..10."""

    mesh: Mesh
    finish: Finish
    form: str
    color: int


# Linear albedo per colour code: (low, high) of the components; a sample lies on a line between them, plus jitter.
_PAINTS: dict[int, tuple[tuple[Rgb, Rgb], ...]] = {
    1: (((0.66, 0.66, 0.64), (0.90, 0.90, 0.89)), ((0.72, 0.70, 0.64), (0.85, 0.84, 0.80))),
    2: (
        ((0.30, 0.30, 0.31), (0.52, 0.53, 0.54)),
        ((0.09, 0.095, 0.10), (0.28, 0.29, 0.30)),
        ((0.26, 0.25, 0.22), (0.46, 0.44, 0.40)),
    ),
    3: (
        ((0.55, 0.36, 0.02), (0.85, 0.62, 0.05)),
        ((0.60, 0.22, 0.01), (0.80, 0.36, 0.03)),
        ((0.7, 0.65, 0.1), (0.8, 0.75, 0.25)),
    ),
    4: (((0.60, 0.05, 0.18), (0.85, 0.22, 0.40)), ((0.75, 0.25, 0.36), (0.85, 0.42, 0.52))),
    5: (((0.30, 0.008, 0.008), (0.62, 0.04, 0.03)), ((0.09, 0.004, 0.006), (0.25, 0.012, 0.02))),
    6: (((0.06, 0.015, 0.11), (0.22, 0.06, 0.36)), ((0.25, 0.12, 0.45), (0.40, 0.22, 0.60))),
    7: (
        ((0.008, 0.07, 0.03), (0.03, 0.26, 0.09)),
        ((0.08, 0.40, 0.08), (0.25, 0.62, 0.20)),
        ((0.03, 0.05, 0.03), (0.10, 0.16, 0.09)),
    ),
    8: (
        ((0.008, 0.03, 0.16), (0.03, 0.12, 0.50)),
        ((0.05, 0.28, 0.55), (0.20, 0.50, 0.80)),
        ((0.012, 0.03, 0.12), (0.03, 0.06, 0.20)),
        ((0.12, 0.20, 0.32), (0.22, 0.34, 0.48)),
    ),
    9: (((0.06, 0.028, 0.012), (0.20, 0.10, 0.05)), ((0.22, 0.15, 0.08), (0.42, 0.31, 0.19))),
    10: (((0.008, 0.008, 0.008), (0.035, 0.035, 0.037)), ((0.01, 0.012, 0.018), (0.025, 0.028, 0.038))),
}  # fmt: skip
_COLOR_SHARE = {1: 4, 2: 4, 3: 2, 4: 1.2, 5: 2.2, 6: 1, 7: 2, 8: 2.6, 9: 1.6, 10: 3.4}


def paint_of(color: int, rng: Rng) -> Rgb:
    """A linear albedo of the colour code."""
    ranges = _PAINTS[color]
    low, high = ranges[int(rng.integers(len(ranges)))]
    t = rng.uniform()
    mixed = (np.array(low) + (np.array(high) - np.array(low)) * t) * rng.normal(1, 0.05, 3)
    red, green, blue = np.clip(mixed, 0.004, 0.95)
    return (float(red), float(green), float(blue))


def random_color(rng: Rng) -> int:
    """A colour code, common ones more often."""
    codes = list(_COLOR_SHARE)
    share = np.array([_COLOR_SHARE[code] for code in codes])
    return int(rng.choice(codes, p=share / share.sum()))


def _stretched(shape: CarShape, length: float, width: float, height: float) -> CarShape:
    def tall(points: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
        return tuple((x * length, z * height) for x, z in points)

    return replace(
        shape,
        length_m=shape.length_m * length,
        half_width_m=shape.half_width_m * width,
        roof_half_width_m=shape.roof_half_width_m * width,
        sill_z=shape.sill_z * height,
        top=tall(shape.top),
        cabin=tall(shape.cabin),
        windscreen=(shape.windscreen[0] * length, shape.windscreen[1] * length),
        rear_window=(shape.rear_window[0] * length, shape.rear_window[1] * length),
        pillars_x=tuple(x * length for x in shape.pillars_x),
        wheels_x=(shape.wheels_x[0] * length, shape.wheels_x[1] * length),
    )


_ESTATE = replace(
    CAR_SHAPES["sedan"],
    top=((-2.3, 0.8), (-2.25, 1.0), (-1.6, 1.0), (0.9, 0.95), (1.3, 0.92), (1.95, 0.82), (2.2, 0.72), (2.3, 0.6)),
    cabin=((-2.25, 1.0), (-1.95, 1.40), (-1.2, 1.48), (-0.1, 1.50), (0.25, 1.44), (1.15, 0.94)),
    rear_window=(-2.25, -1.9),
    pillars_x=(-0.12, -1.1),
)
_MPV = replace(
    CAR_SHAPES["suv"],
    length_m=4.95,
    sill_z=0.25,
    half_width_m=0.95,
    top=((-2.47, 0.9), (-2.42, 1.05), (-1.6, 1.08), (1.0, 1.06), (1.5, 1.02), (2.1, 0.90), (2.35, 0.78), (2.47, 0.62)),
    cabin=((-2.42, 1.06), (-2.2, 1.66), (-1.4, 1.76), (0.0, 1.78), (0.55, 1.70), (1.65, 1.0)),
    windscreen=(0.6, 1.65),
    rear_window=(-2.42, -2.15),
    roof_half_width_m=0.76,
    pillars_x=(0.05, -1.15),
    wheels_x=(-1.55, 1.5),
    wheel_radius_m=0.34,
)
_PICKUP = replace(
    CAR_SHAPES["suv"],
    length_m=5.3,
    sill_z=0.38,
    half_width_m=0.93,
    top=((-2.65, 1.0), (-2.6, 1.08), (-0.6, 1.08), (1.2, 1.10), (1.5, 1.06), (2.2, 1.0), (2.5, 0.88), (2.65, 0.7)),
    cabin=((-0.72, 1.08), (-0.5, 1.62), (-0.1, 1.74), (0.5, 1.76), (0.8, 1.68), (1.55, 1.08)),
    windscreen=(0.85, 1.55),
    rear_window=(-0.72, -0.5),
    roof_half_width_m=0.72,
    pillars_x=(0.35,),
    wheels_x=(-1.6, 1.65),
    wheel_radius_m=0.39,
)
_SMALL_TRUCK_CAB = replace(
    _PICKUP,
    cabin=((0.2, 1.08), (0.3, 1.66), (0.5, 1.80), (0.8, 1.82), (1.0, 1.74), (1.75, 1.08)),
    windscreen=(1.05, 1.75),
    rear_window=(0.2, 0.3),
    pillars_x=(0.5,),
)


def _car_mesh(shape: CarShape, kind: str, extra: tuple[m._Piece, ...] = ()) -> Mesh:
    half, w, r = shape.length_m / 2, shape.half_width_m, shape.wheel_radius_m
    pieces = [m._car_body(shape), m._car_cabin(shape)]
    pieces += [m._wheel(x, side * (w - 0.005), r, 0.2) for x in shape.wheels_x for side in (-1, 1)]
    pieces.append(m._rounded_box(-half + 0.3, half - 0.3, w - 0.12, 0.14, 0.5, 0.05, m.UNDER, n=4, m=10))
    x = shape.windscreen[1] - 0.28
    z = float(m.profile(x, shape.top)) + 0.08
    mirrors = [
        m._rounded_box(x - 0.08, x + 0.1, 0.09, z - 0.06, z + 0.09, 0.05, m.MIRROR, n=4, m=8, y=s * (w + 0.08)) for s in (-1, 1)
    ]
    return m._assemble(kind, [*pieces, *mirrors, *extra], half, w, wheels_x=shape.wheels_x, wheel_radius_m=r, car=shape)


def _box(x0: float, x1: float, w: float, z0: float, z1: float, name: str, y: float = 0.0, r: float = 0.04) -> m._Piece:
    return m._rounded_box(x0, x1, w, z0, z1, min(r, (x1 - x0) / 3, w * 0.9, (z1 - z0) / 2.2), m._flat(name), n=6, m=14, y=y)


def _revolved(x0: float, x1: float, profile: list[tuple[float, float]], z: float, tilt: float, name: str) -> m._Piece:
    """A body of revolution about an axis along x: ``profile`` of (share of the length, radius)."""
    a = np.linspace(0, 2 * np.pi, 25)
    rows = []
    for share, radius in profile:
        x = x0 + (x1 - x0) * share
        rise = (x - (x0 + x1) / 2) * tilt
        rows.append(np.stack([np.full(25, x), radius * np.cos(a), z + rise + radius * np.sin(a)], 1))
    return m._grid(np.array(rows), m._flat(name))


def _walls(x0: float, x1: float, w: float, z0: float, z1: float, name: str, load: str) -> list[m._Piece]:
    """An open load bed: four walls, a floor or load."""
    fill = z0 + (z1 - z0) * 0.35
    return [
        *(_box(x0, x1, 0.05, z0, z1, name, y=s * w) for s in (-1, 1)),
        _box(x0, x0 + 0.1, w, z0, z1, name),
        _box(x1 - 0.1, x1, w, z0, z1, name),
        _box(x0 + 0.05, x1 - 0.05, w - 0.03, z0 - 0.1, fill, load),
    ]


def _truck(rng: Rng, form: str) -> Mesh:
    """Rigid trucks, tractors with trailers, mixers, tankers and tippers, front at +x."""
    length = {
        "light_truck": rng.uniform(5.0, 6.2), "truck": rng.uniform(6.8, 9.8), "tipper": rng.uniform(7.2, 9.5),
        "mixer": rng.uniform(8.0, 9.8), "tanker": rng.uniform(8.0, 13.5), "trailer": rng.uniform(13.0, 16.5),
    }[form]  # fmt: skip
    f, r = length / 2, 0.5 if length > 6.5 else 0.38
    w = 1.2 if length > 6.5 else 0.98
    roof = rng.uniform(2.35, 3.2) if length > 6.5 else rng.uniform(2.05, 2.35)
    cab_length = rng.uniform(1.7, 2.3) if length > 6.5 else rng.uniform(1.5, 1.75)
    pieces = [
        m._rounded_box(f - cab_length, f, w - 0.08, 0.4, roof, 0.14, m.TRUCK_CAB, n=12, taper=0.05, front_slope=0.2, bow=0.1)
    ]
    x0, x1, bed = -f, f - cab_length - rng.uniform(0.1, 0.5), rng.uniform(0.95, 1.25) if length > 6.5 else rng.uniform(0.75, 0.95)
    pieces.append(_box(-f + 0.1, f - 0.6, 0.45, 0.5, bed, "tyre"))
    body = str(rng.choice(["box", "box", "stake", "flat", "curtain"])) if form in ("light_truck", "truck", "trailer") else form
    top = bed + rng.uniform(1.9, 2.6) if length > 6.5 else bed + rng.uniform(1.3, 1.9)
    if body in ("box", "curtain"):
        pieces.append(_box(x0, x1, w, bed, top, "second", r=0.05))
    elif body == "stake":
        high = bed + rng.uniform(0.7, 1.7)
        pieces += _walls(x0, x1, w, bed, high, "second", str(rng.choice(["jeans", "tyre", "metal", "hair", "second"])))
        pieces += [
            _box(x, x + 0.06, 0.09, bed, high + 0.05, "metal", y=s * w) for x in np.arange(x0 + 0.5, x1, 1.1) for s in (-1, 1)
        ]
    elif body == "flat":
        pieces += _walls(x0, x1, w, bed, bed + rng.uniform(0.3, 0.6), "second", str(rng.choice(["metal", "tyre", "jeans"])))
        if rng.uniform() < 0.4:
            pieces.append(
                _box(
                    x0 + 0.5,
                    x1 - 0.6,
                    w * 0.8,
                    bed + 0.2,
                    bed + rng.uniform(0.6, 1.4),
                    str(rng.choice(["jeans", "metal", "helmet", "skin"])),
                )
            )
    elif form == "tipper":
        pieces += _walls(
            x0, x1, w, bed, bed + rng.uniform(1.1, 1.7), "second", str(rng.choice(["skin", "tyre", "jeans", "second"]))
        )
    elif form == "mixer":
        drum = [(0, 0.35), (0.06, 0.65), (0.3, 1.12), (0.62, 1.12), (0.9, 0.75), (1, 0.6), (1.0, 0.0)]
        pieces.append(_revolved(x0 + 0.3, x1, drum, bed + 1.15, -0.12, "second"))
        pieces += [_box(x0, x0 + 0.8, 0.5, bed + 0.9, bed + 2.4, "metal"), _box(x1 - 0.3, x1, 0.7, bed, bed + 1.2, "metal")]
    elif form == "tanker":
        radius = rng.uniform(0.85, 1.1)
        tank = [(0, 0.0), (0.0, radius * 0.85), (0.03, radius), (0.97, radius), (1.0, radius * 0.85), (1.0, 0.0)]
        if rng.uniform() < 0.35:  # powder: two bellies
            tank = [
                (0, 0.2),
                (0.05, radius * 0.8),
                (0.28, radius * 1.1),
                (0.5, radius * 0.9),
                (0.72, radius * 1.1),
                (0.95, radius * 0.8),
                (1, 0.2),
            ]
        pieces.append(_revolved(x0, x1, tank, bed + radius * 0.95, 0.0, str(rng.choice(["second", "second", "metal"]))))
        pieces += [
            _box(x, x + 0.5, 0.25, bed + radius * 1.85, bed + radius * 2.05, "metal") for x in np.arange(x0 + 1.2, x1 - 0.8, 2.0)
        ]
    front = f - 1.3 if length > 6.5 else f - 0.9
    rear = (x0 + 1.0, x0 + 2.2) if form in ("trailer", "mixer", "tipper") else (x0 + 1.3,)
    wheels = [front, *rear]
    if form == "trailer":
        wheels += [x0 + 3.4, f - 4.3]
    pieces += [m._wheel(x, s * (w - 0.06), r, 0.4) for x in wheels for s in (-1, 1)]
    return m._assemble("truck", pieces, f, w, wheels_x=tuple(wheels), wheel_radius_m=r)


def _car_of(kind: str, form_kind: str, low: float, high: float) -> Callable[[Rng], Mesh]:
    def build(rng: Rng) -> Mesh:
        shape = {**CAR_SHAPES, "estate": _ESTATE, "mpv": _MPV}[kind]
        varied = _stretched(shape, rng.uniform(low, high), rng.uniform(0.96, 1.04), rng.uniform(0.95, 1.06))
        extra: tuple[m._Piece, ...] = ()
        if rng.uniform() < 0.04:  # a taxi's sign
            roof = max(z for _, z in varied.cabin)
            extra = (_box(-0.15, 0.1, 0.3, roof, roof + 0.14, "helmet"),)
        return _car_mesh(varied, form_kind, extra)

    return build


def _van(rng: Rng) -> Mesh:
    shape = _stretched(CAR_SHAPES["van"], rng.uniform(0.82, 1.32), rng.uniform(0.92, 1.06), rng.uniform(0.95, 1.28))
    extra: tuple[m._Piece, ...] = ()
    if rng.uniform() < 0.45:  # a panel van
        half, roof = shape.length_m / 2, max(z for _, z in shape.cabin)
        sides = [
            _box(-half + 0.2, shape.pillars_x[0], 0.03, shape.sill_z + 0.75, roof - 0.1, "paint", y=s * shape.half_width_m * 0.93)
            for s in (-1, 1)
        ]
        extra = tuple(sides)
    return _car_mesh(shape, "van", extra)


def _pickup(rng: Rng) -> Mesh:
    shape = _stretched(_PICKUP, rng.uniform(0.93, 1.06), rng.uniform(0.95, 1.05), rng.uniform(0.95, 1.06))
    half, w, rail = shape.length_m / 2, shape.half_width_m, shape.top[2][1]
    extra = [_box(-half + 0.15, shape.cabin[0][0] - 0.05, w * 0.84, rail - 0.2, rail + 0.012, "tyre")]
    luck = rng.uniform()
    if luck < 0.12:
        extra.append(_box(-half + 0.1, shape.cabin[0][0], w * 0.88, rail, rail + 0.6, "paint", r=0.12))
    elif luck < 0.35:
        extra.append(
            _box(
                -half + 0.4,
                shape.cabin[0][0] - 0.4,
                w * 0.7,
                rail - 0.1,
                rail + rng.uniform(0.1, 0.6),
                str(rng.choice(["jeans", "metal", "skin", "second"])),
            )
        )
    elif luck < 0.5:
        extra.append(
            m._limb(
                (shape.cabin[0][0] - 0.2, -w * 0.8, rail + 0.5),
                (shape.cabin[0][0] - 0.2, w * 0.8, rail + 0.5),
                0.04,
                0.04,
                m._flat("metal"),
            )
        )
    return _car_mesh(shape, "suv", tuple(extra))


def _small_truck(rng: Rng) -> Mesh:
    """A bonneted small truck: a car's front with a load box or stake body."""
    shape = _stretched(_SMALL_TRUCK_CAB, rng.uniform(0.9, 1.05), rng.uniform(0.95, 1.02), rng.uniform(0.98, 1.08))
    half, w, rail = shape.length_m / 2, shape.half_width_m, shape.top[2][1]
    if rng.uniform() < 0.5:
        return _car_mesh(
            shape, "suv", (_box(-half - 0.2, shape.cabin[0][0] - 0.05, w + 0.05, 0.75, rng.uniform(1.9, 2.3), "second"),)
        )
    return _car_mesh(
        shape,
        "suv",
        tuple(_walls(-half - 0.2, shape.cabin[0][0] - 0.05, w + 0.05, 0.8, rail + rng.uniform(0.1, 0.7), "second", "jeans")),
    )


def _coach(rng: Rng) -> Mesh:
    """A touring coach: high floor, glass all around above the belt, no roof unit."""
    mesh = m.mesh_of("bus")
    keep = np.flatnonzero(mesh.parts[mesh.faces[:, 0]] != m.TRIM)
    return replace(mesh, faces=mesh.faces[keep])


_FORMS: tuple[tuple[str, float, Callable[[Rng], Mesh]], ...] = (
    ("car", 5, _car_of("sedan", "sedan", 0.93, 1.08)),
    ("car", 3, _car_of("hatch", "hatch", 0.88, 1.06)),
    ("car", 1.5, _car_of("estate", "suv", 0.95, 1.05)),
    ("suv", 5, _car_of("suv", "suv", 0.90, 1.08)),
    ("mpv", 3.5, _car_of("mpv", "suv", 0.85, 1.05)),
    ("van", 5.5, _van),
    ("pickup", 5, _pickup),
    ("bus", 3, lambda rng: m.mesh_of("bus")),
    ("light_truck", 2.5, lambda rng: _truck(rng, "light_truck")),
    ("light_truck", 1.5, _small_truck),
    ("truck", 4, lambda rng: _truck(rng, "truck")),
    ("tipper", 2, lambda rng: _truck(rng, "tipper")),
    ("mixer", 2, lambda rng: _truck(rng, "mixer")),
    ("tanker", 2, lambda rng: _truck(rng, "tanker")),
    ("trailer", 3, lambda rng: _truck(rng, "trailer")),
    ("two_wheeler", 2, lambda rng: m.mesh_of("ebike")),
    ("two_wheeler", 1, lambda rng: m.mesh_of("bicycle")),
)


@lru_cache(maxsize=512)
def _variant(index: int, variant: int) -> Mesh:
    """Building a mesh costs more than rendering it, so each form has a fixed number of variants."""
    return _FORMS[index][2](np.random.default_rng([index, variant]))


def random_vehicle(rng: Rng) -> TrainingVehicle:
    """Draw a vehicle."""
    share = np.array([item[1] for item in _FORMS])
    index = int(rng.choice(len(_FORMS), p=share / share.sum()))
    form = _FORMS[index][0]
    color = random_color(rng)
    paint = paint_of(color, rng)
    heavy = form in ("bus", "light_truck", "truck", "tipper", "mixer", "tanker", "trailer")
    second = paint if not heavy or rng.uniform() < 0.5 else paint_of(random_color(rng), rng)
    plate = str(rng.choice(["blue", "green", "yellow", ""]))
    lamps = float(rng.choice([0.0, 0.7, 1.5]))
    return TrainingVehicle(
        mesh=_variant(index, int(rng.integers(_VARIANTS))),
        finish=Finish(paint, second, plate, lamps),
        form=form,
        color=color if second == paint else 0,
    )


def palette(color: int, count: int, rng: Rng) -> NDArray[np.float64]:
    """``count`` paints of a colour code, (count, 3) linear RGB: to look at."""
    return np.array([paint_of(color, rng) for _ in range(count)])
