"""Events of whole films: the staged incidents of ``sim://``, and real clips, through the real pipeline.

``python -m benchmarks.event_clips [--staged] [--clips] [--only NAME] [--seeds 3,4] [--out FOLDER]``: decoding, detector, tracker,
passages, ``PixelWatcher`` and ``EventAnalyzer`` as in a camera; no archive. Detections are kept under ``--cache`` by the content
of the network's input, so that a second run is cheap and never stale. ``--out`` keeps a picture of every event raised.
"""

import argparse
import hashlib
import json
import os
import pickle
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from actors.decoding import DecodedFrame, SourceOptions, frame_rgb, open_source
from actors.pipeline import CameraPipeline, PipelineConfig
from actors.ports import TaskRef, TaskSpec
from actors.simulation import SimulatedCamera, parse_address
from actors.vision import VisionConfig
from benchmarks.clip_cases import ALSO_STAGED, CLIPS, ORDINARY, ORDINARY_ALSO, RULES, STAGED, VIEWS, ClipCase, jamcam_case
from models.detector import Detector
from models.handles import InputFit, LocalDetectorClient, PendingDetections
from models.store import WeightsStore
from traffic.facts import CrowdAlarm, EventKind, EventPhase, TrafficEvent
from traffic.scene import Scene
from traffic.scene.document import parse_scene
from traffic.types import Detections

ROOT = Path(__file__).resolve().parent.parent
SCENES = ROOT / "examples" / "scenes"
FPS = 12.5
START_S = 1_700_000_000.0


class _Ready:
    def __init__(self, detections: Detections) -> None:
        self._detections = detections

    def result(self, timeout_s: float) -> Detections:
        del timeout_s
        return self._detections


class CachedDetector:
    """A ``DetectorClient`` that remembers its answers by the content of the input."""

    def __init__(self, folder: Path, name: str) -> None:
        self._client = LocalDetectorClient(Detector("picodet-s", WeightsStore(Path("~/.cache/wayside/models").expanduser())))
        self._path = folder / f"{name}.pickle"
        folder.mkdir(parents=True, exist_ok=True)
        self._known: dict[bytes, tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]] = {}
        if self._path.exists():
            self._known = pickle.loads(self._path.read_bytes())
        self._before = len(self._known)

    @property
    def input_size(self) -> tuple[int, int]:
        """Of the network."""
        return self._client.input_size

    @property
    def input_fit(self) -> InputFit:
        """Of the network."""
        return self._client.input_fit

    def submit(self, image: NDArray[np.uint8]) -> PendingDetections:
        """Detections of an input, remembered or new."""
        key = hashlib.blake2b(image.tobytes(), digest_size=12).digest()
        if key not in self._known:
            found = self._client.submit(image).result(60.0)
            self._known[key] = (found.boxes, found.scores, found.classes)
        boxes, scores, classes = self._known[key]
        return _Ready(Detections(boxes=boxes, scores=scores, classes=classes))

    def gather(self, pictures: int) -> None:
        """Nothing to gather: every picture is answered at once."""

    def save(self) -> None:
        """Keep what is new."""
        if len(self._known) == self._before:
            return
        handle, name = tempfile.mkstemp(dir=self._path.parent)
        with os.fdopen(handle, "wb") as file:
            pickle.dump(self._known, file)
        os.replace(name, self._path)


@dataclass(slots=True)
class Raised:
    """One event of a film; seconds of the film."""

    kind: EventKind
    time_s: float
    start_s: float
    end_s: float | None
    upgraded_from: EventKind | None
    confidence: float
    box: tuple[float, float, float, float]
    detail: str


@dataclass(slots=True)
class Film:
    """What one film gave. ``paused_s``: seconds in which the view was not trusted."""

    name: str
    duration_s: float = 0.0
    paused_s: float = 0.0
    events: dict[str, Raised] = field(default_factory=dict)
    windows: list[tuple[float, float]] = field(default_factory=list)  # of the staged incident


def run(
    name: str, frames: Iterator[DecodedFrame], scene: Scene | None, cache: Path, out: Path | None, *, fixed: bool = True
) -> Film:
    """One film through the pipeline; ``fixed``: the camera is, so that its view is guarded."""
    ref = TaskRef(task_id=1, task_num="1", task_name=name, src_address=name, time_zone="Asia/Shanghai")
    spec = TaskSpec(
        ref=ref, scene=scene, analysed_fps=FPS, rtsp_transport="tcp", loop=False, start_time_s=START_S, enabled=True, revision="1"
    )
    detector = CachedDetector(cache, name.replace("/", "_"))
    pipeline, film, before = (
        CameraPipeline(
            spec, detector, None, PipelineConfig(vision=VisionConfig(view=fixed, static_objects=fixed, surfaces=fixed))
        ),
        Film(name),
        None,
    )
    frame = None
    for frame in frames:
        now = frame.time_s - START_S
        pipeline.begin(frame)
        result = pipeline.finish()
        film.duration_s = now
        if pipeline.paused_reason and before is not None:
            film.paused_s += now - before
        before = now
        for envelope in result.envelopes:
            _note(film, envelope.fact, frame, out)
    for envelope in pipeline.end():
        _note(film, envelope.fact, None, None)
    detector.save()
    return film


def _note(film: Film, fact: object, frame: DecodedFrame | None, out: Path | None) -> None:
    if isinstance(fact, CrowdAlarm) and not fact.repeat:
        event = Raised(
            EventKind.CROWD, fact.time_s - START_S, fact.since_s - START_S, None, None, 1.0, fact.box, str(fact.people_num)
        )
        film.events[f"crowd{fact.since_s}"] = event
    elif isinstance(fact, TrafficEvent):
        known = film.events.get(fact.event_id)
        if fact.phase is EventPhase.CLOSED:
            if known:
                known.end_s = fact.time_s - START_S
            return
        from_kind = known.kind if known else None
        event = Raised(
            fact.kind, fact.time_s - START_S, fact.start_s - START_S, None, from_kind, fact.confidence, fact.box, fact.detail
        )
        film.events[fact.event_id] = event
    else:
        return
    if out is not None and frame is not None:
        picture = frame_rgb(frame)[..., ::-1].copy()
        x1, y1, x2, y2 = (int(v) for v in event.box)
        cv2.rectangle(picture, (x1, y1), (x2, y2), (0, 0, 255), 2)
        cv2.imwrite(str(out / f"{film.name.replace('/', '_')}_{event.kind.name}_{event.time_s:05.1f}.jpg"), picture)


# films ------------------------------------------------------------------------------------------------------------------


def clip_frames(path: Path) -> Iterator[DecodedFrame]:
    """The frames of a recording as a camera would analyse them."""
    with open_source(str(path), SourceOptions(start_time_s=START_S, analysed_fps=FPS)) as source:
        yield from source


def staged_address(kind: str, seed: int) -> str:
    """The film of a kind."""
    long = {"congestion": 150.0, "junction_overflow": 90.0}.get(kind, 45.0)
    address = f"sim://approach?seed={seed}&fps={FPS}&duration_s={long + 75:g}&incident={kind}:at=15:for={long:g}:lane=2"
    address += "&width=1280&height=720&opposing=2"
    return address + VIEWS.get(kind, "")


def staged_scene(kind: str, document: dict[str, Any]) -> dict[str, Any]:
    """The scene of the film with the rules that its operator would set."""
    document = document | RULES.get(kind, {})
    if kind == "slow_vehicle":
        document["lanes"] = [{**lane, "minSpeedKmh": 16} for lane in document["lanes"]]
    if kind == "crowd":  # of fourteen who hide each other seven to ten are counted
        document["regions"] = [r | ({"crowd": {"minPeople": 7}} if r["kind"] == "crowd" else {}) for r in document["regions"]]
    return document


def staged_film(kind: str, seed: int, cache: Path, out: Path | None) -> Film:
    """A staged incident; its windows are those of the film's truth."""
    camera = SimulatedCamera(parse_address(staged_address(kind, seed)))
    document = staged_scene(kind, camera.scene_document())
    windows: list[tuple[float, float]] = []

    def frames() -> Iterator[DecodedFrame]:
        ended = 0.0
        for simulated in camera.frames():
            now = simulated.time_s
            if simulated.truth.incidents:
                if not windows or now > windows[-1][1] + 1.0:
                    windows.append((now, now))
                windows[-1] = (windows[-1][0], now)
                ended = now
            elif windows and now > ended + 12.0:
                return
            picture = av.VideoFrame.from_ndarray(simulated.image, format="rgb24").reformat(format="yuv420p")
            yield DecodedFrame(
                index=simulated.index, pts_s=now, time_s=START_S + now, frame=picture, width=simulated.image.shape[1],
                height=simulated.image.shape[0], key_frame=True, rotation=0,
            )  # fmt: skip

    film = run(f"sim_{kind}_{seed}", frames(), parse_scene(json.dumps(document)), cache, out)
    film.windows = windows
    return film


def scene_of(name: str) -> Scene | None:
    """The committed scene of a clip; None: lanes are learned."""
    stem = name.rpartition("/")[2]
    path = SCENES / (f"jamcam_{stem.partition('_')[0]}.json" if "jamcam" in name else f"{stem}.json")
    return parse_scene(path.read_text(encoding="utf-8")) if path.exists() else None


# reports ----------------------------------------------------------------------------------------------------------------


def _tell(film: Film) -> None:
    for event in sorted(film.events.values(), key=lambda e: e.time_s):
        end = "open" if event.end_s is None else f"{event.end_s:.1f}"
        was = f" (was {event.upgraded_from.name})" if event.upgraded_from else ""
        box = [round(v) for v in event.box]
        place = f"{box} {event.detail}"
        print(f"    {event.kind.name}{was} {event.start_s:.1f}..{end}, raised {event.time_s:.1f}, {event.confidence:.2f} {place}")


def report_staged(kinds: list[str], seeds: list[int], cache: Path, out: Path | None) -> None:
    """Found, missed and false, per kind."""
    print("| Staged | found | delay s | other events |\n|---|---|---|---|", flush=True)
    for kind in kinds:
        found, delays, wrong, films = 0, [], 0, []
        for seed in seeds:
            film = staged_film(kind, seed, cache, out)
            begin, end = film.windows[0] if film.windows else (0.0, 0.0)
            hits = [e for e in film.events.values() if e.kind is STAGED[kind] and begin - 3 <= e.time_s <= end + 5]
            allowed = {STAGED[kind], *ALSO_STAGED.get(kind, ())}
            found += bool(hits)
            wrong += sum(e.kind not in allowed or not begin - 15 <= e.time_s for e in film.events.values()) + max(
                0, len(hits) - 1
            )
            delays += [min(e.time_s for e in hits) - begin] if hits else []
            films.append(film)
        delay = f"{np.median(delays):.1f}" if delays else "-"
        print(f"| {kind} | {found} of {len(seeds)} | {delay} | {wrong} |", flush=True)
        for film in films:
            print(f"    {film.name} incident {film.windows}, view paused {film.paused_s:.1f} s")
            _tell(film)


def report_clips(cases: list[ClipCase], video: Path, cache: Path, out: Path | None) -> None:
    """Expectations met, and false alarms per hour."""
    seconds, false = 0.0, 0
    for case in cases:
        path = next(iter(sorted(video.glob(case.name + ".*"))), None)
        if path is None:
            print(f"{case.name}: not there")
            continue
        film = run(case.name, clip_frames(path), scene_of(case.name), cache, out, fixed=case.fixed)
        verdicts = []
        for kind, begin, end in case.wanted:
            times = [e.time_s for e in film.events.values() if e.kind is kind and begin <= e.time_s <= end]
            verdicts.append(f"{kind.name} found at {min(times):.1f} s" if times else f"{kind.name} MISSED")
        allowed = {kind for kind, _, _ in case.wanted} | case.also
        wrong = [e for e in film.events.values() if e.kind not in allowed]
        seconds, false = seconds + film.duration_s, false + len(wrong)
        told = ", ".join(verdicts) or "silence wanted"
        print(f"{case.name} ({film.duration_s:.0f} s, paused {film.paused_s:.1f} s): {told}; {len(wrong)} false", flush=True)
        _tell(film)
    print(f"{false} false in {seconds:.0f} s of video: {false / max(seconds, 1) * 3600:.1f} per hour")


def main() -> None:
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--staged", action="store_true")
    parser.add_argument("--clips", action="store_true")
    parser.add_argument("--only", default="", help="names that contain one of these, separated by commas")
    parser.add_argument("--seeds", default="3")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("WAYSIDE_TEST_DATA", ROOT.parent / "shared" / "data")))
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "events-cache")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
    only = [part for part in args.only.split(",") if part]

    def chosen(name: str) -> bool:
        return not only or any(part in name for part in only)

    if args.staged:
        report_staged([k for k in STAGED if chosen(k)], [int(s) for s in args.seeds.split(",")], args.cache, args.out)
    if args.clips:
        jamcams = [jamcam_case(path.stem) for path in sorted((args.data / "video" / "tfl_jamcam").iterdir())]
        ordinary = [ClipCase(name=name, also=ORDINARY_ALSO.get(name, frozenset())) for name in ORDINARY]
        cases = [replace(case) for case in (*CLIPS, *jamcams, *ordinary) if chosen(case.name)]
        report_clips(cases, args.data / "video", args.cache, args.out)


if __name__ == "__main__":
    main()
