"""Traffic parameters against a simulator's own detectors, and spacing and headway against real trajectories.

    python -m benchmarks.traffic_parameters [--sumo PATH] [--ngsim FOLDER] [--json]

``--sumo`` takes a folder or one ``*_fcd.xml``: floating car data with ``*_e1.xml``, ``*_e2.xml``, ``*.add.xml`` and
``*.net.xml`` beside it. The vehicles' positions go through the code that runs in the cameras and aggregators, from
``LaneVehicle`` on. Nothing is tuned to a scenario: the detectors' own thresholds are read from ``*.add.xml``.
"""

import argparse
import csv
import itertools
import json
import math
import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from statistics import median

from benchmarks.sumo import Detector, Scenario, Vehicle, scenarios
from traffic.facts import LaneParameters
from traffic.parameters import CameraSampler, LaneCell, LaneShape, LaneVehicle, ParameterConfig, WindowedCells, lane_parameters
from traffic.parameters.loop import VirtualLoop
from traffic.parameters.queueing import Queue, QueueTracker
from traffic.types import ObjectClass, TrackId

DATA = Path(os.environ.get("WAYSIDE_TEST_DATA", "../shared/data")) / "mot"


@dataclass(frozen=True, slots=True)
class Measured:
    """What our code says about one lane."""

    minutes: list[LaneParameters]
    tens: list[LaneParameters]
    queues: list[tuple[float, Queue]]


class LaneFeed:
    """Floating car data as vehicles in one detector lane. A vehicle that has driven on over the lane's end is carried on,
    since its rear is still in the lane."""

    def __init__(self, scenario: Scenario, lane: str, offset_m: float) -> None:
        self._scenario, self._lane, self._offset_m = scenario, lane, offset_m
        self._edge = lane.rsplit("_", 1)[0]
        self._inside: dict[str, tuple[float, LaneVehicle]] = {}

    def vehicles(self, time_s: float, rows: Sequence[Vehicle]) -> list[LaneVehicle]:
        """The lane's vehicles at ``time_s``."""
        now: dict[str, tuple[float, LaneVehicle]] = {}
        for row in rows:
            length = self._scenario.length_of(row)
            if row.lane == self._lane:
                front = row.pos_m
            elif row.name in self._inside and row.lane.rsplit("_", 1)[0] != self._edge:
                before_s, before = self._inside[row.name]
                front = before.front + self._offset_m + row.speed_m_s * (time_s - before_s)
            else:
                continue
            end = self._scenario.lane_lengths.get(self._lane, math.inf)
            if front - length > end + 1:
                continue
            vehicle = LaneVehicle(
                track_id=TrackId(hash(row.name) & 0x7FFFFFFF), object_class=_class(row.kind), front=front - self._offset_m,
                rear=front - length - self._offset_m, speed=row.speed_m_s,
            )  # fmt: skip
            now[row.name] = (time_s, vehicle)
        self._inside = now
        return [vehicle for _, vehicle in now.values()]


def _class(kind: str) -> ObjectClass:
    lowered = kind.lower()
    return ObjectClass.BUS if "bus" in lowered else ObjectClass.TRUCK if "truck" in lowered else ObjectClass.CAR


def measure(scenario: Scenario) -> dict[str, Measured]:
    """Our parameters of every lane with a detector."""
    lanes = sorted({d.lane for d in (*scenario.loops, *scenario.areas)})
    shapes, config = [], ParameterConfig()
    feeds: list[LaneFeed] = []
    for number, lane in enumerate(lanes, 1):
        area = next((d for d in scenario.areas if d.lane == lane), None)
        loop = next((d for d in scenario.loops if d.lane == lane), None)
        end = scenario.lane_lengths.get(lane, area.end_m if area else 0.0)
        area = area or Detector("", lane, 0.0, end)
        at = (loop.begin_m if loop else area.end_m) - area.begin_m
        shapes.append(LaneShape(road_num=number, length=area.end_m - area.begin_m, loop=(at, at), stop=end - area.begin_m))
        feeds.append(LaneFeed(scenario, lane, area.begin_m))
        config = replace(config, queue_speed_kmh=area.standing_m_s * 3.6, queue_settle_s=area.standing_s, queue_gap_m=area.gap_m)
    sampler = CameraSampler(shapes, config, count_passings=True)
    windows: WindowedCells[LaneCell] = WindowedCells(LaneCell.merge, (10, 60))
    trackers = [QueueTracker(shape, config) for shape in shapes]
    queues: list[list[tuple[float, Queue]]] = [[] for _ in shapes]
    found: list[LaneParameters] = []
    for time_s, rows in scenario.steps():
        placed = {shape.road_num: feed.vehicles(time_s, rows) for shape, feed in zip(shapes, feeds, strict=True)}
        sampler.advance(time_s, placed)
        for shape, tracker, seen in zip(shapes, trackers, queues, strict=True):
            speeds = [(v, abs(v.speed or 0.0) * 3.6) for v in placed[shape.road_num]]
            seen.append((time_s, tracker.advance(time_s, speeds)))
        if cells := sampler.take():
            windows.add(cells)
            for window in windows.advance(sampler.watermark):
                found += lane_parameters(window)
    windows.add(sampler.finish())
    for window in windows.finish():
        found += lane_parameters(window)
    result = {}
    for number, (lane, seen) in enumerate(zip(lanes, queues, strict=True), 1):
        mine = [p for p in found if p.road_num == number]
        minutes, tens = [p for p in mine if p.period_s == 60], [p for p in mine if p.period_s == 10]
        result[lane] = Measured(minutes=minutes, tens=tens, queues=seen)
    return result


def compare(scenario: Scenario, measured: dict[str, Measured]) -> list[dict[str, object]]:
    """One row per quantity: what was compared, how many values, the errors, and whether the target is met."""
    rows: list[dict[str, object]] = []
    flow, occupancy, speed, harmonic = [], [], [], []
    for loop in scenario.loops:
        ours = {p.open_s: p for p in measured[loop.lane].minutes}
        for truth in scenario.loop_truth.get(loop.name, []):
            if truth["end"] - truth["begin"] != 60 or truth["begin"] % 60:
                continue
            mine = ours.get(int(truth["begin"]))
            flow.append(abs((mine.vehicles if mine else 0) - truth["nVehContrib"]))
            occupancy.append(abs((mine.time_occupancy_ratio if mine else 0) - truth["occupancy"] / 100))
            if mine and truth["nVehContrib"] > 0:
                speed.append(_share(mine.time_mean_speed_kmh, truth["speed"] * 3.6))
                harmonic.append(_share(mine.harmonic_mean_speed_kmh, truth["harmonicMeanSpeed"] * 3.6))
    rows += [
        _row("flow per minute, vehicles", flow, "max", 0.0),
        _row("time occupancy per minute", occupancy, "max", 0.01),
        _row("time-mean speed per minute, relative", speed, "max", 0.01),
        _row("harmonic mean speed per minute, relative", harmonic, "max", 0.01),
    ]
    return rows + _compare_areas(scenario, measured)


def _compare_areas(scenario: Scenario, measured: dict[str, Measured]) -> list[dict[str, object]]:
    length, number, length_max, number_max, space_speed, whole = [], [], [], [], [], []
    for area in scenario.areas:
        seen = measured[area.lane].queues
        tens = {p.open_s: p for p in measured[area.lane].tens}
        for truth in scenario.area_truth.get(area.name, []):
            inside = [q for t, q in seen if truth["begin"] <= t < truth["end"]]
            if not inside:
                continue
            extents = [q.length - q.head if q.number else 0.0 for q in inside]
            length.append(sum(extents) / len(inside) - truth["meanMaxJamLengthInMeters"])
            number.append(sum(q.number for q in inside) / len(inside) - truth["meanMaxJamLengthInVehicles"])
            length_max.append(max(extents) - truth["maxJamLengthInMeters"])
            number_max.append(max(q.number for q in inside) - truth["maxJamLengthInVehicles"])
            whole.append(sum(q.length for q in inside) / len(inside) - truth["meanMaxJamLengthInMeters"])
            mine = tens.get(int(truth["begin"]))
            if mine and mine.space_mean_speed_kmh is not None and truth["meanSpeed"] > 0.5:
                space_speed.append(_share(mine.space_mean_speed_kmh, truth["meanSpeed"] * 3.6))
    return [
        _row("queue length per 10 s (mean), front of first to rear of last, m", length, "rmse", 7.5),
        _row("queue length per 10 s (largest), m", length_max, "rmse", 7.5),
        _row("queued vehicles per 10 s (mean)", number, "rmse", 1.0),
        _row("queued vehicles per 10 s (largest)", number_max, "rmse", 1.0),
        _row("queue length from the stop line against the simulator's (mean), m", whole, "rmse", None),
        _row("space-mean speed of the lane per 10 s, relative", space_speed, "median", None),
    ]


def _share(ours: float | None, truth: float) -> float:
    return math.inf if ours is None else abs(ours - truth) / truth


def _row(name: str, errors: Sequence[float], judged: str, target: float | None) -> dict[str, object]:
    if not errors:
        return {"what": name, "values": 0}
    absolute = [abs(error) for error in errors]
    figures = {
        "median": median(absolute),
        "max": max(absolute),
        "rmse": math.sqrt(sum(e * e for e in errors) / len(errors)),
        "bias": sum(errors) / len(errors),
    }
    row: dict[str, object] = {"what": name, "values": len(errors)} | {k: round(v, 5) for k, v in figures.items()}
    if target is not None:
        row |= {"judged": judged, "target": target, "met": figures[judged] <= target + 1e-9}
    return row


# -- NGSIM --------------------------------------------------------------------------------------------------------------


def ngsim_pairs(path: Path, every: int = 1, noise_m: float = 0.0) -> list[tuple[float, float, float, float]]:
    """Spacing and time headway of followers at stations along their way: ours and true, (spacing, true, headway, true).

    The truth is interpolated from the recorded positions; ours is what the virtual loop says at that place when it sees every
    ``every``-th position with independent errors of ``noise_m`` (standard deviation), as boxes have them.
    """
    random = Random(7)
    pairs: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    with path.open(encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            times = (float(row["Time"]), float(row["leader_position(m)"]), float(row["follower_position(m)"]))
            pairs[row["trajectory_number"]].append(times)
    found = []
    for rows in pairs.values():
        rows = _first_part(rows)
        begin, end = rows[0][1], rows[-1][2]
        stations = [begin + (end - begin) * share for share in (0.1, 0.3, 0.5, 0.7, 0.9)] if end > begin + 10 else []
        for place in stations:
            seen = [(t, a + random.gauss(0, noise_m), b + random.gauss(0, noise_m)) for t, a, b in rows[::every]]
            ours = _through_loop(seen, place)
            leader_s, follower_s = _when(rows, 1, place), _when(rows, 2, place)
            if ours is None or leader_s is None or follower_s is None:
                continue
            spacing = _where(rows, 1, follower_s) - place
            found.append((ours[0], spacing, ours[1], follower_s - leader_s))
    return found


def _first_part(rows: list[tuple[float, float, float]]) -> list[tuple[float, float, float]]:
    """Rows up to where the time starts again (numbers are used more than once)."""
    for index in range(1, len(rows)):
        if rows[index][0] <= rows[index - 1][0]:
            return rows[:index]
    return rows


def _through_loop(rows: Sequence[tuple[float, float, float]], place: float) -> tuple[float, float] | None:
    lane = LaneShape(road_num=1, length=10_000.0, loop=(place, place), stop=None)
    loop = VirtualLoop(lane)
    before: dict[TrackId, LaneVehicle] = {}
    last_s = 0.0
    for time_s, leader, follower in rows:
        now = {
            TrackId(number): LaneVehicle(track_id=TrackId(number), object_class=ObjectClass.CAR, front=front, rear=front - 4.5)
            for number, front in ((1, leader), (2, follower))
        }
        if before:
            _, passings = loop.advance(last_s, time_s, before, now)
            for passing in passings:
                if passing.time_headway_s is not None and passing.spacing_m is not None:
                    return passing.spacing_m, passing.time_headway_s
        before, last_s = now, time_s
    return None


def _when(rows: Sequence[tuple[float, float, float]], column: int, place: float) -> float | None:
    for a, b in itertools.pairwise(rows):
        if a[column] < place <= b[column]:
            return a[0] + (place - a[column]) / (b[column] - a[column]) * (b[0] - a[0])
    return None


def _where(rows: Sequence[tuple[float, float, float]], column: int, time_s: float) -> float:
    for a, b in itertools.pairwise(rows):
        if a[0] <= time_s <= b[0]:
            return a[column] + (time_s - a[0]) / (b[0] - a[0]) * (b[column] - a[column])
    return math.nan


def compare_ngsim(folder: Path) -> list[dict[str, object]]:
    """Relative errors at the recorded 10 Hz, thinned out, and with errors of place."""
    path = folder / "ngsim_leader_follower_pairs.csv"
    rows = []
    for every, noise_m, name in ((1, 0.0, "10 Hz"), (2, 0.0, "5 Hz"), (5, 0.0, "2 Hz"), (1, 0.3, "10 Hz, errors of 0.3 m")):
        found = ngsim_pairs(path, every, noise_m)
        rows.append(_row(f"spacing, relative ({name})", [(a - b) / b for a, b, _, _ in found], "median", 0.02))
        rows.append(_row(f"time headway, relative ({name})", [(c - d) / d for _, _, c, d in found], "median", 0.02))
    return rows


def show(title: str, rows: Iterable[dict[str, object]]) -> None:
    """Print a table."""
    print(title)
    for row in rows:
        met = "" if "met" not in row else f"  target {row['judged']} <= {row['target']}: {'met' if row['met'] else 'MISSED'}"
        figures = "  ".join(f"{key} {row[key]}" for key in ("median", "max", "rmse", "bias") if key in row)
        print(f"  {row['what']}: n {row['values']}  {figures}{met}")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sumo", type=Path, default=DATA / "SUMO")
    parser.add_argument("--ngsim", type=Path, default=DATA / "NGSIM")
    parser.add_argument("--json", action="store_true", help="one JSON object per quantity")
    args = parser.parse_args()
    tables = []
    for scenario in scenarios(args.sumo) if args.sumo.exists() else []:
        tables.append((f"SUMO {scenario.name}", compare(scenario, measure(scenario))))
    if (args.ngsim / "ngsim_leader_follower_pairs.csv").exists():
        tables.append(("NGSIM", compare_ngsim(args.ngsim)))
    if not tables:
        raise SystemExit("no data found; see --help")
    for title, rows in tables:
        if args.json:
            for row in rows:
                print(json.dumps({"data": title} | row))
        else:
            show(title, rows)


if __name__ == "__main__":
    main()
