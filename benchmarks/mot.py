"""Track a folder of MOT-format detections and write MOT-format results.

    python -m benchmarks.mot DETECTIONS OUT [--preset pedestrians] [--fps 0]

DETECTIONS is a folder of sequences, each with ``det*.txt`` (frame,id,x,y,w,h,score,…); OUT gets ``<sequence>.txt``. The
sequence's frame rate is read from ``seqinfo.ini`` beside it (or one folder up), else ``--fps`` (default 25). Prints the rate
of ``Tracker.update`` alone. Score with a MOT scorer.
"""

import argparse
import configparser
import time
from pathlib import Path

import numpy as np

from traffic.tracking import PRESETS, Tracker
from traffic.types import Detections, ObjectClass, TrackState


def frame_rate(folder: Path, fallback: float) -> float:
    """Frames per second of a sequence."""
    parser = configparser.ConfigParser()
    if not parser.read(folder / "seqinfo.ini"):
        return fallback
    return parser.getfloat("Sequence", "frameRate", fallback=fallback)


def track_sequence(rows: np.ndarray, fps: float, preset: str) -> tuple[list[str], int, float]:
    """Track one sequence; returns MOT lines, number of frames and seconds spent in ``update``."""
    tracker, lines, spent = Tracker(PRESETS[preset]), [], 0.0
    last = int(rows[:, 0].max())
    for frame in range(1, last + 1):
        found = rows[rows[:, 0] == frame]
        boxes = np.column_stack([found[:, 2:4], found[:, 2:4] + found[:, 4:6]]).astype(np.float32)
        detections = Detections(
            boxes=boxes,
            scores=found[:, 6].astype(np.float32),
            classes=np.full(len(found), ObjectClass.PERSON, np.int64),
        )
        start = time.perf_counter()
        tracks = tracker.update(frame / fps, detections)
        spent += time.perf_counter() - start
        for track in tracks:
            if track.state is TrackState.CONFIRMED:
                x1, y1, x2, y2 = track.box
                lines.append(f"{frame},{track.track_id},{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f},{track.score:.3f},-1,-1,-1")
    return lines, last, spent


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("detections", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--preset", choices=sorted(PRESETS), default="pedestrians")
    parser.add_argument("--fps", type=float, default=25.0)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    frames, seconds = 0, 0.0
    for folder in sorted(path for path in options.detections.iterdir() if path.is_dir()):
        files = sorted(folder.rglob("det*.txt"))
        if not files:
            continue
        rows = np.loadtxt(files[0], delimiter=",", ndmin=2)
        lines, count, spent = track_sequence(rows, frame_rate(folder, options.fps), options.preset)
        (options.out / f"{folder.name}.txt").write_text("\n".join(lines) + "\n")
        frames, seconds = frames + count, seconds + spent
        print(f"{folder.name:20s} {count:6d} frames {count / spent:8.0f} frames/s")
    if not frames:
        parser.error(f"no det*.txt below {options.detections}")
    print(f"{'all':20s} {frames:6d} frames {frames / seconds:8.0f} frames/s")


if __name__ == "__main__":
    main()
