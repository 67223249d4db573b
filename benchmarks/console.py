"""The console: how soon the wall of 16 cameras is painted, and what somebody who looks costs the camera that is looked at.

    python -m benchmarks.console [--cameras 16] [--running 16] [--rounds 4] [--window-s 15] [--models-dir …]
    python -m benchmarks.console --views CLIP…

Both in a real Chromium (Debian's) on this machine. The wall's cameras are simulated ones of 640x360 at 2 frames/s, analysed
once a second: all of them show pictures, and two cores have room for a browser. The camera whose load is measured is a simulated
one of 1280x720 at 12.5 frames/s, alone; its process is compared with itself, in turns of nobody looking, its tile on the wall,
its tile on four walls, and its live page.
"""

import argparse
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from actors.decoding import DecodedFrame
from actors.pipeline import AnalysedFrame
from actors.viewing import view_of
from benchmarks.installation import Installation, cpu_seconds, installation
from cluster.demo import demo_scene
from tests.browser.conftest import ARGUMENTS, chromium_path, until

# Runs before the page's own scripts: notes when the tiles, and the pictures in those on the screen, are first there.
_WATCH = """
sessionStorage.setItem('wayside.token', TOKEN);
window.seen = {};
const look = () => {
  const tiles = [...document.querySelectorAll('[data-task]')];
  if (tiles.length >= CAMERAS && !seen.tiles) seen.tiles = performance.now();
  const shown = tiles.filter((tile) => tile.getBoundingClientRect().top < innerHeight);
  const loaded = (tile) => { const image = tile.querySelector('img'); return image && image.complete && image.naturalWidth > 0; };
  if (seen.tiles && shown.filter(loaded).length >= Math.min(RUNNING, shown.length)) seen.pictures = performance.now();
  if (!seen.pictures) requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
_FIRST = "performance.getEntriesByType('paint').find((entry) => entry.name === 'first-contentful-paint')?.startTime"


@contextmanager
def browser() -> Iterator[Any]:
    """A Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        try:
            yield made
        finally:
            made.close()


def watched_context(chromium: Any, token: str, cameras: int, running: int = 1) -> Any:
    """A context with an empty cache whose pages note what they see."""
    context = chromium.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN")
    script = _WATCH.replace("TOKEN", repr(token)).replace("CAMERAS", str(cameras)).replace("RUNNING", str(running))
    context.add_init_script(script)
    return context


def wall_times(chromium: Any, address: str, token: str, cameras: int, running: int) -> tuple[dict[str, float], dict[str, float]]:
    """Milliseconds since navigation began to the first paint, to all tiles and to the pictures on the screen, and of CPU that the
    page's main thread took for them: with an empty cache, and again with what the browser kept."""
    context = watched_context(chromium, token, cameras, running)
    found = []
    for _ in range(2):
        page = context.new_page()
        inspector = context.new_cdp_session(page)
        inspector.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.goto(f"{address}/#/cameras")
        seen = until(lambda page=page: _seen(page))
        metrics = {item["name"]: item["value"] for item in inspector.send("Performance.getMetrics")["metrics"]}
        found.append(seen | {"cpu": metrics["TaskDuration"] * 1000})
        page.close()
    context.close()
    return found[0], found[1]


def _seen(page: Any) -> dict[str, float] | None:
    """What the page has noted, once it is complete. (Its policy forbids Playwright's own way of waiting.)"""
    seen = page.evaluate("window.seen")
    return seen | {"paint": page.evaluate(_FIRST)} if seen.get("pictures") else None


def report_wall(chromium: Any, address: str, token: str, cameras: int, running: int, rounds: int) -> None:
    """Print medians and worst values."""
    times = [wall_times(chromium, address, token, cameras, running) for _ in range(rounds)]
    for number, name in enumerate(("empty cache", "again")):
        for key, told in (
            ("paint", "first paint"),
            ("tiles", f"{cameras} tiles"),
            ("pictures", "pictures on the screen"),
            ("cpu", "CPU of the page"),
        ):
            values = [item[number][key] for item in times]
            print(f"{name:12} {told:24} median {statistics.median(values):6.0f} ms, worst {max(values):6.0f} ms", flush=True)


def load(run: Installation, num: str, window_s: float) -> tuple[float, float]:
    """CPU seconds per second and milliseconds of CPU per analysed frame of a camera's process over a window."""
    pid = run.camera_pids()[num]
    frames, cpu, begin = run.health()[num].frames_analysed, cpu_seconds(pid), time.monotonic()
    time.sleep(window_s)
    used, lasted = cpu_seconds(pid) - cpu, time.monotonic() - begin
    done = run.health()[num].frames_analysed - frames
    return used / lasted, used / max(done, 1) * 1000


def report_load(chromium: Any, run: Installation, token: str, rounds: int, window_s: float) -> None:
    """Print the load of a camera by who looks, each against nobody in the same round."""
    address = f"http://127.0.0.1:{run.settings.port}"
    task = run.api.call("task/query", id=run.tasks["looked-at"])
    looks = {
        "nobody": (0, ""),
        "its tile": (1, "cameras"),
        "tiles on 4 walls": (4, "cameras"),
        "live page": (1, f"cameras/{task['id']}"),
    }
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in looks}
    for number in range(rounds):
        names = list(looks) if number % 2 == 0 else list(reversed(looks))  # what drifts meets each of them alike
        for name in names:
            pages, path = looks[name]
            contexts = [watched_context(chromium, token, 1) for _ in range(pages)]
            for context in contexts:
                page = context.new_page()
                page.goto(f"{address}/#/{path}")
                page.locator(".picture img").first.wait_for(timeout=60_000)
            time.sleep(2)
            found[name].append(load(run, "looked-at", window_s))
            for context in contexts:
                context.close()
    for name, values in found.items():
        cores, frame_ms = (statistics.median(column) for column in zip(*values, strict=True))
        added = [(mine[0] / nobody[0] - 1, mine[1] / nobody[1] - 1) for mine, nobody in zip(values, found["nobody"], strict=True)]
        per_second, per_frame = (statistics.median(column) * 100 for column in zip(*added, strict=True))
        print(
            f"{name:18} {100 * cores:5.1f} % of a core, {frame_ms:5.2f} ms of CPU per frame; "
            f"against nobody {per_second:+5.1f} % a second, {per_frame:+5.1f} % a frame",
            flush=True,
        )


def report_views(clip: Path, frames: int = 100, repeats: int = 30) -> None:
    """Print the CPU time of pictures for a console, beside that of decoding, of one clip on one thread."""
    import av
    import cv2

    cv2.setNumThreads(1)
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        stream.thread_count = 1
        begin, decoded = time.process_time(), [frame for frame, _ in zip(container.decode(stream), range(frames), strict=False)]
        decoding_ms = (time.process_time() - begin) / len(decoded) * 1000
    last = decoded[-1]
    frame = DecodedFrame(
        index=0, pts_s=0.0, time_s=1.0, frame=last, width=last.width, height=last.height, key_frame=True, rotation=0
    )
    empty: Any = SimpleNamespace(  # a pipeline that has found nothing: the picture alone is measured
        lanes=(), counters=SimpleNamespace(lane_counts={}), queue_outlines=lambda _: (), open_events=(), has_scene_lanes=True
    )
    analysed = AnalysedFrame(frame=frame, tracks=(), envelopes=())
    told = []
    for width, drawn in ((480, True), (640, False), (960, False), (1280, False)):
        begin = time.process_time()
        for _ in range(repeats):
            view_of(analysed, empty, 1, width, drawn=drawn)
        told.append(f"{width}: {(time.process_time() - begin) / repeats * 1000:.2f}")
    size = f"{frame.width}x{frame.height}"
    print(f"{clip.name} {size}: decoding {decoding_ms:.2f} ms a frame; pictures in ms by width {', '.join(told)}")


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cameras", type=int, default=16)
    parser.add_argument("--running", type=int, default=16, help="of the cameras; the others are stopped")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--paints", type=int, default=5)
    parser.add_argument("--window-s", type=float, default=15.0)
    parser.add_argument("--models-dir", type=Path, default=Path.home() / ".cache" / "wayside" / "models")
    parser.add_argument("--views", type=Path, nargs="+", help="only the CPU time of pictures for a console, of these clips")
    arguments = parser.parse_args()
    if arguments.views:
        for clip in arguments.views:
            report_views(clip)
        return
    overrides = {"plates": False, "attributes": False, "archive_min_free_bytes": 0}
    with browser() as chromium, installation(arguments.models_dir, **overrides) as run:
        token = run.api.call("account/login", username="admin", password="benchmark")["token"]
        for number in range(arguments.cameras):
            source = f"sim://approach?seed={number + 1}&width=640&height=360&fps=2&warmup_s=10"
            run.add_task(f"{number + 1}", source, analysedFps=1, enabled=number < arguments.running)
        stopped = [num for num in run.tasks if int(num) > arguments.running]
        known = dict(run.tasks)
        for num in stopped:
            del run.tasks[num]  # nobody waits for them
        run.wait_until_analysing(240, frames=2)
        run.tasks |= known
        address = f"http://127.0.0.1:{run.settings.port}"
        report_wall(chromium, address, token, arguments.cameras, arguments.running, arguments.paints)
        for task_id in run.tasks.values():
            run.api.call("task/delete", id=task_id)
        run.tasks.clear()
        source = "sim://approach?seed=3&flow=1800&width=1280&height=720&opposing=2"
        run.add_task("looked-at", source, scene=demo_scene(source), analysedFps=12.5)
        run.wait_until_analysing(120, frames=60)
        report_load(chromium, run, token, arguments.rounds, arguments.window_s)


if __name__ == "__main__":
    main()
