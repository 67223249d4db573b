"""What the pixel watcher costs per camera: share of one core at 12.5 analysed frames per second, and the memory of its state.

``python -m benchmarks.vision [--address sim://…] [--seconds 30]``. Only ``PixelWatcher.look`` is timed (CPU time of the thread).
"""

import argparse
import time
import tracemalloc
from dataclasses import replace

import av
import cv2

from actors.decoding import DecodedFrame
from actors.simulation import SimulatedCamera, SimulatedFrame, TrueObject, parse_address
from actors.vision import PixelWatcher, VisionConfig
from traffic.scene.document import parse_scene
from traffic.types import Track, TrackId, TrackState

FPS = 12.5


def _track(simulated: SimulatedFrame, truth: TrueObject) -> Track:
    return Track(
        track_id=TrackId(truth.track_id),
        state=TrackState.CONFIRMED,
        box=truth.box,
        velocity=(0.0, truth.speed_kmh),
        object_class=truth.object_class,
        class_share=1.0,
        score=0.8,
        time_s=simulated.time_s,
        first_time_s=0.0,
        hits=9,
        time_since_update_s=0.0,
        moved=True,
        detection=truth.box,
    )


def measure(address: str, size: tuple[int, int], seconds: float, parts: VisionConfig) -> tuple[float, float]:
    """(share of a core, megabytes of state)."""
    settings = replace(parse_address(address), fps=FPS, duration_s=seconds, width=size[0], height=size[1])
    camera = SimulatedCamera(settings)
    scene = parse_scene(camera.scene_document())
    spent, memory = 0.0, 0.0
    watcher = PixelWatcher(scene, parts)
    for simulated in camera.frames():
        picture = av.VideoFrame.from_ndarray(simulated.image, format="rgb24").reformat(format="yuv420p")
        frame = DecodedFrame(
            index=simulated.index, pts_s=simulated.time_s, time_s=simulated.time_s, frame=picture, width=size[0], height=size[1],
            key_frame=True, rotation=0,
        )  # fmt: skip
        tracks = [_track(simulated, o) for o in simulated.truth.objects if o.visible > 0.4]
        if simulated.index == 0:
            tracemalloc.start()
            watcher.look(frame, tracks)
            memory = tracemalloc.get_traced_memory()[0] / 1e6
            tracemalloc.stop()
            continue
        begun = time.thread_time()
        watcher.look(frame, tracks)
        spent += time.thread_time() - begun
    return spent / seconds, memory


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--address",
        default="sim://approach?seed=4&width=1280&height=720&opposing=2&incident=no_helmet:at=5:for=20:lane=2&incident=debris:at=5:for=20:lane=3",
    )
    parser.add_argument("--seconds", type=float, default=30.0)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    off = {"static_objects": False, "surfaces": False, "cones": False, "heads": False, "view": False}
    variants = {"all": VisionConfig(), **{name: VisionConfig(**(off | {name: True})) for name in off}}  # type: ignore[arg-type]
    print("| Picture | part | share of a core | state |\n|---|---|---|---|")
    for size in ((1280, 720), (1920, 1080)):
        for name, config in variants.items() if size[0] == 1280 else [("all", variants["all"])]:
            share, memory = measure(args.address, size, args.seconds, config)
            print(f"| {size[0]}x{size[1]} | {name} | {share * 100:.2f} % | {memory:.1f} MB |", flush=True)


if __name__ == "__main__":
    main()
