"""The supervisor makes the running camera actors match the task table, for ever.

``plan`` is the pure decision; ``SupervisorActor`` carries it out every few seconds and whenever it is told of a change.
Cameras are detached, named actors: a supervisor that starts again finds them and goes on with them.
"""

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from actors.camera import CameraActor, CameraConfig, CameraServices
from actors.errors import StoreUnavailableError
from actors.logs import configure_logging
from actors.ports import CameraHealth, TaskSpec, TaskStore
from traffic.facts import TaskStatusCode

logger = logging.getLogger(__name__)
CAMERA_PREFIX = "camera-"
_HEALTH_TIMEOUT_S = 2.0
_STOP_TIMEOUT_S = 30.0
_CALLS_AT_ONCE = 8  # threads of the actor: health and snapshot answers while the loop works


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What has to happen: task numbers to stop first, then tasks to change (which may turn into a stop and a start), then
    tasks to start."""

    stop: tuple[str, ...]
    change: tuple[TaskSpec, ...]
    start: tuple[TaskSpec, ...]


def plan(wanted: Sequence[TaskSpec], running: Mapping[str, str]) -> Plan:
    """Compare the task table with the running cameras.

    Args:
        wanted: all tasks of the table.
        running: revision by task number.
    """
    enabled = {spec.ref.task_num: spec for spec in wanted if spec.enabled}
    stop = sorted(num for num in running if num not in enabled)
    change = [spec for num, spec in sorted(enabled.items()) if num in running and running[num] != spec.revision]
    start = [spec for num, spec in sorted(enabled.items()) if num not in running]
    return Plan(stop=tuple(stop), change=tuple(change), start=tuple(start))


@dataclass(frozen=True, kw_only=True)
class SupervisorConfig:
    """Settings of the supervisor.

    Attributes:
        camera_options: Ray options of every camera actor (CPU share, environment).
    """

    namespace: str
    period_s: float
    camera: CameraConfig
    camera_options: dict[str, Any]
    log_level: str = "INFO"


class SupervisorActor:
    """Ray actor, one per installation."""

    def __init__(self, store: TaskStore, services: CameraServices, config: SupervisorConfig) -> None:
        configure_logging(config.log_level)
        self._store, self._services, self._config = store, services, config
        self._running: dict[str, tuple[str, Any]] = {}  # task number → revision, handle
        self._health: dict[str, CameraHealth] = {}
        self._store_error = ""
        self._changed = threading.Event()
        self._stopping = threading.Event()
        self._adopt()
        self._thread = threading.Thread(target=self._loop, name="reconcile", daemon=True)
        self._thread.start()

    def tasks_changed(self) -> None:
        """The task table changed; act now rather than at the next period."""
        self._changed.set()

    def health(self) -> dict[str, CameraHealth]:
        """The newest health of every running camera, by task number."""
        return dict(self._health)

    def state(self) -> dict[str, Any]:
        """For health pages: running cameras and the last trouble with the database."""
        return {"cameras": len(self._running), "storeError": self._store_error, "alive": self._thread.is_alive()}

    def snapshot(self, task_num: str) -> bytes | None:
        """The newest annotated picture of a camera as JPEG; None when there is none."""
        import ray
        from ray.exceptions import RayError

        entry = self._running.get(task_num)
        if entry is None:
            return None
        try:
            picture: bytes | None = ray.get(entry[1].snapshot.remote(), timeout=_HEALTH_TIMEOUT_S)
        except RayError as error:
            logger.warning("snapshot failed task=%s error=%s", task_num, error)
            return None
        return picture

    def stop(self) -> None:
        """Stop all cameras; used when the whole installation goes down."""
        self._stopping.set()
        self._changed.set()
        self._thread.join(_STOP_TIMEOUT_S)
        self._stop_cameras(tuple(self._running))

    # -- loop -------------------------------------------------------------------------------------------------------

    def _loop(self) -> None:
        while not self._stopping.is_set():
            self._changed.clear()
            try:
                tasks = self._store.load_tasks()
                self._store_error = ""
                self._reconcile(tasks)
            except StoreUnavailableError as error:
                # Cameras go on with the tasks they have; a database that is away stops nothing.
                self._store_error = str(error)
                logger.error("task table unavailable error=%s", error)
            self._poll_health()
            self._changed.wait(self._config.period_s)

    def _reconcile(self, tasks: Sequence[TaskSpec]) -> None:
        todo = plan(tasks, {num: revision for num, (revision, _) in self._running.items()})
        anew = [spec for spec in todo.change if not self._apply(spec)]
        self._stop_cameras((*todo.stop, *(spec.ref.task_num for spec in anew)))
        for spec in (*anew, *todo.start):
            self._start_camera(spec)

    def _apply(self, spec: TaskSpec) -> bool:
        """Give a running camera its changed task; False when it has to start anew."""
        import ray
        from ray.exceptions import RayError

        handle = self._running[spec.ref.task_num][1]
        try:
            taken = bool(ray.get(handle.apply.remote(spec), timeout=_HEALTH_TIMEOUT_S))
        except RayError as error:
            logger.warning("camera does not take its change task=%s error=%s", spec.ref.task_num, type(error).__name__)
            return False
        if taken:
            self._running[spec.ref.task_num] = (spec.revision, handle)
        return taken

    def _start_camera(self, spec: TaskSpec) -> None:
        import ray

        task_num = spec.ref.task_num
        options = {
            "name": CAMERA_PREFIX + task_num,
            "namespace": self._config.namespace,
            "lifetime": "detached",
            "max_restarts": -1,
            "max_task_retries": 0,
            "max_concurrency": 4,
            **self._config.camera_options,
        }
        try:
            actor: Any = ray.remote(CameraActor).options(**options)
            handle = actor.remote(spec, self._services, self._config.camera, self._config.log_level)
        except ValueError as error:  # the name is still taken by a camera that is going away; the next round succeeds
            logger.warning("camera not started task=%s error=%s", task_num, error)
            return
        self._running[task_num] = (spec.revision, handle)

    def _stop_cameras(self, task_nums: Sequence[str]) -> None:
        import ray
        from ray.exceptions import RayError

        handles = {num: self._running.pop(num)[1] for num in task_nums if num in self._running}
        stops = {num: handle.stop.remote() for num, handle in handles.items()}
        for num, done in stops.items():
            try:
                ray.get(done, timeout=_STOP_TIMEOUT_S)
            except RayError as error:
                logger.warning("camera did not stop in order task=%s error=%s", num, error)
            ray.kill(handles[num], no_restart=True)
            self._health.pop(num, None)

    def _poll_health(self) -> None:
        import ray
        from ray.exceptions import ActorDiedError, GetTimeoutError, RayError

        asked = {num: handle.health.remote() for num, (_, handle) in self._running.items()}
        if not asked:
            return
        ray.wait(list(asked.values()), num_returns=len(asked), timeout=_HEALTH_TIMEOUT_S)
        for num, answer in asked.items():
            try:
                health = self._health[num] = ray.get(answer, timeout=0.01)
                # Ray restarts an actor with the task it was first made with: the next round gives it the newest again.
                self._running[num] = (health.revision, self._running[num][1])
            except GetTimeoutError:
                continue  # busy or starting: the last health stands
            except ActorDiedError as error:
                # Ray has given up on it (its start failed, its node is gone): the next round starts a new one.
                logger.error("camera died task=%s error=%s", num, str(error).strip().splitlines()[-1:])
                self._running.pop(num, None)
                self._health[num] = _starting(num, "相机进程异常退出, 正在重启 (camera process ended, starting again)")
            except RayError as error:
                logger.warning("camera lost task=%s error=%s", num, type(error).__name__)
                self._health[num] = _starting(num, "相机进程重启中 (camera process is restarting)")

    def _adopt(self) -> None:
        """Find cameras that a former supervisor started."""
        import ray
        from ray.exceptions import RayError
        from ray.util import list_named_actors

        for item in list_named_actors(all_namespaces=True):
            if item["namespace"] != self._config.namespace or not item["name"].startswith(CAMERA_PREFIX):
                continue
            try:
                handle = ray.get_actor(item["name"], namespace=self._config.namespace)
                revision = ray.get(handle.revision.remote(), timeout=10)
            except (RayError, ValueError) as error:
                logger.warning("camera not adopted name=%s error=%s", item["name"], error)
                continue
            self._running[item["name"].removeprefix(CAMERA_PREFIX)] = (revision, handle)
        logger.info("supervisor started adopted=%d time=%.0f", len(self._running), time.time())

    def __repr__(self) -> str:
        return "Supervisor"


def _starting(task_num: str, reason: str) -> CameraHealth:
    return CameraHealth(
        task_num=task_num, status=TaskStatusCode.RECONNECTING, reason=reason, frames_decoded=0, frames_analysed=0,
        frames_dropped=0, fps_source=0.0, fps_analysed=0.0, passages=0, last_frame_time_s=None, width=0, height=0, codec="",
    )  # fmt: skip
