"""The committed dashboard and alert rules speak of metrics that exist."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT

FOLDER = ROOT / "cluster" / "grafana"
NAME = re.compile(r"ray_(wayside_[a-z_]+)")
SUFFIXES = re.compile(r"_(bucket|sum|count)$")


def declared() -> set[str]:
    """Names of the metrics that the code makes: those of a camera by their stem, those of a network by its deployment."""
    found: set[str] = set()
    deployments, endings = set(), set()
    for path in [*ROOT.glob("actors/**/*.py"), *ROOT.glob("models/**/*.py")]:
        text = path.read_text(encoding="utf-8")
        found.update(re.findall(r'"(wayside_[a-z_]+)"', text))
        if 'f"wayside_{name}_total"' in text:
            found.update(f"wayside_{stem}_total" for stem in re.findall(r'counter\(\s*"([a-z_]+)"', text))
        deployments.update(re.findall(r'^DEPLOYMENT_NAME = "([a-z_]+)"', text, re.MULTILINE))
        endings.update(re.findall(r'Histogram\(\s*f"wayside_\{name\}_([a-z_]+)"', text))
    return found | {f"wayside_{name}_{ending}" for name in deployments for ending in endings}


def used(path: Path) -> set[str]:
    text = path.read_text(encoding="utf-8")
    expressions = re.findall(r'"expr": "((?:[^"\\]|\\.)*)"', text) if path.suffix == ".json" else [text]
    return {SUFFIXES.sub("", name) for expression in expressions for name in NAME.findall(expression)}


def test_the_dashboard_and_the_rules_use_metrics_that_exist() -> None:
    for path in (FOLDER / "wayside.json", FOLDER / "alerts.yaml"):
        names = used(path)
        assert len(names) >= 5
        assert names <= declared(), names - declared()


def test_no_expression_uses_the_sum_of_a_histogram() -> None:
    """Ray's are sums of the middles of buckets: a mean of single pictures would be 0.5."""
    for path in (FOLDER / "wayside.json", FOLDER / "alerts.yaml"):
        assert not re.search(r"ray_wayside_\w+_sum\b", path.read_text(encoding="utf-8"))


def test_panels_do_not_overlap_and_have_ids_of_their_own() -> None:
    panels = json.loads((FOLDER / "wayside.json").read_text(encoding="utf-8"))["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells)


def test_every_rule_says_in_both_languages_what_is_wrong() -> None:
    rules = yaml.safe_load((FOLDER / "alerts.yaml").read_text(encoding="utf-8"))["groups"][0]["rules"]
    assert {"WaysideCameraDown", "WaysideFramesDropped", "WaysideReceiverFailing", "WaysideDiskAlmostFull"} <= {
        rule["alert"] for rule in rules
    }
    assert all(" / " in rule["annotations"]["summary"] for rule in rules)


EXPRESSION = re.compile(r"\$__rate_interval|\$__interval")


def promtool() -> str:
    """Prometheus' own checker; skips without it."""
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("no promtool (Debian: apt-get install prometheus)")
    return found


def dashboard_expressions() -> list[str]:
    """Every expression of the dashboard as Grafana sends it, with all cameras chosen."""
    panels = json.loads((FOLDER / "wayside.json").read_text(encoding="utf-8"))["panels"]
    written = [target["expr"] for panel in panels for target in panel.get("targets", [])]
    return [EXPRESSION.sub("1m", expression).replace("$task", ".*") for expression in written]


def test_the_alert_rules_are_rules_and_ring_when_they_should() -> None:
    for command in (["check", "rules", "alerts.yaml"], ["test", "rules", "alerts.test.yaml"]):
        told = subprocess.run([promtool(), *command], cwd=FOLDER, capture_output=True, text=True, timeout=60, check=False)
        assert told.returncode == 0, told.stdout + told.stderr


def test_every_rule_has_a_unit_test_in_which_it_rings() -> None:
    rules = yaml.safe_load((FOLDER / "alerts.yaml").read_text(encoding="utf-8"))["groups"][0]["rules"]
    tests = yaml.safe_load((FOLDER / "alerts.test.yaml").read_text(encoding="utf-8"))["tests"]
    rung = {case["alertname"] for test in tests for case in test["alert_rule_test"] if case["exp_alerts"]}
    assert rung == {rule["alert"] for rule in rules}


def test_every_expression_of_the_dashboard_is_promql(tmp_path: Path) -> None:
    rules = [{"record": f"panel:{number}", "expr": expression} for number, expression in enumerate(dashboard_expressions())]
    assert len(rules) > 20
    file = tmp_path / "dashboard.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}), encoding="utf-8")
    told = subprocess.run([promtool(), "check", "rules", str(file)], capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 0, told.stdout + told.stderr


def test_no_panel_names_a_variable_that_the_dashboard_does_not_have() -> None:
    dashboard = json.loads((FOLDER / "wayside.json").read_text(encoding="utf-8"))
    known = {variable["name"] for variable in dashboard["templating"]["list"]}
    used_names = set(re.findall(r"\$\{?(\w+)", json.dumps(dashboard["panels"])))
    assert used_names <= known
    for panel in dashboard["panels"]:
        assert panel["type"] == "row" or panel["datasource"]["uid"] == "${datasource}", panel["title"]
