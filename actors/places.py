"""Where the supervisor's cameras run: each in an actor of its own. A process that dies takes one camera along."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from actors.camera import CameraActor
from actors.camera_config import CameraConfig, CameraServices
from actors.placement import camera_options
from actors.ports import TaskSpec, camera_name

CAMERA_PREFIX = camera_name("")


class CameraPlaces(Protocol):
    """Starts, finds and ends cameras. A handle has ``CameraActor``'s methods, each with ``.remote()``."""

    def start(self, spec: TaskSpec, machine: str = "") -> Any:
        """Start the camera of a task; its handle, at once. Raises ValueError while one of the same number is going away.

        ``machine``: Ray's id of the node it should run on; "": wherever there is room.
        """

    def kill(self, handle: Any) -> None:
        """End a camera for good, as it stands."""

    def running(self) -> dict[str, Any]:
        """Handles of the cameras that run, by task number: those of a former supervisor."""


@dataclass(frozen=True, kw_only=True)
class ActorPlaces:
    """Every camera is a detached, named actor; see ``CameraPlaces``.

    Attributes:
        options: Ray options of every camera actor (CPU share, environment).
    """

    namespace: str
    services: CameraServices
    config: CameraConfig
    options: Mapping[str, Any] = field(default_factory=dict)
    log_level: str = "INFO"

    def start(self, spec: TaskSpec, machine: str = "") -> Any:
        """See CameraPlaces."""
        import ray

        options = {
            "name": camera_name(spec.ref.task_num),
            "namespace": self.namespace,
            "lifetime": "detached",
            "max_restarts": 0,  # the supervisor restarts cameras itself, ever more slowly
            "max_task_retries": 0,
            "max_concurrency": 4,
            **camera_options(self.options, spec.site, machine),
        }
        actor: Any = ray.remote(CameraActor).options(**options)
        return actor.remote(spec, self.services, self.config, self.log_level)

    def kill(self, handle: Any) -> None:
        """See CameraPlaces."""
        import ray

        ray.kill(handle, no_restart=True)

    def running(self) -> dict[str, Any]:
        """See CameraPlaces."""
        import ray
        from ray.util import list_named_actors

        found = {}
        for item in list_named_actors(all_namespaces=True):
            if item["namespace"] != self.namespace or not item["name"].startswith(CAMERA_PREFIX):
                continue
            try:
                found[item["name"].removeprefix(CAMERA_PREFIX)] = ray.get_actor(item["name"], namespace=self.namespace)
            except ValueError:
                continue  # it went away in the meantime
        return found
