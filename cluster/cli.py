"""The command ``wayside``."""

import json
import logging
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress
from rich.table import Table

from cluster.cli_analyze import analyze
from cluster.cli_recognize import recognize
from cluster.terminal import DataDir, ModelsDir, complain, console, errors, given_settings, print_welcome, read_text

app = typer.Typer(
    name="wayside",
    help="Wayside: any road camera becomes a traffic sensor.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
ModelNames = Annotated[list[str] | None, typer.Argument(help="Names of the catalogue.", show_default=False)]
models_app = typer.Typer(help="Weights of the neural networks.", no_args_is_help=True, pretty_exceptions_enable=False)
user_app = typer.Typer(help="Accounts of the API.", no_args_is_help=True, pretty_exceptions_enable=False)
scene_app = typer.Typer(help="Scene documents.", no_args_is_help=True, pretty_exceptions_enable=False)
app.add_typer(models_app, name="models")
app.add_typer(user_app, name="user")
app.add_typer(scene_app, name="scene")


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
            complain(problem)
        sys.exit(2)
    except ValidationError as error:
        for fault in error.errors():
            complain(f"setting {'.'.join(map(str, fault['loc']))}: {fault['msg']}")
        sys.exit(2)
    except (ActorError, ModelError, TrafficError, AccountError, OSError) as error:
        complain(error)
        sys.exit(1)


@app.command()
def up(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the API.")] = None,
    data_dir: DataDir = None,
    models_dir: ModelsDir = None,
    address: Annotated[str | None, typer.Option(help="Running Ray cluster ('auto' or host:port); default: a local Ray.")] = None,
) -> None:
    """Start everything and run until Ctrl-C."""
    settings = given_settings(host=host, port=port, data_dir=data_dir, models_dir=models_dir)
    from cluster.ingress import prepare
    from cluster.up import Running, ready_weights, wait_for_signal

    if address is None:  # nobody else can be using the database of a local installation that does not run
        _repair(settings)
        ready_weights(settings)
    prepare(settings)
    running = Running(settings, address)
    try:
        print_welcome(settings)
        wait_for_signal()
    finally:
        console.print("stopping …")
        running.close()


def _repair(settings: Any) -> None:
    from api.rescue import rescue

    if told := rescue(settings.resolved_database_url):
        complain(told, "warning")


@app.command()
def repair(data_dir: DataDir = None) -> None:
    """Put a damaged SQLite database aside and begin anew with the kept copy of accounts, receivers and tasks."""
    settings = given_settings(data_dir=data_dir)
    _repair(settings)
    console.print(f"{settings.resolved_database_url.rpartition('/')[2]}: can be used")


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

    settings = given_settings(port=port, data_dir=data_dir, models_dir=models_dir)
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

    settings = given_settings(host=host, port=port, data_dir=data_dir)
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

    settings = given_settings(data_dir=data_dir)
    ray.init(address=address, namespace=settings.namespace, log_to_driver=False)
    system = actor_system(settings)
    system.stop()
    serve.delete(APP_NAME)
    system.end()
    ray.shutdown()


app.command()(analyze)
app.command()(recognize)


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
    for item in WeightsStore(given_settings(models_dir=models_dir).models_dir).list():
        size = "x".join(map(str, item.entry.input_size))
        table.add_row(item.entry.name, item.status, item.entry.licence, size, item.entry.note)
    console.print(table)


@models_app.command("pull")
def models_pull(names: ModelNames = None, models_dir: ModelsDir = None) -> None:
    """Fetch the weights of models (without a name: all that the default settings need) and check them against their SHA-256."""
    from models.catalogue import DEFAULT_MODELS
    from models.store import WeightsStore

    store = WeightsStore(given_settings(models_dir=models_dir).models_dir)
    for name in names or DEFAULT_MODELS:
        fetched = store.pull(name)
        console.print(f"{name}: {'fetched and verified' if fetched else 'already here and whole'}")


@models_app.command("verify")
def models_verify(names: ModelNames = None, models_dir: ModelsDir = None) -> None:
    """Check the weights on disk; without a name those of the default settings."""
    from models.catalogue import DEFAULT_MODELS
    from models.store import WeightsStore

    store = WeightsStore(given_settings(models_dir=models_dir).models_dir)
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
    add_user(prepare(given_settings(data_dir=data_dir)), name, password, Passwords(), role)
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

    settings = given_settings(data_dir=data_dir)
    set_password(prepare(settings), name, password, Passwords())
    if name == "admin":
        (settings.data_dir / "admin-password").unlink(missing_ok=True)
    console.print(f"password of {name} changed")


@scene_app.command("check")
def scene_check(file: Path) -> None:
    """Check a scene document; every problem is named with its place."""
    from traffic.scene.document import parse_scene, scene_warnings

    text = read_text(file)
    scene = parse_scene(text)
    for warning in scene_warnings(text):
        complain(warning, "warning")
    calibrated = f"calibrated, residual {scene.calibration.residual_m:.2f} m" if scene.calibration else "not calibrated"
    console.print(f"{file}: good; {len(scene.lanes)} lanes, {len(scene.regions)} regions, {calibrated}")


@app.callback()
def _configure(verbose: Annotated[bool, typer.Option("--verbose", help="Log more.")] = False) -> None:
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, format="%(levelname)s %(name)s %(message)s")
