"""Recognition in a whole, running Wayside: the plates that a receiver gets, what they cost, and what a killed replica costs.

    python -m benchmarks.recognition_live films                  four cameras at once: plateNum against the truth, shares of CPU
    python -m benchmarks.recognition_live kill                   the process of the plate replica is killed half way

Each camera is a film of the simulated camera, recorded first (H.264, ``--folder`` keeps them), another seed each; Wayside reads
the films as file tasks, whole. ``--flow`` and ``--oncoming`` are the vehicles an hour of one camera, ``--fps`` the analysed
frames of a second of film. A truth passage of a vehicle with a plate belongs to the body of its camera and lane nearest in time,
within 1.5 s of film. Shares are of the CPU time of all processes of the installation, drivers and Ray's own included; "crops" are
cut by the cameras and are in their time.
"""

import argparse
import json
import os
import signal
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from actors.simulation import SimulatedCamera, parse_address
from actors.simulation.recording import record
from api.receiver import Receiver
from benchmarks.installation import Installation, cpu_by_process, installation
from benchmarks.pipeline import wire_seconds

_NEAR_S, _FIRST_S = 1.5, 1.0  # who stands on the line when a film begins has not been seen before it
_REPLICA = "ray::ServeReplica:wayside:plates"
_QUIET_S = 20.0  # no push for so long: the films are over


@dataclass(frozen=True, kw_only=True, slots=True)
class TruePlate:
    """A vehicle with a plate passed. ``time_s``: of the film."""

    road_num: int
    time_s: float
    plate: str


def film(options: argparse.Namespace, seed: int) -> tuple[Path, dict[str, Any], list[TruePlate]]:
    """(recording, scene document, truth) of one seed; made when it is not there yet."""
    address = f"sim://approach?seed={seed}&flow={options.flow}&opposing_flow={options.oncoming}{options.more}"
    settings = parse_address(address)
    name = f"sim-{seed}-{options.flow}-{options.oncoming}-{settings.width}x{settings.height}-{options.seconds:g}s"
    path, truth = options.folder / f"{name}.mp4", options.folder / f"{name}.jsonl"
    if not truth.is_file():
        record(settings, path, truth.with_suffix(".part"), options.seconds)
        truth.with_suffix(".part").rename(truth)
    passed = [
        TruePlate(road_num=item["roadNum"], time_s=item["timeS"], plate=item["plate"])
        for line in truth.read_text(encoding="utf-8").splitlines()
        for item in json.loads(line)["passages"]
        if item["plate"] and item["timeS"] >= _FIRST_S
    ]
    return path, SimulatedCamera(settings).scene_document(), passed


def run(options: argparse.Namespace) -> None:
    """Both commands."""
    options.folder.mkdir(parents=True, exist_ok=True)
    seeds = range(options.seed, options.seed + options.cameras)
    made = [film(options, seed) for seed in list(seeds)[: options.distinct or None]]
    films = {f"c{seed}": made[number % len(made)] for number, seed in enumerate(seeds)}
    with Receiver() as receiver, installation(options.models_dir, port=options.port) as wayside:
        wayside.add_interface(receiver.url, 21)
        _until_replicas(wayside)
        before, begun = cpu_by_process(), time.time()
        for num, (path, scene, _) in films.items():
            wayside.add_task(num, str(path), scene=scene, analysedFps=options.fps, loop=options.command == "kill")
        killed = _kill_half_way(options, begun) if options.command == "kill" else None
        _until_over(receiver, options, begun)
        spent = time.time() - begun
        after = cpu_by_process()

        bodies = [(push.received_at, push.body) for push in list(receiver.pushes) if push.kind == "vehicle-snapshot"]
        invalid = sum(bool(push.problems) for push in list(receiver.pushes))

    print(f"{len(films)} cameras, {len(bodies)} bodies received, {invalid} invalid, {spent:.0f} s")
    if killed is not None:
        _tell_kill(bodies, begun, killed)
        return
    _tell_plates(films, bodies)
    _tell_shares({name: value - before.get(name, 0.0) for name, value in after.items()}, len(bodies), options)


def _until_replicas(wayside: Installation) -> None:
    """Wait for the replicas of all networks: pulling and compiling is no work of recognition."""
    end = time.monotonic() + 180
    while not _replicas() and time.monotonic() < end:
        time.sleep(1)
    time.sleep(5)


def _replicas() -> list[psutil.Process]:
    found = []
    for process in psutil.Process(os.getpid()).children(recursive=True):
        try:
            if process.cmdline()[:1] and process.cmdline()[0].startswith(_REPLICA):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found


def _kill_half_way(options: argparse.Namespace, begun: float) -> float:
    time.sleep(max(0.0, begun + options.watch / 2 - time.time()))
    for process in _replicas():
        os.kill(process.pid, signal.SIGKILL)
    return time.time()


def _until_over(receiver: Receiver, options: argparse.Namespace, begun: float) -> None:
    if options.command == "kill":
        time.sleep(max(0.0, begun + options.watch - time.time()))
        return
    while True:
        last = max((push.received_at for push in list(receiver.pushes)), default=begun + 60)
        if time.time() - max(last, begun + 60) > _QUIET_S:
            return
        time.sleep(1)


def _tell_plates(films: dict[str, tuple[Path, dict[str, Any], list[TruePlate]]], bodies: Sequence[tuple[float, Any]]) -> None:
    total: Counter[str] = Counter()
    for num, (_, _, truth) in films.items():
        mine = [
            [body["roadNum"], wire_seconds(body["snapshotTime"], "Asia/Shanghai"), body["plateNum"]]
            for _, body in bodies
            if body["taskNum"] == num
        ]
        offset = _offset(truth, mine)
        counts: Counter[str] = Counter()
        for passed in truth:
            near = [(abs(at - offset - passed.time_s), row) for row, (lane, at, _) in enumerate(mine) if lane == passed.road_num]
            if not near or min(near)[0] > _NEAR_S:
                outcome = "not pushed"
            else:
                plate = mine.pop(min(near)[1])[2]
                outcome = "right" if plate == passed.plate else "wrong" if plate else "empty"
            counts[outcome] += 1
            if outcome != "right":
                print(f"   {num} {passed.time_s:6.1f} s lane {passed.road_num} {passed.plate}: {outcome}")
        total += counts
        print(f"{num}: {dict(counts)}")
    pushed = total.total() - total["not pushed"]
    print(
        f"plateNum right {total['right']} of {pushed} pushed ({total['right'] / max(pushed, 1):.1%}), "
        f"of {total.total()} that passed {total['right'] / max(total.total(), 1):.1%}; {dict(total)}"
    )


def _offset(truth: Sequence[TruePlate], mine: Sequence[Sequence[Any]]) -> float:
    """Wire time at the beginning of a film: of the plates that agree, the median."""
    apart = sorted(at - passed.time_s for passed in truth for _, at, plate in mine if plate == passed.plate)
    return float(apart[len(apart) // 2]) if apart else 0.0


def _tell_shares(spent: dict[str, float], vehicles: int, options: argparse.Namespace) -> None:
    total = sum(spent.values())
    recognition = sum(value for name, value in spent.items() if name.endswith((":plates", ":attributes")))
    hours = options.cameras * options.seconds / 3600
    print(
        f"flow {vehicles / hours:.0f} vehicles/h a camera; CPU {total:.1f} s, of the networks of plates and looks "
        f"{recognition:.1f} s = {recognition / total:.1%}, {recognition / max(vehicles, 1) * 1e3:.0f} ms a vehicle"
    )
    for name, value in sorted(spent.items(), key=lambda item: -item[1])[:12]:
        print(f"   {name:<40} {value:7.1f} s {value / total:6.1%}")


def _tell_kill(bodies: Sequence[tuple[float, Any]], begun: float, killed: float) -> None:
    print(f"plate replica killed after {killed - begun:.1f} s")
    for start in range(0, int(max((at for at, _ in bodies), default=begun) - begun) + 1, 5):
        part = [body for at, body in bodies if start <= at - begun < start + 5]
        plates = sum(bool(body["plateNum"]) for body in part)
        print(f"   {start:3d} to {start + 5:3d} s: {len(part):3d} vehicles, {plates:3d} with plate")
    after = [(at, body) for at, body in bodies if at > killed]
    first_without = next((at for at, body in after if not body["plateNum"]), None)
    again = next((at for at, body in after if body["plateNum"] and at > (first_without or killed)), None)
    if first_without is not None and again is not None:
        print(f"first without plate {first_without - killed:.1f} s after the kill, first with one again {again - killed:.1f} s")


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("films", "kill"))
    parser.add_argument("--cameras", type=int, default=4)
    parser.add_argument("--seed", type=int, default=101, help="of the first film; the others follow")
    parser.add_argument(
        "--distinct", type=int, default=0, help="so many different films, several cameras show the same; 0: all differ"
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="length of each film")
    parser.add_argument("--flow", type=int, default=750)
    parser.add_argument("--oncoming", type=int, default=250)
    parser.add_argument("--more", default="", help="further parameters of the sim:// address, &width=…")
    parser.add_argument("--fps", type=float, default=12.5)
    parser.add_argument("--watch", type=float, default=90.0, help="kill: seconds watched")
    parser.add_argument("--port", type=int, default=8320)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/wayside-recognition-films"))
    parser.add_argument("--models-dir", type=Path, default=Path("~/.cache/wayside/models").expanduser())
    run(parser.parse_args())


if __name__ == "__main__":
    main()
