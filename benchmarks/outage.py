"""A camera's outage through the whole application: an RTSP server is killed and brought back while Wayside analyses it.

    WAYSIDE_OUTBOUND_ALLOW=127.0.0.1 wayside up &      # or any other way to run it
    python -m benchmarks.outage CLIP [--outage 15] [--cycles 2] [--scene scene.json]

Adds a task on a real RTSP server (`tests/rtsp_server.py`, needs Debian's GStreamer packages) and interfaces of type 21 and
52 towards a receiver of its own, kills the server, starts it again and prints what was pushed when, seconds without
analysis, and the memory of the camera's process (PSS, MiB) before and after. Removes what it added. CLIP is any video; it is
re-encoded to H.264 without B pictures once.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import av

from api.receiver import Push, Receiver
from cluster.client import ApiClient, local_client
from cluster.settings import Settings

_SERVER = Path(__file__).parents[1] / "tests" / "rtsp_server.py"
_TASK = "outage"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="An RTSP server killed and brought back, through the whole application.")
    parser.add_argument("clip", type=Path)
    parser.add_argument("--outage", type=float, default=15.0, metavar="SECONDS")
    parser.add_argument("--cycles", type=int, default=2)
    parser.add_argument("--steady", type=float, default=30.0, metavar="SECONDS", help="analysis before and after each outage")
    parser.add_argument("--scene", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.h264"
        fps = encode(arguments.clip, clip)
        run(clip, fps, arguments)


def encode(source: Path, target: Path) -> float:
    """The clip as an H.264 elementary stream with access unit delimiters; returns its frame rate in 1/s."""
    with av.open(str(source)) as container, av.open(str(target), "w", format="h264") as out:
        video = container.streams.video[0]
        rate = video.average_rate or 25
        stream = out.add_stream("libx264", rate=rate, options={"preset": "veryfast", "x264-params": "aud=1:bframes=0:keyint=50"})
        stream.width, stream.height, stream.pix_fmt = video.width, video.height, "yuv420p"
        for frame in container.decode(video):
            frame.pts = None
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return float(rate)


class Server:
    """The RTSP server as a process of its own."""

    def __init__(self, clip: Path, fps: float) -> None:
        self._command = ["/usr/bin/python3", str(_SERVER), str(clip), "--fps", str(fps), "--port"]
        self.port = 0
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen([*self._command, str(self.port)], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        ready = self._process.stdout.readline().split()
        if ready[:1] != ["ready"]:
            raise SystemExit("the RTSP server did not start; is GStreamer's RTSP server installed?")
        self.port = int(ready[1])

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


def camera_processes(task: str) -> dict[int, float]:
    """Process ids of the task's camera actor and their memory (PSS, MiB)."""
    from ray.util.state import list_actors

    pids = [actor.pid for actor in list_actors(filters=[("name", "=", f"camera-{task}"), ("state", "=", "ALIVE")])]
    return {pid: _pss(pid) for pid in pids if pid}


def _pss(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def _alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def run(clip: Path, fps: float, arguments: argparse.Namespace) -> None:
    """Add, kill, bring back, report, remove."""
    import ray

    ray.init(address="auto", log_to_driver=False, configure_logging=False)
    api = local_client(Settings())
    started = time.time()
    pushes: list[Push] = []
    server = Server(clip, fps)
    scene = json.loads(arguments.scene.read_text()) if arguments.scene else None
    with Receiver(on_push=pushes.append) as receiver:
        added = _add(api, receiver.url, f"rtsp://127.0.0.1:{server.port}/cam", scene)
        try:
            _wait_for_analysis(api, added["task"])
            memory: list[dict[int, float]] = []
            marks = []
            for _ in range(arguments.cycles):
                time.sleep(arguments.steady)
                memory.append(camera_processes(_TASK))
                marks.append((time.time() - started, "RTSP server killed"))
                server.kill()
                time.sleep(arguments.outage)
                server.start()
                marks.append((time.time() - started, "RTSP server started"))
                _wait_for_analysis(api, added["task"])
            time.sleep(arguments.steady)
            memory.append(camera_processes(_TASK))
        finally:
            _remove(api, added)
            server.kill()
        _report(pushes, marks, memory, started)


def _add(api: ApiClient, url: str, address: str, scene: dict[str, Any] | None) -> dict[str, Any]:
    company = {"companyName": "benchmark", "companyId": "1", "appId": "outage", "taskNums": [_TASK]}
    interfaces = [
        api.call("interface/add", name=f"outage {kind}", businessType=kind, triggerCondition=2, url=url, **company)["id"]
        for kind in (21, 52)
    ]
    task = api.call("task/add", taskNum=_TASK, taskName="outage", srcAddress=address, scene=scene)["id"]
    return {"interfaces": interfaces, "task": task}


def _remove(api: ApiClient, added: dict[str, Any]) -> None:
    api.call("task/delete", id=added["task"])
    time.sleep(5)
    for number in added["interfaces"]:
        api.call("interface/delete", id=number)


def _wait_for_analysis(api: ApiClient, task: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        before = api.call("task/query", id=task)
        time.sleep(1)
        after = api.call("task/query", id=task)
        if after["statusName"] == "分析中" and after["framesAnalysed"] > before["framesAnalysed"]:
            return
    raise SystemExit(f"no analysis within 120 s: {after['statusName']} {after['reason']}")


def _report(pushes: list[Push], marks: list[tuple[float, str]], memory: list[dict[int, float]], started: float) -> None:
    statuses = [push for push in pushes if push.kind == "task-status"]
    told = [(push.received_at - started, f"pushed: {push.body['taskStatusName']}") for push in statuses]
    for seconds, text in sorted(marks + told):
        print(f"{seconds:7.1f} s  {text}")
    times = sorted(push.received_at - started for push in pushes if push.kind == "vehicle-snapshot")
    print(f"vehicle pushes {len(times)}, invalid bodies {sum(bool(push.problems) for push in pushes)}")
    for (killed, _), (back, _) in zip(marks[::2], marks[1::2], strict=True):
        after = [moment for moment in times if moment > back]
        first = f"{after[0] - back:.1f} s after the server came back" if after else "never"
        print(f"outage of {back - killed:.1f} s: first vehicle {first}")
    for index, processes in enumerate(memory):
        print(f"camera process before outage {index + 1}:" if index < len(memory) - 1 else "at the end:", end=" ")
        print(", ".join(f"pid {pid} {size:.1f} MiB PSS" for pid, size in processes.items()))
    left = [pid for processes in memory for pid in processes if _alive(pid)]
    print("processes left behind:", left or "none")
    if left:
        sys.exit(1)


if __name__ == "__main__":
    main()
