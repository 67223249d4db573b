"""The renderer of the simulated camera: what covers what, exact boxes, honest visibility, equal pictures everywhere."""

import hashlib
import os
import subprocess
import sys
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from actors.simulation import SimulatedCamera, parse_address
from actors.simulation.meshes import mesh_of
from actors.simulation.outline import outline_of
from actors.simulation.plates import plate_picture
from actors.simulation.raster import rasterise
from actors.simulation.road import build_camera
from actors.simulation.shading import to_world

CAMERA = build_camera(parse_address("sim://approach?width=1280&height=720&opposing=2"))
KINDS = ("sedan", "hatch", "suv", "van", "truck", "bus", "ebike", "bicycle", "person1")


def test_the_nearer_triangle_hides_the_farther_one() -> None:
    far = [[0.0, 0.0, 9.0], [20.0, 0.0, 9.0], [0.0, 20.0, 9.0]]
    near = [[0.0, 0.0, 4.0], [10.0, 0.0, 4.0], [0.0, 10.0, 4.0]]
    for points in (far + near, near + far):
        pixel, tri, weights = rasterise(np.array(points), np.arange(6).reshape(2, 3), 20, 20)
        depth = (np.array(points)[np.arange(6).reshape(2, 3)[tri], 2] * weights).sum(1)
        shown = dict(zip(pixel.tolist(), depth.round(3).tolist(), strict=True))
        assert shown[2 * 20 + 2] == 4.0
        assert shown[2 * 20 + 12] == 9.0


def test_two_triangles_of_a_square_leave_no_gap_and_interpolate_in_perspective() -> None:
    points = np.array([[0.0, 0.0, 2.0], [16.0, 0.0, 8.0], [16.0, 16.0, 8.0], [0.0, 16.0, 2.0]])
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    pixel, tri, weights = rasterise(points, faces, 16, 16)
    assert pixel.tolist() == list(range(256))
    along = (np.array([0.0, 1.0, 1.0, 0.0])[faces[tri]] * weights).sum(1).reshape(16, 16)
    share = (np.arange(16) + 0.5) / 16
    expected = (share / 8) / (share / 8 + (1 - share) / 2)
    assert along == pytest.approx(np.tile(expected, (16, 1)), abs=1e-4)


def test_degenerate_and_foreign_triangles_cover_nothing() -> None:
    points = np.array(
        [[5.0, 5.0, 3.0], [5.0, 5.0, 3.0], [9.0, 9.0, 3.0], [-50.0, -50.0, 3.0], [-40.0, -50.0, 3.0], [-50.0, -40.0, 3.0]]
    )
    pixel, tri, weights = rasterise(points, np.arange(6).reshape(2, 3), 16, 16)
    assert len(pixel) == len(tri) == len(weights) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_boxes_hold_the_whole_body_to_half_a_pixel(kind: str) -> None:
    forward = (1.0, 0.0) if kind.startswith("person") else (0.0, 1.0)
    for place in ((4.0, 20.0), (9.0, 36.0), (-3.0, 60.0)):
        outline = outline_of(CAMERA, kind, place, forward)
        assert outline is not None
        assert outline.whole
        points = CAMERA.project(to_world(mesh_of(kind).vertices, *place, forward))[:, :2]
        assert outline.low == pytest.approx(points.min(0), abs=0.5)
        assert outline.high == pytest.approx(points.max(0), abs=0.5)


def test_visible_is_the_share_of_the_whole_object_not_of_its_part_in_the_frame(tmp_path: Path) -> None:
    """A vehicle alone in the picture is as visible as its outline lies inside the frame."""
    camera = SimulatedCamera(
        parse_address("sim://approach?seed=3&width=1280&height=720&flow=500&opposing=0&two_wheelers=0&pedestrians=0&fps=5"),
        tmp_path,
    )
    checked = 0
    for frame in islice(camera.frames(), 120):
        vehicles = frame.truth.objects
        for o in vehicles:
            alone = all(
                p is o or p.box[0] > o.box[2] or p.box[2] < o.box[0] or p.box[1] > o.box[3] or p.box[3] < o.box[1]
                for p in vehicles
            )
            if not (o.truncated and alone and o.box[2] - o.box[0] > 100):
                continue
            place = (o.position_m[0], o.position_m[1] + mesh_of(o.kind).half_length_m)
            outline = outline_of(camera.view, o.kind, place, (0.0, 1.0))
            assert outline is not None
            if outline.depth.min() < 2.5:
                continue
            shape = cv2.convexHull(outline.points.astype(np.float32))
            window = np.array([[0, 0], [1280, 0], [1280, 720], [0, 720]], np.float32)
            inside = cv2.intersectConvexConvex(shape, window)[0] / cv2.contourArea(shape)
            assert o.visible == pytest.approx(inside, abs=0.12)
            checked += 1
    assert checked >= 5


_FILM = """
import hashlib, json, sys
from itertools import islice
from pathlib import Path
from actors.simulation import SimulatedCamera, parse_address
camera = SimulatedCamera(parse_address("sim://approach?seed=8&width=320&height=180&fps=5"), Path(sys.argv[1]))
digest = hashlib.sha256()
for frame in islice(camera.frames(), 3):
    digest.update(frame.image.tobytes())
    digest.update(json.dumps(frame.truth.to_json(frame.index, frame.time_s)).encode())
print(digest.hexdigest())
"""


def test_pictures_and_truth_are_the_same_in_every_process(tmp_path: Path) -> None:
    def film(seed: str) -> str:
        folder = tmp_path / seed
        run = [sys.executable, "-c", _FILM, str(folder)]
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
        return subprocess.run(run, env=environment, check=True, capture_output=True, text=True).stdout

    assert film("1") == film("2")


def test_plates_of_two_numbers_differ_in_the_characters_that_differ() -> None:
    first, second = plate_picture("京A12345", "blue"), plate_picture("京A12845", "blue")
    columns = np.flatnonzero((first.astype(int) - second).any(axis=(0, 2)))
    pitch = first.shape[1] / 7.6
    assert len(columns)
    assert columns.max() - columns.min() < 1.3 * pitch
    assert hashlib.sha256(first.tobytes()).digest() != hashlib.sha256(second.tobytes()).digest()


def test_near_plates_are_large_enough_to_read_in_the_default_view() -> None:
    """At least 42 pixels for seven characters where a vehicle has just come into view."""
    depth = CAMERA.depth(CAMERA.nearest_visible_y() + 0.8, 0.7)
    assert 0.44 * CAMERA.focal_px / depth >= 42
