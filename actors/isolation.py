"""Whether this machine is cut off from everything that could tell it that it has been replaced.

A supervisor on such a machine must not keep the leases of the cameras beside it. A database that is away is no isolation, nor is
a head that is away: only when neither has been heard of for a while nobody can be sure to be in charge.
"""

import threading
import time
from collections.abc import Callable


class Isolation:
    """When either source was last heard of. ``after_s``: a silence of more than this is isolation; 0: never."""

    def __init__(self, after_s: float, ask_cluster: Callable[[], bool], clock: Callable[[], float] = time.monotonic) -> None:
        """``ask_cluster``: whether the cluster's control store answers; may take as long as it likes."""
        self._after_s, self._ask_cluster, self._clock = after_s, ask_cluster, clock
        self._heard_at = clock()
        self._asking: threading.Thread | None = None

    def heard(self) -> None:
        """The database has answered."""
        self._heard_at = self._clock()

    def ask(self) -> None:
        """The database does not answer: ask the cluster, beside the caller and never twice at once."""
        if self._asking is None or not self._asking.is_alive():
            self._asking = threading.Thread(target=self._ask, name="ask cluster", daemon=True)
            self._asking.start()

    def _ask(self) -> None:
        if self._ask_cluster():
            self.heard()

    @property
    def cut_off(self) -> bool:
        """Whether nothing has been heard for too long."""
        return self._after_s > 0 and self._clock() - self._heard_at > self._after_s


def control_store_answers() -> bool:
    """Whether Ray's control store knows the machines of the cluster right now."""
    import ray
    from ray.exceptions import RayError

    try:
        return bool(ray.nodes())
    except (RayError, RuntimeError):
        return False
