"""Creates or finds the long-lived actors of one installation: the supervisor and the pushers."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import ray
from ray.exceptions import RayError

from actors.aggregator import AggregatorConfig
from actors.camera import CameraConfig, CameraServices
from actors.ports import Archive, CameraHealth, FactSink, TaskStore
from actors.pusher import PusherConfig
from actors.supervisor import SupervisorActor, SupervisorConfig
from cluster.settings import Settings

logger = logging.getLogger(__name__)
SUPERVISOR = "supervisor"
_CALL_TIMEOUT_S = 3.0
# Two arenas of memory rather than eight per core: a process of many mostly idle threads holds tens of MB less.
_SINGLE_THREADED = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "MALLOC_ARENA_MAX": "2",
}


@dataclass(frozen=True, kw_only=True)
class PusherPlan:
    """How many pushers there are and what they are given."""

    names: tuple[str, ...]
    outbox_factory: Callable[[], Any]
    archive: Archive
    config: PusherConfig = field(default_factory=PusherConfig)


@dataclass(frozen=True, kw_only=True)
class AggregatorPlan:
    """How many aggregators there are and what they are given."""

    names: tuple[str, ...]
    store_factory: Callable[[], Any]
    sink: FactSink
    config: AggregatorConfig


def pusher_state(health: Mapping[str, Any] | None) -> str:
    """One line about a pusher from its ``health()``, None when it does not answer: "ok", or what is wrong."""
    if health is None:
        return "not answering"
    wrong = [f"{what}: {health[key]}" for key, what in (("storeError", "outbox"), ("failure", "loop failed")) if health[key]]
    return "; ".join(wrong) or "ok"


class ActorSystem:
    """Supervisor, aggregators and pushers as named, detached actors: they outlive the ingress and are found again by name.

    Implements the API's ``TaskControl`` and ``InterfaceControl``. An actor that is away makes a call a no-op with a log line:
    what was asked is in the database already and is picked up when the actor is back.
    """

    def __init__(
        self,
        settings: Settings,
        task_store: TaskStore,
        services: CameraServices,
        camera: CameraConfig,
        pushers: PusherPlan,
        aggregators: AggregatorPlan,
    ) -> None:
        self._settings, self._task_store, self._services = settings, task_store, services
        self._camera, self._pushers, self._aggregators = camera, pushers, aggregators

    def ensure(self) -> None:
        """Start what is not running yet. Pushers and aggregators first, so that the first facts find them."""
        from actors.aggregator import AggregatorActor
        from actors.pusher import PusherActor
        from api.wire.encode import WireEncoder

        settings = self._settings
        for index, name in enumerate(self._pushers.names):
            encoder = WireEncoder(data_source=settings.data_source, masked=not settings.push_source_secrets)
            plan = self._pushers
            arguments = (index, len(plan.names), plan.outbox_factory, encoder, plan.archive, plan.config)
            self._actor(PusherActor, name, 1000, arguments)
        for index, name in enumerate(self._aggregators.names):
            aggregators = self._aggregators
            self._actor(AggregatorActor, name, 8, (index, aggregators.store_factory, aggregators.sink, aggregators.config))
        config = SupervisorConfig(
            namespace=settings.namespace,
            period_s=settings.reconcile_period_s,
            camera=self._camera,
            camera_options={
                "num_cpus": settings.camera_num_cpus,
                "num_gpus": settings.camera_num_gpus,
                "runtime_env": {"env_vars": _SINGLE_THREADED},
            },
            log_level=settings.log_level,
        )
        self._actor(SupervisorActor, SUPERVISOR, 8, (self._task_store, self._services, config))

    def _actor(self, cls: type, name: str, concurrency: int, arguments: tuple[Any, ...]) -> Any:
        actor: Any = ray.remote(cls)
        return actor.options(
            name=name,
            namespace=self._settings.namespace,
            lifetime="detached",
            get_if_exists=True,
            max_restarts=-1,
            max_task_retries=0,
            max_concurrency=concurrency,
            num_cpus=0,
            runtime_env={"env_vars": _SINGLE_THREADED},
        ).remote(*arguments)

    # -- TaskControl and InterfaceControl -----------------------------------------------------------------------------

    def tasks_changed(self) -> None:
        """Tell the supervisor to look at the task table now."""
        self._tell(SUPERVISOR, "tasks_changed")

    def interfaces_changed(self) -> None:
        """Tell every pusher to read its interfaces again, and every aggregator the periods in use."""
        for name in (*self._pushers.names, *self._aggregators.names):
            self._tell(name, "interfaces_changed")

    def task_health(self) -> dict[str, CameraHealth]:
        """Health of the running cameras by task number; empty while the supervisor is away."""
        return self._ask(SUPERVISOR, "health") or {}

    def snapshot(self, task_num: str) -> bytes | None:
        """Newest annotated picture of a camera."""
        picture: bytes | None = self._ask(SUPERVISOR, "snapshot", task_num)
        return picture

    def component_health(self) -> dict[str, str]:
        """One line per component: "ok" or what is wrong."""
        state = self._ask(SUPERVISOR, "state")
        if state is None:
            result = {SUPERVISOR: "not answering"}
        else:
            result = {SUPERVISOR: state["storeError"] or ("ok" if state["alive"] else "loop has ended")}
        for name in self._pushers.names:
            result[name] = pusher_state(self._ask(name, "health"))
        for name in self._aggregators.names:
            health = self._ask(name, "health")
            result[name] = "not answering" if health is None else health["error"] or "ok"
        return result

    def notices(self) -> list[str]:
        """What the pushers have to tell operators, oldest first by pusher."""
        return [notice for name in self._pushers.names for notice in (self._ask(name, "health") or {}).get("notices", ())]

    def stop(self, timeout_s: float = 30.0) -> None:
        """Stop the supervisor with its cameras, then aggregators, then pushers; used by ``wayside up`` and ``wayside down``."""
        for name in (SUPERVISOR, *self._aggregators.names, *self._pushers.names):
            try:
                handle = ray.get_actor(name, namespace=self._settings.namespace)
            except ValueError:
                continue
            try:
                ray.get(handle.stop.remote(), timeout=timeout_s)
            except RayError as error:
                logger.warning("actor did not stop in order name=%s error=%s", name, type(error).__name__)
            ray.kill(handle, no_restart=True)

    def _tell(self, name: str, method: str) -> None:
        try:
            getattr(ray.get_actor(name, namespace=self._settings.namespace), method).remote()
        except (ValueError, RayError) as error:
            logger.warning("actor not told name=%s method=%s error=%s", name, method, error)

    def _ask(self, name: str, method: str, *arguments: Any) -> Any:
        try:
            handle = ray.get_actor(name, namespace=self._settings.namespace)
            return ray.get(getattr(handle, method).remote(*arguments), timeout=_CALL_TIMEOUT_S)
        except (ValueError, RayError) as error:
            logger.warning("actor does not answer name=%s method=%s error=%s", name, method, type(error).__name__)
            return None
