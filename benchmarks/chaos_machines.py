"""Wayside on three machines that are network namespaces of this one: a head and two others, each with a Ray node of its own.

The head reserves no CPU, as in cluster/kuberay.yaml. Both others have a "GPU" (declared, there is none), so that each gets one
replica of the detector, and CPUs for cameras. Database (PostgreSQL), archive (moto's S3 server or a shared folder), Redis, cameras and
receiver are in the world outside. Needs root, Debian's postgresql, and redis-server or moto where they are asked for.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import psutil

from benchmarks.chaos_installation import PARTS, PASSWORD
from benchmarks.chaos_network import HERE, Network
from tests.ports import free_port

HEAD, OTHERS = "head", ("one", "two")
_RAY = (sys.executable, "-c", "from ray.scripts.scripts import main; main()", "start", "--block", "--include-log-monitor=false")
_GCS_PORT = 6379
# As in docs/scaling.md: a machine that says nothing counts as dead after 16 s rather than a minute.
DEATH = {
    "health_check_initial_delay_ms": 2000,
    "health_check_period_ms": 1000,
    "health_check_timeout_ms": 3000,
    "health_check_failure_threshold": 4,
}
