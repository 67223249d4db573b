"""Track a folder of MOT-format detections and write MOT-format results.

    python -m benchmarks.mot DETECTIONS OUT [--preset pedestrians] [--fps 25] [--matched-only]

DETECTIONS is a folder of sequences, each with ``det*.txt`` (frame,id,x,y,w,h,score,…); OUT gets ``<sequence>.txt``. The
sequence's frame rate is read from ``seqinfo.ini`` beside it (or one folder up), else ``--fps`` (default 25). Prints the rate
of ``Tracker.update`` alone. Score with a MOT scorer.

Rows are written from what the tracker said at their frame: nothing is delayed, interpolated or taken back. Beside the
tracks matched in a frame, the predicted box of a LOST track is written for a short while (the truth goes on behind obstacles):
one that moves for 50 ms, or 100 ms while another person hides it, one that stands and is hidden for 500 ms. ``--matched-only``
leaves predicted boxes out.
"""

import argparse
import configparser
import time
from pathlib import Path

import numpy as np

from traffic.tracking import PRESETS, Tracker
from traffic.tracking.boxes import hidden_share
from traffic.types import Detections, ObjectClass, Track, TrackState

_BRIEFLY_S, _HIDDEN_S, _STANDING_S = 0.05, 0.1, 0.5  # how long a predicted box is written
_HIDDEN_SHARE = 0.7  # of a predicted box covered by a nearer person


def frame_rate(folder: Path, fallback: float) -> float:
    """Frames per second of a sequence."""
    parser = configparser.ConfigParser()
    if not parser.read(folder / "seqinfo.ini"):
        return fallback
    return parser.getfloat("Sequence", "frameRate", fallback=fallback)


def visible(tracks: tuple[Track, ...], matched_only: bool) -> list[Track]:
    """The tracks of one frame that are written; see the top."""
    matched = [track for track in tracks if track.state is TrackState.CONFIRMED]
    lost = [track for track in tracks if track.state is TrackState.LOST and track.time_since_update_s <= _STANDING_S]
    if matched_only or not lost:
        return matched
    covered = np.ones(len(lost))
    if matched:
        covered = hidden_share(np.array([track.box for track in lost]).T, np.array([track.box for track in matched]).T)
    for track, share in zip(lost, covered, strict=True):
        hidden_s = _STANDING_S if track.velocity == (0.0, 0.0) else _HIDDEN_S
        if track.time_since_update_s <= (hidden_s if share >= _HIDDEN_SHARE else _BRIEFLY_S):
            matched.append(track)
    return matched


def track_sequence(rows: np.ndarray, fps: float, preset: str, matched_only: bool = False) -> tuple[list[str], int, float]:
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
        for track in visible(tracks, matched_only):
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
    parser.add_argument("--matched-only", action="store_true", help="write no predicted boxes")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    frames, seconds = 0, 0.0
    for folder in sorted(path for path in options.detections.iterdir() if path.is_dir()):
        files = sorted(folder.rglob("det*.txt"))
        if not files:
            continue
        rows = np.loadtxt(files[0], delimiter=",", ndmin=2)
        lines, count, spent = track_sequence(rows, frame_rate(folder, options.fps), options.preset, options.matched_only)
        (options.out / f"{folder.name}.txt").write_text("\n".join(lines) + "\n")
        frames, seconds = frames + count, seconds + spent
        print(f"{folder.name:20s} {count:6d} frames {count / spent:8.0f} frames/s")
    if not frames:
        parser.error(f"no det*.txt below {options.detections}")
    print(f"{'all':20s} {frames:6d} frames {frames / seconds:8.0f} frames/s")


if __name__ == "__main__":
    main()
