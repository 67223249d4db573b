import itertools
import os
import time
import wave
from datetime import UTC, datetime

import av
import numpy as np
import pytest
from decoding_clips import elementary_stream, number_of, picture, write_clip

from actors.decoding import SourceOptions, frame_rgb, open_source
from actors.errors import SourceError

START = SourceOptions(start_time_s=1000.0)


def read(address, options=START):
    with open_source(str(address), options) as source:
        return source, list(source)


def assert_increasing(values):
    assert all(b > a for a, b in itertools.pairwise(values))


def test_a_clip_is_read_whole_and_in_order(tmp_path):
    source, frames = read(write_clip(tmp_path / "a.mp4", 30))
    assert [number_of(frame) for frame in frames] == list(range(30))
    assert [frame.index for frame in frames] == list(range(30))
    assert [frame.pts_s for frame in frames] == pytest.approx([n / 25 for n in range(30)])
    assert [frame.time_s for frame in frames] == pytest.approx([1000 + n / 25 for n in range(30)])
    assert [n for n, frame in enumerate(frames) if frame.key_frame] == [0, 10, 20]
    info = source.info
    assert (info.codec, info.nominal_fps, info.width, info.height, info.live) == ("h264", 25.0, 128, 96, False)
    assert (info.total_frames, info.duration_s, info.start_time_s) == (30, pytest.approx(1.2, abs=0.05), 1000.0)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("b.mp4", {"b_frames": 3}),
        ("i.mp4", {"options": {"flags": "+ilme+ildct", "x264-params": "tff=1"}}),
        ("v.avi", {"codec": "mpeg4"}),
        ("j.avi", {"codec": "mjpeg", "pixel_format": "yuvj422p"}),
        ("m.mkv", {"codec": "libx265"}),
        ("t.ts", {}),
        ("w.webm", {"codec": "libvpx-vp9"}),
    ],
)
def test_codecs_and_containers(tmp_path, name, settings):
    _, frames = read(write_clip(tmp_path / name, 24, **settings))
    assert [number_of(frame) for frame in frames] == list(range(24))
    assert_increasing([frame.pts_s for frame in frames])
    assert frames[-1].pts_s == pytest.approx(23 / 25, abs=0.002)


@pytest.mark.parametrize("threads", [1, 2])
def test_decoder_threads_change_no_picture(tmp_path, threads):
    clip = write_clip(tmp_path / "a.mp4", 20, b_frames=2)
    _, frames = read(clip, SourceOptions(threads=threads, thread_type="FRAME"))
    assert [number_of(frame) for frame in frames] == list(range(20))


def test_variable_frame_rate_keeps_its_times(tmp_path):
    times = [0, 1, 2, 10, 11, 30, 31, 60]
    _, frames = read(write_clip(tmp_path / "vfr.mkv", len(times), times=times))
    assert [frame.pts_s for frame in frames] == pytest.approx([t / 25 for t in times], abs=0.002)


def test_b_pictures_without_presentation_stamps_are_evenly_spaced(tmp_path):
    _, frames = read(write_clip(tmp_path / "b.avi", 60, codec="mpeg4", b_frames=2, gop=12))
    assert [number_of(frame) for frame in frames] == list(range(60))
    assert np.diff([frame.pts_s for frame in frames]) == pytest.approx(np.full(59, 0.04), abs=0.001)


def test_jumps_of_the_stamps_are_bridged(tmp_path):
    times = [0, 1, 2, 90_000, 90_001, 90_002]
    source, frames = read(write_clip(tmp_path / "jump.mkv", len(times), times=times, gop=1))
    assert [frame.pts_s for frame in frames] == pytest.approx([n / 25 for n in range(6)], abs=0.002)
    assert source.counters.time_jumps == 1


def test_an_elementary_stream_without_stamps_runs_at_its_nominal_rate(tmp_path):
    _, frames = read(elementary_stream(tmp_path / "a.h264", 25))
    assert [number_of(frame) for frame in frames] == list(range(25))
    steps = np.diff([frame.pts_s for frame in frames])
    assert steps == pytest.approx(np.full(24, 0.04), abs=1e-6)


def test_resolution_change_in_mid_stream(tmp_path):
    parts = [elementary_stream(tmp_path / f"{w}.h264", 10, size=(w, h)) for w, h in ((128, 96), (320, 240), (64, 64))]
    joined = tmp_path / "joined.h264"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    _, frames = read(joined)
    assert [(frame.width, frame.height) for frame in frames] == [(128, 96)] * 10 + [(320, 240)] * 10 + [(64, 64)] * 10
    assert [number_of(frame) for frame in frames] == [*range(10)] * 3
    assert_increasing([frame.pts_s for frame in frames])


@pytest.mark.parametrize(("clockwise", "turn", "size"), [(90, 270, (96, 128)), (180, 180, (128, 96)), (270, 90, (96, 128))])
def test_rotation_stands_the_picture_upright(tmp_path, clockwise, turn, size):
    _, frames = read(write_clip(tmp_path / "r.mp4", 6, rotation=clockwise))
    frame = frames[5]
    assert (frame.rotation, (frame.width, frame.height)) == (turn, size)
    expected = np.rot90(picture(5), k=-clockwise // 90)
    assert np.abs(frame_rgb(frame).astype(int) - expected).mean() < 12


def test_analysed_rate_leaves_pictures_out(tmp_path):
    source, frames = read(write_clip(tmp_path / "a.mp4", 50), SourceOptions(analysed_fps=5))
    assert [frame.index for frame in frames] == list(range(0, 50, 5))
    assert [number_of(frame) for frame in frames] == list(range(0, 50, 5))
    assert (source.counters.decoded, source.counters.skipped) == (50, 40)


def test_skipping_non_reference_pictures_decodes_fewer(tmp_path):
    clip = write_clip(tmp_path / "b.mp4", 40, b_frames=2, gop=40)
    _source, frames = read(clip, SourceOptions(skip_non_reference=True))
    assert 10 <= len(frames) <= 30
    assert_increasing([frame.pts_s for frame in frames])


def test_a_loop_goes_on_in_time(tmp_path):
    clip = write_clip(tmp_path / "a.mp4", 10)
    with open_source(str(clip), SourceOptions(loop=True, start_time_s=0.0)) as source:
        frames = [next(source) for _ in range(35)]
    assert [number_of(frame) for frame in frames] == [n % 10 for n in range(35)]
    assert [frame.pts_s for frame in frames] == pytest.approx([n / 25 for n in range(35)], abs=1e-6)
    assert [frame.index for frame in frames] == list(range(35))
    assert source.counters.time_jumps == 0


def test_a_directory_is_one_stream_in_natural_order(tmp_path):
    write_clip(tmp_path / "cam10.mp4", 5, first_number=100)
    write_clip(tmp_path / "cam2.avi", 5, first_number=50, codec="mpeg4", fps=10)
    write_clip(tmp_path / "cam1.mp4", 5, first_number=0)
    (tmp_path / "notes.txt").write_text("no video")
    (tmp_path / ".hidden.mp4").write_bytes(b"x")
    source, frames = read(tmp_path)
    assert [number_of(frame) for frame in frames] == [*range(5), *range(50, 55), *range(100, 105)]
    expected = [0, 0.04, 0.08, 0.12, 0.16, 0.26, 0.36, 0.46, 0.56, 0.66, 0.70, 0.74, 0.78, 0.82, 0.86]
    assert [frame.pts_s for frame in frames] == pytest.approx(expected, abs=0.002)
    assert (source.info.duration_s, source.counters.files_skipped) == (None, 0)


def test_unreadable_files_of_a_directory_are_skipped_and_counted(tmp_path):
    (tmp_path / "a.mp4").write_bytes(os.urandom(5000))
    write_clip(tmp_path / "b.mp4", 5)
    (tmp_path / "c.mp4").write_bytes(b"")
    write_clip(tmp_path / "d.mp4", 5, first_number=5)
    source, frames = read(tmp_path)
    assert [number_of(frame) for frame in frames] == list(range(10))
    assert source.counters.files_skipped == 2


def test_start_time_comes_from_the_recording_when_it_is_plausible(tmp_path):
    def stamped(name, creation_time):
        clip = write_clip(tmp_path / name, 3)
        target = tmp_path / f"s{name}"
        with av.open(str(clip)) as source, av.open(str(target), "w") as out:
            out.metadata["creation_time"] = creation_time
            stream = out.add_stream_from_template(source.streams.video[0])
            for packet in source.demux(video=0):
                if packet.dts is not None:
                    packet.stream = stream
                    out.mux(packet)
        return target

    _, frames = read(stamped("a.mp4", "2024-05-01T06:07:08Z"), SourceOptions())
    assert frames[0].time_s == datetime(2024, 5, 1, 6, 7, 8, tzinfo=UTC).timestamp()
    _, frames = read(stamped("b.mp4", "1970-01-01T00:00:10Z"), SourceOptions())
    assert frames[0].time_s > datetime(2024, 1, 1, tzinfo=UTC).timestamp()


def test_a_truncated_clip_is_read_as_far_as_it_goes(tmp_path):
    whole = write_clip(tmp_path / "a.ts", 50)
    half = tmp_path / "half.ts"
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    _, frames = read(half)
    assert 5 < len(frames) < 50
    assert [number_of(frame) for frame in frames[:5]] == list(range(5))


def test_damaged_packets_are_left_out_and_counted(tmp_path):
    clip = write_clip(tmp_path / "a.avi", 60, codec="mjpeg", pixel_format="yuvj420p")
    data = bytearray(clip.read_bytes())
    headers = [at for at in range(len(data) - 2) if data[at : at + 3] == b"\xff\xd8\xff"]
    for at in headers[20:25]:
        data[at : at + 200] = bytes(200)
    clip.write_bytes(bytes(data))
    source, frames = read(clip)
    assert source.counters.corrupt == 5
    assert [number_of(frame) for frame in frames] == [*range(20), *range(25, 60)]


def test_noise_in_the_middle_does_not_stop_the_reading(tmp_path):
    clip = elementary_stream(tmp_path / "a.h264", 60)
    data = bytearray(clip.read_bytes())
    middle = len(data) // 2
    data[middle : middle + len(data) // 10] = np.random.default_rng(3).integers(0, 256, len(data) // 10, np.uint8).tobytes()
    clip.write_bytes(bytes(data))
    _, frames = read(clip)
    assert len(frames) >= 30
    assert [number_of(frame) for frame in frames[-5:]] == list(range(55, 60))
    assert_increasing([frame.pts_s for frame in frames])


@pytest.mark.parametrize("size", [(2, 2), (16, 16), (130, 98)])
def test_unusual_sizes(tmp_path, size):
    _, frames = read(write_clip(tmp_path / "s.mp4", 3, size=size))
    assert [(frame.width, frame.height) for frame in frames] == [size] * 3


def test_a_picture_of_one_pixel(tmp_path):
    _, frames = read(write_clip(tmp_path / "one.avi", 2, size=(1, 1), codec="rawvideo", pixel_format="bgr24"))
    assert [(frame.width, frame.height) for frame in frames] == [(1, 1)] * 2


def sound_only(path):
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16000))
    return path


def half_an_mp4(tmp_path):
    clip = write_clip(tmp_path / "whole.mp4", 20)
    half = tmp_path / "half.mp4"
    half.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    return half


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda d: d / "missing.mp4", "不存在"),
        (lambda d: (d / "empty.mp4", (d / "empty.mp4").write_bytes(b""))[0], "为空"),
        (lambda d: (d / "noise.mp4", (d / "noise.mp4").write_bytes(os.urandom(20_000)))[0], "不是视频"),
        (lambda d: sound_only(d / "sound.wav"), "没有视频画面"),
        (half_an_mp4, "已损坏"),
        (lambda d: d, "目录中没有视频文件"),
    ],
)
def test_what_is_no_video_is_refused_with_a_reason(tmp_path, make, reason):
    with pytest.raises(SourceError, match=reason) as caught:
        open_source(str(make(tmp_path)), START)
    assert caught.value.permanent
    assert caught.value.__cause__ is None


def test_a_track_of_undecodable_pictures_is_an_error_not_an_empty_recording(tmp_path):
    clip = write_clip(tmp_path / "a.avi", 10, codec="mjpeg", pixel_format="yuvj420p")
    data = bytearray(clip.read_bytes())
    headers = [at for at in range(len(data) - 2) if data[at : at + 3] == b"\xff\xd8\xff"]
    with open_source(str(clip), START) as intact:
        info = intact.info
    for at in headers:
        data[at + 2 : at + 200] = bytes(198)
    clip.write_bytes(bytes(data))
    assert info.codec == "mjpeg"
    with pytest.raises(SourceError), open_source(str(clip), SourceOptions(loop=True)) as source:
        next(source)


def test_a_playlist_file_may_not_lead_to_the_network(tmp_path):
    playlist = tmp_path / "p.mkv"
    playlist.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(SourceError):
        open_source(str(playlist), START)


def test_realtime_paces_a_recording(tmp_path):
    clip = write_clip(tmp_path / "a.mp4", 11)
    with open_source(str(clip), SourceOptions(realtime=True)) as source:
        assert source.info.live
        next(source)
        started = time.monotonic()
        rest = list(source)
        assert time.monotonic() - started >= 0.36
    assert abs(rest[-1].time_s - time.time()) < 0.5


def test_reading_continues_where_it_broke_off(tmp_path):
    clip = write_clip(tmp_path / "a.mp4", 50, b_frames=2, gop=12)
    _, whole = read(clip)
    with open_source(str(clip), START, start_pts_s=whole[30].pts_s) as source:
        rest = list(source)
    assert [number_of(frame) for frame in rest] == list(range(31, 50))
    assert [frame.pts_s for frame in rest] == pytest.approx([frame.pts_s for frame in whole[31:]])


def test_closing_twice_and_reading_on_is_harmless(tmp_path):
    source = open_source(str(write_clip(tmp_path / "a.mp4", 10)))
    next(source)
    source.close()
    source.close()
    assert list(source) == []


def test_a_slow_recording_keeps_its_times(tmp_path):
    _, frames = read(write_clip(tmp_path / "slow.mkv", 4, fps=1, times=[0, 3, 6, 9]))
    assert [frame.pts_s for frame in frames] == pytest.approx([0, 3, 6, 9], abs=0.01)
