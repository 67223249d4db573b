"""The supervisor makes the running camera actors match the task table, for ever.

``plan`` is the pure decision; ``SupervisorActor`` carries it out every few seconds and whenever it is told of a change.
Cameras are detached, named actors: a supervisor that starts again finds them and goes on with them. Ray itself never restarts a
camera: it would do so at once and for ever; the supervisor does, within about a reconciliation period, and ever more slowly
for one that dies again and again.
"""

import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from actors.balance import Balance, BalanceConfig, Placed
from actors.errors import StoreUnavailableError, SupersededError
from actors.isolation import Isolation, control_store_answers
from actors.logs import configure_logging
from actors.metrics import SupervisorMetrics
from actors.placement import WAITING_FOR_ROOM, machines_in_cluster, obstacle, sites_in_cluster
from actors.places import CameraPlaces
from actors.ports import CameraHealth, TaskSpec, TaskStore
from actors.restarts import RestartConfig, RestartPolicy
from actors.vital import end_process_with_any_thread, end_superseded_process
from traffic.facts import TaskStatusCode

logger = logging.getLogger(__name__)
_HEALTH_TIMEOUT_S, _SNAPSHOT_TIMEOUT_S, _ADOPT_TIMEOUT_S = 0.5, 2.0, 10.0
_STOP_TIMEOUT_S = 30.0
_SILENT_S = 5.0  # an answer takes longer only when a camera, or its machine, is in trouble
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


def postponed(todo: Plan, running: Mapping[str, str], starting: Mapping[str, int], at_once: int) -> tuple[Plan, int]:
    """Renew few cameras at a time: a new version replaces all of them, and the start of many at once would take each long.

    Each site counts for itself: cameras that wait for room at one, for ever perhaps, keep no other on the old version.

    Args:
        running: revision by task number; what stands before its ``@`` is the task's own, behind it the generation.
        starting: cameras that were started and have not answered yet, by site.
        at_once: so many cameras of a site may be starting.

    Returns:
        The plan without the renewals that have to wait, and how many wait.
    """
    taken, wait = Counter(starting), set()
    for spec in todo.change:
        if _own(spec.revision) == _own(running[spec.ref.task_num]):
            taken[spec.site] += 1
            if taken[spec.site] > at_once:
                wait.add(spec.ref.task_num)
    change = tuple(spec for spec in todo.change if spec.ref.task_num not in wait)
    return Plan(stop=todo.stop, change=change, start=todo.start), len(wait)


def hung(silent_s: Mapping[str, float], cameras: int, after_s: float, all_after_s: float) -> list[str]:
    """Cameras that do not answer any more, by task number.

    When more than half of them are silent it is the machine that does not get on, not they: to start all anew would make it
    worse, so they get longer.

    Args:
        silent_s: by task number, seconds since a question without an answer; of cameras that answered before.
        cameras: how many answered before.
        after_s, all_after_s: a silence of more than this is too long; while most cameras answer, and while most do not.
    """
    late = [num for num, seconds in silent_s.items() if seconds > after_s]
    if len(late) <= max(1, cameras // 2):
        return late
    return [num for num in late if silent_s[num] > all_after_s]


def _own(revision: str) -> str:
    return revision.partition("@")[0]


@dataclass(frozen=True, kw_only=True)
class SupervisorConfig:
    """Settings of the supervisor.

    Attributes:
        generation: names code and settings; cameras of another one are replaced.
        renewed_at_once: cameras replaced by those of a new generation at a time, so that none is away for long.
        starting_at_once: cameras of one site that were started and have not answered yet; more are not started meanwhile.
        hung_after_s: a camera that answered before and does not answer for so long is killed and started again;
            all_hung_after_s: the same while most cameras do not answer.
        isolated_after_s: having heard neither of the database nor of Ray's control store for so long it asks no camera any more,
            so that their leases end.
        starting_s: a camera that has not answered for longer waits for room; before, no other is moved.
        balance: when running cameras are moved to other machines.
    """

    period_s: float
    log_level: str = "INFO"
    generation: str = ""
    renewed_at_once: int = 2
    starting_at_once: int = 16
    hung_after_s: float = 15.0
    all_hung_after_s: float = 60.0
    isolated_after_s: float = 20.0
    starting_s: float = 30.0
    restarts: RestartConfig = field(default_factory=RestartConfig)
    balance: BalanceConfig = field(default_factory=BalanceConfig)


@dataclass(slots=True)
class _Camera:
    """A camera actor. ``asked``: health call under way, None when there is none; times are monotonic."""

    revision: str
    handle: Any
    started_at: float
    asked: Any = None
    asked_at: float = 0.0
    answered: bool = False


class SupervisorActor:
    """Ray actor, one per installation."""

    def __init__(self, store: TaskStore, places: CameraPlaces, config: SupervisorConfig) -> None:
        configure_logging(config.log_level)
        end_process_with_any_thread()
        self._store, self._places, self._config = store, places, config
        self._running: dict[str, _Camera] = {}
        self._health: dict[str, CameraHealth] = {}
        self._restarts = RestartPolicy(config.restarts)
        self._store_error = ""
        self._round_s = 0.0  # how long the newest look at table and cameras took
        self._full, self._answered = False, False  # a task waits for others to have started; one has, since the last look
        self._tasks: dict[str, TaskSpec] = {}  # enabled ones by task number, as last read; revisions as cameras have them
        self._balance, self._metrics = Balance(config.balance), SupervisorMetrics()
        self._isolation = Isolation(config.isolated_after_s, control_store_answers)
        self._changed = threading.Event()
        self._stopping = threading.Event()
        self._adopt()
        self._thread = threading.Thread(target=self._loop, name="reconcile", daemon=True)
        self._thread.start()

    def generation(self) -> str:
        """Code and settings this runs with."""
        return self._config.generation

    def process_id(self) -> int:
        """Process this runs in."""
        return os.getpid()

    def tasks_changed(self) -> None:
        """The task table changed; act now rather than at the next period."""
        self._changed.set()

    def health(self, task_nums: Collection[str] | None = None) -> dict[str, CameraHealth]:
        """The newest health of enabled cameras by task number, of these tasks or (None) of all."""
        if task_nums is None:
            return dict(self._health)
        return {num: health for num in task_nums if (health := self._health.get(num)) is not None}

    def state(self) -> dict[str, Any]:
        """For health pages: running cameras and the last trouble with the database."""
        return {
            "cameras": len(self._running),
            "storeError": self._store_error,
            "alive": self._thread.is_alive(),
            "stopping": self._stopping.is_set(),
            "roundS": self._round_s,
        }

    def snapshot(self, task_num: str) -> bytes | None:
        """The newest annotated picture of a camera as JPEG; None when there is none."""
        import ray
        from ray.exceptions import RayError

        camera = self._running.get(task_num)
        if camera is None:
            return None
        try:
            picture: bytes | None = ray.get(camera.handle.snapshot.remote(), timeout=_SNAPSHOT_TIMEOUT_S)
        except RayError as error:
            logger.warning("snapshot failed task=%s error=%s", task_num, type(error).__name__)
            return None
        return picture

    def release(self) -> None:
        """End without touching the cameras: another supervisor takes them over."""
        self._stopping.set()
        self._changed.set()
        self._thread.join(_STOP_TIMEOUT_S)

    def stop(self) -> None:
        """Stop all cameras; used when the whole installation goes down."""
        self.release()
        self._stop_cameras(tuple(self._running))

    # -- loop -------------------------------------------------------------------------------------------------------

    def _loop(self) -> None:
        while not self._stopping.is_set():
            self._changed.clear()
            began = time.monotonic()
            try:
                tasks = self._store.load_tasks()
                self._store_error = ""
                self._isolation.heard()
                self._reconcile(tasks)
            except StoreUnavailableError as error:
                # Cameras go on with the tasks they have; a database that is away stops nothing.
                self._store_error = str(error)
                logger.error("task table unavailable error=%s", error)
                self._isolation.ask()
            except SupersededError as error:  # its questions would keep the leases of cameras that run elsewhere
                end_superseded_process(error.name)
            if self._isolation.cut_off:
                logger.error("cut off from database and cluster, cameras are left to their leases")
            else:
                self._poll_health()
                self._metrics.observe(self._missing(time.monotonic()))
                self._even_out()
            if self._full and self._answered:
                self._changed.set()  # a place is free for the next one: a thousand starts need not wait a period each
            self._round_s = time.monotonic() - began
            self._changed.wait(self._config.period_s)

    def _reconcile(self, tasks: Sequence[TaskSpec]) -> None:
        # A task made anew under an old number, and a camera of other code or settings, are other cameras.
        mark = self._config.generation
        tasks = [replace(spec, revision=f"{spec.ref.task_id}.{spec.revision}@{mark}") for spec in tasks]
        revisions = {num: camera.revision for num, camera in self._running.items()}
        site_of = {spec.ref.task_num: spec.site for spec in tasks}
        todo, later = postponed(plan(tasks, revisions), revisions, self._starting(site_of), self._config.renewed_at_once)
        if later:
            self._changed.set()  # look again at once: the next ones follow as soon as these answer
        anew = [spec for spec in todo.change if not self._apply(spec)]
        self._stop_cameras((*todo.stop, *(spec.ref.task_num for spec in anew)))
        self._tasks = {spec.ref.task_num: spec for spec in tasks if spec.enabled}
        self._restarts.keep(self._tasks)
        for num in self._health.keys() - self._tasks.keys():
            self._health.pop(num, None)
        self._start_cameras((*anew, *todo.start), site_of)

    def _starting(self, site_of: Mapping[str, str]) -> Counter[str]:
        """Cameras that were started and have not answered yet, by site."""
        return Counter(site_of.get(num, "") for num, camera in self._running.items() if not camera.answered)

    def _start_cameras(self, specs: Sequence[TaskSpec], site_of: Mapping[str, str]) -> None:
        """Start what has a place; the others say what they wait for. ``site_of``: site by task number, of all tasks."""
        starting = self._starting(site_of)
        sites = sites_in_cluster() if any(spec.site for spec in specs) else frozenset()
        self._full = self._answered = False
        begun = []
        for spec in specs:
            task_num = spec.ref.task_num
            if not self._restarts.may_start(task_num, time.monotonic()):
                continue
            if reason := obstacle(spec.site, starting[spec.site], self._config.starting_at_once, sites):
                self._full |= reason == WAITING_FOR_ROOM
                self._health[task_num] = _stated(task_num, TaskStatusCode.NOT_STARTED, reason)
                continue
            starting[spec.site] += 1
            begun.append(spec)
        lives = self._store.begin_lives([spec.ref.task_num for spec in begun])
        for spec in begun:
            self._start_camera(replace(spec, ref=replace(spec.ref, life=lives[spec.ref.task_num])))

    def _apply(self, spec: TaskSpec) -> bool:
        """Give a running camera its changed task; False when it has to start anew (see ``CameraRunner.apply``)."""
        import ray
        from ray.exceptions import RayError

        camera = self._running[spec.ref.task_num]
        if not camera.answered or _mark(camera.revision) != _mark(spec.revision):
            return False
        try:
            taken = bool(ray.get(camera.handle.apply.remote(spec), timeout=_HEALTH_TIMEOUT_S))
        except RayError as error:
            logger.warning("camera does not take its change task=%s error=%s", spec.ref.task_num, type(error).__name__)
            return False
        if taken:
            camera.revision = spec.revision
        return taken

    def _start_camera(self, spec: TaskSpec, machine: str = "") -> None:
        task_num = spec.ref.task_num
        try:
            handle = self._places.start(spec, machine)
        except ValueError as error:  # the name is still taken by a camera that is going away; the next round succeeds
            logger.warning("camera not started task=%s error=%s", task_num, error)
            return
        self._running[task_num] = _Camera(spec.revision, handle, time.monotonic())

    def _stop_cameras(self, task_nums: Sequence[str]) -> None:
        import ray
        from ray.exceptions import RayError

        cameras = {num: self._running.pop(num) for num in task_nums if num in self._running}
        # One that never answered has nothing to hand over, and no process that could answer now.
        stops = {num: camera.handle.stop.remote() for num, camera in cameras.items() if camera.answered}
        until = time.monotonic() + _STOP_TIMEOUT_S
        astray = []
        for num, done in stops.items():
            try:
                ray.get(done, timeout=max(0.1, until - time.monotonic()))
            except RayError as error:
                logger.warning("camera did not stop in order task=%s error=%s", num, type(error).__name__)
                astray.append(num)
        self._disown(astray)
        for num, camera in cameras.items():
            self._places.kill(camera.handle)
            self._health.pop(num, None)

    def _disown(self, task_nums: Sequence[str]) -> None:
        """Cameras that could not be told to stop may be on a machine that is cut off: their facts are refused from now on."""
        try:
            self._store.begin_lives(task_nums)
        except StoreUnavailableError as error:
            logger.error("cameras not disowned tasks=%s error=%s", task_nums, error)

    # -- health -----------------------------------------------------------------------------------------------------

    def _poll_health(self) -> None:
        """Ask every camera that has no question open, take the answers that are there. Never more than one question each:
        a camera that waits for its place in the cluster would collect them without end."""
        import ray

        now_s = time.monotonic()
        for camera in self._running.values():
            if camera.asked is None:
                camera.asked, camera.asked_at = camera.handle.health.remote(), now_s
        asked = [camera.asked for camera in self._running.values()]
        if not asked:
            return
        ready, _ = ray.wait(asked, num_returns=len(asked), timeout=_HEALTH_TIMEOUT_S)
        answers = set(ready)
        for num, camera in list(self._running.items()):
            if camera.asked in answers:
                self._take(num, camera)
            else:
                self._miss(num, camera, time.monotonic() - camera.asked_at)
        self._end_hung()

    def _take(self, num: str, camera: _Camera) -> None:
        import ray
        from ray.exceptions import ActorDiedError, RayError

        answer, camera.asked = camera.asked, None
        try:
            self._health[num] = ray.get(answer, timeout=1)
            self._answered |= not camera.answered
            camera.answered = True
        except ActorDiedError as error:
            lived_s = time.monotonic() - camera.started_at
            wait_s = self._restarts.died(num, time.monotonic(), lived_s)
            last = str(error).strip().splitlines()[-1:]
            logger.error("camera died task=%s lived_s=%.0f next_start_in_s=%.0f error=%s", num, lived_s, wait_s, last)
            self._running.pop(num, None)
            self._health[num] = _stated(num, TaskStatusCode.RECONNECTING, DIED)
            self._changed.set()
        except RayError as error:
            logger.warning("camera lost task=%s error=%s", num, type(error).__name__)

    def _miss(self, num: str, camera: _Camera, silent_s: float) -> None:
        """No answer yet: starting, waiting for a place, or hung."""
        if not camera.answered and silent_s > 10:
            self._health[num] = _stated(num, TaskStatusCode.NOT_STARTED, WAITING_FOR_ROOM)

    def _missing(self, now_s: float) -> int:
        """Enabled tasks of which no camera answers: it starts, waits for room, hangs, or its machine is lost."""

        def answers(camera: _Camera | None) -> bool:
            return camera is not None and camera.answered and (camera.asked is None or now_s - camera.asked_at < _SILENT_S)

        return sum(not answers(self._running.get(num)) for num in self._tasks)

    def _end_hung(self) -> None:
        now_s = time.monotonic()
        known = {num: camera for num, camera in self._running.items() if camera.answered}
        silent_s = {num: now_s - camera.asked_at for num, camera in known.items() if camera.asked is not None}
        for num in hung(silent_s, len(known), self._config.hung_after_s, self._config.all_hung_after_s):
            logger.error("camera hangs, killed task=%s silent_s=%.0f", num, silent_s[num])
            self._places.kill(known[num].handle)  # the open question is then answered: it died

    def _even_out(self) -> None:
        """Move a camera to a machine with less to do, when all is quiet; see ``actors.balance``."""
        now_s = time.monotonic()
        starting = any(
            not camera.answered and now_s - camera.started_at < self._config.starting_s for camera in self._running.values()
        )
        if starting or self._store_error or not self._balance.due(now_s):
            return
        move = self._balance.look(now_s, machines_in_cluster(), self._placed())
        if move is None:
            return
        logger.info("camera goes to another machine task=%s node=%s", move.task_num, move.machine)
        try:
            self._stop_cameras((move.task_num,))
            lives = self._store.begin_lives((move.task_num,))
        except StoreUnavailableError as error:  # the next look at the table starts it, wherever there is room
            logger.error("camera not moved task=%s error=%s", move.task_num, error)
            return
        except SupersededError as error:
            end_superseded_process(error.name)
        spec = self._tasks[move.task_num]
        self._start_camera(replace(spec, ref=replace(spec.ref, life=lives[move.task_num])), move.machine)

    def _placed(self) -> dict[str, Placed]:
        """Where the cameras run that answer and are to go on."""
        known = {num: self._health[num] for num, camera in self._running.items() if camera.answered and num in self._health}
        return {
            num: Placed(machine=health.node, site=self._tasks[num].site, movable=health.live and not health.events_open)
            for num, health in known.items()
            if num in self._tasks
        }

    def _adopt(self) -> None:
        """Find cameras that a former supervisor started. One that does not say what it runs is replaced."""
        import ray
        from ray.exceptions import RayError

        asked = {num: (handle, handle.revision.remote()) for num, handle in self._places.running().items()}
        answers = [answer for _, answer in asked.values()]
        if answers:
            ray.wait(answers, num_returns=len(answers), timeout=_ADOPT_TIMEOUT_S)
        for num, (handle, answer) in asked.items():
            try:
                revision, answered = ray.get(answer, timeout=0.1), True
            except RayError as error:
                logger.warning("camera does not say what it runs task=%s error=%s", num, type(error).__name__)
                revision, answered = "", False
            self._running[num] = _Camera(revision, handle, time.monotonic(), answered=answered)
        logger.info("supervisor started adopted=%d", len(self._running))

    def __repr__(self) -> str:
        return "Supervisor"


DIED = "相机进程异常退出, 正在重启 (camera process ended, starting again)"


def _mark(revision: str) -> str:
    """What of a revision names code and settings: a camera of other ones cannot take a change over."""
    return revision.rpartition("@")[2]


def _stated(task_num: str, status: TaskStatusCode, reason: str) -> CameraHealth:
    return CameraHealth(
        task_num=task_num, status=status, reason=reason, frames_decoded=0, frames_analysed=0,
        frames_dropped=0, fps_source=0.0, fps_analysed=0.0, passages=0, last_frame_time_s=None, width=0, height=0, codec="",
    )  # fmt: skip
