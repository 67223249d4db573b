"""Many ``Track`` values at once, column by column.

The constructor of a frozen type sets every field through two Python calls; with 40 tracks in a frame that is a quarter of the
tracker's time. Filling the slots a column at a time happens in C.
"""

import dataclasses
from collections import deque
from collections.abc import Iterable, Mapping
from itertools import repeat
from typing import Any

from traffic.types import Track

_SETTERS = {field.name: vars(Track)[field.name].__set__ for field in dataclasses.fields(Track)}
_DEFAULTS = {field.name: field.default for field in dataclasses.fields(Track) if field.default is not dataclasses.MISSING}


def make_tracks(count: int, columns: Mapping[str, Iterable[Any]]) -> list[Track]:
    """``count`` tracks from one column of values per field of ``Track``; a field without one takes its default.

    Raises:
        TypeError: a column that ``Track`` does not have, or one without a default is missing.
    """
    if not columns.keys() <= _SETTERS.keys() or not _SETTERS.keys() <= columns.keys() | _DEFAULTS.keys():
        raise TypeError(f"columns {sorted(columns)} do not make a Track of {sorted(_SETTERS)}")
    tracks = [Track.__new__(Track) for _ in range(count)]
    for name, setter in _SETTERS.items():
        values = columns.get(name) if name in columns else repeat(_DEFAULTS[name])
        deque(map(setter, tracks, values), maxlen=0)  # type: ignore[arg-type]
    return tracks
