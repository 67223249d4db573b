"""Scene documents at random: read, or refused with every fault named; what is read can be used and written again."""

import copy
import json
import os
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from traffic.errors import SceneError
from traffic.passages import PassageAnalyzer
from traffic.sampling import SceneSampler
from traffic.scene.document import parse_scene, scene_to_document, scene_warnings
from traffic.types import ObjectClass, Track, TrackId, TrackState

EXAMPLES = int(os.environ.get("WAYSIDE_FUZZ_EXAMPLES", "150"))
SCENES = sorted((Path(__file__).parents[3] / "examples" / "scenes").glob("*_*.json"))
_SETTINGS = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=EXAMPLES <= 150, database=None, suppress_health_check=list(HealthCheck)
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.floats(-0.5, 1.5),
    st.sampled_from([0, 1, -1, 1e308]),
)
points = st.lists(st.floats(-0.1, 1.1), min_size=2, max_size=2)
values = st.recursive(
    scalars | points,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)
NAMES = (
    "version", "lanes", "regions", "countLines", "calibration", "outline", "roadNum", "roadName", "turn", "polygon", "direction",
    "snapshotLine", "entryLine", "stopLine", "regionCode", "name", "kind", "areaM2", "image", "road", "matrix", "notes",
)  # fmt: skip
documents = st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=4), values, max_size=6)


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document."""
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(place for key, value in inner for place in places(value, (*path, key)))]


@st.composite
def damaged(draw: st.DrawFn) -> dict[str, Any]:
    """A good document with one to three places changed, doubled or taken away."""
    document = copy.deepcopy(json.loads(draw(st.sampled_from(SCENES)).read_text()))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(places(document)[1:]))
        node = document
        for key in place[:-1]:
            node = node[key]
        what = draw(st.sampled_from(["change", "double", "remove"]))
        if what == "change":
            node[place[-1]] = draw(values)
        elif what == "double" and isinstance(node, list):
            node.append(copy.deepcopy(node[place[-1]]))
        else:
            del node[place[-1]]
        if not places(document)[1:]:
            break
    return document


def a_track(n: int) -> Track:
    """A car that moves to the right."""
    box = (10.0 + 200 * n, 100.0, 160.0 + 200 * n, 250.0)
    return Track(
        track_id=TrackId(1), state=TrackState.CONFIRMED, box=box, velocity=(200.0, 0.0), object_class=ObjectClass.CAR,
        class_share=1.0, score=0.9, time_s=100.0 + n, first_time_s=100.0, hits=n + 3, time_since_update_s=0.0, moved=True,
        detection=box,
    )  # fmt: skip


def refusal(document: dict[str, Any] | str) -> SceneError | None:
    """The error it is refused with; None when it is read."""
    try:
        parse_scene(document)
    except SceneError as error:
        return error
    return None


def check(document: dict[str, Any]) -> None:
    """Refused with places and both languages, or usable."""
    if error := refusal(document):
        assert error.problems
        assert all(problem.chinese and problem.english for problem in error.problems)
        return
    scene = parse_scene(document)
    scene_warnings(document)
    assert parse_scene(scene_to_document(scene)) is not None
    analyzer, sampler = PassageAnalyzer(scene), SceneSampler(scene, "life")
    for n in range(3):
        tracks = (a_track(n),)
        passages = analyzer.update(100.0 + n, (640, 360), tracks)
        sampler.advance(100.0 + n, (640, 360), tracks, analyzer, passages)
    analyzer.finish()
    sampler.finish()


@_SETTINGS
@given(documents)
def test_any_object_is_read_or_refused(document: dict[str, Any]) -> None:
    check(document)


@_SETTINGS
@given(damaged())
def test_a_good_document_with_damage_is_read_or_refused(document: dict[str, Any]) -> None:
    check(document)


@_SETTINGS
@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    error = refusal(text)
    assert error is None or error.problems
