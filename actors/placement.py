"""Where camera actors may run: anywhere, spread over the machines, or on the machines of the task's site.

A machine belongs to a site by a Ray label, ``ray start --labels site=north``. Ray recommends labels rather than custom
resources for what is not counted (docs.ray.io, "Use labels to control scheduling").
"""

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

logger = logging.getLogger(__name__)
SITE_LABEL = "site"
_NODE_LABEL, _HEAD_RESOURCE = "ray.io/node-id", "node:__internal_head__"  # given by Ray to every machine, to the head
# Ray takes the same values as Kubernetes does for labels.
SITE_PATTERN = r"[A-Za-z0-9]([A-Za-z0-9_.\-]{0,61}[A-Za-z0-9])?"
WAITING_FOR_ROOM = "等待计算资源 (waiting for free CPUs of the cluster)"


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """A Ray node that lives: its id, the CPUs (0: it runs no cameras) and GPUs it declares, its site ("" for none)."""

    node_id: str
    cpus: float
    gpus: float = 0.0
    site: str = ""


def is_site(text: str) -> bool:
    """Whether ``text`` can be a site: 1 to 63 letters, digits, ``-``, ``_``, ``.``, the first and the last a letter or digit."""
    return re.fullmatch(SITE_PATTERN, text) is not None


def camera_options(common: Mapping[str, Any], site: str, machine: str = "") -> dict[str, Any]:
    """Ray options of a camera actor. Ray's default strategy fills half of a machine before it turns to the next one; a camera
    reserves a hundredth of a CPU, so that would be fifty cameras per core on the first machine.

    Args:
        common: options of every camera; they win over the ones made here.
        site: the task's site; "": any machine.
        machine: Ray's id of the node that it should run on, if there is room; "": Ray decides.
    """
    at_site = {SITE_LABEL: site} if site else {}
    if machine:
        chosen = {"label_selector": {**at_site, _NODE_LABEL: machine}, "fallback_strategy": [{"label_selector": at_site}]}
        return {**chosen, **{key: value for key, value in common.items() if key != "scheduling_strategy"}}
    placed: dict[str, Any] = {"label_selector": at_site} if site else {}
    return {"scheduling_strategy": "SPREAD", **placed, **common}


def machines_of(nodes: Iterable[Mapping[str, Any]]) -> list[Machine]:
    """The machines that live, from the answer of ``ray.nodes()``."""
    return [
        Machine(
            node_id=node["NodeID"],
            cpus=float(node["Resources"].get("CPU", 0.0)),
            gpus=float(node["Resources"].get("GPU", 0.0)),
            site=(node.get("Labels") or {}).get(SITE_LABEL, ""),
        )
        for node in nodes
        if node["Alive"]
    ]


def machines_in_cluster() -> list[Machine]:
    """Machines that live now; none while Ray's control store does not answer."""
    import ray
    from ray.exceptions import RayError

    try:
        return machines_of(ray.nodes())
    except RayError as error:
        logger.warning("machines of the cluster unknown error=%s", type(error).__name__)
        return []


def sites_in_cluster() -> frozenset[str]:
    """Sites that have a machine now; none while Ray's control store does not answer."""
    return frozenset(machine.site for machine in machines_in_cluster() if machine.site)


def off_the_head(nodes: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Ray options of an actor that should outlive the head: on any other machine, on the head when there is none.

    While the head is away nothing can be started, so whoever was on it is away as long.

    Args:
        nodes: the answer of ``ray.nodes()``.
    """
    alive = [node for node in nodes if node["Alive"]]
    heads = [node["NodeID"] for node in alive if _HEAD_RESOURCE in node["Resources"]]
    if not heads or len(alive) == len(heads):
        return {}
    return {"label_selector": {_NODE_LABEL: f"!{heads[0]}"}, "fallback_strategy": [{"label_selector": {}}]}


def obstacle(site: str, starting: int, starting_at_once: int, sites: Iterable[str]) -> str:
    """Why a camera cannot be started now, in both languages; "" when it can.

    Each site has places of its own for cameras that are starting: one whose machines are full holds up no other site.

    Args:
        site: the task's site, "" for any machine.
        starting: cameras of the same site that were started and have not answered yet.
        starting_at_once: how many of them there may be.
        sites: sites that have a machine; not looked at for a task without a site.
    """
    if site and site not in sites:
        return f"站点 {site} 没有在线节点 (no machine of site {site} is in the cluster)"
    return WAITING_FOR_ROOM if starting >= starting_at_once else ""
