from fractions import Fraction
from itertools import pairwise

import av
import pytest
from decoding_clips import number_of, picture, write_clip

from actors.decoding import CompressedPacket, SourceOptions, open_source, save_clip
from actors.decoding.frozen import FreezeDetector, picture_checksum
from actors.decoding.packets import PacketRing
from actors.decoding.stream_header import StreamHeader
from actors.errors import ClipError

HEADER = StreamHeader(
    codec="h264", extradata=b"", file=b"", time_base=Fraction(1, 25), frame_s=0.04, annex_b=False, playable=True,
)  # fmt: skip


def ring(seconds=2.0, max_bytes=10_000):
    kept = PacketRing(seconds=seconds, max_bytes=max_bytes)
    kept.begin(HEADER)
    return kept


def packet(n, size=10, gop=10):
    return CompressedPacket(data=bytes(size), pts=n, dts=n, key_frame=n % gop == 0)


def stamps(kept):
    return [entry.dts for entry in kept.clip().packets]


def test_whole_groups_of_the_last_seconds_are_kept():
    kept = ring(seconds=2.0)
    for n in range(200):
        kept.add(packet(n))
    numbers = stamps(kept)
    assert kept.clip().packets[0].key_frame
    assert numbers[-1] == 199
    assert numbers[-1] - numbers[0] >= 49, "at least two seconds"
    assert len(numbers) <= 50 + 10, "at most one group more"
    assert kept.size_bytes == len(numbers) * 10


def test_memory_is_bounded_whatever_comes():
    kept = ring(seconds=3600, max_bytes=1000)
    for n in range(1000):
        kept.add(packet(n, size=37))
        assert kept.size_bytes <= 1000
    endless = ring(seconds=3600, max_bytes=1000)
    for n in range(1000):
        endless.add(packet(n, size=37, gop=10_000))
        assert endless.size_bytes <= 1000
    assert not endless.clip().packets, "a group larger than the memory cannot be cut"


def test_nothing_is_kept_before_the_first_key_packet():
    kept = ring()
    for n in range(5, 25):
        kept.add(packet(n))
    assert stamps(kept)[0] == 10


@pytest.mark.parametrize("broken", [None, "no stamps", "jump back"])
def test_without_a_usable_clock_the_number_of_pictures_bounds_the_ring(broken):
    kept = ring(seconds=2.0, max_bytes=10**9)
    for n in range(1000):
        stamp = {None: n, "no stamps": None, "jump back": n % 40}[broken]
        kept.add(CompressedPacket(data=b"x", pts=stamp, dts=stamp, key_frame=n % 10 == 0))
        assert len(kept.clip().packets) <= 4 * 50 + 20


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("a.mp4", {}),
        ("b.mp4", {"b_frames": 2}),
        ("a.ts", {}),
        ("a.h264", {"container_format": "h264"}),
        ("a.avi", {"codec": "mjpeg", "pixel_format": "yuvj420p", "gop": 1}),
    ],
)
def test_the_kept_packets_make_a_playable_clip(tmp_path, name, settings):
    clip = write_clip(tmp_path / name, 100, **({"gop": 10} | settings))
    with open_source(str(clip), SourceOptions(packet_seconds=1.0)) as source:
        for frame in source:
            if frame.index == 80:
                break
        kept = source.recent_packets()
    assert 25 <= len(kept.packets) <= 36
    save_clip(kept, tmp_path / "event.mp4")
    with open_source(str(tmp_path / "event.mp4"), SourceOptions(start_time_s=0.0)) as result:
        frames = list(result)
    assert len(frames) == len(kept.packets)
    assert 75 <= number_of(frames[-1]) <= 90
    steps = [b.pts_s - a.pts_s for a, b in pairwise(frames)][:-3]  # B pictures of the last group may be missing
    assert steps == pytest.approx([0.04] * len(steps), abs=0.002)


def test_a_clip_of_nothing_is_refused(tmp_path):
    with pytest.raises(ClipError, match="no video of that moment"):
        save_clip(ring().clip(), tmp_path / "event.mp4")
    assert not list(tmp_path.iterdir())


def test_packets_are_not_kept_unless_asked(tmp_path):
    with open_source(str(write_clip(tmp_path / "a.mp4", 10))) as source:
        list(source)
        assert source.recent_packets() is None


def test_identical_pictures_for_long_are_frozen_and_stay_so_over_a_reconnection():
    detector = FreezeDetector(frozen_after_s=10.0)
    assert not any(detector.check(1, float(n)) for n in range(10))
    assert detector.check(1, 10.0)
    assert detector.wants(10.01), "while frozen every picture is looked at"
    assert detector.check(1, 20.0), "the same picture after a reconnection is still frozen"
    assert not detector.check(2, 21.0)
    assert not detector.wants(21.5)
    assert not detector.check(2, 30.9)
    assert detector.check(2, 31.0)


def test_freeze_detection_can_be_switched_off():
    assert not FreezeDetector(frozen_after_s=0).wants(1e9)


def test_checksum_tells_pictures_apart():
    def frame(number, pixel_format):
        return av.VideoFrame.from_ndarray(picture(number), format="rgb24").reformat(format=pixel_format)

    for pixel_format in ("yuv420p", "nv12", "rgb24", "gray", "yuv420p10le"):
        assert picture_checksum(frame(1, pixel_format)) == picture_checksum(frame(1, pixel_format))
        assert picture_checksum(frame(1, pixel_format)) != picture_checksum(frame(2, pixel_format))
