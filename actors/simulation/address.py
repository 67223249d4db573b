"""Addresses of the simulated camera: ``sim://approach?seed=1&flow=1800&light=night&incident=stopped_vehicle:at=20:for=40:lane=2``."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from actors.errors import SourceError

SCENES = ("approach",)
LIGHTS = ("day", "dusk", "night")
WEATHERS = ("clear", "rain", "fog", "snow")
INCIDENT_KINDS = (
    "stopped_vehicle",
    "wrong_way",
    "illegal_parking",
    "pedestrian",
    "debris",
    "congestion",
    "slow_vehicle",
    "speeding",
    "crowd",
    "sudden_deceleration",
    "restricted_area",
    "illegal_lane_change",
    "no_helmet",
    "accident",
    "road_works",
    "mudslide",
    "leaving_road",
    "junction_overflow",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Incident:
    """A staged event.

    Attributes:
        kind: one of ``INCIDENT_KINDS``.
        at_s: earliest second of its beginning, counted from the first frame.
        for_s: how long what stands, lies or waits does so, seconds (a vehicle that only passes ignores it).
        lane: roadNum of an approach lane.
    """

    kind: str
    at_s: float = 10.0
    for_s: float = 30.0
    lane: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulationSettings:
    """Everything that decides the pictures of a simulated camera; equal settings give equal frames, bit for bit.

    Attributes:
        scene: name of the scene.
        seed: of traffic, people, noise and looks.
        width, height: of the frames, pixels (even).
        fps: frames per second of simulated time.
        duration_s: length of the film; 0: endless.
        height_m: height of the camera above the road.
        pitch_deg: downward tilt of the optical axis.
        focal: focal length divided by the frame's width.
        lanes: approach lanes (traffic moving away from the camera towards the signal).
        opposing: oncoming lanes.
        flow: vehicles per hour, all approach lanes together.
        opposing_flow: vehicles per hour, all oncoming lanes together.
        two_wheelers: two-wheelers per hour on their own lane.
        pedestrians: people per hour who use the crossing.
        speed_kmh: desired speed of the drivers, mean.
        light, weather: see ``LIGHTS``, ``WEATHERS``.
        shake: amplitude of the camera's sway in pixels at a width of 1280.
        noise: standard deviation of the sensor noise in grey levels.
        cycle_s, green_s: signal cycle and green of the approach.
        warmup_s: simulated seconds before the first frame.
        incidents: staged events.
    """

    scene: str = "approach"
    seed: int = 1
    width: int = 1920
    height: int = 1080
    fps: float = 25.0
    duration_s: float = 0.0
    height_m: float = 7.0
    pitch_deg: float = 19.5
    focal: float = 1.0
    lanes: int = 3
    opposing: int = 1
    flow: float = 1500.0
    opposing_flow: float = 500.0
    two_wheelers: float = 240.0
    pedestrians: float = 400.0
    speed_kmh: float = 50.0
    light: str = "day"
    weather: str = "clear"
    shake: float = 0.0
    noise: float = 2.5
    cycle_s: float = 60.0
    green_s: float = 30.0
    warmup_s: float = 45.0
    incidents: tuple[Incident, ...] = ()

    def __post_init__(self) -> None:
        """Raises ``SourceError`` naming the first parameter outside its range."""
        for name, (low, high, integral) in _RANGES.items():
            value = getattr(self, name)
            kind_ok = isinstance(value, int) if integral else isinstance(value, int | float)
            if not kind_ok or isinstance(value, bool) or not low <= value <= high:
                kind = "an integer" if integral else "a number"
                raise _error(name, f"{kind} from {low:g} to {high:g}", value)
        for name, allowed in (("scene", SCENES), ("light", LIGHTS), ("weather", WEATHERS)):
            if getattr(self, name) not in allowed:
                raise _error(name, "one of " + ", ".join(allowed), getattr(self, name))
        if self.width % 2 or self.height % 2:
            raise _error("width and height", "even", f"{self.width}x{self.height}")
        if self.green_s > self.cycle_s - 15:
            raise _error("green_s", "at most cycle_s - 15", self.green_s)
        for incident in self.incidents:
            if incident.kind not in INCIDENT_KINDS:
                raise _error("incident", "one of " + ", ".join(INCIDENT_KINDS), incident.kind)
            if not 1 <= incident.lane <= self.lanes:
                raise _error("incident lane", f"an approach lane from 1 to {self.lanes}", incident.lane)
            if incident.kind in ("illegal_lane_change", "accident") and self.lanes < 2:
                raise _error(f"incident {incident.kind}", "given with lanes of at least 2", f"lanes={self.lanes}")
            if not (0 <= incident.at_s <= 1e6 and 1 <= incident.for_s <= 1e6):
                raise _error("incident", "at >= 0 and for >= 1 seconds", f"at={incident.at_s:g}, for={incident.for_s:g}")

    @property
    def frame_count(self) -> int | None:
        """Number of frames of the film; None when endless."""
        return None if self.duration_s == 0 else max(1, round(self.duration_s * self.fps))


_RANGES: dict[str, tuple[float, float, bool]] = {
    "seed": (0, 2**31 - 1, True),
    "width": (320, 3840, True),
    "height": (180, 2160, True),
    "fps": (1, 60, False),
    "duration_s": (0, 1e6, False),
    "height_m": (4, 30, False),
    "pitch_deg": (8, 60, False),
    "focal": (0.5, 5, False),
    "lanes": (1, 4, True),
    "opposing": (0, 3, True),
    "flow": (0, 8000, False),
    "opposing_flow": (0, 6000, False),
    "two_wheelers": (0, 2000, False),
    "pedestrians": (0, 4000, False),
    "speed_kmh": (10, 90, False),
    "shake": (0, 20, False),
    "noise": (0, 20, False),
    "cycle_s": (30, 240, False),
    "green_s": (8, 225, False),
    "warmup_s": (0, 600, False),
}


def _error(name: str, allowed: str, got: object) -> SourceError:
    return SourceError(f"sim:// parameter {name}: must be {allowed}, got {got!r}", permanent=True)


def _number(name: str, text: str, kind: Callable[[str], Any]) -> Any:
    try:
        return kind(text)
    except ValueError:
        raise _error(name, "an integer" if kind is int else "a number", text) from None


def _incident(text: str) -> Incident:
    kind, *parts = text.split(":")
    values: dict[str, Any] = {}
    names = {"at": ("at_s", float), "for": ("for_s", float), "lane": ("lane", int)}
    for part in parts:
        key, sign, value = part.partition("=")
        if key not in names or not sign:
            raise _error("incident", "kind[:at=SECONDS][:for=SECONDS][:lane=NUMBER]", text)
        field_name, number = names[key]
        values[field_name] = _number(f"incident {key}", value, number)
    return Incident(kind=kind, **values)


def parse_address(address: str) -> SimulationSettings:
    """Settings of a ``sim://`` address.

    Raises:
        SourceError: (permanent) not a ``sim://`` address, or a parameter is unknown, repeated or out of range.
    """
    parts = urlsplit(address)
    if parts.scheme != "sim":
        raise SourceError(f"not a sim:// address: {address!r}", permanent=True)
    known = {f.name: f.type for f in fields(SimulationSettings) if f.name not in ("scene", "incidents")}
    values: dict[str, Any] = {"scene": parts.netloc or "approach"}
    incidents: list[Incident] = []
    for name, text in parse_qsl(parts.query, keep_blank_values=True):
        if name == "incident":
            incidents.append(_incident(text))
        elif name not in known:
            raise SourceError(f"sim:// parameter {name}: unknown; allowed are {', '.join(known)}, incident", permanent=True)
        elif name in values:
            raise SourceError(f"sim:// parameter {name}: given twice", permanent=True)
        else:
            values[name] = text if name in ("light", "weather") else _number(name, text, known[name])  # type: ignore[arg-type]
    return SimulationSettings(**values, incidents=tuple(incidents))
