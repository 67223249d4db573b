"""Dimensions of the car bodies, metres, in object axes (x forward, z up)."""

from dataclasses import dataclass

Profile = tuple[tuple[float, float], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class CarShape:
    """Side profiles and key positions of one body.

    Attributes:
        top: height of bonnet, belt and boot along x.
        cabin: height of the glass house along x.
        windscreen, rear_window: x of their edges (upper and lower, lower and upper).
        pillars_x: x of the pillars between side windows.
    """

    length_m: float
    half_width_m: float
    sill_z: float
    top: Profile
    cabin: Profile
    windscreen: tuple[float, float]
    rear_window: tuple[float, float]
    roof_half_width_m: float
    pillars_x: tuple[float, ...]
    wheels_x: tuple[float, float]
    wheel_radius_m: float


CAR_SHAPES = {
    "sedan": CarShape(
        length_m=4.6,
        half_width_m=0.91,
        sill_z=0.24,
        top=(
            (-2.3, 0.80),
            (-2.2, 0.95),
            (-1.6, 1.0),
            (-0.8, 0.97),
            (0.9, 0.93),
            (1.3, 0.90),
            (1.95, 0.80),
            (2.2, 0.70),
            (2.3, 0.60),
        ),
        cabin=((-1.85, 0.97), (-1.05, 1.38), (-0.6, 1.45), (-0.1, 1.47), (0.25, 1.42), (1.15, 0.92)),
        windscreen=(0.28, 1.15),
        rear_window=(-1.85, -0.95),
        roof_half_width_m=0.66,
        pillars_x=(-0.12,),
        wheels_x=(-1.36, 1.38),
        wheel_radius_m=0.33,
    ),
    "hatch": CarShape(
        length_m=4.05,
        half_width_m=0.88,
        sill_z=0.24,
        top=((-2.02, 0.80), (-1.95, 0.98), (-1.6, 1.0), (0.8, 0.95), (1.15, 0.92), (1.7, 0.82), (1.95, 0.72), (2.02, 0.6)),
        cabin=((-1.95, 1.0), (-1.6, 1.42), (-0.9, 1.5), (-0.1, 1.52), (0.2, 1.46), (1.1, 0.93)),
        windscreen=(0.25, 1.1),
        rear_window=(-1.95, -1.55),
        roof_half_width_m=0.66,
        pillars_x=(-0.2,),
        wheels_x=(-1.22, 1.24),
        wheel_radius_m=0.32,
    ),
    "suv": CarShape(
        length_m=4.65,
        half_width_m=0.95,
        sill_z=0.3,
        top=((-2.32, 0.9), (-2.25, 1.08), (-1.6, 1.12), (0.9, 1.07), (1.2, 1.04), (1.9, 0.96), (2.2, 0.85), (2.32, 0.7)),
        cabin=((-2.22, 1.1), (-1.85, 1.6), (-1.2, 1.68), (-0.1, 1.7), (0.25, 1.64), (1.1, 1.05)),
        windscreen=(0.3, 1.1),
        rear_window=(-2.22, -1.8),
        roof_half_width_m=0.74,
        pillars_x=(-0.15, -1.2),
        wheels_x=(-1.38, 1.42),
        wheel_radius_m=0.37,
    ),
    "van": CarShape(
        length_m=5.2,
        half_width_m=0.98,
        sill_z=0.3,
        top=((-2.6, 1.0), (-2.55, 1.1), (-1.6, 1.12), (1.2, 1.12), (1.65, 1.1), (2.2, 1.0), (2.5, 0.85), (2.6, 0.7)),
        cabin=((-2.57, 1.1), (-2.5, 1.93), (-2.1, 1.99), (0, 2.0), (0.85, 1.96), (1.05, 1.86), (1.85, 1.08)),
        windscreen=(1.0, 1.85),
        rear_window=(-2.57, -2.46),
        roof_half_width_m=0.84,
        pillars_x=(0.35, -0.95),
        wheels_x=(-1.5, 1.62),
        wheel_radius_m=0.35,
    ),
}
