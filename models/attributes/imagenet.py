"""Which ImageNet classes say what form of vehicle: the zero-shot half of type recognition. Indices of ILSVRC 2012."""

import numpy as np
from numpy.typing import NDArray

from traffic.vehicle_codes import VehicleType
from traffic.vehicle_types import FORMS, Form

# (index, name) of each class; docs/attributes.md publishes the table.
FORM_CLASSES: dict[Form, tuple[tuple[int, str], ...]] = {
    Form.CAR: (
        (468, "cab"), (817, "sports car"), (511, "convertible"), (627, "limousine"), (751, "racer"), (436, "beach wagon"),
    ),
    Form.SUV: ((609, "jeep"),),
    Form.MPV: ((656, "minivan"),),
    Form.VAN: ((654, "minibus"), (734, "police van"), (407, "ambulance"), (757, "recreational vehicle")),
    Form.PICKUP: ((717, "pickup"), (864, "tow truck")),
    Form.BUS: ((874, "trolleybus"), (779, "school bus"), (829, "streetcar"), (705, "passenger car")),
    Form.LIGHT_TRUCK: ((675, "moving van"),),
    Form.TRUCK: ((569, "garbage truck"), (555, "fire engine"), (675, "moving van")),
    Form.TIPPER: ((569, "garbage truck"),),
    Form.MIXER: (),
    Form.TANKER: (),
    Form.TRAILER: ((867, "trailer truck"),),
    Form.TWO_WHEELER: ((665, "moped"), (670, "motor scooter"), (671, "mountain bike"), (444, "bicycle-built-for-two")),
}  # fmt: skip
_FLOOR = 0.01  # share given to every form, so that a network that sees a toaster rules nothing out


def form_evidence(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """ImageNet logits (n, 1000) → relative evidence (n, forms), rows sum to 1."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    shares = np.exp(shifted)
    shares /= shares.sum(axis=1, keepdims=True)
    evidence = np.full((len(shares), FORMS), _FLOOR)
    for form, classes in FORM_CLASSES.items():
        for index, _ in classes:
            evidence[:, form] += shares[:, index]
    return np.asarray(evidence / evidence.sum(axis=1, keepdims=True))


# Types with a class of their own. Believed from MIN_SPECIAL_SHARE on, averaged over a vehicle's crops: no other vehicle of 515
# labelled pictures came above 0.24 (docs/benchmarks.md).
SPECIAL_CLASSES: dict[VehicleType, tuple[int, str]] = {
    VehicleType.FIRE_ENGINE: (555, "fire engine"),
    VehicleType.RECOVERY: (864, "tow truck"),
    VehicleType.AMBULANCE: (407, "ambulance"),
    VehicleType.POLICE: (734, "police van"),
}
MIN_SPECIAL_SHARE = 0.5


def special_type(logits: NDArray[np.float32]) -> tuple[VehicleType, float] | None:
    """A special type that all crops (n, 1000) of one vehicle agree on, with its mean share; None: an ordinary vehicle."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    mean = (shifted / shifted.sum(axis=1, keepdims=True)).mean(axis=0)
    code, share = max(((code, float(mean[index])) for code, (index, _) in SPECIAL_CLASSES.items()), key=lambda item: item[1])
    return (code, share) if share >= MIN_SPECIAL_SHARE else None
