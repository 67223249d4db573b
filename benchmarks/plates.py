"""Accuracy and speed of the plate reader on labelled pictures: ``python -m benchmarks.plates DIR [--sheet OUT.png] [--speed]``.

DIR is a folder of one of these forms, or a folder of such folders:

- crops: every picture shows one plate and is named by its text (``皖A12345.jpg``), at most 400 pixels wide;
- scenes with ``ground_truth.csv`` (columns image, plate_color, text, cx, cy, w, h, rotation_deg: the plate by its centre);
- CCPD scenes: the fifth field of the name codes the text;
- other scenes, listed one by one; a name that is a plate's text counts as the label.
"""

import argparse
import csv
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.plates_sheet import contact_sheet
from cluster.settings import Settings
from models.handles import PlateRead
from models.plates.geometry import rectified
from models.plates.grammar import BLACK, BLUE, CHINA, GREEN_LARGE, GREEN_SMALL, WHITE, YELLOW
from models.plates.reader import SCENE_PX, PlateReader
from models.plates.systems import find_system, load_plate_reader
from models.store import WeightsStore

Image = NDArray[np.uint8]
_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp"}
_COLORS = {"蓝牌": {BLUE}, "黄牌": {YELLOW}, "白牌": {WHITE}, "黑牌": {BLACK}, "绿牌": {GREEN_SMALL, GREEN_LARGE}}
# CCPD's own tables (github.com/detectRecog/CCPD).
_CCPD_PROVINCES = "皖沪津渝冀晋蒙辽吉黑苏浙京闽赣鲁豫鄂湘粤桂琼川贵云藏陕甘青宁新警学O"
_CCPD_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZO"
_CCPD_SIGNS = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789O"
# Labels of the shared data that are wrong by the picture: (picture, label) → what is to be seen there.
WRONG_LABELS = {
    ("湘GR0L16.jpg", "湘GR0L16"): ("浙GR0L16", {BLUE}),
    ("粤OA9112.jpg", "粤0A9112"): ("粤OA9112", {BLUE}),
    ("辽C33333.jpg", "辽C33333"): ("辽C33333", {BLACK}),
    ("皖A85501.jpg", "皖A3997学"): ("皖A3997学", {YELLOW}),
}


@dataclass(frozen=True, kw_only=True)
class Label:
    """A plate that is there. ``centre`` None: anywhere in the picture. ``colors``: codes that are right; empty: not known."""

    text: str
    colors: frozenset[int] = frozenset()
    centre: tuple[float, float] | None = None
    width: float = 0.0


@dataclass(kw_only=True)
class Score:
    """Counts of one folder."""

    plates: int = 0
    found: int = 0
    exact: int = 0
    exact_corrected: int = 0
    colored: int = 0
    color_right: int = 0
    color_corrected: int = 0
    long_plates: int = 0
    long_exact: int = 0
    false: int = 0
    pictures: int = 0
    seconds: float = 0.0
    sheet: list[tuple[Image, str]] = field(default_factory=list)
    confidences: list[tuple[float, bool]] = field(default_factory=list)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sheet", type=Path, help="contact sheet (PNG) of everything misread")
    parser.add_argument("--speed", action="store_true", help="latency and throughput, one thread")
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--system", default="cn")
    options = parser.parse_args()
    store = WeightsStore(Settings().models_dir)
    reader = load_plate_reader(find_system(options.system), store, engine=options.engine, device="cpu", threads=1)
    sheet: list[tuple[Image, str]] = []
    for folder in _folders(options.folder):
        score = Score()
        name, run = _form(folder)
        print(f"\n== {folder.name}: {name}")
        run(reader, folder, score)
        _report(score)
        sheet += score.sheet
    if options.sheet:
        contact_sheet(sheet, options.sheet)
        print(f"\n{len(sheet)} pictures on {options.sheet}")
    if options.speed:
        _speed(reader, options.folder)


def _pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)


def _folders(root: Path) -> Iterator[Path]:
    if not root.is_dir():
        sys.exit(f"{root} is no folder")
    if _pictures(root):
        yield root
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        yield from _folders(folder)


def _form(folder: Path) -> tuple[str, Callable[[PlateReader, Path, Score], None]]:
    if (folder / "ground_truth.csv").is_file():
        return "scenes with ground_truth.csv", _labelled_scenes
    pictures = _pictures(folder)
    if sum(_ccpd_text(path) is not None for path in pictures) * 2 > len(pictures):
        return "CCPD scenes", _single_scenes
    named = [path for path in pictures if CHINA.forms_of(_name_text(path))]
    if len(named) * 2 > len(pictures) and all(_read(path).shape[1] <= 400 for path in named[:20]):
        return "crops named by their text", _crops
    return "scenes, one by one", _single_scenes


def _read(path: Path) -> Image:
    picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)  # imread cannot open every name everywhere
    if picture is None:
        sys.exit(f"{path} is no picture")
    return np.ascontiguousarray(picture[..., ::-1])


def _name_text(path: Path) -> str:
    return re.split(r"[_\-. (]", path.stem)[0]


def _ccpd_text(path: Path) -> str | None:
    parts = path.stem.split("-")
    if len(parts) < 6 or not re.fullmatch(r"\d+(_\d+){6,7}", parts[4]):
        return None
    codes = [int(code) for code in parts[4].split("_")]
    try:
        return _CCPD_PROVINCES[codes[0]] + _CCPD_LETTERS[codes[1]] + "".join(_CCPD_SIGNS[code] for code in codes[2:])
    except IndexError:
        return None


def _crops(reader: PlateReader, folder: Path, score: Score) -> None:
    for path in _pictures(folder):
        picture = _read(path)
        begin = time.perf_counter()
        read = reader.read_plates([picture])[0]
        score.seconds += time.perf_counter() - begin
        score.pictures += 1
        _count(score, path, Label(text=_name_text(path)), read, picture)


def _labelled_scenes(reader: PlateReader, folder: Path, score: Score) -> None:
    labels: dict[str, list[Label]] = {path.name: [] for path in _pictures(folder)}
    with (folder / "ground_truth.csv").open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            labels.setdefault(row["image"], []).append(
                Label(
                    text=row["text"],
                    colors=frozenset(_COLORS.get(row.get("plate_color", ""), set())),
                    centre=(float(row["cx"]), float(row["cy"])),
                    width=max(float(row["w"]), float(row["h"])),
                )
            )
    for name, plates in labels.items():
        _scene(reader, folder / name, plates, score)


def _single_scenes(reader: PlateReader, folder: Path, score: Score) -> None:
    for path in _pictures(folder):
        text = _ccpd_text(path) or (_name_text(path) if CHINA.forms_of(_name_text(path)) else "")
        reads = _scene(reader, path, [Label(text=text)] if text else [], score, one_by_one=True)
        shown = ", ".join(f"{r.text} colour {r.color} confidence {r.confidence:.2f} score {r.score:.2f}" for r in reads)
        verdict = ("right" if any(r.text == text for r in reads) else f"WRONG, is {text}") if text else "no label"
        print(f"   {path.name[:60]}: {shown or 'nothing found'} [{verdict}]")


def _scene(
    reader: PlateReader, path: Path, labels: Sequence[Label], score: Score, *, one_by_one: bool = False
) -> tuple[PlateRead, ...]:
    picture = _read(path)
    begin = time.perf_counter()
    reads = reader.read([picture], SCENE_PX)[0]
    score.seconds += time.perf_counter() - begin
    score.pictures += 1
    free = list(reads)
    for label in labels:
        near = [read for read in free if _is_at(read, label)]
        right = [read for read in near if read.text == label.text]
        read = (right or near or [None])[0]
        if read is not None:
            free.remove(read)
        _count(score, path, label, read, picture)
    if not one_by_one:
        score.false += len(free)
        for read in free:
            print(f"   false: {path.name} {read.text} confidence {read.confidence:.2f} score {read.score:.2f}")
            score.sheet.append((rectified(picture, read.corners), f"{path.stem} false {read.text} {read.confidence:.2f}"))
    return reads


def _is_at(read: PlateRead, label: Label) -> bool:
    if label.centre is None:
        return True
    distance = np.hypot(*(read.corners.mean(axis=0) - label.centre))
    return bool(distance < 0.5 * max(label.width, 1.0))


def _count(score: Score, path: Path, label: Label, read: PlateRead | None, picture: Image) -> None:
    text, colors = WRONG_LABELS.get((path.name, label.text), (label.text, label.colors))
    score.plates += 1
    score.found += read is not None
    exact, corrected = read is not None and read.text == label.text, read is not None and read.text == text
    score.exact += exact
    score.exact_corrected += corrected
    if len(label.text) == 8:
        score.long_plates += 1
        score.long_exact += exact
    if label.colors and read is not None:
        score.colored += 1
        score.color_right += read.color in label.colors
        score.color_corrected += read.color in colors
        if read.color not in label.colors:
            print(f"   colour: {path.name} {label.text} read as {read.color}, label {sorted(label.colors)}")
    if read is not None:
        score.confidences.append((read.confidence, corrected))
    if not exact:
        found = f"{read.text} confidence {read.confidence:.2f} colour {read.color}" if read else "not found"
        print(f"   misread: {path.name} {label.text} → {found}" + (f" (label wrong, is {text})" if text != label.text else ""))
        flat = rectified(picture, read.corners) if read is not None and label.centre is not None else _around(picture, label)
        score.sheet.append((flat, f"{label.text} → {read.text if read else '-'}"))


def _around(picture: Image, label: Label) -> Image:
    if label.centre is None:
        return picture
    x, y, half = *label.centre, label.width * 0.7
    left, top = max(0, int(x - half)), max(0, int(y - half / 2))
    return picture[top : max(top + 8, int(y + half / 2)), left : max(left + 8, int(x + half))]


def _report(score: Score) -> None:
    def share(part: int, whole: int) -> str:
        return f"{part}/{whole} = {100 * part / max(whole, 1):.1f} %"

    if score.plates:
        print(f"   found {share(score.found, score.plates)}; read exactly {share(score.exact, score.plates)}", end="")
        print(f", wrong labels put right {share(score.exact_corrected, score.plates)}")
    if score.colored:
        print(f"   colour {share(score.color_right, score.colored)}, wrong labels put right", end=" ")
        print(share(score.color_corrected, score.colored))
    if score.long_plates:
        print(f"   8-character plates {share(score.long_exact, score.long_plates)}")
    print(f"   false plates {score.false} in {score.pictures} pictures = {score.false / max(score.pictures, 1):.3f} per picture")
    print(f"   {1000 * score.seconds / max(score.pictures, 1):.1f} ms per picture")
    for limit in (0.3, 0.5, 0.7, 0.9):
        above = [right for confidence, right in score.confidences if confidence >= limit]
        if above:
            print(f"   confidence ≥ {limit}: {len(above)} plates, {100 * sum(above) / len(above):.1f} % right")


def _speed(reader: PlateReader, root: Path) -> None:
    """Latency of one picture and throughput in batches, one thread; engines warm."""
    crops = [_read(path) for folder in _folders(root) if _form(folder)[1] is _crops for path in _pictures(folder)[:64]]
    if not crops:
        return
    reader.read_plates(crops[:16])
    single = []
    for crop in crops:
        begin = time.perf_counter()
        reader.read_plates([crop])
        single.append(time.perf_counter() - begin)
    begin = time.perf_counter()
    for start in range(0, len(crops), 16):
        reader.read_plates(crops[start : start + 16])
    batched = time.perf_counter() - begin
    p50, p95 = 1000 * np.percentile(single, [50, 95])
    print(f"\nplate crops, one thread: {p50:.1f} ms p50, {p95:.1f} ms p95; in batches of 16 {len(crops) / batched:.1f} plates/s")


if __name__ == "__main__":
    main()
