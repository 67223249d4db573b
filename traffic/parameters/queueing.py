"""The queue before a stop line."""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field

from traffic.parameters.config import ParameterConfig
from traffic.parameters.observation import LaneShape, LaneVehicle
from traffic.parameters.succession import Succession
from traffic.types import TrackId


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue at one moment.

    Attributes:
        number: vehicles in it.
        length: from the stop line to the rear of the last one, in places (metres in a metric lane); 0 without a queue.
        head: from the stop line to the front of the first one; above the usual distance while the queue starts to move.
    """

    number: int = 0
    length: float = 0.0
    head: float = 0.0


EMPTY = Queue()
_SCALE_STEP = 1.4
SPEED_MEMORY_S = 0.8  # speeds are taken from the places of so long
Seen = tuple[LaneVehicle, float | None]


@dataclass(slots=True)
class _Chain:
    """Standing vehicles from the stop line on. ``moving``: some drive off ahead of them; ``bridged``: and join them to it."""

    vehicles: list[LaneVehicle] = field(default_factory=list)
    moving: bool = False
    bridged: bool = False


class QueueTracker:
    """Who stands in the queue of one lane.

    A vehicle joins when it has stood (slower than ``queue_speed_kmh``) for ``queue_settle_s`` and there is no gap between it
    and the stop line or the last queued vehicle ahead. It leaves when it has been faster for ``queue_release_s``, when its
    rear is beyond the stop line, or when the queue ahead of it is gone for longer than a start-up wave takes: then a gap
    separates it from the stop line, and it is a stopped vehicle, not a queue. Vehicles that drive off one behind the other keep
    those who still stand behind them joined to the stop line: the start-up wave has not reached them yet. A gap that the vehicles
    themselves hide from the camera does not end a queue unless it is very long.

    Faint vehicles are counted only behind others, so that a mark on the road makes no queue. A vehicle that gets a new number, or
    is only now seen well enough to be followed, has stood as long as the one in its place.
    """

    def __init__(self, lane: LaneShape, config: ParameterConfig) -> None:
        self._lane, self._config = lane, config
        self._slow_since: dict[TrackId, float] = {}
        self._fast_since: dict[TrackId, float] = {}
        self._members: frozenset[TrackId] = frozenset()
        self._followed: frozenset[TrackId] = frozenset()  # the members that are not faint
        self._succession = Succession()
        self._jumped: dict[TrackId, float] = {}  # whose speed is the way from one vehicle to another
        self._released_s = float("-inf")

    def reset(self) -> None:
        """Nobody looked for a while: who stands now has stood for an unknown time."""
        self._slow_since.clear()
        self._fast_since.clear()
        self._members = self._followed = frozenset()
        self._succession.reset()
        self._jumped.clear()
        self._released_s = float("-inf")

    def advance(self, time_s: float, vehicles: Iterable[Seen]) -> Queue:
        """The queue at ``time_s``.

        Args:
            vehicles: the lane's vehicles with their speeds in (nominal) km/h, None while not known.
        """
        stop = self._lane.stop
        if stop is None:
            return EMPTY
        known = list(vehicles)
        present = [vehicle for vehicle, _ in known]
        self._take_over(time_s, present)
        known = [(vehicle, None if vehicle.track_id in self._jumped else speed_kmh) for vehicle, speed_kmh in known]
        standing = self._standing(time_s, known)
        chain = self._chain(stop, known, standing, time_s - self._released_s <= self._config.queue_discharge_s)
        if chain.bridged:
            self._released_s = time_s  # the queue is driving off, whether or not its head was seen standing
        self._members = frozenset(vehicle.track_id for vehicle in chain.vehicles)
        self._followed = frozenset(vehicle.track_id for vehicle in chain.vehicles if not vehicle.faint)
        self._succession.keep(time_s, present, self._slow_since, self._members)
        if not chain.vehicles:
            return EMPTY
        rear = min(vehicle.rear for vehicle in chain.vehicles)
        return Queue(number=len(chain.vehicles), length=stop - rear, head=max(stop - chain.vehicles[0].front, 0.0))

    def _chain(self, stop: float, vehicles: Sequence[Seen], standing: Set[TrackId], discharging: bool) -> "_Chain":
        """From the stop line upstream: those who stand, joined to it by each other and by those who drive off ahead of them."""
        config, chain = self._config, _Chain()
        anchor, anchor_m_s, nominal, seen_from = stop, 0.0, 0.0, stop
        for vehicle, speed_kmh in sorted(vehicles, key=lambda seen: -seen[0].front):
            if vehicle.rear >= stop or (vehicle.faint and not (chain.vehicles or chain.moving)):
                continue
            stands = vehicle.track_id in standing
            moving_kmh = 0.0 if stands or speed_kmh is None else speed_kmh
            allowed = (config.queue_gap_m if nominal else config.queue_start_m) + config.queue_bridge_s * anchor_m_s
            # A van taken for a lorry doubles the metres of its place: neighbours' scales differ by perspective only.
            nominal = min(max(vehicle.nominal, nominal / _SCALE_STEP), nominal * _SCALE_STEP or vehicle.nominal)
            gap_m, seen_m = (anchor - vehicle.front) * nominal, (seen_from - vehicle.covered[1]) * nominal
            # Who drives off or comes up behind others hides the road as well: what cannot be seen ends no queue.
            unseen = seen_from < stop and seen_m <= config.queue_seen_gap_m and gap_m <= config.queue_hidden_gap_m
            contiguous = gap_m <= allowed or unseen
            if stands:
                head_start = not chain.vehicles and discharging and vehicle.track_id in self._members
                if not contiguous and not head_start:
                    if chain.vehicles or not discharging:
                        break
                    continue
                chain.vehicles.append(vehicle)
                chain.bridged |= chain.moving
            elif not contiguous or moving_kmh > config.queue_bridge_kmh:
                if chain.vehicles or not discharging:
                    break
                continue
            else:
                chain.moving |= not chain.vehicles
            anchor, anchor_m_s = min(anchor, vehicle.rear), moving_kmh / 3.6
            seen_from = min(seen_from, vehicle.covered[0])
        return chain

    def _take_over(self, time_s: float, vehicles: Sequence[LaneVehicle]) -> None:
        """New numbers of vehicles that stood there before."""
        found, jumped = self._succession.take(time_s, vehicles)
        self._jumped = {n: since_s for n, since_s in self._jumped.items() if time_s - since_s < SPEED_MEMORY_S}
        for track_id in jumped:
            self._slow_since.pop(track_id, None)
            self._fast_since.pop(track_id, None)
            self._jumped[track_id] = time_s
        self._members -= jumped
        self._followed -= jumped
        for track_id, former in found.items():
            self._slow_since[track_id] = former.slow_since_s
            if former.member:
                self._members = self._members - {former.track_id} | {track_id}
                self._followed -= {former.track_id}

    def _standing(self, time_s: float, vehicles: Sequence[Seen]) -> Set[TrackId]:
        """Members that are not released yet, and others that have stood long enough; updates the memory of speeds."""
        config = self._config
        standing: set[TrackId] = set()
        seen: set[TrackId] = set()
        for vehicle, speed_kmh in vehicles:
            track_id = vehicle.track_id
            seen.add(track_id)
            if speed_kmh is None:
                if track_id in self._members:
                    standing.add(track_id)
                continue
            if speed_kmh < config.queue_speed_kmh:
                self._slow_since.setdefault(track_id, time_s)
                self._fast_since.pop(track_id, None)
            else:
                self._fast_since.setdefault(track_id, time_s)
                self._slow_since.pop(track_id, None)
            if track_id in self._members:
                if track_id in self._fast_since and time_s - self._fast_since[track_id] >= config.queue_release_s:
                    self._released_s = time_s
                else:
                    standing.add(track_id)
            elif track_id in self._slow_since and time_s - self._slow_since[track_id] >= config.queue_settle_s:
                standing.add(track_id)
        if self._followed - seen:
            self._released_s = time_s  # it has left the lane
        self._slow_since = {t: s for t, s in self._slow_since.items() if t in seen}
        self._fast_since = {t: s for t, s in self._fast_since.items() if t in seen}
        return standing
