"""Usual outer dimensions of road users, the prior of every size estimate."""

from dataclasses import dataclass

from traffic.types import ObjectClass


@dataclass(frozen=True, slots=True)
class Dimensions:
    """Length, width, height in metres and the standard deviations of their spread in traffic."""

    length_m: float
    width_m: float
    height_m: float
    length_std_m: float
    width_std_m: float
    height_std_m: float


# Means of common passenger and commercial vehicles; legal limits (12 m rigid, 2.55 m wide, 4 m high) bound the upper end.
# Trucks mix vans, rigid trucks and articulated ones, hence the wide length.
_USUAL = {
    ObjectClass.PERSON: Dimensions(0.5, 0.5, 1.7, 0.2, 0.1, 0.15),
    ObjectClass.BICYCLE: Dimensions(1.75, 0.6, 1.7, 0.15, 0.1, 0.15),
    ObjectClass.CAR: Dimensions(4.5, 1.8, 1.52, 0.45, 0.1, 0.15),
    ObjectClass.MOTORCYCLE: Dimensions(2.05, 0.8, 1.6, 0.25, 0.12, 0.2),
    ObjectClass.BUS: Dimensions(11.0, 2.5, 3.1, 2.0, 0.12, 0.3),
    ObjectClass.TRUCK: Dimensions(8.0, 2.4, 3.0, 3.0, 0.25, 0.6),
}


def usual_dimensions(object_class: ObjectClass) -> Dimensions:
    """The usual dimensions of ``object_class``."""
    return _USUAL[object_class]
