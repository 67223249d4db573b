"""Whether the replicas of a new version start beside the old ones or after them.

Serve stops an old replica before it starts its successor unless it is given a surge. With one detector replica that is a gap as
long as a network's start; with a surge for which the cluster has no room the new version would wait for ever. So the room is
looked at when the application is built.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """One replica's reservation: CPUs and GPUs, 0 or more."""

    cpus: float
    gpus: float


def surge_percent(replicas: int) -> int:
    """Serve's ``max_surge_percent`` for one replica more than ``replicas`` (1 or more): Serve rounds up to whole ones."""
    return max(1, 100 // replicas)


def has_room(free: Iterable[Mapping[str, float]], extra: Iterable[Share]) -> bool:
    """Whether all of ``extra`` fit at once, the largest first, each on the first machine with room.

    Args:
        free: of each machine what nobody has reserved, by Ray's names ("CPU", "GPU").
        extra: the replicas to start beside what runs.
    """
    left = [[machine.get("CPU", 0.0), machine.get("GPU", 0.0)] for machine in free]
    for share in sorted(extra, key=lambda share: (share.gpus, share.cpus), reverse=True):
        place = next((spot for spot in left if spot[0] + 1e-6 >= share.cpus and spot[1] + 1e-6 >= share.gpus), None)
        if place is None:
            return False
        place[0] -= share.cpus
        place[1] -= share.gpus
    return True


def free_now() -> list[dict[str, float]]:
    """Free resources of each machine of the cluster; none without a running Ray (``serve build``)."""
    import ray
    from ray._private.state import available_resources_per_node  # the public call tells only the sum of all machines
    from ray.exceptions import RayError

    if not ray.is_initialized():
        return []
    try:
        return list(available_resources_per_node().values())
    except RayError as error:
        logger.warning("free resources unknown error=%s", type(error).__name__)
        return []
