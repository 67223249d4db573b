"""Which networks and which grammar read the plates of a country; a user's own as a JSON file (docs/plates.md)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from models.catalogue import find
from models.errors import ModelFormatError, UnknownModelError
from models.plates.detection import PlateDetector
from models.plates.grammar import CHINA, Grammar, PlateForm
from models.plates.network import Network
from models.plates.reader import PlateReader
from models.plates.readers import ReaderInput, TextReader
from models.store import WeightsStore


@dataclass(frozen=True, kw_only=True, slots=True)
class ReaderChoice:
    """One text reader: a catalogue name, or the path of an ONNX file with its characters (one a line) beside it."""

    model: str
    shape: ReaderInput
    characters: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlateSystem:
    """Everything that reads the plates of one country."""

    grammar: Grammar
    readers: tuple[ReaderChoice, ...]
    detector: str = "clp-plate-detector"


_CLP = ReaderInput(height=32, width=96, padded_width=320, unlearned="使领学警港澳挂民航", sure_alone=0.95)
_PPOCR = ReaderInput(height=48, width=192, padded_width=192, weight=0.6)
SYSTEMS: dict[str, PlateSystem] = {
    "cn": PlateSystem(
        grammar=CHINA,
        readers=(ReaderChoice(model="clp-plate-reader", shape=_CLP), ReaderChoice(model="ppocr-v6-small", shape=_PPOCR)),
    ),
}


def catalogue_names(system: PlateSystem) -> tuple[str, ...]:
    """The catalogue entries that ``system`` needs, to be pulled."""
    names = (system.detector, *(reader.model for reader in system.readers))
    return tuple(name for name in names if not name.endswith(".onnx"))


def find_system(name: str) -> PlateSystem:
    """A system by its name or the path of its JSON file. Raises UnknownModelError, ModelFormatError."""
    if name.endswith(".json"):
        return read_system(Path(name))
    if name not in SYSTEMS:
        raise UnknownModelError(name, tuple(SYSTEMS))
    return SYSTEMS[name]


def load_plate_reader(
    system: PlateSystem, store: WeightsStore, *, engine: str = "auto", device: str = "auto", threads: int = 1
) -> PlateReader:
    """The networks of a system, ready to run.

    Args:
        store: where weights are; they are verified. engine, device, threads: see ``models.plates.network.Network``.

    Raises:
        ModelError: missing or damaged weights, no engine, files that do not fit each other.
    """

    def network(model: str, file: str, outputs: tuple[str, ...] = ()) -> Network:
        if model.endswith(".onnx"):
            return Network(Path(model), outputs, engine, device, threads)
        store.verify(model)
        return Network(store.path(find(model).name, file), outputs, engine, device, threads)

    detector = PlateDetector(network(system.detector, "detector.onnx", ("loc", "conf", "landms")))
    readers = [
        TextReader(network(choice.model, "reader.onnx"), _characters(choice, store), choice.shape, system.grammar)
        for choice in system.readers
    ]
    return PlateReader(detector, readers, system.grammar)


def _characters(choice: ReaderChoice, store: WeightsStore) -> list[str]:
    """Of classes 1, 2, …: from the list beside the network or from the network's own metadata."""
    if choice.model.endswith(".onnx"):
        listed, onnx_path = Path(choice.characters), Path(choice.model)
    else:
        listed, onnx_path = store.path(choice.model, "characters.txt"), store.path(choice.model, "reader.onnx")
    if listed.is_file():
        return listed.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    import onnx

    for item in onnx.load(str(onnx_path), load_external_data=False).metadata_props:
        if item.key == "character":
            return str(item.value).split("\n")
    raise ModelFormatError(f"{onnx_path}: neither a list of characters beside it nor one in its metadata")


def read_system(path: Path) -> PlateSystem:
    """A user's system from its JSON file. Raises ModelFormatError, which says what is wrong."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return _parse(document, path.parent)
    except FileNotFoundError as error:
        raise ModelFormatError(f"{path}: no such file") from error
    except (KeyError, TypeError, ValueError) as error:
        what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise ModelFormatError(f"{path}: {what}; see docs/plates.md") from error


def _parse(document: Mapping[str, Any], folder: Path) -> PlateSystem:
    forms = tuple(
        PlateForm(
            pattern=str(form["pattern"]),
            colors=tuple((int(code), float(prior)) for code, prior in form.get("colors", {"0": 0}).items()),
            rows=tuple(form.get("rows", (1,))),
            prior=float(form.get("prior", 0.0)),
        )
        for form in document["forms"]
    )
    signs = {str(sign): str(characters) for sign, characters in document.get("signs", {}).items()}
    alphabet = str(document["alphabet"])
    wrong = {c for form in forms for sign in form.pattern for c in signs.get(sign, sign)} - set(alphabet)
    if wrong or not forms or any(not form.pattern for form in forms):
        raise ValueError(f"forms use {''.join(sorted(wrong))!r}, not in the alphabet" if wrong else "forms must not be empty")
    grammar = Grammar(
        name=str(document["name"]),
        alphabet=alphabet,
        signs=signs,
        forms=forms,
        aliases={str(said): str(meant) for said, meant in document.get("aliases", {}).items()},
        separators=str(document.get("separators", "·•.-— ")),
    )
    detector = str(document.get("detector", "clp-plate-detector"))
    return PlateSystem(
        grammar=grammar,
        readers=tuple(_reader(item, folder) for item in document["readers"]),
        detector=str(folder / detector) if detector.endswith(".onnx") else detector,
    )


def _reader(item: Mapping[str, Any], folder: Path) -> ReaderChoice:
    known = {field.name for field in fields(ReaderInput)}
    model, characters = str(item["model"]), str(item.get("characters", ""))
    unknown = set(item) - known - {"model", "characters"}
    if unknown:
        raise ValueError(f"reader {model}: unknown {', '.join(sorted(unknown))}")
    return ReaderChoice(
        model=str(folder / model) if model.endswith(".onnx") else model,
        characters=str(folder / characters) if characters else "",
        shape=ReaderInput(**{name: value for name, value in item.items() if name in known}),
    )
