"""Several machines on one: network namespaces, each with two links whose other ends can be taken down.

The first link joins the cluster (Ray between its nodes), the second the world (cameras, database, archive, receivers, users).
So a machine can be cut off from the cluster and still reach the world, which is the case that needs fencing, or from both.
Needs root and ``ip`` (Debian's iproute2).
"""

import os
import signal
import subprocess
from collections.abc import Sequence
from types import TracebackType

WORLD, CLUSTER = "10.99.7", "10.98.7"
HERE = f"{WORLD}.1"  # this program's own address in the world


class Network:
    """Namespaces by name, made on entry and gone on exit with every process in them."""

    def __init__(self, names: Sequence[str], prefix: str = "wkl") -> None:
        """``prefix``: of links and namespaces; names of links have at most 15 letters."""
        self.names, self._prefix = tuple(names), prefix

    def __enter__(self) -> "Network":
        self._remove()
        for bridge in "cw":
            _ip(f"link add {self._prefix}-{bridge} type bridge")
            _ip(f"link set {self._prefix}-{bridge} up")
        _ip(f"addr add {HERE}/24 dev {self._prefix}-w")
        for name in self.names:
            _ip(f"netns add {self._space(name)}")
            _ip(f"-n {self._space(name)} link set lo up")
            for bridge, address in (("c", self.address(name)), ("w", self.world_address(name))):
                outer, inner = self._port(name, bridge), f"{bridge}0"
                _ip(f"link add {outer} type veth peer name {inner} netns {self._space(name)}")
                _ip(f"link set {outer} master {self._prefix}-{bridge} up")
                _ip(f"-n {self._space(name)} addr add {address}/24 dev {inner}")
                _ip(f"-n {self._space(name)} link set {inner} up")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._remove()

    def address(self, name: str) -> str:
        """A machine's address in the cluster."""
        return f"{CLUSTER}.{self.names.index(name) + 2}"

    def world_address(self, name: str) -> str:
        """A machine's address in the world."""
        return f"{WORLD}.{self.names.index(name) + 2}"

    def inside(self, name: str) -> list[str]:
        """What a command begins with that runs on a machine."""
        return ["ip", "netns", "exec", self._space(name)]

    def cut(self, name: str, *, world: bool = False) -> None:
        """Take a machine's link to the cluster down, and with ``world`` the other one too: nothing is told to either side."""
        for bridge in "cw" if world else "c":
            _ip(f"link set {self._port(name, bridge)} down")

    def heal(self, name: str) -> None:
        """Take both links up again."""
        for bridge in "cw":
            _ip(f"link set {self._port(name, bridge)} up")

    def pids(self, name: str) -> list[int]:
        """Processes of a machine."""
        found = subprocess.run(["ip", "netns", "pids", self._space(name)], capture_output=True, text=True, check=False)
        return [int(line) for line in found.stdout.split()]

    def kill(self, name: str) -> None:
        """SIGKILL to everything on a machine."""
        for _ in range(20):
            pids = self.pids(name)
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            if not pids:
                return

    def _remove(self) -> None:
        for name in self.names:
            self.kill(name)
            _ip(f"netns del {self._space(name)}", check=False)
            for bridge in "cw":  # goes with its namespace once the last process there is gone, or now
                _ip(f"link del {self._port(name, bridge)}", check=False)
        for bridge in "cw":
            _ip(f"link del {self._prefix}-{bridge}", check=False)

    def _space(self, name: str) -> str:
        return f"{self._prefix}-{name}"

    def _port(self, name: str, bridge: str) -> str:
        return f"{self._prefix}{bridge}-{name}"


def _ip(arguments: str, *, check: bool = True) -> None:
    done = subprocess.run(["ip", *arguments.split()], capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise SystemExit(f"ip {arguments}: {done.stderr.strip()} (root and network namespaces are needed)")
