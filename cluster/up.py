"""``wayside up``: everything on a local Ray or on a running cluster, until Ctrl-C."""

import logging
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import ray
from ray import serve
from ray.exceptions import RayError

from cluster.build import APP_NAME, actor_system, build
from cluster.settings import Settings
from models.errors import WeightsCorruptError, WeightsDownloadError, WeightsMissingError
from models.store import WeightsStore

logger = logging.getLogger(__name__)
_READY_TIMEOUT_S = 300


class Running:
    """A running installation; ``close`` ends what this process started."""

    def __init__(
        self,
        settings: Settings,
        address: str | None,
        dashboard_port: int = 8265,
        application: Callable[[dict[str, Any]], Any] = build,
    ) -> None:
        """``application``: makes the Serve application of the settings."""
        self._settings, self._local = settings, address is None
        if self._local:
            # Quiet and alone: no usage report, no leftovers of another local cluster.
            os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
            # The control store remembers the last 100,000 calls of methods for the dashboard, some 150 MB; a few are enough.
            os.environ.setdefault("RAY_task_events_max_num_task_in_gcs", "10000")
            ray.init(
                address="local",
                namespace=settings.namespace,
                include_dashboard=True,
                dashboard_host="127.0.0.1",
                dashboard_port=dashboard_port,
                log_to_driver=False,
                logging_level=logging.WARNING,
                num_cpus=max(2, os.cpu_count() or 2),
            )
        else:
            ray.init(address=address, namespace=settings.namespace, log_to_driver=False, logging_level=logging.WARNING)
        try:
            serve.start(http_options=http_options(settings), proxy_location="HeadOnly")
            serve.run(
                application(overrides(settings)), name=APP_NAME, route_prefix="/", blocking=False, _local_testing_mode=False
            )
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Stop cameras and pushers in order, then Serve, then the local Ray."""
        if not ray.is_initialized():
            return
        try:
            system = actor_system(self._settings)
            system.stop()
            serve.shutdown()
            system.end()
        except RayError as error:
            logger.warning("shutdown incomplete error=%s", error)
        finally:
            ray.shutdown()


def ready_weights(settings: Settings) -> None:
    """Fetch missing or damaged weights before anything starts. Raises ModelError: one line instead of a replica's trace."""
    store, name = WeightsStore(settings.models_dir), settings.detector_model
    if name.endswith(".onnx"):
        return
    try:
        store.verify(name)
    except (WeightsMissingError, WeightsCorruptError) as error:
        logger.warning("%s", error)
        try:
            store.pull(name)
        except WeightsDownloadError as failure:
            raise WeightsDownloadError(f"{error}; fetching them failed: {failure}") from failure


def http_options(settings: Settings) -> dict[str, Any]:
    """Where and how Serve's proxy listens."""
    options: dict[str, Any] = {"host": settings.host, "port": settings.port}
    if settings.tls_certificate:
        options |= {"ssl_certfile": settings.tls_certificate, "ssl_keyfile": settings.tls_key}
    return options


def overrides(settings: Settings) -> dict[str, Any]:
    """The settings as Serve arguments, so that workers on other nodes see the same ones."""
    return settings.model_dump(mode="json")


def wait_for_signal(each: Callable[[], None] | None = None, period_s: float = 1.0) -> None:
    """Block until Ctrl-C or a termination signal; ``each`` runs every ``period_s``."""
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        while not stop.wait(period_s):
            if each:
                each()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
