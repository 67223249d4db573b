"""Helmets and bare heads on photographs: draws what is said of every person the detector finds, to be counted by eye.

``python -m benchmarks.heads FILE… --out FOLDER``: pictures, or clips of which every ``--step`` seconds a picture is taken.
Regions are ignored: everybody is judged.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from actors.decoding import letterbox
from actors.vision import VisionConfig
from actors.vision.heads import judge_heads
from benchmarks.cones import frame_of
from models.detector import Detector
from models.store import WeightsStore
from traffic.events.observations import PixelFindingKind
from traffic.types import ObjectClass, Track, TrackId, TrackState


def pictures(path: Path, step_s: float) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Names and RGB pictures of a file."""
    still = cv2.imread(str(path))
    if still is not None:
        yield path.stem, np.ascontiguousarray(still[..., ::-1])
        return
    due = 0.0
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            if frame.time is not None and frame.time >= due:
                due += step_s
                yield f"{path.stem}_{frame.time:05.1f}", frame.to_ndarray(format="rgb24")


def main() -> None:
    """Judge and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--step", type=float, default=4.0)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    args.out.mkdir(parents=True, exist_ok=True)
    detector = Detector("picodet-s", WeightsStore(Path("~/.cache/wayside/models").expanduser()))
    for path in args.files:
        for name, rgb in pictures(path, args.step):
            frame = frame_of(rgb)
            image, transform = letterbox(frame, detector.input_size)
            canvas = np.full((detector.input_size[1], detector.input_size[0], 3), 114, np.uint8)
            canvas[: image.shape[0], : image.shape[1]] = image
            found = detector.detect([canvas])[0]
            boxes = transform.to_frame(found.boxes)
            people = [
                Track(
                    track_id=TrackId(i), state=TrackState.CONFIRMED, box=tuple(map(float, box)), velocity=(0.0, 0.0),
                    object_class=ObjectClass.PERSON, class_share=1.0, score=float(score), time_s=0.0, first_time_s=0.0, hits=9,
                    time_since_update_s=0.0, moved=True, detection=tuple(map(float, box)),
                )
                for i, (box, kind, score) in enumerate(zip(boxes, found.classes, found.scores, strict=True))
                if kind == ObjectClass.PERSON and score > 0.4
            ]  # fmt: skip
            said = {f.track_id: f.kind for f in judge_heads(frame, people, people, VisionConfig())}
            drawn = rgb[..., ::-1].copy()
            for person in people:
                kind = said.get(person.track_id)
                colour = {PixelFindingKind.HELMET: (0, 255, 0), PixelFindingKind.BARE_HEAD: (0, 0, 255)}.get(
                    kind, (200, 200, 200)
                )
                x1, y1, x2, y2 = (int(v) for v in person.box)
                cv2.rectangle(drawn, (x1, y1), (x2, y2), colour, max(1, rgb.shape[1] // 400))
            helmets = sum(k is PixelFindingKind.HELMET for k in said.values())
            print(
                f"{name}: {len(people)} people, {helmets} helmets, {len(said) - helmets} bare, {len(people) - len(said)} unknown"
            )
            cv2.imwrite(str(args.out / f"{name}.jpg"), drawn)


if __name__ == "__main__":
    main()
