"""From what a vehicle looks like, its detector class and its length to a code of the protocol's type table.

Networks tell forms (``Form``); lengths come from the calibration. Length classes: a passenger vehicle of 6 m or more is a
large one and a goods vehicle under 6 m a light one by GA 802-2019 (types of motor vehicles) and JT/T 489-2019 (toll classes);
GB 1589-2016 allows 8 m to a two-axle lorry of up to 12 t and 9 m above, so 8 m divides medium from heavier ones. The table of
the protocol has mini, medium, large and heavy (no light): under 6 m is sent as mini, 11 m and more as heavy.
"""

from collections.abc import Sequence
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from traffic.types import ObjectClass
from traffic.vehicle_codes import VehicleType

Scores = NDArray[np.float64]


class Form(IntEnum):
    """What a vehicle looks like, finer than a detector's classes and coarser than the protocol's types."""

    CAR = 0  # saloon, hatchback, estate
    SUV = 1
    MPV = 2
    VAN = 3  # minibus or panel van
    PICKUP = 4
    BUS = 5
    LIGHT_TRUCK = 6
    TRUCK = 7
    TIPPER = 8
    MIXER = 9
    TANKER = 10
    TRAILER = 11
    TWO_WHEELER = 12


FORMS = len(Form)
# Share of each form among what the detector calls so, as judged from the clips; the order is Form's.
_PRIOR: dict[ObjectClass, tuple[float, ...]] = {
    ObjectClass.CAR: (0.50, 0.17, 0.08, 0.12, 0.07, 0.01, 0.02, 0.01, 0.002, 0.002, 0.002, 0.002, 0.004),
    ObjectClass.BUS: (0.01, 0.01, 0.02, 0.20, 0.01, 0.55, 0.06, 0.05, 0.01, 0.01, 0.03, 0.03, 0.001),
    ObjectClass.TRUCK: (0.01, 0.02, 0.01, 0.14, 0.14, 0.03, 0.20, 0.20, 0.06, 0.04, 0.05, 0.09, 0.002),
}
_COARSE: dict[ObjectClass, VehicleType] = {
    ObjectClass.CAR: VehicleType.CAR,
    ObjectClass.BUS: VehicleType.BUS,
    ObjectClass.TRUCK: VehicleType.LARGE_TRUCK,
}
_PLAIN: dict[Form, VehicleType] = {
    Form.CAR: VehicleType.CAR,
    Form.SUV: VehicleType.SUV,
    Form.MPV: VehicleType.MPV,
    Form.PICKUP: VehicleType.PICKUP,
    Form.TIPPER: VehicleType.TIPPER,
    Form.MIXER: VehicleType.MIXER,
    Form.TANKER: VehicleType.TANKER,
    Form.TRAILER: VehicleType.TRAILER,
}
_SMALL_M, _MEDIUM_M, _HEAVY_M = 6.0, 8.0, 11.0
_LONGEST_CAR_M, _SHORTEST_BUS_M, _SHORTEST_TRAILER_M = 6.5, 4.8, 9.0
# A form is believed over the coarse class from these probabilities on. Rare bodies were learned from drawings only.
_MIN_SHARE = 0.5
_MIN_RARE_SHARE = 0.7
# No car of the tuning half of our labels came above 0.24 as an SUV (docs/benchmarks.md); both are cars to most receivers.
_MIN_SUV_SHARE = 0.28
_RARE = frozenset({Form.MPV, Form.PICKUP, Form.TIPPER, Form.MIXER, Form.TANKER})


def form_shares(crops: Sequence[Scores], object_class: ObjectClass, length_m: float | None = None) -> Scores:
    """Probability of each form of a vehicle, (forms,), sum 1: its crops averaged, weighted by what the detector says, and forms
    that its length rules out left out.

    Args:
        crops: (forms,) positive scores of each crop. object_class: voted along the track. length_m: None: not measured.
    """
    mean = np.exp(np.mean(np.log(np.maximum(np.asarray(crops, np.float64), 1e-6)), axis=0))
    weighted = mean * np.array(_PRIOR.get(object_class, (1.0,) * FORMS))
    if length_m is not None:
        weighted = weighted * _possible(length_m)
    total = float(weighted.sum())
    return np.asarray(weighted / total) if total > 0 else np.full(FORMS, 1 / FORMS)


def decide_type(shares: Scores, object_class: ObjectClass, length_m: float | None = None) -> tuple[VehicleType, float]:
    """The code to send and how sure it is, 0..1.

    Two-wheelers, people and anything but cars, buses and trucks have no code: UNKNOWN. A vehicle whose form is not sure gets the
    code of its coarse class (car 1, bus 9, truck by its length, else 12), which is right for most receivers' purposes;
    its confidence is the share of all forms that such a code covers.
    """
    coarse = _COARSE.get(object_class)
    if coarse is None:
        return VehicleType.UNKNOWN, 0.0
    best = Form(int(shares.argmax()))
    share = float(shares[best])
    suv = float(shares[Form.SUV])
    if best in (Form.CAR, Form.SUV) and suv >= _MIN_SUV_SHARE:
        return VehicleType.SUV, suv
    if best is Form.TWO_WHEELER or share < (_MIN_RARE_SHARE if best in _RARE else _MIN_SHARE):
        return _coarse(object_class, coarse, length_m), _covered(shares, object_class)
    return _by_length(best, length_m), share


def coarse_type(object_class: ObjectClass, length_m: float | None = None) -> VehicleType:
    """The code of a vehicle of which there is no picture: by its detector class and length; UNKNOWN for what has no code."""
    code = _COARSE.get(object_class)
    return VehicleType.UNKNOWN if code is None else _coarse(object_class, code, length_m)


def _coarse(object_class: ObjectClass, code: VehicleType, length_m: float | None) -> VehicleType:
    if object_class is ObjectClass.TRUCK and length_m is not None:
        return _truck(length_m)
    if object_class is ObjectClass.BUS and length_m is not None and length_m < _SMALL_M:
        return VehicleType.SMALL_COACH
    return code


def _covered(shares: Scores, object_class: ObjectClass) -> float:
    covered = {
        ObjectClass.CAR: (Form.CAR, Form.SUV, Form.MPV),
        ObjectClass.BUS: (Form.BUS,),
        ObjectClass.TRUCK: (Form.TRUCK, Form.LIGHT_TRUCK, Form.TIPPER, Form.MIXER, Form.TANKER, Form.TRAILER),
    }[object_class]
    return float(shares[list(covered)].sum())


def _by_length(form: Form, length_m: float | None) -> VehicleType:
    if form in _PLAIN:
        return _PLAIN[form]
    if form is Form.VAN:
        return VehicleType.MEDIUM_COACH if length_m is not None and length_m >= _SMALL_M else VehicleType.SMALL_COACH
    if form is Form.BUS:
        if length_m is None or length_m >= _MEDIUM_M:
            return VehicleType.BUS
        return VehicleType.MEDIUM_COACH if length_m >= _SMALL_M else VehicleType.SMALL_COACH
    if length_m is None:
        return VehicleType.MINI_TRUCK if form is Form.LIGHT_TRUCK else VehicleType.LARGE_TRUCK
    return _truck(length_m)


def _truck(length_m: float) -> VehicleType:
    if length_m < _SMALL_M:
        return VehicleType.MINI_TRUCK
    if length_m < _MEDIUM_M:
        return VehicleType.MEDIUM_TRUCK
    return VehicleType.LARGE_TRUCK if length_m < _HEAVY_M else VehicleType.HEAVY_TRUCK


def _possible(length_m: float) -> Scores:
    """1 for forms that may be so long, a small share for others: lengths have errors of their own."""
    allowed = np.ones(FORMS)
    if length_m > _LONGEST_CAR_M:
        allowed[[Form.CAR, Form.SUV, Form.MPV, Form.PICKUP]] = 0.02
    if length_m < _SHORTEST_BUS_M:
        allowed[[Form.BUS, Form.TRUCK, Form.TIPPER, Form.MIXER, Form.TANKER]] = 0.02
    if length_m < _SHORTEST_TRAILER_M:
        allowed[Form.TRAILER] = 0.02
    return allowed
