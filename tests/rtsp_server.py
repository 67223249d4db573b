"""A small real RTSP server for tests, on GStreamer; runs under the system's own Python, not the project's.

    /usr/bin/python3 tests/rtsp_server.py CLIP.h264 [--fps 25] [--port 8554] [--user NAME --password SECRET] [--udp]
                                          [--mute-after SECONDS]

Serves an H.264 elementary stream (Annex B, access unit delimiters, no B pictures) in a loop, paced in real time, at
``rtsp://127.0.0.1:PORT/cam`` and prints ``ready PORT`` when it listens (port 0: a free one is chosen). ``--mute-after``
stops sending while the connection stays up. Needs the Debian packages gir1.2-gst-rtsp-server-1.0, python3-gi and
gstreamer1.0-plugins-{base,good,bad}. Loopback only.
"""

import argparse
import re
import sys
import time
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

_DELIMITER = re.compile(rb"\x00\x00\x00\x01\x09|\x00\x00\x01\x09")
_ROLE = "viewer"


def access_units(stream: bytes) -> list[bytes]:
    """The pictures of an elementary stream, cut at its access unit delimiters."""
    starts = [match.start() for match in _DELIMITER.finditer(stream)]
    if not starts:
        raise SystemExit("the clip has no access unit delimiters")
    return [stream[start:end] for start, end in zip(starts, [*starts[1:], len(stream)])]  # noqa: B905 (Python 3.9)


class LoopFactory(GstRtspServer.RTSPMediaFactory):
    """One pipeline shared by all viewers; pictures are pushed one by one, as a camera does."""

    def __init__(self, pictures: list, fps: float, mute_after_s: float) -> None:
        super().__init__()
        self._pictures = pictures
        self._fps = fps
        self._mute_after_s = mute_after_s
        self._started = time.monotonic()
        self.set_shared(True)
        self.set_launch(
            "( appsrc name=camera is-live=true do-timestamp=true format=time "
            "caps=video/x-h264,stream-format=byte-stream,alignment=au "
            "! h264parse config-interval=-1 ! rtph264pay name=pay0 pt=96 )"
        )
        self.connect("media-configure", self._configure)

    def _configure(self, _factory, media) -> None:
        source = media.get_element().get_child_by_name("camera")
        numbers = iter(range(sys.maxsize))

        def push() -> bool:
            if self._mute_after_s and time.monotonic() - self._started > self._mute_after_s:
                return True
            picture = self._pictures[next(numbers) % len(self._pictures)]
            return source.emit("push-buffer", Gst.Buffer.new_wrapped(picture)) == Gst.FlowReturn.OK

        push()
        GLib.timeout_add(int(1000 / self._fps), push)


def protect(server, factory, user: str, password: str) -> None:
    """Only ``user`` with ``password`` may look (digest)."""
    auth = GstRtspServer.RTSPAuth.new()
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    token = GstRtspServer.RTSPToken.new()
    token.set_string("media.factory.role", _ROLE)
    auth.add_digest(user, password, token)
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions.new()
    for right in ("media.factory.access", "media.factory.construct"):
        permissions.add_permission_for_role(_ROLE, right, True)
    factory.set_permissions(permissions)


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve an H.264 elementary stream over RTSP in a loop.")
    parser.add_argument("clip", type=Path)
    parser.add_argument("--fps", type=float, default=25.0)
    parser.add_argument("--port", type=int, default=8554)
    parser.add_argument("--user", default="")
    parser.add_argument("--password", default="")
    parser.add_argument("--udp", action="store_true", help="offer UDP only (default: TCP and UDP)")
    parser.add_argument("--mute-after", type=float, default=0.0, metavar="SECONDS")
    arguments = parser.parse_args()

    Gst.init(None)
    server = GstRtspServer.RTSPServer.new()
    server.set_address("127.0.0.1")
    server.set_service(str(arguments.port))
    factory = LoopFactory(access_units(arguments.clip.read_bytes()), arguments.fps, arguments.mute_after)
    if arguments.udp:
        factory.set_protocols(GstRtsp.RTSPLowerTrans.UDP)
    if arguments.user:
        protect(server, factory, arguments.user, arguments.password)
    server.get_mount_points().add_factory("/cam", factory)
    if server.attach(None) == 0:
        raise SystemExit(f"cannot listen on port {arguments.port}")
    print(f"ready {server.get_bound_port()}", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
