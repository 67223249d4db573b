"""From the actors that run to the actors that are wanted: keep, replace in order, remove."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util import list_named_actors

logger = logging.getLogger(__name__)
_ASK_TIMEOUT_S, _END_TIMEOUT_S, _NAME_TIMEOUT_S = 10.0, 40.0, 20.0


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A named actor. ``farewell``: the method that ends it in order when another generation takes over."""

    name: str
    start: Callable[[], Any]
    farewell: str = "stop"


def find(name: str, namespace: str) -> Any:
    """Handle of a named actor; None when there is none."""
    try:
        return ray.get_actor(name, namespace=namespace)
    except ValueError:
        return None


def start_missing(wanted: list[Wanted], namespace: str) -> None:
    """Start what is not there; what is there is left alone, whatever its generation."""
    known = {item["name"] for item in list_named_actors(all_namespaces=True) if item["namespace"] == namespace}
    for item in wanted:
        if item.name not in known:
            logger.warning("actor missing, started name=%s", item.name)
            item.start()


def hand_over(wanted: list[Wanted], namespace: str, generation: str, families: tuple[str, ...]) -> None:
    """Make the named actors those of ``generation``.

    Actors of the same generation are kept: they outlive the ingress and the driver. Others end in order, last first (the
    supervisor before those it sends to), and start anew, first first. Names of ``families`` (prefixes) that nobody wants end.
    """
    names = {item.name for item in wanted}
    strangers = [
        item["name"]
        for item in list_named_actors(all_namespaces=True)
        if item["namespace"] == namespace and item["name"].startswith(families) and item["name"] not in names
    ]
    other = [item for item in wanted if not _is_current(find(item.name, namespace), generation)]
    for item in reversed(other):
        retire(item.name, namespace, item.farewell)
    for name in strangers:
        logger.info("actor no longer wanted name=%s", name)
        retire(name, namespace, "stop")
    for item in wanted:
        item.start()


def retire(name: str, namespace: str, farewell: str) -> None:
    """End an actor in order, then for good, and wait until its name is free."""
    handle = find(name, namespace)
    if handle is None:
        return
    try:
        ray.get(getattr(handle, farewell).remote(), timeout=_END_TIMEOUT_S)
    except (RayError, AttributeError) as error:
        logger.warning("actor did not end in order name=%s error=%s", name, type(error).__name__)
    ray.kill(handle, no_restart=True)
    until = time.monotonic() + _NAME_TIMEOUT_S
    while find(name, namespace) is not None and time.monotonic() < until:
        time.sleep(0.05)


def _is_current(handle: Any, generation: str) -> bool:
    """Whether the actor is of this generation; True for none at all: there is nothing to replace."""
    if handle is None:
        return True
    try:
        return bool(ray.get(handle.generation.remote(), timeout=_ASK_TIMEOUT_S) == generation)
    except (RayError, AttributeError) as error:  # an actor of a version that does not know the question
        logger.warning("actor does not say its generation error=%s", type(error).__name__)
        return False
