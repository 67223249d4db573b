"""What the whole system costs above its parts: ``python -m benchmarks.pipeline throughput|cost|latency|overload``.

``throughput``: frames/s of some file tasks through a real Ray, Serve, pushers and all, over those of a bare loop of decoding,
detector and tracker, one process per core. ``cost``: memory and idle CPU of every further camera. ``latency``: from a live
frame to the push. ``overload``: many live cameras on few cores. Each starts a Wayside of its own and ends it; nothing else
should run beside.
"""

import argparse
import json
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.installation import Installation, MjpegCamera, busy_seconds, cpu_by_process, installation, jain, pss_mib

DATA = Path(os.environ.get("WAYSIDE_TEST_DATA", Path(__file__).parents[2] / "shared" / "data")) / "video"
CLIP = DATA / "motorway_both_directions_720p30s.mp4"
_EVERY_FRAME_FPS = 120.0


# -- throughput -------------------------------------------------------------------------------------------------------


def _bare(clip: str, models_dir: str, size: tuple[int, int] | None, seconds: float, barrier: Any, answers: Any) -> None:
    """One process of the bare loop; puts (frames, seconds, CPU seconds)."""
    os.environ["OMP_NUM_THREADS"] = "1"
    from actors.decoding import SourceOptions, letterbox, open_source
    from models.detector import Detector
    from models.store import WeightsStore
    from traffic.tracking import Tracker
    from traffic.types import Detections

    detector, tracker = Detector("picodet-s", WeightsStore(Path(models_dir)), input_size=size), Tracker()
    fit, frames, start, cpu = detector.input_fit, -50, 0.0, 0.0
    barrier.wait(120)
    with open_source(clip, SourceOptions(loop=True)) as source:
        for frame in source:
            if frames == 0:
                start, cpu = time.perf_counter(), time.process_time()
            image, transform = letterbox(
                frame, detector.input_size, max_stretch=fit.max_stretch, max_enlargement=fit.max_enlargement
            )
            found = detector.detect([image])[0]
            boxes = transform.to_frame(found.boxes)
            tracker.update(frame.time_s, Detections(boxes=boxes, scores=found.scores, classes=found.classes))
            frames += 1
            if frames > 0 and time.perf_counter() - start >= seconds:
                break
    answers.put((frames, time.perf_counter() - start, time.process_time() - cpu))


def bare_rate(options: argparse.Namespace) -> tuple[float, float]:
    """Frames/s of the bare loop over all its processes, and its CPU seconds per frame."""
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(options.cores), context.Queue()
    arguments = (str(options.clip), str(options.models_dir), options.input, options.seconds, barrier, answers)
    processes = [context.Process(target=_bare, args=arguments) for _ in range(options.cores)]
    for process in processes:
        process.start()
    found = [answers.get(timeout=180 + options.seconds) for _ in processes]
    for process in processes:
        process.join(30)
    rate = sum(frames / seconds for frames, seconds, _ in found)
    return rate, sum(cpu for _, _, cpu in found) / sum(frames for frames, _, _ in found)


def throughput(options: argparse.Namespace) -> None:
    """The ratio, the bare loop before and after; also that of CPU time, which other work on the machine disturbs less."""
    unknown = (float("nan"), float("nan"))
    before = bare_rate(options) if not options.no_bare else unknown
    with _wayside(options) as wayside:
        for number in range(options.tasks):
            _add_file(wayside, f"file-{number}", options)
        wayside.wait_until_analysing(120, frames=50)
        pids = wayside.camera_pids()
        rate, cpu = _rate_over(wayside, options.seconds)
        memory = [pss_mib(pid) for pid in pids.values()]
    after = bare_rate(options) if not options.no_bare else unknown
    bare, total = statistics.mean((before[0], after[0])), sum(cpu.values())
    bare_cpu = statistics.mean((before[1], after[1]))
    print(
        f"bare loop, {options.cores} processes: {before[0]:.1f} and {after[0]:.1f} frames/s, {bare_cpu * 1e3:.2f} ms CPU a frame"
    )
    print(f"whole system, {options.tasks} file tasks: {rate:.1f} frames/s, {rate / bare:.3f} of the bare loop")
    print(f"CPU of all processes: {total * 1e3:.2f} ms per frame, {bare_cpu / total:.3f} by CPU time")
    print("CPU per frame, ms: " + ", ".join(f"{name} {value * 1e3:.2f}" for name, value in cpu.items() if value >= 1e-4))
    print(f"memory of the camera processes: {min(memory):.0f} to {max(memory):.0f} MiB PSS")


def _add_file(wayside: Installation, num: str, options: argparse.Namespace) -> None:
    scene = json.loads(options.scene.read_text()) if options.scene else None
    wayside.add_task(num, str(options.clip), loop=True, analysedFps=_EVERY_FRAME_FPS, scene=scene)


def _rate_over(wayside: Installation, seconds: float) -> tuple[float, dict[str, float]]:
    """Frames analysed per second by all cameras together, and CPU seconds per frame by kind of process, most first."""
    begun, first, cpu = time.perf_counter(), _frames(wayside), cpu_by_process()
    time.sleep(seconds)
    last, elapsed = _frames(wayside), time.perf_counter() - begun
    total = sum(last[num] - first[num] for num in first)
    spent = {name: (value - cpu.get(name, 0.0)) / max(1, total) for name, value in cpu_by_process().items()}
    return total / elapsed, dict(sorted(spent.items(), key=lambda item: -item[1]))


def _frames(wayside: Installation) -> dict[str, int]:
    return {num: item.frames_analysed for num, item in wayside.health().items()}


# -- cost -------------------------------------------------------------------------------------------------------------


def cost(options: argparse.Namespace) -> None:
    """Memory and CPU by the number of cameras that hardly do anything: one small picture per second each."""
    print("| cameras | camera PSS, MiB: mean (max) | memory taken, GiB | CPU of all, cores | per camera, ms/s |")
    print("|---|---|---|---|---|")
    with MjpegCamera(options.small_clip, 1.0, 352) as camera, _wayside(options) as wayside:
        time.sleep(15)
        empty_gib, empty_busy = _available_gib(), _busy_cores(10)
        print(f"| 0 | | 0 | {empty_busy:.2f} | |", flush=True)
        for target in options.counts:
            for number in range(len(wayside.tasks), target):
                wayside.add_task(f"idle-{number}", f"{camera.url}{number}")
            wayside.wait_until_analysing(60 + 8 * target, frames=3)
            time.sleep(8)
            busy = _busy_cores(15)
            memory = [pss_mib(pid) for pid in wayside.camera_pids().values()]
            used = empty_gib - _available_gib()
            each = (busy - empty_busy) / target * 1e3
            print(
                f"| {target} | {statistics.mean(memory):.0f} ({max(memory):.0f}) | {used:.2f} | {busy:.2f} | {each:.1f} |",
                flush=True,
            )


def _available_gib() -> float:
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable")) / 1024**2


def _busy_cores(seconds: float) -> float:
    begun, busy = time.perf_counter(), busy_seconds()
    time.sleep(seconds)
    return (busy_seconds() - busy) / (time.perf_counter() - begun)


# -- latency ----------------------------------------------------------------------------------------------------------


def latency(options: argparse.Namespace) -> None:
    """A simulated live camera: from the moment a picture is shown to its analysis, and from a crossing to its push."""
    from api.receiver import Receiver
    from cluster.demo import demo_scene

    source = "sim://approach?seed=3&flow=1800&width=1280&height=720&opposing=2"
    with Receiver() as receiver, _wayside(options) as wayside:
        wayside.add_interface(receiver.url, 21)
        wayside.add_task("live", source, scene=demo_scene(source), analysedFps=options.fps)
        wayside.wait_until_analysing(120)
        delays = []
        end = time.monotonic() + options.seconds
        while time.monotonic() < end:
            time.sleep(0.5)
            delays.append(wayside.health()["live"].analysis_delay_s)
        pushes = [push for push in list(receiver.pushes) if push.kind == "vehicle-snapshot"]
        waits = [push.received_at - wire_seconds(push.body["snapshotTime"], wayside.settings.time_zone) for push in pushes]
    print(
        f"frame to its analysis: p50 {_percentile(delays, 50):.0f} ms, p95 {_percentile(delays, 95):.0f} ms, {len(delays)} looks"
    )
    print(f"crossing to its push:  p50 {_percentile(waits, 50):.0f} ms, p95 {_percentile(waits, 95):.0f} ms, {len(waits)} pushes")


def wire_seconds(text: str, zone: str) -> float:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    layout = "%Y-%m-%d %H:%M:%S.%f" if "." in text else "%Y-%m-%d %H:%M:%S"
    return datetime.strptime(text, layout).replace(tzinfo=ZoneInfo(zone)).timestamp()


def _percentile(values: list[float], share: float) -> float:
    import numpy as np

    return float(np.percentile(values, share)) * 1e3 if values else float("nan")


# -- overload ---------------------------------------------------------------------------------------------------------


def overload(options: argparse.Namespace) -> None:
    """Many live cameras, more than the detector can serve: who gets how much, and does the delay grow."""
    count, fps = options.cameras, options.fps
    with MjpegCamera(options.small_clip, fps, 352) as camera, _wayside(options) as wayside:
        for number in range(count):
            wayside.add_task(f"live-{number}", f"{camera.url}{number}", analysedFps=fps)
        wayside.wait_until_analysing(120 + 10 * count)
        time.sleep(10)
        first, begun = wayside.health(), time.perf_counter()
        delays = []
        for _ in range(4):
            time.sleep(options.seconds / 4)
            now = wayside.health()
            delays.append([item.analysis_delay_s for item in now.values()])
        elapsed = time.perf_counter() - begun
        shares = [(now[num].frames_analysed - item.frames_analysed) / elapsed for num, item in first.items()]
        dropped = [(now[num].frames_dropped - item.frames_dropped) / elapsed for num, item in first.items()]
        memory = [pss_mib(pid) for pid in wayside.camera_pids().values()]
    print(
        f"{count} live cameras of {fps:g} frames/s: {sum(shares):.1f} frames/s analysed, {sum(dropped):.1f} dropped and counted"
    )
    print(f"per camera {min(shares):.2f} to {max(shares):.2f} frames/s, Jain index {jain(shares):.4f}")
    for quarter, values in enumerate(delays, 1):
        print(f"delay after {quarter}/4: p50 {_percentile(values, 50):.0f} ms, p95 {_percentile(values, 95):.0f} ms")
    print(f"camera memory {statistics.mean(memory):.0f} MiB PSS on average, {max(memory):.0f} at most")


# -- command line -----------------------------------------------------------------------------------------------------


def _wayside(options: argparse.Namespace) -> Any:
    width, height = options.input or (0, 0)
    return installation(options.models_dir, detector_width=width, detector_height=height, **options.set)


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    return int(width), int(height)


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n\n")[0])
    parser.add_argument("--models-dir", type=Path, default=Path("~/.cache/wayside/models").expanduser())
    parser.add_argument("--input", type=_size, metavar="WxH", help="network input; default: the model's")
    parser.add_argument("--set", type=json.loads, default={}, metavar="JSON", help="further settings of Wayside by field name")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each measurement")
    commands: Any = parser.add_subparsers(required=True)

    def command(name: str, function: Callable[[argparse.Namespace], None]) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = commands.add_parser(name, help=str(function.__doc__))
        made.set_defaults(function=function)
        return made

    through = command("throughput", throughput)
    through.add_argument("--clip", type=Path, default=CLIP)
    through.add_argument("--scene", type=Path)
    through.add_argument("--no-bare", action="store_true", help="measure the whole system only")
    through.add_argument("--tasks", type=int, default=4)
    through.add_argument("--cores", type=int, default=os.cpu_count())
    costs = command("cost", cost)
    costs.add_argument("--counts", type=lambda text: [int(item) for item in text.split(",")], default=[1, 4, 16])
    costs.add_argument("--small-clip", type=Path, default=CLIP)
    live = command("latency", latency)
    live.add_argument("--fps", type=float, default=12.5)
    over = command("overload", overload)
    over.add_argument("--cameras", type=int, default=64)
    over.add_argument("--fps", type=float, default=5.0)
    over.add_argument("--small-clip", type=Path, default=CLIP)
    options = parser.parse_args()
    options.function(options)


if __name__ == "__main__":
    main()
