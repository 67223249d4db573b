import gc
import os
import threading
import time
from itertools import pairwise

import pytest
from decoding_clips import elementary_stream, number_of, write_clip
from decoding_servers import RtspServer, content, http_server, mjpeg

from actors.decoding import ReconnectConfig, SourceOptions, StreamReader, letterbox, open_source
from traffic.facts import TaskStatusCode

NOT_STARTED, ANALYSING, RECONNECTING, DISCONNECTED = TaskStatusCode
QUICK = SourceOptions(open_timeout_s=1.0, stall_timeout_s=1.0, start_time_s=0.0)
IMPATIENT = ReconnectConfig(first_delay_s=0.1, max_delay_s=0.4, disconnected_after_s=0.6, stable_after_s=0.2)


class Statuses(list):
    """Records the changes a reader announces."""

    def __call__(self, status, reason, time_s):
        self.append((status, reason, time_s))

    @property
    def codes(self):
        return [entry[0] for entry in self]

    def wait_for(self, code, after=0, timeout_s=8.0):
        deadline = time.monotonic() + timeout_s
        while code not in self.codes[after:]:
            assert time.monotonic() < deadline, f"{code!r} did not come; got {self.codes}"
            time.sleep(0.01)
        return self.codes.index(code, after) + 1


def threads_of(reader):
    return [thread for thread in threading.enumerate() if thread in (reader._thread, reader._watch)]


def read_all(reader, pause_s=0.0):
    frames = []
    while not reader.finished:
        frame = reader.latest(0.2)
        if frame is not None:
            frames.append(frame)
            time.sleep(pause_s)
    return frames


def test_a_recording_is_handed_over_whole_however_slow_the_consumer(tmp_path):
    statuses = Statuses()
    with StreamReader(str(write_clip(tmp_path / "a.mp4", 40)), QUICK, on_status=statuses) as reader:
        frames = read_all(reader, pause_s=0.01)
        counters = reader.counters
    assert [number_of(frame) for frame in frames] == list(range(40))
    assert statuses.codes == [ANALYSING, NOT_STARTED]
    assert "文件分析完毕" in statuses[-1][1]
    assert (counters.decoded, counters.dropped, counters.connections) == (40, 0, 1)
    assert reader.info.total_frames == 40


def test_a_looped_recording_never_ends_and_keeps_increasing(tmp_path):
    options = SourceOptions(loop=True, start_time_s=0.0)
    with StreamReader(str(write_clip(tmp_path / "a.mp4", 10)), options) as reader:
        frames = [reader.latest(1.0) for _ in range(45)]
        assert not reader.finished
    assert [frame.index for frame in frames] == list(range(45))
    assert all(b.time_s > a.time_s for a, b in pairwise(frames))


def test_a_live_source_hands_over_only_the_newest_and_counts_the_rest(tmp_path):
    options = SourceOptions(realtime=True)
    with StreamReader(str(write_clip(tmp_path / "a.mp4", 40, fps=100)), options) as reader:
        frames = read_all(reader, pause_s=0.05)
        counters = reader.counters
    assert 5 <= len(frames) <= 12
    assert all(b.index > a.index for a, b in pairwise(frames))
    assert counters.decoded == 40
    assert counters.dropped == 40 - len(frames)


def test_pictures_left_out_by_the_rate_are_skipped_not_dropped(tmp_path):
    options = SourceOptions(analysed_fps=5, start_time_s=0.0)
    with StreamReader(str(write_clip(tmp_path / "a.mp4", 50)), options) as reader:
        frames = read_all(reader)
        counters = reader.counters
    assert len(frames) == 10
    assert (counters.decoded, counters.skipped, counters.dropped) == (50, 40, 0)


def test_a_missing_file_is_told_and_tried_again_until_it_is_there(tmp_path):
    statuses = Statuses()
    clip = tmp_path / "late.mp4"
    with StreamReader(str(clip), QUICK, IMPATIENT, statuses) as reader:
        seen = statuses.wait_for(RECONNECTING)
        assert "不存在" in statuses[0][1]
        seen = statuses.wait_for(DISCONNECTED, seen)
        assert "不存在" in reader.reason
        write_clip(tmp_path / "ready.mp4", 5).rename(clip)
        seen = statuses.wait_for(ANALYSING, seen)
        assert [reader.latest(5.0) is not None for _ in range(5)] == [True] * 5  # a recording waits for who analyses it
        statuses.wait_for(NOT_STARTED, seen)
        assert "文件分析完毕" in reader.reason
    assert statuses.codes == [RECONNECTING, DISCONNECTED, ANALYSING, NOT_STARTED]
    assert statuses[2][1] == ""


def test_statuses_of_a_killed_and_restarted_rtsp_server(tmp_path):
    statuses = Statuses()
    stream = elementary_stream(tmp_path / "cam.h264", 100)
    with RtspServer(stream) as server:
        with StreamReader(server.url(), QUICK, IMPATIENT, statuses) as reader:
            seen = statuses.wait_for(ANALYSING)
            before = reader.latest(2.0)
            server.kill()
            killed_s = time.time()
            seen = statuses.wait_for(DISCONNECTED, statuses.wait_for(RECONNECTING, seen))
            assert "连接被拒绝" in reader.reason
            server.start()
            statuses.wait_for(ANALYSING, seen)
            after = next(frame for frame in iter(lambda: reader.latest(2.0), None) if frame.time_s > killed_s)
            assert after.time_s > before.time_s
            assert reader.counters.connections == 2
        assert not threads_of(reader)
    assert statuses.codes == [ANALYSING, RECONNECTING, DISCONNECTED, ANALYSING]
    lost_s, disconnected_s = statuses[1][2], statuses[2][2]
    assert disconnected_s - lost_s == pytest.approx(0.6, abs=0.25), "on time, whatever the attempts are doing"


def test_a_short_loss_is_no_disconnection():
    statuses = Statuses()
    with http_server({"/video": mjpeg(pictures=30, fps=60)}) as base:
        reader = StreamReader(f"{base}/video", QUICK, IMPATIENT, statuses).start()
        seen = statuses.wait_for(RECONNECTING, statuses.wait_for(ANALYSING))
        statuses.wait_for(ANALYSING, seen)
        reader.close()
    assert statuses.codes[:3] == [ANALYSING, RECONNECTING, ANALYSING]


def test_a_frozen_picture_is_told_and_stays_told_over_reconnections(tmp_path):
    statuses = Statuses()
    clip = write_clip(tmp_path / "still.mp4", 1)
    options = SourceOptions(realtime=True, loop=True, frozen_after_s=0.4)
    config = ReconnectConfig(first_delay_s=0.1, max_delay_s=0.1, disconnected_after_s=0.5)
    with StreamReader(str(clip), options, config, statuses) as reader:
        statuses.wait_for(DISCONNECTED, statuses.wait_for(RECONNECTING))
        assert "冻结" in reader.reason
        assert reader.counters.connections > 2
    assert statuses.codes == [ANALYSING, RECONNECTING, DISCONNECTED]


def test_a_broken_download_goes_on_where_it_was(tmp_path):
    options = {"movflags": "+faststart"}
    data = write_clip(tmp_path / "a.mp4", 150, size=(320, 240), container_options=options).read_bytes()
    statuses = Statuses()
    routes = {"/a.mp4": content(data, cut_once_at=len(data) * 2 // 3)}
    with http_server(routes) as base, StreamReader(f"{base}/a.mp4", QUICK, IMPATIENT, statuses) as reader:
        frames = read_all(reader)
    assert [number_of(frame) for frame in frames] == list(range(150))
    assert statuses.codes[-1] is NOT_STARTED


def test_closing_ends_the_threads_at_once_whatever_they_do(tmp_path):
    with http_server({"/video": mjpeg(fps=100, silent_after=40)}) as base:
        addresses = [f"{base}/video", str(tmp_path / "missing.mp4"), str(write_clip(tmp_path / "a.mp4", 50))]
        for address in addresses:
            reader = StreamReader(address).start()
            time.sleep(0.7 if address.startswith("http") else 0.2)
            started = time.monotonic()
            assert reader.close()
            assert time.monotonic() - started < 1.0
            assert not threads_of(reader)
            assert reader.latest(0.0) is None
            assert reader.finished


def test_a_reader_that_was_never_started_can_be_closed():
    assert StreamReader("rtsp://127.0.0.1:1/x").close()


def test_a_fault_in_the_reading_is_a_loss_not_the_end(tmp_path):
    statuses = Statuses()
    faults = iter([RuntimeError("boom")])

    def open_faulty(*arguments, **settings):
        for fault in faults:
            raise fault
        return open_source(*arguments, **settings)

    clip = str(write_clip(tmp_path / "a.mp4", 5))
    with StreamReader(clip, QUICK, IMPATIENT, statuses, open_video=open_faulty) as reader:
        assert len(read_all(reader)) == 5
    assert statuses.codes == [RECONNECTING, ANALYSING, NOT_STARTED]
    assert "RuntimeError" in statuses[0][1]


def resident_bytes():
    gc.collect()
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096


def open_files():
    return len(os.listdir("/proc/self/fd"))


def test_opening_and_closing_leaves_nothing_behind(tmp_path):
    clip = str(write_clip(tmp_path / "a.mp4", 12, size=(320, 240)))

    def once():
        with open_source(clip, SourceOptions(packet_seconds=1.0)) as source:
            letterbox(next(source), (160, 96))

    for _ in range(60):
        once()
    files, memory = open_files(), resident_bytes()
    for _ in range(200):
        once()
    assert open_files() == files
    assert resident_bytes() - memory < 1_000_000


def test_reconnecting_for_ever_leaves_nothing_behind():
    config = ReconnectConfig(first_delay_s=0.001, max_delay_s=0.002)
    with http_server({"/video": mjpeg(pictures=3, fps=2000)}) as base:
        with StreamReader(f"{base}/video", QUICK, config) as reader:
            while reader.counters.connections < 40:
                time.sleep(0.02)
            memory, count = resident_bytes(), threading.active_count()
            while reader.counters.connections < 140:
                time.sleep(0.02)
            assert resident_bytes() - memory < 6_000_000
            assert threading.active_count() <= count + 1
        assert not threads_of(reader)
