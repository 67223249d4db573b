"""Reads what SUMO writes: floating car data in, the simulator's own detectors as truth."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DEFAULT_LENGTH_M = 5.0  # SUMO's own default for a passenger car


@dataclass(frozen=True, slots=True)
class Detector:
    """A loop (``e1``: ``begin_m == end_m``) or a lane area (``e2``) on a lane; metres from the lane's beginning."""

    name: str
    lane: str
    begin_m: float
    end_m: float
    gap_m: float = 10.0
    standing_s: float = 1.0
    standing_m_s: float = 1.39


@dataclass(frozen=True, slots=True)
class Vehicle:
    """One row of floating car data: front bumper ``pos_m`` from the beginning of ``lane``."""

    name: str
    kind: str
    lane: str
    pos_m: float
    speed_m_s: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """One run: ``PREFIX_fcd.xml`` and its neighbours."""

    name: str
    fcd: Path
    loops: tuple[Detector, ...]
    areas: tuple[Detector, ...]
    lane_lengths: dict[str, float]
    vehicle_lengths: dict[str, float]  # by vehicle where the instant loops tell it, else by type
    loop_truth: dict[str, list[dict[str, float]]]
    area_truth: dict[str, list[dict[str, float]]]

    def length_of(self, vehicle: Vehicle) -> float:
        """Length of a vehicle in metres."""
        return self.vehicle_lengths.get(vehicle.name, self.vehicle_lengths.get(f"type:{vehicle.kind}", DEFAULT_LENGTH_M))

    def steps(self) -> Iterator[tuple[float, list[Vehicle]]]:
        """Time and vehicles of every step."""
        for _, element in ET.iterparse(self.fcd):
            if element.tag != "timestep":
                continue
            found = [
                Vehicle(
                    name=v.get("id", ""), kind=v.get("type", ""), lane=v.get("lane", ""), pos_m=float(v.get("pos", "nan")),
                    speed_m_s=float(v.get("speed", "nan")),
                )
                for v in element.iter("vehicle")
            ]  # fmt: skip
            yield float(element.get("time", "nan")), found
            element.clear()


def scenarios(path: Path) -> list[Scenario]:
    """All runs at ``path``: a folder (every ``*_fcd.xml`` in it, in folders below too) or one such file."""
    files = [path] if path.is_file() else sorted(path.rglob("*_fcd.xml"))
    return [_scenario(file) for file in files]


def _scenario(fcd: Path) -> Scenario:
    prefix = fcd.name.removesuffix("_fcd.xml")
    lanes = _lane_lengths(_siblings(fcd, prefix, "*.net.xml"))
    loops, areas = _detectors(_siblings(fcd, prefix, "*.add.xml"), lanes)
    lengths = _type_lengths(_siblings(fcd, prefix, "*.rou.xml") + _siblings(fcd, prefix, "*.add.xml"))
    instant = fcd.with_name(f"{prefix}_instant.xml")
    if instant.exists():
        for element in ET.parse(instant).getroot():
            if element.get("length") and element.get("vehID"):
                lengths[str(element.get("vehID"))] = float(str(element.get("length")))
    return Scenario(
        name=prefix,
        fcd=fcd,
        loops=loops,
        areas=areas,
        lane_lengths=lanes,
        vehicle_lengths=lengths,
        loop_truth=_intervals(fcd.with_name(f"{prefix}_e1.xml")),
        area_truth=_intervals(fcd.with_name(f"{prefix}_e2.xml")),
    )


def _siblings(fcd: Path, prefix: str, pattern: str) -> list[Path]:
    """Files of this run; where none carries its prefix, all of the folder."""
    found = sorted(fcd.parent.glob(pattern))
    return [file for file in found if file.name.startswith(prefix)] or found


def _lane_lengths(nets: list[Path]) -> dict[str, float]:
    lengths = {}
    for net in nets:
        for _, element in ET.iterparse(net):
            if element.tag == "lane":
                lengths[element.get("id", "")] = float(element.get("length", "0"))
    return lengths


def _detectors(files: list[Path], lanes: dict[str, float]) -> tuple[tuple[Detector, ...], tuple[Detector, ...]]:
    loops, areas = [], []
    for file in files:
        for element in ET.parse(file).getroot().iter():
            name, lane = element.get("id", ""), element.get("lane", "")
            total = lanes.get(lane, 0.0)

            def place(value: str | None, total: float = total) -> float:
                number = float(value or 0)
                return number + total if number < 0 else number

            if element.tag in ("inductionLoop", "e1Detector"):
                at = place(element.get("pos"))
                loops.append(Detector(name, lane, at, at))
            elif element.tag in ("laneAreaDetector", "e2Detector"):
                begin = place(element.get("pos"))
                end = begin + float(element.get("length", "0")) if element.get("length") else place(element.get("endPos"))
                gap, standing = float(element.get("jamThreshold", "10")), float(element.get("timeThreshold", "1"))
                areas.append(Detector(name, lane, begin, end, gap, standing, float(element.get("speedThreshold", "1.39"))))
    return tuple(loops), tuple(areas)


def _type_lengths(files: list[Path]) -> dict[str, float]:
    lengths = {}
    for file in files:
        for element in ET.parse(file).getroot().iter("vType"):
            if element.get("length"):
                lengths[f"type:{element.get('id')}"] = float(str(element.get("length")))
    return lengths


def _intervals(file: Path) -> dict[str, list[dict[str, float]]]:
    rows: dict[str, list[dict[str, float]]] = {}
    if file.exists():
        for element in ET.parse(file).getroot().iter("interval"):
            values = {key: float(value) for key, value in element.attrib.items() if key != "id"}
            rows.setdefault(element.get("id", ""), []).append(values)
    return rows
