"""The command ``wayside``."""

import json
import logging
import sys
import time
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

app = typer.Typer(
    name="wayside",
    help="Wayside: any road camera becomes a traffic sensor.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
models_app = typer.Typer(help="Weights of the neural networks.", no_args_is_help=True, pretty_exceptions_enable=False)
user_app = typer.Typer(help="Accounts of the API.", no_args_is_help=True, pretty_exceptions_enable=False)
scene_app = typer.Typer(help="Scene documents.", no_args_is_help=True, pretty_exceptions_enable=False)
app.add_typer(models_app, name="models")
app.add_typer(user_app, name="user")
app.add_typer(scene_app, name="scene")
console = Console()
errors = Console(stderr=True)

DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Folder of database, pictures and secrets.")]
ModelsDir = Annotated[Path | None, typer.Option("--models-dir", help="Folder of the weights.")]
ModelNames = Annotated[list[str] | None, typer.Argument(help="Names of the catalogue.", show_default=False)]
SceneFile = Annotated[Path | None, typer.Option("--scene", help="Scene document (JSON); without it lanes are learned.")]


def main() -> None:
    """Entry point: errors of ours are one clear line, not a traceback."""
    from pydantic import ValidationError

    from actors.errors import ActorError
    from api.accounts import AccountError
    from models.errors import ModelError
    from traffic.errors import SceneError, TrafficError

    try:
        app()
    except SceneError as error:
        for problem in error.problems:
            errors.print(f"[red]error[/] {problem}", highlight=False)
        sys.exit(2)
    except ValidationError as error:
        for fault in error.errors():
            errors.print(f"[red]error[/] setting {'.'.join(map(str, fault['loc']))}: {fault['msg']}", highlight=False)
        sys.exit(2)
    except (ActorError, ModelError, TrafficError, AccountError, OSError) as error:
        errors.print(f"[red]error[/] {error}", highlight=False, markup=True)
        sys.exit(1)


def _settings(**given: Any) -> Any:
    from cluster.settings import Settings

    return Settings(**{name: value for name, value in given.items() if value is not None})


@app.command()
def up(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the API.")] = None,
    data_dir: DataDir = None,
    models_dir: ModelsDir = None,
    address: Annotated[str | None, typer.Option(help="Running Ray cluster ('auto' or host:port); default: a local Ray.")] = None,
) -> None:
    """Start everything and run until Ctrl-C."""
    settings = _settings(host=host, port=port, data_dir=data_dir, models_dir=models_dir)
    from cluster.ingress import prepare
    from cluster.up import Running, ready_weights, wait_for_signal

    if address is None:  # nobody else can be using the database of a local installation that does not run
        _repair(settings)
        ready_weights(settings)
    prepare(settings)
    running = Running(settings, address)
    try:
        _print_welcome(settings)
        wait_for_signal()
    finally:
        console.print("stopping …")
        running.close()


def _repair(settings: Any) -> None:
    from api.rescue import rescue

    if told := rescue(settings.resolved_database_url):
        errors.print(f"[yellow]warning[/] {told}", highlight=False)


@app.command()
def repair(data_dir: DataDir = None) -> None:
    """Put a damaged SQLite database aside and begin anew with the kept copy of accounts, receivers and tasks."""
    settings = _settings(data_dir=data_dir)
    _repair(settings)
    console.print(f"{settings.resolved_database_url.rpartition('/')[2]}: can be used")


def _print_welcome(settings: Any) -> None:
    shown = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host
    url = f"{settings.scheme}://{shown}:{settings.port}"
    console.print(f"Wayside is up: {url}   API pages: {url}/docs")
    password = settings.data_dir / "admin-password"
    if settings.admin_password:
        console.print("login: admin, the password you gave")
    elif password.exists():
        console.print(f"login: admin / {password.read_text().strip()}   (kept in {password})", highlight=False)
    else:
        console.print("login: admin, the password you set")


@app.command()
def demo(
    port: Annotated[int | None, typer.Option(help="Port of the API.")] = None,
    data_dir: DataDir = None,
    models_dir: ModelsDir = None,
    source: Annotated[str, typer.Option(help="Camera of the demonstration.")] = "sim://approach?seed=1",
    seconds: Annotated[float, typer.Option(help="End after this time; 0: run until Ctrl-C.")] = 0.0,
) -> None:
    """Start everything with a demo camera and a demo receiver, and show what is pushed (this is `make run`)."""
    from cluster.demo import run_demo

    settings = _settings(port=port, data_dir=data_dir, models_dir=models_dir)
    run_demo(settings, source, seconds, console)


@app.command()
def status(
    live: Annotated[bool, typer.Option("--live", help="Keep it on the screen until Ctrl-C.")] = False,
    host: Annotated[str | None, typer.Option(help="Address of the API.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the API.")] = None,
    data_dir: DataDir = None,
) -> None:
    """State of components, cameras and receivers of the Wayside that runs here."""
    import contextlib

    import httpx

    from cluster.client import local_client
    from cluster.status import show_status

    settings = _settings(host=host, port=port, data_dir=data_dir)
    try:
        api = local_client(settings)
    except httpx.HTTPError as error:
        raise OSError(
            f"no Wayside answers on port {settings.port} ({type(error).__name__}); start one with 'wayside up'"
        ) from error
    with contextlib.suppress(KeyboardInterrupt):
        show_status(api, console, live)
    api.close()


@app.command()
def down(address: Annotated[str, typer.Option(help="Running Ray cluster.")] = "auto", data_dir: DataDir = None) -> None:
    """Stop Wayside on a running cluster: cameras, pushers and the Serve application."""
    import ray
    from ray import serve

    from cluster.build import APP_NAME, actor_system

    settings = _settings(data_dir=data_dir)
    ray.init(address=address, namespace=settings.namespace, log_to_driver=False)
    system = actor_system(settings)
    system.stop()
    serve.delete(APP_NAME)
    system.end()
    ray.shutdown()


@app.command()
def analyze(
    video: Annotated[str, typer.Argument(help="File, folder or sim:// address with a duration.")],
    scene: SceneFile = None,
    out: Annotated[Path | None, typer.Option(help="JSON lines of results.")] = None,
    fps: Annotated[float, typer.Option(help="Analysed frames per second; 0: every frame.")] = 0.0,
    archive: Annotated[Path | None, typer.Option(help="Folder for pictures of vehicles, pictures and clips of events.")] = None,
    still: Annotated[Path | None, typer.Option(help="Write an annotated picture (JPEG) of the last frame.")] = None,
    models_dir: ModelsDir = None,
    model: Annotated[str | None, typer.Option(help="Detector: catalogue name or ONNX file.")] = None,
    engine: Annotated[str, typer.Option(help="auto, openvino, openvino-f32, onnxruntime, torch.")] = "auto",
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
    from models.detector import Detector
    from models.handles import LocalDetectorClient
    from models.store import WeightsStore

    settings = _settings(models_dir=models_dir, detector_model=model)
    services, weather = _local_recognition(settings) if recognition else (None, None)
    options = AnalyzeOptions(
        video=video,
        scene=_read_scene(scene),
        time_zone=settings.time_zone,
        start_time_s=_start_time(start_time, settings.time_zone, start_time_s),
        analysed_fps=fps,
        archive=open_archive(str(archive)) if archive else None,
        period_s=period,
        recognition=services,
        connect_weather=weather,
        recognition_config=recognition_config(settings),
    )
    size = (settings.detector_width, settings.detector_height)
    detector = Detector(
        settings.detector_model,
        WeightsStore(settings.models_dir),
        input_size=size if all(size) else None,
        engine=engine,
        device=settings.detector_device,
        threads=settings.resolved_detector_threads,
    )
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
            summary = run(options, LocalDetectorClient(detector), write, progress, keeper if still else None)
    finally:
        if lines:
            lines.close()
    if still:
        keeper.save(still)
    _print_summary(summary, time.monotonic() - begin)


@app.command()
def recognize(
    images: Annotated[list[Path], typer.Argument(help="Pictures: JPEG, PNG, BMP, WebP, TIFF.", show_default=False)],
    draw: Annotated[Path | None, typer.Option(help="Folder for pictures with everything drawn in.")] = None,
    out: Annotated[Path | None, typer.Option(help="JSON file; without it JSON goes to the terminal.")] = None,
    models_dir: ModelsDir = None,
) -> None:
    """Find vehicles, people, plates, types, colours and the weather in still pictures."""
    from cluster.recognize import PictureError, read_picture
    from cluster.recognize import recognize as run

    networks = _local_networks(_settings(models_dir=models_dir))
    results, failed = [], 0
    for path in images:
        try:
            picture = read_picture(path)
        except PictureError as error:  # the other pictures are read all the same
            errors.print(f"[red]error[/] {error}", highlight=False)
            failed += 1
            continue
        found = {"image": str(path), **run(picture, networks)}
        results.append(found)
        if draw:
            _draw_found(draw, path, picture, found)
    text = json.dumps(results, ensure_ascii=False, indent=1)
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text + "\n", encoding="utf-8")
        console.print(f"{len(results)} pictures → {out}")
    else:
        print(text)
    if failed:
        raise typer.Exit(1)


def _draw_found(folder: Path, path: Path, picture: Any, found: dict[str, Any]) -> None:
    from PIL import Image

    from cluster.recognize import drawn

    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(drawn(picture, found)).save(folder / f"{path.stem}.found.jpg", quality=90)


def _local_networks(settings: Any) -> Any:
    """Everything that looks at pictures, in this process."""
    from cluster.recognize import Networks
    from models.attributes.clients import LocalAttributesClient, LocalWeatherClient
    from models.detector import Detector
    from models.handles import LocalDetectorClient
    from models.plates.reader import SCENE_PX
    from models.store import WeightsStore

    size = (settings.detector_width, settings.detector_height)
    detector = Detector(
        settings.detector_model,
        WeightsStore(settings.models_dir),
        input_size=size if all(size) else None,
        engine=settings.detector_engine,
        device=settings.detector_device,
    )
    reader = _local_attributes(settings) if settings.attributes else None
    return Networks(
        detector=LocalDetectorClient(detector),
        plates=_local_plates(settings, SCENE_PX) if settings.plates else None,
        attributes=LocalAttributesClient(reader) if reader else None,
        weather=LocalWeatherClient(reader) if reader else None,
    )


def _local_recognition(settings: Any) -> tuple[Any, Any]:
    """Recognition of vehicles and of the weather in this process (None: off); missing weights are said at once."""
    from actors.recognition import RecognitionServices
    from models.attributes.clients import LocalAttributesClient, LocalWeatherClient

    plates = _local_plates(settings) if settings.plates else None
    reader = _local_attributes(settings) if settings.attributes else None
    attributes = LocalAttributesClient(reader) if reader else None
    weather = LocalWeatherClient(reader) if reader else None
    services = RecognitionServices(
        connect_plates=(lambda: plates) if plates else None, connect_attributes=(lambda: attributes) if attributes else None
    )
    return services if plates or attributes else None, (lambda: weather) if weather else None


def _local_plates(settings: Any, longest_px: int = 0) -> Any:
    from models.handles import LocalPlateReaderClient
    from models.plates.systems import find_system, load_plate_reader
    from models.store import WeightsStore

    reader = load_plate_reader(
        find_system(settings.plate_system),
        WeightsStore(settings.models_dir),
        engine=settings.plate_engine,
        device=settings.plate_device,
        threads=settings.plate_threads,
    )
    return LocalPlateReaderClient(reader, longest_px or settings.plate_vehicle_px, thorough=bool(longest_px))


def _local_attributes(settings: Any) -> Any:
    from models.attributes.reader import load_attribute_reader
    from models.store import WeightsStore

    return load_attribute_reader(
        WeightsStore(settings.models_dir),
        engine=settings.attribute_engine,
        device=settings.attribute_device,
        threads=settings.attribute_threads,
        backbone=settings.attribute_backbone,
    )


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

    return parse_scene(path.read_text(encoding="utf-8")) if path else None


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


@app.command()
def receive(
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 9000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    out: Annotated[Path | None, typer.Option(help="Append every push to this JSON lines file.")] = None,
    strict: Annotated[bool, typer.Option(help="Answer 400 to a body that breaks the protocol.")] = False,
) -> None:
    """Reference receiver: validates every push against the protocol and prints it."""
    from api.receiver import Receiver
    from cluster.up import wait_for_signal

    with Receiver(host, port, on_push=print_push, strict=strict, out=out) as receiver:
        console.print(f"waiting for pushes on {receiver.url}; Ctrl-C ends")
        wait_for_signal()


def print_push(push: Any) -> None:
    """One line per push."""
    mark = "[red]INVALID[/]" if push.problems else "[green]valid[/]"
    body = push.body if isinstance(push.body, dict) else {"items": len(push.body or ())}
    brief = {name: value for name, value in body.items() if not name.startswith("imgBase64")}
    console.print(f"{mark} {push.kind} {json.dumps(brief, ensure_ascii=False)}", highlight=False, soft_wrap=True)
    for problem in push.problems:
        console.print(f"  [red]{problem}[/]", highlight=False)


@app.command()
def sim(
    out: Annotated[Path, typer.Option(help="Video to write (mp4).")],
    truth: Annotated[Path | None, typer.Option(help="Ground truth to write (JSON lines).")] = None,
    seed: Annotated[int, typer.Option(help="Seed.")] = 1,
    duration: Annotated[float, typer.Option(help="Seconds of video.")] = 60.0,
    address: Annotated[str, typer.Option(help="More settings, as a sim:// address.")] = "sim://approach",
) -> None:
    """Record the simulated camera with its ground truth."""
    from actors.simulation import parse_address, record

    joint = "&" if "?" in address else "?"
    settings = parse_address(f"{address}{joint}seed={seed}")
    with Progress(console=errors, transient=True) as bar:
        shown = bar.add_task(out.name, total=None)

        def progress(done: int, total: int) -> None:
            bar.update(shown, completed=done, total=total)

        record(settings, out, truth, duration, progress)
    console.print(f"wrote {out}" + (f" and {truth}" if truth else ""))


@app.command()
def version() -> None:
    """Print the version."""
    from api.app import product_version

    console.print(f"wayside {product_version()}")


@models_app.command("list")
def models_list(models_dir: ModelsDir = None) -> None:
    """Catalogue and what of it is here."""
    from models.store import WeightsStore

    table = Table("model", "state", "licence", "input", "note")
    for item in WeightsStore(_settings(models_dir=models_dir).models_dir).list():
        size = "x".join(map(str, item.entry.input_size))
        table.add_row(item.entry.name, item.status, item.entry.licence, size, item.entry.note)
    console.print(table)


@models_app.command("pull")
def models_pull(names: ModelNames = None, models_dir: ModelsDir = None) -> None:
    """Fetch the weights of models (without a name: all that the default settings need) and check them against their SHA-256."""
    from models.catalogue import DEFAULT_MODELS
    from models.store import WeightsStore

    store = WeightsStore(_settings(models_dir=models_dir).models_dir)
    for name in names or DEFAULT_MODELS:
        fetched = store.pull(name)
        console.print(f"{name}: {'fetched and verified' if fetched else 'already here and whole'}")


@models_app.command("verify")
def models_verify(names: ModelNames = None, models_dir: ModelsDir = None) -> None:
    """Check the weights on disk; without a name those of the default settings."""
    from models.catalogue import DEFAULT_MODELS
    from models.store import WeightsStore

    store = WeightsStore(_settings(models_dir=models_dir).models_dir)
    for name in names or DEFAULT_MODELS:
        store.verify(name)
        console.print(f"{name}: whole")


@user_app.command("add")
def user_add(
    name: str,
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)],
    role: Annotated[str, typer.Option(help="admin, operator or readonly.")] = "operator",
    data_dir: DataDir = None,
) -> None:
    """Add an account."""
    from api.accounts import add_user
    from api.security import Passwords
    from cluster.ingress import prepare

    if role not in ("admin", "operator", "readonly"):
        raise typer.BadParameter("use admin, operator or readonly", param_hint="--role")
    add_user(prepare(_settings(data_dir=data_dir)), name, password, Passwords(), role)
    console.print(f"added {name}")


@user_app.command("passwd")
def user_passwd(
    name: str,
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)],
    data_dir: DataDir = None,
) -> None:
    """Change a password; tokens given before end."""
    from api.accounts import set_password
    from api.security import Passwords
    from cluster.ingress import prepare

    settings = _settings(data_dir=data_dir)
    set_password(prepare(settings), name, password, Passwords())
    if name == "admin":
        (settings.data_dir / "admin-password").unlink(missing_ok=True)
    console.print(f"password of {name} changed")


@scene_app.command("check")
def scene_check(file: Path) -> None:
    """Check a scene document; every problem is named with its place."""
    from traffic.scene.document import parse_scene, scene_warnings

    text = file.read_text(encoding="utf-8")
    scene = parse_scene(text)
    for warning in scene_warnings(text):
        console.print(f"[yellow]warning[/] {warning}", highlight=False)
    calibrated = f"calibrated, residual {scene.calibration.residual_m:.2f} m" if scene.calibration else "not calibrated"
    console.print(f"{file}: good; {len(scene.lanes)} lanes, {len(scene.regions)} regions, {calibrated}")


@app.callback()
def _configure(verbose: Annotated[bool, typer.Option("--verbose", help="Log more.")] = False) -> None:
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, format="%(levelname)s %(name)s %(message)s")
