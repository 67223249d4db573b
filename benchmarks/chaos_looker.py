"""Eyes on every machine: an actor per Ray node writes each camera's count of analysed frames to a file, by camera process.

    python -m benchmarks.chaos_looker ADDRESS FOLDER    puts one on each node that has none, and ends

An actor looks at the cameras of its own node only, over handles it holds: it goes on while the node is cut off. Machines of
the benchmark share this machine's disk, so the files are read where the benchmark runs.
"""

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

_PERIOD_S = 0.25


class _Looker:
    """The actor."""

    def __init__(self, folder: str) -> None:
        import ray

        self._node = ray.get_runtime_context().get_node_id()
        self._file = Path(folder, f"looks-{self._node[:8]}.jsonl")
        self._handles: dict[str, tuple[str, Any]] = {}  # by actor id: camera, handle
        for work in (self._find, self._look):
            threading.Thread(target=work, daemon=True).start()

    def _find(self) -> None:
        import ray
        from ray.exceptions import RayError
        from ray.util import list_named_actors

        where: Any = lambda _: __import__("ray").get_runtime_context().get_node_id()  # noqa: E731, travels by value
        elsewhere: set[str] = set()
        while True:
            try:
                names = [item["name"] for item in list_named_actors(all_namespaces=True) if item["name"].startswith("camera-")]
                for name in names:
                    handle = ray.get_actor(name, namespace="wayside")
                    key = handle._actor_id.hex()
                    if key in self._handles or key in elsewhere:
                        continue
                    if ray.get(handle.__ray_call__.remote(where), timeout=3) == self._node:
                        self._handles[key] = (name.removeprefix("camera-"), handle)
                    else:
                        elsewhere.add(key)
            except (RayError, ValueError):
                pass
            time.sleep(1.0)

    def _look(self) -> None:
        import ray
        from ray.exceptions import ActorDiedError, RayError

        # Not by ``health``, whose questions keep a camera's lease.
        frames_analysed: Any = lambda camera: camera._runner.health().frames_analysed  # noqa: E731, travels by value
        last: dict[str, int] = {}
        while True:
            time.sleep(_PERIOD_S)
            asked = {key: (name, handle.__ray_call__.remote(frames_analysed)) for key, (name, handle) in [*self._handles.items()]}
            for key, (name, answer) in asked.items():
                try:
                    count = ray.get(answer, timeout=2)
                except ActorDiedError:
                    self._handles.pop(key, None)
                    continue
                except RayError:
                    continue
                if count and count != last.get(key):
                    last[key] = count
                    look = {"at": time.time(), "node": self._node[:8], "camera": name, "actor": key, "frames": count}
                    with self._file.open("a") as file:
                        file.write(json.dumps(look) + "\n")

    def ready(self) -> bool:
        return True


def main(address: str, folder: str) -> None:
    """Put the actors there."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    ray.init(address=address, namespace="lookers", log_to_driver=False, configure_logging=False)
    made = []
    for node in ray.nodes():
        if node["Alive"]:
            place = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            name = f"looker-{node['NodeID'][:8]}"
            actor: Any = ray.remote(_Looker)
            made.append(
                actor.options(
                    name=name, get_if_exists=True, lifetime="detached", num_cpus=0, max_concurrency=2, scheduling_strategy=place
                ).remote(folder)
            )
    ray.get([looker.ready.remote() for looker in made], timeout=60)


if __name__ == "__main__":
    main(*sys.argv[1:])
