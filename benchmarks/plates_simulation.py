"""Plates of the simulated camera, from its pictures to ``plateNum``: ``python -m benchmarks.plates_simulation [--seeds 1,7]``.

The frames go through the pipeline of a camera with recognition (the networks in this process), the bodies that would be pushed
are compared with the simulation's own truth: every truth passage of a vehicle with a plate belongs to the body of the same lane
nearest in time, within a second. Plates are told apart by the width in pixels at which they are seen best: nobody reads seven
characters from 30 pixels. Also says which share of the processor time recognition took.
"""

import argparse
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import av

from actors.decoding import DecodedFrame
from actors.pipeline import CameraPipeline, PipelineConfig
from actors.ports import FactEnvelope, TaskRef, TaskSpec
from actors.recognition import InlineDesk, RecognitionServices
from actors.recognition.desk import Findings, Job
from actors.simulation import SimulatedCamera, parse_address
from api.wire.encode import snapshot_body
from cluster.demo import demo_scene
from cluster.settings import Settings
from models.detector import Detector
from models.handles import LocalDetectorClient, LocalPlateReaderClient
from models.plates.systems import find_system, load_plate_reader
from models.store import WeightsStore
from traffic.facts import VehiclePassage
from traffic.scene.document import parse_scene

_NEAR_S = 1.0
_WIDTHS_PX = (0, 45, 60)  # lower ends of the classes of plates by their greatest width in the picture
_START_S = 1_700_000_000.0


class _TimedDesk(InlineDesk):
    """Says how long it worked."""

    seconds, jobs, pictures = 0.0, 0, 0

    def submit(self, job: Job) -> "Future[Findings]":
        begin = time.process_time()
        answer = super().submit(job)
        self.seconds += time.process_time() - begin
        self.jobs += 1
        self.pictures += len(job.shots)
        return answer


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--address", default="sim://approach")
    parser.add_argument("--seeds", default="1,7")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--step", type=int, default=2, help="every n-th frame is analysed (25 frames/s are drawn)")
    options = parser.parse_args()
    settings = Settings()
    store = WeightsStore(settings.models_dir)
    detector = LocalDetectorClient(Detector(settings.detector_model, store))
    reader = load_plate_reader(find_system(settings.plate_system), store)
    client = LocalPlateReaderClient(reader, settings.plate_vehicle_px)
    total: Counter[str] = Counter()
    for seed in map(int, options.seeds.split(",")):
        joint = "&" if "?" in options.address else "?"
        address = f"{options.address}{joint}seed={seed}&duration_s={options.seconds:g}"
        total += _run(address, detector, client, options.step, settings.sprite_cache_dir)
    print(f"all: {_line(total)}")


def _run(address: str, detector: LocalDetectorClient, client: LocalPlateReaderClient, step: int, cache: Path) -> Counter[str]:
    document = demo_scene(address)
    assert document is not None
    task = TaskRef(task_id=1, task_num="1", task_name="sim", src_address=address, time_zone="Asia/Shanghai")
    spec = TaskSpec(
        ref=task, scene=parse_scene(document), analysed_fps=0, rtsp_transport="tcp", loop=False, start_time_s=_START_S,
        enabled=True, revision="1",
    )  # fmt: skip
    config = PipelineConfig()
    desk = _TimedDesk(RecognitionServices(connect_plates=lambda: client), config.recognition)
    pipeline = CameraPipeline(spec, detector, None, config, life="benchmark", desk=desk)
    truth, stated, drawing, held = [], [], 0.0, 0
    widths: defaultdict[int, float] = defaultdict(float)
    begin = mark = time.process_time()
    for frame in SimulatedCamera(parse_address(address), cache).frames():
        truth += [passage for passage in frame.truth.passages if passage.plate]
        for item in frame.truth.objects:
            if item.plate_box is not None:
                widths[item.track_id] = max(widths[item.track_id], item.plate_box[2] - item.plate_box[0])
        drawing += time.process_time() - mark
        if frame.index % step == 0:
            height, width = frame.image.shape[:2]
            picture = av.VideoFrame.from_ndarray(frame.image, format="rgb24").reformat(format="yuv420p")
            pipeline.begin(
                DecodedFrame(
                    index=frame.index, pts_s=frame.time_s, time_s=_START_S + frame.time_s, frame=picture, width=width,
                    height=height, key_frame=True, rotation=0,
                )
            )  # fmt: skip
            stated += list(_bodies(pipeline.finish().envelopes))
            held = max(held, pipeline.recognition_bytes)
        mark = time.process_time()
    stated += list(_bodies(pipeline.end()))
    spent = time.process_time() - begin - drawing
    counts: Counter[str] = Counter()
    others = {passage.plate for passage in truth}
    for passage in truth:
        near = [
            (abs(time_s - _START_S - passage.time_s), index)
            for index, (lane, time_s, _) in enumerate(stated)
            if lane == passage.road_num and abs(time_s - _START_S - passage.time_s) < _NEAR_S
        ]
        counts["passages"] += 1
        if not near:
            counts["not counted"] += 1
            kind = passage.object_class.name.lower()
            print(f"   {passage.time_s:6.1f} s lane {passage.road_num} {kind}, {passage.plate}: no passage stated")
            continue
        _, _, plate = stated.pop(min(near)[1])
        outcome = "right" if plate == passage.plate else "wrong" if plate else "empty"
        counts[outcome] += 1
        width = widths[passage.track_id]
        wide = max(least for least in _WIDTHS_PX if width >= least)
        counts[f"{wide} px or wider: {outcome}"] += 1
        if outcome != "right":
            kind = passage.object_class.name.lower()
            of = ", another vehicle's" if plate in others else ""
            print(f"   {passage.time_s:6.1f} s lane {passage.road_num} {kind}, {width:.0f} px, {passage.plate} → {plate!r}{of}")
    for lane, time_s, plate in stated:
        print(f"   {time_s - _START_S:6.1f} s lane {lane}, {plate!r}: stated, nothing true left near it")
    print(f"{address}: {_line(counts)}")
    share = desk.seconds / max(spent, 1e-9)
    print(
        f"   recognition: {desk.jobs} vehicles, {desk.pictures} pictures, {desk.seconds:.1f} s of {spent:.1f} s ({share:.0%}),",
        end=" ",
    )
    print(f"pictures held at most {held / 1e6:.1f} MB")
    return counts


def _bodies(envelopes: tuple[FactEnvelope, ...]) -> Iterator[tuple[int, float, str]]:
    for envelope in envelopes:
        if isinstance(envelope.fact, VehiclePassage):
            body = snapshot_body(envelope, envelope.fact, "")
            yield envelope.fact.road_num, envelope.fact.time_s, str(body["plateNum"])


def _line(counts: Counter[str]) -> str:
    counted = counts["passages"] - counts["not counted"]
    lines = [f"{counted} of {counts['passages']} vehicles counted, {_share(counts, '')}"]
    ends = [*(f" to {end} px" for end in _WIDTHS_PX[1:]), " px and more"]
    lines += [f"plates of {w}{end}: {_share(counts, f'{w} px or wider: ')}" for w, end in zip(_WIDTHS_PX, ends, strict=True)]
    return "\n   ".join(lines)


def _share(counts: Counter[str], group: str) -> str:
    """The outcomes of a group of plates."""
    right, empty, wrong = (counts[group + outcome] for outcome in ("right", "empty", "wrong"))
    total = right + empty + wrong
    return f"{right} of {total} right ({100 * right / max(total, 1):.1f} %), {empty} empty, {wrong} wrong"


if __name__ == "__main__":
    main()
