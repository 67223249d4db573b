"""How scripted actors of ``benchmarks.events`` move: driven along the road, or led through points."""

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np

STEP_S = 0.05
Motion = Callable[[float], "tuple[float, float, float] | None"]  # time → x, y, heading (radians from Y to X); None: not there


def scripted(
    x: float,
    y: float,
    way: float,
    speed: float,
    phases: Sequence[tuple[float, float]] = (),
    shifts: Sequence[tuple[float, float, float]] = (),
    begin_s: float = 0.0,
    end_s: float = math.inf,
) -> Motion:
    """Driving along Y: constant accelerations one after the other, and smooth shifts to the side.

    Args:
        way: 1 or -1. speed: m/s at the beginning. phases: (duration, acceleration); speed never falls below 0.
        shifts: (begin, duration, metres to +X), seconds after ``begin_s``.
    """
    times, ways = [0.0], [0.0]
    v, plan = speed, [*phases, (400.0, 0.0)]
    for duration, acceleration in plan:
        for _ in range(round(duration / STEP_S)):
            new = max(v + acceleration * STEP_S, 0.0)
            ways.append(ways[-1] + (v + new) / 2 * STEP_S)
            times.append(times[-1] + STEP_S)
            v = new
        if times[-1] > 200:
            break
    t_axis, s_axis = np.array(times), np.array(ways)

    def at(moment: float) -> tuple[float, float]:
        s = float(np.interp(moment, t_axis, s_axis))
        aside = sum(dx * _smooth((moment - t0) / d) for t0, d, dx in shifts)
        return x + aside, y + way * s

    def motion(time_s: float) -> tuple[float, float, float] | None:
        moment = time_s - begin_s
        if moment < 0 or time_s > end_s:
            return None
        here, later, before = at(moment), at(moment + 0.1), at(max(moment - 0.1, 0))
        dx, dy = later[0] - before[0], later[1] - before[1]
        heading = math.atan2(dx, dy) if math.hypot(dx, dy) > 0.02 else (0.0 if way > 0 else math.pi)
        return here[0], here[1], heading

    return motion


def polyline(points: Sequence[tuple[float, float, float]], begin_heading: float = 0.0, end_s: float = math.inf) -> Motion:
    """Through (time, x, y) by straight lines; the heading of the last movement stays while it stands."""
    t, x, y = (np.array([p[i] for p in points]) for i in range(3))

    def motion(time_s: float) -> tuple[float, float, float] | None:
        if time_s < t[0] or time_s > end_s:
            return None
        heading = begin_heading
        for (ta, xa, ya), (_, xb, yb) in itertools.pairwise(points):
            if ta <= time_s and math.hypot(xb - xa, yb - ya) > 0.05:
                heading = math.atan2(xb - xa, yb - ya)
        return float(np.interp(time_s, t, x)), float(np.interp(time_s, t, y)), heading

    return motion


def _smooth(share: float) -> float:
    share = min(max(share, 0.0), 1.0)
    return share * share * (3 - 2 * share)
