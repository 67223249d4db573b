"""How much one aggregator takes in, and what sampling costs a camera.

    python -m benchmarks.aggregate [--cameras 100] [--lanes 8] [--seconds 120] [--periods 1 10 60 120]

Two figures. *Aggregator*: cells of one second (one per lane and second) accepted per second of one process, windows closed and
parameters made, every batch acknowledged after a snapshot of its task could be taken. *Camera*: positions of vehicles
(vehicle × frame) that the sampler turns into cells per second, at 25 frames per second and 20 tracks. *Store* (``--store``): what
the states and the history of all cameras cost the database; ``busy_share`` 1 would be as fast as they come in.
"""

import argparse
import json
import time
from dataclasses import replace

from api.database import Database
from api.parameter_store import SqlParameterStore
from traffic.aggregation import CellBatch, Parameters, TaskAggregator, TrafficAggregator
from traffic.parameters import CameraSampler, LaneCell, LaneShape, LaneVehicle
from traffic.parameters.cell import QueueState
from traffic.types import ObjectClass, TrackId

START = 1_700_000_040


def aggregator(cameras: int, lanes: int, seconds: int, periods: list[int], snapshot_every: int) -> dict[str, float]:
    """Cells per second through one aggregator; ``snapshot_every`` seconds of video each task's state is taken as JSON."""
    made = TrafficAggregator()
    made.set_periods(periods)
    tasks = {str(camera): made.begin(str(camera)) for camera in range(cameras)}
    batches = [
        [(f"{camera}", _batch(camera, second, lanes)) for camera in range(cameras)] for second in range(START, START + seconds)
    ]
    parameters, held, snapshots, size = 0, 0, 0, 0
    begin = time.perf_counter()
    for second, row in enumerate(batches):
        for task, batch in row:
            parameters += len(tasks[task].accept(batch))
            if snapshot_every and (second + int(task)) % snapshot_every == 0:
                size += len(json.dumps(tasks[task].snapshot()))
                snapshots += 1
        held = max(held, tasks["0"].held)
    took = time.perf_counter() - begin
    cells = cameras * lanes * seconds
    return {
        "cells": cells,
        "took_s": round(took, 3),
        "cells_per_s": round(cells / took),
        "cameras_of_8_lanes": round(cells / took / 8),
        "parameters": parameters,
        "cells_held_per_camera": held,
        "snapshots": snapshots,
        "snapshot_bytes": round(size / snapshots) if snapshots else 0,
    }


def _batch(camera: int, second: int, lanes: int) -> CellBatch:
    cells = tuple(
        LaneCell(
            code=lane, second=second, observed_us=1_000_000, occupied_us=170_000 + lane, covered_us=120_000, vehicle_us=3_000_000,
            travelled_mm=33_000, counts=(0, 0, (second + lane) % 2, 0, 0, 0), speeds=(second + lane) % 2, speed_mm_s=11_000,
            slowness_us_km=90_909_090, headways=1, headway_us=2_000_000, spacings=1, spacing_mm=25_000, last_us=second * 10**6,
            last_headway_us=2_000_000, last_spacing_mm=25_000, length_mm=100_000,
            queue=QueueState(time_us=second * 10**6, number=2, length_mm=14_000), max_number=2, max_length_mm=14_000,
        )
        for lane in range(1, lanes + 1)
    )  # fmt: skip
    return CellBatch(source=f"camera-{camera}", sequence=second - START + 1, watermark=second + 1, lanes=cells)


def camera(lanes: int, seconds: int, fps: int = 25, tracks: int = 20) -> dict[str, float]:
    """Positions per second through one camera's sampler."""
    shapes = [LaneShape(road_num=n, length=100.0, loop=(79.0, 81.0), stop=100.0) for n in range(1, lanes + 1)]
    sampler = CameraSampler(shapes, count_passings=True)
    frames = []
    for index in range(seconds * fps):
        placed: dict[int, list[LaneVehicle]] = {}
        for number in range(tracks):
            way = index / fps * 8.0 + number * 23.0
            round_trip, front = divmod(way, 115.0)
            vehicle = LaneVehicle(
                track_id=TrackId(number + tracks * int(round_trip)), object_class=ObjectClass.CAR, front=front, rear=front - 4.5
            )
            placed.setdefault(number % lanes + 1, []).append(vehicle)
        frames.append((START + index / fps, placed))
    begin = time.perf_counter()
    vehicles = 0
    for time_s, placed in frames:
        sampler.advance(time_s, placed)
        vehicles += sum(sum(cell.counts) for cell in sampler.take())
    took = time.perf_counter() - begin
    positions = len(frames) * tracks
    return {
        "positions": positions,
        "took_s": round(took, 3),
        "positions_per_s": round(positions / took),
        "cameras_25fps_20_tracks": round(positions / took / (25 * 20), 1),
        "ms_per_frame": round(took / len(frames) * 1000, 3),
        "vehicles": vehicles,
    }


def history(url: str, cameras: int, lanes: int, minutes: int) -> dict[str, float]:
    """What the store costs: states of all tasks every 5 s and their minutes, each task's in a transaction of its own."""
    Database(url).migrate()
    store = SqlParameterStore(url)
    task = TaskAggregator((60, 120))
    made: list[Parameters] = []
    for second in range(START, START + 239):  # the longest window is about to close: the state is at its largest
        made += task.accept(_batch(0, second, lanes))
    rows = [p for p in made if p.period_s == 60][:lanes]
    state = json.dumps(task.snapshot())
    saves, slowest, begin = 0, 0.0, time.perf_counter()
    for minute in range(minutes):
        for fifth in range(12):
            for camera in range(cameras):
                moved = [(str(camera), replace(p, close_s=p.close_s + 60 * minute)) for p in rows] if fifth == 0 else []
                start = time.perf_counter()
                store.save({str(camera): state}, moved)
                slowest = max(slowest, time.perf_counter() - start)
                saves += 1
    took = time.perf_counter() - begin
    return {
        "cameras": cameras,
        "lanes": lanes,
        "minutes": minutes,
        "saves": saves,
        "rows": minutes * cameras * len(rows),
        "state_bytes": len(state),
        "ms_per_save": round(took / saves * 1000, 2),
        "slowest_ms": round(slowest * 1000, 1),
        "busy_share": round(took / (minutes * 60), 3),
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cameras", type=int, default=100)
    parser.add_argument("--lanes", type=int, default=8)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--periods", type=int, nargs="+", default=[1, 10, 60, 120])
    parser.add_argument("--snapshot-every", type=int, default=0, help="seconds of video between snapshots of a task; 0: none")
    parser.add_argument("--store", metavar="URL", help="database whose load is measured too, such as sqlite:////tmp/x.db")
    parser.add_argument("--minutes", type=int, default=3, help="of history written into --store")
    args = parser.parse_args()
    result = aggregator(args.cameras, args.lanes, args.seconds, args.periods, args.snapshot_every)
    print(json.dumps({"aggregator": result}))
    print(json.dumps({"camera": camera(args.lanes, 60)}))
    if args.store:
        print(json.dumps({"store": history(args.store, args.cameras, args.lanes, args.minutes)}))


if __name__ == "__main__":
    main()
