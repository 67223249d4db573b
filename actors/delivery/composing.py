"""The body of a period from the bodies that were held back."""

import json
from collections.abc import Sequence

from actors.delivery.bodies import array, dump

EVENT_BUSINESS, PARAMETER_BUSINESS, PEOPLE_BUSINESS, STATUS_BUSINESS = 11, 22, 41, 52


def compose(business_type: int, bodies: Sequence[bytes]) -> bytes:
    """An array of the bodies; for people (3.5), whose body is an object of arrays, one object with their elements."""
    if business_type != PEOPLE_BUSINESS:
        return array(bodies)
    joined: dict[str, list[object]] = {}
    for body in map(json.loads, bodies):
        for name, elements in body.items():
            joined.setdefault(name, []).extend(elements)
    return dump(joined)
