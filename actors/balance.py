"""Which running camera goes to another machine, so that a machine that joins takes its share.

Ray decides where a camera starts and leaves it there. Moving one costs some seconds of its view and the tracks it had, so it is
done for a lasting imbalance only, one camera at a time, and never to one whose recording would begin anew.
"""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from actors.placement import Machine

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Placed:
    """A camera that runs.

    Attributes:
        machine: Ray's id of its node, "" when it has not said so.
        site: of its task, "" for any machine.
        movable: a live source without an open event; a recording would begin anew, an incident would be told twice.
    """

    machine: str
    site: str
    movable: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """A camera and the node it is to go to."""

    task_num: str
    machine: str


@dataclass(frozen=True, kw_only=True)
class BalanceConfig:
    """When cameras are moved; times in seconds.

    Attributes:
        enabled: False: a camera stays where it started.
        settle_s: a machine takes cameras of others when it has been there for so long: one that comes and goes takes none.
        period_s: between two moves at least.
        again_s: a camera is not moved again, and a machine that had no room not asked again, for so long.
        tolerance: no move for a difference of less than this share of the average.
        camera_cpus, camera_gpus: what a camera reserves; a machine takes no more of them than it could hold with nothing else.
    """

    enabled: bool = True
    settle_s: float = 60.0
    period_s: float = 5.0
    again_s: float = 600.0
    tolerance: float = 0.1
    camera_cpus: float = 0.0
    camera_gpus: float = 0.0

    def fits(self, cameras: int, machine: Machine) -> bool:
        """Whether a machine could hold so many cameras."""
        return cameras * self.camera_cpus <= machine.cpus and cameras * self.camera_gpus <= machine.gpus


def next_move(
    cameras: Mapping[str, Placed],
    machines: Sequence[Machine],
    givers: frozenset[str],
    takers: frozenset[str],
    config: BalanceConfig,
) -> Move | None:
    """The move that helps most, None when the load is even enough. Load is cameras per CPU.

    Each site is looked at by itself, as are cameras without one, which may go anywhere; a machine's load is of all its cameras.

    Args:
        cameras: by task number, in the order in which they are preferred.
        givers: task numbers that may go.
        takers: nodes that may take one.
        config: ``tolerance`` and what a camera reserves are used.
    """
    known = {machine.node_id: machine for machine in machines if machine.cpus > 0}
    count = Counter(camera.machine for camera in cameras.values() if camera.machine in known)

    def load(node: str, change: int = 0) -> float:
        return (count[node] + change) / known[node].cpus

    best: tuple[float, Move] | None = None
    for site in sorted({camera.site for camera in cameras.values()}):
        allowed = [node for node, machine in known.items() if not site or machine.site == site]
        room = [node for node in allowed if node in takers and config.fits(count[node] + 1, known[node])]
        if not room:
            continue
        to = min(room, key=load)
        # Reversed, so that of each machine's cameras the first one stays in the dict.
        going = {
            camera.machine: num
            for num, camera in reversed(list(cameras.items()))
            if num in givers and camera.site == site and camera.machine in allowed and camera.machine != to
        }
        if not going:
            continue
        origin = max(going, key=load)
        average = sum(count[node] for node in allowed) / sum(known[node].cpus for node in allowed)
        gain = load(origin) - load(to)
        if load(origin, -1) >= load(to, 1) and gain > config.tolerance * average and (best is None or gain > best[0]):
            best = (gain, Move(task_num=going[origin], machine=to))
    return best[1] if best else None


class Balance:
    """Remembers when machines came and what was moved; see ``BalanceConfig``. Not thread-safe."""

    def __init__(self, config: BalanceConfig) -> None:
        self._config = config
        self._since_s: dict[str, float] = {}  # when a node was seen first
        self._moved_s: dict[str, float] = {}  # by task number
        self._refused_s: dict[str, float] = {}  # nodes that did not take a camera
        self._under_way: Move | None = None
        self._last_s = float("-inf")

    def due(self, now_s: float) -> bool:
        """Whether it is time for another look; the machines need not be asked for before. ``now_s``: monotonic."""
        return self._config.enabled and now_s - self._last_s >= self._config.period_s

    def look(self, now_s: float, machines: Sequence[Machine], cameras: Mapping[str, Placed]) -> Move | None:
        """The next move, which the caller carries out, or None.

        Args:
            now_s: monotonic time in seconds.
            machines: of the cluster, now.
            cameras: those that run and answer, by task number.
        """
        self._last_s = now_s
        alive = {machine.node_id for machine in machines}
        self._since_s = {node: self._since_s.get(node, now_s) for node in alive}
        self._moved_s = {num: at for num, at in self._moved_s.items() if now_s - at < self._config.again_s}
        self._refused_s = {
            node: at for node, at in self._refused_s.items() if node in alive and now_s - at < self._config.again_s
        }
        self._judge_last(now_s, cameras)
        settled = {node for node, since in self._since_s.items() if now_s - since >= self._config.settle_s}
        givers = frozenset(num for num, camera in cameras.items() if camera.movable and num not in self._moved_s)
        move = next_move(cameras, machines, givers, frozenset(settled - self._refused_s.keys()), self._config)
        if move:
            self._moved_s[move.task_num] = now_s
            self._under_way = move
        return move

    def _judge_last(self, now_s: float, cameras: Mapping[str, Placed]) -> None:
        """A machine on which the camera that was sent there does not run had no room for it."""
        move, self._under_way = self._under_way, None
        if move and (move.task_num not in cameras or cameras[move.task_num].machine != move.machine):
            logger.warning("camera did not go where it was sent task=%s node=%s", move.task_num, move.machine)
            self._refused_s[move.machine] = now_s
