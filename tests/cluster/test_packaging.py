"""The image, the manifests and the commands of docs/scaling.md speak of settings, ports and commands that exist.

Fields of KubeRay's types are from ray-operator/apis/ray/v1 and config/samples of ray-project/kuberay and from Ray's pages;
nothing on PyPI holds its schemas.
"""

import re
import shlex
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from cluster.settings import Settings
from tests.conftest import ROOT

KUBERAY, RAY_UP, DOCKERFILE = (ROOT / "cluster" / name for name in ("kuberay.yaml", "ray-up.yaml", "Dockerfile"))
GUIDE = ROOT / "docs" / "scaling.md"
SERVICE_FIELDS = {"upgradeStrategy", "serveConfigV2", "rayClusterConfig", "serveService", "excludeHeadPodFromServeSvc"}
CLUSTER_FIELDS = {
    "rayVersion", "authOptions", "gcsFaultToleranceOptions", "enableInTreeAutoscaling", "autoscalerOptions", "headGroupSpec",
    "workerGroupSpecs",
}  # fmt: skip
AUTOSCALER_FIELDS = {
    "version", "upscalingMode", "idleTimeoutSeconds", "securityContext", "resources", "image", "imagePullPolicy", "env",
    "envFrom", "volumeMounts",
}  # fmt: skip
WORKER_FIELDS = {
    "groupName",
    "replicas",
    "minReplicas",
    "maxReplicas",
    "numOfHosts",
    "labels",
    "resources",
    "rayStartParams",
    "template",
}
HEAD_FIELDS = {"serviceType", "headService", "enableIngress", "labels", "resources", "rayStartParams", "template"}


def documents(text: str) -> list[Any]:
    return [document for document in yaml.safe_load_all(text) if document]


@pytest.fixture(scope="module")
def manifests() -> list[Any]:
    return documents(KUBERAY.read_text(encoding="utf-8"))


def of_kind(manifests: list[Any], kind: str) -> list[Any]:
    return [document for document in manifests if document["kind"] == kind]


@pytest.fixture(scope="module")
def service(manifests: list[Any]) -> Any:
    (found,) = of_kind(manifests, "RayService")
    return found["spec"]


@pytest.fixture(scope="module")
def serve_config(service: Any) -> Any:
    return yaml.safe_load(service["serveConfigV2"])


def groups(service: Any) -> dict[str, Any]:
    cluster = service["rayClusterConfig"]
    return {"head": cluster["headGroupSpec"]} | {group["groupName"]: group for group in cluster["workerGroupSpecs"]}


def container(group: Any) -> Any:
    (only,) = group["template"]["spec"]["containers"]
    return only


def docker_steps() -> list[list[str]]:
    """Instructions of the Dockerfile as words, comments and line ends taken out."""
    lines = [line for line in DOCKERFILE.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [line.split() for line in joined.splitlines() if line.strip()]


def docker_values(instruction: str) -> dict[str, str]:
    words = [word for step in docker_steps() if step[0] == instruction for word in step[1:]]
    return dict(word.split("=", 1) for word in words if "=" in word)


def test_kubernetes_takes_every_object_of_its_own(manifests: list[Any], service: Any) -> None:
    own = [document for document in manifests if not document["apiVersion"].startswith("ray.io/")]
    own += documents("\n---\n".join(re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.S)))
    # A pod template is checked as the kind that holds nothing else.
    own += [
        {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": name}, "template": group["template"]}
        for name, group in groups(service).items()
    ]
    assert {"Service", "PodDisruptionBudget", "NetworkPolicy", "PersistentVolumeClaim", "PodTemplate"} <= {
        item["kind"] for item in own
    }
    for document in own:
        kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)


def test_a_misspelt_field_is_found() -> None:
    broken = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"selectors": {}}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, kubernetes_validate.latest_version(), strict=True)


def test_kuberay_knows_every_field(service: Any) -> None:
    assert set(service) <= SERVICE_FIELDS
    assert set(service["rayClusterConfig"]) <= CLUSTER_FIELDS
    assert set(service["rayClusterConfig"]["autoscalerOptions"]) <= AUTOSCALER_FIELDS
    for name, group in groups(service).items():
        assert set(group) <= (HEAD_FIELDS if name == "head" else WORKER_FIELDS), name
        assert all(isinstance(value, str) for value in group["rayStartParams"].values()), "KubeRay takes texts only"
    assert service["upgradeStrategy"] == {"type": "None"}, "a text: YAML's null would be KubeRay's default"


def test_serve_takes_the_application_and_the_settings_exist(serve_config: Any) -> None:
    from ray.serve.schema import ServeDeploySchema

    ServeDeploySchema.model_validate(serve_config)
    ours = yaml.safe_load((ROOT / "ray_config.yaml").read_text(encoding="utf-8"))
    (application,), (plain,) = serve_config["applications"], ours["applications"]
    assert application["import_path"] == plain["import_path"]
    assert serve_config["proxy_location"] == ours["proxy_location"]
    assert set(application["args"]) <= set(Settings.model_fields)
    settings = Settings(**application["args"])
    secret = {name for name, field in Settings.model_fields.items() if not field.repr}
    assert not secret & set(application["args"]), "Ray shows arguments on its dashboard"
    assert settings.detector_num_gpus + settings.attribute_num_gpus <= 1, "both have to fit on one card"


def test_the_port_of_the_api_is_the_same_everywhere(manifests: list[Any], service: Any, serve_config: Any) -> None:
    port = serve_config["http_options"]["port"]
    assert port == Settings.model_fields["port"].default
    assert {"name": "serve", "containerPort": port} in container(groups(service)["head"])["ports"]
    (api,) = of_kind(manifests, "Service")
    assert [item["targetPort"] for item in api["spec"]["ports"]] == [port]
    (policy,) = of_kind(manifests, "NetworkPolicy")
    opened = [item["port"] for rule in policy["spec"]["ingress"] for item in rule.get("ports", ())]
    assert port in opened
    exposed = [step[1] for step in docker_steps() if step[0] == "EXPOSE"]
    assert exposed == [str(port)]
    assert f"127.0.0.1:{port}/-/healthz" in DOCKERFILE.read_text(encoding="utf-8")


def test_selectors_find_their_pods_and_budgets_leave_room_for_a_drain(manifests: list[Any], service: Any) -> None:
    labels = {name: group["template"]["metadata"]["labels"] for name, group in groups(service).items()}

    def chosen(selector: dict[str, str]) -> set[str]:
        return {name for name, own in labels.items() if selector.items() <= own.items()}

    (api,) = of_kind(manifests, "Service")
    assert chosen(api["spec"]["selector"]) == {"head"}
    (policy,) = of_kind(manifests, "NetworkPolicy")
    assert chosen(policy["spec"]["podSelector"]["matchLabels"]) == set(labels)
    for budget in of_kind(manifests, "PodDisruptionBudget"):
        (group,) = chosen(budget["spec"]["selector"]["matchLabels"])
        assert isinstance(budget["spec"]["minAvailable"], int)
        assert budget["spec"]["minAvailable"] < groups(service)[group]["minReplicas"]


def test_a_site_is_labelled_as_the_supervisor_asks_and_never_empty(service: Any) -> None:
    from actors.placement import SITE_LABEL, is_site

    sites = [group for group in groups(service).values() if SITE_LABEL in group.get("labels", {})]
    assert sites
    assert all(is_site(group["labels"][SITE_LABEL]) and group["minReplicas"] >= 1 for group in sites)


def test_pods_run_as_the_user_of_the_image_and_mount_its_folders(service: Any) -> None:
    (user,) = [step[1] for step in docker_steps() if step[0] == "USER"]
    folders = docker_values("ENV")
    for name, group in groups(service).items():
        pod = group["template"]["spec"]
        assert f"{pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}" == user, name
        assert container(group)["securityContext"]["runAsNonRoot"] is True
        mounts = {mount["mountPath"]: mount["name"] for mount in container(group)["volumeMounts"]}
        assert folders["WAYSIDE_DATA_DIR"] in mounts
        assert not folders["WAYSIDE_MODELS_DIR"].startswith(tuple(mounts)), "the weights of the image would be hidden"
        assert set(mounts.values()) == {volume["name"] for volume in pod["volumes"]}
    assert {"WAYSIDE_DATA_DIR", "WAYSIDE_MODELS_DIR"} <= set(folders)


def test_the_secret_holds_settings_and_what_the_manifest_asks_of_it(service: Any) -> None:
    text = KUBERAY.read_text(encoding="utf-8")
    made = set(re.findall(r"--from-literal=(\w+)=", text))
    assert {name.removeprefix("WAYSIDE_").lower() for name in made if name.startswith("WAYSIDE_")} <= set(Settings.model_fields)
    assert {"WAYSIDE_DATABASE_URL", "WAYSIDE_SECRET_KEY", "WAYSIDE_ADMIN_PASSWORD"} <= made
    asked = service["rayClusterConfig"]["gcsFaultToleranceOptions"]["redisPassword"]["valueFrom"]["secretKeyRef"]
    assert asked["key"] in made
    (named,) = set(re.findall(r"create secret generic (\S+)", text))
    sources = {source["secretRef"]["name"] for group in groups(service).values() for source in container(group)["envFrom"]}
    assert sources == {named} == {asked["name"]}


def test_one_ray_everywhere_and_one_that_the_package_takes(service: Any) -> None:
    from packaging.requirements import Requirement

    version = docker_values("ARG")["RAY_VERSION"]
    assert service["rayClusterConfig"]["rayVersion"] == version
    for text in (RAY_UP.read_text(encoding="utf-8"), GUIDE.read_text(encoding="utf-8")):
        assert set(re.findall(r"ray\[serve,default\]==([\d.]+)", text)) == {version}
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (wanted,) = re.findall(r'"(ray\[serve,default\][^"]*)"', project)
    assert version in Requirement(wanted).specifier
    assert {f"wayside:{version}" for version in re.findall(r'^version = "(.*)"', project, re.M)} == {
        container(group)["image"] for group in groups(service).values()
    }


def test_the_image_is_made_of_files_that_are_there_and_not_ignored() -> None:
    ignored = [line for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    kept = {line[1:] for line in ignored if line.startswith("!")}
    assert ignored[0] == "*", "what is not named stays out"
    sources = {word for step in docker_steps() if step[0] == "COPY" and not step[1].startswith("--") for word in step[1:-1]}
    assert {Path(source).parts[0] for source in sources} == kept
    assert all((ROOT / source).exists() for source in sources)
    packages = re.search(r"packages = \[(.*?)\]", (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert packages
    assert set(re.findall(r'"(\w+)"', packages[1])) <= kept
    assert "outDir: '../api/console_files'" in (ROOT / "console" / "vite.config.ts").read_text(encoding="utf-8")


def test_every_wayside_command_exists() -> None:
    from typer.main import get_command

    from cluster.cli import app

    root: Any = get_command(app)
    texts = [path.read_text(encoding="utf-8") for path in (DOCKERFILE, RAY_UP, GUIDE)]
    calls = [call for text in texts for call in re.findall(r"(?:bin/|\s|`)wayside ((?:[a-z]+ ?)+)", text)]
    (command,) = re.findall(r'^CMD \["wayside", "(\w+)"\]', texts[0], re.M)
    known = [[*call.split(), ""][:2] for call in calls if call.split()[0] in root.commands] + [[command, ""]]
    assert ["models", "pull"] in known
    assert ["up", ""] in known
    for first, second in known:
        group = root.commands[first]
        assert not hasattr(group, "commands") or second in group.commands, (first, second)


def ray_start_calls() -> list[list[str]]:
    config = yaml.safe_load(RAY_UP.read_text(encoding="utf-8"))
    texts = [*config["head_start_ray_commands"], *config["worker_start_ray_commands"]]
    texts += re.findall(r"^(?:\w+=\S+ )*ray start .*$", GUIDE.read_text(encoding="utf-8"), re.M)
    return [shlex.split(text.split("ray start", 1)[1]) for text in texts if "ray start" in text]


def test_ray_start_knows_every_option() -> None:
    from ray.scripts import scripts

    options = {name for parameter in scripts.cli.commands["start"].params for name in parameter.opts}
    calls = ray_start_calls()
    assert len(calls) >= 4
    for call in calls:
        given = {word.split("=")[0] for word in call if word.startswith("--")}
        assert given <= options, given - options


def test_the_cluster_launcher_takes_its_file_and_no_two_ports_are_the_same() -> None:
    from ray.autoscaler._private.util import prepare_config, validate_config

    config = yaml.safe_load(RAY_UP.read_text(encoding="utf-8"))
    validate_config(prepare_config(config))
    with pytest.raises(Exception, match=r"[Aa]dditional"):
        validate_config(prepare_config({**config, "start_commands": []}))
    for call in ray_start_calls()[:2]:
        ports = [int(value) for name, value in (word.split("=", 1) for word in call if "port=" in word)]
        assert len(set(ports)) == len(ports)
        low, high = sorted(ports)[-2:]
        assert not any(low < port < high for port in ports)
        assert Settings.model_fields["port"].default not in range(low, high)
    for mounted in ("ray_config.yaml", "~/.ray/auth_token"):
        assert mounted in config["file_mounts"].values()


def test_settings_named_in_the_guide_exist() -> None:
    names = set(re.findall(r"WAYSIDE_([A-Z_]+)", GUIDE.read_text(encoding="utf-8")))
    assert names
    assert {name.lower() for name in names} <= set(Settings.model_fields)


@pytest.mark.parametrize("path", [KUBERAY, RAY_UP, GUIDE])
def test_ray_asks_for_a_token(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "mode: token" in text or "RAY_AUTH_MODE=token" in text
