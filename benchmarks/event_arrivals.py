"""Staged events at a receiver: every kind that pixels can show, through the whole application.

    python -m benchmarks.event_arrivals [--kinds accident,debris] [--seed 3] [--at-once 2] [--fps 8] [--files]
        [--port 8210] [--out FOLDER]

Starts Wayside on a data folder of its own, with an interface of business type 11 towards a receiver of its own. The films of
``benchmarks.event_clips`` run as ``sim://`` tasks in real time (``--files``: as files), some at once. The first push of a film's
kind that tells of a moment of its incident is held against the manual; its picture is fetched and decoded, its clip is fetched
and decoded from the first to the last picture, and the moment of the picture must lie inside the clip. Ends all it started.
"""

import argparse
import contextlib
import io
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import av.error
import cv2
import httpx
import numpy as np
from numpy.typing import NDArray

from actors.outbound import LOOPBACK
from actors.simulation import SimulatedCamera, parse_address
from actors.simulation.road import build_road
from actors.simulation.signals import SignalPlan
from actors.simulation.traffic_model import TrafficModel
from api.receiver import Push, Receiver
from benchmarks.clip_cases import ALSO_STAGED, STAGED
from benchmarks.event_clips import staged_address, staged_scene
from cluster.client import ApiClient, local_client
from cluster.settings import Settings
from traffic.facts import EventKind

BEFORE_S, AFTER_S = 5.0, 5.0
_EARLY_S, _LATE_S = 3.0, 8.0  # what is told of an incident is told at most so long before it begins or after it ends
_WIDTH = 320
_ZONE = "Asia/Shanghai"
START = datetime(2026, 1, 5, 8)  # of every film, in the zone of its task
_AT_WORK = (1, 2)  # status of a task
_WAIT_S = 60.0  # from the end of a film until its last push has surely come


@dataclass(slots=True)
class Arrival:
    """One film; times in seconds of the film."""

    kind: str
    begin_s: float
    end_s: float
    at_s: float | None = None
    problems: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    clip_s: float = 0.0
    moment_s: float = 0.0
    clip_kb: float = 0.0
    analysed_fps: float = 0.0


def incident_window(address: str) -> tuple[float, float]:
    """When the incident of a film begins and ends, from its traffic alone; (inf, inf) when it never comes."""
    settings = parse_address(address)
    traffic = TrafficModel(settings, build_road(settings), SignalPlan(cycle_s=settings.cycle_s, green_s=settings.green_s))
    on = []
    for step in range(int(settings.duration_s * 5)):
        traffic.advance(step / 5)
        if traffic.incidents():
            on.append(step / 5)
    return (on[0], on[-1]) if on else (np.inf, np.inf)


def arrivals(arguments: argparse.Namespace, folder: Path) -> list[Arrival]:
    """The whole run."""
    from cluster.ingress import prepare
    from cluster.up import Running

    settings = Settings(
        host="127.0.0.1", port=arguments.port, data_dir=folder, admin_password="event-arrivals", clip_before_s=BEFORE_S,
        clip_after_s=AFTER_S, archive_min_free_bytes=0, outbound_allow=LOOPBACK, plates=False, attributes=False,
    )  # fmt: skip
    prepare(settings)
    kinds = [kind for kind in STAGED if not arguments.kinds or kind in arguments.kinds.split(",")]
    done: list[Arrival] = []
    with Receiver() as receiver:
        running = Running(settings, None, dashboard_port=0)
        try:
            api = local_client(settings)
            api.call(
                "interface/add", name="arrivals", businessType=11, triggerCondition=2, url=receiver.url, uploadImgStatus=0,
                companyName="b", companyId="1", appId="b",
            )  # fmt: skip
            done += _run_all(api, receiver, kinds, arguments, folder)
        finally:
            running.close()
    return done


def _run_all(
    api: ApiClient, receiver: Receiver, kinds: list[str], arguments: argparse.Namespace, folder: Path
) -> Iterator[Arrival]:
    """Some films at a time; each ends when its event has been checked or cannot come any more."""
    waiting, running = list(enumerate(kinds, 1)), {}
    while waiting or running:
        while waiting and len(running) < arguments.at_once:
            number, kind = waiting.pop(0)
            address = staged_address(kind, arguments.seed)
            film = Arrival(kind, *incident_window(address))
            scene = staged_scene(kind, SimulatedCamera(parse_address(address)).scene_document())
            source = _filmed(address, film, folder / f"{kind}.mp4") if arguments.files else address
            task = api.call(
                "task/add", taskNum=str(number), taskName=kind, srcAddress=source, scene=scene, analysedFps=arguments.fps,
                startTime=f"{START:%Y-%m-%d %H:%M:%S}", timeZone=_ZONE,
            )  # fmt: skip
            running[str(number)] = (film, task["id"], time.monotonic())
        time.sleep(1.0)
        for number, (film, task_id, began_s) in tuple(running.items()):
            _look(receiver, number, film, arguments)
            row = next(task for task in api.call("task/list") if task["id"] == task_id)
            if arguments.files:
                running_on = row["status"] in _AT_WORK or not row["framesAnalysed"]
            else:
                running_on = time.monotonic() - began_s < film.end_s + _LATE_S + _WAIT_S
            if film.at_s is None and running_on:
                continue
            film.analysed_fps = row["framesAnalysed"] / max(row["framesDecoded"], 1) * row["fpsSource"]
            api.call("task/delete", id=task_id)
            del running[number]
            _tell(film)
            yield film


def _filmed(address: str, film: Arrival, path: Path) -> str:
    """The film as a file: it is analysed whole, however little of the machine is left."""
    camera = SimulatedCamera(parse_address(address))
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=Fraction(camera.settings.fps).limit_denominator(1000))
        stream.width, stream.height, stream.pix_fmt = camera.settings.width, camera.settings.height, "yuv420p"
        stream.options, stream.gop_size = {"preset": "veryfast", "crf": "20"}, 25
        for simulated in camera.frames():
            if simulated.time_s > film.end_s + _LATE_S:
                break
            output.mux(stream.encode(av.VideoFrame.from_ndarray(simulated.image, format="rgb24")))
        output.mux(stream.encode())
    return str(path)


def _look(receiver: Receiver, number: str, film: Arrival, arguments: argparse.Namespace) -> None:
    """Take what has come for a film: its own event is checked, all others are noted."""
    film.others.clear()
    for push in list(receiver.pushes):
        if push.kind != "event" or push.body["taskNum"] != number:
            continue
        kind, at_s = EventKind(push.body["recordType"]), moment_s(push.body["videoPath"] or push.body["recordLargePath"])
        own = kind is STAGED[film.kind] and film.begin_s - _EARLY_S <= at_s <= film.end_s + _LATE_S
        if own and film.at_s is None:
            film.at_s = at_s
            _check(push, film, arguments)
        elif not own and kind not in ALSO_STAGED.get(film.kind, ()):
            film.others.append(f"{kind.name} {at_s:.1f}")


def moment_s(path: str) -> float:
    """The moment in the name of a picture or clip, seconds of the film."""
    digits = path.rpartition("_")[2].partition(".")[0]
    return (datetime.strptime(digits[:14], "%Y%m%d%H%M%S") - START).total_seconds() + int(digits[14:]) / 1000


def _check(push: Push, film: Arrival, arguments: argparse.Namespace) -> None:
    """Body, picture and clip of an event."""
    film.problems += push.problems
    body, base = push.body, f"http://127.0.0.1:{arguments.port}"
    picture = httpx.get(f"{base}/{body['recordLargePath']}", trust_env=False)
    clip = httpx.get(f"{base}{body['videoPath']}", trust_env=False)
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        (arguments.out / f"{film.kind}.jpg").write_bytes(picture.content)
        (arguments.out / f"{film.kind}.mp4").write_bytes(clip.content)
    moment = cv2.imdecode(np.frombuffer(picture.content, np.uint8), cv2.IMREAD_GRAYSCALE)
    if moment is None:
        film.problems.append(f"the picture is none (HTTP {picture.status_code})")
        return
    try:
        times, frames = _decode(clip.content)
    except (av.error.FFmpegError, IndexError) as error:
        film.problems.append(f"the clip does not play (HTTP {clip.status_code}): {error}")
        return
    apart = [float(np.abs(frame - _small(moment)).mean()) for frame in frames]
    nearest = int(np.argmin(apart))
    film.clip_s, film.moment_s, film.clip_kb = times[-1] - times[0], times[nearest] - times[0], len(clip.content) / 1e3
    if not 1.0 <= film.moment_s <= film.clip_s - 1.0:
        film.problems.append("the moment of the picture is not inside the clip")
    if film.clip_s < min(BEFORE_S, film.at_s or 0.0) + 0.6 * AFTER_S:
        film.problems.append(f"the clip is short: {film.clip_s:.1f} s")


def _decode(data: bytes) -> tuple[list[float], list[NDArray[np.float32]]]:
    """Times and small grey pictures of a clip, all of them.

    Raises:
        av.error.FFmpegError: it does not decode. IndexError: it holds no picture, or does not begin with a key picture.
    """
    times, frames = [], []
    with av.open(io.BytesIO(data)) as clip:
        for frame in clip.decode(video=0):
            if not times and not frame.key_frame:
                raise IndexError("does not begin with a key picture")
            times.append(float(frame.time))
            frames.append(_small(frame.to_ndarray(format="gray")))
    if len(times) < 2 or any(after <= before for before, after in pairwise(times)):
        raise IndexError(f"{len(times)} pictures, or not in order")
    return times, frames


def _small(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    height = round(picture.shape[0] * _WIDTH / picture.shape[1])
    return cv2.resize(picture, (_WIDTH, height), interpolation=cv2.INTER_AREA).astype(np.float32)


def _tell(film: Arrival) -> None:
    came = "MISSED" if film.at_s is None else f"{film.at_s - film.begin_s:.1f}"
    clip = f"{film.clip_s:.1f}, {film.moment_s:.1f}, {film.clip_kb:.0f}"
    told = "; ".join(film.problems) or "none"
    others = ", ".join(film.others) or "none"
    print(f"| {film.kind} | {came} | {clip} | {film.analysed_fps:.1f} | {told} | {others} |", flush=True)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Staged events at a receiver.")
    parser.add_argument("--kinds", default="")
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--fps", type=float, default=8.0, help="analysed frames per second of each camera")
    parser.add_argument("--port", type=int, default=8210)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--files", action="store_true", help="films as files, which are analysed whole, for busy machines")
    parser.add_argument("--out", type=Path, help="keeps picture and clip of every arrival")
    arguments = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = arguments.data_dir or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wayside-arrivals-")))
        print("| staged | told after s | clip s, moment in it s, kB | frames/s | problems | others told |")
        print("|---|---|---|---|---|---|", flush=True)
        found = arrivals(arguments, folder)
        good = sum(film.at_s is not None and not film.problems for film in found)
        print(f"{good} of {len(found)} arrived with picture and clip of the moment")


if __name__ == "__main__":
    main()
