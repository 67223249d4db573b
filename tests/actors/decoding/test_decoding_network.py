"""Cameras on the network, against real servers on the loopback."""

import itertools
import socket
import threading
import time

import av
import pytest
from decoding_clips import elementary_stream, number_of, write_clip
from decoding_servers import (
    RtspServer,
    answering,
    content,
    http_server,
    live_playlist,
    mjpeg,
    protected,
    status,
)

from actors.decoding import CancelToken, ClipSpan, SourceOptions, StreamReader, open_source, save_clip
from actors.errors import SourceError

QUICK = SourceOptions(open_timeout_s=0.7, stall_timeout_s=0.7, start_time_s=0.0)
PASSWORD = "geheim7"


@pytest.fixture(scope="module")
def stream(tmp_path_factory):
    return elementary_stream(tmp_path_factory.mktemp("rtsp") / "cam.h264", 100)


@pytest.fixture(scope="module")
def camera(stream):
    with RtspServer(stream) as server:
        yield server


def take(source, count):
    return [next(source) for _ in range(count)]


def refused(address, options=QUICK):
    """The error of opening ``address``; it must not hold the password, not even in its chain."""
    with pytest.raises(SourceError) as caught:
        open_source(address, options).close()
    error = caught.value
    assert PASSWORD not in f"{error!r} {error.__cause__!r} {error.__context__!r}"
    return error


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_rtsp_pictures_come_in_order_with_the_wall_clock(camera, transport):
    with open_source(camera.url(), SourceOptions(rtsp_transport=transport)) as source:
        assert source.info.live
        assert (source.info.codec, source.info.width, source.info.height) == ("h264", 128, 96)
        frames = take(source, 12)
        late_s = time.time() - frames[-1].time_s
    numbers = [number_of(frame) for frame in frames]
    assert [(b - a) % 100 for a, b in itertools.pairwise(numbers)] == [1] * 11
    assert all(0.03 < b.pts_s - a.pts_s < 0.06 for a, b in itertools.pairwise(frames))
    assert abs(late_s) < 0.3, "the burst of the connection does not shift the clock"


def test_rtsp_only_over_udp_is_readable_and_tcp_says_why_not(stream):
    with RtspServer(stream, "--udp") as server:
        with open_source(server.url(), SourceOptions(rtsp_transport="udp")) as source:
            take(source, 3)
        assert "传输方式" in refused(server.url(), SourceOptions(rtsp_transport="tcp")).reason


def test_rtsp_password_right_wrong_and_unknown_path(stream):
    with RtspServer(stream, "--user", "admin", "--password", PASSWORD) as server:
        with open_source(server.url(user=f"admin:{PASSWORD}")) as source:
            take(source, 2)
        for user in (f"admin:{PASSWORD}x", f"x:{PASSWORD}"):
            error = refused(server.url(user=user))
            assert "用户名或密码错误" in error.reason
            assert error.permanent
        error = refused(server.url("nowhere", user=f"admin:{PASSWORD}"))
        assert error.permanent


def test_rtsp_unknown_path_is_not_found(camera):
    error = refused(camera.url("nowhere"))
    assert "404" in error.reason
    assert error.permanent


def test_a_stream_that_falls_silent_is_lost_after_the_time_limit(stream):
    with RtspServer(stream, "--mute-after", "0.5") as server, open_source(server.url(), QUICK) as source:
        seen = []
        with pytest.raises(SourceError, match="无数据") as caught:
            seen.extend(time.monotonic() for _ in source)
        assert 0.5 < time.monotonic() - seen[-1] < 2.0
        assert not caught.value.permanent


def test_a_killed_server_is_a_lost_stream(stream):
    with RtspServer(stream) as server, open_source(server.url(), QUICK) as source:
        take(source, 3)
        server.kill()
        with pytest.raises(SourceError) as caught:
            list(source)
    assert not caught.value.permanent


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_nobody_listens(scheme):
    error = refused(f"{scheme}://admin:{PASSWORD}@127.0.0.1:{free_port()}/cam")
    assert "连接被拒绝" in error.reason
    assert not error.permanent


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_a_server_that_never_answers_times_out(scheme):
    started = time.monotonic()
    with answering(None) as port:
        error = refused(f"{scheme}://admin:{PASSWORD}@127.0.0.1:{port}/cam")
    assert "超时" in error.reason
    assert not error.permanent
    assert 0.6 < time.monotonic() - started < 2.5


def test_an_unknown_host_is_named():
    error = refused(f"rtsp://admin:{PASSWORD}@no-such-camera.invalid/cam")
    assert "域名无法解析" in error.reason
    assert "no-such-camera.invalid" in error.reason


@pytest.mark.parametrize(
    ("line", "reason", "permanent"),
    [
        ("403 Forbidden", "403", True),
        ("400 Bad Request", "400", True),
        ("500 Internal Server Error", "5xx", False),
        ("503 Service Unavailable", "5xx", False),
    ],
)
def test_rtsp_refusals_are_readable(line, reason, permanent):
    with answering(f"RTSP/1.0 {line}\r\nCSeq: CSEQ\r\n\r\n".encode()) as port:
        error = refused(f"rtsp://admin:{PASSWORD}@127.0.0.1:{port}/cam")
    assert reason in error.reason
    assert error.permanent is permanent


def test_a_server_of_another_kind_is_recognised():
    with answering(b"SSH-2.0-OpenSSH_9.2\r\n") as port:
        error = refused(f"rtsp://127.0.0.1:{port}/cam")
    assert error.reason


def test_http_refusals_are_readable(tmp_path):
    clip = content(write_clip(tmp_path / "a.mp4", 10).read_bytes())
    routes = {"/403": status(403), "/500": status(500), "/page": content(b"<html>hello</html>", "text/html")}
    routes["/auth"] = protected(clip, "admin", PASSWORD)
    with http_server(routes) as base:
        assert "404" in refused(f"{base}/none").reason
        assert "403" in refused(f"{base}/403").reason
        assert "5xx" in refused(f"{base}/500").reason
        assert "不是视频" in refused(f"{base}/page").reason.replace("无法识别为视频", "不是视频")
        wrong = f"http://admin:{PASSWORD}x@{base.removeprefix('http://')}/auth"
        assert "用户名或密码错误" in refused(wrong).reason
        right = f"http://admin:{PASSWORD}@{base.removeprefix('http://')}/auth"
        with open_source(right, QUICK) as source:
            assert len(list(source)) == 10


def test_mjpeg_camera_is_live_and_timed_by_arrival():
    with http_server({"/video": mjpeg(fps=40)}) as base, open_source(f"{base}/video", QUICK) as source:
        assert source.info.live
        assert source.info.codec == "mjpeg"
        frames = take(source, 40)
    numbers = [number_of(frame) for frame in frames]
    assert [(b - a) % 256 for a, b in itertools.pairwise(numbers)] == [1] * 39
    paced = frames[-15:]
    assert (paced[-1].pts_s - paced[0].pts_s) / 14 == pytest.approx(1 / 40, rel=0.2)


def test_mjpeg_camera_that_ends_is_lost_not_finished():
    with http_server({"/video": mjpeg(pictures=40, fps=100)}) as base, open_source(f"{base}/video", QUICK) as source:
        with pytest.raises(SourceError, match=r"中断|结束"):
            list(source)
        assert source.counters.decoded >= 39


def test_mjpeg_camera_that_falls_silent_is_lost():
    routes = {"/video": mjpeg(fps=100, silent_after=40)}
    with http_server(routes) as base, open_source(f"{base}/video", QUICK) as source, pytest.raises(SourceError, match="无数据"):
        list(source)


def test_progressive_download_is_a_recording(tmp_path):
    clip = write_clip(tmp_path / "a.mp4", 60)
    with http_server({"/a.mp4": content(clip.read_bytes())}) as base, open_source(f"{base}/a.mp4", QUICK) as source:
        assert not source.info.live
        assert source.info.total_frames == 60
        assert [number_of(frame) for frame in source] == list(range(60))


def test_hls_recording_is_read_whole(tmp_path):
    segments = [write_clip(tmp_path / f"{n}.ts", 25, first_number=25 * n).read_bytes() for n in range(3)]
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:1", *(f"#EXTINF:1.0,\n{n}.ts" for n in range(3)), "#EXT-X-ENDLIST"]
    routes = {f"/{n}.ts": content(data, "video/mp2t") for n, data in enumerate(segments)}
    routes["/vod.m3u8"] = content("\n".join(lines).encode(), "application/vnd.apple.mpegurl")
    with http_server(routes) as base, open_source(f"{base}/vod.m3u8", QUICK) as source:
        assert not source.info.live
        frames = list(source)
    assert [number_of(frame) for frame in frames] == list(range(75))
    assert all(b.pts_s > a.pts_s for a, b in itertools.pairwise(frames))


def test_hls_live_is_handed_out_at_the_cameras_pace(tmp_path):
    segments = [write_clip(tmp_path / f"{n}.ts", 25, first_number=25 * n).read_bytes() for n in range(8)]
    with http_server(live_playlist(segments, 1.0)) as base, open_source(f"{base}/live.m3u8", QUICK) as source:
        assert source.info.live
        arrivals = []
        for frame in source:
            arrivals.append((time.monotonic(), number_of(frame)))
            if len(arrivals) == 30:
                break
    (first_s, _), (last_s, _) = arrivals[0], arrivals[-1]
    assert (last_s - first_s) == pytest.approx(29 / 25, abs=0.4)
    numbers = [number for _, number in arrivals]
    assert [(b - a) % 200 for a, b in itertools.pairwise(numbers)] == [1] * 29


def test_a_playlist_of_the_network_may_not_read_local_files(tmp_path):
    secret = write_clip(tmp_path / "secret.ts", 10)
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{secret}\n#EXT-X-ENDLIST\n"
    with http_server({"/p.m3u8": content(playlist.encode(), "application/vnd.apple.mpegurl")}) as base:
        refused(f"{base}/p.m3u8")


def test_closing_from_another_thread_ends_a_blocked_read():
    with http_server({"/video": mjpeg(fps=100, silent_after=40)}) as base:
        source = open_source(f"{base}/video", SourceOptions())
        ended = threading.Event()

        def read():
            assert len(list(source)) >= 30
            ended.set()

        thread = threading.Thread(target=read)
        thread.start()
        time.sleep(0.8)
        assert not ended.is_set()
        started = time.monotonic()
        source.close()
        assert time.monotonic() - started < 1.0
        thread.join(1.0)
        assert ended.is_set()


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_cancelling_ends_a_blocked_open(scheme):
    cancel = CancelToken()
    with answering(None) as port:
        timer = threading.Timer(0.3, cancel.cancel)
        timer.start()
        started = time.monotonic()
        with pytest.raises(SourceError):
            open_source(f"{scheme}://127.0.0.1:{port}/cam", SourceOptions(), cancel=cancel)
        assert time.monotonic() - started < 1.5
        timer.join()


def _clip_of(address, options, tmp_path, span):
    """Asks for a clip when a picture comes, breaks off when it is there; (numbers shown, number of the moment)."""
    with open_source(address, options) as source:
        take(source, 30)
        moment = next(source)
        future = source.packets.request(ClipSpan(moment_s=moment.time_s, before_s=span[0], after_s=span[1]))
        for _ in source:
            if future.done():
                break
    save_clip(future.result(0), tmp_path / "event.mp4")
    with open_source(str(tmp_path / "event.mp4"), SourceOptions(start_time_s=0.0)) as clip:
        return [number_of(frame) for frame in clip], number_of(moment)


def test_a_clip_of_a_network_camera_shows_its_moment(camera, tmp_path):
    shown, moment = _clip_of(camera.url(), SourceOptions(packet_seconds=5.0), tmp_path, (0.5, 0.5))
    assert moment in shown
    assert 22 <= len(shown) <= 40
    place = shown.index(moment)
    assert place >= 12
    assert len(shown) - place >= 12
    with av.open(str(tmp_path / "event.mp4")) as clip:
        sample = next(bytes(packet) for packet in clip.demux(video=0) if packet.size)
    assert sample[:4] != b"\0\0\0\1", "lengths, not the start codes of the network"


def test_a_clip_of_a_motion_jpeg_camera_is_encoded(tmp_path):
    with http_server({"/cam": mjpeg()}) as base:
        shown, moment = _clip_of(f"{base}/cam", SourceOptions(packet_seconds=5.0), tmp_path, (0.5, 0.5))
    assert moment in shown
    assert len(shown) >= 20


def test_a_lost_camera_answers_who_waits_for_a_clip(stream, tmp_path):
    with (
        RtspServer(stream) as server,
        StreamReader(server.url(), SourceOptions(packet_seconds=5.0, stall_timeout_s=2.0)) as reader,
    ):
        for _ in range(15):
            frame = reader.latest(10.0)
        future = reader.request_clip(ClipSpan(moment_s=frame.time_s, before_s=0.3, after_s=60.0))
        server.kill()
        kept = future.result(20.0)
        late = reader.request_clip(ClipSpan(moment_s=frame.time_s, before_s=0.3, after_s=60.0)).result(5.0)
    for packets in (kept, late):
        save_clip(packets, tmp_path / "event.mp4")
        with open_source(str(tmp_path / "event.mp4"), SourceOptions(start_time_s=0.0)) as clip:
            assert number_of(frame) in [number_of(shown) for shown in clip]
