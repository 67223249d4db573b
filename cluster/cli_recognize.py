"""The command ``wayside recognize``: pictures in, JSON and drawn pictures out, around cluster.recognize."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from cluster.terminal import ModelsDir, complain, console, given_settings


def recognize(
    images: Annotated[list[Path], typer.Argument(help="Pictures: JPEG, PNG, BMP, WebP, TIFF.", show_default=False)],
    draw: Annotated[Path | None, typer.Option(help="Folder for pictures with everything drawn in.")] = None,
    out: Annotated[Path | None, typer.Option(help="JSON file; without it JSON goes to the terminal.")] = None,
    models_dir: ModelsDir = None,
) -> None:
    """Find vehicles, people, plates, types, colours and the weather in still pictures."""
    from cluster.local_networks import local_networks
    from cluster.recognize import PictureError, read_picture
    from cluster.recognize import recognize as run

    networks = local_networks(given_settings(models_dir=models_dir))
    results, failed = [], 0
    for path in images:
        try:
            picture = read_picture(path)
        except PictureError as error:  # the other pictures are read all the same
            complain(error)
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
