"""Stated passages against true ones: which belong together, and how far off they are."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traffic.facts import VehiclePassage
from traffic.types import ObjectClass

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class TruePassage:
    """Truth at the snapshot line. ``time_s``: the end of the vehicle that the camera sees crosses it; headway and spacing are
    of fronts, None for the first vehicle of a lane."""

    vehicle: int
    road_num: int
    time_s: float
    speed_kmh: float
    time_headway_s: float | None
    spacing_m: float | None
    length_m: float
    object_class: ObjectClass


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """Errors of one or more runs; arrays of signed errors, one per matched passage that has the value."""

    true: int
    lost: int
    extra: int
    wrong_lane: int
    speed_kmh: Array
    time_s: Array
    headway_s: Array
    spacing_m: Array
    length_m: Array
    unmeasured_speeds: int
    unmeasured_spacings: int


def score(truth: Sequence[TruePassage], stated: Sequence[VehiclePassage]) -> Score:
    """Match stated passages to true ones, nearest in time first, in the same lane if possible, within 0.7 s."""
    pairs = sorted(
        (abs(s.time_s - t.time_s) + (0.3 if s.road_num != t.road_num else 0), i, j)
        for i, t in enumerate(truth)
        for j, s in enumerate(stated)
        if abs(s.time_s - t.time_s) < 0.7
    )
    matched: dict[int, int] = {}
    taken: set[int] = set()
    for _, i, j in pairs:
        if i not in matched and j not in taken:
            matched[i] = j
            taken.add(j)
    couples = [(truth[i], stated[j]) for i, j in matched.items()]
    speeds = [s.speed_kmh - t.speed_kmh for t, s in couples if s.speed_kmh is not None]
    headways = [
        s.time_headway_s - t.time_headway_s for t, s in couples if s.time_headway_s is not None and t.time_headway_s is not None
    ]
    spacings = [s.spacing_m - t.spacing_m for t, s in couples if s.spacing_m is not None and t.spacing_m is not None]
    return Score(
        true=len(truth),
        lost=len(truth) - len(matched),
        extra=len(stated) - len(matched),
        wrong_lane=sum(t.road_num != s.road_num for t, s in couples),
        speed_kmh=np.array(speeds),
        time_s=np.array([s.time_s - t.time_s for t, s in couples]),
        headway_s=np.array(headways),
        spacing_m=np.array(spacings),
        length_m=np.array([s.length_m - t.length_m for t, s in couples if s.length_m is not None and not math.isnan(t.length_m)]),
        unmeasured_speeds=len(couples) - len(speeds),
        unmeasured_spacings=sum(s.spacing_m is None and t.spacing_m is not None for t, s in couples),
    )


def row(name: str, result: Score) -> str:
    """One line of a table: signed mean, median and 95 % of the absolute error."""

    def part(values: Array, digits: int) -> str:
        if not len(values):
            return f"{'–':>6} {'–':>6} {'–':>6}"
        sizes = np.abs(values)
        return f"{values.mean():6.{digits}f} {np.median(sizes):6.{digits}f} {np.percentile(sizes, 95):6.{digits}f}"

    return (
        f"{name:<34} {result.true:5d} {result.lost:4d} {result.extra:4d} {result.wrong_lane:4d}  "
        f"{part(result.speed_kmh, 2)}  {part(1000 * result.time_s, 0)}  {part(1000 * result.headway_s, 0)}  "
        f"{part(result.spacing_m, 2)}  {part(result.length_m, 2)}  {result.unmeasured_speeds:4d} {result.unmeasured_spacings:4d}"
    )


def total(results: Sequence[Score]) -> Score:
    """Several runs as one."""
    joined: dict[str, Array | int] = {}
    for field in dataclasses.fields(Score):
        values = [getattr(result, field.name) for result in results]
        joined[field.name] = np.concatenate(values) if isinstance(values[0], np.ndarray) else sum(values)
    return Score(**joined)  # type: ignore[arg-type]
