"""Parts of vehicles that crossed a line before the whole vehicle has: nobody is counted twice, and nobody is lost.

A cab passes the line long before the rear of its lorry does, and what looks like the lorry may be a false box that never passes
anything. So a part waits: it is dropped when what it is a part of is counted, and counted when nothing is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from traffic.passages.gates import Gates
from traffic.passages.vehicle import Crossing, Vehicle

_PATIENCE_S = 10.0  # what stands on the line so long is not looked at again: better late than wrong, but not so late
_MOST_WAITING = 32
_CHAIN = 8


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    vehicle: Vehicle
    crossing: Crossing
    hosts: tuple[Vehicle, ...]


class WaitingParts:
    """The parts that wait at the gates of one view."""

    def __init__(self, gates: Gates) -> None:
        self._gates = gates
        self._parts: list[_Part] = []

    def add(self, vehicle: Vehicle, crossing: Crossing, hosts: Sequence[Vehicle]) -> None:
        """``vehicle`` crossed and may be part of each of ``hosts``."""
        vehicle.part_of = tuple(hosts)
        self._parts.append(_Part(vehicle, crossing, tuple(hosts)))
        if len(self._parts) > _MOST_WAITING:
            self._parts.pop(0).vehicle.part_of = ()

    def resolve(self, present: Sequence[Vehicle], now_s: float, *, flush: bool) -> list[tuple[Vehicle, Crossing]]:
        """Those that count after all: nothing that they may be a part of was counted, nor will be.

        Args:
            present: every vehicle that is still followed. now_s: video time.
            flush: nothing more comes, and what has not passed yet has not passed.
        """
        if not self._parts:
            return []
        followed = {id(vehicle) for vehicle in present}
        waiting, count = [], []
        for part in self._parts:
            hosts = _whole(part.hosts)
            if now_s - part.crossing.time_s > _PATIENCE_S or any(self._counted(host, part.crossing) for host in hosts):
                part.vehicle.part_of, part.vehicle.counted_as_part = (), (part.crossing.gate,)
            elif any(id(host) in followed and self._may_cross(host, part.crossing) for host in hosts):
                if not flush:
                    waiting.append(part)
            else:
                part.vehicle.part_of = ()
                count.append((part.vehicle, part.crossing))
        self._parts = waiting
        return count

    def _counted(self, host: Vehicle, crossing: Crossing) -> bool:
        return host.pending is None and any(
            self._gates.exclusive[crossing.gate, gate] for gate in (*host.counted, *host.counted_as_part)
        )

    def _may_cross(self, host: Vehicle, crossing: Crossing) -> bool:
        if host.pending is not None or host.unproven is not None:
            return True
        armed = host.armed if len(host.armed) == len(self._gates) else ()
        return any(flag and self._gates.exclusive[crossing.gate, gate] for gate, flag in enumerate(armed))


def _whole(hosts: Sequence[Vehicle]) -> list[Vehicle]:
    """The hosts, their later selves, and what they themselves are parts of."""
    found: list[Vehicle] = []
    todo = list(hosts)
    while todo and len(found) < _CHAIN:
        host = todo.pop(0)
        if all(host is not other for other in found):
            found.append(host)
            todo += [*host.part_of, *([host.successor] if host.successor is not None else [])]
    return found
