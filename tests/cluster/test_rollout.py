"""Where a new version's replicas start, and how the state of deployments is told."""

from types import SimpleNamespace
from typing import Any

import pytest

from cluster import actors
from cluster.build import network_deployments
from cluster.rollout import Share, has_room, surge_percent
from cluster.settings import Settings


def test_the_surge_is_one_replica() -> None:
    for replicas in range(1, 101):
        assert (surge_percent(replicas) * replicas + 99) // 100 == 1, "Serve rounds up"
        assert 1 <= surge_percent(replicas) <= 100


def test_replicas_fit_only_on_machines_with_room_for_them() -> None:
    two = [{"CPU": 0.5, "GPU": 1.0}, {"CPU": 0.5}]
    assert has_room(two, [Share(cpus=0.5, gpus=1.0), Share(cpus=0.5, gpus=0.0)])
    assert has_room(two, [Share(cpus=0.5, gpus=0.0), Share(cpus=0.5, gpus=1.0)]), "the one that needs a GPU chooses first"
    assert not has_room(two, [Share(cpus=1.0, gpus=0.0)]), "what is left on two machines is no place for one"
    assert not has_room([{"CPU": 8.0}], [Share(cpus=1.0, gpus=0.5)])
    assert has_room([{"CPU": 0.30000000000000004 - 0.1}], [Share(cpus=0.2, gpus=0.0)]), "rounding is no lack of room"
    assert not has_room([], [Share(cpus=0.0, gpus=0.0)]), "no Ray: nothing is known"


@pytest.mark.parametrize(("cpus", "surge"), [(1.0, 100), (0.5, 0)])
def test_networks_start_beside_the_old_ones_where_all_of_them_have_room(
    cpus: float, surge: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cluster.build.free_now", lambda: [{"CPU": cpus}])
    bound = network_deployments(Settings(detector_threads=2))
    told = {item._bound_deployment.name: item._bound_deployment._deployment_config.max_surge_percent for item in bound}
    assert told == {"detector": surge, "plates": surge, "attributes": surge}


def test_detector_replicas_are_a_fixed_number_unless_they_may_grow() -> None:
    def config(**settings: int) -> Any:
        return network_deployments(Settings(**settings))[0]._bound_deployment._deployment_config  # type: ignore[arg-type]

    fixed = config(detector_replicas=2)
    assert (fixed.num_replicas, fixed.autoscaling_config) == (2, None)
    assert config(detector_replicas=2, detector_replicas_max=2).autoscaling_config is None
    growing = config(detector_replicas=2, detector_replicas_max=6, detector_threads=3).autoscaling_config
    assert (growing.min_replicas, growing.max_replicas, growing.target_ongoing_requests) == (2, 6, 6)
    on_gpu = config(detector_replicas_max=6, detector_num_gpus=1, detector_max_batch_size=16).autoscaling_config
    assert on_gpu.target_ongoing_requests == 32, "a batch is computed at once, and one waits"
    with pytest.raises(ValueError, match="at least detector_replicas"):
        Settings(detector_replicas=3, detector_replicas_max=2)


def deployment(message: str = "", **states: int) -> SimpleNamespace:
    return SimpleNamespace(replica_states=states, message=message, status="UNHEALTHY")


def test_a_deployment_without_a_replica_says_why_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    trace = (
        "The deployment failed to start 3 times:\nTraceback:\n  WeightsCorruptError: weights of picodet-s are damaged\nsee logs"
    )
    deployments = {
        "ingress": deployment(RUNNING=1),
        "detector": deployment(trace, STARTING=1),
        "plates": deployment(RUNNING=1, STOPPING=1),
        "attributes": deployment("", UPDATING=1),
    }
    application = SimpleNamespace(deployments=deployments)
    monkeypatch.setattr(actors.serve, "status", lambda: SimpleNamespace(applications={actors.APP_NAME: application}))
    states = actors.deployment_states()
    assert states["plates"] == "ok"
    assert states["detector"] == "没有可用副本 / no replica runs: WeightsCorruptError: weights of picodet-s are damaged"
    assert states["attributes"] == "没有可用副本 / no replica runs: UNHEALTHY"
    assert "ingress" not in states, "it is the one that answers"
    monkeypatch.setattr(actors.serve, "status", lambda: SimpleNamespace(applications={}))
    assert actors.deployment_states() == {"detector": "未部署 / not deployed"}
