"""The command ``wayside analyze``: options, progress bar and tables around cluster.analyze."""

import time
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from cluster.terminal import ModelsDir, console, errors, given_settings, read_text

SceneFile = Annotated[Path | None, typer.Option("--scene", help="Scene document (JSON); without it lanes are learned.")]


def analyze(
    video: Annotated[str, typer.Argument(help="File, folder or sim:// address with a duration.")],
    scene: SceneFile = None,
    out: Annotated[Path | None, typer.Option(help="JSON lines of results.")] = None,
    fps: Annotated[float, typer.Option(min=0, help="Analysed frames per second; 0: every frame.")] = 0.0,
    archive: Annotated[Path | None, typer.Option(help="Folder for pictures of vehicles, pictures and clips of events.")] = None,
    still: Annotated[Path | None, typer.Option(help="Write an annotated picture (JPEG) of the last frame.")] = None,
    models_dir: ModelsDir = None,
    model: Annotated[str | None, typer.Option(help="Detector: catalogue name or ONNX file.")] = None,
    engine: Annotated[str, typer.Option(help="auto, openvino, openvino-f32, onnxruntime, torch, torch-compile.")] = "auto",
    start_time: Annotated[str, typer.Option(help="Wall clock of the first frame, 'yyyy-MM-dd HH:mm:ss'.")] = "",
    period: Annotated[int, typer.Option(min=0, max=120, help="Also traffic parameters and people of every period; 0: none.")] = 0,
    recognition: Annotated[bool, typer.Option(help="Read plates and looks of vehicles.")] = True,
) -> None:
    """Analyse a recorded video whole, as fast as the machine can."""
    from actors.archive import open_archive
    from api.task_store import start_time_s
    from cluster.analyze import AnalyzeOptions
    from cluster.analyze import analyze as run
    from cluster.build import recognition_config
    from cluster.local_networks import local_detector, local_recognition

    settings = given_settings(models_dir=models_dir, detector_model=model)
    services, weather = local_recognition(settings) if recognition else (None, None)
    options = AnalyzeOptions(
        video=video,
        scene=_read_scene(scene),
        time_zone=settings.time_zone,
        start_time_s=_start_time(start_time, settings.time_zone, start_time_s),
        analysed_fps=fps,
        archive=open_archive(str(archive)) if archive else None,
        period_s=period,
        recognition=services,
        connect_weather=(lambda: weather) if weather else None,
        recognition_config=recognition_config(settings),
    )
    detector = local_detector(settings, engine, settings.resolved_detector_threads)
    begin = time.monotonic()
    columns = (
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total} frames"),
        TextColumn("{task.fields[fps]:.1f} fps"), TimeRemainingColumn(),
    )  # fmt: skip
    lines = out.open("w", encoding="utf-8") if out else None
    try:
        with Progress(*columns, console=errors, transient=True) as bar:
            shown = bar.add_task(Path(video).name, total=None, fps=0.0)

            def progress(done: int, info: Any) -> None:
                bar.update(shown, completed=done, total=info.total_frames, fps=done / max(time.monotonic() - begin, 1e-3))

            keeper = _StillKeeper()
            write = partial(print, file=lines) if lines else _drop
            summary = run(options, detector, write, progress, keeper if still else None)
    finally:
        if lines:
            lines.close()
    if still:
        keeper.save(still)
    _print_summary(summary, time.monotonic() - begin)


def _drop(_: str) -> None:
    """Without --out only the table is shown."""


class _StillKeeper:
    """Remembers the last analysed frame."""

    def __init__(self) -> None:
        self._last: tuple[Any, Any] | None = None

    def __call__(self, frame: Any, pipeline: Any) -> None:
        self._last = (frame, pipeline)

    def save(self, path: Path) -> None:
        """Write the annotated picture."""
        from actors.drawing import annotated_jpeg

        if self._last:
            path.write_bytes(annotated_jpeg(*self._last, max_width=1920))


def _start_time(text: str, zone: str, convert: Any) -> float | None:
    try:
        value: float | None = convert(text, zone)
    except ValueError as error:
        raise typer.BadParameter("use 'yyyy-MM-dd HH:mm:ss'", param_hint="--start-time") from error
    return value


def _read_scene(path: Path | None) -> Any:
    from traffic.scene.document import parse_scene

    return parse_scene(read_text(path)) if path else None


def _print_summary(summary: Any, seconds: float) -> None:
    table = Table(title=f"{summary.frames} frames in {seconds:.1f} s ({summary.frames / max(seconds, 1e-3):.1f} fps)")
    classes = sorted({name for _, name in summary.counts})
    for heading in ("lane", "name", *classes, "total", "mean speed km/h"):
        table.add_column(heading, justify="left" if heading == "name" else "right")
    for lane in sorted({lane for lane, _ in summary.counts}):
        counts = [summary.counts[lane, name] for name in classes]
        speeds = summary.speeds.get(lane, [])
        mean = f"{sum(speeds) / len(speeds):.1f}" if speeds else "-"
        table.add_row(str(lane), summary.names[lane], *map(str, counts), str(sum(counts)), mean)
    console.print(table)
    if not summary.counts:
        console.print("no vehicle crossed a snapshot line")
    _print_events(summary)


def _print_events(summary: Any) -> None:
    from traffic.events.kinds import KIND_TEXTS

    if not summary.events:
        console.print("no event")
        return
    table = Table("code", "event", "from s", "to s", "lane", "region", "confidence", "detail", "clip", title="events")
    for event in sorted(summary.events.values(), key=lambda event: event.raised_s):
        until = "-" if event.closed_s is None else f"{event.closed_s:.1f}"
        name = f"{event.kind.name.lower()} {KIND_TEXTS[event.kind]}"
        where = (str(event.road_num or "-"), str(event.region_code or "-"))
        clip = "yes" if event.clip else "-"
        table.add_row(
            str(int(event.kind)), name, f"{event.raised_s:.1f}", until, *where, f"{event.confidence:.2f}", event.detail, clip
        )
    console.print(table)
