"""Clips cut from kept packets: of every codec, playable in browsers, with the moment in them, whatever the stream does."""

import threading
from itertools import pairwise
from pathlib import Path

import av
import pytest
from decoding_clips import number_of, write_clip

from actors.decoding import (
    ClipEncoding,
    ClipSpan,
    CompressedPacket,
    PacketRing,
    SourceOptions,
    StreamReader,
    open_source,
    save_clip,
)
from actors.decoding.frames import DecodedFrame
from actors.decoding.packets import PacketClip
from actors.errors import ClipError

START = 1_700_000_000.0
KEEP = SourceOptions(start_time_s=START, packet_seconds=10.0)
CODECS = [
    ("h264.mp4", {}, "copied"),
    ("b-pictures.mp4", {"b_frames": 2}, "copied"),
    ("h264.ts", {}, "copied"),
    ("raw.h264", {"container_format": "h264"}, "copied"),
    ("hevc.mp4", {"codec": "libx265", "options": {"x265-params": "log-level=none"}}, "copied"),
    ("high422.mp4", {"pixel_format": "yuv422p"}, "encoded"),
    ("mpeg4.avi", {"codec": "mpeg4"}, "encoded"),
    ("mjpeg.avi", {"codec": "mjpeg", "pixel_format": "yuvj420p", "gop": 1}, "encoded"),
    ("vp8.mkv", {"codec": "libvpx"}, "encoded"),
    ("vp9.webm", {"codec": "libvpx-vp9"}, "encoded"),
]


def cut(source, span_s: tuple[float, float], moment_s: float) -> PacketClip:
    """Read ``source`` to its end; the clip is asked for when the picture of its moment is out, as a camera does."""
    future = None
    for frame in source:
        if future is None and frame.time_s >= START + moment_s - 1e-6:
            future = source.packets.request(ClipSpan(moment_s=frame.time_s, before_s=span_s[0], after_s=span_s[1]))
    assert future is not None
    return future.result(0)


def sample_of(path: Path) -> bytes:
    """The first picture as it lies in the file."""
    with av.open(str(path)) as opened:
        return next(bytes(packet) for packet in opened.demux(video=0) if packet.size)


def shown(path: Path) -> list[DecodedFrame]:
    with open_source(str(path), SourceOptions(start_time_s=0.0)) as source:
        return list(source)


def numbers(path: Path) -> list[int]:
    return [number_of(frame) for frame in shown(path)]


@pytest.mark.parametrize(("name", "settings", "how"), CODECS, ids=[name for name, _, _ in CODECS])
def test_a_clip_of_any_codec_plays_and_shows_its_moment(tmp_path: Path, name: str, settings: dict, how: str) -> None:
    clip = write_clip(tmp_path / name, 150, **({"gop": 10} | settings))
    with open_source(str(clip), KEEP) as source:
        kept = cut(source, (1.0, 1.0), 3.0)
    made = tmp_path / "event.mp4"
    assert save_clip(kept, made) == how
    seen = numbers(made)
    frames = shown(made)
    assert frames[0].key_frame
    assert 75 in seen, "the moment"
    assert seen[0] <= 50, "a second before"
    assert seen[0] >= 50 - 12, "and no more than one group of pictures more"
    assert 97 <= seen[-1] <= 104
    assert seen[:-3] == list(range(seen[0], seen[-4] + 1)), "every picture once, in order"
    assert seen == sorted(set(seen))
    steps = [b.pts_s - a.pts_s for a, b in pairwise(frames)][:-3]  # B pictures of the last group may be missing
    assert steps == pytest.approx([0.04] * len(steps), abs=0.003)
    with av.open(str(made)) as opened:
        stream = opened.streams.video[0]
        assert stream.codec_context.name in ("h264", "hevc")
        assert stream.codec_context.pix_fmt == "yuv420p"
    sample, at = sample_of(made), 0
    while at < len(sample):  # ffmpeg forgives start codes in MP4, browsers do not
        at += 4 + int.from_bytes(sample[at : at + 4], "big")
    assert at == len(sample), "units with their lengths"
    data = made.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat"), "browsers play it before they have it whole"


def test_a_turned_picture_stands_upright_in_its_clip(tmp_path: Path) -> None:
    for name, settings, how in (("a.mp4", {}, "copied"), ("b.mp4", {"codec": "mpeg4"}, "encoded")):
        clip = write_clip(tmp_path / name, 75, rotation=90, gop=10, **settings)
        with open_source(str(clip), KEEP) as source:
            kept = cut(source, (1.0, 1.0), 1.5)
        assert save_clip(kept, tmp_path / "event.mp4") == how
        frames = shown(tmp_path / "event.mp4")
        assert {(frame.width, frame.height) for frame in frames} == {(96, 128)}


def test_large_pictures_of_codecs_browsers_do_not_play_are_shrunk(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.avi", 50, codec="mpeg4", size=(640, 480), gop=10)
    with open_source(str(clip), KEEP) as source:
        kept = cut(source, (1.0, 0.5), 1.0)
    save_clip(kept, tmp_path / "event.mp4", ClipEncoding(max_width=320, max_height=320, max_fps=12.5))
    frames = shown(tmp_path / "event.mp4")
    assert (frames[0].width, frames[0].height) == (320, 240)
    assert 15 <= len(frames) <= 21, "half of the 38 pictures"


def test_the_end_of_the_file_makes_a_shorter_clip(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", 100, gop=10)
    with open_source(str(clip), KEEP) as source:
        kept = cut(source, (1.0, 30.0), 3.0)
        late = source.packets.request(ClipSpan(moment_s=START + 3.9, before_s=1.0, after_s=10.0)).result(0)
    for found, first in ((kept, 50), (late, 72)):
        save_clip(found, tmp_path / "event.mp4")
        seen = numbers(tmp_path / "event.mp4")
        assert first - 12 <= seen[0] <= first
        assert seen[-1] == 99


def test_a_loop_goes_on_over_its_seam(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", 50, gop=10)
    future = None
    with open_source(str(clip), SourceOptions(start_time_s=START, packet_seconds=10.0, loop=True)) as source:
        for frame in source:
            if frame.index == 70:
                future = source.packets.request(ClipSpan(moment_s=frame.time_s, before_s=1.2, after_s=0.6))
            if future is not None and future.done():
                break
    save_clip(future.result(0), tmp_path / "event.mp4")
    seen = numbers(tmp_path / "event.mp4")
    assert seen[0] == 40, "from the first pass"
    assert seen[-1] >= 34, "into the second"
    assert 20 in seen[10:]
    steps = [b.pts_s - a.pts_s for a, b in pairwise(shown(tmp_path / "event.mp4"))]
    assert max(steps) < 0.09


def test_another_stream_ends_the_clips_of_the_one_before(tmp_path: Path) -> None:
    """A folder of two files of different size: packets of both cannot be one clip."""
    folder = tmp_path / "folder"
    folder.mkdir()
    write_clip(folder / "1.mp4", 50, gop=10)
    write_clip(folder / "2.mp4", 50, gop=10, size=(160, 96), first_number=100)
    with open_source(str(folder), KEEP) as source:
        before = cut(source, (1.0, 1.0), 1.8)
    with open_source(str(folder), KEEP) as source:
        after = cut(source, (1.0, 1.0), 2.2)
    save_clip(before, tmp_path / "before.mp4")
    save_clip(after, tmp_path / "after.mp4")
    assert numbers(tmp_path / "before.mp4")[-1] == 49
    assert numbers(tmp_path / "after.mp4")[0] == 100


def test_closing_a_reader_answers_who_waits_for_a_clip(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", 100, gop=10)
    options = SourceOptions(packet_seconds=10.0, realtime=True, loop=True)
    with StreamReader(str(clip), options) as reader:
        frame = reader.latest(10.0)
        assert frame is not None
        future = reader.request_clip(ClipSpan(moment_s=frame.time_s, before_s=5.0, after_s=600.0))
        assert not future.done()
    kept = future.result(5.0)
    save_clip(kept, tmp_path / "event.mp4")
    assert numbers(tmp_path / "event.mp4")[0] == 0


def test_a_clip_of_another_thread_waits_for_its_end(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", 100, gop=10)
    answers: list[PacketClip] = []
    with open_source(str(clip), KEEP) as source:
        frame = next(source)
        future = source.packets.request(ClipSpan(moment_s=frame.time_s, before_s=1.0, after_s=1.0))
        waiter = threading.Thread(target=lambda: answers.append(future.result(20)))
        waiter.start()
        for frame in source:
            if frame.time_s < START + 0.99:
                assert not future.done()
        waiter.join(20)
    assert 24 <= len(answers[0].packets) <= 28


def test_a_simulated_camera_has_clips_too(tmp_path: Path) -> None:
    address = "sim://approach?seed=1&duration_s=3&width=320&height=192&fps=10&warmup_s=0"
    with open_source(address, KEEP) as source:
        kept = cut(source, (1.0, 1.0), 1.5)
    assert save_clip(kept, tmp_path / "event.mp4") == "copied"
    frames = shown(tmp_path / "event.mp4")
    assert 20 <= len(frames) <= 31
    assert (frames[0].width, frames[0].height) == (320, 192)


def test_damaged_packets_cost_their_pictures_only(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.avi", 100, codec="mpeg4", gop=10)
    with open_source(str(clip), KEEP) as source:
        kept = cut(source, (2.0, 1.0), 2.5)
    packets = list(kept.packets)
    packets[25] = CompressedPacket(data=b"\0\1\2\3" * 20, pts=packets[25].pts, dts=packets[25].dts, key_frame=False)
    save_clip(PacketClip(header=kept.header, packets=tuple(packets)), tmp_path / "event.mp4")
    seen = numbers(tmp_path / "event.mp4")
    assert len(seen) >= 60
    assert seen[-1] >= 80


def test_a_file_that_cannot_be_written_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", 50, gop=10)
    with open_source(str(clip), KEEP) as source:
        kept = cut(source, (1.0, 1.0), 1.0)
    with pytest.raises(ClipError):
        save_clip(kept, tmp_path / "none" / "event.mp4")
    with pytest.raises(ClipError, match="no video"):
        save_clip(PacketClip(header=kept.header, packets=()), tmp_path / "event.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


# -- memory: a stream of 8 Mbit/s in a ring of 4 MB ----------------------------------------------------------------------


def heavy(ring: PacketRing, seconds: int, ask_at_s: float | None, gop: int = 25):
    """25 pictures a second of 40 kB; asks for 10 s before and after when ``ask_at_s`` is reached."""
    future = None
    for n in range(25 * seconds):
        ring.add(CompressedPacket(data=bytes(40_000), pts=n, dts=n, key_frame=n % gop == 0))
        ring.note_time(START + n / 25)
        assert ring.size_bytes <= 4_000_000
        if ask_at_s is not None and n == round(25 * ask_at_s):
            future = ring.request(ClipSpan(moment_s=START + n / 25, before_s=10.0, after_s=10.0))
    return future


def ring_of(clip: Path) -> PacketRing:
    with open_source(str(clip), SourceOptions(packet_seconds=1.0)) as source:
        list(source)
        header = source.recent_packets().header
    ring = PacketRing(seconds=20.0, max_bytes=4_000_000)
    ring.begin(header)
    return ring


def test_a_stream_too_large_for_its_memory_has_shorter_clips_that_hold_the_moment(tmp_path: Path) -> None:
    ring = ring_of(write_clip(tmp_path / "a.mp4", 10))
    future = heavy(ring, 40, ask_at_s=20.0)
    stamps = [packet.pts for packet in future.result(0).packets]
    assert stamps[0] < 25 * 20 <= stamps[-1]
    assert len(stamps) >= 50, "more than half of what fits"
    assert stamps == list(range(stamps[0], stamps[-1] + 1))


def test_groups_larger_than_the_memory_cost_clips_and_nothing_else(tmp_path: Path) -> None:
    ring = ring_of(write_clip(tmp_path / "a.mp4", 10))
    future = heavy(ring, 40, ask_at_s=20.0, gop=10_000)
    ring.end()
    assert future.result(0).packets == ()


def test_what_is_held_is_bounded_by_time_on_a_small_stream(tmp_path: Path) -> None:
    ring = ring_of(write_clip(tmp_path / "a.mp4", 10))
    for n in range(25 * 120):
        ring.add(CompressedPacket(data=b"x" * 100, pts=n, dts=n, key_frame=n % 25 == 0))
        ring.note_time(START + n / 25)
    assert 20.0 <= len(ring.clip().packets) / 25 <= 21.2


@pytest.mark.parametrize(("analysed_fps", "most"), [(0.0, 21.8), (2.0, 29.2)])
def test_frames_that_wait_for_analysis_make_the_memory_longer(tmp_path: Path, analysed_fps: float, most: float) -> None:
    clip = write_clip(tmp_path / "a.mp4", 30)
    options = SourceOptions(packet_seconds=20.0, packet_bytes=10**8, packet_lag_frames=16, analysed_fps=analysed_fps)
    with open_source(str(clip), options) as source:
        ring = source.packets
        list(source)
    ring.begin(source.recent_packets().header)
    for n in range(25 * 120):
        ring.add(CompressedPacket(data=b"x" * 100, pts=n, dts=n, key_frame=n % 25 == 0))
        ring.note_time(START + n / 25)
    kept_s = len(ring.clip().packets) / 25
    assert most - 1.2 <= kept_s <= most


def test_a_moment_that_nobody_kept_has_no_clip(tmp_path: Path) -> None:
    ring = ring_of(write_clip(tmp_path / "a.mp4", 10))
    for n in range(25 * 60):
        ring.add(CompressedPacket(data=b"x" * 100, pts=n, dts=n, key_frame=n % 25 == 0))
        ring.note_time(START + n / 25)
    assert ring.request(ClipSpan(moment_s=START + 10, before_s=5, after_s=5)).result(0).packets == ()
