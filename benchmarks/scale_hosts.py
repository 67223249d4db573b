"""Many cameras in few processes, for ``benchmarks.scale``: a thousand processes of 140 MB do not fit on its machine.

Each camera is the product's own ``CameraActor`` with all its threads, queues and metrics; only the process around it is shared.
The supervisor, which knows cameras as handles with methods, notices nothing.
"""

import zlib
from dataclasses import dataclass, field
from typing import Any

from actors.camera import CameraActor
from actors.camera_config import CameraConfig, CameraServices
from actors.placement import camera_options
from actors.ports import TaskSpec

HOST_PREFIX = "camerahost-"
_CALLS_AT_ONCE = 32


class CameraHost:
    """Ray actor: the cameras of one process."""

    def __init__(self, camera: type[CameraActor], services: CameraServices, config: CameraConfig, log_level: str) -> None:
        self._camera = camera
        self._services, self._config, self._log_level = services, config, log_level
        self._cameras: dict[str, CameraActor] = {}

    def start(self, spec: TaskSpec) -> None:
        """Start a camera."""
        self._cameras[spec.ref.task_num] = self._camera(spec, self._services, self._config, self._log_level)

    def ask(self, task_num: str, method: str, *arguments: Any) -> Any:
        """Call a camera's method. Raises KeyError when there is no such camera."""
        return getattr(self._cameras[task_num], method)(*arguments)

    def kill(self, task_num: str) -> None:
        """Forget a camera; the supervisor has stopped it before."""
        self._cameras.pop(task_num, None)

    def cameras(self) -> tuple[str, ...]:
        """Task numbers of the cameras here."""
        return tuple(self._cameras)

    def __repr__(self) -> str:
        return "CameraHost"


@dataclass(frozen=True)
class _Method:
    host: Any
    task_num: str
    name: str

    def remote(self, *arguments: Any) -> Any:
        """Call it; an object reference."""
        return self.host.ask.remote(self.task_num, self.name, *arguments)


class HostedCamera:
    """A camera's handle, as the supervisor uses it."""

    def __init__(self, host: Any, task_num: str) -> None:
        self.host, self.task_num = host, task_num
        for name in ("revision", "apply", "process_id", "health", "snapshot", "view", "stop"):
            setattr(self, name, _Method(host, task_num, name))


@dataclass(frozen=True, kw_only=True)
class HostedPlaces:
    """``CameraPlaces`` of ``hosts`` processes; a task's host follows from its number, or is that of its site.

    Attributes:
        camera: ``CameraActor``, or the benchmark's ``ToldCamera``.
        options: Ray options of a host.
    """

    namespace: str
    services: CameraServices
    config: CameraConfig
    hosts: int
    camera: type[CameraActor] = CameraActor
    options: dict[str, Any] = field(default_factory=dict)
    log_level: str = "INFO"

    def start(self, spec: TaskSpec, machine: str = "") -> HostedCamera:
        """See CameraPlaces."""
        import ray

        number = spec.site or str(zlib.crc32(spec.ref.task_num.encode()) % self.hosts)
        actor: Any = ray.remote(CameraHost).options(
            name=HOST_PREFIX + number,
            namespace=self.namespace,
            lifetime="detached",
            get_if_exists=True,
            max_concurrency=_CALLS_AT_ONCE,
            num_cpus=0,
            **camera_options(self.options, spec.site),
        )
        host = actor.remote(self.camera, self.services, self.config, self.log_level)
        host.start.remote(spec)
        return HostedCamera(host, spec.ref.task_num)

    def kill(self, handle: HostedCamera) -> None:
        """See CameraPlaces."""
        handle.host.kill.remote(handle.task_num)

    def running(self) -> dict[str, HostedCamera]:
        """See CameraPlaces."""
        import ray
        from ray.util import list_named_actors

        found = {}
        for item in list_named_actors(all_namespaces=True):
            if item["namespace"] == self.namespace and item["name"].startswith(HOST_PREFIX):
                host = ray.get_actor(item["name"], namespace=self.namespace)
                found |= {num: HostedCamera(host, num) for num in ray.get(host.cameras.remote(), timeout=60)}
        return found
