"""Ports for servers that tests start a little later."""

import random
import socket

# Below the range the system hands out by itself (32768 and up on Linux) and above Ray's worker ports (10002-19999): a port
# found free here is not taken by somebody else before the server is up, except by another test run, hence the chance.
_RANGE = range(20_000, 32_000)


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    for port in random.SystemRandom().sample(_RANGE, 200):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port in {_RANGE}")
