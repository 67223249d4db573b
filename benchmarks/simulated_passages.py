"""The simulated camera through the real pipeline, its passages against the truth: ``python -m benchmarks.simulated_passages``.

    python -m benchmarks.simulated_passages [--address sim://…] [--seeds 3,5] [--seconds 120] [--every 2]

The figures say nothing about real roads, but what is lost, doubled or measured wrong here has a cause: each is named.
"""

import argparse
import dataclasses
import statistics
from collections import defaultdict
from pathlib import Path

import av

from actors.decoding import DecodedFrame
from actors.pipeline import CameraPipeline, PipelineConfig
from actors.ports import TaskRef, TaskSpec
from actors.simulation import SimulatedCamera, parse_address
from benchmarks.passage_scores import TruePassage, row, score, total
from models.detector import Detector
from models.handles import DetectorClient, LocalDetectorClient
from models.store import WeightsStore
from traffic.facts import VehiclePassage
from traffic.scene.document import parse_scene
from traffic.types import ObjectClass

_START_S = 1_700_000_000.0
_MATCH_S = 0.7
_FIRST_S = 1.0  # who stands on the line when the film begins has not been seen before it


def film(
    address: str, seed: int, seconds: float, every: int, detector: DetectorClient
) -> tuple[list[TruePassage], list[VehiclePassage]]:
    """True and stated passages of one film; ``every``: analyse each n-th frame."""
    settings = dataclasses.replace(parse_address(address), seed=seed, duration_s=seconds)
    camera = SimulatedCamera(settings)
    task = TaskRef(task_id=1, task_num="1", task_name="simulated", src_address=address, time_zone="Asia/Shanghai")
    scene = parse_scene(camera.scene_document())
    spec = TaskSpec(
        ref=task,
        scene=scene,
        analysed_fps=0.0,
        rtsp_transport="tcp",
        loop=False,
        start_time_s=_START_S,
        enabled=True,
        revision="1",
    )
    pipeline = CameraPipeline(spec, detector, None, PipelineConfig())
    truth: list[TruePassage] = []
    facts = []
    for shown in camera.frames():
        truth += [
            TruePassage(
                vehicle=item.track_id,
                road_num=item.road_num,
                time_s=_START_S + item.time_s,
                speed_kmh=item.speed_kmh,
                time_headway_s=None,  # the simulator's are of the ends nearer to the camera, ours of fronts
                spacing_m=None,
                length_m=float("nan"),
                object_class=item.object_class,
            )
            for item in shown.truth.passages
            if item.time_s >= _FIRST_S
        ]
        if shown.index % every:
            continue
        height, width = shown.image.shape[:2]
        picture = av.VideoFrame.from_ndarray(shown.image, format="rgb24")
        pipeline.begin(
            DecodedFrame(
                index=shown.index,
                pts_s=shown.time_s,
                time_s=_START_S + shown.time_s,
                frame=picture,
                width=width,
                height=height,
                key_frame=True,
                rotation=0,
            )
        )
        facts += [item.fact for item in pipeline.finish().envelopes]
    facts += [item.fact for item in pipeline.end()]
    return truth, [fact for fact in facts if isinstance(fact, VehiclePassage)]


def report(seed: int, truth: list[TruePassage], stated: list[VehiclePassage]) -> None:
    """What each lane had and got, and every passage without a partner."""
    for lane in sorted({item.road_num for item in truth} | {item.road_num for item in stated}):
        mine, got = [t for t in truth if t.road_num == lane], [s for s in stated if s.road_num == lane]
        true_speeds, speeds = [t.speed_kmh for t in mine], [s.speed_kmh for s in got if s.speed_kmh is not None]
        means = [f"{statistics.mean(values):.1f}" if values else "–" for values in (true_speeds, speeds)]
        print(f"seed {seed} lane {lane}: {len(mine)} true, {len(got)} stated; mean speed {means[0]} true, {means[1]} km/h stated")
    by_lane: dict[str, list[str]] = defaultdict(list)
    for one in truth:
        if not any(abs(s.time_s - one.time_s) < _MATCH_S and s.road_num == one.road_num for s in stated):
            by_lane["lost"].append(
                f"{one.time_s - _START_S:.1f} s lane {one.road_num} {one.object_class.name} {one.speed_kmh:.0f} km/h"
            )
    for other in stated:
        near = [t for t in truth if abs(other.time_s - t.time_s) < _MATCH_S and other.road_num == t.road_num]
        if not near:
            by_lane["extra"].append(f"{other.time_s - _START_S:.1f} s lane {other.road_num} {other.object_class.name}")
        elif other.speed_kmh is not None and min(abs(other.speed_kmh - t.speed_kmh) for t in near) > 3:
            true = min(near, key=lambda t: abs(t.time_s - other.time_s))
            text = f"{other.time_s - _START_S:.1f} s lane {other.road_num} {other.object_class.name} ({true.object_class.name})"
            by_lane["speed off"].append(f"{text} {other.speed_kmh:.0f}, true {true.speed_kmh:.0f} km/h")
    for what, lines in by_lane.items():
        print(f"  {what}: " + "; ".join(lines))


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n\n")[0])
    parser.add_argument("--address", default="sim://approach?flow=1800")
    parser.add_argument("--seeds", type=lambda text: [int(item) for item in text.split(",")], default=[3, 5])
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--every", type=int, default=2, help="analyse each n-th of 25 frames/s")
    parser.add_argument("--models-dir", type=Path, default=Path("~/.cache/wayside/models").expanduser())
    options = parser.parse_args()
    detector = LocalDetectorClient(Detector("picodet-s", WeightsStore(options.models_dir)))
    four, two = [], []
    for seed in options.seeds:
        truth, stated = film(options.address, seed, options.seconds, options.every, detector)
        report(seed, truth, stated)
        wheels = (ObjectClass.CAR, ObjectClass.BUS, ObjectClass.TRUCK)
        lanes = {item.road_num for item in truth if item.object_class not in wheels}
        four.append(score([t for t in truth if t.road_num not in lanes], [s for s in stated if s.road_num not in lanes]))
        two.append(score([t for t in truth if t.road_num in lanes], [s for s in stated if s.road_num in lanes]))
    print(f"{'':<34} true lost xtra lane  speed km/h: bias, median, 95 %; time ms; headway ms; spacing m; length m; unmeasured")
    print(row("lanes of cars", total(four)))
    print(row("lanes of two-wheelers", total(two)))


if __name__ == "__main__":
    main()
