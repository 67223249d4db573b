"""Cameras where Wayside must not connect: by address, by redirect, by playlist; and those it may reach, through the proxy."""

import socket
import ssl
import threading

import pytest
from decoding_clips import elementary_stream, number_of, write_clip
from decoding_servers import RtspServer, content, http_server, live_playlist, mjpeg, protected, status

from actors.decoding import SourceOptions, open_source
from actors.decoding.judging import judged_url
from actors.errors import SourceError
from actors.outbound import OutboundPolicy
from tests.certificates import make_certificate

DEFAULT = OutboundPolicy()
HERE = OutboundPolicy(allowed=("127.0.0.1",))  # 127.0.0.2 stays forbidden


def options(policy: OutboundPolicy = HERE) -> SourceOptions:
    return SourceOptions(open_timeout_s=3.0, stall_timeout_s=2.0, start_time_s=0.0, outbound=policy)


def reason(address: str, policy: OutboundPolicy = DEFAULT) -> str:
    with pytest.raises(SourceError) as caught:
        open_source(address, options(policy)).close()
    assert caught.value.permanent or "not allowed" not in caught.value.reason
    return caught.value.reason


@pytest.mark.parametrize("scheme", ["rtsp", "rtsps", "http", "https"])
@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "localhost", "[::1]", "169.254.169.254", "u:p@127.0.0.1"])
def test_forbidden_hosts_are_refused_before_any_connection(scheme: str, host: str) -> None:
    told = reason(f"{scheme}://{host}:9/x")
    assert "不允许连接" in told
    assert "outbound_allow" in told


def redirect(to: str):
    def handle(request) -> None:
        request.send_response(302)
        request.send_header("Location", to)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return handle


@pytest.fixture
def forbidden():
    """A server on 127.0.0.2 that must never be asked anything; gives (address, list of connections)."""
    with socket.create_server(("127.0.0.2", 0)) as server:
        server.settimeout(0.05)
        seen: list[str] = []
        stop = threading.Event()

        def serve() -> None:
            while not stop.is_set():
                try:
                    connection, peer = server.accept()
                except TimeoutError:
                    continue
                seen.append(str(peer))
                connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.2:{server.getsockname()[1]}", seen
        stop.set()
        thread.join()


def test_a_redirect_to_a_forbidden_address_is_not_followed(forbidden) -> None:
    address, seen = forbidden
    with http_server({"/cam": redirect(f"http://{address}/secret")}) as url:
        assert "127.0.0.2" in reason(f"{url}/cam", HERE)
    assert seen == []


def test_segments_of_a_playlist_at_a_forbidden_address_are_not_fetched(forbidden) -> None:
    address, seen = forbidden
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:1", "#EXT-X-MEDIA-SEQUENCE:0", "#EXTINF:1.0,", f"http://{address}/s.ts", ""]
    playlist = "\n".join(lines).encode()
    with http_server({"/live.m3u8": content(playlist, "application/vnd.apple.mpegurl")}) as url:
        assert "127.0.0.2" in reason(f"{url}/live.m3u8", HERE)
    assert seen == []


def test_an_allowed_redirect_is_followed() -> None:
    with (
        http_server({"/mjpg": mjpeg()}) as url,
        http_server({"/cam": redirect(f"{url}/mjpg")}) as first,
        open_source(f"{first}/cam", options()) as source,
    ):
        assert number_of(next(source)) == 0


def test_https_cameras_come_through_the_proxy_as_well(tmp_path, forbidden) -> None:
    address, seen = forbidden
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*make_certificate(tmp_path, "cam.example"))
    with http_server({"/mjpg": mjpeg(), "/away": redirect(f"https://{address}/x")}, tls) as url:
        with open_source(f"{url}/mjpg", options()) as source:
            assert number_of(next(source)) == 0
        assert "127.0.0.2" in reason(f"{url}/away", HERE)
    assert seen == []


def test_mjpeg_hls_downloads_and_passwords_work_through_the_proxy(tmp_path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 20).read_bytes()
    segments = []
    for n in range(6):
        path = write_clip(tmp_path / f"{n}.ts", 25, first_number=25 * n, container_format="mpegts", gop=25)
        segments.append(path.read_bytes())
    routes = {"/mjpg": protected(mjpeg(), "user", "pa ss"), "/clip.mp4": content(clip), **live_playlist(segments, 1.0)}
    with http_server(routes) as url:
        with open_source(url.replace("http://", "http://user:pa ss@") + "/mjpg", options()) as source:
            assert [number_of(next(source)) for _ in range(3)] == [0, 1, 2]
        with open_source(f"{url}/clip.mp4", options()) as source:
            assert len(list(source)) == 20
        with open_source(f"{url}/live.m3u8", options()) as source:
            assert len([next(source) for _ in range(30)]) == 30


def test_reasons_are_those_of_the_camera_not_of_the_proxy() -> None:
    with http_server({"/forbidden": status(403), "/broken": status(500)}) as url:
        assert "403" in reason(f"{url}/forbidden", HERE)
        assert "5xx" in reason(f"{url}/broken", HERE)
        assert "404" in reason(f"{url}/nowhere", HERE)
        wrong = url.rsplit(":", 1)[0]
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        assert "连接被拒绝" in reason(f"{wrong}:{holder.getsockname()[1]}/x", HERE)
    assert "域名无法解析" in reason("http://no-such-host.invalid/x", HERE)


def test_the_proxy_ends_with_its_source() -> None:
    with http_server({"/mjpg": mjpeg()}) as url:
        for _ in range(3):
            with open_source(f"{url}/mjpg", options()) as source:
                next(source)
    assert [thread for thread in threading.enumerate() if thread.name == "outbound-proxy"] == []


def test_rtsp_is_given_the_address_that_was_judged(monkeypatch, tmp_path) -> None:
    asked = []

    def resolve(host: str, port: int, **_: object):
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert judged_url("rtsp://u:p@cam.example:8554/a?b", HERE) == "rtsp://u:p@127.0.0.1:8554/a?b"
    assert judged_url("rtsp://cam.example/a", HERE) == "rtsp://127.0.0.1/a"
    assert judged_url("https://cam.example/a", HERE) == "https://cam.example/a"
    with pytest.raises(SourceError, match=r"cam\.example \(127\.0\.0\.1\)"):
        judged_url("rtsp://cam.example/a", DEFAULT)
    assert asked == ["cam.example"] * 4


def test_an_rtsp_camera_named_by_name_is_read(tmp_path) -> None:
    with RtspServer(elementary_stream(tmp_path / "cam.h264", 100)) as server:
        address = server.url(user="admin:pw").replace("127.0.0.1", "localhost")
        with open_source(address, options(OutboundPolicy(allowed=("127.0.0.1",)))) as source:
            next(source)
