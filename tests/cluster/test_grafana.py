"""The committed dashboard and alert rules speak of metrics that exist."""

import json
import re
from pathlib import Path

import yaml

from tests.conftest import ROOT

FOLDER = ROOT / "cluster" / "grafana"
NAME = re.compile(r"ray_(wayside_[a-z_]+)")
SUFFIXES = re.compile(r"_(bucket|sum|count)$")


def declared() -> set[str]:
    """Names of the metrics that the code makes; counters of a camera are named by their stem."""
    found: set[str] = set()
    for path in [*ROOT.glob("actors/**/*.py"), *ROOT.glob("models/**/*.py")]:
        text = path.read_text(encoding="utf-8")
        found.update(re.findall(r'"(wayside_[a-z_]+)"', text))
        if 'f"wayside_{name}_total"' in text:
            found.update(f"wayside_{stem}_total" for stem in re.findall(r'counter\("([a-z_]+)"', text))
    return found


def used(path: Path) -> set[str]:
    text = path.read_text(encoding="utf-8")
    expressions = re.findall(r'"expr": "((?:[^"\\]|\\.)*)"', text) if path.suffix == ".json" else [text]
    return {SUFFIXES.sub("", name) for expression in expressions for name in NAME.findall(expression)}


def test_the_dashboard_and_the_rules_use_metrics_that_exist() -> None:
    for path in (FOLDER / "wayside.json", FOLDER / "alerts.yaml"):
        names = used(path)
        assert len(names) >= 5
        assert names <= declared(), names - declared()


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
