"""The whole application on one shared local Ray: a camera in, protocol pushes out, and what happens when things die."""

import contextlib
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from actors.outbound import LOOPBACK
from api.receiver import Receiver
from cluster.settings import Settings
from tests.certificates import make_certificate
from tests.cluster.test_grafana import FOLDER, dashboard_expressions
from tests.ports import free_port

pytestmark = [pytest.mark.ray, pytest.mark.timeout(280)]
SOURCE = "sim://approach?seed=3&flow=1800&width=1280&height=720&opposing=2"


def until(condition: Callable[[], Any], timeout_s: float) -> Any:
    end = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.2)
    return value


class Client:
    """A signed-in user of the API."""

    def __init__(self, settings: Settings) -> None:
        trusted = ssl.create_default_context(cafile=settings.tls_certificate or None)
        url = f"{settings.scheme}://127.0.0.1:{settings.port}"
        self._http = httpx.Client(base_url=url, timeout=30, trust_env=False, verify=trusted)
        self._http.headers["token"] = self.call("account/login", username="admin", password="end-to-end")["token"]

    def call(self, path: str, **body: Any) -> Any:
        answer = self._http.post(f"/api/{path}", json=body).json()
        assert answer["code"] == 0, answer
        return answer["data"]

    def get(self, path: str) -> httpx.Response:
        return self._http.get(path)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, weights_store) -> Iterator[tuple[Client, Settings]]:
    from cluster.ingress import prepare
    from cluster.up import Running

    certificate, key = make_certificate(tmp_path_factory.mktemp("tls"), "wayside.example")
    settings = Settings(
        host="127.0.0.1",
        port=free_port(),
        tls_certificate=str(certificate),
        tls_key=str(key),
        data_dir=tmp_path_factory.mktemp("wayside"),
        models_dir=weights_store.root,
        admin_password="end-to-end",
        analysed_fps=8,
        outbound_allow=LOOPBACK,
        database_url="",
        camera_rebalance_after_s=2,
    )
    prepare(settings)
    running = Running(settings, None, dashboard_port=0)
    try:
        yield Client(settings), settings
    finally:
        running.close()


@pytest.fixture(scope="module")
def pushes(installation: tuple[Client, Settings]) -> Iterator[tuple[Client, Receiver, int]]:
    from cluster.demo import demo_scene

    client, _ = installation
    with Receiver() as receiver:
        client.call("interface/add", name="cars", businessType=21, triggerCondition=2, url=receiver.url, uploadImgStatus=1,
                    companyName="c", companyId="1", appId="a")  # fmt: skip
        client.call("interface/add", name="status", businessType=52, triggerCondition=2, url=receiver.url, companyName="c",
                    companyId="1", appId="a")  # fmt: skip
        scene = demo_scene(SOURCE)
        task = client.call("task/add", taskNum="东-1", taskName="演示", srcAddress=SOURCE, scene=scene)
        yield client, receiver, task["id"]


def _snapshots(receiver: Receiver) -> list[Any]:
    return [push for push in list(receiver.pushes) if push.kind == "vehicle-snapshot"]


def test_vehicles_of_a_camera_arrive_as_valid_bodies_with_pictures(pushes: tuple[Client, Receiver, int]) -> None:
    client, receiver, task_id = pushes
    until(lambda: len(_snapshots(receiver)) >= 2, 120)
    assert [push.problems for push in receiver.pushes if push.problems] == []
    statuses = [push.body["taskStatusName"] for push in receiver.pushes if push.kind == "task-status"]
    assert statuses[-1] == "分析中"
    body = _snapshots(receiver)[0].body
    assert body["taskNum"] == "东-1"
    assert body["imgBase64Type"]
    assert client.get("/" + body["vehicleTypePath"]).content.startswith(b"\xff\xd8")
    state = until(lambda: (s := client.call("task/query", id=task_id))["framesAnalysed"] and s, 20)
    assert (state["statusName"], state["width"]) == ("分析中", 1280)


def test_a_killed_camera_comes_back(pushes: tuple[Client, Receiver, int], installation: tuple[Client, Settings]) -> None:
    import ray

    client, receiver, task_id = pushes
    actor = ray.get_actor("camera-东-1", namespace=installation[1].namespace)
    pid = ray.get(actor.process_id.remote())
    os.kill(pid, 9)
    begin = time.monotonic()
    until(lambda: client.call("task/query", id=task_id)["statusName"] != "分析中" or time.monotonic() - begin > 3, 20)
    until(lambda: client.call("task/query", id=task_id)["statusName"] == "分析中", 60)
    seen = len(_snapshots(receiver))
    until(lambda: len(_snapshots(receiver)) > seen, 90)


def test_actors_are_kept_by_the_same_version_replaced_by_another_and_mended_when_ended(
    pushes: tuple[Client, Receiver, int], installation: tuple[Client, Settings]
) -> None:
    import ray

    from cluster.build import actor_system

    client, receiver, task_id = pushes
    settings = installation[1]
    names = ("supervisor", "pusher-0", "aggregator-0", "camera-东-1")

    def processes() -> dict[str, int]:
        handles = [ray.get_actor(name, namespace=settings.namespace) for name in names]
        return dict(zip(names, ray.get([handle.process_id.remote() for handle in handles]), strict=True))

    before = processes()
    actor_system(settings).ensure()
    assert processes() == before, "another ingress or driver of the same version adopts what runs"
    other = actor_system(settings.model_copy(update={"data_source": "another"}))
    other.ensure()
    until(lambda: (now := _quiet(processes)) and not set(before.values()) & set(now.values()), 90)
    seen = len(_snapshots(receiver))
    until(lambda: len(_snapshots(receiver)) > seen, 90)
    assert _snapshots(receiver)[-1].body["dataSource"] == "another"
    until(lambda: client.call("task/query", id=task_id)["statusName"] == "分析中", 60)
    ray.kill(ray.get_actor("supervisor", namespace=settings.namespace), no_restart=True)
    until(lambda: (other.mend(), _quiet(processes))[1], 60)
    assert processes()["camera-东-1"], "a supervisor made anew adopts the camera"
    ids = [push.headers["webhook-id"] for push in receiver.pushes]
    assert len(ids) == len(set(ids)), "nothing was delivered twice on the way"


def test_frozen_actors_are_ended_and_come_back(
    pushes: tuple[Client, Receiver, int], installation: tuple[Client, Settings]
) -> None:
    import ray

    from cluster.hanging import HangWatch

    _, receiver, _ = pushes
    namespace, names = installation[1].namespace, ("supervisor", "pusher-0", "aggregator-0")

    def processes() -> dict[str, int]:
        handles = [ray.get_actor(name, namespace=namespace) for name in names]
        return dict(zip(names, ray.get([handle.process_id.remote() for handle in handles], timeout=10), strict=True))

    before = until(lambda: _quiet(processes), 30)
    watch, ended = HangWatch(namespace, after_s=2.0), set()
    assert watch.look(names) == [], "asked for the first time"
    time.sleep(2)
    assert watch.look(names) == [], "all have answered"
    for process in before.values():
        os.kill(process, signal.SIGSTOP)
    until(lambda: (ended.update(watch.look(names)), ended == set(names))[1], 60)
    until(lambda: (now := _quiet(processes)) and not set(before.values()) & set(now.values()), 60)
    seen = len(_snapshots(receiver))
    until(lambda: len(_snapshots(receiver)) > seen, 90)


def _quiet(processes: Callable[[], dict[str, int]]) -> dict[str, int]:
    """What it says, {} while an actor is away."""
    from ray.exceptions import RayError

    try:
        return processes()
    except (RayError, ValueError):
        return {}


@contextlib.contextmanager
def _machine(*labels: str, cpus: int = 1) -> Iterator[subprocess.Popen[bytes]]:
    """A second Ray node on this machine, with labels and so many declared CPUs. Ends with all its processes."""
    import ray

    address = ray.get_runtime_context().gcs_address
    command = [
        *(sys.executable, "-c", "from ray.scripts.scripts import main; main()", "start", f"--address={address}", "--block"),
        *(f"--num-cpus={cpus}", "--num-gpus=0", "--object-store-memory=80000000", f"--labels={','.join(labels)}"),
        *("--dashboard-agent-listen-port=0", "--include-log-monitor=false"),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def test_a_task_waits_for_a_machine_of_its_site_runs_there_and_waits_again_when_it_is_gone(
    installation: tuple[Client, Settings],
) -> None:
    import ray

    client, settings = installation
    task = client.call(
        "task/add",
        taskNum="north-1",
        taskName="site",
        srcAddress="sim://approach?seed=4&width=1280&height=720",
        analysedFps=2,
        site="north",
    )

    def told() -> Any:
        return client.call("task/query", id=task["id"])

    until(lambda: "north" in told()["reason"], 20)
    assert told()["statusName"] == "未启动"
    with _machine("site=north"):
        until(lambda: told()["statusName"] == "分析中", 90)
        (north,) = (node for node in ray.nodes() if node["Alive"] and node["Labels"].get("site") == "north")
        camera = ray.get_actor("camera-north-1", namespace=settings.namespace)
        place = ray.get(camera.__ray_call__.remote(lambda self: ray.get_runtime_context().get_node_id()), timeout=20)
        assert place == north["NodeID"]
    until(lambda: "no machine of site north" in told()["reason"], 90)
    client.call("task/delete", id=task["id"])


def test_a_running_camera_goes_to_a_machine_that_joins_and_back_when_it_is_gone(
    pushes: tuple[Client, Receiver, int], installation: tuple[Client, Settings]
) -> None:
    import ray

    client, settings = installation
    task = client.call("task/add", taskNum="second", taskName="second", srcAddress="sim://approach?seed=4&width=640&height=360",
                       analysedFps=2)  # fmt: skip

    def analysed() -> bool:
        return {client.call("task/query", id=key)["statusName"] for key in (task["id"], pushes[2])} == {"分析中"}

    def held() -> dict[str, int]:
        """Cameras by the site of their machine."""
        return {machine["site"]: machine["cameras"] for machine in client.call("system/query")["machines"] if machine["alive"]}

    until(analysed, 60)
    assert held() == {"": 2}
    with _machine("site=joined", cpus=64):
        until(lambda: held() == {"": 1, "joined": 1} and analysed(), 120)
        time.sleep(2 * settings.reconcile_period_s)
        assert held() == {"": 1, "joined": 1}, "and stays there"
    until(lambda: held() == {"": 2} and analysed(), 120)
    assert ray.get_actor("camera-second", namespace=settings.namespace)
    client.call("task/delete", id=task["id"])


def test_health_names_every_component_and_the_api_speaks_tls(installation: tuple[Client, Settings]) -> None:
    client, settings = installation
    data = until(lambda: (answer := client.get("/api/health")).status_code == 200 and answer.json()["data"], 30)
    assert set(data["components"]) >= {"supervisor", "pusher-0", "aggregator-0", "detector", "disk", "database", "archive"}
    assert settings.scheme == "https"
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"http://127.0.0.1:{settings.port}/api/health", timeout=10, trust_env=False)


# Counters of what has not happened are not there yet.
QUIET = {
    "ray_wayside_frames_dropped_total", "ray_wayside_pictures_failed_total", "ray_wayside_clips_failed_total",
    "ray_wayside_recognition_failed_total", "ray_wayside_events_total", "ray_wayside_plates_stated_total",
}  # fmt: skip


def metrics_address() -> str:
    """Where this machine's Ray exports its metrics."""
    import ray

    (node,) = (node for node in ray.nodes() if node["Alive"])
    return f"{node['NodeManagerAddress']}:{node['MetricsExportPort']}"


def wanted_metrics() -> set[str]:
    """Names that the dashboard and the alert rules ask for."""
    expressions = " ".join([*dashboard_expressions(), (FOLDER / "alerts.yaml").read_text(encoding="utf-8")])
    return set(re.findall(r"\bray_[a-z_]+\b", expressions)) - QUIET


def test_a_running_wayside_exports_every_metric_of_the_dashboard_and_the_alert_rules(
    pushes: tuple[Client, Receiver, int],
) -> None:
    def missing() -> set[str]:
        text = httpx.get(f"http://{metrics_address()}/metrics", timeout=20, trust_env=False).text
        return wanted_metrics() - set(re.findall(r"^(ray_\w+)", text, re.MULTILINE))

    assert len(wanted_metrics()) > 15
    with contextlib.suppress(AssertionError):
        until(lambda: not missing(), 60)  # Ray exports every few seconds
    assert missing() == set()


def test_a_prometheus_that_scrapes_it_answers_every_panel(pushes: tuple[Client, Receiver, int], tmp_path: Path) -> None:
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("no prometheus (Debian: apt-get install prometheus)")
    port = free_port()
    config = {"scrape_configs": [{"job_name": "ray", "scrape_interval": "2s", "scrape_timeout": "2s",
                                  "static_configs": [{"targets": [metrics_address()]}]}]}  # fmt: skip
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    arguments = [
        f"--config.file={tmp_path}/prometheus.yml",
        f"--storage.tsdb.path={tmp_path}/data",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([program, *arguments], stdout=log, stderr=log)
    try:
        api = httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1/", timeout=20, trust_env=False)

        def answer(expression: str) -> dict[str, Any]:
            try:
                return dict(api.get("query", params={"query": expression}).json())
            except httpx.HTTPError:
                return {"status": "not up yet"}

        def silent() -> list[str]:
            asked = [e for e in dashboard_expressions() if not QUIET & set(re.findall(r"\bray_[a-z_]+\b", e))]
            return [e for e in asked if not answer(e).get("data", {}).get("result")]

        with contextlib.suppress(AssertionError):
            until(lambda: not silent(), 60)
        assert silent() == []
        assert [e for e in dashboard_expressions() if answer(e)["status"] != "success"] == []
    finally:
        process.terminate()
        process.wait(20)


def test_stopping_a_task_says_so_and_ends_its_camera(pushes: tuple[Client, Receiver, int]) -> None:
    client, receiver, task_id = pushes
    client.call("task/stop", id=task_id)
    until(lambda: [p.body["taskStatusName"] for p in list(receiver.pushes) if p.kind == "task-status"][-1] == "未启动", 60)
    assert until(lambda: client.call("task/query", id=task_id)["statusName"] == "未启动", 20)


def test_nothing_was_lost_on_the_way(installation: tuple[Client, Settings], tmp_path: Path) -> None:
    from api.outbox import SqlOutboxStore

    store = SqlOutboxStore(installation[1].resolved_database_url)
    until(lambda: not store.waiting(), 30)
