"""Creates, finds and replaces the long-lived actors of one installation: supervisor, aggregators, pushers."""

import logging
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ray
from ray import serve
from ray.exceptions import RayError, RayTaskError
from ray.serve.exceptions import RayServeException

from actors.aggregator import AggregatorConfig
from actors.balance import BalanceConfig
from actors.decoding import ProbeResult, SourceOptions, probe
from actors.errors import SourceError
from actors.logs import FORMAT_VARIABLE
from actors.placement import SITE_LABEL, off_the_head
from actors.places import CAMERA_PREFIX, CameraPlaces
from actors.ports import Archive, CameraHealth, FactSink, TaskStore
from actors.pusher import PusherConfig
from actors.supervisor import SupervisorActor, SupervisorConfig
from actors.viewing import CameraView
from api import rescue
from cluster.generation import generation
from cluster.handover import Wanted, hand_over, retire, start_missing
from cluster.hanging import ASK_GROUP, HangWatch
from cluster.settings import Settings
from models.deployment import DEPLOYMENT_NAME

logger = logging.getLogger(__name__)
SUPERVISOR = "supervisor"
APP_NAME, INGRESS_NAME = "wayside", "ingress"
_CALL_TIMEOUT_S = 3.0
# Two arenas of memory rather than eight per core: a process of many mostly idle threads holds tens of MB less.
_SINGLE_THREADED = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "MALLOC_ARENA_MAX": "2",
}
_STOP_TIMEOUT_S = 45.0
_LOW_DISK_BYTES = 64 * 2**20
_PROBE_TIMEOUT_S = 40.0


@dataclass(frozen=True, kw_only=True)
class PusherPlan:
    """How many pushers there are and what they are given. ``outbox_factory`` gets the pusher's name."""

    names: tuple[str, ...]
    outbox_factory: Callable[[str], Any]
    archive: Archive
    config: PusherConfig = field(default_factory=PusherConfig)


@dataclass(frozen=True, kw_only=True)
class AggregatorPlan:
    """How many aggregators there are and what they are given. ``store_factory`` gets the aggregator's name."""

    names: tuple[str, ...]
    store_factory: Callable[[str], Any]
    sink: FactSink
    config: AggregatorConfig


def pusher_state(health: Mapping[str, Any] | None) -> str:
    """One line about a pusher from its ``health()``, None when it does not answer: "ok", or what is wrong."""
    if health is None:
        return "not answering"
    wrong = [f"{what}: {health[key]}" for key, what in (("storeError", "outbox"), ("failure", "loop failed")) if health[key]]
    return "; ".join(wrong) or "ok"


def deployment_states() -> dict[str, str]:
    """One line about each deployment of networks: "ok", or what Serve says of it. The detector is always among them."""
    try:
        application = serve.status().applications.get(APP_NAME)
    except (RayError, RayServeException) as error:
        return {DEPLOYMENT_NAME: f"状态未知 / state unknown: {type(error).__name__}"}
    found = {DEPLOYMENT_NAME: "未部署 / not deployed"}
    for name, deployment in (application.deployments if application else {}).items():
        if name != INGRESS_NAME:
            found[name] = _deployment_state(deployment)
    return found


def _deployment_state(deployment: Any) -> str:
    if deployment.replica_states.get("RUNNING", 0):
        return "ok"
    lines = [line.strip() for line in deployment.message.splitlines() if line.strip()]
    told = next((line for line in reversed(lines) if "Error" in line), lines[-1] if lines else deployment.status)
    return f"没有可用副本 / no replica runs: {str(told)[:300]}"


def disk_state(folder: Path) -> str:
    """One line about the disk of the data folder: "ok", or how little is left."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return f"数据目录不可用 / data folder: {error.strerror}"
    if free >= _LOW_DISK_BYTES:
        return "ok"
    return f"磁盘空间不足, 剩余 {free // 2**20} MiB / disk almost full, {free // 2**20} MiB left"


def actor_environment(settings: Settings) -> dict[str, str]:
    """Environment of every long-lived actor."""
    return {**_SINGLE_THREADED, FORMAT_VARIABLE: settings.log_format}


class ActorSystem:
    """Supervisor, aggregators and pushers as named, detached actors: they outlive the ingress and are found again by name.

    Implements the API's ``TaskControl`` and ``InterfaceControl``. An actor that is away makes a call a no-op with a log line:
    what was asked is in the database already and is picked up when the actor is back.
    """

    def __init__(
        self,
        settings: Settings,
        task_store: TaskStore,
        places: CameraPlaces,
        pushers: PusherPlan,
        aggregators: AggregatorPlan,
    ) -> None:
        self._settings, self._task_store, self._places = settings, task_store, places
        self._pushers, self._aggregators = pushers, aggregators
        self._generation = generation(settings)
        self._hang_watch = HangWatch(settings.namespace)

    def ensure(self) -> None:
        """Start what is not running, replace what runs with other code or settings; see ``cluster.handover``."""
        families = ("pusher-", "aggregator-")
        hand_over(self._wanted(), self._settings.namespace, self._generation, families)

    def mend(self) -> None:
        """Start what is not there (somebody ended it for good), end what hangs (Ray starts it again) and leave the rest alone;
        nothing while Wayside goes down."""
        state = self._ask(SUPERVISOR, "state")
        if state and state["stopping"]:
            return
        wanted = self._wanted()
        start_missing(wanted, self._settings.namespace)
        self._hang_watch.look(item.name for item in wanted)

    def _wanted(self) -> list[Wanted]:
        """Pushers and aggregators first, so that the first facts find them."""
        from actors.aggregator import AggregatorActor
        from actors.pusher import PusherActor
        from api.wire.encode import WireEncoder

        settings, wanted = self._settings, []
        for index, name in enumerate(self._pushers.names):
            encoder = WireEncoder(data_source=settings.data_source, source_secrets=settings.push_source_secrets)
            plan = self._pushers
            arguments = (index, len(plan.names), plan.outbox_factory, encoder, plan.archive, plan.config, self._generation)
            wanted.append(self._actor(PusherActor, name, 1000, arguments))
        for index, name in enumerate(self._aggregators.names):
            aggregators = self._aggregators
            given = (index, aggregators.store_factory, aggregators.sink, aggregators.config, self._generation)
            wanted.append(self._actor(AggregatorActor, name, 8, given))
        config = SupervisorConfig(
            period_s=settings.reconcile_period_s,
            log_level=settings.log_level,
            generation=self._generation,
            balance=BalanceConfig(
                enabled=settings.camera_rebalance,
                settle_s=settings.camera_rebalance_after_s,
                camera_cpus=settings.camera_num_cpus,
                camera_gpus=settings.camera_num_gpus,
            ),
        )
        wanted.append(self._actor(SupervisorActor, SUPERVISOR, 8, (self._task_store, self._places, config), "release"))
        return wanted

    def _actor(self, cls: type, name: str, concurrency: int, arguments: tuple[Any, ...], farewell: str = "stop") -> Wanted:
        actor: Any = ray.remote(concurrency_groups={ASK_GROUP: 1})(cls)
        options: dict[str, Any] = {
            "name": name,
            "namespace": self._settings.namespace,
            "lifetime": "detached",  # outlives the ingress that made it
            "get_if_exists": True,
            "max_restarts": -1,  # comes back from the database and the cameras, as often as it takes
            "max_task_retries": 0,  # callers repeat what they are not sure of, under the same ids
            "max_concurrency": concurrency,
            "num_cpus": 0,
            "runtime_env": {"env_vars": actor_environment(self._settings)},
        }

        def start() -> Any:
            return actor.options(**options, **off_the_head(ray.nodes())).remote(*arguments)

        return Wanted(name=name, start=start, farewell=farewell)

    # -- TaskControl and InterfaceControl -----------------------------------------------------------------------------

    def tasks_changed(self) -> None:
        """Tell the supervisor to look at the task table now."""
        self._tell(SUPERVISOR, "tasks_changed")

    def interfaces_changed(self) -> None:
        """Tell every pusher to read its interfaces again, and every aggregator the periods in use."""
        for name in (*self._pushers.names, *self._aggregators.names):
            self._tell(name, "interfaces_changed")

    def task_health(self, task_nums: Collection[str] | None = None) -> dict[str, CameraHealth]:
        """Health of the running cameras by task number, of these tasks or of all; empty while the supervisor is away."""
        return self._ask(SUPERVISOR, "health", None if task_nums is None else tuple(task_nums)) or {}

    def snapshot(self, task_num: str) -> bytes | None:
        """Newest annotated picture of a camera."""
        picture: bytes | None = self._ask(SUPERVISOR, "snapshot", task_num)
        return picture

    def view(self, task_num: str, max_width: int, drawn: bool, after: int = -1) -> CameraView | None:
        """The newest analysed frame of a camera for a console, straight from its actor."""
        view: CameraView | None = self._ask(CAMERA_PREFIX + task_num, "view", max_width, drawn, after)
        return view

    def probe(self, address: str, options: SourceOptions) -> ProbeResult:
        """Look at a source in a worker process of its own: a codec that crashes takes nothing else along.

        Raises:
            SourceError: the reason, also when the worker died or took too long.
        """
        look: Any = ray.remote(probe)
        answer = look.options(num_cpus=0, max_retries=0, runtime_env={"env_vars": _SINGLE_THREADED}).remote(address, options)
        try:
            result: ProbeResult = ray.get(answer, timeout=_PROBE_TIMEOUT_S)
        except RayTaskError as error:
            if isinstance(error.cause, SourceError):
                raise error.cause from error
            raise SourceError(f"视频源读取失败 (cannot be read: {type(error.cause).__name__})") from error
        except RayError as error:
            ray.cancel(answer, force=True)
            raise SourceError(f"视频源读取超时或进程异常 (took too long or crashed: {type(error).__name__})") from error
        return result

    def machines(self) -> list[dict[str, Any]]:
        """The nodes of the cluster: address, alive, resources, how many cameras run there."""
        cameras = Counter(health.node for health in self.task_health().values())
        nodes = []
        for node in ray.nodes():
            resources = node["Resources"]
            nodes.append({
                "address": node["NodeManagerAddress"],
                "alive": node["Alive"],
                "cpus": resources.get("CPU", 0.0),
                "gpus": resources.get("GPU", 0.0),
                "memory_bytes": int(resources.get("memory", 0)),
                "site": (node.get("Labels") or {}).get(SITE_LABEL, ""),
                "cameras": cameras[node["NodeID"]],
            })  # fmt: skip
        return nodes

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
        result |= deployment_states()
        result["disk"] = disk_state(self._settings.data_dir)
        return result

    def notices(self) -> list[str]:
        """What operators should know: a rescue of the database, then what the pushers tell, oldest first by pusher."""
        told = [text] if (text := rescue.notice(self._settings.resolved_database_url)) else []
        return told + [notice for name in self._pushers.names for notice in (self._ask(name, "health") or {}).get("notices", ())]

    def stop(self) -> None:
        """End the cameras, then aggregators, then pushers; used by ``wayside up`` and ``wayside down``.

        The supervisor stays, idle, so that nobody takes what ends for something to mend; ``end`` ends it.
        """
        self._ask(SUPERVISOR, "stop", timeout_s=_STOP_TIMEOUT_S)
        for name in (*self._aggregators.names, *self._pushers.names):
            retire(name, self._settings.namespace, "stop")

    def end(self) -> None:
        """The last step, after the ingress has gone."""
        retire(SUPERVISOR, self._settings.namespace, "release")

    def _tell(self, name: str, method: str) -> None:
        try:
            getattr(ray.get_actor(name, namespace=self._settings.namespace), method).remote()
        except (ValueError, RayError) as error:
            logger.warning("actor not told name=%s method=%s error=%s", name, method, error)

    def _ask(self, name: str, method: str, *arguments: Any, timeout_s: float = _CALL_TIMEOUT_S) -> Any:
        try:
            handle = ray.get_actor(name, namespace=self._settings.namespace)
            return ray.get(getattr(handle, method).remote(*arguments), timeout=timeout_s)
        except (ValueError, RayError) as error:
            logger.warning("actor does not answer name=%s method=%s error=%s", name, method, type(error).__name__)
            return None
