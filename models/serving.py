"""What the deployments of networks share: inference threads with metrics and health, and how Serve is told about them."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

from ray import serve
from ray.util.metrics import Histogram

_HUNG_AFTER_S = 120.0
_BATCH_BOUNDS = [1, 2, 4, 8, 16, 32, 64]
_LATENCY_BOUNDS = [0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12]
_Result = TypeVar("_Result")


class ReplicaSettings(Protocol):
    """What every deployment is told; see ``cluster.settings.Settings`` for the meaning of each."""

    @property
    def num_cpus(self) -> float: ...

    @property
    def num_gpus(self) -> float: ...

    @property
    def replicas(self) -> int: ...

    @property
    def surge_percent(self) -> int: ...


class InferenceThreads:
    """Threads that compute while the replica's event loop goes on answering."""

    def __init__(self, name: str, threads: int = 1) -> None:
        """``name``: of the deployment, also in its metrics ``wayside_<name>_batch_size`` and ``…_latency_seconds``."""
        self._busy: dict[int, float] = {}  # by thread: since when it computes
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._batch_size = Histogram(f"wayside_{name}_batch_size", "Items of one call", boundaries=_BATCH_BOUNDS)
        self._latency = Histogram(
            f"wayside_{name}_latency_seconds", "Time of one call with its turns", boundaries=_LATENCY_BOUNDS
        )

    async def run(self, work: Callable[[], _Result]) -> _Result:
        """The result of ``work`` from one of the threads."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._compute, work)

    async def measured(self, work: Callable[[], _Result], items: int) -> _Result:
        """As ``run``, and told to the metrics as one call of so many items."""
        start = time.perf_counter()
        result = await self.run(work)
        self.observe(time.perf_counter() - start, items)
        return result

    def observe(self, latency_s: float, items: int) -> None:
        """Tell the metrics of one call."""
        self._latency.observe(latency_s)
        self._batch_size.observe(items)

    def check_health(self) -> None:
        """Raises RuntimeError when the threads have ended or one computes for more than two minutes."""
        if self._executor._shutdown:
            raise RuntimeError("inference thread has ended")
        since = min(list(self._busy.values()), default=None)
        if since is not None and time.monotonic() - since > _HUNG_AFTER_S:
            raise RuntimeError(f"inference hangs for {time.monotonic() - since:.0f} s")

    def _compute(self, work: Callable[[], _Result]) -> _Result:
        thread = threading.get_ident()
        self._busy[thread] = time.monotonic()
        try:
            return work()
        finally:
            self._busy.pop(thread, None)


def bound(
    replica: type[Any], settings: ReplicaSettings, name: str, *, openmp_threads: int, max_ongoing_requests: int, **options: Any
) -> Any:
    """The deployment of ``replica``, ready to be a part of an application.

    Args:
        settings: what ``replica`` is made with.
        openmp_threads: of the process; waiting is passive, so that threads without work leave the CPU to others.
        max_ongoing_requests: calls a replica takes; Serve turns more away.
        options: more for ``serve.deployment``.
    """
    number: dict[str, Any] = {} if "autoscaling_config" in options else {"num_replicas": settings.replicas}
    factory: Callable[..., Any] = serve.deployment(
        name=name,
        max_surge_percent=settings.surge_percent,
        max_ongoing_requests=max_ongoing_requests,
        health_check_period_s=2,  # Serve notices a dead replica only when it asks
        health_check_timeout_s=10,
        ray_actor_options={
            "num_cpus": settings.num_cpus,
            "num_gpus": settings.num_gpus,
            "runtime_env": {"env_vars": {"OMP_NUM_THREADS": str(openmp_threads), "OMP_WAIT_POLICY": "PASSIVE"}},
        },
        **number,
        **options,
    )(replica)
    return factory.bind(settings)  # type: ignore[attr-defined]
