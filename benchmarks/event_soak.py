"""Events for a while, through the whole application: memory, archive and clips.

    python -m benchmarks.event_soak [--minutes 30] [--port 8200] [--data-dir DIR] [--clips A B C D] [--max-bytes 60000000]

Starts Wayside on a data folder of its own with four looping cameras (the clips that are given, simulated cameras with
incidents beside them), an interface of every business type towards a receiver of its own, and an archive that is far too
small, so that retention works all the time. Every half minute it notes the memory of every process (proportional set size, MiB)
and the bytes of the archive; at the end it decodes every clip that is left from its first to its last picture and prints what
it found as JSON. Ends everything it started.
"""

import argparse
import contextlib
import json
import os
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import av
import av.error

from actors.outbound import LOOPBACK
from api.receiver import Push, Receiver
from cluster.client import ApiClient, local_client
from cluster.settings import Settings

_NOTE_S = 30.0
_SCENES = Path(__file__).parents[1] / "examples" / "scenes"
_SHOWN = ("codec", "framesAnalysed", "events", "clipsFailed", "clipError", "picturesFailed")
_SIMULATED = (
    "sim://approach?seed={seed}&flow=1200&width=960&height=540&fps=10"
    "&incident=stopped_vehicle:at=20:for=40:lane=2&incident=wrong_way:at=70:lane=1"
)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Memory, archive and clips over a long time.")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--port", type=int, default=8200)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--clips", nargs="*", default=[], help="videos of the four cameras; fewer: simulated ones beside them")
    parser.add_argument("--max-bytes", type=int, default=60_000_000, help="bound of the archive")
    parser.add_argument("--fps", type=float, default=3.0, help="analysed frames per second of each camera")
    arguments = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = arguments.data_dir or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wayside-soak-")))
        print(json.dumps(soak(arguments, folder), indent=1, ensure_ascii=False))


def soak(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """The whole run; what it found."""
    from cluster.ingress import prepare
    from cluster.up import Running

    settings = Settings(
        host="127.0.0.1", port=arguments.port, data_dir=folder, admin_password="event-soak", clip_before_s=5, clip_after_s=5,
        archive_max_bytes=arguments.max_bytes, archive_min_free_bytes=0, outbound_allow=LOOPBACK,
    )  # fmt: skip
    prepare(settings)
    got = _Got()
    with Receiver(on_push=got.take) as receiver:
        running = Running(settings, None, dashboard_port=0)
        try:
            api = local_client(settings)
            _register(api, receiver.url, arguments)
            notes = _watch(folder, arguments.minutes * 60)
            tasks = api.call("task/list")
            events = api.call("event/list", pageSize=1000)
        finally:
            running.close()
    return {
        "minutes": arguments.minutes,
        "memoryMiB": notes["memory"],
        "archiveMB": notes["archive"],
        "archiveBoundMB": arguments.max_bytes / 1e6,
        "tasks": {
            task["taskNum"]: {name: task[name] for name in _SHOWN} for task in tasks
        },
        "eventsInHistory": dict(Counter(row["recordContent"] for row in events["rows"])),
        "pushes": dict(got.kinds),
        "invalidPushes": got.invalid,
        "eventsWithoutClip": got.without_clip,
        "clips": decode_all(folder / "archive"),
    }  # fmt: skip


class _Got:
    """What the receiver got."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.kinds: Counter[str] = Counter()
        self.invalid = self.without_clip = 0

    def take(self, push: Push) -> None:
        """Count one push."""
        with self._lock:
            self.kinds[push.kind or "?"] += 1
            self.invalid += bool(push.problems)
            self.without_clip += push.kind == "event" and not push.body["videoPath"]


def _register(api: ApiClient, url: str, arguments: argparse.Namespace) -> None:
    from cluster.demo import demo_scene

    for business, trigger in ((11, 2), (21, 2), (22, 1), (41, 1), (52, 2)):
        api.call(
            "interface/add", name=f"soak {business}", businessType=business, triggerCondition=trigger, uploadPeriod=10, url=url,
            uploadImgStatus=0, companyName="s", companyId="1", appId="s",
        )  # fmt: skip
    for number in range(4):
        simulated = _SIMULATED.format(seed=number + 1)
        clip = arguments.clips[number] if number < len(arguments.clips) else None
        scene = _scene_of(clip) if clip else demo_scene(simulated)
        address = str(Path(clip).absolute()) if clip else simulated
        api.call(
            "task/add", taskNum=str(number + 1), taskName=Path(address).stem[:50] if clip else "simulated", srcAddress=address,
            scene=scene, loop=True, analysedFps=arguments.fps,
        )  # fmt: skip


def _scene_of(clip: str) -> dict[str, Any] | None:
    """The committed scene of a clip; None: lanes are learned."""
    path = _SCENES / f"{Path(clip).stem}.json"
    found: dict[str, Any] | None = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
    return found


def _watch(folder: Path, seconds: float) -> dict[str, Any]:
    """Memory by process and archive bytes, noted until the time is over."""
    memory: dict[str, list[float]] = {}
    archive: list[float] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(min(_NOTE_S, max(0.0, end - time.monotonic())))
        for name, mib in _memory().items():
            memory.setdefault(name, []).append(mib)
        archive.append(round(sum(_sizes(folder / "archive")) / 1e6, 1))
    return {"memory": memory, "archive": archive}


def _sizes(folder: Path) -> list[int]:
    """Bytes of every file; retention deletes some of them meanwhile."""
    sizes = []
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            sizes.append(path.stat().st_size if path.is_file() else 0)
    return sizes


def _memory() -> dict[str, float]:
    """Proportional set size in MiB of this process and its descendants that are ours, by what they call themselves."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
    found: dict[str, float] = {}
    for pid in parents:
        with contextlib.suppress(OSError, ValueError, IndexError):
            if pid != os.getpid() and os.getpid() not in _ancestors(pid, parents):
                continue
            name = Path(f"/proc/{pid}/cmdline").read_text().split("\0")[0]
            if name.startswith("ray::") and "IDLE" not in name:
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
                kib = next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
                key = name.split("(")[0].split(".")[0].removeprefix("ray::")
                found[f"{key} {pid}"] = round(kib / 1024, 1)
    return found


def _ancestors(pid: int, parents: dict[int, int]) -> list[int]:
    line = []
    while (pid := parents.get(pid, 0)) > 1:
        line.append(pid)
    return line


def decode_all(archive: Path) -> dict[str, Any]:
    """Every clip of an archive from its first to its last picture."""
    clips = sorted((archive / "video").rglob("*.mp4")) if (archive / "video").is_dir() else []
    bad, lengths, sizes = [], [], []
    for path in clips:
        try:
            with av.open(str(path)) as clip:
                frames = list(_times(clip))
            if len(frames) < 2 or not frames[0][1]:
                bad.append(f"{path.name}: {len(frames)} pictures, begins with a key frame: {bool(frames and frames[0][1])}")
            lengths.append(frames[-1][0] - frames[0][0])
            sizes.append(path.stat().st_size)
        except (av.error.FFmpegError, IndexError) as error:
            bad.append(f"{path.name}: {error}")
    return {
        "decoded": len(clips),
        "unplayable": bad,
        "seconds": [round(min(lengths), 1), round(max(lengths), 1)] if lengths else [],
        "meanKB": round(sum(sizes) / len(sizes) / 1e3) if sizes else 0,
    }


def _times(clip: Any) -> Any:
    for frame in clip.decode(video=0):
        yield frame.time, frame.key_frame


if __name__ == "__main__":
    main()
