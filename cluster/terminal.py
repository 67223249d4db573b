"""What the commands of the terminal share: where they print, options that several of them take, the settings."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

console = Console()
errors = Console(stderr=True)


def complain(text: object, kind: str = "error") -> None:
    """One line to standard error, whatever is in it and however wide the terminal is."""
    colour = "red" if kind == "error" else "yellow"
    line = " ".join(str(text).split())
    errors.print(f"[{colour}]{kind}[/] {escape(line)}", highlight=False, soft_wrap=True)


DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Folder of database, pictures and secrets.")]
ModelsDir = Annotated[Path | None, typer.Option("--models-dir", help="Folder of the weights.")]


def given_settings(**given: Any) -> Any:
    """Settings with the options that were given; None: not given."""
    from cluster.settings import Settings

    return Settings(**{name: value for name, value in given.items() if value is not None})


def print_welcome(settings: Any) -> None:
    """Address and login."""
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


def read_text(path: Path) -> str:
    """A document. Raises OSError: it cannot be read, or is no text in UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise OSError(f"{path}: not a text in UTF-8 (byte {error.start + 1})") from error
