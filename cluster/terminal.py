"""What the commands of the terminal share: where they print, options that several of them take, the settings."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

console = Console()
errors = Console(stderr=True)

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
