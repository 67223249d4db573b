"""Every real clip of the data folder, read as a user would."""

import os
from itertools import pairwise
from pathlib import Path

import pytest

from actors.decoding import SourceOptions, crop_jpeg, letterbox, open_source

FOLDER = Path(os.environ.get("WAYSIDE_TEST_DATA", Path(__file__).parents[4] / "shared" / "data")) / "video"
CLIPS = sorted(path.name for path in FOLDER.glob("*.*")) if FOLDER.is_dir() else []

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not CLIPS, reason=f"no real clips in {FOLDER} (WAYSIDE_TEST_DATA)"),
]


@pytest.mark.parametrize("name", CLIPS or ["none"])
def test_the_beginning_of_every_clip(name):
    with open_source(str(FOLDER / name), SourceOptions(analysed_fps=5)) as source:
        frames = [frame for frame, _ in zip(source, range(8), strict=False)]
        info = source.info
    assert len(frames) == 8
    assert all(0.05 < b.pts_s - a.pts_s < 0.5 for a, b in pairwise(frames))
    assert source.counters.corrupt == source.counters.time_jumps == 0
    assert info.duration_s is not None
    image, transform = letterbox(frames[-1], (640, 384))
    assert max(image.shape[1] / 640, image.shape[0] / 384) == 1.0
    assert image.std() > 10
    assert transform.to_frame([[0, 0, image.shape[1], image.shape[0]]])[0] == pytest.approx(
        [0, 0, frames[-1].width, frames[-1].height], abs=0.01
    )
    assert crop_jpeg(frames[-1], (10, 10, 200, 150)).startswith(b"\xff\xd8")


@pytest.mark.parametrize("name", [name for name in CLIPS if name.startswith(("ahmetozlu", "bgs_"))])
def test_whole_clips_are_evenly_timed(name):
    with open_source(str(FOLDER / name), SourceOptions()) as source:
        times = [frame.pts_s for frame in source]
    assert len(times) == pytest.approx(source.info.total_frames, abs=2)  # the AVIs end with pictures that need later ones
    steps = [b - a for a, b in pairwise(times)]
    assert sorted(steps)[len(steps) // 100] > 0.5 / source.info.nominal_fps
    assert times[-1] == pytest.approx(source.info.duration_s, rel=0.02)
