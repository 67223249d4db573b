"""One second of one lane as sums that can be merged in any order with the same result.

All sums are integers (microseconds, millimetres…): merging is exact, so totals do not depend on how a stream was split.
"""

from dataclasses import dataclass, field, fields

from traffic.parameters.observation import Passing
from traffic.types import ObjectClass

MICRO, MILLI = 1_000_000, 1_000
_CLASSES = len(ObjectClass)
NO_COUNTS = (0,) * _CLASSES


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueState:
    """A queue at ``time_us``: vehicles, and millimetres from the stop line to its rear (-1: not measured)."""

    time_us: int
    number: int
    length_mm: int


@dataclass(frozen=True, kw_only=True, slots=True)
class LaneCell:
    """What was seen of lane ``code`` (its roadNum) in the second [second, second + 1) of video time.

    Attributes:
        observed_us: observed time. occupied_us: of it, the detection section was occupied.
        covered_us: integral of the covered share of the lane over the observed time.
        vehicle_us: integral of the number of vehicles. travelled_mm: way they made in the lane; 0 without calibration.
        counts: vehicles that passed, by value of ObjectClass.
        speeds, speed_mm_s, slowness_us_km: number of speeds, their sum, and the sum of their inverses in µs per km.
        headways, headway_us, last_headway_us; spacings, spacing_mm, last_spacing_mm: number, sum and newest (-1: none).
        last_us: time of the newest passing with a headway or spacing.
        length_mm: length of the lane; -1 without calibration.
        queue: newest state; None without a stop line. max_number, max_length_mm: largest (-1: not measured).
    """

    code: int
    second: int
    observed_us: int = 0
    occupied_us: int = 0
    covered_us: int = 0
    vehicle_us: int = 0
    travelled_mm: int = 0
    counts: tuple[int, ...] = NO_COUNTS
    speeds: int = 0
    speed_mm_s: int = 0
    slowness_us_km: int = 0
    headways: int = 0
    headway_us: int = 0
    spacings: int = 0
    spacing_mm: int = 0
    last_us: int = -1
    last_headway_us: int = -1
    last_spacing_mm: int = -1
    length_mm: int = -1
    queue: QueueState | None = None
    max_number: int = -1
    max_length_mm: int = -1

    @property
    def observed(self) -> bool:
        """Whether anything was seen of the lane."""
        return self.observed_us > 0

    def merge(self, other: "LaneCell") -> "LaneCell":
        """Both together; ``second`` becomes the earlier one. Commutative and associative."""
        sums = {name: getattr(self, name) + getattr(other, name) for name in _SUMS}
        last = max(self, other, key=_last_key)
        return LaneCell(
            code=self.code,
            second=min(self.second, other.second),
            counts=tuple(a + b for a, b in zip(self.counts, other.counts, strict=True)),
            last_us=last.last_us,
            last_headway_us=last.last_headway_us,
            last_spacing_mm=last.last_spacing_mm,
            length_mm=max(self.length_mm, other.length_mm),
            queue=_newer(self.queue, other.queue),
            max_number=max(self.max_number, other.max_number),
            max_length_mm=max(self.max_length_mm, other.max_length_mm),
            **sums,
        )

    def to_list(self) -> list[object]:
        """Plain values in the order of the fields, for snapshots."""
        values: list[object] = [getattr(self, name) for name in fields_index]
        counts, queue = fields_index["counts"], fields_index["queue"]
        values[counts] = list(self.counts)
        values[queue] = [self.queue.time_us, self.queue.number, self.queue.length_mm] if self.queue else None
        return values

    @staticmethod
    def from_list(values: list[object]) -> "LaneCell":
        """The inverse of ``to_list``."""
        named: dict[str, object] = dict(zip(fields_index, values, strict=True))
        counts, queue = named["counts"], named["queue"]
        assert isinstance(counts, list)
        named["counts"] = tuple(counts)
        if isinstance(queue, list):
            named["queue"] = QueueState(time_us=queue[0], number=queue[1], length_mm=queue[2])
        return LaneCell(**named)  # type: ignore[arg-type]


fields_index = {f.name: index for index, f in enumerate(fields(LaneCell))}
_SUMS = (
    "observed_us", "occupied_us", "covered_us", "vehicle_us", "travelled_mm", "speeds", "speed_mm_s", "slowness_us_km",
    "headways", "headway_us", "spacings", "spacing_mm",
)  # fmt: skip


def _last_key(cell: LaneCell) -> tuple[int, int, int]:
    return cell.last_us, cell.last_headway_us, cell.last_spacing_mm


def _newer(a: QueueState | None, b: QueueState | None) -> QueueState | None:
    if a is None or b is None:
        return a or b
    return max(a, b, key=lambda q: (q.time_us, q.number, q.length_mm))


@dataclass(slots=True)
class CellBuilder:
    """A cell while its second runs."""

    code: int
    second: int
    observed_s: float = 0.0
    occupied_s: float = 0.0
    covered_s: float = 0.0
    vehicle_s: float = 0.0
    travelled_m: float = 0.0
    length_mm: int = -1
    queue: QueueState | None = None
    max_number: int = -1
    max_length_mm: int = -1
    passings: list[Passing] = field(default_factory=list)

    def see_queue(self, time_s: float, number: int, length_m: float | None) -> None:
        """The queue at a moment of this second; later calls have later times."""
        length_mm = -1 if length_m is None else round(length_m * MILLI)
        self.queue = QueueState(time_us=round(time_s * MICRO), number=number, length_mm=length_mm)
        self.max_number = max(self.max_number, number)
        self.max_length_mm = max(self.max_length_mm, length_mm)

    def build(self) -> LaneCell:
        """The finished cell."""
        counts = [0] * _CLASSES
        for passing in self.passings:
            counts[passing.object_class] += 1
        speeds = [p.speed_kmh / 3.6 for p in self.passings if p.speed_kmh is not None and p.speed_kmh > 0]
        headways = [p.time_headway_s for p in self.passings if p.time_headway_s is not None]
        spacings = [p.spacing_m for p in self.passings if p.spacing_m is not None]
        followers = [p for p in self.passings if p.time_headway_s is not None or p.spacing_m is not None]
        last = max(followers, key=lambda p: p.time_s, default=None)
        return LaneCell(
            code=self.code,
            second=self.second,
            observed_us=round(self.observed_s * MICRO),
            occupied_us=round(min(self.occupied_s, self.observed_s) * MICRO),
            covered_us=round(min(self.covered_s, self.observed_s) * MICRO),
            vehicle_us=round(self.vehicle_s * MICRO),
            travelled_mm=round(self.travelled_m * MILLI),
            counts=tuple(counts),
            speeds=len(speeds),
            speed_mm_s=round(sum(speeds) * MILLI),
            slowness_us_km=round(sum(1 / speed for speed in speeds) * 1000 * MICRO),
            headways=len(headways),
            headway_us=round(sum(headways) * MICRO),
            spacings=len(spacings),
            spacing_mm=round(sum(spacings) * MILLI),
            last_us=-1 if last is None else round(last.time_s * MICRO),
            last_headway_us=-1 if last is None or last.time_headway_s is None else round(last.time_headway_s * MICRO),
            last_spacing_mm=-1 if last is None or last.spacing_m is None else round(last.spacing_m * MILLI),
            length_mm=self.length_mm,
            queue=self.queue,
            max_number=self.max_number,
            max_length_mm=self.max_length_mm,
        )
